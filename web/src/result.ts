/** Answers as tables that people read: what a column is called, how its cells read and sort. */
import {
  countQuantity,
  formatQuantity,
  octetQuantity,
  type Quantity,
  shareQuantity,
} from '../../src/flow/index.ts';
import type { ResultTable } from '../../src/query/index.ts';
import type { Units } from './question.ts';
import { amount, exactly, rate } from './words.ts';

/** A cell of an answer. */
export type Cell = ResultTable['rows'][number][number];
/** A row of an answer; its cells are in the order of the columns. */
export type ResultRow = ResultTable['rows'][number];
type Kind = ResultTable['columns'][number]['kind'];

/** A column as people read it. */
export interface ColumnWords {
  readonly head: string;
  /** What is meant, where the head is too short. */
  readonly title?: string;
  /** CSS pixels. */
  readonly width: number;
}

const WIDTHS: Readonly<Partial<Record<Kind, number>>> = {
  address: 148,
  mac: 140,
  number: 84,
  octets: 96,
  packets: 88,
  flows: 80,
  share: 84,
  time: 176,
  duration: 100,
};
const TEXT_WIDTH = 112;

const WORDS: Readonly<Record<string, Omit<ColumnWords, 'width'> & { readonly width?: number }>> = {
  src: { head: 'Source' },
  dst: { head: 'Destination' },
  sport: { head: 'Port', title: 'Source port', width: 70 },
  dport: { head: 'To port', title: 'Destination port', width: 80 },
  proto: { head: 'Protocol', width: 88 },
  network: { head: 'Network', title: 'Network layer of the innermost flow', width: 84 },
  segment: { head: 'Segment', title: 'Outermost tunnel with its VNI', width: 136 },
  tunnel: { head: 'Tunnel', title: 'Kind of the outermost tunnel', width: 88 },
  vni: { head: 'VNI', title: 'Identifier of the outermost tunnel', width: 84 },
  'outer.src': { head: 'Tunnel from', title: 'Source of the packet that carries the tunnel' },
  'outer.dst': { head: 'Tunnel to', title: 'Destination of the packet that carries the tunnel' },
  'outer.sport': { head: 'Tunnel port', title: 'UDP source port of the tunnel, of the first packet' },
  vlan: { head: 'VLAN', title: 'VLAN of the outermost frame' },
  'inner.vlan': { head: 'Inner VLAN', title: 'VLAN of the innermost frame' },
  ethertype: { head: 'Ethertype' },
  'icmp.type': { head: 'ICMP type' },
  'icmp.code': { head: 'ICMP code' },
  dscp: { head: 'DSCP' },
  mark: { head: 'Mark', title: 'Protocol that names an encrypted or routed flow' },
  'mark.id': { head: 'Mark id', title: 'What it names the flow by: SPI, index' },
  cast: { head: 'Cast', title: 'Unicast, multicast or broadcast' },
  iface: { head: 'Interface' },
  direction: { head: 'Direction' },
  agent: { head: 'Agent', title: 'Which run of the meter saw it' },
  fragment: { head: 'Fragments' },
  remark: { head: 'Remark', title: 'What is odd about it' },
  octets: { head: 'Octets', title: 'On the wire' },
  packets: { head: 'Packets', title: 'On the wire' },
  payload: { head: 'Payload', title: 'Octets behind the innermost header: goodput' },
  address: { head: 'Address' },
  peer: { head: 'Peer' },
  sent: { head: 'Sent', title: 'On the wire' },
  received: { head: 'Received', title: 'On the wire' },
  'packets.sent': { head: 'Packets sent', width: 112 },
  'packets.received': { head: 'Packets received', width: 136 },
  local: { head: 'Here' },
  localPort: { head: 'Port', title: 'Own port', width: 70 },
  remote: { head: 'Other end' },
  remotePort: { head: 'To port', title: 'Port of the other end', width: 80 },
  state: { head: 'State', width: 104 },
  sendRate: { head: 'Sends', title: 'Payload per second, between the last two readings', width: 110 },
  receiveRate: { head: 'Receives', title: 'Payload per second, between the last two readings', width: 110 },
  retransmitRate: { head: 'Sent again', title: 'Segments per second', width: 96 },
  srttMs: { head: 'RTT', title: 'Smoothed round-trip time (RFC 6298)', width: 88 },
  rttvarMs: { head: 'RTT varies', title: 'Mean deviation of the round-trip time' },
  minRttMs: { head: 'Least RTT', title: 'Of the last five minutes', width: 92 },
  retransmits: { head: 'Retransmits', title: 'Segments sent again since it was made', width: 100 },
  lost: {
    head: 'Lost',
    title: 'Numbered packets that did not come; of a connection, segments that are taken for lost',
    width: 64,
  },
  unacked: { head: 'Unacked', title: 'Segments sent and not acknowledged' },
  cwnd: { head: 'Window', title: 'Congestion window, segments' },
  ssthresh: { head: 'Threshold', title: 'Slow start, segments; none before the first loss' },
  mss: { head: 'MSS', title: 'Octets of a segment at most' },
  sentOctets: { head: 'Sent', title: 'Payload, retransmissions included' },
  ackedOctets: { head: 'Acknowledged', title: 'Payload that the other end has', width: 108 },
  receivedOctets: { head: 'Received', title: 'Payload in order' },
  retransmittedOctets: { head: 'Octets again', title: 'Payload sent again' },
  flows: { head: 'Flows', title: 'Uniflows, each once' },
  share: { head: 'Share', title: 'Part of all octets' },
  first: { head: 'First seen' },
  last: { head: 'Last seen' },
  'tcp.flags': { head: 'TCP flags', title: 'That any of the packets had' },
  shortest: { head: 'Shortest', title: 'Shortest packet on the wire' },
  longest: { head: 'Longest', title: 'Longest packet on the wire' },
  'src.mac': { head: 'Source MAC' },
  'dst.mac': { head: 'Destination MAC' },
  overhead: {
    head: 'Overhead',
    title: 'Part of the octets on the wire that is not the inner frame',
    width: 92,
  },
  mtu: { head: 'MTU', title: 'Of the interface by which the packets leave this host, or come' },
  headroom: {
    head: 'Headroom',
    title: 'Octets that the longest packet leaves free of the MTU; below 0 it does not fit',
    width: 92,
  },
  loss: { head: 'Loss', title: 'Part of the numbered packets that did not come' },
  duplicates: { head: 'Twice', title: 'Numbered packets that came again', width: 72 },
  reordered: { head: 'Reordered', title: 'Numbered packets that came after a later one' },
  jitter: { head: 'Jitter', title: 'RFC 3550, mean over packets that say when they were sent' },
  resent: { head: 'Resent', title: 'TCP segments that were sent again', width: 80 },
  'resent.share': {
    head: 'Resent share',
    title: 'Part of the TCP segments that were sent again',
    width: 100,
  },
  'round.trip': { head: 'Round trip', title: 'From here to the receiver and back, mean', width: 92 },
  'round.trip.p99': {
    head: 'Round trip, 99 %',
    title: '99 of 100 round trips are shorter, within a fifth',
    width: 128,
  },
  fragments: { head: 'Fragments', title: 'Packets that were fragments' },
  ports: { head: 'Outer ports', title: 'Different UDP source ports of the tunnel' },
  entropy: { head: 'Entropy', title: 'Of the octets over outer source ports: what ECMP spreads by' },
  'entropy.possible': { head: 'Possible', title: 'Entropy of the octets over inner flows' },
};

