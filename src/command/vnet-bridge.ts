/** `tunnelscope vnet bridge`: a distributed bridge that runs, what it knows, and who its peers are. */
import { type Command, InvalidArgumentError } from 'commander';
import { parseInstance } from '../config/index.ts';
import { ask, placeOf } from '../daemon/index.ts';
import { formatBridge } from '../terminal/index.ts';
import { Bridge, type PeerRequest, readBridgeConfiguration, VNET } from '../vnet/index.ts';
import { EXIT, Exit } from './exit.ts';
import { addRunOptions, type RunWords, runFunction } from './vnet-running.ts';

const DEFAULT_NAME = 'bridge';

/** Adds `bridge` to `vnet`. */
export function addBridgeCommands(vnet: Command): void {
  const bridge = vnet
    .command('bridge')
    .description('Ethernet segments over many hosts: a distributed bridge over VXLAN (or GRE), in BPF');
  addRunOptions(
    bridge
      .command('run')
      .description('forward until stopped; takes over what a killed one left, without a frame lost')
      .requiredOption('--config <file>', 'what it is to do (docs/bridge.md)'),
    DEFAULT_NAME,
  ).action(run);
  bridge
    .command('show')
    .description('ports, peers, addresses, and what became of the frames')
    .argument('[name]', 'of the instance', DEFAULT_NAME)
    .option('--json', 'as JSON')
    .action(show);
  bridge
    .command('check')
    .description('read a configuration and say what is wrong with it')
    .requiredOption('--config <file>', 'to be read')
    .action(check);
  const peer = bridge.command('peer').description('tunnel ends join and leave while a mesh runs');
  for (const verb of ['add', 'remove'] as const)
    peer
      .command(verb)
      .description(
        verb === 'add' ? 'flood to it, and take in what it sends' : 'forget it and what is behind it',
      )
      .argument('<address>', 'of the tunnel end')
      .option('--vni <number>', 'of one segment alone', parseVni)
      .option('--name <name>', 'of the instance', DEFAULT_NAME)
      .action((address: string, words: PeerWords) => changePeer({ peer: verb, address, words }));
}

interface PeerWords {
  readonly vni?: number;
  readonly name: string;
}

async function run(words: RunWords & { readonly config: string }): Promise<void> {
  await runFunction(words, ({ name, tellings }) =>
    Bridge.open({ name, tellings, read: () => readBridgeConfiguration(words.config) }),
  );
}

async function show(named: string, words: { readonly json?: true }): Promise<void> {
  const name = parseInstance('NAME', named);
  const answer = await ask(VNET, placeOf(name, 'vnet'), 'show');
  if (answer.kind !== 'bridge')
    throw new Exit(
      EXIT.failed,
      `"${name}" is no bridge, it is a ${answer.kind}; "tunnelscope vnet show" lists all`,
    );
  process.stdout.write(words.json ? `${JSON.stringify(answer)}\n` : formatBridge(answer));
}

function check({ config }: { readonly config: string }): void {
  const { segments, mode } = readBridgeConfiguration(config);
  const count = `${segments.length} ${segments.length === 1 ? 'segment' : 'segments'}`;
  process.stdout.write(`${config} is right: ${count}, mode ${mode}\n`);
}

async function changePeer({
  peer,
  address,
  words: { vni = null, name },
}: {
  readonly peer: PeerRequest['peer'];
  readonly address: string;
  readonly words: { readonly vni?: number | null; readonly name: string };
}): Promise<void> {
  const request: PeerRequest = { peer, address, vni };
  const lines = await ask(VNET, placeOf(parseInstance('--name', name), 'vnet'), 'change', {
    words: request,
  });
  for (const line of lines) process.stdout.write(`${line}\n`);
}

function parseVni(text: string): number {
  if (/^\d{1,8}$/.test(text) && Number(text) > 0 && Number(text) < 2 ** 24) return Number(text);
  throw new InvalidArgumentError('a number from 1 to 16777215 is wanted.');
}
