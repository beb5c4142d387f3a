/** What can be compared of an epoch: what interfaces counted, and what the hooks saw in the same time. */
import type { CounterLine, CounterReading, FlowBatch } from '../flow/index.ts';
import type { Sums } from './counter-unit.ts';
import { recordedSums } from './recorded.ts';
import { addTo, SpanSum } from './span.ts';

/** Both sides at one observation point. */
export interface Compared extends Pick<CounterLine, 'ifindex' | 'direction' | 'kind' | 'programs'> {
  readonly begin: CounterReading;
  readonly end: CounterReading;
  readonly hookSaw: Sums;
}

/** More than any interface counts in an epoch: what says so is no counter. */
const MOST = 2n ** 48n;

/**
 * Of each point whose interface told what it counted at both ends of the epoch. A counter that went back, for example because its
 * device was reset, tells nothing.
 */
export function comparedOf(batch: FlowBatch): Compared[] {
  const lines = batch.counters.filter(({ begin, end }) => end !== undefined && isPlausible(begin, end));
  if (lines.length === 0) return [];
  const sums = new Map(lines.map(({ ifindex, direction }) => [2 * ifindex + direction, new SpanSum()]));
  const at = ({ ifindex, direction }: Pick<CounterLine, 'ifindex' | 'direction'>): SpanSum | undefined =>
    sums.get(2 * ifindex + direction);
  for (const [key, { recorded, wire }] of recordedSums(batch)) {
    const sum = sums.get(key);
    if (!sum) continue;
    addTo(sum.recorded, recorded);
    addTo(sum.wire, wire);
  }
  for (const line of batch.ledger) at(line)?.addLedger(line);
  for (const line of batch.seen) {
    const sum = at(line);
    if (sum) addTo(sum.seen, line);
  }
  return lines.flatMap(({ ifindex, direction, kind, programs, begin, end }): Compared[] => {
    const hookSaw = at({ ifindex, direction })!.hookSaw();
    const isCount = Object.values(hookSaw).every((count) => count >= 0n && count < MOST);
    return isCount && end ? [{ ifindex, direction, kind, programs, begin, end, hookSaw }] : [];
  });
}

function isPlausible(begin: CounterReading, end: CounterReading | undefined): boolean {
  if (!end) return false;
  const readings = [begin.before, begin.after, end.before, end.after];
  return (['packets', 'octets'] as const).every((name) => {
    const isRising = readings.every((each, nth) => nth === 0 || each[name] >= readings[nth - 1]![name]);
    return isRising && end.after[name] - begin.before[name] < MOST;
  });
}
