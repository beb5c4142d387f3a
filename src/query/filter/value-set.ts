/** Sets of the values a field can have, as intervals; that a flow lacks the field is a value like any other. */

/** From and to, both included. */
export type ValueSpan = readonly [from: bigint, to: bigint];

/** What a field may be. Never changed. */
export interface ValueSet {
  /** Rising, apart from each other by at least one value. */
  readonly spans: readonly ValueSpan[];
  /** Whether it may be lacking. */
  readonly absent: boolean;
}

/** The set of these intervals, in any order, overlapping or not. */
export function valueSet(spans: readonly ValueSpan[], absent = false): ValueSet {
  return { spans: apart(spans), absent };
}

/** What is not in the set, of values from 0 to `most`. */
export function complement({ spans, absent }: ValueSet, most: bigint): ValueSet {
  const others: ValueSpan[] = [];
  let next = 0n;
  for (const [from, to] of spans) {
    if (from > next) others.push([next, from - 1n]);
    next = to + 1n;
  }
  if (next <= most) others.push([next, most]);
  return { spans: others, absent: !absent };
}

/** What is in any of the sets. */
export function union(sets: readonly ValueSet[]): ValueSet {
  return {
    spans: apart(sets.flatMap(({ spans }) => spans)),
    absent: sets.some(({ absent }) => absent),
  };
}

/** What is in both. */
export function intersection(a: ValueSet, b: ValueSet): ValueSet {
  const spans: ValueSpan[] = [];
  for (let i = 0, j = 0; i < a.spans.length && j < b.spans.length; ) {
    const [from, to] = a.spans[i]!;
    const [otherFrom, otherTo] = b.spans[j]!;
    const beginsLast = from > otherFrom;
    const endsFirst = to < otherTo;
    const span = [beginsLast ? from : otherFrom, endsFirst ? to : otherTo] as const;
    if (span[0] <= span[1]) spans.push(span);
    if (endsFirst) i++;
    else j++;
  }
  return { spans, absent: a.absent && b.absent };
}

/** Whether nothing is in it. */
export function isEmpty({ spans, absent }: ValueSet): boolean {
  return spans.length === 0 && !absent;
}

/** Whether everything from 0 to `most` is in it, and lacking too. */
export function isFull({ spans, absent }: ValueSet, most: bigint): boolean {
  return absent && spans.length === 1 && spans[0]![0] === 0n && spans[0]![1] === most;
}

/** Whether a value is in it; undefined: lacking. */
export function contains({ spans, absent }: ValueSet, value: bigint | undefined): boolean {
  return value === undefined ? absent : spans.some(([from, to]) => value >= from && value <= to);
}

/** A text that only equal sets share. */
export function textOf({ spans, absent }: ValueSet): string {
  return `${absent ? '-' : ''}${spans.map(([from, to]) => `${from.toString(36)}.${to.toString(36)}`).join(' ')}`;
}

function apart(spans: readonly ValueSpan[]): ValueSpan[] {
  if (spans.length < 2) return [...spans];
  const joined: [bigint, bigint][] = [];
  for (const [from, to] of spans.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) {
    const last = joined.at(-1);
    if (last && from <= last[1] + 1n) {
      if (to > last[1]) last[1] = to;
    } else joined.push([from, to]);
  }
  return joined;
}
