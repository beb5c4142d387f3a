/** What rules cost: a packet whose flow is known, one to be decided about, and the rules themselves until they rule. */
import { BpfObject, type BpfProgram, testRun } from '../src/bpf/index.ts';
import { EpochMaps, parityOf } from '../src/meter/epoch-maps.ts';
import { configureMeter, portTable } from '../src/meter/index.ts';
import { ruleLines } from '../src/meter/rule-lines.ts';
import { Rules } from '../src/meter/rules.ts';
import { classify, readRules } from '../src/query/index.ts';
import { Control } from '../src/record/gen/meter.ts';
import { writePorts } from '../src/record/index.ts';
import { Workshop } from './build.ts';
import { type Benchmark, type BenchmarkOptions, type Figure, median, minimum, pairwise } from './figure.ts';
import { type Frame, vxlanFrame } from './frame.ts';
import { generator, permutation, zipf } from './sequence.ts';

const FLOWS = 100_000;
const SIZES = { capacities: { narrow: 1_048_576, wide: 16 } } as const;

/** Rules of five fields as an operator may have them: hosts, networks, ports, ranges, protocols; for `hosts` in 10.0.0.0/8. */
function rulesOf(count: number, last: string): string {
  const random = generator(4);
  const below = (bound: number): number => Math.floor(random() * bound);
  const host = (): string => `10.${below(256)}.${below(256)}.${below(256)}`;
  const lines = Array.from({ length: count - 1 }, () => {
    const source = below(4) > 0 ? host() : below(2) > 0 ? `${host()}/${16 + below(9)}` : '-';
    const destination = below(3) > 0 ? host() : '-';
    const sourcePort = below(5) > 0 ? '-' : String(1024 + below(60_000));
    const port = below(3) > 0 ? String(1 + below(2000)) : `${1000 + below(2000)}-${5000 + below(9000)}`;
    return [source, destination, sourcePort, port, ['TCP', 'UDP', 'SCTP'][below(3)]].join(' ');
  });
  return [...lines, last].join('\n');
}

/** Fits all packets of the benchmark, or none. */
const KEPT = 'vni >= 1 and src in 10.0.0.0/8';
const EXCLUDED = 'vni >= 1 and src in 11.0.0.0/8';

export const rules: Benchmark = {
  name: 'rules',
  method:
    'BPF_PROG_TEST_RUN as in the benchmark “kernel”: “figure” is what the meter costs above a twin that only writes the next ' +
    'flow into the packet, ns per packet, the difference of the minima over all rounds; “median” of the differences round by ' +
    'round. VXLAN over IPv4, IPv4 inside. The rows without rules are to compare with.',
  async run(options) {
    using workshop = new Workshop();
    const frame = vxlanFrame(4, 4);
    using scene = Scene.open(workshop, frame);
    const figures: Figure[] = [loading(options)];
    for (const [name, text] of [
      ['no rules', undefined],
      ['10 rules', rulesOf(10, KEPT)],
      ['10 k rules', rulesOf(10_000, KEPT)],
      ['10 rules, all excluded', rulesOf(10, EXCLUDED)],
      ['10 k rules, all excluded', rulesOf(10_000, EXCLUDED)],
    ] as const) {
      await scene.rule(text);
      figures.push(...(await scene.measure(name, options)));
    }
    return figures;
  },
};

/** From text to what the kernel reads, in a process that has not done it before. */
function loading({ progress }: BenchmarkOptions): Figure {
  progress('reading and classifying 10 k rules');
  const text = rulesOf(10_000, KEPT);
  const begun = performance.now();
  classify(readRules(text, 'rules'), []);
  return {
    name: '10 k rules, read and classified',
    unit: 'ms',
    figure: performance.now() - begun,
    target: { of: 'figure', atMost: 1000 },
    note: 'once, cold',
  };
}

/** The meter with a sequence of flows, and its twin. */
class Scene implements Disposable {
  readonly #resources: DisposableStack;
  readonly #object: BpfObject;
  readonly #maps: EpochMaps;
  readonly #rules: Rules;
  readonly #sequence: BigUint64Array;
  readonly #frame: Frame;

