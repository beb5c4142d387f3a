import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { after, afterEach, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { FlowBatch } from '../src/flow/index.ts';
import { KEEP, MeterThread, purgeMeter } from '../src/meter/index.ts';
import { PinnedState } from '../src/meter/pinned-state.ts';
import { assertConserved } from './metering.ts';
import { until } from './until.ts';

/* Meters that follow each other: what the kernel counted is read once, however each of them ended. */

const NAMESPACE = 'tspins';
const PEER = 'tspins-peer';
const NAME = 'tspinstest';
const ROOT = '/sys/fs/bpf/tunnelscope/meter';
const METER = fileURLToPath(new URL('./pinned-meter.ts', import.meta.url));
const SENDER = fileURLToPath(new URL('./udp-sender.ts', import.meta.url));

function ip(...words: string[]): string {
  return execFileSync('ip', words, { encoding: 'utf8' });
}

/** A veth whose near end sends to a neighbour that never answers: each datagram passes the egress hook once. */
before(() => {
  for (const name of [NAMESPACE, PEER]) spawnSync('ip', ['netns', 'del', name], { stdio: 'ignore' });
  for (const name of [NAMESPACE, PEER]) {
    ip('netns', 'add', name);
    ip('netns', 'exec', name, 'sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1');
  }
  for (const device of ['eth0', 'eth1'])
    ip('-n', NAMESPACE, 'link', 'add', device, 'type', 'veth', 'peer', 'name', device, 'netns', PEER);
  for (const name of [NAMESPACE, PEER])
    for (const device of ['eth0', 'eth1']) ip('-n', name, 'link', 'set', device, 'up');
  ip('-n', NAMESPACE, 'addr', 'add', '10.9.0.1/24', 'dev', 'eth0');
  ip(
    '-n',
    NAMESPACE,
    'neigh',
    'add',
    '10.9.0.2',
    'lladdr',
    '02:00:00:00:00:02',
    'dev',
    'eth0',
    'nud',
    'permanent',
  );
});
afterEach(async () => {
  await purgeMeter(NAME);
});
after(() => {
  for (const name of [NAMESPACE, PEER]) ip('netns', 'del', name);
});

/** Sends that many datagrams, to ports 7000 and up. */
async function send(count: number): Promise<void> {
  const child = spawn(
    'ip',
    ['netns', 'exec', NAMESPACE, process.execPath, SENDER, '10.9.0.2', '10', String(count)],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const [code] = await once(child, 'close');
  assert.equal(code, 0);
}

/** What such a process says: who it is, then of each epoch. */
interface Line {
  readonly agent: string;
  readonly epoch: number;
  readonly packets: number;
  readonly problem: string;
}

/** A meter in a process of its own that says each epoch it yields, and is told by lines when one is taken. */
class Process implements Disposable {
  readonly child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(words: readonly string[] = [], before: readonly string[] = []) {
    const [command, ...others] = [...before, process.execPath, METER, NAME, NAMESPACE, ...words];
    this.child = spawn(command!, others, {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#lines = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]();
  }

  async line(): Promise<Line> {
    const { value, done } = await this.#lines.next();
    assert.ok(!done, 'the process says something');
    return JSON.parse(value) as Line;
  }

  tell(word: string): void {
    this.child.stdin!.write(`${word}\n`);
  }

  async kill(): Promise<void> {
    const ended = once(this.child, 'close');
    this.child.kill('SIGKILL');
    await ended;
  }

  [Symbol.dispose](): void {
    this.child.kill('SIGKILL');
  }
}

/** Meters until `packets` have been seen; the batches that came. */
async function meter(
  packets: number,
  {
    hook = 'auto',
    known = new Map(),
    reason,
    interfaces = ['eth0'],
    problem,
  }: {
    hook?: 'auto' | 'clsact';
    known?: ReadonlyMap<string, number>;
    reason?: string;
    interfaces?: readonly string[];
    problem?: (error: Error) => void;
  } = {},
): Promise<{ batches: FlowBatch[]; agent: string }> {
  const stopping = new AbortController();
  await using thread = await MeterThread.open(
    {
      interfaces,
      intervalMs: 100,
      flowCapacity: 4096,
      hook,
      namespace: NAMESPACE,
      pins: { name: NAME, label: 'test', known },
    },
    { ...(problem && { problem }) },
  );
  const batches: FlowBatch[] = [];
  for await (const batch of thread.batches({ signal: stopping.signal })) {
    assertConserved(batch);
    batches.push(batch);
    if (sum(batches) >= packets && batch.agent === thread.agent) stopping.abort(reason);
  }
  return { batches, agent: thread.agent };
}

/** Packets of UDP in the records. */
function sum(batches: readonly FlowBatch[]): number {
  let packets = 0;
  for (const { length, columns } of batches)
    for (let row = 0; row < length; row++)
      if (columns.protocol[row] === 17) packets += Number(columns.packets[row]!);
  return packets;
}

const pins = (): string[] => {
  try {
    return readdirSync(`${ROOT}/${NAME}`);
  } catch {
    return [];
  }
};

test('an end in order leaves no pins', async () => {
  const { batches } = await meter(0);
  assert.ok(batches.length > 0);
  assert.deepEqual(pins(), []);
});

for (const hook of ['auto', 'clsact'] as const)
  test(`what a killed meter counted, and what came when there was none, the next one reads (${hook})`, async () => {
    using first = new Process([hook]);
    const { agent } = await first.line();
    await send(1000);
    await first.kill();
    await send(500);
    const { batches } = await meter(1500, { hook });
    assert.equal(sum(batches), 1500);
    const former = batches.filter((batch) => batch.agent === agent);
    assert.equal(sum(former), 1500);
    assert.deepEqual(
      former.map(({ epoch }) => epoch),
      [1],
    );
    assert.ok(former[0]!.endMs <= batches.at(-1)!.startMs);
    assert.deepEqual(pins(), []);
  });

test('an epoch that was yielded and not taken is read again, one that was taken is not', async () => {
  for (const isTaken of [false, true]) {
    using first = new Process(['auto', '50']);
    const { agent } = await first.line();
    await send(100);
    let got = 0;
    let last = 0;
    while (got < 100) {
      const line = await first.line();
      last = line.epoch;
      got += line.packets;
      if (got < 100 || isTaken) first.tell('taken');
    }
    // The next epoch begins only when this one was taken, and its half cleared.
    if (isTaken) await first.line();
    await first.kill();
    const { batches } = await meter(isTaken ? 0 : 1);
    assert.equal(sum(batches) > 0, !isTaken);
    const epochs = batches.filter((batch) => batch.agent === agent).map(({ epoch }) => epoch);
    assert.deepEqual(epochs, isTaken ? [last + 1, last + 2] : [last, last + 1]);
  }
});

test('an epoch that is known to be kept is not read again, though the process was killed before it heard so', async () => {
  using first = new Process(['auto', '50']);
  const { agent } = await first.line();
  const { epoch } = await first.line();
  await send(100);
  await first.kill();
  const { batches } = await meter(100, { known: new Map([[agent, epoch]]) });
  assert.equal(sum(batches), 100);
  const epochs = batches.filter((batch) => batch.agent === agent).map((each) => each.epoch);
  assert.deepEqual(epochs, [epoch + 1]);
});

test('programs that are kept count on for the next meter', async () => {
  const kept = await meter(0, { reason: KEEP });
  assert.ok(pins().includes(kept.agent));
  await send(300);
  const { batches, agent } = await meter(300);
  assert.equal(sum(batches), 300);
  assert.equal(sum(batches.filter((batch) => batch.agent === agent)), 0);
  assert.deepEqual(pins(), []);
});

test('a meter that is killed while it takes over leaves two, and the third reads both', async () => {
  using first = new Process();
  const { agent: a } = await first.line();
  await send(100);
  await first.kill();
  using second = new Process();
  const { agent: b } = await second.line();
  const epoch = await second.line();
  assert.equal(epoch.agent, a);
  await send(200);
  await second.kill();
  const { batches } = await meter(300);
  assert.equal(sum(batches.filter((batch) => batch.agent === a)), 100);
  assert.equal(sum(batches.filter((batch) => batch.agent === b)), 200);
  assert.deepEqual(pins(), []);
});

test('what a former meter attached elsewhere is taken off before its counts are read', async () => {
  using first = new Process(['auto', '100', 'eth1,eth0']);
  await first.line();
  await send(10);
  await first.kill();
  const { batches } = await meter(10, { interfaces: ['eth0'] });
  assert.equal(sum(batches), 10);
  assert.deepEqual(pins(), []);
});

test('from tcx to clsact and back no packet counts twice', async () => {
  using first = new Process(['auto']);
  await first.line();
  await send(10);
  await first.kill();
  const second = await meter(10, { hook: 'clsact', reason: KEEP });
  assert.equal(sum(second.batches), 10);
  await send(20);
  const third = await meter(20);
  assert.equal(sum(third.batches), 20);
  assert.deepEqual(pins(), []);
});

test('a second meter of the same name is refused, and changes nothing', async () => {
  using first = new Process(['auto', '100']);
  await first.line();
  await send(10);
  await assert.rejects(meter(0), { code: 'METER_BUSY' });
  await first.kill();
  const { batches } = await meter(10);
  assert.equal(sum(batches), 10);
});

test('where nothing can be pinned it is told, and metering goes on', async () => {
  // Which mounts a sysfs of its own, without a BPF file system in it.
  using first = new Process(['auto', '50'], ['ip', 'netns', 'exec', NAMESPACE]);
  assert.equal((await first.line()).problem, 'METER_PINS');
  assert.ok((await first.line()).agent);
  await send(10);
  for (let got = 0; got < 10; first.tell('taken')) got += (await first.line()).packets;
});

test('of a former meter of another version it is said how much it saw', async () => {
  using first = new Process();
  const { agent } = await first.line();
  await send(100);
  await first.kill();
  {
    using state = PinnedState.open(`${ROOT}/${NAME}/${agent}/state`)!;
    state.write({ ...state.text!, digest: 'of another version' });
  }
  const { batches } = await meter(0);
  const [former] = batches.filter((batch) => batch.agent === agent);
  const egress = former!.ledger.find(({ direction }) => direction === 1);
  assert.equal(former!.length, 0);
  assert.deepEqual([egress?.reason, egress?.packets], ['history_unread', 100n]);
});

test('what a former meter left and nobody understands is told and goes', async () => {
  using first = new Process();
  const { agent } = await first.line();
  await first.kill();
  {
    using state = PinnedState.open(`${ROOT}/${NAME}/${agent}/state`)!;
    state.write({ ...state.text!, controlAt: -1 });
  }
  const problems: Error[] = [];
  await meter(0, { problem: (error) => problems.push(error) });
  assert.deepEqual(
    problems.map((error) => (error as Error & { code: string }).code),
    ['METER_UNREAD'],
  );
  assert.deepEqual(pins(), []);
});

test('what a former meter left can be taken away unread', async () => {
  using first = new Process();
  await first.line();
  await first.kill();
  assert.ok(pins().length > 0);
  await purgeMeter(NAME);
  await until(() => pins().length === 0, 'all pins are gone');
});
