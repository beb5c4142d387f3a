/**
 * One parser, two targets: the same packets through the programs in the kernel and through the module that reads captures
 * give the same records, octet by octet, and the same ledger.
 *
 * TARGET_PACKETS and FUZZ_PACKETS say how many packets are mutated for both, and for the module alone; SEED repeats a run.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { testRun } from '../src/bpf/index.ts';
import { Capture, type PacketBatch } from '../src/capture/index.ts';
import {
  FIELDS,
  type FieldName,
  type FlowColumns,
  type LedgerLine,
  type SeenLine,
} from '../src/flow/index.ts';
import { LoadedMeter } from '../src/meter/index.ts';
import { ReplayMeter } from '../src/replay/index.ts';
import { packet } from '../src/wire/index.ts';
import { combinations } from './combinations.ts';
import { CORPUS_PORTS, corpusFiles, corpusLacks, readTruth } from './corpus.ts';
import { LONGEST_FRAME, mutatedFrames, randomBits, randomFrames } from './mutation.ts';
import { scaled } from './scale.ts';
import { isCutInIp } from './trial.ts';

const TARGET_PACKETS = Number(process.env.TARGET_PACKETS ?? scaled(1_000_000));
const FUZZ_PACKETS = Number(process.env.FUZZ_PACKETS ?? scaled(500_000));
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 32);

/** Packets of a capture's batch at most, and of an epoch. */
const BATCH_PACKETS = 4096;
const EPOCH_PACKETS = 5 * BATCH_PACKETS;
/** Loopback: where a test run puts a packet. */
const LOOPBACK = 1;

const kernel = LoadedMeter.load({
  ports: CORPUS_PORTS,
  capacities: { narrow: 65_536, wide: 65_536 },
});
after(() => kernel[Symbol.dispose]());
const module = new ReplayMeter({ ports: CORPUS_PORTS });
module.interfaceBase = LOOPBACK;

const NAMES = Object.keys(FIELDS) as FieldName[];
/** The kernel stamps with its own clock. */
const COMPARED = NAMES.filter((name) => name !== 'firstMs' && name !== 'lastMs');
const KEYS = COMPARED.filter((name) => FIELDS[name].key);
const REST = COMPARED.filter((name) => !FIELDS[name].key);

interface Epoch {
  readonly length: number;
  readonly columns: FlowColumns;
  readonly seen: readonly SeenLine[];
  readonly ledger: readonly LedgerLine[];
}

/** Packets one behind the other, as the batches of a capture have them. */
class Pile {
  readonly batch = {
    octets: new Uint8Array(BATCH_PACKETS * LONGEST_FRAME),
    count: 0,
    before: 0,
    offsets: new Uint32Array(BATCH_PACKETS),
    capturedLengths: new Uint32Array(BATCH_PACKETS),
    originalLengths: new Uint32Array(BATCH_PACKETS),
    seconds: new Float64Array(BATCH_PACKETS),
    nanoseconds: new Uint32Array(BATCH_PACKETS),
    interfaces: new Uint16Array(BATCH_PACKETS),
    linkTypes: new Uint16Array(BATCH_PACKETS),
  } satisfies PacketBatch;
  #end = 0;