/** What a column is called. */
export function columnWords({ name, kind }: ResultTable['columns'][number]): ColumnWords {
  const { width, ...words } = WORDS[name] ?? { head: name };
  return { ...words, width: width ?? WIDTHS[kind] ?? TEXT_WIDTH };
}

/** Whether the cells of a column are numbers, and stand right. */
export function isNumeric(kind: Kind): boolean {
  return !['text', 'address', 'mac', 'time'].includes(kind);
}

/** Columns whose octets add up over time, and so have a rate. */
const SUMS: ReadonlySet<string> = new Set(['octets', 'payload', 'sent', 'received']);

/** Columns that are octets per second already. */
const RATES: ReadonlySet<string> = new Set(['sendRate', 'receiveRate']);

/** Columns of which every octet counts. */
const EXACT: ReadonlySet<string> = new Set(['longest', 'shortest', 'mtu', 'headroom']);

/** What a cell is read by: units, and the length of time that sums are of. */
export interface Reading {
  readonly units: Units;
  readonly seconds: number;
}

/** A cell with a number as a quantity. */
export function quantityOf(
  { name, kind }: ResultTable['columns'][number],
  value: number,
  { units, seconds }: Reading,
): Quantity {
  switch (kind) {
    case 'octets':
      if (RATES.has(name)) return rate(value, units);
      if (EXACT.has(name)) return { number: exactly(value).replace('-', '−'), unit: 'B' };
      return SUMS.has(name) ? amount(value, units, seconds) : octetQuantity(value);
    case 'packets':
    case 'flows':
      return countQuantity(value);
    case 'share':
      return shareQuantity(value, 1);
    case 'duration':
      return durationQuantity(value);
    case 'bits':
      return { number: value.toFixed(2), unit: 'bit' };
    case 'number':
      return { number: Number.isInteger(value) ? String(value) : value.toFixed(1), unit: '' };
    default:
      return { number: Number.isInteger(value) ? exactly(value) : value.toFixed(2), unit: String(kind) };
  }
}

