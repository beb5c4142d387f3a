/**
 * The traffic report: one row per unidirectional flow, in the form of the reference (`PROTOCOL SOURCE …`).
 *
 * PACKETS and BYTES count the wire: every segment of a super-packet with its headers, Ethernet included, so both are
 * right with offloads on. Without offloads BYTES equals the length of the frames the stack held.
 */
import { parseAddress, tunnelIdText } from '../flow/index.ts';
import type { Uniflow } from '../live/index.ts';
import type { Exactness } from '../query/index.ts';

/** What a row is: the inner flow in its tunnel, the inner flow in its segment, or the outer flow alone. */
export type ReportLayer = 'both' | 'inner' | 'outer';

/** Columns a report can be sorted by. */
export const REPORT_SORTS = ['bytes', 'packets', 'source', 'destination', 'protocol', 'tunnel'] as const;
export type ReportSort = (typeof REPORT_SORTS)[number];

/** One row: a unidirectional flow. */
export interface ReportRow {
  readonly protocol: string;
  /** Address; a MAC where the frame has no addresses; `(overflow)` or `(folded)` where a row stands for many. */
  readonly source: string;
  /** Port, 0 where the protocol has none; `null` where the source is no address. */
  readonly sourcePort: number | null;
  readonly destination: string;
  readonly destinationPort: number | null;
  /** `vxlan 10001 172.16.1.100 > 172.16.1.101`; of the inner layer without addresses; empty for plain flows. */
  readonly tunnel: string;
  readonly packets: bigint;
  readonly bytes: bigint;
}

/** How a report is printed. */
export interface ReportOptions {
  /** Default `bytes`; counts descending, words ascending; ties in a fixed order. */
  readonly sort?: ReportSort;
  /** Rows printed at most; the rest is summed up in a line. Default all. */
  readonly top?: number;
  /** When given, a last line says what is in no row. */
  readonly exactness?: Exactness;
  /** Emphasis with ANSI escapes; only for terminals. Default off. */
  readonly colour?: boolean;
}

/** Text for `--help` on what the numbers count. */
export const REPORT_COUNTS =
  'PACKETS and BYTES count the wire: every segment of an offloaded super-packet, with Ethernet headers.';

/**
 * Rows of a layer. Uniflows that differ only in what a row does not show (ICMP type, VLAN, fragments) are added up;
 * tunnels and segments never are, so two tenants with equal addresses stay two rows.
 *
 * @param uniflows of `LiveView.uniflows('all')` for totals since the start, of `'5s'` or `'1m'` for a window; for
 *   exactly one report interval, of a view that was made anew at its beginning
 */
export function reportRows(uniflows: Iterable<Uniflow>, layer: ReportLayer = 'both'): ReportRow[] {
  const rows = new Map<string, { -readonly [Key in keyof ReportRow]: ReportRow[Key] }>();
  for (const uniflow of uniflows) {
    const row =
      layer === 'outer' && uniflow.outerSource !== null ? outerRow(uniflow) : innerRow(uniflow, layer);
    const key = rowKey(row);
    const known = rows.get(key);
    if (known) {
      known.packets += row.packets;
      known.bytes += row.bytes;
    } else rows.set(key, row);
  }
  return [...rows.values()];
}

function innerRow(uniflow: Uniflow, layer: ReportLayer): ReportRow {
  const source = uniflow.source;
  const destination = uniflow.destination;
  return {
    protocol: reportProtocol(uniflow),
    source,
    sourcePort: parseAddress(source) ? (uniflow.sourcePort ?? 0) : null,
    destination,
    destinationPort: parseAddress(destination) ? (uniflow.destinationPort ?? 0) : null,
    tunnel: tunnelText(uniflow, layer),
    packets: uniflow.wirePackets,
    bytes: uniflow.wireOctets,
  };
}

/** The ports of an outer flow are not in its records (the source port changes by inner flow), so none is claimed. */
function outerRow(uniflow: Uniflow): ReportRow {
  return {
    protocol: uniflow.tunnelKind.toUpperCase(),
    source: uniflow.outerSource!,
    sourcePort: 0,
    destination: uniflow.outerDestination!,
    destinationPort: 0,
    tunnel: '',
    packets: uniflow.wirePackets,
    bytes: uniflow.wireOctets,
  };
}

/** As everywhere, except that IP protocol 0 is `IP`, its name in the reference's report. */
function reportProtocol(uniflow: Uniflow): string {
  return uniflow.protocolWord === 'HOPOPT' ? 'IP' : uniflow.protocolWord;
}

function tunnelText(uniflow: Uniflow, layer: ReportLayer): string {
  if (uniflow.tunnelId === null) return '';
  const segment = `${uniflow.tunnelKind} ${tunnelIdText(uniflow.tunnelKind, uniflow.tunnelId)}`.trimEnd();
  return layer === 'inner' || uniflow.outerSource === null
    ? segment
    : `${segment} ${uniflow.outerSource} > ${uniflow.outerDestination}`;
}

function rowKey(row: ReportRow): string {
  return `${row.protocol} ${endpoint(row.source, row.sourcePort)} ${endpoint(row.destination, row.destinationPort)} ${row.tunnel}`;
}

