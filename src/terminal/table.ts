/** Answers about the past, as text: a table with units, and below it what it stands on. */
import { countQuantity, formatQuantity, octetQuantity, type Quantity, shareQuantity } from '../flow/index.ts';
import { type Exported, type ResultTable, wallOf } from '../query/index.ts';

type Kind = ResultTable['columns'][number]['kind'];
type Cell = ResultTable['rows'][number][number];

/** How a table is printed. */
export interface TableTextOptions {
  /** Emphasis with ANSI escapes; only for terminals. */
  readonly colour: boolean;
  /** Whose clocks times are shown by. */
  readonly timeZone: string;
}

const BOLD = 1;
const DIM = 2;
const YELLOW = 33;
/** More gaps than this are counted only. */
const SHOWN_GAPS = 3;
/** What stands where a flow has no value. */
const NOTHING = '-';

/** Kinds that stand to the right. */
const NUMBERS: ReadonlySet<Kind> = new Set(['number', 'octets', 'packets', 'flows', 'share', 'duration']);

/** A line per row, in columns as wide as they need to be. Without rows a line that says so. */
export function formatTable(
  { columns, rows }: Pick<ResultTable, 'columns' | 'rows'>,
  options: TableTextOptions,
): string {
  const zone = options.timeZone;
  const heads = columns.map(({ name }) => visible(name).toUpperCase());
  const cells = rows.map((row) => row.map((cell, i) => cellText(cell, columns[i]!, zone)));
  const widths = heads.map((head, i) =>
    cells.reduce((most, row) => Math.max(most, row[i]!.length), head.length),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (NUMBERS.has(columns[i]!.kind) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  const lines = [paint(line(heads), BOLD, options), ...cells.map(line)];
  if (rows.length === 0) lines.push(paint('nothing', DIM, options));
  return `${lines.join('\n')}\n`;
}

/** What an answer stands on: a line on all of it, and one on each thing that is missing. */
export function formatBasis(table: ResultTable, options: TableTextOptions): string {
  const { total, covered, gaps, ledger, isCut, rows } = table;
  const zone = options.timeZone;
  const span = `${spanText(covered, zone)} (${zone})`;
  const lines = [
    paint(
      `${isCut ? `the first ${rows.length}; ` : ''}in all ${amount(total)}; ${span}, ${LEVEL_WORDS[covered.level]}`,
      DIM,
      options,
    ),
  ];
  if (gaps.length > 0) lines.push(paint(whenNobodyMetered(gaps, zone), YELLOW, options));
  if (ledger.length > 0) {
    const reasons = ledger.map((each) => `${visible(each.reason)} ${amount(each)}`);
    lines.push(paint(`in no flow: ${reasons.join(', ')}`, YELLOW, options));
  }
  return `${lines.join('\n')}\n`;
}

/** What an export has: how many rows, of when and in what detail, and when nobody metered. */
export function formatExported(
  { rows, covered, gaps }: Exported,
  { path, timeZone }: { readonly path: string; readonly timeZone: string },
): string {
  const span = `${spanText(covered, timeZone)} (${timeZone}), ${LEVEL_WORDS[covered.level]}`;
  const lines = [`${rows} ${rows === 1 ? 'row' : 'rows'} in ${path}; ${span}`];
  if (gaps.length > 0) lines.push(whenNobodyMetered(gaps, timeZone));
  return `${lines.join('\n')}\n`;
}

/** Gaps in a line. */
export function whenNobodyMetered(gaps: ResultTable['gaps'], timeZone: string): string {
  const shown = gaps.slice(0, SHOWN_GAPS).map((gap) => spanText(gap, timeZone));
  const more = gaps.length > SHOWN_GAPS ? [`${gaps.length - SHOWN_GAPS} more`] : [];
  return `nobody metered: ${[...shown, ...more].join(', ')}`;
}

/** What an answer is computed from. */
export const LEVEL_WORDS: Readonly<Record<ResultTable['covered']['level'], string>> = {
  raw: 'as it was metered',
  minute: 'from sums by the minute',
  hour: 'from sums by the hour',
  live: 'live',
};

/** Of one packet every octet counts. */
const EXACT: ReadonlySet<string> = new Set(['shortest', 'longest', 'mtu', 'headroom']);

function cellText(cell: Cell, { name, kind }: ResultTable['columns'][number], timeZone: string): string {
  if (cell === null) return NOTHING;
  if (typeof cell === 'string') return visible(cell);
  switch (kind) {
    case 'octets':
      return EXACT.has(name) ? `${cell} B` : signed(cell, octetQuantity);
    case 'packets':
    case 'flows':
      return signed(cell, countQuantity);
    case 'share':
      return signed(cell, (share) => shareQuantity(share, 1));
    case 'bits':
      return `${cell.toFixed(1)} bit`;
    case 'time':
      return timeText(cell, timeZone);
    case 'duration':
      return durationText(cell);
    default:
      return String(cell);
  }
}

/** A part of a millisecond is no less than a round trip on a cable takes. */
function durationText(ms: number): string {
  if (ms < 10 && !Number.isInteger(ms)) return `${ms.toFixed(2)} ms`;
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** What was compared can be less than before. */
function signed(number: number, quantity: (size: number) => Quantity): string {
  return `${number < 0 ? '-' : ''}${formatQuantity(quantity(Math.abs(number)))}`;
}

/** As clocks show it, to the second where that is all. */
export function timeText(ms: number, timeZone: string): string {
  const text = new Date(wallOf(ms, timeZone)).toISOString().slice(0, 23).replace('T', ' ');
  return text.endsWith('.000') ? text.slice(0, -4) : text;
}

/** The day once where it is one. */
export function spanText({ fromMs, toMs }: ResultTable['gaps'][number], timeZone: string): string {
  const [from, to] = [timeText(fromMs, timeZone), timeText(toMs, timeZone)];
  const day = from.slice(0, from.indexOf(' ') + 1);
  return `${from} to ${to.startsWith(day) ? to.slice(day.length) : to}`;
}

function amount({ octets, packets }: { readonly octets: number; readonly packets: number }): string {
  const { number, unit } = countQuantity(packets);
  return `${formatQuantity(octetQuantity(octets))}, ${number} ${unit}pkt`;
}

/** Names come from packets and files: what a terminal would act on is a dot. */
function visible(text: string): string {
  return text.replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '·');
}

/** Emphasis by an ANSI code, where it is wanted. */
export function paint(text: string, code: number, { colour }: TableTextOptions): string {
  return colour ? `\x1b[${code}m${text}\x1b[0m` : text;
}
