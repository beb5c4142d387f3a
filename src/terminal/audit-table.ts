/** Tables of an audit: one per observation point, from what the interface counted down to what nobody can explain. */
import type { AuditPart, AuditPoint, AuditSpan } from '../query/index.ts';

/** A stretch of time, and what stands above its columns. */
export interface TitledSpan {
  readonly title: string;
  readonly span: AuditSpan;
}

/** What is printed of an observation point. */
export interface AuditedPoint {
  readonly head: string;
  /** The last one is the one that matters most. */
  readonly spans: readonly TitledSpan[];
  /** Lines behind the table. */
  readonly notes: readonly string[];
}

/** How much of a table is shown, by what fits. */
interface Layout {
  /** So many stretches of time, the last ones. */
  readonly spans: number;
  /** Whether shares stand beside the numbers. */
  readonly hasShares: boolean;
  /** Whether both bounds stand in one row. */
  readonly hasRanges: boolean;
}

/** The richest that fits is taken. */
const LAYOUTS: readonly Layout[] = [
  { spans: 2, hasShares: true, hasRanges: true },
  { spans: 1, hasShares: true, hasRanges: true },
  { spans: 1, hasShares: true, hasRanges: false },
  { spans: 1, hasShares: false, hasRanges: false },
];

/** What the rows mean; below the tables. */
const LEGEND = [
  'interface counted: its own counter, at least … at most: what passes while it is read may belong to either epoch.',
  'the hook saw, as it counts: the same in the unit of that counter, as frames of the stack … as packets on the wire.',
  'seen by the hook and below: frames and octets as the stack held them; shares are of this.',
];

/** The tables, and below them what their rows mean; lines of at most `width`. */
export function auditTables(points: readonly AuditedPoint[], width: number): string[] {
  const tables = LAYOUTS.map((layout) => points.map((point) => tableOf(point, layout)));
  const fits = (lines: readonly string[]): boolean => lines.every((line) => line.length <= width);
  const chosen = tables.find((all) => all.every(fits)) ?? tables.at(-1)!;
  const blocks = points.map(({ head, notes }, i) => [
    ...wrap(head, width),
    ...chosen[i]!,
    ...notes.flatMap((note) => wrap(`  ${note}`, width)),
    '',
  ]);
  return [...blocks.flat(), ...LEGEND.flatMap((line) => wrap(line, width))];
}

/** An observation point in a line. */
export function headText(
  { interfaceName, direction, kind, unit }: Pick<AuditPoint, 'interfaceName' | 'direction' | 'kind' | 'unit'>,
  more: readonly string[] = [],
): string {
  const what = [kind || 'device of unknown kind', `counts ${unit}`, ...more].join('; ');
  return `${interfaceName} ${direction} (${what})`;
}

/** Packets, their share, octets, their share. */
type Cells = readonly [string, string, string, string];

interface Row {
  readonly words: string;
  readonly cells: (span: AuditSpan) => Cells;
}

function tableOf(point: AuditedPoint, layout: Layout): string[] {
  const shown = point.spans.slice(-layout.spans);
  const rows = rowsOf(shown.at(-1)!.span, layout);
  const label = Math.max(...rows.map(({ words }) => words.length));
  const spans = shown.map((each) => spanLines(each, { rows, layout }));
  const words = ['', '', ...rows.map((row) => row.words)];
  return words.map((each, i) =>
    `  ${each.padEnd(label)}  ${spans.map((lines) => lines[i]).join('  │  ')}`.trimEnd(),
  );
}

/** The lines of one stretch of time: what it is, the heads of its columns, the rows. */
function spanLines(
  { title, span }: TitledSpan,
  { rows, layout }: { readonly rows: readonly Row[]; readonly layout: Layout },
): string[] {
  const shown = (cells: Cells): string[] => cells.filter((_, i) => i % 2 === 0 || layout.hasShares);
  const all = [shown(['packets', '%', 'octets', '%']), ...rows.map(({ cells }) => shown(cells(span)))];
  const widths = all[0]!.map((_, i) => Math.max(...all.map((cells) => cells[i]!.length)));
  const lines = all.map((cells) => cells.map((cell, i) => cell.padStart(widths[i]!)).join('  '));
  const width = Math.max(title.length, lines[0]!.length);
  return [title, ...lines].map((line) => line.padStart(width));
}

function rowsOf(main: AuditSpan, { hasRanges }: Layout): Row[] {
  const part = (words: string, of: (span: AuditSpan) => AuditPart): Row => ({
    words,
    cells: (span) => partCells(of(span)),
  });
  const range = (words: string, of: (span: AuditSpan) => AuditSpan['counted']): Row[] =>
    hasRanges || isPoint(of(main))
      ? [{ words, cells: (span) => rangeCells(of(span)) }]
      : (['least', 'most'] as const).map((end) => ({
          words: `${words}, at ${end}`,
          cells: (span) => countCells(of(span)?.[end]),
        }));
  const ledger = main.ledger.map(({ reason, level }) =>
    part(`ledger: ${reason}${level > 0 ? ` (inside ${level})` : ''}`, (span) => {
      const found = span.ledger.find((line) => line.reason === reason && line.level === level);
      return found ?? { packets: 0, octets: 0, packetShare: 0, octetShare: 0 };
    }),
  );
  return [
    ...range('interface counted', ({ counted }) => counted),
    ...range('the hook saw, as it counts', ({ expected }) => expected),
    part('unexplained by the interface', (span) => span.outside),
    { words: 'seen by the hook', cells: ({ seen }) => countCells(seen) },
    part('recorded in flows', (span) => span.recorded),
    ...(main.overflow.packets > 0 ? [part('  of it without detail', (span) => span.overflow)] : []),
    ...ledger,
    part('unexplained by the flows', (span) => span.inside),
  ];
}

function isPoint(counted: AuditSpan['counted']): boolean {
  return (
    counted === null ||
    (counted.least.packets === counted.most.packets && counted.least.octets === counted.most.octets)
  );
}

function rangeCells(counted: AuditSpan['counted']): Cells {
  if (!counted) return countCells(undefined);
  const { least, most } = counted;
  const range = (a: number, b: number): string => (a === b ? number(a) : `${number(a)} … ${number(b)}`);
  return [range(least.packets, most.packets), '', range(least.octets, most.octets), ''];
}

function countCells(count: AuditSpan['seen'] | undefined): Cells {
  if (!count) return ['not known', '', 'not known', ''];
  return [number(count.packets), '', number(count.octets), ''];
}

function partCells({ packets, octets, packetShare, octetShare }: AuditPart): Cells {
  return [number(packets), share(packetShare), number(octets), share(octetShare)];
}

/** Grouped by spaces. */
export function number(value: number): string {
  return Math.trunc(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ' ');
}

/** Four decimals, so that a packet in a million shows; a share too small for that is not 0. */
function share(value: number): string {
  const size = 100 * Math.abs(value);
  if (size > 0 && size < 0.00005) return '< 0.0001';
  return (100 * value).toFixed(4);
}

/** Lines of at most `width`, broken at spaces; those that follow keep the indent. */
export function wrap(text: string, width: number): string[] {
  const indent = /^ */.exec(text)![0];
  const lines: string[] = [];
  let line = '';
  for (const word of text.trim().split(' ')) {
    const longer = line === '' ? indent + word : `${line} ${word}`;
    if (line !== '' && longer.length > width) {
      lines.push(line);
      line = indent + word;
    } else line = longer;
  }
  return [...lines, line];
}
