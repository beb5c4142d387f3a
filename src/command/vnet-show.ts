/** `tunnelscope vnet show` and `vnet status`: what the network functions of this machine say of themselves. */
import type { Command } from 'commander';
import { parseInstance } from '../config/index.ts';
import type { VirtualNetworks } from '../query/index.ts';
import { formatNetwork, formatNetworkLine } from '../terminal/index.ts';
import { askNetworks } from './vnet-asking.ts';

/** Exit codes of `vnet status` and `vnet show`, of the Linux Standard Base, as those of `status`. */
const NETWORK_EXIT = { stopped: 3, unknown: 4 } as const;
/** Somebody at a terminal would rather wait than read that it is silent. */
const PATIENCE_MS = 10_000;

interface ShowWords {
  readonly json?: true;
}

/** Adds both to `vnet`. */
export function addShowCommands(vnet: Command): void {
  const answers: readonly (readonly [string, string, typeof formatNetworkLine, string])[] = [
    [
      'show',
      'what functions have: ports, peers, learned MACs, clients, cables, outcomes',
      formatNetwork,
      '\n',
    ],
    ['status', 'a line per function', (network) => `${formatNetworkLine(network)}\n`, ''],
  ];
  for (const [name, description, format, between] of answers) {
    vnet
      .command(name)
      .description(`${description}; exit code 0 runs, 3 does not, 4 unknown`)
      .argument('[name...]', 'of the functions (default: all)')
      .option('--json', 'as JSON: an object of one that is named, else a list')
      .action((named: readonly string[], words: ShowWords) =>
        show(named, words, (found) => found.functions.map(format).join(between)),
      );
  }
}

async function show(
  named: readonly string[],
  words: ShowWords,
  format: (found: VirtualNetworks) => string,
): Promise<void> {
  const names = named.length > 0 ? named.map((name) => parseInstance('NAME', name)) : undefined;
  const found = await askNetworks(names, { patienceMs: PATIENCE_MS });
  const { functions, unanswered } = found;
  const known = new Set([...functions, ...unanswered].map(({ name }) => name));
  const stopped = (names ?? []).filter((name) => !known.has(name));
  if (words.json) {
    const { functions: all } = found;
    process.stdout.write(`${JSON.stringify(names?.length === 1 ? (all[0] ?? null) : all)}\n`);
  } else process.stdout.write(format(found));
  // Beside JSON too: what is missing in it must be seen, and not by whoever reads it as JSON.
  const aside = words.json ? process.stderr : process.stdout;
  for (const { name, reason } of unanswered) aside.write(`"${name}": ${reason}\n`);
  for (const name of stopped) aside.write(`"${name}" is not running\n`);
  if (names === undefined && known.size === 0) aside.write('No network function is running\n');
  if (unanswered.length > 0) process.exitCode = NETWORK_EXIT.unknown;
  else if (stopped.length > 0 || known.size === 0) process.exitCode = NETWORK_EXIT.stopped;
}
