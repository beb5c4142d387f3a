/** The audit as a table: per observation point, from what the interface counted down to what nobody can explain. */
import type { Audit, AuditPart, AuditPoint, AuditSpan } from '../query/index.ts';

/** Cells of one row: packets, share, octets, share; twice, for the last interval and since the start. */
interface Row {
  readonly words: string;
  readonly cells: readonly string[];
}

/** What the rows mean; below the tables. */
const LEGEND = [
  'interface counted: its own counter, at least … at most: what passes while it is read may belong to either epoch.',
  'the hook saw, as it counts: the same in the unit of that counter, as frames of the stack … as packets on the wire.',
  'seen by the hook and below: frames and octets as the stack held them; shares are of this.',
].join('\n');

/**
 * All points, those that are gone last, and a last line that says whether all is explained.
 *
 * @returns text with a final newline
 */
export function formatAudit(audit: Audit): string {
  if (audit.points.length === 0) return 'No interface was metered.\n';
  const tables = audit.points.map(formatPoint).join('\n');
  return `${tables}\n${LEGEND}\n\n${verdict(audit)}\n`;
}

function formatPoint(point: AuditPoint): string {
  const { interval, sinceStart, interfaceName, direction, kind, present, unit, programs, hint } = point;
  const what = [kind || 'device of unknown kind', `counts ${unit}`, ...(present ? [] : ['gone'])].join('; ');
  const rows: Row[] = [
    { words: '', cells: ['packets', '%', 'octets', '%', 'packets', '%', 'octets', '%'] },
    ...rowsOf(interval, sinceStart),
  ];
  const widths = rows[0]!.cells.map((_, i) => Math.max(...rows.map(({ cells }) => cells[i]!.length)));
  const label = Math.max(...rows.map(({ words }) => words.length));
  const lines = rows.map(({ words, cells }) => {
    const [a, b] = [0, 4].map((from) =>
      cells
        .slice(from, from + 4)
        .map((cell, i) => cell.padStart(widths[from + i]!))
        .join('  '),
    );
    return `  ${words.padEnd(label)}  ${a}  │  ${b}`.trimEnd();
  });
  const left = widths.slice(0, 4).reduce((sum, width) => sum + width, 6);
  const spans = [
    `last ${interval.seconds.toFixed(1)} s`,
    `since the start, ${sinceStart.seconds.toFixed(1)} s`,
  ];
  const head = `  ${''.padEnd(label)}  ${spans[0]!.padStart(left)}  │  ${spans[1]}`;
  const notes = [
    ...(programs && programs.before.length > 0 ? [`  before ours: ${programs.before.join(', ')}`] : []),
    ...(hint === '' ? [] : [`  ${hint}`]),
  ];
  return `${[`${interfaceName} ${direction} (${what})`, head, ...lines, ...notes].join('\n')}\n`;
}

function rowsOf(interval: AuditSpan, sinceStart: AuditSpan): Row[] {
  const both = (words: string, cells: (span: AuditSpan) => string[]): Row => ({
    words,
    cells: [...cells(interval), ...cells(sinceStart)],
  });
  const part = (words: string, of: (span: AuditSpan) => AuditPart): Row =>
    both(words, (span) => partCells(of(span)));
  const ledger = sinceStart.ledger.map(({ reason, level }) =>
    part(`ledger: ${reason}${level > 0 ? ` (inside ${level})` : ''}`, (span) => {
      const found = span.ledger.find((line) => line.reason === reason && line.level === level);
      return found ?? { packets: 0, octets: 0, packetShare: 0, octetShare: 0 };
    }),
  );
  return [
    both('interface counted', ({ counted }) =>
      counted ? rangeCells(counted) : ['not known', '', 'not known', ''],
    ),
    both('the hook saw, as it counts', ({ expected }) => rangeCells(expected)),
    part('unexplained by the interface', (span) => span.outside),
    both('seen by the hook', ({ seen }) => [number(seen.packets), '', number(seen.octets), '']),
    part('recorded in flows', (span) => span.recorded),
    ...(sinceStart.overflow.packets > 0 ? [part('  of it without detail', (span) => span.overflow)] : []),
    ...ledger,
    part('unexplained by the flows', (span) => span.inside),
  ];
}

function rangeCells({ least, most }: NonNullable<AuditSpan['counted']>): string[] {
  const range = (a: number, b: number): string => (a === b ? number(a) : `${number(a)} … ${number(b)}`);
  return [range(least.packets, most.packets), '', range(least.octets, most.octets), ''];
}

function partCells({ packets, octets, packetShare, octetShare }: AuditPart): string[] {
  return [number(packets), share(packetShare), number(octets), share(octetShare)];
}

/** Grouped by thin spaces that every terminal has: plain ones. */
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

function verdict({ points, persistent }: Audit): string {
  const audited = points.filter(({ sinceStart }) => sinceStart.counted !== null);
  if (persistent.packets > 0 || persistent.octets > 0)
    return `UNEXPLAINED: ${number(persistent.packets)} packets, ${number(persistent.octets)} octets.`;
  if (audited.length === 0) return 'No interface told what it counted: nothing could be compared.';
  return `All explained at ${audited.length} of ${points.length} observation points.`;
}
