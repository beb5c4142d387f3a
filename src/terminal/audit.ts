/** The audit as tables: of the newest epoch, and since the start. */
import type { Audit, AuditPoint } from '../query/index.ts';
import { auditTables, headText, number, wrap } from './audit-table.ts';

/**
 * All points, those that are gone last, and a last line that says whether all is explained.
 *
 * @param width of the terminal: where it is too small for all, the last interval is left out first, then the shares
 * @returns text with a final newline
 */
export function formatAudit(audit: Audit, width: number = Number.POSITIVE_INFINITY): string {
  if (audit.points.length === 0) return 'No interface was metered.\n';
  const points = audit.points.map((point) => ({
    head: headText(point, point.present ? [] : ['gone']),
    spans: [
      { title: `last ${point.interval.seconds.toFixed(1)} s`, span: point.interval },
      { title: `since the start, ${point.sinceStart.seconds.toFixed(1)} s`, span: point.sinceStart },
    ],
    notes: notesOf(point),
  }));
  return `${[...auditTables(points, width), '', ...wrap(verdict(audit), width)].join('\n')}\n`;
}

/** Whether all is: by what has stood for several epochs; in a run too short for that, by what stands at its end. */
export function isExplained({ epoch, persistentEpochs, persistent, points }: Audit): boolean {
  if (epoch >= persistentEpochs) return persistent.packets === 0 && persistent.octets === 0;
  return points.every(({ sinceStart: { inside, outside } }) =>
    [inside, outside].every(({ packets, octets }) => packets === 0 && octets === 0),
  );
}

function notesOf({ programs, hint }: AuditPoint): string[] {
  return [
    ...(programs && programs.before.length > 0 ? [`before ours: ${programs.before.join(', ')}`] : []),
    ...(hint === '' ? [] : [hint]),
  ];
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
