/** `tunnelscope monitor`: the main job. Meters, serves the page, writes files, and says in one line how it goes. */
import type { Command } from 'commander';
import { DEFAULT } from '../config/index.ts';
import { examine, formatFacts, missing } from '../doctor.ts';
import { ViewQuestionSchema } from '../query/index.ts';
import { formatStatus } from '../terminal/index.ts';
import { addConfigOption, type ConfigWords, configurationOf, givenWords } from './configuring.ts';
import { EXIT, Exit } from './exit.ts';
import { addMetricsOptions } from './metrics.ts';
import { addMeterOptions } from './options.ts';
import type { RunOptions, Teller } from './running.ts';
import { addServeOptions } from './serving.ts';
import { stopSignal } from './stopping.ts';

/** Adds `monitor` to the program. */
export function addMonitorCommand(program: Command): void {
  addMonitorOptions(
    program.command('monitor').description('meter this host and serve the page; the main job'),
  ).action((_, command: Command) => monitor(givenWords(command)));
}

/** Adds the options of `monitor`; `demo` and `start` take them too. */
export function addMonitorOptions(command: Command): Command {
  addMetricsOptions(addServeOptions(addMeterOptions(addConfigOption(command))));
  return command
    .option(
      '--admin-token-file <file>',
      'file with another token, for changing things over the API (default: nobody can)',
    )
    .option(
      '--interval <duration>',
      'length of an epoch: how often the kernel is drained and the views move',
      DEFAULT.interval,
    )
    .option('--history <directory>', 'keep what is metered there, to be asked later')
    .option('--json-dir <directory>', 'write tunnel.json, tunnel-delta.json and flows.json there')
    .option('--json-period <duration>', 'how often the files are written', DEFAULT.jsonPeriod)
    .option('--data-log <file>', 'write a line of values per interval there');
}

/** Every start: all facts in order, or none of the machine is touched. @throws Exit with the facts. */
export function demandMachine(): void {
  const facts = examine();
  if (missing(facts).length === 0) return;
  throw new Exit(EXIT.missing, `This machine lacks what metering needs:\n${formatFacts(facts)}`);
}

/** Runs the monitor until SIGINT, SIGTERM or `stopped`. @param words those that were given, not commander's defaults */
export async function monitor(
  words: ConfigWords,
  extra: { readonly stopped?: AbortSignal; readonly ready?: (url: string) => void } = {},
): Promise<void> {
  const { configuration } = configurationOf(words);
  demandMachine();
  using stopping = stopSignal();
  const { ready } = extra;
  using line = statusLine();
  // What meters and serves; `lab`, which can become a demo, does without.
  const { runConfigured } = await import('./running.ts');
  await runConfigured(configuration, {
    ...line,
    signal: extra.stopped ? AbortSignal.any([stopping.signal, extra.stopped]) : stopping.signal,
    ...(ready && { ready: ({ agent }) => ready(agent.url!) }),
  });
}

/**
 * On standard output: lines that stay, and one that is rewritten in place on a terminal (and not written at all
 * elsewhere). Disposing it ends that line.
 */
export function statusLine(): Disposable & Pick<Required<RunOptions>, 'teller' | 'epoch'> {
  const { stdout } = process;
  let shown = false;
  const teller: Teller = {
    say(_, line) {
      if (shown) stdout.write('\r\x1b[2K');
      shown = false;
      stdout.write(`${line}\n`);
    },
  };
  return {
    teller,
    epoch(_, live) {
      if (!stdout.isTTY) return;
      const view = live.view(ViewQuestionSchema.parse({}));
      const line = formatStatus(view, {
        flows: live.flowCount,
        width: stdout.columns - 1,
        nowMs: Date.now(),
      });
      stdout.write(`\r${line}\x1b[K`);
      shown = true;
    },
    [Symbol.dispose]() {
      if (shown) stdout.write('\n');
    },
  };
}
