/** `tunnelscope vnet relay`: cables made of BPF between interfaces of a namespace. */
import type { Command } from 'commander';
import { ConfigError, parseInstance } from '../config/index.ts';
import { ask, placeOf } from '../daemon/index.ts';
import { formatNetwork } from '../terminal/index.ts';
import { type Cable, type CableSource, parseCable, RelayFunction, readCables, VNET } from '../vnet/index.ts';
import { EXIT, Exit } from './exit.ts';
import { addRunOptions, type RunWords, runFunction } from './vnet-running.ts';

interface RelayWords {
  readonly config?: string;
  readonly cable?: readonly string[];
}

const DEFAULT_NAME = 'relay';

/** Adds `relay` to `vnet`. */
export function addRelayCommands(vnet: Command): void {
  const relay = vnet
    .command('relay')
    .description('cables made of BPF: what comes in at one interface goes out at the other');
  addRunOptions(addSource(relay.command('run').description('lay cables until stopped')), DEFAULT_NAME).action(
    (words: RunWords & RelayWords) =>
      runFunction(words, ({ name, tellings }) =>
        RelayFunction.open({ name, tellings, source: sourceOf(words) }),
      ),
  );
  addSource(relay.command('check').description('read the cables, and do nothing')).action(
    (words: RelayWords) => {
      process.stdout.write(`${readCables(sourceOf(words)).length} cables\n`);
    },
  );
  relay
    .command('show')
    .description('what went through each cable')
    .argument('[name]', 'of the instance', DEFAULT_NAME)
    .option('--json', 'as JSON')
    .action(show);
}

function addSource(command: Command): Command {
  return command
    .option('--config <file>', 'a file with "cables", each NAME:NAME')
    .option('--cable <ends...>', 'NAME:NAME, names of two interfaces');
}

/** @throws ConfigError unless exactly one of the two is given */
function sourceOf({ config, cable }: RelayWords): CableSource {
  if (config !== undefined && cable === undefined) return { file: config };
  if (cable === undefined || config !== undefined)
    throw new ConfigError('--config', config ?? '', 'a file, or else --cable NAME:NAME');
  return {
    cables: cable.map((text): Cable => {
      const parsed = parseCable(text);
      if (parsed === undefined) throw new ConfigError('--cable', text, 'names of two interfaces: v1:br1a');
      return parsed;
    }),
  };
}

async function show(name: string, words: { readonly json?: true }): Promise<void> {
  const shown = await ask(VNET, placeOf(parseInstance('NAME', name), 'vnet'), 'show');
  if (shown.kind !== 'relay')
    throw new Exit(
      EXIT.failed,
      `"${name}" is a ${shown.kind}; ask it with "vnet ${shown.kind} show ${name}"`,
    );
  process.stdout.write(words.json ? `${JSON.stringify(shown)}\n` : formatNetwork(shown));
}
