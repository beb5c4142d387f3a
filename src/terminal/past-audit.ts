/** The audit of a time that is past, as tables: per observation point all of it, and the steps in which something is unexplained. */
import type { PastAudit, PastAuditPoint } from '../query/index.ts';
import { auditTables, headText, number, wrap } from './audit-table.ts';
import { LEVEL_WORDS, spanText, type TableTextOptions, timeText, whenNobodyMetered } from './table.ts';

/** Steps that are printed of a point; more are counted. */
const MOST_STEPS = 10;

/** How it is printed. */
export interface PastAuditOptions extends Pick<TableTextOptions, 'timeZone'> {
  /** Of the terminal; where it is too small for all, shares are left out. */
  readonly width?: number;
}

/** All points, what they stand on, and a last line that says whether all is explained. @returns text with a final newline */
export function formatPastAudit(audit: PastAudit, options: PastAuditOptions): string {
  const { width = Number.POSITIVE_INFINITY, timeZone } = options;
  const { covered, gaps, isCut } = audit;
  if (audit.points.length === 0) return 'Nothing is kept of this time.\n';
  const points = audit.points.map((point) => ({
    head: headText(point),
    spans: [{ title: titleOf(point), span: point.span }],
    notes: [...stepsText(point, audit, timeZone), ...(point.hint === '' ? [] : [point.hint])],
  }));
  const lines = [
    `${spanText(covered, timeZone)} (${timeZone}), ${LEVEL_WORDS[covered.level]}`,
    ...(gaps.length > 0 ? [whenNobodyMetered(gaps, timeZone)] : []),
    ...(isCut ? [`only the ${audit.points.length} points that matter most`] : []),
    verdict(audit),
  ];
  return `${[...auditTables(points, width), '', ...lines.flatMap((line) => wrap(line, width))].join('\n')}\n`;
}

/** Whether all is. */
export function isPastExplained({ unexplained }: Pick<PastAudit, 'unexplained'>): boolean {
  return unexplained.packets === 0 && unexplained.octets === 0;
}

function titleOf({ comparedSeconds }: PastAuditPoint): string {
  return comparedSeconds === 0 ? 'counters not known' : `compared over ${durationText(comparedSeconds)}`;
}

function stepsText({ steps }: PastAuditPoint, { stepMs }: PastAudit, timeZone: string): string[] {
  if (steps.length === 0) return [];
  const shown = steps.slice(-MOST_STEPS);
  const left = steps.length - shown.length;
  return [
    `unexplained by the interface in steps of ${durationText(stepMs / 1000)}:`,
    ...(left > 0 ? [`  ${left} earlier ones`] : []),
    ...shown.map(
      ({ fromMs, packets, octets }) =>
        `  ${timeText(fromMs, timeZone)}  ${number(packets)} packets, ${number(octets)} octets`,
    ),
  ];
}

function durationText(seconds: number): string {
  if (seconds < 120) return `${Math.round(10 * seconds) / 10} s`;
  return seconds < 7200 ? `${(seconds / 60).toFixed(0)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

function verdict({ points, unexplained }: PastAudit): string {
  if (unexplained.packets !== 0 || unexplained.octets !== 0)
    return `UNEXPLAINED: ${number(unexplained.packets)} packets, ${number(unexplained.octets)} octets.`;
  const compared = points.filter(({ comparedSeconds }) => comparedSeconds > 0);
  if (compared.length === 0)
    return 'Of this time the history does not have what interfaces counted: nothing could be compared.';
  return `All explained at ${compared.length} of ${points.length} observation points.`;
}
