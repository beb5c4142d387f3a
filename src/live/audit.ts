/** The audit: per observation point, what the interface counted, what the hook saw, and where all of it is. */
import { addTo, Counted, isNone, recordedSums, SpanSum } from '../audit/index.ts';
import type { CounterLine, FlowBatch } from '../flow/index.ts';
import type { Audit, AuditPoint, Exactness } from '../query/index.ts';
import {
  answerOf,
  noteChange,
  PERSISTENT_EPOCHS,
  type Point,
  persistentOf,
  persistentSum,
} from './audit-point.ts';

/** Observation points kept after their interface is gone. */
const MAX_GONE = 64;

/** Who hears of changes at an observation point. */
export interface AuditListener {
  /** A difference has become persistent, or has doubled since it was told last. */
  readonly unexplained: (point: AuditPoint) => void;
  /** What was told is gone, for as many epochs as it took to be persistent. */
  readonly explained: (point: AuditPoint) => void;
}

const SILENT: AuditListener = { unexplained: () => undefined, explained: () => undefined };

/** Adds up epochs per observation point, in exact numbers. */
export class AuditSum {
  readonly #points = new Map<number, Point>();
  readonly #listener: AuditListener;
  #agent = '';
  #epoch = 0;
  #atMs = 0;

  constructor(listener: AuditListener = SILENT) {
    this.#listener = listener;
  }

  /** @param isTaken whether the observation point `2 * ifindex + direction` is taken in */
  add(batch: FlowBatch, isTaken: (point: number) => boolean): void {
    this.#agent = batch.agent;
    this.#epoch = batch.epoch;
    this.#atMs = batch.endMs;
    this.#beginInterval(batch, isTaken);
    for (const line of batch.seen) this.#intervalOf(line, (sum) => addTo(sum.seen, line));
    for (const line of batch.ledger) this.#intervalOf(line, (sum) => sum.addLedger(line));
    this.#addRecords(batch);
    for (const line of batch.counters) this.#addCounters(line);
    for (const point of this.#points.values()) {
      if (point.interval.seconds > 0 || point.present) this.#close(point);
    }
    this.#forgetGone();
  }

  /** The audit so far; points by interface, those that are gone last. */
  value(): Audit {
    const points = [...this.#points.values()]
      .sort(
        (a, b) => Number(b.present) - Number(a.present) || a.ifindex - b.ifindex || a.direction - b.direction,
      )
      .map(answerOf);
    const sum = (name: 'packets' | 'octets'): number =>
      points.reduce((all, point) => all + point.persistent[name], 0);
    return {
      agent: this.#agent,
      epoch: this.#epoch,
      atMs: this.#atMs,
      persistentEpochs: PERSISTENT_EPOCHS,
      points,
      persistent: { packets: sum('packets'), octets: sum('octets') },
    };
  }

  /** The part of it that goes with every view. */
  outside(): Exactness['outside'] {
    let points = 0;
    let packets = 0;
    let octets = 0;
    for (const point of this.#points.values()) {
      if (point.sinceStart.counted) points++;
      const { outside } = persistentOf(point);
      packets += Math.abs(Number(outside.packets));
      octets += Math.abs(Number(outside.octets));
    }
    return { points, packets, octets };
  }

  #beginInterval({ points, startMs, endMs }: FlowBatch, isTaken: (point: number) => boolean): void {
    for (const point of this.#points.values()) {
      point.present = false;
      point.interval = new SpanSum();
    }
    for (const { ifindex, direction, interfaceName, primary } of points) {
      const key = 2 * ifindex + direction;
      if (!isTaken(key)) continue;
      const known = this.#points.get(key);
      const point: Point = known ?? {
        ifindex,
        direction,
        interfaceName,
        primary,
        kind: '',
        present: true,
        programs: undefined,
        interval: new SpanSum(),
        sinceStart: new SpanSum(),
        differences: [],
        changes: [],
        told: undefined,
      };
      Object.assign(point, { interfaceName, primary, present: true });
      point.interval.seconds = Math.max(0, endMs - startMs) / 1000;
      this.#points.set(key, point);
    }
  }

  #intervalOf(
    line: { readonly ifindex: number; readonly direction: 0 | 1 },
    use: (sum: SpanSum) => void,
  ): void {
    const point = this.#points.get(2 * line.ifindex + line.direction);
    if (point) use(point.interval);
  }

  #addRecords(batch: FlowBatch): void {
    for (const [key, { recorded, wire, overflow }] of recordedSums(batch)) {
      const interval = this.#points.get(key)?.interval;
      if (!interval) continue;
      addTo(interval.recorded, recorded);
      addTo(interval.wire, wire);
      addTo(interval.overflow, overflow);
    }
  }

  #addCounters(line: CounterLine): void {
    const point = this.#points.get(2 * line.ifindex + line.direction);
    if (!point) return;
    point.kind = line.kind;
    point.programs = line.programs ?? point.programs;
    if (line.end) point.interval.counted = new Counted(line.begin, line.end);
    else point.present = false;
  }

  /** Adds the interval to what was before, and judges. */
  #close(point: Point): void {
    const { sinceStart, interval, differences } = point;
    // Of an interface that went away in this epoch no reading ends it: what it counted last is not known, so that what
    // the hook saw of it cannot be compared and stays out of the sum.
    if (sinceStart.counted && !interval.counted) {
      point.present = false;
      return;
    }
    sinceStart.append(interval);
    differences.push({
      inside: sinceStart.inside(),
      outside: sinceStart.outside(point.kind, point.direction),
    });
    if (differences.length > PERSISTENT_EPOCHS) differences.shift();
    noteChange(point, this.#atMs);
    this.#tell(point);
  }

  /** Says what has changed: a line per change, and no more of them than one in {@link PERSISTENT_EPOCHS}. */
  #tell(point: Point): void {
    const { told, differences } = point;
    if (told && this.#epoch - told.epoch < PERSISTENT_EPOCHS) return;
    const { packets, octets } = persistentSum(point);
    if (hasDoubled(packets, told?.packets) || hasDoubled(octets, told?.octets)) {
      point.told = { packets, octets, epoch: this.#epoch };
      this.#listener.unexplained(answerOf(point));
    } else if (told && differences.every((each) => isNone(each.inside) && isNone(each.outside))) {
      point.told = undefined;
      this.#listener.explained(answerOf(point));
    }
  }

  #forgetGone(): void {
    const gone = [...this.#points].filter(([, point]) => !point.present);
    for (const [key] of gone.slice(0, Math.max(0, gone.length - MAX_GONE))) this.#points.delete(key);
  }
}

/** Whether it is twice what it was, or there at all where there was none. */
function hasDoubled(now: bigint, before = 0n): boolean {
  return now > 0n && now >= 2n * before;
}
