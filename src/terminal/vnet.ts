/** Virtual networks as text: a line per function, or all that one says. */
import {
  bitRateQuantity,
  countQuantity,
  formatQuantity,
  octetQuantity,
  packetRateQuantity,
} from '../flow/index.ts';
import type { VirtualNetwork, VirtualRate, VirtualRelay } from '../query/index.ts';
import { formatUptime } from './instance.ts';
import { formatBridge } from './vnet-bridge.ts';
import { formatGateway } from './vnet-gateway.ts';

/** A line on one function: what it is, since when, how much it joins, what it dropped. */
export function formatNetworkLine(network: VirtualNetwork): string {
  const { name, kind, pid, startedMs, nowMs, namespace, outcomes } = network;
  const place = namespace === '' ? '' : ` in namespace ${namespace}`;
  const sum = (isDrop: boolean): number =>
    outcomes.filter((each) => each.isDrop === isDrop).reduce((packets, each) => packets + each.packets, 0);
  const dropped = sum(true);
  return [
    `"${name}" is a ${kind}${place} (process ${pid}), up ${formatUptime(nowMs - startedMs)}`,
    scopeOf(network),
    `${packets(sum(false))} forwarded, ${dropped === 0 ? 'none' : packets(dropped)} dropped`,
  ].join('; ');
}

/** What a function joins. */
function scopeOf(network: VirtualNetwork): string {
  switch (network.kind) {
    case 'bridge': {
      const { mode, segments, ports, peers, table } = network;
      const ends = new Set(peers.map(({ address }) => address)).size;
      return `${mode}, ${counted(segments.length, 'segment')}, ${counted(ports.length, 'port')}, ${counted(ends, 'peer')}, table ${table.used} of ${table.capacity}`;
    }
    case 'gateway':
      return `trunk ${network.trunk}, ${counted(network.clients.length, 'client')}`;
    case 'relay':
      return counted(pairsOf(network).length, 'cable');
  }
}

/**
 * All that a function says: its line, its tables, what became of the packets, what it told last.
 *
 * @returns text with a final newline
 */
export function formatNetwork(network: VirtualNetwork): string {
  if (network.kind === 'bridge') return formatBridge(network);
  if (network.kind === 'gateway') return formatGateway(network);
  const told = network.events.map(
    ({ atMs, kind, words }) => `  ${new Date(atMs).toISOString().slice(11, 19)}Z  ${kind}: ${words}`,
  );
  const outcomes = network.outcomes.filter((each) => each.packets > 0);
  const blocks = [
    [formatNetworkLine(network)],
    relayTable(network),
    formatColumns(
      ['outcome', 'packets', 'octets'],
      outcomes.map((each) => [
        each.isDrop ? `${each.name} (dropped)` : each.name,
        String(each.packets),
        String(each.octets),
      ]),
    ),
    ...(told.length === 0 ? [] : [['  told last (UTC):', ...told.map((line) => `  ${line}`)]]),
  ];
  return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** Both ways of a cable are a row. */
function relayTable(relay: VirtualRelay): string[] {
  return formatColumns(
    ['cable', 'IPv4', 'IPv6', 'ARP', 'other', 'octets'],
    pairsOf(relay)
      .flat()
      .map(({ from, to, counts, rate }) => [
        `${from} → ${to}`,
        ...[counts.ipv4, counts.ipv6, counts.arp, counts.other].map((count) => String(count.packets)),
        withRate(
          Object.values(counts).reduce((sum, { octets }) => sum + octets, 0),
          rate,
        ),
      ]),
  );
}

/** The ways of each cable: there, and back where that is one too. */
function pairsOf({ cables }: VirtualRelay): (typeof cables)[] {
  const rest = [...cables];
  const pairs: (typeof cables)[] = [];
  for (let there = rest.shift(); there !== undefined; there = rest.shift()) {
    const { from, to } = there;
    const at = rest.findIndex((each) => each.from === to && each.to === from);
    pairs.push(at < 0 ? [there] : [there, ...rest.splice(at, 1)]);
  }
  return pairs;
}

function withRate(octets: number, rate: VirtualRate | undefined): string {
  const amount = formatQuantity(octetQuantity(octets));
  if (!rate) return amount;
  const { octetRate, packetRate } = rate;
  return `${amount}, ${formatQuantity(bitRateQuantity(octetRate))} ${formatQuantity(packetRateQuantity(packetRate))}`;
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

function packets(count: number): string {
  const { number, unit } = countQuantity(count);
  return `${number} ${unit}pkt`;
}

/** What stands to the left: names and places; all else are numbers. */
const NAMES = new Set(['cable', 'outcome']);

/** Names to the left, numbers to the right. Without rows a line that says so. */
function formatColumns(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [`  no ${head.find((word) => NAMES.has(word))}`];
  const widths = head.map((word, i) => Math.max(word.length, ...rows.map((row) => row[i]!.length)));
  return [head, ...rows].map((row) => {
    const cells = row.map((cell, i) =>
      NAMES.has(head[i]!) ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!),
    );
    return `  ${cells.join('  ')}`.trimEnd();
  });
}
