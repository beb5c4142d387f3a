/** A distributed bridge as text: ports, peers, entries, outcomes. */
import type { VirtualBridge } from '../query/index.ts';
import { reportBytes } from './report.ts';

type Traffic = Pick<VirtualBridge['ports'][number], 'received' | 'sent'>;

/** Last tellings that are printed. */
const TELLINGS = 10;

/** All of it, a table each, with a heading. */
export function formatBridge(bridge: VirtualBridge): string {
  const { tunnel, mode, table } = bridge;
  const lines = [
    `Bridge "${bridge.name}" on ${bridge.namespace || bridge.hostname}: ${
      tunnel.device === ''
        ? 'segments of this host alone'
        : `${mode} over ${tunnel.kind} ${tunnel.device}${tunnel.port === null ? '' : ` (UDP ${tunnel.port})`}, from ${tunnel.address}`
    }`,
    '',
    ...tableOf(
      ['VNI', 'MTU', 'GROUP'],
      bridge.segments.map(({ vni, mtu, group }) => [String(vni), String(mtu), group ?? '-']),
    ),
    '',
    ...tableOf(
      ['PORT', 'VNI', 'KIND', 'BRIDGE', ...TRAFFIC],
      bridge.ports.map((port) => [
        port.present ? port.name : `${port.name} (gone)`,
        String(port.vni),
        port.kind,
        port.bridge ?? '-',
        ...cellsOf(port),
      ]),
    ),
    '',
    ...tableOf(
      ['PEER', 'VNI', 'KNOWN BY', 'IDLE', ...TRAFFIC],
      bridge.peers.map((peer) => [
        peer.address,
        String(peer.vni),
        peer.isGroup ? 'group' : peer.isConfigured ? 'configuration' : 'its frames',
        idle(peer.idleMs),
        ...cellsOf(peer),
      ]),
    ),
    '',
    ...tableOf(
      ['MAC', 'VNI', 'WHERE', 'IDLE', 'MOVES', ...TRAFFIC],
      bridge.entries.map((entry) => [
        entry.isStatic ? `${entry.mac} static` : entry.mac,
        String(entry.vni),
        entry.port ?? entry.peer ?? '(gone)',
        idle(entry.idleMs),
        String(entry.moves),
        ...cellsOf(entry),
      ]),
    ),
    `${table.used} of ${table.capacity} addresses`,
    '',
    ...tableOf(
      ['OUTCOME', 'PACKETS', 'OCTETS'],
      bridge.outcomes
        .filter(({ packets }) => packets > 0)
        .map(({ name, isDrop, packets, octets }) => [
          isDrop ? `${name} (dropped)` : name,
          String(packets),
          reportBytes(octets),
        ]),
    ),
  ];
  const noted = (bridge.notices ?? []).filter(({ count }) => count > 0);
  if (noted.length > 0) lines.push('', noted.map(({ name, count }) => `${name} ${count}`).join(', '));
  const told = bridge.events.slice(-TELLINGS);
  if (told.length > 0)
    lines.push('', ...told.map(({ atMs, words }) => `${new Date(atMs).toISOString()} ${words}`));
  return `${lines.join('\n')}\n`;
}

const TRAFFIC = ['RX PACKETS', 'RX OCTETS', 'TX PACKETS', 'TX OCTETS'] as const;

function cellsOf({ received, sent }: Traffic): string[] {
  return [
    String(received.packets),
    reportBytes(received.octets),
    String(sent.packets),
    reportBytes(sent.octets),
  ];
}

function idle(ms: number | null): string {
  return ms === null ? '-' : `${Math.floor(ms / 1000)} s`;
}

/** Columns as wide as what is in them. */
function tableOf(heading: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [heading, ...rows];
  const widths = heading.map((_, i) => Math.max(...all.map((row) => row[i]!.length)));
  return all.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  );
}
