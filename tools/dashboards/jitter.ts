/** Dashboard: what is measured from one packet to the next: times, losses, TCP. */
import { AGENT, type Board, CHOSEN, rate } from './build.ts';

const PLACE = '{{interface}} {{direction}} {{protocol}}';
const BY = 'interface, direction, protocol';
const quantile = (fraction: number, family: string, by: string): string =>
  `histogram_quantile(${fraction}, sum by (le, ${by}) (${rate(`${family}_bucket`, CHOSEN)}))`;
/** A share of one sum in another, where there is any. */
const share = (part: string, whole: string, by: string): string =>
  `(${part}) / (sum by (${by}) (${rate(whole, CHOSEN)}) > 0)`;
const sum = (metric: string, by: string): string => `sum by (${by}) (${rate(metric, CHOSEN)})`;
const WAY = 'interface, direction, tunnel, vni';
const SEGMENT = '{{interface}} {{direction}} {{tunnel}} {{vni}}';
const jitter = (by: string): string =>
  `sqrt(sum by (${by}) (${rate('interarrival_jitter_squared_seconds_total', CHOSEN)}) / (sum by (${by}) (${rate('interarrival_jitter_degrees_total', CHOSEN)}) > 0))`;

/** How evenly packets come and which do not; empty unless --measure asks for it. */
export const JITTER: Board = {
  uid: 'tunnelscope-jitter',
  title: 'Tunnelscope: jitter and loss',
  description:
    'Times between packets, round trips, losses and retransmissions of each flow. Wants --measure arrivals,sequence,tcp.',
  byInterface: true,
  panels: [
    {
      kind: 'number',
      title: 'Packets measured',
      description: 'Inter-arrival times per second.',
      unit: 'ops',
      queries: [{ expr: `sum(${rate('interarrival_seconds_count', CHOSEN)})` }],
    },
    {
      kind: 'number',
      title: 'Packets not measured',
      description: 'Since the start: too many flows at a time. Raise --measured.',
      unit: 'short',
      alarmFrom: 1,
      queries: [{ expr: `sum(tunnelscope_unmeasured_packets_total{${AGENT}})` }],
    },
    {
      kind: 'number',
      title: 'Packets that nobody saw come',
      description:
        'Per second: they came within super-packets, which have one time. Switch GRO off to see them.',
      unit: 'pps',
      queries: [{ expr: `sum(${rate('interarrival_unseen_packets_total', CHOSEN)})` }],
    },
    {
      kind: 'number',
      title: 'Pauses',
      description: 'Per second: gaps of two seconds and more, which are no inter-arrival times.',
      unit: 'ops',
      queries: [{ expr: `sum(${rate('interarrival_pauses_total', CHOSEN)})` }],
    },
    {
      kind: 'lines',
      title: 'Jitter by protocol',
      description:
        'Standard deviation of the inter-arrival times of each flow, put together by their number.',
      unit: 's',
      queries: [{ expr: jitter(BY), legend: PLACE }],
    },
    {
      kind: 'lines',
      title: 'Jitter by VNI',
      description: 'The same by segment.',
      unit: 's',
      queries: [{ expr: jitter('tunnel, vni'), legend: '{{tunnel}} {{vni}}' }],
    },
    {
      kind: 'lines',
      title: 'Mean inter-arrival time',
      description: 'Of all flows of a protocol.',
      unit: 's',
      queries: [
        {
          expr: `sum by (${BY}) (${rate('interarrival_seconds_sum', CHOSEN)}) / (sum by (${BY}) (${rate('interarrival_seconds_count', CHOSEN)}) > 0)`,
          legend: PLACE,
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Inter-arrival times: half and 99 of 100 are shorter',
      description: 'From buckets that double, so right within a factor of two.',
      unit: 's',
      queries: [
        { expr: quantile(0.5, 'interarrival_seconds', BY), legend: `50 % ${PLACE}` },
        { expr: quantile(0.99, 'interarrival_seconds', BY), legend: `99 % ${PLACE}` },
      ],
    },
    {
      kind: 'heatmap',
      title: 'Inter-arrival times',
      description: 'How many of each length, over time.',
      unit: 's',
      width: 24,
      queries: [
        {
          expr: `sum by (le) (increase(tunnelscope_interarrival_seconds_bucket{${CHOSEN}}[$__rate_interval]))`,
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Packets lost',
      description:
        'Share of the sequence numbers of UDP and ICMP that did not come. Below 0 while numbers come that were late.',
      unit: 'percentunit',
      queries: [
        {
          expr: share(
            `${sum('sequence_expected_packets_total', BY)} - ${sum('sequence_unique_packets_total', BY)}`,
            'sequence_expected_packets_total',
            BY,
          ),
          legend: PLACE,
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Packets repeated, reordered, late',
      description: 'By their sequence numbers, UDP and ICMP.',
      unit: 'pps',
      queries: ['duplicate', 'reordered', 'late'].map((name) => ({
        expr: sum(`sequence_${name}_packets_total`, BY),
        legend: `${name} ${PLACE}`,
      })),
    },
    {
      kind: 'lines',
      title: 'Round trips of TCP: half and 99 of 100 are shorter',
      description: 'From here to the receiver and back, the delay of ACKs included.',
      unit: 's',
      queries: [0.5, 0.99].map((fraction) => ({
        expr: quantile(fraction, 'rtt_seconds', WAY),
        legend: `${100 * fraction} % ${SEGMENT}`,
      })),
    },
    {
      kind: 'lines',
      title: 'TCP segments sent again',
      description: 'Share of all segments.',
      unit: 'percentunit',
      queries: [
        {
          expr: share(sum('tcp_retransmitted_segments_total', WAY), 'tcp_segments_total', WAY),
          legend: SEGMENT,
        },
      ],
    },
    {
      kind: 'lines',
      title: 'TCP: overtaken segments, duplicate ACKs, closed windows',
      description: 'Per second. Overtaken: the network reorders. Closed windows: the receiver is slow.',
      unit: 'ops',
      queries: [
        { expr: sum('tcp_out_of_order_segments_total', WAY), legend: `overtaken ${SEGMENT}` },
        { expr: sum('tcp_duplicate_acks_total', WAY), legend: `duplicate ACKs ${SEGMENT}` },
        { expr: sum('tcp_zero_windows_total', WAY), legend: `closed windows ${SEGMENT}` },
      ],
    },
    {
      kind: 'lines',
      title: 'TCP octets that never came by',
      description:
        'Acknowledged, and not seen here: they took another way, or this observation point misses some.',
      unit: 'Bps',
      queries: [{ expr: sum('tcp_unseen_octets_total', WAY), legend: SEGMENT }],
    },
  ],
};
