/** Dashboard: what the tunnels carry, and what they cost. */
import { type Board, CHOSEN, rate } from './build.ts';

const TUNNELLED = `${CHOSEN},tunnel!="none"`;
const octets = rate('traffic_wire_octets_total', TUNNELLED);
const packets = rate('traffic_wire_packets_total', TUNNELLED);
const payload = rate('traffic_payload_octets_total', TUNNELLED);

/** By kind of tunnel and VNI. */
export const TUNNELS: Board = {
  uid: 'tunnelscope-tunnels',
  title: 'Tunnelscope: tunnels',
  description:
    'Traffic in tunnels, by kind and identifier. Wants the labels tunnel, vni and protocol, which are the default.',
  byInterface: true,
  panels: [
    {
      kind: 'stack',
      title: 'Throughput by kind of tunnel',
      description: 'Outermost tunnel; none is plain traffic.',
      unit: 'bps',
      queries: [
        {
          expr: `8 * sum by (tunnel) (${rate('traffic_wire_octets_total', CHOSEN)})`,
          legend: '{{tunnel}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Share of traffic in tunnels',
      description: 'Of all octets on the wire at an interface.',
      unit: 'percentunit',
      max: 1,
      queries: [
        {
          expr: `sum by (interface) (${octets}) / (sum by (interface) (${rate('traffic_wire_octets_total', CHOSEN)}) > 0)`,
          legend: '{{interface}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Throughput by VNI',
      description: 'The twenty segments with the most traffic.',
      unit: 'bps',
      queries: [{ expr: `topk(20, 8 * sum by (tunnel, vni) (${octets}))`, legend: '{{tunnel}} {{vni}}' }],
    },
    {
      kind: 'lines',
      title: 'Packets by VNI',
      description: 'The twenty segments with the most packets.',
      unit: 'pps',
      queries: [{ expr: `topk(20, sum by (tunnel, vni) (${packets}))`, legend: '{{tunnel}} {{vni}}' }],
    },
    {
      kind: 'stack',
      title: 'Protocols inside tunnels',
      description: 'Of the innermost flow.',
      unit: 'bps',
      queries: [{ expr: `8 * sum by (protocol) (${octets})`, legend: '{{protocol}}' }],
    },
    {
      kind: 'lines',
      title: 'Share of headers',
      description: 'What of the octets on the wire is not payload: outer headers, tunnel, inner headers.',
      unit: 'percentunit',
      max: 1,
      queries: [
        {
          expr: `1 - sum by (tunnel, vni) (${payload}) / (sum by (tunnel, vni) (${octets}) > 0)`,
          legend: '{{tunnel}} {{vni}}',
        },
      ],
    },
    {
      kind: 'table',
      title: 'Octets by VNI in this time',
      description: 'Over the time range of the dashboard.',
      unit: 'bytes',
      width: 24,
      queries: [
        {
          expr: `sort_desc(sum by (tunnel, vni, direction) (increase(tunnelscope_traffic_wire_octets_total{${TUNNELLED}}[$__range])))`,
        },
      ],
    },
  ],
};
