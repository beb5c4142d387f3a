/** Sets of numbers. */

/** From and to, both included. */
export type Interval = readonly [from: number, to: number];

/** A test for numbers in any of the intervals; the more there are, the longer it takes by their logarithm. */
export function intervalTest(intervals: readonly Interval[]): (number: number) => boolean {
  const apart = merged(intervals);
  const [only] = apart;
  if (only === undefined) return () => false;
  if (apart.length === 1) {
    const [from, to] = only;
    return from === to ? (number) => number === from : (number) => number >= from && number <= to;
  }
  const begins = Float64Array.from(apart, ([from]) => from);
  const ends = Float64Array.from(apart, ([, to]) => to);
  return (number) => {
    let low = 0;
    let high = begins.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (begins[middle]! <= number) low = middle + 1;
      else high = middle;
    }
    return low > 0 && number <= ends[low - 1]!;
  };
}

/** Rising, and none reaches into the next. */
function merged(intervals: readonly Interval[]): Interval[] {
  const apart: [number, number][] = [];
  for (const [from, to] of [...intervals].sort(([a], [b]) => a - b)) {
    const last = apart.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else apart.push([from, to]);
  }
  return apart;
}
