/** Sums of one observation point over a stretch of time, and what they come to. */
import type { CounterReading, LedgerLine } from '../flow/index.ts';
import type { AuditPart, AuditSpan } from '../query/index.ts';
import { type Between, type Bounds, counterUnit, distanceOf, expectedOf } from './counter-unit.ts';

/** Packets and octets, exact. */
export interface ExactCount {
  readonly packets: bigint;
  readonly octets: bigint;
}

interface Tally {
  packets: bigint;
  octets: bigint;
}

const tally = (): Tally => ({ packets: 0n, octets: 0n });

/** What was summed up of the ledger under one reason, at one level of tunnels. */
interface LedgerTally extends Tally {
  readonly reason: string;
  readonly level: number;
}

/** Adds up what one point saw; exact. */
export class SpanSum {
  seconds = 0;
  begin: CounterReading | undefined;
  end: CounterReading | undefined;
  readonly seen: Tally = tally();
  readonly recorded: Tally = tally();
  readonly overflow: Tally = tally();
  /** Of what is in the ledger, that whose measure on the wire is known. */
  readonly measured: Tally = tally();
  /** Of what is recorded or measured. */
  readonly wire: Tally = tally();
  readonly #ledger = new Map<string, LedgerTally>();

  addLedger(line: Pick<LedgerLine, 'reason' | 'level' | 'packets' | 'octets' | 'wire'>): void {
    const { reason, level, wire } = line;
    if (wire) {
      addTo(this.measured, line);
      addTo(this.wire, wire);
    }
    const key = `${level} ${reason}`;
    const sum = this.#ledger.get(key) ?? { ...tally(), reason, level };
    addTo(sum, line);
    this.#ledger.set(key, sum);
  }

  /** Adds all of a later stretch. */
  append(later: SpanSum): void {
    this.seconds += later.seconds;
    this.begin ??= later.begin;
    if (later.end) this.end = later.end;
    for (const name of ['seen', 'recorded', 'overflow', 'measured', 'wire'] as const)
      addTo(this[name], later[name]);
    for (const line of later.#ledger.values()) this.addLedger(line);
  }

  /** seen − recorded − ledger. */
  inside(): ExactCount {
    const ledger = this.#ledgerSum();
    return {
      packets: this.seen.packets - this.recorded.packets - ledger.packets,
      octets: this.seen.octets - this.recorded.octets - ledger.octets,
    };
  }

  /** What the interface counted, less what the hook saw, beyond the bounds; 0 where it cannot be told. */
  outside(kind: string, direction: 0 | 1): ExactCount {
    const counted = this.#counted();
    if (!counted) return { packets: 0n, octets: 0n };
    // What the device drops at ingress it drops before it counts, or after the hook; at egress between the two.
    const between = direction === 1 ? counted.between : { lost: 0n, early: 0n };
    const { packets, octets } = distanceOf(counted, this.#expected(kind, direction), between);
    if (!counterUnit(kind, direction).hasMore) return { packets, octets };
    return { packets: packets < 0n ? packets : 0n, octets: octets < 0n ? octets : 0n };
  }

  /** All of it, as numbers. */
  answer(kind: string, direction: 0 | 1): AuditSpan {
    const counted = this.#counted();
    const expected = this.#expected(kind, direction);
    const part = (count: ExactCount): AuditPart => partOf(count, this.seen);
    return {
      seconds: this.seconds,
      counted: counted ? boundCounts(counted) : null,
      expected: boundCounts(expected),
      seen: toCount(this.seen),
      recorded: part(this.recorded),
      overflow: part(this.overflow),
      ledger: [...this.#ledger.values()]
        .map((line) => ({ reason: line.reason, level: line.level, ...part(line) }))
        .sort((a, b) => b.octets - a.octets || a.level - b.level || (a.reason < b.reason ? -1 : 1)),
      inside: part(this.inside()),
      outside: partOf(
        this.outside(kind, direction),
        counted ? { packets: counted.packets.most, octets: counted.octets.most } : this.seen,
      ),
    };
  }

  #ledgerSum(): ExactCount {
    const sum = tally();
    for (const line of this.#ledger.values()) addTo(sum, line);
    return sum;
  }

  #counted(): { packets: Bounds; octets: Bounds; between: Between } | undefined {
    const { begin, end } = this;
    if (!begin || !end) return undefined;
    const between = (name: 'packets' | 'octets'): Bounds => {
      const least = end.before[name] - begin.after[name];
      return { least: least > 0n ? least : 0n, most: end.after[name] - begin.before[name] };
    };
    const dropped = end.after.dropped - begin.before.dropped;
    const lost = (dropped > 0n ? dropped : 0n) + greater(end.before.waiting, end.after.waiting);
    const early = greater(begin.before.waiting, begin.after.waiting);
    return { packets: between('packets'), octets: between('octets'), between: { lost, early } };
  }

  /** What else stands in the ledger was not measured on the wire; a frame that cannot be read is no super-packet. */
  #expected(kind: string, direction: 0 | 1): { packets: Bounds; octets: Bounds } {
    const { packets, octets } = this.seen;
    const wirePackets = packets - this.recorded.packets - this.measured.packets + this.wire.packets;
    const wireOctets = octets - this.recorded.octets - this.measured.octets + this.wire.octets;
    return expectedOf({ packets, octets, wirePackets, wireOctets }, counterUnit(kind, direction));
  }
}

/** Adds to a count that may be changed. */
export function addTo(sum: Tally, { packets, octets }: ExactCount): void {
  sum.packets += packets;
  sum.octets += octets;
}

function greater(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function toCount({ packets, octets }: ExactCount): { packets: number; octets: number } {
  return { packets: Number(packets), octets: Number(octets) };
}

function boundCounts({
  packets,
  octets,
}: {
  readonly packets: Bounds;
  readonly octets: Bounds;
}): NonNullable<AuditSpan['counted']> {
  return {
    least: toCount({ packets: packets.least, octets: octets.least }),
    most: toCount({ packets: packets.most, octets: octets.most }),
  };
}

function partOf(count: ExactCount, whole: ExactCount): AuditPart {
  const share = (part: bigint, all: bigint): number =>
    part === 0n ? 0 : all > 0n ? Number(part) / Number(all) : 1;
  return {
    ...toCount(count),
    packetShare: share(count.packets, whole.packets),
    octetShare: share(count.octets, whole.octets),
  };
}
