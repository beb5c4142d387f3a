/** What is measured of flows, as user space says it and as the C side reads it. */
import type { MeasurementName } from '../flow/index.ts';
import { BiflowSettings, Measurement } from './gen/meter.ts';

/** What is measured of flows, and how; without anything to measure no state is kept. */
export interface MeasureOptions {
  readonly measurements: readonly MeasurementName[];
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

const BITS: Readonly<Record<MeasurementName, number>> = { arrivals: Measurement.MEASURE_ARRIVALS };
const NS_PER_MS = 1_000_000;

/** The bits of enum measurement. */
export function measuredBits({ measurements }: MeasureOptions): number {
  if (measurements.length === 0) return 0;
  return measurements.reduce<number>((sum, name) => sum | BITS[name], Measurement.MEASURE_BIFLOWS);
}

/** The octets of struct biflow_settings. */
export function biflowSettings({ idleMs, resetMs }: MeasureOptions): Uint8Array {
  const words = new BigUint64Array(BiflowSettings.size >> 3);
  const { tcpIdleNs, udpIdleNs, otherIdleNs, resetNs } = BiflowSettings.offsets;
  words[tcpIdleNs >> 3] = nanoseconds(idleMs.tcp);
  words[udpIdleNs >> 3] = nanoseconds(idleMs.udp);
  words[otherIdleNs >> 3] = nanoseconds(idleMs.other);
  words[resetNs >> 3] = nanoseconds(resetMs);
  return new Uint8Array(words.buffer);
}

/** How long after its last packet a biflow of an IP protocol is over, nanoseconds. */
export function idleNs({ idleMs }: MeasureOptions, protocol: number): bigint {
  return nanoseconds(protocol === 6 ? idleMs.tcp : protocol === 17 ? idleMs.udp : idleMs.other);
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms * NS_PER_MS));
}
