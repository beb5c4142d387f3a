/** For tests: what a classifier decides, by its rows alone, as bpf/rules/classifier.h does but slowly. */
import { type Classifier, type ClassifierUse, SUMMARY_WORDS } from './classifier.ts';
import { type DecisionField, isAddress, MAPPED } from './decision.ts';

/** Whether a packet of these values fits; without a classifier all do. */
export function fitsClassifier(
  classifier: Classifier | undefined,
  values: ReadonlyMap<DecisionField, bigint>,
): boolean {
  if (!classifier) return true;
  const rows = classifier.uses.map((use) => rowOf(use, values.get(use.field)));
  return [...classifier.usedBy].some((uses, word) => {
    let left = 2n ** 64n - 1n;
    for (const [nth, use] of classifier.uses.entries())
      if ((uses >>> nth) & 1) left &= wordOf(use, rows[nth]!, word);
    return left !== 0n;
  });
}

function rowOf({ field, numbers, addresses }: ClassifierUse, value: bigint | undefined): number {
  if (value === undefined) return 0;
  const [first, last] = MAPPED;
  const interval = (ends: readonly (number | bigint)[], at: bigint): number =>
    ends.findLastIndex((end) => end <= at);
  if (!isAddress(field)) return 1 + interval(numbers, value);
  if (value >= first && value <= last) return 1 + interval(numbers, value - first);
  return 1 + numbers.length + interval(addresses, value);
}

function wordOf({ rows }: ClassifierUse, row: number, word: number): bigint {
  let at = rows.starts[row]!;
  for (let before = 0; before <= word; before++) {
    const summary = rows.summaries[2 * SUMMARY_WORDS * row + (before >>> 5)]!;
    if (!((summary >>> (before & 31)) & 1)) continue;
    if (before === word) return (BigInt(rows.words[2 * at + 1]!) << 32n) | BigInt(rows.words[2 * at]!);
    at++;
  }
  return 0n;
}
