/** How a row went in the last minutes, as far as answers told it. */

/** Length of a bucket, milliseconds: one character of a trend. */
const BUCKET_MS = 5000;
/** Buckets kept: five minutes. */
const KEPT = 60;
/** Rows followed; of more, those that were not told of longest are forgotten. */
const MOST = 4000;

const STEPS = '▁▂▃▄▅▆▇█';

interface Ring {
  /** Sum and number of the values of each bucket; the newest last. */
  readonly sums: number[];
  readonly counts: number[];
  /** Number of the newest bucket, counted from 1970. */
  bucket: number;
}

/** Rates by row, in buckets of five seconds that stand still: a trend moves on once per bucket, and does not shimmer. */
export class Trends {
  readonly #rings = new Map<string, Ring>();
  #bucketMs = BUCKET_MS;

  /** Begins anew: figures of another agent, or of another window, do not continue these. */
  begin(bucketMs: number): void {
    this.#rings.clear();
    this.#bucketMs = bucketMs;
  }

  /** Adds a value. @param atMs of the answer, by the agent's clock; one that is older than the newest is left out */
  add(key: string, value: number, atMs: number): void {
    const bucket = Math.floor(atMs / this.#bucketMs);
    const ring = this.#rings.get(key) ?? { sums: [0], counts: [0], bucket };
    this.#rings.delete(key);
    this.#rings.set(key, ring);
    if (this.#rings.size > MOST) this.#rings.delete(this.#rings.keys().next().value!);
    if (bucket < ring.bucket) return;
    for (let missing = Math.min(KEPT, bucket - ring.bucket); missing > 0; missing--) {
      ring.sums.push(0);
      ring.counts.push(0);
    }
    ring.bucket = bucket;
    ring.sums[ring.sums.length - 1]! += value;
    ring.counts[ring.counts.length - 1]! += 1;
    ring.sums.splice(0, ring.sums.length - KEPT);
    ring.counts.splice(0, ring.counts.length - KEPT);
  }

  /** Means per bucket up to that of `atMs`, newest last; undefined where nothing was told. */
  values(key: string, atMs: number, count: number): (number | undefined)[] {
    const ring = this.#rings.get(key);
    const last = Math.floor(atMs / this.#bucketMs);
    return Array.from({ length: count }, (_, i) => {
      if (!ring) return undefined;
      const at = ring.sums.length - 1 - (ring.bucket - (last - (count - 1 - i)));
      const told = ring.counts[at] ?? 0;
      return told > 0 ? ring.sums[at]! / told : undefined;
    });
  }
}

/** A character per value, from nothing to the largest; a blank where nothing is known. */
export function trendText(values: readonly (number | undefined)[]): string {
  const most = values.reduce<number>((max, value) => Math.max(max, value ?? 0), 0);
  return values
    .map((value) => {
      if (value === undefined) return ' ';
      if (value <= 0 || most <= 0) return STEPS[0];
      return STEPS[Math.min(STEPS.length - 1, Math.max(1, Math.ceil((value / most) * STEPS.length) - 1))];
    })
    .join('');
}

/** Means per bucket of moments in order, as {@link Trends.values} gives them. @param bucketMs length of a bucket */
export function bucketed(
  moments: readonly { readonly atMs: number; readonly value: number }[],
  count: number,
  bucketMs: number,
): (number | undefined)[] {
  const newest = moments.at(-1);
  const sums = new Array<number>(count).fill(0);
  const counts = new Array<number>(count).fill(0);
  for (const { atMs, value } of moments) {
    const at = count - 1 - (Math.floor(newest!.atMs / bucketMs) - Math.floor(atMs / bucketMs));
    if (at < 0 || at >= count) continue;
    sums[at]! += value;
    counts[at]! += 1;
  }
  return sums.map((sum, i) => (counts[i]! > 0 ? sum / counts[i]! : undefined));
}

/** Length of a bucket where an epoch is this long, milliseconds: never so short that there are gaps. */
export function bucketMsOf(intervalSeconds: number): number {
  return BUCKET_MS * Math.max(1, Math.ceil((1000 * intervalSeconds) / BUCKET_MS));
}
