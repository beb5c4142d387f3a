/** What is measured of flows, as the C side reads it. */
import { type MeasurementName, type MeasureOptions, withColumns } from '../flow/index.ts';
import { BiflowSettings, Measurement } from './gen/meter.ts';

const BITS: Readonly<Record<MeasurementName, number>> = { arrivals: Measurement.MEASURE_ARRIVALS };
const NS_PER_MS = 1_000_000;

/** The bits of enum measurement. */
export function measuredBits({ measurements }: MeasureOptions): number {
  if (measurements.length === 0) return 0;
  return withColumns(measurements).reduce<number>(
    (sum, name) => sum | BITS[name],
    Measurement.MEASURE_BIFLOWS,
  );
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
