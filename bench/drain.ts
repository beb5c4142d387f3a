/** Drain, decode and aggregation of a million flows in TypeScript against the same in C, as CPU time. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { BpfMap, BpfObject, MapType, updateBatch } from '../src/bpf/index.ts';
import { columnWords, type FlowColumns, KeyTable } from '../src/flow/index.ts';
import { EpochMaps } from '../src/meter/epoch-maps.ts';
import { configureMeter, METER_OBJECT } from '../src/meter/index.ts';
import { Control, FlowCounters, NarrowKey, NarrowRow, RowSource, Shape } from '../src/record/index.ts';
import { Workshop } from './build.ts';
import { type Benchmark, type BenchmarkOptions, type Figure, median, minimum, pairwise } from './figure.ts';

const CHUNK = 65_536;
const STAMPS = { jiffies: 1_000_000n, nowMs: 1e12, tickMs: 4 } as const;

export const drain: Benchmark = {
  name: 'drain',
  method:
    'A million flows in the table: the meter’s own read of a retired epoch from mapped memory into columns, then octets by ' +
    '(outer source, outer destination, VNI). CPU time, user and system, of the whole process (garbage collection included), ' +
    'both sides warm, in interleaved rounds. C does it three times: the same from the same memory; grouping straight from that ' +
    'memory (the least work there is); and as one drains a kernel hash, by batches of 4,096 from a preallocated one: the ' +
    'floor, which is what a C program with libbpf would do.',
  async run({ quick, progress }: BenchmarkOptions): Promise<readonly Figure[]> {
    const flows = quick ? 250_000 : 1_000_000;
    const rounds = quick ? 5 : 15;
    using workshop = new Workshop();
    using object = BpfObject.openFile(METER_OBJECT);
    const sizes = configureMeter(object, { capacities: { narrow: flows }, cachePlaces: 0 });
    object.load();
    using control = object.map('.bss').mmap();
    const words = new BigUint64Array(control.buffer, object.locate('control').offset, Control.size / 8);
    using maps = new EpochMaps(object, words, sizes);
    using hash = BpfMap.create({
      type: MapType.HASH,
      name: 'flows',
      keySize: NarrowKey.size,
      valueSize: FlowCounters.size,
      maxEntries: flows,
    });
    progress(`filling ${flows} flows`);
    fill(object, hash, flows);
    using floor = new Floor(workshop.program('bench/drain.c'), [object.map('narrow_rows'), hash], flows);
    const ours: Sample[] = [];
    const floors = { r: [] as number[], g: [] as number[], h: [] as number[] };
    for (let round = -1; round < rounds; round++) {
      progress(`round ${round + 1} of ${rounds}`);
      const sample = drainOnce(maps);
      for (const command of ['r', 'g', 'h'] as const) {
        const { microseconds, groups, octets } = await floor.run(command);
        const isEqual = groups === sample.groups && octets === sample.octets;
        if (!isEqual)
          throw new Error(
            `drain: C found ${groups} groups, ${octets} octets; we ${sample.groups}, ${sample.octets}`,
          );
        if (round >= 0) floors[command].push(microseconds / 1000);
      }
      if (round >= 0) ours.push(sample);
    }
    return describe(ours, floors, flows);
  },
};

function describe(
  ours: readonly Sample[],
  floors: { readonly r: number[]; readonly g: number[]; readonly h: number[] },
  flows: number,
): Figure[] {
  const total = ours.map((sample) => sample.readMs + sample.groupMs);
  const against = (name: string, values: readonly number[], floor: readonly number[]): Figure => ({
    name,
    unit: 'CPU ms',
    figure: minimum(values),
    median: median(values),
    rounds: values.length,
    floor: minimum(floor),
    ratio: median(pairwise(values, floor, (value, least) => value / least)),
  });
  const size = `${flows / 1000} k flows`;
  return [
    {
      ...against(`${size}: drain, decode, aggregate`, total, floors.h),
      target: { of: 'ratio', atMost: 1.15 },
      note: 'floor: C with libbpf, batch reads of a kernel hash, the same columns and grouping; ratio: median over rounds',
    },
    {
      ...against(`${size}: the same, against the same memory in C`, total, floors.r),
      note: 'floor: C that maps our rows too; what TypeScript costs where no kernel hash does',
    },
    {
      ...against(`${size}: the same, against no columns`, total, floors.g),
      note: 'floor: C grouping straight from the rows, without columns',
    },
    {
      name: `${size}: drain and decode`,
      unit: 'CPU ms',
      figure: minimum(ours.map((sample) => sample.readMs)),
      median: median(ours.map((sample) => sample.readMs)),
      rounds: ours.length,
    },
    {
      name: `${size}: aggregate`,
      unit: 'CPU ms',
      figure: minimum(ours.map((sample) => sample.groupMs)),
      median: median(ours.map((sample) => sample.groupMs)),
      rounds: ours.length,
    },
  ];
}

interface Sample {
  readonly readMs: number;
  readonly groupMs: number;
  readonly groups: number;
  readonly octets: bigint;
}

function drainOnce(maps: EpochMaps): Sample {
  const before = cpuMs();
  const { columns, length } = maps.read(0, STAMPS);
  const between = cpuMs();
  const sums = groupOctets(columns, length);
  return { readMs: between - before, groupMs: cpuMs() - between, ...sums };
}

/** Octets on the wire by outer pair and VNI, in two 32-bit halves per group as the live view sums. */
function groupOctets(columns: FlowColumns, length: number): { groups: number; octets: bigint } {
  const table = new KeyTable(9, 8192);
  const sums = new Float64Array(1 << 16);
  const source = columnWords(columns.outerSource);
  const destination = columnWords(columns.outerDestination);
  const octets = columnWords(columns.wireOctets);
  const { probe } = table;
  for (let row = 0; row < length; row++) {
    const at = 4 * row;
    for (let i = 0; i < 4; i++) {
      probe[i] = source[at + i]!;
      probe[4 + i] = destination[at + i]!;
    }
    probe[8] = columns.tunnelId[row]!;
    const group = table.intern();
    sums[group] = sums[group]! + octets[2 * row]! + octets[2 * row + 1]! * 2 ** 32;
  }
  let total = 0n;
  for (let group = 0; group < table.length; group++) total += BigInt(sums[group]!);
  return { groups: table.length, octets: total };
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** VXLAN flows between 20 × 20 outer hosts and 16 segments, all counters different, as rows of epoch 0 and in a hash. */
function fill(object: BpfObject, map: BpfMap, flows: number): void {
  using mapping = object.map('narrow_rows').mmap();
  const rows = new Uint8Array(mapping.buffer);
  const keys = new Uint8Array(CHUNK * NarrowKey.size);
  const values = new Uint8Array(CHUNK * FlowCounters.size);
  const keyWords = new Uint32Array(keys.buffer);
  const valueWords = new Uint32Array(values.buffer);
  for (let first = 0; first < flows; first += CHUNK) {
    const count = Math.min(CHUNK, flows - first);
    for (let i = 0; i < count; i++) {
      const flow = first + i;
      const key = (i * NarrowKey.size) / 4;
      const value = (i * FlowCounters.size) / 4;
      keyWords.set([4, 100 + (flow % 16), 0, 0, 40_000 | (443 << 16), 6 | (1 << 8) | (0x11 << 16)], key);
      keyWords[key + 6] = 0x0000_000a + ((flow % 20) << 24);
      keyWords[key + 7] = 0x0000_010a + (((flow >> 6) % 20) << 24);
      keyWords[key + 8] = flow;
      keyWords[key + 9] = flow ^ 0x5555_5555;
      valueWords.set(
        [1000 + (flow % 9000), 0, 1 + (flow % 9), 0, 900, 0, flow % 100, 0, 1, 0, 1000, 2000, 1500],
        value,
      );
    }
    for (let i = 0; i < count; i++) {
      const row = (first + i) * NarrowRow.size;
      rows.set(keys.subarray(i * NarrowKey.size, (i + 1) * NarrowKey.size), row);
      rows.set(values.subarray(i * FlowCounters.size, (i + 1) * FlowCounters.size), row + NarrowKey.size);
    }
    if (updateBatch(map, keys, values, count) !== count) throw new Error('drain: the map took not all flows');
  }
  const source = new Uint8Array(RowSource.size);
  new DataView(source.buffer).setUint32(RowSource.offsets.next, flows, true);
  object.map('row_sources').update(new Uint8Array(new Uint32Array([2 * Shape.SHAPE_NARROW]).buffer), source);
}

/** bench/drain.c on the same maps: one command at a time. */
class Floor implements Disposable {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(path: string, maps: readonly BpfMap[], flows: number) {
    this.#child = spawn(path, [String(flows)], {
      stdio: ['pipe', 'pipe', 'inherit', ...maps.map((map) => map.fd)],
    });
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  async run(command: 'r' | 'g' | 'h'): Promise<{ microseconds: number; groups: number; octets: bigint }> {
    this.#child.stdin!.write(command);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('drain: the C program ended');
    const [microseconds, groups, octets] = (value as string).split(' ');
    return { microseconds: Number(microseconds), groups: Number(groups), octets: BigInt(octets!) };
  }

  /** The end of its input ends it. */
  [Symbol.dispose](): void {
    this.#child.stdin!.end();
  }
}
