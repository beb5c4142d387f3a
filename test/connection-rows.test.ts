/** Captures with more connections than are followed at a time: rows of those that are over are used again. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { FlowBatch } from '../src/flow/index.ts';
import { type Connection, connectionOf } from '../src/measure/index.ts';
import { CaptureSource, type CaptureSourceOptions } from '../src/replay/index.ts';
import { packet, writePcap } from '../src/wire/index.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-rows-'));
after(() => rmSync(directory, { recursive: true }));

const [FIN, SYN, ACK] = [1, 2, 16];
const COUNT = 10_000;
const CAPACITY = 64;
const BEGIN_NS = 1_700_000_000_000_000_000n;
const MS = 1_000_000n;

interface Sent {
  readonly octets: Uint8Array;
  readonly timeNs: bigint;
}

/** Who connection `i` is between. */
function endsOf(i: number): { source: string; sourcePort: number } {
  return { source: `10.0.${i >> 12}.${1 + ((i >> 8) % 16)}`, sourcePort: 20_000 + (i % 256) };
}

/** A whole connection: four segments there, three back, a tenth of `lastsMs` apart. */
function connection(i: number, beginNs: bigint, lastsMs: number): Sent[] {
  const { source, sourcePort } = endsOf(i);
  const steps = [
    { flags: SYN, sequence: 100, acknowledgment: 0, payload: 0 },
    { back: true, flags: SYN | ACK, sequence: 900, acknowledgment: 101, payload: 0 },
    { flags: ACK, sequence: 101, acknowledgment: 901, payload: 10 },
    { back: true, flags: ACK, sequence: 901, acknowledgment: 111, payload: 30 },
    { flags: FIN | ACK, sequence: 111, acknowledgment: 931, payload: 0 },
    { back: true, flags: FIN | ACK, sequence: 931, acknowledgment: 112, payload: 0 },
    { flags: ACK, sequence: 112, acknowledgment: 932, payload: 0 },
  ];
  return steps.map(({ back, payload, ...tcp }, step) => {
    const [from, to] = back ? ['10.1.0.1', source] : [source, '10.1.0.1'];
    const ports = back
      ? { sourcePort: 80, destinationPort: sourcePort }
      : { sourcePort, destinationPort: 80 };
    const octets = packet()
      .eth()
      .ipv4({ source: from, destination: to })
      .tcp({ ...ports, ...tcp })
      .payload(payload)
      .build();
    return { octets, timeNs: beginNs + (BigInt(step * lastsMs) * MS) / 10n };
  });
}

/** Connections one after the other, a millisecond apart; about 18 are open at a time. */
const PACKETS: readonly Sent[] = Array.from({ length: COUNT }, (_, i) =>
  connection(i, BEGIN_NS + BigInt(i) * MS, 30),
)
  .flat()
  .toSorted((a, b) => Number(a.timeNs - b.timeNs));

function write(name: string, packets: readonly Sent[]): string {
  const path = join(directory, name);
  writeFileSync(path, writePcap(packets, { nanoseconds: true }));
  return path;
}

async function batchesOf(options: CaptureSourceOptions): Promise<FlowBatch[]> {
  const source = new CaptureSource(options);
  const batches: FlowBatch[] = [];
  for await (const batch of source.batches({ signal: AbortSignal.timeout(60_000) }))
    batches.push(structuredClone(batch));
  assert.deepEqual(source.errors, []);
  return batches;
}

function connectionsOf(batches: readonly FlowBatch[]): Connection[] {
  return batches.flatMap(({ measurements }) =>
    Array.from({ length: measurements!.connections.length }, (_, row) =>
      connectionOf(measurements!.connections, row),
    ),
  );
}

/** All of them, each once and whole. */
function assertWhole(
  told: readonly Pick<Connection, 'source' | 'packets' | 'answerPackets' | 'close'>[],
): void {
  const wanted = Array.from({ length: COUNT }, (_, i) => {
    const { source, sourcePort } = endsOf(i);
    return `${source}:${sourcePort} 4 3 finished`;
  });
  const found = told.map(
    ({ source, packets, answerPackets, close }) => `${source} ${packets} ${answerPackets} ${close}`,
  );
  assert.deepEqual(found.toSorted(), wanted.toSorted());
}

test('10,000 connections with 64 rows are told once each, and whole', async () => {
  const paths = [write('many.pcap', PACKETS)];
  const measure = { measurements: ['arrivals', 'tcp'], capacity: CAPACITY } as const;
  const batches = await batchesOf({ paths, measure });
  assertWhole(connectionsOf(batches));
  let [unmeasured, records, packets, payload, gaps, segments] = [0, 0, 0, 0, 0, 0];
  for (const { measurements } of batches) {
    const { flows, length, arrivals, tcp, unmeasuredPackets } = measurements!;
    unmeasured += unmeasuredPackets;
    records += length;
    for (let row = 0; row < length; row++) {
      packets += Number(flows.wirePackets[row]!);
      payload += Number(flows.payloadOctets[row]!);
      gaps += arrivals!.gaps[row]!;
      segments += tcp!.segments[row]!;
    }
  }
  // Whoever takes a row over inherits nothing: 3 and 2 inter-arrival times, 3 and 3 segments that mean something.
  assert.deepEqual(
    { unmeasured, records, packets, payload, gaps, segments },
    {
      unmeasured: 0,
      records: 2 * COUNT,
      packets: 7 * COUNT,
      payload: 40 * COUNT,
      gaps: 5 * COUNT,
      segments: 6 * COUNT,
    },
  );
});

