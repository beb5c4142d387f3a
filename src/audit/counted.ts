/** What an interface counted itself over a stretch of time, between bounds. */
import type { CounterReading } from '../flow/index.ts';
import type { Between, Bounds } from './counter-unit.ts';

/** What of two readings, and of stretches one behind the other, adds up; exact. */
export interface CountedSums {
  /** From the second reading of the beginning to the first one of the end; below 0 where the two lie within one another. */
  readonly leastPackets: bigint;
  readonly leastOctets: bigint;
  /** From the first reading of the beginning to the second one of the end. */
  readonly mostPackets: bigint;
  readonly mostOctets: bigint;
  /** Dropped meanwhile, by the same readings as `most`. */
  readonly dropped: bigint;
  /** In the queue at the beginning, and at the end. */
  readonly waitingBefore: bigint;
  readonly waitingAfter: bigint;
}

/**
 * What an interface counted. A beginning and an end are two readings each, and what is counted between the two may belong to
 * either side. Of stretches that follow each other without a gap the readings between them cancel out: the bounds are as wide
 * as the readings at both ends, however long it is. Over a gap the bounds of both sides add up.
 */
export class Counted {
  readonly sums: CountedSums;
  readonly begin: CounterReading;
  readonly end: CounterReading;

  /** @param sums of all that lies between the first reading and the last one; by default these follow each other without a gap */
  constructor(begin: CounterReading, end: CounterReading, sums: CountedSums = sumsBetween(begin, end)) {
    this.begin = begin;
    this.end = end;
    this.sums = sums;
  }

  /** Both one behind the other. */
  followedBy(later: Counted): Counted {
    const sums = added(this.sums, later.sums);
    const joined = isSame(this.end, later.begin) ? withoutReading(sums, this.end) : sums;
    return new Counted(this.begin, later.end, joined);
  }

  get packets(): Bounds {
    return boundsOf(this.sums.leastPackets, this.sums.mostPackets);
  }

  get octets(): Bounds {
    return boundsOf(this.sums.leastOctets, this.sums.mostOctets);
  }

  /** Frames between hook and counter, at egress. */
  get between(): Between {
    const { dropped, waitingBefore, waitingAfter } = this.sums;
    return { lost: atLeastNone(dropped) + waitingAfter, early: waitingBefore };
  }
}

function sumsBetween(begin: CounterReading, end: CounterReading): CountedSums {
  return {
    leastPackets: end.before.packets - begin.after.packets,
    leastOctets: end.before.octets - begin.after.octets,
    mostPackets: end.after.packets - begin.before.packets,
    mostOctets: end.after.octets - begin.before.octets,
    dropped: end.after.dropped - begin.before.dropped,
    waitingBefore: waitingAt(begin),
    waitingAfter: waitingAt(end),
  };
}

function added(a: CountedSums, b: CountedSums): CountedSums {
  return {
    leastPackets: a.leastPackets + b.leastPackets,
    leastOctets: a.leastOctets + b.leastOctets,
    mostPackets: a.mostPackets + b.mostPackets,
    mostOctets: a.mostOctets + b.mostOctets,
    dropped: a.dropped + b.dropped,
    waitingBefore: a.waitingBefore + b.waitingBefore,
    waitingAfter: a.waitingAfter + b.waitingAfter,
  };
}

/** What a reading has put into the sums of the stretch that it ends and of the one that it begins. */
function withoutReading(sums: CountedSums, reading: CounterReading): CountedSums {
  const { before, after } = reading;
  const waiting = waitingAt(reading);
  return {
    leastPackets: sums.leastPackets + after.packets - before.packets,
    leastOctets: sums.leastOctets + after.octets - before.octets,
    mostPackets: sums.mostPackets - after.packets + before.packets,
    mostOctets: sums.mostOctets - after.octets + before.octets,
    dropped: sums.dropped - after.dropped + before.dropped,
    waitingBefore: sums.waitingBefore - waiting,
    waitingAfter: sums.waitingAfter - waiting,
  };
}

function isSame(a: CounterReading, b: CounterReading): boolean {
  return (['before', 'after'] as const).every((time) =>
    (['packets', 'octets', 'dropped', 'waiting'] as const).every((name) => a[time][name] === b[time][name]),
  );
}

function waitingAt({ before, after }: CounterReading): bigint {
  return greater(before.waiting, after.waiting);
}

function greater(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function boundsOf(least: bigint, most: bigint): Bounds {
  return { least: atLeastNone(least), most };
}

function atLeastNone(value: bigint): bigint {
  return value > 0n ? value : 0n;
}
