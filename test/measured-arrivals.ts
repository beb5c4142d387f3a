/** What was measured of numbered datagrams, beside what their capture says. */
import assert from 'node:assert/strict';
import { DEFAULT_MEASURE, type FlowBatch, formatAddress, type MeasureOptions } from '../src/flow/index.ts';
import { ArrivalSums, SequenceSums } from '../src/measure/index.ts';
import {
  type Arrival,
  gapsMs,
  interarrivalJitter,
  meanAndDeviation,
  PATTERN,
  PORTS,
} from './numbered-traffic.ts';
import { isScaled } from './scale.ts';
import { NaiveAccount } from './sequence-account.ts';

/** Measures numbers and arrivals of everything numbered. */
export const MEASURE_NUMBERS: Partial<MeasureOptions> = {
  measurements: ['arrivals', 'sequence', 'tcp'],
  sequence: {
    ...DEFAULT_MEASURE.sequence,
    udp: [
      { firstPort: PORTS.pattern, lastPort: PORTS.pattern, form: 'pattern' },
      { firstPort: PORTS.iperf3, lastPort: PORTS.iperf3, form: 'iperf3' },
      { firstPort: PORTS.rtp, lastPort: PORTS.rtp, form: 'rtp' },
    ],
    pattern: PATTERN,
    offset: 4,
  },
};

/** One flow over all its epochs. */
export interface MeasuredFlow {
  readonly arrivals: ArrivalSums;
  readonly sequence: SequenceSums;
  readonly packets: number;
  readonly octets: number;
  readonly payloadOctets: number;
  readonly tunnelDepths: ReadonlySet<number>;
}

/** What was received of a protocol at an address, and at a port where that has ports; of ICMP of a type. */
export function received(
  batches: readonly FlowBatch[],
  to: { readonly protocol: number; readonly address: string; readonly port?: number; readonly type?: number },
): MeasuredFlow {
  const [arrivals, sequence] = [new ArrivalSums(), new SequenceSums()];
  let [packets, octets, payloadOctets] = [0, 0, 0];
  const tunnelDepths = new Set<number>();
  for (const { measurements } of batches) {
    const { flows, length } = measurements!;
    assert.equal(measurements!.unmeasuredPackets, 0);
    for (let row = 0; row < length; row++) {
      if (flows.protocol[row] !== to.protocol || flows.direction[row] !== 0) continue;
      if (formatAddress(flows.destination, 16 * row) !== to.address) continue;
      if (to.port !== undefined && flows.destinationPort[row] !== to.port) continue;
      if (to.type !== undefined && flows.icmpTypeCode[row]! >> 8 !== to.type) continue;
      arrivals.follow(measurements!.arrivals!, row);
      sequence.add(measurements!.sequence!, row);
      packets += Number(flows.wirePackets[row]);
      octets += Number(flows.wireOctets[row]);
      payloadOctets += Number(flows.payloadOctets[row]);
      tunnelDepths.add(flows.tunnelDepth[row]!);
    }
  }
  return { arrivals, sequence, packets, octets, payloadOctets, tunnelDepths };
}

const ACCOUNTED = [
  'received',
  'expected',
  'duplicates',
  'reordered',
  'late',
  'strays',
  'restarts',
  'reverseSteps',
  'smallSteps',
  'bigSteps',
  'mostExtent',
  'longestRun',
] as const;

/** The numbers are, one by one, what whoever remembers them all says of the capture's; so many packets have none. */
export function assertSequence(sequence: SequenceSums, arrivals: readonly Arrival[], noSequence = 0): void {
  const naive = new NaiveAccount(32, 2);
  for (const { number } of arrivals) naive.add(number);
  const { extents, unique, ...theirs } = { ...naive.account, longestRun: naive.longestRun() };
  assert.deepEqual(
    Object.fromEntries(ACCOUNTED.map((name) => [name, sequence[name]])),
    Object.fromEntries(ACCOUNTED.map((name) => [name, theirs[name]])),
  );
  assert.equal(sequence.lost, theirs.expected - unique);
  assert.equal(sequence.noSequence, noSequence);
  if (theirs.reordered > 0) assert.equal(sequence.meanExtent, extents / theirs.reordered);
}

/** The most that a figure may be off, as a part of it. */
const TOLERANCE = 0.01;

export function assertWithin(
  ours: number | undefined,
  theirs: number,
  tolerance: number,
  what: string,
): void {
  const said = `${what}: measured ${ours}, captured ${theirs}`;
  assert.ok(ours !== undefined && Math.abs(ours - theirs) <= tolerance * Math.abs(theirs), said);
}

/** Mean and deviation of inter-arrival times are those of the capture's times. @returns both, in words */
export function assertArrivals(sums: ArrivalSums, arrivals: readonly Arrival[]): string {
  const { mean, deviation } = meanAndDeviation(gapsMs(arrivals));
  const words = `mean ${sums.meanMs()?.toFixed(4)} ms (${mean.toFixed(4)}), deviation ${sums.deviationMs?.toFixed(4)} ms (${deviation.toFixed(4)})`;
  assert.equal(sums.gaps, arrivals.length - 1);
  assertWithin(sums.meanMs(), mean, TOLERANCE, 'mean');
  assertWithin(sums.deviationMs, deviation, TOLERANCE, 'deviation');
  return words;
}

/** The last value is of some twenty packets alone: where the machine is emulated, a pause between two clocks shows. */
const LAST_TOLERANCE = isScaled ? 0.03 : TOLERANCE;

/** RFC 3550's jitter is that of the capture's times. @returns both, in words */
export function assertJitter(sequence: SequenceSums, arrivals: readonly Arrival[]): string {
  const { mean, last } = interarrivalJitter(withoutWaiting(arrivals));
  assertWithin(sequence.meanJitterMs, mean, TOLERANCE, 'mean jitter');
  assertWithin(sequence.jitterMs, last, LAST_TOLERANCE, 'jitter at the end');
  return `RFC 3550 ${sequence.meanJitterMs!.toFixed(4)} ms (${mean.toFixed(4)}), last ${sequence.jitterMs!.toFixed(4)} ms (${last.toFixed(4)})`;
}

/**
 * A number before the first one that came may be of a sender that begins anew, with another clock: until the next one says
 * so it has no jitter.
 */
function withoutWaiting(arrivals: readonly Arrival[]): readonly Arrival[] {
  const naive = new NaiveAccount(32, 2);
  return arrivals.filter(({ number }) => {
    naive.add(number);
    return !naive.isWaiting;
  });
}
