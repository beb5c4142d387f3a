/** What is counted of one way of a TCP connection, the slow way: with the set of all sequence numbers that were seen. */
import type { Observed } from './biflow.ts';
import { FLAGS } from './biflow.ts';

/** Numbers as offsets from the connection's beginning, which may be negative. */
export interface Exact {
  octets: number;
  repeatedOctets: number;
  lateOctets: number;
  repeatedSegments: number;
  lateSegments: number;
  segments: number;
  gaps: number;
  gapNumbers: number;
  unseenNumbers: number;
}

/** A segment whose numbers are not wrapped around. */
export type Segment = Observed & { readonly sequence: number; readonly acknowledgment: number };

const SYN_FIN_RST = FLAGS.syn | FLAGS.fin | FLAGS.rst;

interface Way {
  readonly exact: Exact;
  readonly seen: Set<number>;
  /** Missing ones that are waited for. */
  readonly missing: Set<number>;
  /** What lies before was sent before anybody looked. */
  origin: number;
  /** Of the lowest segment. */
  start: number;
  /** Undefined before the first segment. */
  next: number | undefined;
  window: number;
}

function beginWay(): Way {
  const exact = {
    octets: 0,
    repeatedOctets: 0,
    lateOctets: 0,
    repeatedSegments: 0,
    lateSegments: 0,
    segments: 0,
    gaps: 0,
    gapNumbers: 0,
    unseenNumbers: 0,
  };
  return { exact, seen: new Set(), missing: new Set(), origin: 0, start: 0, next: undefined, window: -1 };
}

/** A connection's two ways. */
export class ExactModel {
  readonly #ways = [beginWay(), beginWay()] as const;

  get exact(): readonly [Exact, Exact] {
    return [this.#ways[0].exact, this.#ways[1].exact];
  }

  note(segment: Segment): void {
    const way = this.#ways[segment.way];
    const other = this.#ways[1 - segment.way]!;
    const { flags = FLAGS.ack, payload = 0, sequence } = segment;
    const end = sequence + payload + (flags & (FLAGS.syn | FLAGS.fin) ? 1 : 0);
    if (flags & FLAGS.syn) way.origin = sequence;
    const isProbe = payload === 1 && sequence === way.next && other.next !== undefined && other.window === 0;
    const isKeepAlive = payload <= 1 && sequence + 1 === way.next && (flags & SYN_FIN_RST) === 0;
    if (end > sequence && !isKeepAlive) this.#noteNumbers(way, segment, end);
    if (!isProbe && !(flags & FLAGS.rst)) this.#advance(way, sequence, end);
    way.window = segment.window ?? 1000;
    if (!(flags & FLAGS.ack)) return;
    for (const number of other.missing) {
      if (number >= segment.acknowledgment) continue;
      other.missing.delete(number);
      other.seen.add(number);
      if (number >= other.origin) other.exact.unseenNumbers++;
    }
  }

  #noteNumbers(way: Way, segment: Segment, end: number): void {
    const { exact, seen, missing, next } = way;
    const { payload = 0, packets = 1, segment: size = payload } = segment;
    exact.octets += payload;
    exact.segments += packets;
    let [repeated, late] = [0, 0];
    for (let number = segment.sequence; number < end && number < (next ?? segment.sequence); number++) {
      if (seen.has(number)) repeated++;
      else late++;
      seen.add(number);
      missing.delete(number);
    }
    if (next !== undefined && segment.sequence < way.start) {
      for (let number = end; number < way.start; number++) missing.add(number);
      way.start = segment.sequence;
    }
    const parts = (numbers: number): number =>
      numbers === 0 ? 0 : packets === 1 ? 1 : Math.min(packets, Math.ceil(numbers / size));
    exact.repeatedOctets += Math.min(repeated, payload);
    exact.lateOctets += Math.min(late, payload);
    exact.repeatedSegments += parts(repeated);
    exact.lateSegments += parts(late);
  }

  #advance(way: Way, sequence: number, end: number): void {
    if (way.next === undefined) {
      way.next = sequence;
      way.origin = way.start = sequence;
    } else if (sequence > way.next) {
      way.exact.gaps++;
      way.exact.gapNumbers += sequence - way.next;
      for (let number = way.next; number < sequence; number++) way.missing.add(number);
      way.next = sequence;
    }
    for (let number = way.next; number < end; number++) way.seen.add(number);
    way.next = Math.max(way.next, end);
  }
}