  private constructor(
    resources: DisposableStack,
    object: BpfObject,
    maps: EpochMaps,
    frame: Frame,
    ruling: Rules,
  ) {
    this.#resources = resources;
    this.#object = object;
    this.#maps = maps;
    this.#rules = ruling;
    this.#frame = frame;
    this.#sequence = new BigUint64Array(resources.use(object.map('sequence').mmap()).buffer, 0, 1 << 20);
  }

  static open(workshop: Workshop, frame: Frame): Scene {
    using stack = new DisposableStack();
    const object = stack.use(BpfObject.openFile(workshop.object('bench/flows.bpf.c')));
    object.setConstant('address_at', frame.addressAt);
    object.setConstant('port_at', frame.portAt);
    const sizes = configureMeter(object, SIZES);
    object.load();
    const mapping = stack.use(object.map('.bss').mmap());
    writePorts(portTable(object, mapping), {});
    const words = new BigUint64Array(mapping.buffer, object.locate('control').offset, Control.size / 8);
    const maps = stack.use(new EpochMaps(object, words, sizes));
    const ruling = stack.use(new Rules(object, words));
    return new Scene(stack.move(), object, maps, frame, ruling);
  }

  [Symbol.dispose](): void {
    this.#resources.dispose();
  }

  async rule(text: string | undefined): Promise<void> {
    const classifier = text === undefined ? undefined : classify(readRules(text, 'rules'), []);
    const ruling = this.#rules.set(classifier && ruleLines(classifier));
    await this.#empty();
    await ruling;
  }

  async measure(name: string, { quick, progress }: BenchmarkOptions): Promise<Figure[]> {
    const rounds = quick ? 8 : 40;
    const note = 'above a twin that only writes the next flow into the packet';
    const figures: Figure[] = [];
    const many = async (what: string, flows: Uint32Array): Promise<void> => {
      progress(`${name}: ${what}`);
      await this.#empty();
      this.#play(flows);
      this.#run('flows_meter', this.#sequence.length);
      const pairs = Array.from({ length: rounds }, () => [
        this.#run('flows_rewrite', 200_000),
        this.#run('flows_meter', 200_000),
      ]);
      figures.push({ name: `${name}: ${what}`, unit: 'ns', ...ownCost(pairs), rounds, note });
    };
    await many('one hot flow', Uint32Array.of(7));
    await many('100 k flows, zipf 1.1', zipf(FLOWS, 1.1, this.#sequence.length));
    progress(`${name}: a new flow`);
    this.#play(permutation(this.#sequence.length));
    const pairs: number[][] = [];
    for (let round = 0; round < (quick ? 4 : 20); round++) {
      await this.#empty();
      pairs.push([this.#run('flows_rewrite', FLOWS), this.#run('flows_meter', FLOWS)]);
    }
    figures.push({
      name: `${name}: a new flow, to be decided about`,
      unit: 'ns',
      ...ownCost(pairs),
      rounds: pairs.length,
      ...(name !== 'no rules' && { target: { of: 'figure' as const, atMost: 1000 } }),
      note: `${FLOWS} flows, each seen once`,
    });
    return figures;
  }

  #play(flows: Uint32Array): void {
    for (let i = 0; i < this.#sequence.length; i++) this.#sequence[i] = BigInt(flows[i % flows.length]!);
  }

  #run(program: 'flows_rewrite' | 'flows_meter', repeat: number): number {
    const chosen: BpfProgram = this.#object.program(program);
    return testRun(chosen, { packet: this.#frame.octets, repeat }).durationNs;
  }

  /** Takes all flows out of both halves; rules that were set rule. */
  async #empty(): Promise<void> {
    for (let half = 0; half < 2; half++) {
      const next = parityOf(this.#maps.current + 1n);
      await this.#rules.prepare(next);
      const parity = await this.#maps.flip();
      this.#rules.begun(next);
      this.#maps.read(parity, { jiffies: 0n, nowMs: 0, tickMs: 1 });
      this.#maps.clear(parity);
    }
  }
}

/** Of pairs [twin, meter]. */
function ownCost(pairs: readonly number[][]): { figure: number; median: number } {
  const twins = pairs.map(([twin]) => twin!);
  const meters = pairs.map(([, meter]) => meter!);
  return {
    figure: minimum(meters) - minimum(twins),
    median: median(pairwise(meters, twins, (meter, twin) => meter - twin)),
  };
}