test('flow records stay those of the epoch, whatever is told in its middle', async () => {
  const paths = [write('many.pcap', PACKETS)];
  const batches = await batchesOf({ paths, measure: { measurements: ['connections'], capacity: CAPACITY } });
  const [plain] = await batchesOf({ paths });
  assert.ok(batches.length > 10, `${batches.length} batches`);
  assert.ok(batches.slice(0, -1).every(({ length, seen }) => length === 0 && seen.length === 0));
  const last = batches.at(-1)!;
  assert.equal(last.length, plain!.length);
  assert.deepEqual([last.seen, last.ledger], [plain!.seen, plain!.ledger]);
  assert.deepEqual(last.columns.wireOctets, plain!.columns.wireOctets);
  assert.deepEqual([last.startMs, last.endMs], [plain!.startMs, plain!.endMs]);
});

test('with periods a connection that is over is told as ended, and its row is free', async () => {
  // Those that were closed linger for two seconds: 5 a second need no more rows than these.
  const packets = Array.from({ length: 300 }, (_, i) =>
    connection(i, BEGIN_NS + 200n * BigInt(i) * MS, 30),
  ).flat();
  const measure = { measurements: ['connections'], capacity: 24 } as const;
  const batches = await batchesOf({ paths: [write('slow.pcap', packets)], windowMs: 1000, measure });
  const told = connectionsOf(batches);
  const ended = told.filter(({ isEnded }) => isEnded);
  assert.ok(ended.length > 280, `${ended.length} of 300 ended`);
  assert.equal(new Set(ended.map(({ source }) => source)).size, ended.length, 'nobody ends twice');
  assert.ok(told.every(({ packets, answerPackets }) => packets === 4 && answerPackets === 3));
  assert.ok(batches.every(({ measurements }) => measurements!.unmeasuredPackets === 0));
});

test('flows that fell silent make room; those that go on keep their row and are told at the end', async () => {
  const udp = (port: number): Uint8Array =>
    packet()
      .eth()
      .ipv4({ source: '10.2.0.1', destination: '10.2.0.2' })
      .udp({ sourcePort: port, destinationPort: 9 })
      .payload(20)
      .build();
  // One goes on all the time, a packet a second; each second another one says two words and no more.
  const packets = Array.from({ length: 600 }, (_, i) => {
    const timeNs = BEGIN_NS + BigInt(i) * 1000n * MS;
    return [
      { octets: udp(1000), timeNs },
      { octets: udp(2000 + i), timeNs: timeNs + MS },
      { octets: udp(2000 + i), timeNs: timeNs + 2n * MS },
    ];
  }).flat();
  const measure = { measurements: ['arrivals'], capacity: CAPACITY } as const;
  const batches = await batchesOf({ paths: [write('silent.pcap', packets)], measure });
  const told = connectionsOf(batches);
  assert.equal(told.length, 601);
  assert.equal(new Set(told.map(({ source }) => source)).size, 601);
  assert.equal(told.find(({ source }) => source === '10.2.0.1:1000')!.packets, 600);
  assert.ok(batches.every(({ measurements }) => measurements!.unmeasuredPackets === 0));
});

test('in a crowded index nobody loses the way to a row because others left theirs', async () => {
  // Each says a word, and another one a second later; by then rows were given back a dozen times, in any order of keys.
  const flows = 24_000;
  const word = (i: number, timeNs: bigint): Sent => ({
    octets: packet()
      .eth()
      .ipv4({ source: `10.3.${i >> 8}.${i & 255}`, destination: '10.3.255.1' })
      .udp({ sourcePort: 5000, destinationPort: 9 })
      .payload(10)
      .build(),
    timeNs,
  });
  const packets = Array.from({ length: flows + 1000 }, (_, ms) => {
    const timeNs = BEGIN_NS + BigInt(ms) * MS;
    return [...(ms < flows ? [word(ms, timeNs)] : []), ...(ms >= 1000 ? [word(ms - 1000, timeNs)] : [])];
  }).flat();
  const idleMs = { tcp: 2000, udp: 2000, other: 2000 };
  // Of 16,384 places nearly half are taken.
  const measure = { measurements: ['connections'], capacity: 8000, idleMs } as const;
  const told = connectionsOf(await batchesOf({ paths: [write('crowded.pcap', packets)], measure }));
  assert.equal(told.length, flows);
  assert.ok(told.every(({ packets }) => packets === 2));
});

test('rows of a file are free for the next one', async () => {
  const paths = [0, 1, 2].map((file) =>
    write(
      `file-${file}.pcap`,
      Array.from({ length: 60 }, (_, i) => connection(i, BEGIN_NS + BigInt(i) * MS, 3000))
        .flat()
        .slice(0, 200),
    ),
  );
  const batches = await batchesOf({ paths, measure: { measurements: ['connections'], capacity: 60 } });
  assert.equal(batches.length, 3);
  assert.ok(batches.every(({ measurements }) => measurements!.unmeasuredPackets === 0));
});

test('read --connections --json tells 10,000 connections once each', () => {
  const path = write('many.pcap', PACKETS);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [CLI, 'read', '--connections', '--json', path],
    { encoding: 'utf8', timeout: 120_000, maxBuffer: 64 << 20 },
  );
  assert.equal(status, 0, stderr);
  const lines = stdout.trim().split('\n');
  assertWhole(lines.map((line) => JSON.parse(line) as Connection));
});
