/** What each measurement adds to the meter's cost per packet, alone and with all others. */
import { BpfObject, type BpfProgram, testRun } from '../src/bpf/index.ts';
import { DEFAULT_MEASURE, type Measurable, type MeasureOptions } from '../src/flow/index.ts';
import { BiflowTable } from '../src/meter/biflow-table.ts';
import { configureMeter, portTable } from '../src/meter/index.ts';
import { writePorts } from '../src/record/index.ts';
import { Workshop } from './build.ts';
import { type Benchmark, type Figure, median, minimum, pairwise } from './figure.ts';
import { type Frame, udpFrame, vxlanFrame } from './frame.ts';

/** Payload octets of the frames. */
const PAYLOAD = 64;

interface Case {
  readonly name: string;
  readonly measurements: readonly Measurable[];
  readonly frame: Frame;
}

const UDP = udpFrame();
const TCP = vxlanFrame(4, 4);

const CASES: readonly Case[] = [
  { name: 'nothing, UDP', measurements: [], frame: UDP },
  { name: 'connections, UDP', measurements: ['connections'], frame: UDP },
  { name: 'arrivals, UDP', measurements: ['arrivals'], frame: UDP },
  { name: 'sequence at an offset, UDP', measurements: ['sequence'], frame: UDP },
  { name: 'all, UDP', measurements: ['connections', 'arrivals', 'sequence', 'tcp'], frame: UDP },
  { name: 'nothing, TCP', measurements: [], frame: TCP },
  { name: 'connections, TCP', measurements: ['connections'], frame: TCP },
  { name: 'tcp, TCP', measurements: ['tcp'], frame: TCP },
  { name: 'all, TCP', measurements: ['connections', 'arrivals', 'sequence', 'tcp'], frame: TCP },
];

/** Every UDP packet has its number at the beginning of its payload. */
const SEQUENCE: MeasureOptions['sequence'] = {
  ...DEFAULT_MEASURE.sequence,
  udp: [{ firstPort: 0, lastPort: 65_535, form: 'offset' }],
};

export const measure: Benchmark = {
  name: 'measure',
  method:
    'BPF_PROG_TEST_RUN of one flow in VXLAN whose numbers go on, interleaved rounds: the difference of the minima to a twin ' +
    'that only writes the number, in ns per packet. The floor is the same meter with nothing measured; “figure” minus ' +
    '“floor” is what the measurement adds.',
  run({ quick, progress }) {
    using workshop = new Workshop();
    using stack = new DisposableStack();
    const source = workshop.object('bench/numbers.bpf.c');
    const runs = CASES.map((each) => {
      progress(`loading: ${each.name}`);
      return load(stack, source, each);
    });
    const rounds = quick ? 10 : 60;
    const repeat = quick ? 20_000 : 100_000;
    progress(`${rounds} rounds`);
    const times = interleave(runs, rounds, repeat);
    const own = times.map(({ bare, metered }) => ({
      figure: minimum(metered) - minimum(bare),
      median: median(pairwise(metered, bare, (value, floor) => value - floor)),
    }));
    return Promise.resolve(
      CASES.map(({ name, frame }, i): Figure => {
        const nothing = CASES.findIndex((each) => each.frame === frame && each.measurements.length === 0);
        const floor = own[nothing]!.figure;
        const { figure, median: middle } = own[i]!;
        return { name, unit: 'ns', figure, median: middle, rounds, floor, ratio: figure / floor };
      }),
    );
  },
};

interface Run {
  readonly rewrite: BpfProgram;
  readonly meter: BpfProgram;
  readonly frame: Frame;
}

/** An object of its own for each case: what is measured is fixed when it is loaded. */
function load(stack: DisposableStack, source: string, { measurements, frame }: Case): Run {
  const object = stack.use(BpfObject.openFile(source));
  const options: MeasureOptions = { ...DEFAULT_MEASURE, measurements, sequence: SEQUENCE };
  configureMeter(object, { measure: options });
  const isTcp = frame === TCP;
  object.setConstant('number_at', isTcp ? frame.portAt + 4 : frame.portAt + 8);
  object.setConstant('number_step', isTcp ? PAYLOAD : 1);
  object.load();
  const mapping = stack.use(object.map('.bss').mmap());
  writePorts(portTable(object, mapping), {});
  if (measurements.length > 0) stack.use(new BiflowTable(object, mapping, options));
  return { rewrite: object.program('numbers_rewrite'), meter: object.program('numbers_meter'), frame };
}

/** Both programs of each run once per round, in an order that rotates. */
function interleave(
  runs: readonly Run[],
  rounds: number,
  repeat: number,
): { readonly bare: number[]; readonly metered: number[] }[] {
  const times = runs.map(() => ({ bare: [] as number[], metered: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < runs.length; i++) {
      const which = (i + round) % runs.length;
      const { rewrite, meter, frame } = runs[which]!;
      times[which]!.bare.push(testRun(rewrite, { packet: frame.octets, repeat }).durationNs);
      times[which]!.metered.push(testRun(meter, { packet: frame.octets, repeat }).durationNs);
    }
  }
  return times;
}
