/** `tunnelscope lab` and `tunnelscope demo`: simulated overlays on this machine. */
import { type Command, Option } from 'commander';
import { ConfigError, parseCount } from '../config/index.ts';
import {
  asItStands,
  checkLab,
  labDown,
  labStatus,
  labUp,
  loadProfile,
  loadTopology,
  type NoisyClient,
  namespaceOf,
  profileNames,
  startActivity,
  startTraffic,
  stopTraffic,
  type Topology,
  type TopologyOptions,
  topologyNames,
} from '../lab/index.ts';
import { type ConfigWords, givenWords } from './configuring.ts';
import { addMonitorOptions, demandMachine, monitor } from './monitor.ts';
import { stopSignal } from './stopping.ts';

/** The words of the lab's options. */
interface LabWords {
  readonly topology?: string;
  readonly prefix: string;
  readonly hosts?: string;
  readonly segments?: string;
  readonly clients?: 'shared' | 'own';
  readonly tunnel?: 'vxlan' | 'gretap';
  readonly ports?: 'bridge' | 'direct';
  readonly dhcp?: string;
}

interface TrafficWords {
  readonly profile: string;
  readonly noisy?: string | true;
}

const DEFAULT_TOPOLOGY = 'overlay';

function addPrefix(command: Command): Command {
  return command.option('--prefix <prefix>', 'of all names the lab makes', 'ts-');
}

function addTopology(command: Command): Command {
  return addPrefix(command)
    .argument('[topology]', `${topologyNames().join(', ')}, or a file`, DEFAULT_TOPOLOGY)
    .option('-t, --topology <name>', 'the same')
    .option('--hosts <count>', 'number of hosts, where the topology counts them')
    .option('--segments <count>', 'number of segments (VNIs), where the topology counts them')
    .addOption(
      new Option('--clients <where>', 'in the namespace of the host, or one namespace each').choices([
        'shared',
        'own',
      ]),
    )
    .addOption(new Option('--tunnel <kind>', 'of the distributed bridge').choices(['vxlan', 'gretap']))
    .addOption(
      new Option('--ports <kind>', 'own clients behind Linux bridges, or at the BPF bridge itself').choices([
        'bridge',
        'direct',
      ]),
    )
    .option('--dhcp <where>', 'the host with the DHCP server, or VNI=HOST by commas: host0,10001=host2');
}

function addTraffic(command: Command): Command {
  return command
    .option('-p, --profile <name>', `${profileNames().join(', ')}, or a file`, 'mixed')
    .option(
      '--noisy [what]',
      'add a client that sends much more than all others; what: key=value by commas of vni, from, to, perSecond, size, seconds',
    );
}

/** @throws ConfigError when argument and option name two; LabError `LAB_TOPOLOGY` */
function topologyOf(named: string, words: LabWords): Topology {
  if (words.topology !== undefined && named !== DEFAULT_TOPOLOGY && named !== words.topology)
    throw new ConfigError(
      '--topology',
      words.topology,
      `the same as the argument, "${named}"; leave one out`,
    );
  const count = (field: string, word: string | undefined): number | undefined =>
    word === undefined ? undefined : parseCount(field, word, { min: 1, max: 64 });
  return loadTopology(words.topology ?? named, {
    hosts: count('--hosts', words.hosts),
    segments: count('--segments', words.segments),
    clients: words.clients,
    tunnel: words.tunnel,
    ports: words.ports,
    dhcp: words.dhcp === undefined ? undefined : dhcpOf(words.dhcp),
  });
}

/** `host2`, `10000=host1,10001=host2`: a host without a VNI is for all others, host0 where none is named. */
function dhcpOf(word: string): NonNullable<TopologyOptions['dhcp']> {
  let server = 'host0';
  const servers: Record<string, string> = {};
  for (const part of word.split(',')) {
    const [, vni, host] = /^(?:(\d+)=)?(host\d+)$/.exec(part) ?? [];
    if (host === undefined) throw new ConfigError('--dhcp', part, 'a host, or VNI=HOST: host0,10001=host2');
    if (vni === undefined) server = host;
    else servers[vni] = host;
  }
  return { server, servers };
}

function noisyOf(word: string | true | undefined): NoisyClient | undefined {
  if (word === undefined) return undefined;
  const client: Record<string, string | number> = {};
  for (const part of word === true ? [] : word.split(',')) {
    const [key = '', value = ''] = part.split('=', 2);
    if (!['vni', 'from', 'to', 'perSecond', 'size', 'seconds'].includes(key) || value === '') {
      throw new ConfigError('--noisy', part, 'key=value of vni, from, to, perSecond, size, seconds');
    }
    const isAddress = key === 'from' || key === 'to';
    client[key] = isAddress ? value : parseCount(`--noisy ${key}`, value, { min: 1, max: 16_777_215 });
  }
  return client as NoisyClient;
}

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

