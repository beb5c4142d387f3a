/** What is measured of flows, as the C side reads it. */
import {
  type MeasurementName,
  type MeasureOptions,
  MOST_SEQUENCE_RULES,
  type SequenceForm as SequenceFormName,
  withColumns,
} from '../flow/index.ts';
import { BiflowSettings, Measurement, SequenceForm, SequenceRule, SequenceSettings } from './gen/meter.ts';

const BITS: Readonly<Record<MeasurementName, number>> = {
  arrivals: Measurement.MEASURE_ARRIVALS,
  sequence: Measurement.MEASURE_SEQUENCE,
  tcp: Measurement.MEASURE_TCP,
};
const FORMS: Readonly<Record<SequenceFormName | 'echo' | 'off', number>> = {
  off: SequenceForm.SEQUENCE_OFF,
  offset: SequenceForm.SEQUENCE_OFFSET,
  pattern: SequenceForm.SEQUENCE_PATTERN,
  rtp: SequenceForm.SEQUENCE_RTP,
  iperf3: SequenceForm.SEQUENCE_IPERF3,
  'iperf3-64bit': SequenceForm.SEQUENCE_IPERF3_WIDE,
  echo: SequenceForm.SEQUENCE_ECHO,
};
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

/** The octets of struct sequence_settings. @throws RangeError for more rules than there is room for */
export function sequenceSettings({ sequence }: MeasureOptions): Uint8Array {
  const { udp, icmp, offset, pattern, threshold, clockRate } = sequence;
  if (udp.length > MOST_SEQUENCE_RULES)
    throw new RangeError(`${udp.length} rules of sequence numbers are more than ${MOST_SEQUENCE_RULES}`);
  const octets = new Uint8Array(SequenceSettings.size);
  const view = new DataView(octets.buffer);
  const o = SequenceSettings.offsets;
  for (const [i, { firstPort, lastPort, form, evenOnly }] of udp.entries()) {
    const at = o.udp + i * SequenceRule.size;
    view.setUint16(at + SequenceRule.offsets.firstPort, firstPort, true);
    view.setUint16(at + SequenceRule.offsets.lastPort, lastPort, true);
    octets[at + SequenceRule.offsets.form] = FORMS[form];
    octets[at + SequenceRule.offsets.evenOnly] = evenOnly ? 1 : 0;
  }
  view.setUint32(o.icmp, FORMS[icmp], true);
  view.setUint32(o.offset, offset, true);
  view.setUint32(o.pattern, pattern, true);
  view.setInt32(o.threshold, threshold, true);
  view.setUint32(o.clockRate, clockRate, true);
  return octets;
}

/** How long after its last packet a biflow of an IP protocol is over, nanoseconds. */
export function idleNs({ idleMs }: MeasureOptions, protocol: number): bigint {
  return nanoseconds(protocol === 6 ? idleMs.tcp : protocol === 17 ? idleMs.udp : idleMs.other);
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms * NS_PER_MS));
}