/** The report as text, each line ended by a newline. Columns only widen where something does not fit. */
export function formatReport(rows: readonly ReportRow[], options: ReportOptions = {}): string {
  const sorted = sortRows(rows, options.sort ?? 'bytes');
  const shown = sorted.slice(0, options.top);
  const cells = shown.map((row) => [
    row.protocol,
    endpoint(row.source, row.sourcePort),
    endpoint(row.destination, row.destinationPort),
    row.packets.toString(),
    reportBytes(row.bytes),
    row.tunnel,
  ]);
  const widths = MINIMAL_WIDTHS.map((width, i) => Math.max(width, ...cells.map((row) => row[i]!.length)));
  const hasTunnel = shown.some((row) => row.tunnel !== '');
  const line = (row: readonly string[]): string => {
    const text = widths.map((width, i) => row[i]!.padEnd(width)).join(' ');
    return hasTunnel && row[5] !== '' ? `${text} ${row[5]}` : text;
  };
  const paint = (text: string, code: number): string =>
    options.colour ? `\x1b[${code}m${text}\x1b[0m` : text;
  const lines = [paint(line(HEADER).trimEnd(), BOLD), ...cells.map(line)];
  const rest = sorted.slice(shown.length);
  if (rest.length > 0) lines.push(paint(restLine(rest), DIM));
  const missing = options.exactness ? exactnessLine(options.exactness) : '';
  if (missing !== '') lines.push(paint(missing, YELLOW));
  return `${lines.join('\n')}\n`;
}

const HEADER = ['PROTOCOL', 'SOURCE', 'DESTINATION', 'PACKETS', 'BYTES', 'TUNNEL'] as const;
const MINIMAL_WIDTHS = [8, 21, 21, 7, 7];
const BOLD = 1;
const DIM = 2;
const YELLOW = 33;

function restLine(rest: readonly ReportRow[]): string {
  const bytes = rest.reduce((sum, row) => sum + row.bytes, 0n);
  return `and ${rest.length} more ${rest.length === 1 ? 'flow' : 'flows'}: ${reportBytes(bytes)}`;
}

/** What is in no row, in one line; empty when everything is. */
export function exactnessLine({ overflow, ledger, unexplained }: Exactness): string {
  const parts: string[] = [];
  const packets = ledger.reduce((sum, line) => sum + line.packets, 0);
  if (ledger.length > 0) {
    const reasons = ledger.map((line) => `${line.reason} ${line.packets}`).join(', ');
    parts.push(`not in a flow: ${packets} packets (${reasons})`);
  }
  if (overflow.packets > 0) parts.push(`without detail, flow cache full: ${overflow.packets} packets`);
  if (unexplained.packets !== 0 || unexplained.octets !== 0)
    parts.push(`unexplained: ${unexplained.packets} packets, ${unexplained.octets} octets`);
  return parts.join('; ');
}

/** `10.0.0.1:80`, `[fd00::1]:80`; what is no address stands alone. */
function endpoint(address: string, port: number | null): string {
  if (port === null) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

const UNITS = ['', ' KiB', ' MiB', ' GiB', ' TiB', ' PiB', ' EiB'] as const;

/** Below 1 KiB the plain number, then two decimals and an IEC unit. */
export function reportBytes(bytes: bigint): string {
  if (bytes < 1024n) return bytes.toString();
  let step = 0;
  let rest = Number(bytes);
  // 1023.999 would print as 1024.00: the next unit begins where rounding does.
  while (rest >= (step === 0 ? 1024 : 1023.995) && step < UNITS.length - 1) {
    rest /= 1024;
    step++;
  }
  return `${rest.toFixed(2)}${UNITS[step]}`;
}

type Compare = (a: ReportRow, b: ReportRow) => number;

/** Sorts into a total order: whatever is asked for first, then bytes, packets and every word, so ties never shuffle. */
function sortRows(rows: readonly ReportRow[], sort: ReportSort): ReportRow[] {
  const addressKeys = new Map<string, string>();
  const addressKey = (address: string): string => {
    let key = addressKeys.get(address);
    if (key === undefined) {
      const octets = parseAddress(address);
      key = octets ? Buffer.from(octets).toString('hex') : `~${address}`;
      addressKeys.set(address, key);
    }
    return key;
  };
  const by: Record<ReportSort, Compare> = {
    bytes: (a, b) => descending(a.bytes, b.bytes),
    packets: (a, b) => descending(a.packets, b.packets),
    source: (a, b) =>
      ascending(addressKey(a.source), addressKey(b.source)) || (a.sourcePort ?? -1) - (b.sourcePort ?? -1),
    destination: (a, b) =>
      ascending(addressKey(a.destination), addressKey(b.destination)) ||
      (a.destinationPort ?? -1) - (b.destinationPort ?? -1),
    protocol: (a, b) => ascending(a.protocol, b.protocol),
    tunnel: (a, b) => ascending(a.tunnel, b.tunnel),
  };
  const order = [sort, ...REPORT_SORTS];
  return [...rows].sort((a, b) => {
    for (const name of order) {
      const difference = by[name](a, b);
      if (difference !== 0) return difference;
    }
    return 0;
  });
}

function ascending(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function descending(a: bigint, b: bigint): number {
  return a > b ? -1 : a < b ? 1 : 0;
}
