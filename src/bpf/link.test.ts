import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  attachTc,
  BpfError,
  type BpfObject,
  networkNamespace,
  openPinnedTc,
  openResources,
  setNetworkNamespace,
  type TcDirection,
  unpin,
} from './index.ts';
import { loadProbe, noTcx, openDescriptors } from './testdata/probe.ts';

const NAMESPACE = `tsbpf${process.pid}`;
const PINS = `/sys/fs/bpf/tsbpf-link-${process.pid}`;
const OUTSIDE = networkNamespace();
let ours: BpfObject;
let theirs: BpfObject;
let ifindex = 0;

function run(command: string): string {
  const [program = '', ...parameters] = command.split(' ');
  return execFileSync(program, parameters, { encoding: 'utf8' });
}

function links(): { ifname: string; ifindex: number }[] {
  return JSON.parse(run('ip -j link show')) as { ifname: string; ifindex: number }[];
}

function filters(direction: TcDirection): string {
  return run(`tc filter show dev tsbpf0 ${direction}`);
}

function hasQdisc(): boolean {
  return run('tc qdisc show dev tsbpf0').includes('clsact');
}

before(() => {
  run(`ip netns add ${NAMESPACE}`);
  // The thread of this test file, and with it all that it starts, moves; nothing outside the namespace is touched.
  setNetworkNamespace(`/run/netns/${NAMESPACE}`);
  assert.notEqual(networkNamespace(), OUTSIDE);
  mkdirSync(PINS, { recursive: true });
});

beforeEach(() => {
  run('ip link add tsbpf0 type veth peer name tsbpf1');
  ifindex = links().find((link) => link.ifname === 'tsbpf0')!.ifindex;
  ours = loadProbe();
  theirs = loadProbe();
});

afterEach(() => {
  ours[Symbol.dispose]();
  theirs[Symbol.dispose]();
  if (links().some((link) => link.ifname === 'tsbpf0')) run('ip link del tsbpf0');
  assert.deepEqual(openResources(), []);
});

after(() => {
  run(`ip netns del ${NAMESPACE}`);
  rmSync(PINS, { recursive: true, force: true });
});

function runs(object: BpfObject): bigint {
  using memory = object.map('.bss').mmap();
  return new DataView(memory.buffer).getBigUint64(object.locate('runs').offset, true);
}

/** Sends datagrams out of tsbpf0 to a neighbour that is not there. */
async function sendThrough(count: number): Promise<void> {
  run('ip addr add 192.0.2.1/24 dev tsbpf0');
  run('ip link set tsbpf0 up');
  run('ip link set tsbpf1 up');
  run('ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev tsbpf0');
  const socket = createSocket('udp4');
  for (let i = 0; i < count; i++) {
    await new Promise<void>((resolve, reject) => {
      socket.send('x', 9, '192.0.2.2', (error) => (error ? reject(error) : resolve()));
    });
  }
  socket.close();
}

for (const mode of ['tcx', 'clsact'] as const) {
  const skip = mode === 'tcx' && noTcx;

  test(`a program attached by ${mode} sees the packets, and none after it is detached`, {
    skip,
  }, async () => {
    const attachment = attachTc({ program: ours.program('observe'), ifindex, direction: 'egress', mode });
    assert.equal(attachment.kind, mode);
    assert.equal(attachment.isAttached(), true);
    await sendThrough(10);
    const seen = runs(ours);
    assert.ok(seen >= 10n, `${seen} runs`);
    attachment.detach();
    attachment.detach();
    assert.equal(attachment.isAttached(), false);
    assert.equal(hasQdisc(), false);
  });

  test(`an interface that goes away ends its ${mode} attachment without an error`, { skip }, () => {
    const attachment = attachTc({ program: ours.program('observe'), ifindex, direction: 'ingress', mode });
    run('ip link del tsbpf0');
    assert.equal(attachment.isAttached(), false);
    attachment.detach();
  });

  test(`an interface that does not exist is an error of ${mode} that names it`, { skip }, () => {
    const options = { program: ours.program('observe'), ifindex: 99999, direction: 'ingress', mode } as const;
    assert.throws(() => attachTc(options), {
      code: 'BPF_LINK',
      errnoName: 'ENODEV',
      message: /interface 99999/,
    });
  });

  test(`attaching and detaching by ${mode} again and again leaks no descriptor`, { skip }, () => {
    const cycle = (): void => {
      using ingress = attachTc({ program: ours.program('observe'), ifindex, direction: 'ingress', mode });
      using egress = attachTc({ program: ours.program('observe'), ifindex, direction: 'egress', mode });
      assert.ok(ingress.isAttached() && egress.isAttached());
    };
    cycle();
    const count = openDescriptors();
    for (let i = 0; i < 10; i++) cycle();
    assert.equal(openDescriptors(), count);
    assert.equal(hasQdisc(), false);
  });
}

test('without a mode, a kernel that has tcx uses it, and an older one clsact', () => {
  using attachment = attachTc({ program: ours.program('observe'), ifindex, direction: 'ingress' });
  assert.equal(attachment.kind, noTcx ? 'clsact' : 'tcx');
});

if (noTcx) {
  test('tcx on a kernel without it is an error that says which kernel has it', () => {
    const options = { program: ours.program('observe'), ifindex, direction: 'ingress', mode: 'tcx' } as const;
    assert.throws(() => attachTc(options), { code: 'BPF_LINK', minimumKernel: '6.6' });
  });
}

test('a tcx program of someone else stays when ours comes and goes, and both run', {
  skip: noTcx,
}, async () => {
  using foreign = attachTc({ program: theirs.program('observe'), ifindex, direction: 'egress', mode: 'tcx' });
  using own = attachTc({ program: ours.program('observe'), ifindex, direction: 'egress', position: 'first' });
  const before = runs(theirs);
  await sendThrough(5);
  // The stack itself may send something at any time.
  assert.ok(runs(ours) >= 5n);
  assert.ok(runs(theirs) - before >= 5n);
  own.detach();
  assert.equal(foreign.isAttached(), true);
});

