/** What is measured of flows, as users say it. */
import type { Measurable } from './measurement.ts';

/** What is measured of flows, and how; without anything to measure no state is kept. */
export interface MeasureOptions {
  readonly measurements: readonly Measurable[];
  /** Biflows (both ways between two ends at an interface) followed at a time. Packets of more are counted as not measured. */
  readonly capacity: number;
  /** How long after its last packet a biflow is over, by protocol, milliseconds. */
  readonly idleMs: { readonly tcp: number; readonly udp: number; readonly other: number };
  /** A gap this long is a pause: inter-arrival times begin anew (System D: 2 s). */
  readonly resetMs: number;
  /** Where the sequence numbers of UDP and ICMP stand. */
  readonly sequence: SequenceOptions;
  /** TCP sockets of the metered namespace told per epoch at most, and as many that closed in it; 0: none is asked. */
  readonly sockets: number;
}

/** Forms in which a packet says its number: System D's two, and protocols that have a place for it. */
export const SEQUENCE_FORMS = ['offset', 'pattern', 'rtp', 'iperf3', 'iperf3-64bit'] as const;
export type SequenceForm = (typeof SEQUENCE_FORMS)[number];

/** UDP to or from these ports (both ends included) has its numbers in this form. */
export interface SequenceRule {
  readonly firstPort: number;
  readonly lastPort: number;
  readonly form: SequenceForm;
  /** Only even ports, as RTP has them. */
  readonly evenOnly?: boolean;
}

/** Rules there can be. */
export const MOST_SEQUENCE_RULES = 4;

/** Where the sequence numbers of UDP and ICMP stand; what is not said has none. */
export interface SequenceOptions {
  /** The first that fits counts; at most {@link MOST_SEQUENCE_RULES}. */
  readonly udp: readonly SequenceRule[];
  readonly icmp: 'off' | 'echo' | 'offset' | 'pattern';
  /** Of `offset` and `pattern`: octets from the payload's beginning, or from the pattern's, to the 32-bit number. */
  readonly offset: number;
  /** Of `pattern`: 32 bits, looked for in the first 5,000 octets of the payload. */
  readonly pattern: number;
  /** The largest step that is small (D4.2). */
  readonly threshold: number;
  /** Clock of RTP payload types that have none of their own, Hz. */
  readonly clockRate: number;
}

/** Unless told otherwise: nothing, and otherwise so. */
export const DEFAULT_MEASURE: MeasureOptions = {
  measurements: [],
  capacity: 16_384,
  idleMs: { tcp: 300_000, udp: 60_000, other: 30_000 },
  resetMs: 2_000,
  sequence: {
    udp: [{ firstPort: 5201, lastPort: 5201, form: 'iperf3' }],
    icmp: 'echo',
    offset: 0,
    pattern: 0,
    threshold: 2,
    clockRate: 90_000,
  },
  sockets: 0,
};
