/** The machines on which the guides are followed: what is there before the first command is typed. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Workshop } from '../bench/build.ts';
import { prometheusProgram } from '../tools/prometheus.ts';
import { tunnelscope } from './lab-command.ts';
import { Machine } from './machine.ts';
import { type TwoHosts, twoHosts } from './two-hosts.ts';
import { Scene as Bridges, ip } from './vnet-bridge-scene.ts';
import { storeWeek } from './week.ts';

/** Machines by the names in their prompts; '' is the one of which a guide speaks. */
export interface Scene extends AsyncDisposable {
  readonly machines: Readonly<Record<string, Machine>>;
}

/** Makes a scene, with a directory in which all commands are typed; what it makes has a name that begins with the prefix. */
type Open = (directory: string, prefix?: string) => Promise<Scene>;

/** Where a scene is made. */
interface Ground {
  readonly directory: string;
  readonly prefix: string;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CLI = join(ROOT, 'src/cli.ts');

/** Builds a scene; what it used is disposed with it, in the opposite order. */
function scene(build: (stack: AsyncDisposableStack, ground: Ground) => Promise<Scene['machines']>): Open {
  return async (directory, prefix = 'tsg') => {
    const stack = new AsyncDisposableStack();
    try {
      const machines = await build(stack, { directory, prefix });
      return { machines, [Symbol.asyncDispose]: () => stack.disposeAsync() };
    } catch (error) {
      await stack.disposeAsync();
      throw error;
    }
  };
}

/** A host whose eth0 is pinged from another one all the time. */
const pinged = scene(async (stack, { directory, prefix }) => {
  const hosts = stack.use(twoHosts(`${prefix}p`));
  hosts.begin(hosts.far, ['ping', '-q', '-i', '0.1', '192.168.61.1']);
  // The repository, as who has it sees it.
  for (const name of ['deploy']) symlinkSync(join(ROOT, name), join(directory, name));
  return machinesOf(stack, directory, hosts);
});

async function machinesOf(
  stack: AsyncDisposableStack,
  directory: string,
  { here, far }: TwoHosts,
): Promise<Scene['machines']> {
  return {
    '': stack.use(await Machine.open(here, directory)),
    far: stack.use(await Machine.open(far, directory)),
  };
}

/** A host to which one packet in fifty from the other one does not come. */
const lossy = scene(async (stack, { directory, prefix }) => {
  const loss = stack.use(new Workshop()).object('test/loss.bpf.c');
  const hosts = stack.use(twoHosts(`${prefix}p`, { loss }));
  hosts.begin(hosts.far, ['ping', '-q', '-i', '0.01', '192.168.61.1']);
  return machinesOf(stack, directory, hosts);
});

/** The first host of an overlay, whose clients talk to others, one of them much; beside it a week of another one's history. */
const noisy = scene(async (stack, { directory, prefix }) => {
  const week = stack.use(await storeWeek());
  await week.store.close();
  symlinkSync(week.directory, join(directory, 'week'));
  const own = ['--prefix', `${prefix}-`];
  const lab = [...own, '--hosts', '3', '--segments', '2'];
  const up = await tunnelscope(['lab', 'up', ...lab]);
  stack.defer(async () => {
    const down = await tunnelscope(['lab', 'down', ...own]);
    assert.equal(down.code, 0, down.stderr);
  });
  assert.equal(up.code, 0, up.stderr);
  const traffic = spawn(
    process.execPath,
    [
      CLI,
      'lab',
      'traffic',
      ...lab,
      '--profile',
      'pings',
      '--noisy',
      'vni=10001,perSecond=200,size=1000,seconds=3600',
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  stack.defer(async () => {
    traffic.kill('SIGINT');
    if (traffic.exitCode === null) await once(traffic, 'exit');
  });
  return { '': stack.use(await Machine.open(`${prefix}-host0`, directory)) };
});

/** A gateway's host, its trunk to a switch with two clients, on VLAN 5 and 15, and two workers. */
const gateway = scene(async (stack, { directory, prefix }) => {
  const name = (which: string): string => `${prefix}gw-${which}`;
  const names = ['gw', 'sw', 'c1', 'c2', 'w1', 'w2'];
  stack.defer(() => removeNamespaces(names.map(name)));
  removeNamespaces(names.map(name));
  for (const each of names) {
    ip('netns', 'add', name(each));
    ip('netns', 'exec', name(each), 'sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1');
    ip('-n', name(each), 'link', 'set', 'lo', 'up');
  }
  const cable = (one: string, device: string, other: string, port: string): void => {
    ip('-n', name(one), 'link', 'add', device, 'type', 'veth', 'peer', 'name', port, 'netns', name(other));
    ip('-n', name(one), 'link', 'set', device, 'up');
    ip('-n', name(other), 'link', 'set', port, 'up');
  };
  cable('gw', 'eth0', 'sw', 'trunk');
  for (const i of [1, 2]) {
    cable(`c${i}`, 'eth0', 'sw', `p${i}`);
    cable(`w${i}`, 'eth0', 'gw', `veth${i}`);
    ip('-n', name(`c${i}`), 'link', 'set', 'eth0', 'address', `02:00:00:00:00:0${i}`);
    ip('-n', name(`c${i}`), 'addr', 'add', '172.16.1.100/24', 'dev', 'eth0');
    ip('-n', name(`w${i}`), 'addr', 'add', '172.16.1.5/24', 'dev', 'eth0');
  }
  await startSwitch(stack, name('sw'), [5, 15]);
  const machines: Record<string, Machine> = {};
  for (const [prompt, each] of [
    ['', 'gw'],
    ['client1', 'c1'],
    ['client2', 'c2'],
  ] as const)
    machines[prompt] = stack.use(await Machine.open(name(each), directory));
  return machines;
});

/** A switch that puts a tag on what comes from each of its ports, and takes it off towards them. */
async function startSwitch(
  stack: AsyncDisposableStack,
  namespace: string,
  vids: readonly number[],
): Promise<void> {
  const object = stack.use(new Workshop()).object('test/vlan-switch.bpf.c');
  const child = spawn(process.execPath, [join(ROOT, 'test/vlan-switch.ts'), namespace, object, 'trunk'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  stack.defer(async () => {
    child.stdin.end();
    if (child.exitCode === null) await once(child, 'exit');
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  assert.equal((await answers.next()).value, 'ready');
  for (const [place, vid] of vids.entries()) {
    const tags = [{ vid, pcp: 0, dei: false, protocol: 0x8100 }];
    child.stdin.write(`${JSON.stringify({ place, port: `p${place + 1}`, tags })}\n`);
    assert.equal((await answers.next()).value, 'set');
  }
}

function removeNamespaces(names: readonly string[]): void {
  for (const name of names) spawnSync('ip', ['netns', 'del', name], { stdio: 'ignore' });
}

/** Two hosts on one underlay, each with the interface of a tenant. */
const bridges = scene(async (stack, { directory, prefix }) => {
  const built = stack.use(Bridges.build({ prefix: `${prefix}b`, hosts: 2, vnis: [10000], ports: 'direct' }));
  const machine = async (namespace: string): Promise<Machine> =>
    stack.use(await Machine.open(namespace, directory));
  for (const host of [0, 1]) ip('-n', built.host(host), 'link', 'set', built.device(), 'name', 'veth1');
  return {
    host1: await machine(built.host(0)),
    host2: await machine(built.host(1)),
    tenant1: await machine(built.tenant(0)),
    tenant2: await machine(built.tenant(1)),
  };
});

/** With the programs of Prometheus among those that a shell finds. */
const watched: Open = (directory, prefix) => {
  const promtool =
    prometheusProgram('promtool') ?? assert.fail('no promtool: node tools/prepare.ts fetches it');
  process.env.PATH = `${process.env.PATH}:${dirname(promtool)}`;
  return pinged(directory, prefix);
};

/** A guide names its scene in a comment, `<!-- scene: lossy -->`; without one it is the pinged host. */
export const SCENES = { pinged, noisy, lossy, watched, gateway, bridges } as const satisfies Record<
  string,
  Open
>;
/** Name of a scene. */
export type SceneName = keyof typeof SCENES;
