/** What the host's own sockets know: the kernel's programs against ss, on real connections in namespaces. */
import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { hasBtf, networkNamespace, openResources } from '../src/bpf/index.ts';
import { noTcx } from '../src/bpf/testdata/probe.ts';
import {
  type FlowBatch,
  formatAddress,
  NO_SSTHRESH,
  SOCKET_FIELDS,
  type SocketBatch,
  type SocketFieldName,
} from '../src/flow/index.ts';
import { MeterThread, Sockets } from '../src/meter/index.ts';
import { scaled } from './scale.ts';
import {
  buildPair,
  inodeOf,
  ip,
  PATIENCE_MS,
  removePair,
  type SsLine,
  ssOf,
  TcpEnd,
} from './socket-scene.ts';
import { until } from './until.ts';

const PAIR = ['tssock-a', 'tssock-b'] as const;
const OTHER_PAIR = ['tssock-c', 'tssock-d'] as const;
const [NEAR, FAR] = PAIR;
const skip = hasBtf() ? false : 'this kernel has no BTF of its own';
const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
/** TCP_ESTABLISHED of net/tcp_states.h. */
const ESTABLISHED = 1;

before(() => {
  for (const pair of [PAIR, OTHER_PAIR]) buildPair(pair);
});

after(() => {
  for (const pair of [PAIR, OTHER_PAIR]) removePair(pair);
});

/** One told socket: addresses as text, counters as numbers. */
type Told = Readonly<Record<Exclude<SocketFieldName, 'localAddress' | 'remoteAddress'>, number>> & {
  readonly epoch: number;
  readonly local: string;
  readonly remote: string;
};

function decode({ columns, length }: SocketBatch, epoch: number): Told[] {
  return Array.from({ length }, (_, row) => {
    const told: Record<string, number | string> = {
      epoch,
      local: formatAddress(columns.localAddress, 16 * row),
      remote: formatAddress(columns.remoteAddress, 16 * row),
    };
    for (const name of Object.keys(SOCKET_FIELDS) as SocketFieldName[])
      if (SOCKET_FIELDS[name].bits < 128) told[name] = Number(columns[name][row]);
    return told as Told;
  });
}

/** A meter of a namespace with its sockets; `told` grows by epochs. */
class Watch implements AsyncDisposable {
  readonly told: Told[] = [];
  untold = 0;
  epochs = 0;
  readonly #meter: MeterThread;
  readonly #stopping = new AbortController();
  readonly #reading: Promise<void>;

  constructor(meter: MeterThread) {
    this.#meter = meter;
    this.#reading = this.#read();
  }

  static async open(
    namespace: string,
    options: { sockets?: number; intervalMs?: number } = {},
  ): Promise<Watch> {
    const { sockets = 1000, intervalMs = 100 } = options;
    const meter = await MeterThread.open({
      interfaces: ['eth0'],
      intervalMs,
      flowCapacity: 1024,
      hook: 'auto',
      namespace,
      measure: { sockets },
    });
    return new Watch(meter);
  }

  /** What the next whole epoch tells. */
  async next(): Promise<Told[]> {
    const wanted = this.epochs + 2;
    await until(() => this.epochs >= wanted, 'an epoch more', PATIENCE_MS);
    return this.told.filter(({ epoch }) => epoch === wanted);
  }

