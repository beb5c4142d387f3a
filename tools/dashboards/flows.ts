/** Dashboard: hosts and flows, where they are labels. */
import { AGENT, type Board, CHOSEN, rate } from './build.ts';

const octets = rate('traffic_wire_octets_total', CHOSEN);

/** Who talks to whom; empty unless these labels were asked for. */
export const FLOWS: Board = {
  uid: 'tunnelscope-flows',
  title: 'Tunnelscope: flows',
  description:
    'Who talks to whom. Wants --metrics-labels with hosts and flows, which cost a series per flow; what finds no room is other.',
  byInterface: true,
  panels: [
    {
      kind: 'number',
      title: 'Share without detail',
      description: 'Octets in series that are other, because there was no room. Raise --metrics-series.',
      unit: 'percentunit',
      alarmFrom: 0.1,
      queries: [
        {
          expr: `(sum(${rate('traffic_wire_octets_total', `${CHOSEN},protocol="other"`)}) or vector(0)) / (sum(${octets}) > 0)`,
        },
      ],
    },
    {
      kind: 'number',
      title: 'Series',
      description: 'Of each traffic family, over all agents that are chosen.',
      unit: 'short',
      queries: [{ expr: `sum(tunnelscope_traffic_series{${AGENT}})` }],
    },
    {
      kind: 'number',
      title: 'Room for series used',
      description: 'Of --metrics-series, of the agent with the least room. Some is kept for what is other.',
      unit: 'percentunit',
      queries: [
        { expr: `max(tunnelscope_traffic_series{${AGENT}} / tunnelscope_traffic_series_limit{${AGENT}})` },
      ],
    },
    {
      kind: 'number',
      title: 'Expired since the start',
      description: 'Octets of series that were idle and are gone.',
      unit: 'bytes',
      queries: [{ expr: `sum(tunnelscope_expired_wire_octets_total{${AGENT}})` }],
    },
    {
      kind: 'lines',
      title: 'Pairs of hosts',
      description: 'The ten with the most traffic: outer addresses, of plain traffic the addresses.',
      unit: 'bps',
      width: 24,
      queries: [
        {
          expr: `topk(10, 8 * sum by (source_host, destination_host) (${octets}))`,
          legend: '{{source_host}} to {{destination_host}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Hosts that send',
      description: 'The ten with the most traffic.',
      unit: 'bps',
      queries: [{ expr: `topk(10, 8 * sum by (source_host) (${octets}))`, legend: '{{source_host}}' }],
    },
    {
      kind: 'lines',
      title: 'Flows',
      description: 'The ten with the most traffic, by innermost addresses and ports.',
      unit: 'bps',
      queries: [
        {
          expr: `topk(10, 8 * sum by (protocol, vni, src, sport, dst, dport) (${octets}))`,
          legend: '{{protocol}} {{src}}:{{sport}} to {{dst}}:{{dport}} {{vni}}',
        },
      ],
    },
    {
      kind: 'table',
      title: 'Flows in this time',
      description: 'The fifty with the most octets over the time range of the dashboard.',
      unit: 'bytes',
      width: 24,
      queries: [
        {
          expr: `topk(50, sum by (protocol, tunnel, vni, src, sport, dst, dport) (increase(tunnelscope_traffic_wire_octets_total{${CHOSEN}}[$__range])))`,
        },
      ],
    },
  ],
};
