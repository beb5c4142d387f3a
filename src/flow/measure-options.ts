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
}

/** Unless told otherwise: nothing, and otherwise so. */
export const DEFAULT_MEASURE: MeasureOptions = {
  measurements: [],
  capacity: 16_384,
  idleMs: { tcp: 300_000, udp: 60_000, other: 30_000 },
  resetMs: 2_000,
};