async function up(named: string, words: LabWords): Promise<void> {
  using stopping = stopSignal();
  const topology = topologyOf(named, words);
  await labUp(topology, { prefix: words.prefix, signal: stopping.signal, progress: say });
  await checkLab({ prefix: words.prefix, signal: stopping.signal, progress: say });
  say(
    `${topology.title}: ${topology.hosts.length} hosts, ${topology.segments.length} segments, ${topology.clients.length} clients`,
  );
}

async function check(words: { readonly prefix: string }): Promise<void> {
  using stopping = stopSignal();
  await checkLab({ prefix: words.prefix, signal: stopping.signal, progress: say });
}

async function traffic(named: string, words: LabWords & TrafficWords): Promise<void> {
  using stopping = stopSignal();
  const running = await startTraffic(
    asItStands(topologyOf(named, words), words.prefix),
    loadProfile(words.profile),
    {
      prefix: words.prefix,
      signal: stopping.signal,
      progress: say,
      noisy: noisyOf(words.noisy),
    },
  );
  say(JSON.stringify(await running.finished));
}

function status(words: { readonly prefix: string; readonly json?: true }): void {
  const found = labStatus({ prefix: words.prefix });
  if (words.json) say(JSON.stringify(found));
  else {
    say(`${found.prefix}: ${found.state}${found.title === undefined ? '' : ` (${found.title})`}`);
    for (const [key, value] of Object.entries(found))
      if (Array.isArray(value)) say(`  ${key}: ${value.length}`);
    for (const { host, vni, address, server } of found.leases)
      say(`  lease of ${host} in VNI ${vni}: ${address} from ${server}`);
    if (found.isKept === false) say('  their keeper has gone: what ends is not started again');
    for (const { role, namespace, state, pid, restarts, lastEnd } of found.members) {
      const again = restarts > 0 ? `, started again ${restarts} times (${lastEnd})` : '';
      say(`  ${role} in ${namespace}: ${state}${pid === undefined ? '' : `, process ${pid}`}${again}`);
    }
  }
}

/** The whole at once: lab, traffic, monitor in the first host, page; ends on Enter, Ctrl-C or SIGTERM, leaving nothing. */
async function demo(named: string, words: LabWords & TrafficWords, given: ConfigWords): Promise<void> {
  const topology = topologyOf(named, words);
  const profile = loadProfile(words.profile);
  const noisy = noisyOf(words.noisy);
  demandMachine();
  using stopping = stopSignal();
  await using stack = new AsyncDisposableStack();
  stack.defer(() => labDown({ prefix: words.prefix }));
  await labUp(topology, { prefix: words.prefix, signal: stopping.signal, progress: say });
  await checkLab({ prefix: words.prefix, signal: stopping.signal, progress: say });
  stack.use(startActivity(topology, words.prefix));
  if (topology.clients.length > 0 || topology.network === 'overlay') {
    const running = await startTraffic(asItStands(topology, words.prefix), profile, {
      prefix: words.prefix,
      noisy,
    });
    stack.defer(async () => {
      await running.stop();
    });
  }
  const pressed = new AbortController();
  using _enter = onEnter(() => pressed.abort());
  const inHost = {
    ...given,
    netns: namespaceOf(words.prefix, topology.monitored.namespace),
    iface: given.iface ?? [topology.monitored.interface],
  };
  await monitor(inHost, {
    stopped: AbortSignal.any([pressed.signal, stopping.signal]),
    ready: (url) => {
      say(`HTTPServer listening on ${new URL(url).host}`);
      say('Press enter to quit:');
    },
  });
}

/** Calls back at the first line on standard input; its end without one (no terminal, a service) is no wish to quit. */
function onEnter(pressed: () => void): Disposable {
  const { stdin } = process;
  const read = (chunk: Buffer): void => {
    if (chunk.includes('\n')) pressed();
  };
  stdin.on('data', read);
  return {
    [Symbol.dispose]() {
      stdin.off('data', read);
      stdin.pause();
    },
  };
}

/** Adds `lab` and `demo` to the program. */
export function addLabCommands(program: Command): void {
  const lab = program
    .command('lab')
    .description('simulated overlays on this machine, in network namespaces of their own');
  addTopology(lab.command('up').description('make a topology stand; does nothing when it stands')).action(up);
  addPrefix(lab.command('down').description('remove all of it, also what a crash left')).action(
    (words: LabWords) => labDown(words),
  );
  addPrefix(lab.command('check').description('whether it does what it is for; code 1 when not')).action(
    check,
  );
  addPrefix(lab.command('status').description('what stands and what runs'))
    .option('--json', 'as JSON')
    .action(status);
  addTraffic(
    addTopology(
      lab.command('traffic').description('send traffic until Ctrl-C or its end, then tell what was sent'),
    ),
  ).action(traffic);
  addPrefix(lab.command('quiet').description('stop traffic started elsewhere')).action((words: LabWords) =>
    stopTraffic(words),
  );
  const demoCommand = program
    .command('demo')
    .description('lab, traffic, monitor in its first host, and the page: the whole at once');
  addMonitorOptions(addTraffic(addTopology(demoCommand))).action(
    (named: string, words: LabWords & TrafficWords, command: Command) =>
      demo(named, words, givenWords(command)),
  );
}
