/**
 * The traffic report: one row per unidirectional flow, in the form of the reference (`PROTOCOL SOURCE …`).
 *
 * PACKETS and BYTES count the wire: every segment of a super-packet with its headers, Ethernet included, so both are
 * right with offloads on. Without offloads BYTES equals the length of the frames the stack held.
 */
import { EXCLUDED, excludedOf } from '../flow/index.ts';
import type { Exactness } from '../query/index.ts';
import { type ReportSort, sortRows } from './report-order.ts';
import type { ReportRows } from './report-rows.ts';

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

/** The report as text, in pieces of whole lines. Columns only widen where something does not fit. */
export function* formatReport(rows: ReportRows, options: ReportOptions = {}): Generator<string, void> {
  const sorted = sortRows(rows, options.sort ?? 'bytes');
  const shown = sorted.subarray(0, options.top ?? sorted.length);
  const paint = (text: string, code: number): string =>
    options.colour ? `\x1b[${code}m${text}\x1b[0m` : text;
  const { widths, hasTunnel } = measure(rows, shown);
  const heading = HEADER.map((word, i) => word.padEnd(widths[i]!)).join(' ');
  yield `${paint(hasTunnel ? `${heading} TUNNEL` : heading.trimEnd(), BOLD)}\n`;
  for (let first = 0; first < shown.length; first += PIECE_ROWS)
    yield linesOf(rows, shown.subarray(first, first + PIECE_ROWS), widths);
  if (shown.length < sorted.length) yield `${paint(restLine(rows, sorted.subarray(shown.length)), DIM)}\n`;
  const missing = options.exactness ? exactnessLine(options.exactness) : '';
  if (missing !== '') yield `${paint(missing, YELLOW)}\n`;
}

function linesOf(rows: ReportRows, shown: Uint32Array, widths: readonly number[]): string {
  let lines = '';
  for (const row of shown) {
    for (let i = 0; i < COLUMNS.length; i++) {
      if (i > 0) lines += ' ';
      lines += COLUMNS[i]!(rows, row).padEnd(widths[i]!);
    }
    const tunnel = rows.tunnel(row);
    lines += tunnel === '' ? '\n' : ` ${tunnel}\n`;
  }
  return lines;
}

/**
 * How wide the columns are. Each cell is made here, and again when it is printed: to keep half a million short strings in
 * between costs more time than to make them twice.
 */
function measure(
  rows: ReportRows,
  shown: Uint32Array,
): { readonly widths: readonly number[]; readonly hasTunnel: boolean } {
  const widths = [...MINIMAL_WIDTHS];
  let hasTunnel = false;
  for (const row of shown) {
    for (let i = 0; i < COLUMNS.length; i++) {
      const { length } = COLUMNS[i]!(rows, row);
      if (length > widths[i]!) widths[i] = length;
    }
    hasTunnel ||= rows.tunnel(row) !== '';
  }
  return { widths, hasTunnel };
}

/** The columns but the last one, as text. */
const COLUMNS: readonly ((rows: ReportRows, row: number) => string)[] = [
  (rows, row) => rows.protocol(row),
  (rows, row) => rows.source(row),
  (rows, row) => rows.destination(row),
  (rows, row) => String(rows.packets(row)),
  (rows, row) => reportBytes(rows.bytes(row)),
];

const HEADER = ['PROTOCOL', 'SOURCE', 'DESTINATION', 'PACKETS', 'BYTES'] as const;
const MINIMAL_WIDTHS = [8, 21, 21, 7, 7];
/** Rows of a piece of text: few, because what lives longer than the young generation (a megabyte) is moved about. */
const PIECE_ROWS = 64;
const BOLD = 1;
const DIM = 2;
const YELLOW = 33;

function restLine(rows: ReportRows, rest: Uint32Array): string {
  const bytes = rest.reduce((sum, row) => sum + rows.bytes(row), 0);
  return `and ${rest.length} more ${rest.length === 1 ? 'flow' : 'flows'}: ${reportBytes(bytes)}`;
}

/** What is in no row, in one line; empty when everything is. */
export function exactnessLine({ overflow, ledger, unexplained }: Exactness): string {
  const parts: string[] = [];
  const excluded = excludedOf(ledger).packets;
  const others = ledger.filter(({ reason }) => reason !== EXCLUDED);
  if (others.length > 0) {
    const packets = others.reduce((sum, line) => sum + line.packets, 0);
    const reasons = others.map((line) => `${line.reason} ${line.packets}`).join(', ');
    parts.push(`not in a flow: ${packets} packets (${reasons})`);
  }
  if (excluded > 0) parts.push(`excluded by the rules: ${excluded} packets`);
  if (overflow.packets > 0) parts.push(`without detail, flow cache full: ${overflow.packets} packets`);
  if (unexplained.packets !== 0 || unexplained.octets !== 0)
    parts.push(`unexplained: ${unexplained.packets} packets, ${unexplained.octets} octets`);
  return parts.join('; ');
}

const UNITS = ['', ' KiB', ' MiB', ' GiB', ' TiB', ' PiB', ' EiB'] as const;

/** Below 1 KiB the plain number, then two decimals and an IEC unit. */
export function reportBytes(bytes: number): string {
  if (bytes < 1024) return String(bytes);
  let step = 0;
  let rest = bytes;
  // 1023.999 would print as 1024.00: the next unit begins where rounding does.
  while (rest >= (step === 0 ? 1024 : 1023.995) && step < UNITS.length - 1) {
    rest /= 1024;
    step++;
  }
  return `${rest.toFixed(2)}${UNITS[step]}`;
}