  /** Ends the meter: the last epoch is told as well. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#reading;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#meter[Symbol.asyncDispose]();
  }

  async #read(): Promise<void> {
    for await (const batch of this.#meter.batches({ signal: this.#stopping.signal })) this.#take(batch);
  }

  #take({ sockets, epoch }: FlowBatch): void {
    assert.ok(sockets);
    this.told.push(...decode(sockets, epoch));
    this.untold += sockets.untold;
    this.epochs = epoch;
  }
}

/** That a quiet socket was told as ss has it; ss prints times in ms with three digits, and six significant ones. */
function assertAsSs(told: Told, ss: SsLine): void {
  const { ssthresh, unacked, ...same } = ss;
  for (const [name, value] of Object.entries(same)) assert.equal(told[name as keyof SsLine], value, name);
  assert.equal(told.unacked, unacked);
  assert.equal(told.ssthresh, ssthresh ?? NO_SSTHRESH);
}

for (const [family, near, far] of [
  ['IPv4', '10.79.0.1', '10.79.0.2'],
  ['IPv6', 'fd79::1', 'fd79::2'],
] as const) {
  test(`a connection over ${family} that was there before the start is told as ss has it`, {
    skip,
  }, async () => {
    await using server = new TcpEnd(FAR);
    await using client = new TcpEnd(NEAR);
    const port = await server.listen(far);
    const connection = await client.connect(far, port);
    await client.write(connection.number, 300_000);
    await until(() => ssOf(NEAR, connection.port).ackedOctets >= 300_000, 'all is acknowledged');
    await using watch = await Watch.open(NEAR);
    const told = await watch.next();
    const ss = ssOf(NEAR, connection.port);
    assert.deepEqual(
      told.map((each) => [each.local, each.localPort, each.remote, each.remotePort]),
      [[near, connection.port, far, port]],
    );
    assert.ok(ss.srttUs > 0 && ss.cwnd >= 10);
    assertAsSs(told[0]!, ss);
    assert.equal(told[0]!.state, ESTABLISHED);
    assert.equal(told[0]!.isClosed, 0);
    assert.equal(told[0]!.networkNamespace, inodeOf(NEAR));
  });
}

test('an IPv6 socket that serves an IPv4 client has IPv4 addresses', { skip }, async () => {
  await using server = new TcpEnd(NEAR);
  await using client = new TcpEnd(FAR);
  const port = await server.listen('::');
  await using watch = await Watch.open(NEAR);
  const connection = await client.connect('10.79.0.1', port);
  await client.write(connection.number, 5000);
  await until(() => watch.told.some(({ receivedOctets }) => receivedOctets === 5000), 'it is told');
  const { local, localPort, remote, remotePort } = watch.told.at(-1)!;
  assert.deepEqual(
    { local, localPort, remote, remotePort },
    {
      local: '10.79.0.1',
      localPort: port,
      remote: '10.79.0.2',
      remotePort: connection.port,
    },
  );
});

test('after a lossy transfer retransmissions, window and threshold are exactly those of ss', {
  skip: skip || noTcx,
}, async () => {
  await using server = new TcpEnd(FAR);
  await using client = new TcpEnd(NEAR);
  const port = await server.listen('10.79.0.2');
  const connection = await client.connect('10.79.0.2', port);
  await using watch = await Watch.open(NEAR);
  const dropper = spawn(
    process.execPath,
    [fileURLToPath(new URL('dropper.ts', import.meta.url)), FAR, 'eth0'],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  try {
    await once(dropper.stdout, 'data', { signal: AbortSignal.timeout(PATIENCE_MS) });
    await client.write(connection.number, 100_000);
    await until(() => ssOf(NEAR, connection.port).retransmits >= 3, 'segments are sent again');
    const lossy = (await watch.next()).find(({ localPort }) => localPort === connection.port)!;
    assert.ok(lossy.unacked > 0 && lossy.unackedLost > 0 && lossy.retransmits >= 2, JSON.stringify(lossy));
    assert.ok(lossy.cwnd < 10 && lossy.ssthresh < NO_SSTHRESH, JSON.stringify(lossy));
  } finally {
    dropper.stdin.end();
    await once(dropper, 'exit');
  }
  await until(() => ssOf(NEAR, connection.port).ackedOctets >= 100_000, 'all is acknowledged');
  const [told] = await watch.next();
  const ss = ssOf(NEAR, connection.port);
  assert.ok(ss.retransmits >= 3 && ss.retransmittedOctets > 0, JSON.stringify(ss));
  assertAsSs(told!, ss);
});

for (const how of ['end', 'reset'] as const) {
  test(`a connection shorter than an epoch, closed by ${how}, is told once with its last figures`, {
    skip,
  }, async () => {
    await using server = new TcpEnd(FAR);
    await using client = new TcpEnd(NEAR);
    const port = await server.listen('10.79.0.2');
    // Epochs so long that only the end of the meter ends one.
    await using watch = await Watch.open(NEAR, { intervalMs: 60_000 });
    const connection = await client.connect('10.79.0.2', port);
    await client.write(connection.number, 20_000);
    await until(() => ssOf(NEAR, connection.port).ackedOctets >= 20_000, 'all is acknowledged');
    const ss = ssOf(NEAR, connection.port);
    await client.close(connection.number, how);
    await watch.stop();
    const told = watch.told.filter(({ localPort }) => localPort === connection.port);
    assert.equal(told.length, 1, JSON.stringify(told));
    const [last] = told;
    assert.deepEqual([last!.local, last!.remote, last!.remotePort], ['10.79.0.1', '10.79.0.2', port]);
    assert.deepEqual([last!.isClosed, last!.sentOctets, last!.mss], [1, 20_000, ss.mss]);
    assert.ok(last!.srttUs > 0 && last!.minRttUs > 0 && last!.minRttUs <= ss.minRttUs, JSON.stringify(last));
    assert.equal(watch.untold, 0);
  });
}

test('of many short connections each ends exactly once, with all its octets, while epochs follow each other', {
  skip,
}, async () => {
  await using server = new TcpEnd(FAR);
  await using client = new TcpEnd(NEAR);
  const port = await server.listen('10.79.0.2');
  await using watch = await Watch.open(NEAR, { intervalMs: 10 });
  const count = scaled(300, 20);
  const octets = 1000;
  const ports: number[] = [];
  for (let i = 0; i < count; i++) {
    const connection = await client.connect('10.79.0.2', port);
    ports.push(connection.port);
    await client.write(connection.number, octets);
    await client.close(connection.number, 'end');
  }
  await watch.stop();
  assert.equal(watch.untold, 0);
  const closed = watch.told.filter(({ isClosed }) => isClosed === 1);
  const byPort = (a: number, b: number): number => a - b;
  assert.deepEqual(closed.map(({ localPort }) => localPort).sort(byPort), ports.toSorted(byPort));
  assert.deepEqual(new Set(closed.map(({ sentOctets }) => sentOctets)), new Set([octets]));
  assert.ok(new Set(closed.map(({ epoch }) => epoch)).size > 1, 'more than one epoch');
  const last = new Map(closed.map(({ localPort, epoch }) => [localPort, epoch]));
  const seen = new Set<string>();
  for (const { epoch, localPort, isClosed } of watch.told) {
    const key = `${epoch} ${localPort}`;
    assert.ok(!seen.has(key), `${key} is told twice`);
    seen.add(key);
    assert.ok(isClosed === 1 || epoch < last.get(localPort)!, `${key} is open after its end`);
  }
});

test('sockets beyond the capacity are counted, open ones and closed ones', { skip }, async () => {
  await using server = new TcpEnd(FAR);
  await using client = new TcpEnd(NEAR);
  const port = await server.listen('10.79.0.2');
  const count = 60;
  const open = 10;
  await using watch = await Watch.open(NEAR, { sockets: 4, intervalMs: 60_000 });
  for (let i = 0; i < count + open; i++) await client.connect('10.79.0.2', port);
  for (let i = 0; i < count; i++) await client.close(i, 'reset');
  await watch.stop();
  const closed = watch.told.filter(({ isClosed }) => isClosed === 1).length;
  assert.equal(watch.told.length - closed, 4);
  assert.ok(closed >= 4 && closed < count, `${closed} of ${count} told`);
  assert.equal(watch.told.length + watch.untold, count + open);
});

test('of two namespaces with equal addresses only the metered one is told', { skip }, async () => {
  const near: Told[] = [];
  const ports: number[] = [];
  for (const [client, server] of [PAIR, OTHER_PAIR]) {
    await using serving = new TcpEnd(server);
    await using calling = new TcpEnd(client);
    await using watch = await Watch.open(NEAR, { intervalMs: 60_000 });
    const port = await serving.listen('10.79.0.2');
    const closing = await calling.connect('10.79.0.2', port);
    const staying = await calling.connect('10.79.0.2', port);
    await calling.close(closing.number, 'end');
    ports.push(closing.port, staying.port);
    await watch.stop();
    near.push(...watch.told);
  }
  assert.deepEqual(
    near.map(({ localPort, isClosed, networkNamespace }) => [localPort, isClosed, networkNamespace]),
    [
      [ports[0], 1, inodeOf(NEAR)],
      [ports[1], 0, inodeOf(NEAR)],
    ],
  );
});

test('what is not asked for is not loaded, and everything is given back', { skip }, async () => {
  const programs = (): string => ip('netns', 'exec', NEAR, 'bpftool', 'prog', 'show');
  const isLoaded = (): boolean => /ts_socket\b/.test(programs());
  const others = isLoaded();
  const meter = await MeterThread.open({
    interfaces: ['eth0'],
    intervalMs: 100,
    flowCapacity: 64,
    hook: 'auto',
    namespace: NEAR,
  });
  assert.equal(isLoaded(), others);
  await meter[Symbol.asyncDispose]();
  {
    using sockets = Sockets.open(16);
    assert.ok(isLoaded());
    const { columns, length } = sockets.read();
    const inode = Number(/\d+/.exec(networkNamespace())![0]);
    for (let row = 0; row < length; row++) assert.equal(columns.networkNamespace[row], inode);
  }
  assert.deepEqual(openResources(), []);
});

test('measure shows the sockets of its flows, in columns and as JSON', { skip }, async () => {
  await using server = new TcpEnd(FAR);
  await using client = new TcpEnd(NEAR);
  const port = await server.listen('fd79::2');
  const connection = await client.connect('fd79::2', port);
  for (const json of [true, false]) {
    const words = [
      '--netns',
      NEAR,
      '-i',
      'eth0',
      '--direction',
      'egress',
      '--show',
      'goodput,socket',
      '--once',
    ];
    const measuring = spawn(
      process.execPath,
      [CLI, 'measure', ...words, '-t', '2s', ...(json ? ['--json'] : [])],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const printed = text(measuring.stdout);
    const ended = once(measuring, 'exit');
    await once(measuring.stderr, 'data', { signal: AbortSignal.timeout(PATIENCE_MS) });
    await client.write(connection.number, 50_000);
    const [code] = await ended;
    assert.equal(code, 0);
    const ss = ssOf(NEAR, connection.port);
    const lines = (await printed).trim().split('\n');
    const flow = lines.find((line) => line.includes(`:${connection.port}`))!;
    if (json) {
      const { socket } = JSON.parse(flow) as { readonly socket: Readonly<Record<string, unknown>> };
      assert.deepEqual(
        [socket.srttMs, socket.rttvarMs, socket.minRttMs],
        [ss.srttUs / 1000, ss.rttvarUs / 1000, ss.minRttUs / 1000],
      );
      assert.deepEqual(
        [socket.cwnd, socket.mss, socket.retransmits, socket.ssthresh, socket.isClosed],
        [ss.cwnd, ss.mss, ss.retransmits, ss.ssthresh ?? null, false],
      );
    } else {
      assert.match(lines[0]!, /GOODPUT +SRTT +CWND +RETRANS$/);
      assert.match(flow, new RegExp(`[\\d.]+ ms +${ss.cwnd} +${ss.retransmits}$`));
    }
  }
});

test('where the kernel does not tell its types, the error says so and what to do; all else works', {
  skip,
}, () => {
  const measure = (show: string): SpawnSyncReturns<string> => {
    const command = `mount -t tmpfs none /sys/kernel/btf && exec "$0" "$@"`;
    const words = ['measure', '--netns', NEAR, '-i', 'eth0', '--show', show, '--once', '-t', '100ms'];
    return spawnSync('unshare', ['-m', 'sh', '-c', command, process.execPath, CLI, ...words], {
      encoding: 'utf8',
    });
  };
  const failed = measure('socket');
  assert.equal(failed.status, 1);
  assert.match(
    failed.stderr,
    /there is no \/sys\/kernel\/btf\/vmlinux.*Linux 5\.9 or later, built with CONFIG_DEBUG_INFO_BTF/,
  );
  const without = measure('goodput');
  assert.equal(without.status, 0, without.stderr);
});

test('sockets are of single flows: with other groupings measure refuses', () => {
  for (const by of ['tunnel', 'protocol']) {
    const { status, stderr } = spawnSync(process.execPath, [CLI, 'measure', '--by', by, '--show', 'socket'], {
      encoding: 'utf8',
    });
    assert.equal(status, 2);
    assert.match(stderr, /--show.*only with --by flow/);
  }
});
