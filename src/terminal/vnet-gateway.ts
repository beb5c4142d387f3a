/** A gateway as text: its clients with their VLANs and traffic, and what became of all frames. */
import type { VirtualGateway } from '../query/index.ts';
import { formatUptime } from './instance.ts';
import { reportBytes } from './report.ts';

const HEADINGS = [
  'CLIENT',
  'WORKER',
  'VLAN',
  'KNOWN',
  'ALLOWED',
  'IDLE',
  'MOVES',
  'PACKETS FROM',
  'OCTETS',
  'PACKETS TO',
  'OCTETS',
];
const OUTCOME_HEADINGS = ['OUTCOME', '', 'PACKETS', 'OCTETS'];
const MS_PER_SECOND = 1000;
const SERVICE_TAG = 0x88a8;
/** Newest events that are shown. */
const EVENTS = 5;

type Client = VirtualGateway['clients'][number];

/** Text with a final newline; counts are packets and octets on the trunk, tags included. */
export function formatGateway(gateway: VirtualGateway): string {
  const { name, pid, trunk, namespace, clients, outcomes, events, startedMs, nowMs } = gateway;
  const where = namespace === '' ? '' : `, namespace ${namespace}`;
  const lines = [
    `"${name}" is a gateway (process ${pid}, up ${formatUptime(nowMs - startedMs)}): trunk ${trunk}${where}`,
    '',
    ...(clients.length === 0 ? ['It has no clients.'] : table([HEADINGS, ...clients.map(cellsOf)])),
    '',
    ...table([OUTCOME_HEADINGS, ...outcomes.filter(({ packets }) => packets > 0).map(outcomeCells)]),
    '',
    ...events.slice(-EVENTS).map(({ atMs, words }) => `${new Date(atMs).toISOString()}  ${words}`),
  ];
  return `${lines.join('\n')}\n`;
}

function outcomeCells({ name, isDrop, packets, octets }: VirtualGateway['outcomes'][number]): string[] {
  return [name, isDrop ? 'dropped' : '', String(packets), reportBytes(octets)];
}

function cellsOf({ mac, worker, tags, isLearned, allowed, idleMs, moves, received, sent }: Client): string[] {
  return [
    mac,
    worker,
    tags === null ? 'not known' : tags.toReversed().map(tagText).join(' in '),
    isLearned ? 'learned' : tags === null ? '' : 'configured',
    allowed === null ? 'any' : ranges(allowed),
    idleMs === null ? 'never seen' : `${(idleMs / MS_PER_SECOND).toFixed(1)} s`,
    String(moves),
    String(received.packets),
    reportBytes(received.octets),
    String(sent.packets),
    reportBytes(sent.octets),
  ];
}

/** Innermost first: `5 in 100 (802.1ad)`. */
function tagText({ vid, pcp, dei, protocol }: NonNullable<Client['tags']>[number]): string {
  const marks = [
    ...(pcp > 0 ? [`priority ${pcp}`] : []),
    ...(dei ? ['may be dropped'] : []),
    ...(protocol === SERVICE_TAG ? ['802.1ad'] : []),
  ];
  return marks.length > 0 ? `${vid} (${marks.join(', ')})` : String(vid);
}

function ranges(vids: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const vid of vids) {
    const last = parts.at(-1);
    if (last && last[1] === vid - 1) last[1] = vid;
    else parts.push([vid, vid]);
  }
  return parts.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  );
}