test('a clsact filter of someone else, and its qdisc, stay when ours comes and goes', () => {
  theirs.program('stranger').pin(`${PINS}/stranger`);
  run('tc qdisc add dev tsbpf0 clsact');
  run(`tc filter add dev tsbpf0 ingress prio 5 handle 1 bpf da pinned ${PINS}/stranger`);
  const before = filters('ingress');
  const own = attachTc({
    program: ours.program('observe'),
    ifindex,
    direction: 'ingress',
    mode: 'clsact',
    priority: 9,
  });
  assert.match(filters('ingress'), /stranger[\s\S]*observe/);
  own.detach();
  assert.equal(filters('ingress'), before);
  assert.equal(hasQdisc(), true);
  unpin(`${PINS}/stranger`);
});

test('a qdisc of ours stays while someone else has a filter on it, on either side', () => {
  theirs.program('stranger').pin(`${PINS}/stranger`);
  const own = attachTc({ program: ours.program('observe'), ifindex, direction: 'ingress', mode: 'clsact' });
  run(`tc filter add dev tsbpf0 egress prio 5 handle 1 bpf da pinned ${PINS}/stranger`);
  own.detach();
  assert.equal(filters('ingress'), '');
  assert.match(filters('egress'), /stranger/);
  unpin(`${PINS}/stranger`);
});

test('a place that holds a program of another name is refused and left as it is', () => {
  using foreign = attachTc({
    program: theirs.program('stranger'),
    ifindex,
    direction: 'ingress',
    mode: 'clsact',
    handle: 3,
    priority: 3,
  });
  const options = {
    program: ours.program('observe'),
    ifindex,
    direction: 'ingress',
    mode: 'clsact',
    handle: 3,
    priority: 3,
  } as const;
  assert.throws(() => attachTc(options), {
    code: 'BPF_LINK',
    message: /program stranger of someone else; use another/,
  });
  assert.equal(foreign.isAttached(), true);
  assert.equal(hasQdisc(), true);
});

for (const direction of ['ingress', 'egress'] as const) {
  test(`an ingress qdisc, beside which there is no clsact, is an error of ${direction} that says so, and stays`, () => {
    run('tc qdisc add dev tsbpf0 ingress');
    const before = run('tc qdisc show dev tsbpf0');
    assert.throws(() => attachTc({ program: ours.program('observe'), ifindex, direction, mode: 'clsact' }), {
      code: 'BPF_LINK',
      errnoName: 'EEXIST',
      message: /has an ingress qdisc.*tc qdisc del dev IFACE ingress/,
    });
    assert.equal(run('tc qdisc show dev tsbpf0'), before);
    assert.equal(run('tc filter show dev tsbpf0 ingress'), '');
  });
}

test('a filter that someone replaced is not ours any more, and is not taken off', () => {
  const own = attachTc({ program: ours.program('observe'), ifindex, direction: 'ingress', mode: 'clsact' });
  using replacement = attachTc({
    program: theirs.program('observe'),
    ifindex,
    direction: 'ingress',
    mode: 'clsact',
  });
  assert.equal(own.isAttached(), false);
  own.detach();
  assert.equal(replacement.isAttached(), true);
});

async function killedWhileAttached(mode: 'tcx' | 'clsact'): Promise<void> {
  const script = fileURLToPath(new URL('testdata/act.ts', import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [script, 'attach', String(ifindex), mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await Promise.race([
    once(createInterface(child.stdout!), 'line'),
    once(child, 'exit'),
  ])) as [string];
  assert.equal(line, `ready ${mode}`);
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

test('a clsact filter left by a killed process is replaced, not doubled', async () => {
  await killedWhileAttached('clsact');
  assert.match(filters('ingress'), /observe/);
  const own = attachTc({
    program: ours.program('observe'),
    ifindex,
    direction: 'ingress',
    mode: 'clsact',
    handle: 7,
    priority: 700,
  });
  assert.equal(filters('ingress').match(/direct-action/g)?.length, 1);
  assert.equal(own.isAttached(), true);
  own.detach();
  assert.equal(filters('ingress'), '');
  // The qdisc came from another process: it is not ours to remove.
  assert.equal(hasQdisc(), true);
});

test('a tcx link ends with its killed process', { skip: noTcx }, async () => {
  await killedWhileAttached('tcx');
  using own = attachTc({ program: ours.program('observe'), ifindex, direction: 'ingress', mode: 'tcx' });
  assert.equal(own.isAttached(), true);
  assert.equal(filters('ingress'), '');
});

test('a pinned tcx link stays attached when it is closed, and can be taken over', { skip: noTcx }, () => {
  const first = attachTc({ program: ours.program('observe'), ifindex, direction: 'ingress', mode: 'tcx' });
  first.pin(`${PINS}/link`);
  first[Symbol.dispose]();
  const second = openPinnedTc(`${PINS}/link`, { direction: 'ingress' });
  assert.equal(second.ifindex, ifindex);
  assert.equal(second.isAttached(), true);
  second.detach();
  unpin(`${PINS}/link`);
});

test('a namespace that does not exist is an error that names it', () => {
  assert.throws(
    () => setNetworkNamespace('/run/netns/tsbpf-nowhere'),
    (error: unknown) =>
      error instanceof BpfError && error.code === 'BPF_NAMESPACE' && /nowhere/.test(error.message),
  );
  assert.throws(() => setNetworkNamespace('/dev/null'), { code: 'BPF_NAMESPACE', errnoName: 'EINVAL' });
});
