/** Own cost of the meter per packet, by BPF_PROG_TEST_RUN against programs that do less. */
import { fileURLToPath } from 'node:url';
import { BpfObject, type BpfProgram, testRun } from '../src/bpf/index.ts';
import { EpochMaps } from '../src/meter/epoch-maps.ts';
import { configureMeter, LoadedMeter, METER_OBJECT, portTable } from '../src/meter/index.ts';
import { Control } from '../src/record/gen/meter.ts';
import { writePorts } from '../src/record/index.ts';
import { Workshop } from './build.ts';
import { type Benchmark, type BenchmarkOptions, type Figure, median, minimum, pairwise } from './figure.ts';
import { type Frame, plainFrame, vxlanFrame } from './frame.ts';
import { runPair } from './pair.ts';
import { permutation, uniform, zipf } from './sequence.ts';

const FLOOR_OBJECT: string = fileURLToPath(new URL('../bpf/floor.bpf.o', import.meta.url));
const FLOWS = 100_000;
const OPTIONS = { capacities: { narrow: 131_072, wide: 131_072 } } as const;
const FLOOR_NOTE = 'own cost above an empty program; the floor is the same parser without account';

export const kernel: Benchmark = {
  name: 'kernel',
  method:
    'BPF_PROG_TEST_RUN, interleaved rounds. “figure” is the difference of the minima over all rounds, “median” the middle ' +
    'of the differences round by round, in ns per packet. For many flows one program writes the next flow of a prepared ' +
    'sequence into the packet and meters it, its twin only writes: the difference is the meter’s own cost, cache misses included.',
  async run(options) {
    using workshop = new Workshop();
    const hot = hotFlows(options);
    const pair = await twoCpus(workshop, options);
    const many = [
      ...(await manyFlows(workshop, vxlanFrame(4, 4), options)),
      ...(await manyFlows(workshop, vxlanFrame(6, 6), options)),
    ];
    return [...hot, ...many, ...pair, complexity()];
  },
};

/** What the verifier of this kernel had to walk through; it gives up at a million (BPF_COMPLEXITY_LIMIT_INSNS). */
function complexity(): Figure {
  using meter = LoadedMeter.load();
  const { verifiedInstructions } = meter.ingress.describe();
  const target = { of: 'figure', atMost: 500_000 } as const;
  return {
    name: 'complexity: instructions verified of ts_ingress',
    unit: '',
    figure: verifiedInstructions,
    target,
  };
}

/** Loads an object and fills its table of tunnels' ports with the usual ones. */
function loadWithPorts(object: BpfObject): void {
  object.load();
  using mapping = object.map('.bss').mmap();
  writePorts(portTable(object, mapping), {});
}

/** Runs each program once per round, in an order that rotates; gives ns per packet by program and round. */
function interleave(
  programs: readonly { readonly program: BpfProgram; readonly frame: Frame }[],
  rounds: number,
  repeat: number,
): number[][] {
  const results = programs.map(() => [] as number[]);
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < programs.length; i++) {
      const which = (i + round) % programs.length;
      const { program, frame } = programs[which]!;
      results[which]!.push(testRun(program, { packet: frame.octets, repeat }).durationNs);
    }
  }
  return results;
}

function ownCost(values: readonly number[], floors: readonly number[]): { figure: number; median: number } {
  return {
    figure: minimum(values) - minimum(floors),
    median: median(pairwise(values, floors, (value, floor) => value - floor)),
  };
}

function hotFlows({ quick, progress }: BenchmarkOptions): Figure[] {
  using meter = BpfObject.openFile(METER_OBJECT);
  using floor = BpfObject.openFile(FLOOR_OBJECT);
  configureMeter(meter, OPTIONS);
  loadWithPorts(meter);
  loadWithPorts(floor);
  const programs = [floor.program('floor_empty'), floor.program('floor_parse'), meter.program('ts_ingress')];
  const rounds = quick ? 20 : 100;
  const figures: Figure[] = [];
  for (const frame of [plainFrame(4), plainFrame(6), vxlanFrame(4, 4), vxlanFrame(6, 4), vxlanFrame(6, 6)]) {
    progress(`one hot flow, ${frame.name}`);
    const runs = programs.map((program) => ({ program, frame }));
    interleave(runs, 2, 20_000);
    const [empty, parse, metered] = interleave(runs, rounds, 100_000) as [number[], number[], number[]];
    const own = ownCost(metered, empty);
    const parsing = ownCost(parse, empty);
    figures.push({
      name: `one hot flow, ${frame.name}`,
      unit: 'ns',
      ...own,
      rounds,
      floor: parsing.figure,
      ratio: own.figure / parsing.figure,
      ...(frame.name.startsWith('VXLAN') && { target: { of: 'figure' as const, atMost: 45 } }),
      note: FLOOR_NOTE,
    });
  }
  return figures;
}

