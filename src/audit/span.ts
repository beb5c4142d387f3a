/** Sums of one observation point over a stretch of time, and what they come to. */
import type { LedgerLine } from '../flow/index.ts';
import type { AuditPart, AuditSpan } from '../query/index.ts';
import type { Counted } from './counted.ts';
import { type Bounds, counterUnit, distanceOf, expectedOf, type Sums } from './counter-unit.ts';

/** Packets and octets, exact. */
export interface ExactCount {
  readonly packets: bigint;
  readonly octets: bigint;
}

/** The same, to be added to. */
export interface Tally {
  packets: bigint;
  octets: bigint;
}

/** Nothing so far. */
export const tally = (): Tally => ({ packets: 0n, octets: 0n });

/** Whether it is nothing. */
export function isNone({ packets, octets }: ExactCount): boolean {
  return packets === 0n && octets === 0n;
}

/** What was summed up of the ledger under one reason, at one level of tunnels. */
export interface LedgerTally extends ExactCount {
  readonly reason: string;
  readonly level: number;
}

/** Adds up what one point saw; exact. */
export class SpanSum {
  seconds = 0;
  /** Undefined where the interface does not say. */
  counted: Counted | undefined;
  readonly seen: Tally = tally();
  readonly recorded: Tally = tally();
  readonly overflow: Tally = tally();
  /** Of what is in the ledger, that whose measure on the wire is known. */
  readonly measured: Tally = tally();
  /** Of what is recorded or measured. */
  readonly wire: Tally = tally();
  readonly #ledger = new Map<string, LedgerTally & Tally>();

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
    if (later.counted) this.counted = this.counted?.followedBy(later.counted) ?? later.counted;
    for (const name of ['seen', 'recorded', 'overflow', 'measured', 'wire'] as const)
      addTo(this[name], later[name]);
    for (const line of later.#ledger.values()) this.addLedger(line);
  }

  /** seen − recorded − ledger. */
  inside(): ExactCount {
    return insideOf(this.seen, this.recorded, [...this.#ledger.values()]);
  }

  /** What the interface counted, less what the hook saw, beyond the bounds; 0 where it cannot be told. */
  outside(kind: string, direction: 0 | 1): ExactCount {
    return outsideOf(this.counted, this.hookSaw(), { kind, direction });
  }

  /**
   * What the hook saw, as frames and on the wire. What else stands in the ledger was not measured on the wire; a frame that
   * cannot be read is no super-packet.
   */
  hookSaw(): Sums {
    const { seen, recorded, measured, wire } = this;
    return {
      ...seen,
      wirePackets: seen.packets - recorded.packets - measured.packets + wire.packets,
      wireOctets: seen.octets - recorded.octets - measured.octets + wire.octets,
    };
  }

  /** All of it, as numbers. */
  answer(kind: string, direction: 0 | 1): AuditSpan {
    const { seconds, counted, seen, recorded, overflow } = this;
    const ledger = [...this.#ledger.values()];
    return spanAnswer(
      { seconds, counted, hookSaw: this.hookSaw(), seen, recorded, overflow, ledger },
      { kind, direction },
      this.outside(kind, direction),
    );
  }
}

/** What decides in which unit an interface counts. */
export interface CounterPlace {
  readonly kind: string;
  readonly direction: 0 | 1;
}

/** Sums of a stretch of time; `counted` and `hookSaw` are of the same epochs. */
export interface SpanParts {
  readonly seconds: number;
  readonly counted: Counted | undefined;
  readonly hookSaw: Sums;
  readonly seen: ExactCount;
  readonly recorded: ExactCount;
  readonly overflow: ExactCount;
  readonly ledger: readonly LedgerTally[];
}

/** All of it, as numbers. @param outside as of {@link outsideOf}, or more where more is known */
export function spanAnswer(parts: SpanParts, place: CounterPlace, outside: ExactCount): AuditSpan {
  const { seconds, counted, hookSaw, seen, recorded, overflow, ledger } = parts;
  const part = (count: ExactCount): AuditPart => partOf(count, seen);
  return {
    seconds,
    counted: counted ? boundCounts(counted) : null,
    expected: boundCounts(expectedOf(hookSaw, unitOf(place))),
    seen: toCount(seen),
    recorded: part(recorded),
    overflow: part(overflow),
    ledger: ledger
      .map((line) => ({ reason: line.reason, level: line.level, ...part(line) }))
      .sort((a, b) => b.octets - a.octets || a.level - b.level || (a.reason < b.reason ? -1 : 1)),
    inside: part(insideOf(seen, recorded, ledger)),
    outside: partOf(outside, counted ? { packets: counted.packets.most, octets: counted.octets.most } : seen),
  };
}

/** What the interface counted, less what the hook saw in the same epochs, beyond the bounds; 0 where it cannot be told. */
export function outsideOf(counted: Counted | undefined, hookSaw: Sums, place: CounterPlace): ExactCount {
  if (!counted) return { packets: 0n, octets: 0n };
  const unit = unitOf(place);
  // What the device drops at ingress it drops before it counts, or after the hook; at egress between the two.
  const between = place.direction === 1 ? counted.between : { lost: 0n, early: 0n };
  const { packets, octets } = distanceOf(counted, expectedOf(hookSaw, unit), between);
  if (!unit.hasMore) return { packets, octets };
  return { packets: packets < 0n ? packets : 0n, octets: octets < 0n ? octets : 0n };
}

/** seen − recorded − ledger. */
export function insideOf(seen: ExactCount, recorded: ExactCount, ledger: readonly LedgerTally[]): ExactCount {
  return {
    packets: ledger.reduce((left, line) => left - line.packets, seen.packets - recorded.packets),
    octets: ledger.reduce((left, line) => left - line.octets, seen.octets - recorded.octets),
  };
}

/** Adds to a count that may be changed. */
export function addTo(sum: Tally, { packets, octets }: ExactCount): void {
  sum.packets += packets;
  sum.octets += octets;
}

function unitOf({ kind, direction }: CounterPlace): ReturnType<typeof counterUnit> {
  return counterUnit(kind, direction);
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
