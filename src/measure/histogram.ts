/** Percentiles from the histograms that the kernel keeps (bpf/biflow/observed.h). */
import { HISTOGRAM_PLACES, histogramBound } from '../flow/index.ts';

/**
 * The time below which `fraction` of the samples lie, nanoseconds; within its place samples are taken to be even, so it is
 * off by less than a fifth of its value. `undefined` without samples.
 *
 * @param least the shortest sample there was, `most` the longest: bounds for the first and the last place
 */
export function percentileNs(
  histogram: ArrayLike<number>,
  fraction: number,
  { least, most }: { readonly least: number; readonly most: number },
): number | undefined {
  let total = 0;
  for (let place = 0; place < HISTOGRAM_PLACES; place++) total += histogram[place]!;
  if (total === 0) return undefined;
  const wanted = fraction * total;
  let before = 0;
  for (let place = 0; place < HISTOGRAM_PLACES; place++) {
    const count = histogram[place]!;
    if (count === 0 || before + count < wanted) {
      before += count;
      continue;
    }
    const from = Math.max(histogramBound(place), least);
    const to = place + 1 < HISTOGRAM_PLACES ? Math.min(histogramBound(place + 1), most) : most;
    return from + Math.max(0, to - from) * Math.max(0, (wanted - before) / count);
  }
  return most;
}