/** Milliseconds as people read them. */
function durationQuantity(ms: number): Quantity {
  if (ms < 1000) return { number: ms < 10 ? ms.toFixed(2) : ms.toFixed(0), unit: 'ms' };
  if (ms < 120_000) return { number: (ms / 1000).toFixed(1), unit: 's' };
  return { number: (ms / 60_000).toFixed(1), unit: 'min' };
}

/** A moment by the clocks of who reads, to the second; with its day. */
export function stampWords(ms: number): string {
  const time = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  return `${day} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':')}`;
}

/** A cell as text; a dash for what there is none of. */
export function cellWords(column: ResultTable['columns'][number], value: Cell, reading: Reading): string {
  if (value === null) return '–';
  if (typeof value === 'string') return value;
  if (column.kind === 'time') return stampWords(value);
  return formatQuantity(quantityOf(column, value, reading));
}

/** Names of what is the same as long as a row is the same: what it is, not how much. */
const MEASURED: ReadonlySet<Kind> = new Set(['octets', 'packets', 'flows', 'share', 'time', 'duration']);
/** Of a flow these are as its packets are. */
const OF_PACKETS: ReadonlySet<string> = new Set([
  'dscp',
  'tcp.flags',
  'outer.sport',
  'src.mac',
  'dst.mac',
  'remark',
  'fragments',
  'ports',
  'entropy',
]);

/** Places of the columns that say what a row is. */
export function identityColumns(columns: ResultTable['columns']): number[] {
  return columns.flatMap(({ name, kind }, at) => (MEASURED.has(kind) || OF_PACKETS.has(name) ? [] : [at]));
}

/** A short name of a row, equal in every answer that has it: eleven letters stand for what it is. */
export function rowKey(row: ResultRow, identity: readonly number[]): string {
  return hashed(identity.map((at) => row[at] ?? '').join('\u0000'));
}

/** 53 bits of a text, well mixed: of 100,000 rows two have the same with odds of one to two million. */
function hashed(text: string): string {
  let high = 0x9e3779b9;
  let low = 0x85ebca6b;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    high = Math.imul(high ^ unit, 0x9e3779b1);
    low = Math.imul(low ^ unit, 0x5f356495);
  }
  high = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
  return (2 ** 32 * (high & 0x1fffff) + (low >>> 0)).toString(36);
}

/** Rows in the order of a column; those without a value come last, equal ones stay as they were. */
export function sortedRows(
  table: Pick<ResultTable, 'columns' | 'rows'>,
  sort: { readonly column: string; readonly descending: boolean },
): readonly ResultRow[] {
  const at = table.columns.findIndex(({ name }) => name === sort.column);
  if (at < 0) return table.rows;
  const key = table.columns[at]!.kind === 'address' ? addressKey : (cell: Cell) => cell;
  const keyed = table.rows.map((row, place) => ({ row, place, key: key(row[at]!) }));
  const way = sort.descending ? -1 : 1;
  return keyed
    .sort((x, y) => {
      if (x.key === null || y.key === null)
        return x.key === y.key ? x.place - y.place : x.key === null ? 1 : -1;
      return x.key < y.key ? -way : x.key > y.key ? way : x.place - y.place;
    })
    .map(({ row }) => row);
}

/** Sorts as its number does: IPv4 before IPv6. */
export function addressKey(cell: Cell): string | null {
  if (typeof cell !== 'string') return null;
  if (!cell.includes(':'))
    return `4${cell
      .split('.')
      .map((part) => part.padStart(3, '0'))
      .join('')}`;
  const [before = '', after] = cell.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const [left, right] = [groups(before), groups(after ?? '')];
  const zeros = Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return `6${[...left, ...zeros, ...right].map((group) => group.padStart(4, '0')).join('')}`;
}
