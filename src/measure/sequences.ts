/** Sequence errors of a flow, since the start or in an epoch: the account, and the step counters of System D. */
import type { MeasuredColumns, SEQUENCE_FIELDS } from '../flow/index.ts';

type SequenceColumns = MeasuredColumns<typeof SEQUENCE_FIELDS>;

/** Sums that grow, by the columns they come from. */
const SUMS = [
  'received',
  'noSequence',
  'expected',
  'unique',
  'duplicates',
  'reordered',
  'extents',
  'late',
  'strays',
  'restarts',
  'otherSources',
  'reverseSteps',
  'smallSteps',
  'bigSteps',
  'jitterSamples',
  'jitterSumNs',
] as const satisfies readonly (keyof SequenceColumns)[];
type SumName = (typeof SUMS)[number];

/** What is known of the numbers of one flow or of many together. */
export class SequenceSums {
  readonly #sums: Record<SumName, number> = Object.fromEntries(SUMS.map((name) => [name, 0])) as Record<
    SumName,
    number
  >;
  /** The number in the latest packet; of several flows, of any of them. */
  last: number | undefined;
  /** How far behind the highest number a packet came at most. */
  mostExtent = 0;
  /** Numbers lost in a row, at most; a run is known once 1,024 more numbers were seen. */
  longestRun = 0;
  /** RFC 3550 interarrival jitter, milliseconds: as it is now, and the largest there was. */
  jitterMs: number | undefined;
  mostJitterMs: number | undefined;

  /** Takes in a record of an epoch. */
  add(columns: SequenceColumns, row: number): void {
    const sums = this.#sums;
    for (const name of SUMS) sums[name] += Number(columns[name][row]!);
    if (columns.received[row]! > 0n) this.last = columns.last[row]!;
    this.mostExtent = Math.max(this.mostExtent, columns.mostExtent[row]!);
    this.longestRun = Math.max(this.longestRun, columns.longestRun[row]!);
    if (columns.jitterSamples[row]! === 0n) return;
    this.jitterMs = Number(columns.jitterSixteenths[row]!) / 16 / 1e6;
    this.mostJitterMs = Math.max(this.mostJitterMs ?? 0, Number(columns.jitterMostNs[row]!) / 1e6);
  }

  /** Numbers that were read. */
  get received(): number {
    return this.#sums.received;
  }
  /** Packets where a number should be but is not. */
  get noSequence(): number {
    return this.#sums.noSequence;
  }
  /** From the first number to the highest. */
  get expected(): number {
    return this.#sums.expected;
  }
  /** Of these, that have not come so far. Below 0 in an epoch in which those came that were lost in one before. */
  get lost(): number {
    return this.#sums.expected - this.#sums.unique;
  }
  get duplicates(): number {
    return this.#sums.duplicates;
  }
  /** Came after a higher number. */
  get reordered(): number {
    return this.#sums.reordered;
  }
  /** How far behind the highest number the reordered came, in the mean. */
  get meanExtent(): number | undefined {
    return this.#sums.reordered === 0 ? undefined : this.#sums.extents / this.#sums.reordered;
  }
  /** More than 1,024 numbers behind: reordered or duplicate, nobody knows. */
  get late(): number {
    return this.#sums.late;
  }
  /** Single numbers far ahead of all others. */
  get strays(): number {
    return this.#sums.strays;
  }
  /** New beginnings of the sender. */
  get restarts(): number {
    return this.#sums.restarts;
  }
  get otherSources(): number {
    return this.#sums.otherSources;
  }
  /** Steps from packet to packet that are not 1: below 0, up to the threshold, beyond it (D4.2). */
  get reverseSteps(): number {
    return this.#sums.reverseSteps;
  }
  get smallSteps(): number {
    return this.#sums.smallSteps;
  }
  get bigSteps(): number {
    return this.#sums.bigSteps;
  }
  get steps(): number {
    return this.reverseSteps + this.smallSteps + this.bigSteps;
  }
  /** Mean of the jitter after each packet, milliseconds; what tshark calls the mean jitter. */
  get meanJitterMs(): number | undefined {
    const { jitterSamples, jitterSumNs } = this.#sums;
    return jitterSamples === 0 ? undefined : jitterSumNs / jitterSamples / 1e6;
  }
}