  add(frame: Uint8Array, linkType = 1, originalLength: number = frame.length): void {
    const { batch } = this;
    const row = batch.count++;
    batch.octets.set(frame, this.#end);
    batch.offsets[row] = this.#end;
    batch.capturedLengths[row] = frame.length;
    batch.originalLengths[row] = originalLength;
    // The kernel's clock: pieces of packets that come too late count as strangers in both.
    batch.seconds[row] = Number(process.hrtime.bigint() / 1_000_000_000n);
    batch.linkTypes[row] = linkType;
    this.#end += frame.length;
    if (batch.count === BATCH_PACKETS) this.empty();
  }

  /** Gives what there is to the module. */
  empty(): void {
    const { batch } = this;
    module.load(batch);
    assert.equal(module.run(0, batch.count), batch.count);
    batch.count = 0;
    this.#end = 0;
  }
}

const pile = new Pile();

/** Runs packets in both. @returns what each holds of them */
async function runBoth(frames: readonly Uint8Array[]): Promise<{ inKernel: Epoch; inModule: Epoch }> {
  for (const frame of frames) {
    const { retval } = testRun(kernel.ingress, { packet: frame });
    if (retval !== 0xffff_ffff) assert.fail(`the program returned ${retval}`);
    pile.add(frame);
  }
  pile.empty();
  const parity = await kernel.flip();
  const inKernel = kernel.read(parity, Date.now());
  kernel.clear(parity);
  return { inKernel, inModule: module.drain() };
}

/** The octets of some columns, row by row. */
function rowsOf(columns: FlowColumns, length: number, names: readonly FieldName[]): string[] {
  const size = names.reduce((sum, name) => sum + FIELDS[name].bits / 8, 0);
  const rows = Buffer.alloc(size * length);
  let to = 0;
  for (const name of names) {
    const octets = FIELDS[name].bits / 8;
    const { buffer, byteOffset } = columns[name];
    const column = new Uint8Array(buffer, byteOffset, octets * length);
    for (let row = 0; row < length; row++)
      for (let i = 0; i < octets; i++) rows[row * size + to + i] = column[row * octets + i]!;
    to += octets;
  }
  return Array.from({ length }, (_, row) => rows.toString('latin1', row * size, (row + 1) * size));
}

/** All that an epoch says, sorted. */
function linesOf({ columns, length, ledger, seen }: Epoch): string[] {
  const keys = rowsOf(columns, length, KEYS);
  const rest = rowsOf(columns, length, REST);
  assert.equal(new Set(keys).size, length, 'each flow has one record');
  const point = ({ ifindex, direction }: SeenLine | LedgerLine): string => `${ifindex} ${direction}`;
  return [
    ...keys.map((key, row) => `record ${key} ${rest[row]}`),
    ...seen.map((line) => `seen ${point(line)} ${line.packets} ${line.octets}`),
    ...ledger.map((l) => `ledger ${point(l)} ${l.reason} ${l.level} ${l.packets} ${l.octets}`),
  ].sort();
}

/** The first packet that gives two answers; `undefined` when both agree on all. */
async function disagreement(frames: readonly Uint8Array[]): Promise<string | undefined> {
  const { inKernel, inModule } = await runBoth(frames);
  // Both ran: each saw every packet, on its own count.
  for (const { seen } of [inKernel, inModule])
    assert.deepEqual(
      seen.map(({ ifindex, packets }) => [ifindex, Number(packets)]),
      frames.length > 0 ? [[LOOPBACK, frames.length]] : [],
    );
  const ours = linesOf(inModule);
  const theirs = linesOf(inKernel);
  if (ours.length === theirs.length && ours.every((line, i) => line === theirs[i])) return undefined;
  if (frames.length === 1) return `${Buffer.from(frames[0]!).toString('hex')}`;
  const half = frames.length >> 1;
  return (
    (await disagreement(frames.slice(0, half))) ??
    (await disagreement(frames.slice(half))) ??
    `only together: ${frames.length} packets`
  );
}

/** Gives packets to both, epoch by epoch. @returns how many ran: what test runs refuse is left out */
async function compare(frames: Iterable<Uint8Array>): Promise<number> {
  let ran = 0;
  let epoch: Uint8Array[] = [];
  const settle = async (): Promise<void> => {
    assert.equal(await disagreement(epoch), undefined);
    ran += epoch.length;
    epoch = [];
  };
  for (const frame of frames) {
    if (frame.length < 14 || isCutInIp(frame)) continue;
    epoch.push(frame.slice());
    if (epoch.length === EPOCH_PACKETS) await settle();
  }
  await settle();
  return ran;
}

function* repeated(count: number, next: () => Uint8Array): Generator<Uint8Array> {
  for (let i = 0; i < count; i++) yield next();
}

const built = combinations().map(({ packet }) => packet.build());

test('every combination of headers gives the same record in the kernel and in the module', async (t) => {
  const ran = await compare(built);
  t.diagnostic(`${ran} packets of ${built.length}`);
  assert.ok(ran > 0.99 * built.length);
});

test('every combination, cut somewhere, gives the same in both', async (t) => {
  const random = randomBits(seed);
  const cut = built.flatMap((frame) =>
    Array.from({ length: scaled(4) }, () =>
      frame.subarray(0, 14 + (random() % Math.max(1, frame.length - 14))),
    ),
  );
  t.diagnostic(`${await compare(cut)} packets`);
});

test(`random and mutated packets give the same in both (SEED=${seed})`, async (t) => {
  const random = randomBits(seed ^ 0x5bd1_e995);
  const few = await compare(repeated(Math.ceil(TARGET_PACKETS / 10), randomFrames(random)));
  const many = await compare(repeated(TARGET_PACKETS, mutatedFrames(random, built)));
  t.diagnostic(`${few} random packets, ${many} mutated ones`);
  assert.ok(many > 0.8 * TARGET_PACKETS);
});

test(`pieces of more packets than are remembered, in any order, join alike in both (SEED=${seed})`, async (t) => {
  const random = randomBits(seed ^ 0x27d4_eb2f);
  const ports = [53, 4500, 4789, 6081];
  const piece = (): Uint8Array => {
    const identification = random() % 2048;
    const beginning = random() % 8 === 0 ? packet().eth().ipv4().gre({ key: 9 }) : packet().eth();
    const source = `10.9.0.${1 + (random() % 4)}`;
    if (random() & 1)
      return beginning.ipv4({ source, identification, offset: 64, protocol: 17 }).payload(40).build();
    // What begins so is ESP on its port, and no VXLAN or Geneve on theirs.
    const octets = Uint8Array.of(0xc0, 0, 0, identification >> 2, 0, 0, 0, 1);
    return beginning
      .ipv4({ source, identification, more: true })
      .udp({ sourcePort: 1024 + identification, destinationPort: ports[identification % 4]! })
      .payload(octets)
      .build();
  };
  const ran = await compare(repeated(scaled(100_000), piece));
  t.diagnostic(`${ran} pieces`);
});

test('every frame of the corpus gives the same in both', async (t) => {
  const lacks = corpusLacks();
  if (lacks) return t.skip(lacks);
  const frames: Uint8Array[] = [];
  for (const name of corpusFiles()) {
    await using capture = await Capture.open(readTruth(name).path);
    for await (const { count, octets, offsets, capturedLengths, linkTypes } of capture)
      for (let row = 0; row < count; row++)
        if (linkTypes[row] === 1 && capturedLengths[row]! <= LONGEST_FRAME)
          frames.push(octets.slice(offsets[row]!, offsets[row]! + capturedLengths[row]!));
  }
  t.diagnostic(`${await compare(frames)} packets`);
});

test(`mutated packets of every link type leave the module sound (SEED=${seed})`, (t) => {
  const random = randomBits(seed ^ 0x1b87_3593);
  const types = [0, 1, 1, 1, 1, 1, 101, 105, 108, 113, 228, 229, 276];
  const mutated = mutatedFrames(random, built);
  let explained = 0n;
  let flows = 0;
  let octets = 0n;
  let given = 0n;
  const reasons = new Map<string, bigint>();
  const settle = (): void => {
    pile.empty();
    const epoch = module.drain();
    const sum = (column: BigUint64Array): bigint => column.reduce((all, each) => all + each, 0n);
    const records = { packets: sum(epoch.columns.packets), octets: sum(epoch.columns.octets) };
    for (const { reason, packets, octets: lost } of epoch.ledger) {
      reasons.set(reason, (reasons.get(reason) ?? 0n) + packets);
      records.packets += packets;
      records.octets += lost;
    }
    assert.deepEqual(
      records,
      epoch.seen.reduce(
        (all, line) => ({ packets: all.packets + line.packets, octets: all.octets + line.octets }),
        { packets: 0n, octets: 0n },
      ),
    );
    flows += epoch.length;
    explained += records.packets;
    octets += records.octets;
  };
  for (let i = 1; i <= FUZZ_PACKETS; i++) {
    const frame = mutated();
    const type = types[random() % types.length]!;
    // Headers of other links stand where Ethernet's did, or in front of it.
    const from = type === 1 || random() & 1 ? 0 : Math.min(14, frame.length);
    const packet = frame.subarray(
      from,
      random() % 16 === 0 ? from + (random() % (frame.length - from + 1)) : undefined,
    );
    const original =
      random() % 4 === 0
        ? packet.length + (random() % 3 === 0 ? random() >>> 1 : random() % 2000)
        : packet.length;
    given += BigInt(original);
    pile.add(packet, type, original);
    if (i % (50 * BATCH_PACKETS) === 0) settle();
  }
  settle();
  assert.deepEqual([explained, octets], [BigInt(FUZZ_PACKETS), given]);
  const said = [...reasons]
    .sort(([, a], [, b]) => Number(b - a))
    .map(([reason, packets]) => `${reason} ${packets}`);
  t.diagnostic(`${FUZZ_PACKETS} packets, ${flows} records; ${said.join(', ')}`);
});
