/** Hosts, and the clients of one: who sends and receives how much. */
import { hasTunnelId, isTunnelName } from '../../flow/index.ts';
import { segmentName, type View, type ViewNode } from '../../query/index.ts';
import type { ListColumn, Listing, ListRow } from './listing.ts';
import type { Place } from './state.ts';

const SENT: ListColumn = { id: 'sent', title: 'SENT', kind: 'octets', least: 11, most: 11, rank: 0 };
const RECEIVED: ListColumn = {
  id: 'received',
  title: 'RECEIVED',
  kind: 'octets',
  least: 11,
  most: 11,
  rank: 0,
};
const PACKETS: ListColumn = {
  id: 'packets',
  title: 'PACKETS',
  kind: 'packets',
  least: 11,
  most: 11,
  rank: 4,
};
const SHARE: ListColumn = { id: 'share', title: 'SHARE', kind: 'share', least: 12, most: 20, rank: 2 };
const TREND: ListColumn = { id: 'trend', title: 'TREND', kind: 'trend', least: 8, most: 36, rank: 3 };
const ADDRESS_WIDTHS = { least: 15, most: 39 } as const;

const HOST_COLUMNS: readonly ListColumn[] = [
  { id: 'address', title: 'HOST', kind: 'address', ...ADDRESS_WIDTHS, rank: 0 },
  SENT,
  RECEIVED,
  PACKETS,
  SHARE,
  TREND,
];
const CLIENT_COLUMNS: readonly ListColumn[] = [
  { id: 'address', title: 'CLIENT', kind: 'address', ...ADDRESS_WIDTHS, rank: 0 },
  { id: 'segment', title: 'SEGMENT', kind: 'segment', least: 9, most: 22, rank: 1 },
  SENT,
  RECEIVED,
  PACKETS,
  SHARE,
  TREND,
];

/** The nodes of a view: its hosts, or the clients of the host that was asked for. */
export function hostListing(view: View): Listing {
  const isClients = view.level === 'clients';
  const { host } = view.question;
  const rows = view.nodes.map((node) => rowOf(node, view, host));
  return {
    list: isClients ? 'clients' : 'hosts',
    columns: isClients ? CLIENT_COLUMNS : HOST_COLUMNS,
    rows,
    usual: 'share',
    noun: isClients ? 'clients' : 'hosts',
    isCut: view.nodes.some(({ id }) => id === '(others)'),
    note: '',
  };
}

function rowOf(node: ViewNode, { total }: View, host: string | undefined): ListRow {
  const { id, address, segment, sent, received } = node;
  const octets = sent.octets + received.octets;
  const packets = sent.packets + received.packets;
  const share = total.octets > 0 ? octets / (2 * total.octets) : 0;
  return {
    key: id,
    cells: { address, segment, sent: sent.octets, received: received.octets, packets, share },
    octets,
    opens: placeOf(node, host),
    words: address,
    facts: () => [
      ['address', 'address', address],
      ...(segment === null ? [] : ([['segment', 'text', segmentName(segment)]] as const)),
      ['sent', 'octets', sent.octets],
      ['received', 'octets', received.octets],
      ['packets sent', 'packets', sent.packets],
      ['packets received', 'packets', received.packets],
    ],
  };
}

/** What has no address of its own opens to itself. */
function placeOf({ address, segment }: ViewNode, host: string | undefined): Place | undefined {
  if (!isAddress(address)) return undefined;
  if (host === undefined) return { kind: 'host', host: address };
  const filter = [
    `host = ${address}`,
    ...(segment === null ? [] : segmentFilter(segment)),
    // Only what comes in a tunnel has an outer packet.
    ...(segment === null || segment === 'none' ? [] : [`(outer.network = none or outer.host = ${host})`]),
  ].join(' and ');
  return { kind: 'flows', words: `flows of ${address}`, filter, segment: segment ?? undefined };
}

/** Conditions of the filter language that flows of a segment fit. */
export function segmentFilter(segment: string): string[] {
  const [kind = '', id = ''] = segment.split(':');
  if (kind === 'none') return ['tunnel = none'];
  return [`tunnel = ${kind}`, ...(isTunnelName(kind) && hasTunnelId(kind) ? [`vni = ${id}`] : [])];
}

/** MACs have no filter that a live view takes; overflow and others are no address at all. */
export function isAddress(text: string): boolean {
  return (
    /^(\d+\.){3}\d+$/.test(text) ||
    (/^[0-9a-f:.]+$/i.test(text) && !/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text))
  );
}
