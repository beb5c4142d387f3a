/** The audit as a table: per observation point, from what the interface counted down to what nobody can explain. */
import type { Audit, AuditPart, AuditPoint, AuditSpan } from '../query/index.ts';

/** How much of a table is shown, by what fits. */
interface Layout {
  readonly spans: readonly ('interval' | 'sinceStart')[];
  /** Whether shares stand beside the numbers. */
  readonly hasShares: boolean;
  /** Whether both bounds stand in one row. */
  readonly hasRanges: boolean;
}

/** The richest that fits is taken. */
const LAYOUTS: readonly Layout[] = [
  { spans: ['interval', 'sinceStart'], hasShares: true, hasRanges: true },
  { spans: ['sinceStart'], hasShares: true, hasRanges: true },
  { spans: ['sinceStart'], hasShares: true, hasRanges: false },
  { spans: ['sinceStart'], hasShares: false, hasRanges: false },
];

/** What the rows mean; below the tables. */
const LEGEND = [
  'interface counted: its own counter, at least … at most: what passes while it is read may belong to either epoch.',
  'the hook saw, as it counts: the same in the unit of that counter, as frames of the stack … as packets on the wire.',
  'seen by the hook and below: frames and octets as the stack held them; shares are of this.',
];

/**
 * All points, those that are gone last, and a last line that says whether all is explained.
 *
 * @param width of the terminal: where it is too small for all, the last interval is left out first, then the shares
 * @returns text with a final newline
 */
export function formatAudit(audit: Audit, width: number = Number.POSITIVE_INFINITY): string {
  if (audit.points.length === 0) return 'No interface was metered.\n';
  const tables = LAYOUTS.map((layout) => audit.points.map((point) => tableOf(point, layout)));
  const fits = (lines: readonly string[]): boolean => lines.every((line) => line.length <= width);
  const chosen = tables.find((all) => all.every(fits)) ?? tables.at(-1)!;
  const blocks = audit.points.map((point, i) => [
    ...wrap(headOf(point), width),
    ...chosen[i]!,
    ...notesOf(point).flatMap((note) => wrap(`  ${note}`, width)),
    '',
  ]);
  const legend = LEGEND.flatMap((line) => wrap(line, width));
  return `${[...blocks.flat(), ...legend, '', ...wrap(verdict(audit), width)].join('\n')}\n`;
}

/** Whether all is: by what has stood for several epochs; in a run too short for that, by what stands at its end. */
export function isExplained({ epoch, persistentEpochs, persistent, points }: Audit): boolean {
  if (epoch >= persistentEpochs) return persistent.packets === 0 && persistent.octets === 0;
  return points.every(({ sinceStart: { inside, outside } }) =>
    [inside, outside].every(({ packets, octets }) => packets === 0 && octets === 0),
  );
}

function headOf({ interfaceName, direction, kind, unit, present }: AuditPoint): string {
  const what = [kind || 'device of unknown kind', `counts ${unit}`, ...(present ? [] : ['gone'])].join('; ');
  return `${interfaceName} ${direction} (${what})`;
}

function notesOf({ programs, hint }: AuditPoint): string[] {
  return [
    ...(programs && programs.before.length > 0 ? [`before ours: ${programs.before.join(', ')}`] : []),
    ...(hint === '' ? [] : [hint]),
  ];
}

/** Packets, their share, octets, their share. */
type Cells = readonly [string, string, string, string];

interface Row {
  readonly words: string;
  readonly cells: (span: AuditSpan) => Cells;
}

function tableOf(point: AuditPoint, layout: Layout): string[] {
  const rows = rowsOf(point, layout);
  const label = Math.max(...rows.map(({ words }) => words.length));
  const spans = layout.spans.map((name) => spanLines(point[name], name, { rows, layout }));
  const words = ['', '', ...rows.map((row) => row.words)];
  return words.map((each, i) =>
    `  ${each.padEnd(label)}  ${spans.map((lines) => lines[i]).join('  │  ')}`.trimEnd(),
  );
}

/** The lines of one stretch of time: what it is, the heads of its columns, the rows. */
function spanLines(
  span: AuditSpan,
  name: Layout['spans'][number],
  { rows, layout }: { readonly rows: readonly Row[]; readonly layout: Layout },
): string[] {
  const shown = (cells: Cells): string[] => cells.filter((_, i) => i % 2 === 0 || layout.hasShares);
  const all = [shown(['packets', '%', 'octets', '%']), ...rows.map(({ cells }) => shown(cells(span)))];
  const widths = all[0]!.map((_, i) => Math.max(...all.map((cells) => cells[i]!.length)));
  const lines = all.map((cells) => cells.map((cell, i) => cell.padStart(widths[i]!)).join('  '));
  const seconds = `${span.seconds.toFixed(1)} s`;
  const title = name === 'interval' ? `last ${seconds}` : `since the start, ${seconds}`;
  const width = Math.max(title.length, lines[0]!.length);
  return [title, ...lines].map((line) => line.padStart(width));
}

function rowsOf({ sinceStart }: AuditPoint, { hasRanges }: Layout): Row[] {
  const part = (words: string, of: (span: AuditSpan) => AuditPart): Row => ({
    words,
    cells: (span) => partCells(of(span)),
  });
  const range = (words: string, of: (span: AuditSpan) => AuditSpan['counted']): Row[] =>
    hasRanges || isPoint(of(sinceStart))
      ? [{ words, cells: (span) => rangeCells(of(span)) }]
      : (['least', 'most'] as const).map((end) => ({
          words: `${words}, at ${end}`,
          cells: (span) => countCells(of(span)?.[end]),
        }));
  const ledger = sinceStart.ledger.map(({ reason, level }) =>
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
    ...(sinceStart.overflow.packets > 0 ? [part('  of it without detail', (span) => span.overflow)] : []),
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
function number(value: number): string {
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

function verdict(audit: Audit): string {
  const { points, persistent, epoch, persistentEpochs } = audit;
  if (!isExplained(audit)) {
    if (epoch >= persistentEpochs)
      return `UNEXPLAINED: ${number(persistent.packets)} packets, ${number(persistent.octets)} octets.`;
    return `UNEXPLAINED after only ${epoch} of ${persistentEpochs} epochs: packets may still be under way; look longer.`;
  }
  const audited = points.filter(({ sinceStart }) => sinceStart.counted !== null);
  if (audited.length === 0) return 'No interface told what it counted: nothing could be compared.';
  return `All explained at ${audited.length} of ${points.length} observation points.`;
}

/** Lines of at most `width`, broken at spaces; those that follow keep the indent. */
function wrap(text: string, width: number): string[] {
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
