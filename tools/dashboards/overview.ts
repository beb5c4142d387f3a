/** Dashboard: how much there is, where, and of what. */
import { AGENT, type Board, CHOSEN, rate } from './build.ts';

const octets = rate('traffic_wire_octets_total', CHOSEN);
const packets = rate('traffic_wire_packets_total', CHOSEN);

/** The first one looks at. */
export const OVERVIEW: Board = {
  uid: 'tunnelscope-overview',
  title: 'Tunnelscope: overview',
  description:
    'How much traffic there is, at which interfaces, of which protocols. Each interface and direction counts for itself.',
  byInterface: true,
  panels: [
    {
      kind: 'number',
      title: 'Received',
      description: 'On the wire, all chosen interfaces together.',
      unit: 'bps',
      queries: [{ expr: `8 * sum(${rate('traffic_wire_octets_total', `${CHOSEN},direction="ingress"`)})` }],
    },
    {
      kind: 'number',
      title: 'Sent',
      description: 'On the wire, all chosen interfaces together.',
      unit: 'bps',
      queries: [{ expr: `8 * sum(${rate('traffic_wire_octets_total', `${CHOSEN},direction="egress"`)})` }],
    },
    {
      kind: 'number',
      title: 'Unexplained packets',
      description:
        'What does not add up and stays so. Anything but 0 is a warning: see the dashboard about exactness.',
      unit: 'short',
      alarmFrom: 1,
      queries: [{ expr: `sum(tunnelscope_persistent_unexplained_packets{${CHOSEN}})` }],
    },
    {
      kind: 'number',
      title: 'Age of the newest epoch',
      description: 'How old the newest numbers are. Far above the length of an epoch: the agent hangs.',
      unit: 's',
      alarmFrom: 30,
      queries: [{ expr: `max(time() - tunnelscope_epoch_end_time_seconds{${AGENT}})` }],
    },
    {
      kind: 'lines',
      title: 'Throughput by interface',
      description: 'Whole packets on the wire, Ethernet header included.',
      unit: 'bps',
      width: 24,
      queries: [
        { expr: `8 * sum by (interface, direction) (${octets})`, legend: '{{interface}} {{direction}}' },
      ],
    },
    {
      kind: 'stack',
      title: 'Throughput by protocol',
      description: 'Of the innermost flow: what a tunnel carries counts as that.',
      unit: 'bps',
      queries: [{ expr: `8 * sum by (protocol) (${octets})`, legend: '{{protocol}}' }],
    },
    {
      kind: 'lines',
      title: 'Packets by interface',
      description: 'On the wire: each segment of a super-packet.',
      unit: 'pps',
      queries: [
        { expr: `sum by (interface, direction) (${packets})`, legend: '{{interface}} {{direction}}' },
      ],
    },
    {
      kind: 'lines',
      title: 'Goodput by protocol',
      description: 'What is behind the innermost transport header.',
      unit: 'bps',
      queries: [
        {
          expr: `8 * sum by (protocol) (${rate('traffic_payload_octets_total', CHOSEN)})`,
          legend: '{{protocol}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Mean length of packets',
      description: 'Octets on the wire per packet.',
      unit: 'bytes',
      queries: [
        {
          expr: `sum by (interface, direction) (${octets}) / (sum by (interface, direction) (${packets}) > 0)`,
          legend: '{{interface}} {{direction}}',
        },
      ],
    },
  ],
};
