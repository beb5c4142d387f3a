/** Dashboard: whether the numbers can be trusted, and where the rest is. */
import { type Board, CHOSEN, rate } from './build.ts';

const seen = `sum by (interface, direction) (${rate('seen_packets_total', CHOSEN)})`;
const recorded = `sum by (interface, direction) (${rate('recorded_packets_total', CHOSEN)})`;
const PLACE = '{{interface}} {{direction}}';

/** The audit over time. */
export const EXACTNESS: Board = {
  uid: 'tunnelscope-exactness',
  title: 'Tunnelscope: exactness',
  description:
    'At every interface and direction: seen is recorded and ledger, and what the interface counted is seen. What is unexplained is a fault.',
  byInterface: true,
  panels: [
    {
      kind: 'number',
      title: 'Unexplained packets that stay',
      description: 'Difference that has stood for five epochs, absolute. Anything but 0 is a warning.',
      unit: 'short',
      alarmFrom: 1,
      queries: [{ expr: `sum(tunnelscope_persistent_unexplained_packets{${CHOSEN}})` }],
    },
    {
      kind: 'number',
      title: 'Unexplained octets that stay',
      description: 'The same in octets.',
      unit: 'bytes',
      alarmFrom: 1,
      queries: [{ expr: `sum(tunnelscope_persistent_unexplained_octets{${CHOSEN}})` }],
    },
    {
      kind: 'number',
      title: 'Packets in the ledger',
      description: 'Since the start: packets that could be no flow record, each with a reason.',
      unit: 'short',
      queries: [
        // No line at all is none, where there is an agent that would tell.
        {
          expr: `sum(tunnelscope_ledger_packets_total{${CHOSEN}}) or 0 * sum(tunnelscope_seen_packets_total{${CHOSEN}})`,
        },
      ],
    },
    {
      kind: 'number',
      title: 'Packets without detail',
      description:
        'Since the start: counted with their tunnel, because the flow table was full. Raise --flows.',
      unit: 'short',
      alarmFrom: 1,
      queries: [{ expr: `sum(tunnelscope_overflow_packets_total{${CHOSEN}})` }],
    },
    {
      kind: 'lines',
      title: 'Seen and recorded',
      description: 'Frames per second; the two lie on each other but for the ledger.',
      unit: 'pps',
      width: 24,
      queries: [
        { expr: seen, legend: `seen ${PLACE}` },
        { expr: recorded, legend: `recorded ${PLACE}` },
      ],
    },
    {
      kind: 'lines',
      title: 'Ledger by reason',
      description: 'Frames per second in no flow record, by what was wrong with them.',
      unit: 'pps',
      queries: [{ expr: `sum by (reason) (${rate('ledger_packets_total', CHOSEN)})`, legend: '{{reason}}' }],
    },
    {
      kind: 'lines',
      title: 'Without detail',
      description: 'Frames per second in overflow records.',
      unit: 'pps',
      queries: [
        {
          expr: `sum by (interface, direction) (${rate('overflow_packets_total', CHOSEN)})`,
          legend: PLACE,
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Unexplained packets',
      description:
        'Since the start. By flows: seen less recorded and ledger. By interface: counted by the interface less seen.',
      unit: 'short',
      queries: [{ expr: `tunnelscope_unexplained_packets{${CHOSEN}}`, legend: `${PLACE} by {{by}}` }],
    },
    {
      kind: 'lines',
      title: 'Unexplained octets',
      description: 'The same in octets.',
      unit: 'bytes',
      queries: [{ expr: `tunnelscope_unexplained_octets{${CHOSEN}}`, legend: `${PLACE} by {{by}}` }],
    },
    {
      kind: 'table',
      title: 'Observation points',
      description: '1 while metered, 0 once gone.',
      unit: 'short',
      width: 24,
      queries: [
        {
          expr: `max by (instance, interface, ifindex, direction, kind, primary) (tunnelscope_observation_point{${CHOSEN}})`,
        },
      ],
    },
  ],
};
