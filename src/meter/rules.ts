/**
 * The rules in the kernel. They change with the epoch: the set of the next epoch's parity, which no program looks at any
 * more, is exchanged before that epoch begins, so that every packet is judged by one whole set, and every epoch too.
 */
import { type BpfMap, type BpfObject, possibleCpus, updateBatch } from '../bpf/index.ts';
import { Control, RulePage } from '../record/index.ts';
import { MeterError } from './error.ts';

/** Places of verdicts, in powers of two: of all CPUs together, and what each has at least and at most. */
const VERDICTS = { together: 17, least: 10, most: 14 } as const;
const PARITIES = [0, 1] as const;

/** A set of rules in a map of its own; without a map everything is kept. */
interface RuleSet {
  readonly generation: bigint;
  readonly lines: BpfMap | undefined;
}

const EVERYTHING: RuleSet = { generation: 0n, lines: undefined };

/** Who waits for a set to rule. */
interface Waiting {
  readonly set: RuleSet;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** The rules of a loaded meter object, which stays the caller's. */
export class Rules implements Disposable {
  readonly #object: BpfObject;
  /** The 64-bit words of `struct control`. */
  readonly #control: BigUint64Array;
  /** What stands in the kernel, by parity. */
  readonly #standing: [RuleSet, RuleSet] = [EVERYTHING, EVERYTHING];
  #wanted = EVERYTHING;
  #waiting: Waiting[] = [];
  #generation = 0n;
  #verdicts: BpfMap | undefined;

  constructor(object: BpfObject, control: BigUint64Array) {
    this.#object = object;
    this.#control = control;
  }

  /**
   * From the next epoch on these are the rules; without them everything is kept.
   *
   * @param lines a classifier as the kernel reads it, in whole pages
   * @returns when that epoch has begun, or others have been set for it
   * @throws BpfError when the kernel has no room for them: those before stay
   */
  async set(lines: Uint8Array | undefined): Promise<void> {
    const before = this.#wanted;
    this.#wanted = lines ? this.#build(lines) : EVERYTHING;
    if (!this.#standing.includes(before)) before.lines?.[Symbol.dispose]();
    const set = this.#wanted;
    return new Promise((resolve, reject) => this.#waiting.push({ set, resolve, reject }));
  }

  /** Before an epoch of this parity begins, while no program looks at what is of this parity. */
  async prepare(parity: 0 | 1): Promise<void> {
    const set = this.#wanted;
    const before = this.#standing[parity];
    if (before === set) return;
    // First: whoever sets others meanwhile must not close these.
    this.#standing[parity] = set;
    const key = wordBytes(parity);
    if (set.lines) await this.#object.map('rules').updateInnerAsync(key, set.lines);
    else this.#object.map('rules').delete(key);
    this.#control[(Control.offsets.rules >> 3) + parity] = set.generation;
    if (!this.#standing.includes(before)) before.lines?.[Symbol.dispose]();
  }

  /** The epoch of this parity has begun. */
  begun(parity: 0 | 1): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const each of waiting) {
      // Set while the flip was under way: for the next one.
      if (each.set === this.#wanted && each.set !== this.#standing[parity]) this.#waiting.push(each);
      else each.resolve();
    }
  }

  [Symbol.dispose](): void {
    const ended = new MeterError('METER_RULES', 'the meter ended before the rules changed', {
      remedy: 'start it again',
    });
    for (const { reject } of this.#waiting) reject(ended);
    for (const set of new Set([this.#wanted, ...PARITIES.map((parity) => this.#standing[parity])]))
      set.lines?.[Symbol.dispose]();
    this.#verdicts?.[Symbol.dispose]();
  }

  #build(bytes: Uint8Array): RuleSet {
    this.#verdicts ??= this.#makeVerdicts();
    const count = bytes.byteLength / RulePage.size;
    using stack = new DisposableStack();
    const lines = stack.use(this.#object.createInner('rules', { maxEntries: count }));
    updateBatch(lines, new Uint8Array(Uint32Array.from({ length: count }, (_, i) => i).buffer), bytes, count);
    stack.move();
    return { generation: ++this.#generation, lines };
  }

  #makeVerdicts(): BpfMap {
    using stack = new DisposableStack();
    const maxEntries = possibleCpus() << verdictBits();
    const map = stack.use(this.#object.createInner('verdicts', { maxEntries }));
    this.#object.map('verdicts').updateInner(wordBytes(0), map);
    stack.move();
    return map;
  }
}

/** Places of verdicts of a CPU, in powers of two; a constant of the object. */
export function verdictBits(): number {
  const share = Math.floor(VERDICTS.together - Math.log2(possibleCpus()));
  return Math.min(VERDICTS.most, Math.max(VERDICTS.least, share));
}

function wordBytes(word: number): Uint8Array {
  return new Uint8Array(new Uint32Array([word]).buffer);
}
