/** DHCP over the distributed bridge: a real server behind a chosen host per segment, real clients on every host, and the monitor's view. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { noTcx } from '../src/bpf/testdata/probe.ts';
import { checkLab, type LabStatus, labDown } from '../src/lab/index.ts';
import { type Ended, tunnelscope } from './lab-command.ts';
import { processesOf, remainsOf } from './lab-remains.ts';
import { until } from './until.ts';

const PREFIX = 'tsl4-';
const MEMBERS = `/run/tunnelscope-lab/${PREFIX}/members`;
const skip = noTcx;

after(() => labDown({ prefix: PREFIX }));

function lab(...words: string[]): Promise<Ended> {
  return tunnelscope(['lab', ...words, '--prefix', PREFIX]);
}

async function status(): Promise<LabStatus> {
  return JSON.parse((await lab('status', '--json')).stdout);
}

/** The one process with these words. */
function pidOf(...words: string[]): number | undefined {
  return processesOf(PREFIX).find((each) => words.every((word) => each.words.includes(word)))?.pid;
}

/** The client of a host in a segment, which is named in the path of its script. */
const client = (host: string, vni: number): number | undefined => pidOf('udhcpc', `${host}-${vni}/`);

/** What a DHCP client of a machine would alter. */
function machineSettings(): string[] {
  return [
    readFileSync('/etc/resolv.conf', 'utf8'),
    execFileSync('ip', ['route'], { encoding: 'utf8' }),
    execFileSync('ip', ['-o', 'address'], { encoding: 'utf8' }).replace(/(valid|preferred)_lft \S+/g, ''),
  ];
}

let before: string[];

test('every host has an address by DHCP in both segments, and reaches the one of host0 in each (BUG-B40)', {
  skip,
}, async () => {
  before = machineSettings();
  const { code, stdout, stderr } = await lab('up', 'bridge-dhcp', '--dhcp', 'host0,10001=host2');
  assert.equal(code, 0, stderr);
  assert.equal(stdout.split('\n')[0], 'multicast 0 dhcp 1 gretap 0');
  const { leases } = await status();
  assert.deepEqual(
    leases.map(({ host, vni, server }) => [host, vni, server]),
    [10000, 10001].flatMap((vni, i) => ['host0', 'host1', 'host2'].map((host) => [host, vni, `99.1.${i}.1`])),
  );
  for (const { host, vni, address } of leases) {
    const index = vni - 10000;
    assert.ok(address.startsWith(`99.1.${index}.`));
    assert.match(
      stdout,
      new RegExp(`^${host} has ${address} in VNI${index}$`, 'm'),
      'said when it was given',
    );
  }
  const given = (vni: number): string =>
    leases.find((lease) => lease.host === 'host0' && lease.vni === vni)!.address;
  for (const host of ['host1', 'host2'])
    for (const index of [0, 1])
      assert.ok(
        stdout.includes(
          `VNI${index} between host0 and ${host}\n  ${given(10000 + index)}: 3 packets transmitted, 3 received`,
        ),
        stdout,
      );
});

test('a host without a lease is named when the time is over (BUG-B41)', { skip }, async () => {
  const pid = client('host1', 10000)!;
  process.kill(pid, 'SIGSTOP');
  execFileSync('ip', ['-n', `${PREFIX}host1`, 'address', 'flush', 'dev', 'br0']);
  await assert.rejects(checkLab({ prefix: PREFIX, patienceMs: 500 }), (error: Error) => {
    assert.match(error.message, /after 0\.5 s there is none at br0 of host1; wanted one of its segment/);
    return true;
  });
  process.kill(pid, 'SIGKILL');
  await until(() => ![undefined, pid].includes(client('host1', 10000)), 'another client runs');
  assert.equal((await lab('check')).code, 0, 'and it has a lease again');
});

test('servers and clients have private directories, and nothing of theirs is in /tmp (BUG-B42)', {
  skip,
}, () => {
  const directories = readdirSync(MEMBERS, { withFileTypes: true }).filter((each) => each.isDirectory());
  assert.equal(directories.length, 3 + 2 + 6);
  for (const path of [MEMBERS, ...directories.map(({ name }) => `${MEMBERS}/${name}`)])
    assert.equal(statSync(path).mode & 0o777, 0o700, path);
  assert.deepEqual(
    readdirSync('/tmp').filter((name) => /^(dhcp_|dnsmasq)/.test(name)),
    [],
  );
});

