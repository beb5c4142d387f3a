/** Dashboard: times between packets, where they are measured. */
import { AGENT, type Board, CHOSEN, rate } from './build.ts';

const PLACE = '{{interface}} {{direction}} {{protocol}}';
const BY = 'interface, direction, protocol';
const quantile = (fraction: number): string =>
  `histogram_quantile(${fraction}, sum by (le, ${BY}) (${rate('interarrival_seconds_bucket', CHOSEN)}))`;
const jitter = (by: string): string =>
  `sqrt(sum by (${by}) (${rate('interarrival_jitter_squared_seconds_total', CHOSEN)}) / (sum by (${by}) (${rate('interarrival_jitter_degrees_total', CHOSEN)}) > 0))`;

/** How evenly packets come; empty unless --measure asks for it. */
export const JITTER: Board = {
  uid: 'tunnelscope-jitter',
  title: 'Tunnelscope: jitter',
  description:
    'Times between packets of a flow that follow each other, and how much they scatter. Wants --measure arrivals.',
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
        { expr: quantile(0.5), legend: `50 % ${PLACE}` },
        { expr: quantile(0.99), legend: `99 % ${PLACE}` },
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
  ],
};