/** 100 k flows by zipf and uniform choice, and flows that are all new. */
async function manyFlows(
  workshop: Workshop,
  frame: Frame,
  { quick, progress }: BenchmarkOptions,
): Promise<Figure[]> {
  using object = BpfObject.openFile(workshop.object('bench/flows.bpf.c'));
  object.setConstant('address_at', frame.addressAt);
  object.setConstant('port_at', frame.portAt);
  const sizes = configureMeter(object, OPTIONS);
  loadWithPorts(object);
  using control = object.map('.bss').mmap();
  const words = new BigUint64Array(control.buffer, object.locate('control').offset, Control.size / 8);
  using maps = new EpochMaps(object, words, sizes);
  using mapping = object.map('sequence').mmap();
  const sequence = new BigUint64Array(mapping.buffer, 0, 1 << 20);
  const pair = [
    { program: object.program('flows_rewrite'), frame },
    { program: object.program('flows_meter'), frame },
  ];
  const rounds = quick ? 10 : 60;
  const isTarget = frame.name.startsWith('VXLAN IPv4');
  const figures: Figure[] = [];
  const measure = (name: string, flows: Uint32Array, target: number | undefined): void => {
    progress(`${name}, ${frame.name}`);
    for (let i = 0; i < sequence.length; i++) sequence[i] = BigInt(flows[i % flows.length]!);
    interleave(pair, 1, sequence.length);
    const [rewriting, metered] = interleave(pair, rounds, 200_000) as [number[], number[]];
    figures.push({
      name: `${name}, ${frame.name}`,
      unit: 'ns',
      ...ownCost(metered, rewriting),
      rounds,
      ...(target !== undefined && { target: { of: 'figure', atMost: target } }),
      note: 'above a twin that only writes the next flow into the packet',
    });
  };
  measure('100 k flows, zipf 1.1', zipf(FLOWS, 1.1, sequence.length), isTarget ? 60 : undefined);
  measure('100 k flows, uniform', uniform(FLOWS, sequence.length), undefined);
  progress(`new flows, ${frame.name}`);
  const all = permutation(sequence.length);
  for (let i = 0; i < sequence.length; i++) sequence[i] = BigInt(all[i]!);
  figures.push(await newFlows(maps, pair, { rounds: quick ? 4 : 20, isTarget }));
  return figures;
}

async function newFlows(
  maps: EpochMaps,
  pair: readonly { readonly program: BpfProgram; readonly frame: Frame }[],
  { rounds, isTarget }: { readonly rounds: number; readonly isTarget: boolean },
): Promise<Figure> {
  const [rewrite, meter] = pair as [(typeof pair)[number], (typeof pair)[number]];
  const rewriting: number[] = [];
  const metered: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await empty(maps);
    rewriting.push(testRun(rewrite.program, { packet: rewrite.frame.octets, repeat: FLOWS }).durationNs);
    metered.push(testRun(meter.program, { packet: meter.frame.octets, repeat: FLOWS }).durationNs);
  }
  return {
    name: `a new flow, ${meter.frame.name}`,
    unit: 'ns',
    ...ownCost(metered, rewriting),
    rounds,
    ...(isTarget && { target: { of: 'figure', atMost: 200 } }),
    note: `${FLOWS} flows into an empty map, each seen once`,
  };
}

/** Takes all flows out of both halves. */
async function empty(maps: EpochMaps): Promise<void> {
  for (let half = 0; half < 2; half++) {
    const parity = await maps.flip();
    maps.read(parity, { jiffies: 0n, nowMs: 0, tickMs: 1 });
    maps.clear(parity);
  }
}

async function twoCpus(workshop: Workshop, { quick, progress }: BenchmarkOptions): Promise<Figure[]> {
  using meter = BpfObject.openFile(METER_OBJECT);
  using floor = BpfObject.openFile(FLOOR_OBJECT);
  configureMeter(meter, OPTIONS);
  loadWithPorts(meter);
  loadWithPorts(floor);
  const frame = vxlanFrame(4, 4);
  progress(`two CPUs on one flow, ${frame.name}`);
  const path = workshop.program('bench/pair.c');
  const options = { path, frame, rounds: quick ? 5 : 20, repeat: 200_000 };
  const empty: number[] = [];
  const metered: number[] = [];
  for (let block = 0; block < 4; block++) {
    empty.push(...(await runPair(floor.program('floor_empty'), options)));
    metered.push(...(await runPair(meter.program('ts_ingress'), options)));
  }
  if (empty.length === 0 || metered.length === 0) {
    progress('no round in which both CPUs ran undisturbed: nothing to report');
    return [];
  }
  return [
    {
      name: `two CPUs on one flow, ${frame.name}`,
      unit: 'ns',
      figure: minimum(metered) - minimum(empty),
      median: median(metered) - median(empty),
      rounds: metered.length,
      target: { of: 'figure', atMost: 100 },
      note:
        'per packet of either CPU, threads pinned, above an empty program on both; only rounds in which both ran ' +
        `at the same time for 95 % of it (${metered.length} of ${4 * options.rounds})`,
    },
  ];
}