test('clients alter their own resolv.conf in a mount namespace of their own, nothing of the machine (BUG-B43)', {
  skip,
}, () => {
  assert.deepEqual(machineSettings(), before);
  const own = readlinkSync('/proc/self/ns/mnt');
  const mounts = [0, 1, 2].map((i) => {
    const pid = client(`host${i}`, 10001)!;
    assert.equal(readFileSync(`/proc/${pid}/root/etc/resolv.conf`, 'utf8'), 'nameserver 99.1.1.1\n');
    return readlinkSync(`/proc/${pid}/ns/mnt`);
  });
  assert.equal(new Set([own, ...mounts]).size, 4);
});

test('the server of a segment is where it was wanted, comes back when it dies, and serves through the tunnel (BUG-B44)', {
  skip,
}, async () => {
  const ports = execFileSync('bridge', ['-n', `${PREFIX}host2`, 'link', 'show'], { encoding: 'utf8' });
  assert.match(ports, /dhcp1@\S+: .* master br1 /);
  const server = (): number | undefined => pidOf('dnsmasq', 'dhcp-server-10001');
  const first = server()!;
  process.kill(first, 'SIGKILL');
  await until(() => ![undefined, first].includes(server()), 'another server runs');
  const held = (await status()).leases.find(({ host, vni }) => host === 'host1' && vni === 10001)!;
  process.kill(client('host1', 10001)!, 'SIGKILL');
  await until(
    async () => {
      const lease = (await status()).leases.find(({ host, vni }) => host === 'host1' && vni === 10001);
      return lease !== undefined && lease.givenAtMs >= held.givenAtMs && lease.address === held.address;
    },
    'it gives the same address again',
    30_000,
  );
});

/** Of a flow in `report --json`. */
interface Flow {
  readonly tunnels: readonly { readonly kind: string; readonly id: number }[];
  readonly sourcePort: number;
  readonly destinationPort: number;
}

test('the monitor shows requests and replies as flows inside the tunnel of each segment', {
  skip,
}, async () => {
  const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
  const words = ['report', '--netns', `${PREFIX}host1`, '-i', 'eth0', '--json', '--freq', '500ms'];
  const report = spawn(process.execPath, [cli, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(report, 'exit');
  const flows: Flow[] = [];
  createInterface({ input: report.stdout }).on('line', (line) => flows.push(JSON.parse(line) as Flow));
  try {
    await until(
      () => {
        execFileSync('ip', ['netns', 'exec', `${PREFIX}host0`, 'ping', '-q', '-c', '1', '172.16.1.101']);
        return flows.length > 0;
      },
      'it meters',
      30_000,
    );
    for (const vni of [10000, 10001]) process.kill(client('host1', vni)!, 'SIGKILL');
    const has = (vni: number, from: number, to: number): boolean =>
      flows.some(
        (flow) =>
          flow.tunnels.some(({ kind, id }) => kind === 'vxlan' && id === vni) &&
          flow.sourcePort === from &&
          flow.destinationPort === to,
      );
    await until(
      () => [10000, 10001].every((vni) => has(vni, 68, 67) && has(vni, 67, 68)),
      'requests and replies of both segments are there',
      30_000,
    );
  } finally {
    report.kill('SIGINT');
    await ended;
  }
});

test('down ends servers and clients and leaves nothing, also when members were killed', {
  skip,
}, async () => {
  for (const { pid } of processesOf(PREFIX)
    .filter(({ words }) => /dnsmasq|host0-10000|keeper/.test(words))
    .toSorted((a) => (a.words.includes('keeper') ? -1 : 1)))
    process.kill(pid, 'SIGKILL');
  assert.equal((await lab('down')).code, 0);
  assert.deepEqual(remainsOf(PREFIX), []);
});

test('nine hosts and eight segments: every one of 72 clients has a lease, and reaches the first host', {
  skip,
}, async () => {
  const { code, stderr } = await lab(
    'up',
    'bridge-dhcp',
    '--hosts',
    '9',
    '--segments',
    '8',
    '--dhcp',
    'host4',
  );
  assert.equal(code, 0, stderr);
  const { leases } = await status();
  assert.equal(leases.length, 72);
  assert.equal(new Set(leases.map(({ address }) => address)).size, 72);
  for (const { vni, address, server } of leases) {
    assert.equal(server, `99.1.${vni - 10000}.1`);
    assert.ok(address.startsWith(`99.1.${vni - 10000}.`));
  }
  assert.equal((await lab('down')).code, 0);
  assert.deepEqual(remainsOf(PREFIX), []);
});
