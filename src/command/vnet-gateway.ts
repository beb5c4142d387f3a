/** `tunnelscope vnet gateway`: VLANs of a trunk to workers and back, by BPF. */
import type { Command } from 'commander';
import { ConfigError, parseInstance } from '../config/index.ts';
import { ask, placeOf } from '../daemon/index.ts';
import { formatGateway } from '../terminal/index.ts';
import { Gateway, readGatewayConfig, VNET } from '../vnet/index.ts';
import { EXIT, Exit } from './exit.ts';
import { addRunOptions, type RunWords, runFunction } from './vnet-running.ts';

/** What an instance is called where nobody says. */
const NAME = 'gateway';

interface AddWords {
  readonly name: string;
  readonly mac: string;
  readonly worker: string;
  readonly vlan?: string;
  readonly default?: string;
  readonly allowed?: string;
}

/** Adds `gateway` to `vnet`. */
export function addGatewayCommands(vnet: Command): void {
  const gateway = vnet
    .command('gateway')
    .description(
      'between the VLANs of a trunk and workers: a frame goes to its client’s worker, and back with the tags learned',
    );
  addRunOptions(
    gateway
      .command('run')
      .description('set the gateway up and keep it in order until stopped (docs/gateway.md)')
      .requiredOption('--config <file>', 'trunk and clients; read again on SIGHUP'),
    NAME,
  ).action((words: RunWords & { readonly config: string }) =>
    runFunction(words, ({ name, tellings }) => Gateway.open({ name, tellings, config: words.config })),
  );
  gateway
    .command('check')
    .description('say what is wrong in a file, and do nothing')
    .requiredOption('--config <file>', 'trunk and clients')
    .action(check);
  gateway
    .command('show')
    .description('clients, their VLANs and traffic, and what became of all frames')
    .argument('[name]', 'of the instance', NAME)
    .option('--json', 'as JSON')
    .action(show);
  addClientCommands(gateway);
}

function addClientCommands(gateway: Command): void {
  gateway
    .command('add')
    .description('add a client while the gateway runs, or change what one may')
    .option('--name <name>', 'of the instance', NAME)
    .requiredOption('--mac <address>', 'of the client')
    .requiredOption('--worker <device>', 'the interface that leads to its worker')
    .option('--vlan <vlan>', 'by which it is reached for good: 5, or 100.5 for 5 within 100')
    .option('--default <vlan>', 'by which it is reached until another is learned')
    .option('--allowed <list>', 'VLANs that its frames may be of, e.g. 5,15,100-200 (default: any)')
    .action(add);
  gateway
    .command('remove')
    .description('remove a client while the gateway runs')
    .option('--name <name>', 'of the instance', NAME)
    .requiredOption('--mac <address>', 'of the client')
    .action(({ name, mac }: { readonly name: string; readonly mac: string }) =>
      change(name, { remove: mac }),
    );
}

function check({ config }: { readonly config: string }): void {
  const { trunk, clients } = readGatewayConfig(config);
  process.stdout.write(`${config} is in order: trunk ${trunk}, ${clients.length} clients\n`);
}

async function show(name: string, { json }: { readonly json?: true }): Promise<void> {
  const answer = await ask(VNET, placeOf(parseInstance('NAME', name), 'vnet'), 'show');
  if (answer.kind !== 'gateway')
    throw new Exit(
      EXIT.usage,
      `NAME: "${name}" is a ${answer.kind} and no gateway; see "tunnelscope vnet show"`,
    );
  process.stdout.write(json ? `${JSON.stringify(answer)}\n` : formatGateway(answer));
}

function add({ name, mac, worker, vlan, default: otherwise, allowed }: AddWords): Promise<void> {
  return change(name, {
    add: {
      mac,
      worker,
      ...(vlan !== undefined && { vlan: readVlan('--vlan', vlan) }),
      ...(otherwise !== undefined && { default: readVlan('--default', otherwise) }),
      ...(allowed !== undefined && { allowed: allowed.split(',').map((part) => part.trim()) }),
    },
  });
}

/** `5`, or `100.5` for 5 within 100; whether the numbers are VLANs the gateway says. */
function readVlan(field: string, text: string): number | number[] {
  const parts = text.split('.');
  if (parts.length > 2 || parts.some((part) => !/^\d{1,4}$/.test(part)))
    throw new ConfigError(field, text, 'a VLAN such as 5, or 100.5 for 5 within 100');
  return parts.length === 1 ? Number(text) : parts.map(Number);
}

async function change(name: string, words: object): Promise<void> {
  const lines = await ask(VNET, placeOf(parseInstance('--name', name), 'vnet'), 'change', { words });
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}
