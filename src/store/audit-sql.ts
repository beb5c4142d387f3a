/** What is compared of a span, as SQL. Nothing but numbers comes into its text. */
import { REMARK } from '../flow/index.ts';
import { READING_MEMBERS } from './audit-rows.ts';
import type { Piece } from './pieces.ts';
import { stepOfPeriod } from './question-sql.ts';
import { moment } from './sql.ts';

/** Members of a reading, in the order in which answers have them. */
export const READING: readonly string[] = ['epoch', ...Object.keys(READING_MEMBERS)];

/** What of a step adds up, in the order in which answers have them. */
export const STEP_SUMS = [
  'duration_ms',
  'seen_packets',
  'seen_octets',
  'wire_packets',
  'wire_octets',
] as const;

/**
 * Per point and step, oldest first: point, kind, programs before and after, beginning of the step in ms, {@link STEP_SUMS}, what
 * was counted at least and at most (packets, octets), dropped, waiting at the beginning and at the end, the first reading and the
 * last one ({@link READING}).
 *
 * Rows of which epochs are missing in the midst are left out: what the interface counted meanwhile is in none of them. Where one
 * row does not begin with the reading that ended the one before, the bounds of both add up.
 */
export function auditStepsSql(pieces: readonly Piece[], stepMs: number): string {
  const sums = ['epochs', 'packets', 'later_packets', ...STEP_SUMS];
  const later = (name: string): string => `sum(ended.${name}) FILTER (WHERE ends)`;
  const earlier = (name: string): string => `sum(began.${name}) FILTER (WHERE begins)`;
  const waiting = (reading: string): string => `greatest(${reading}.waiting, ${reading}.later_waiting)`;
  const chain = 'OVER (PARTITION BY point, kind, step ORDER BY period)';
  return [
    `WITH rows AS (SELECT point, kind, period, ${stepOfPeriod(stepMs)} AS step,`,
    `max(programs_before) AS programs_before, max(programs_after) AS programs_after,`,
    `${sums.map((name) => `sum(${name}) AS ${name}`).join(', ')}, min(began) AS began, max(ended) AS ended`,
    `FROM ${rowsOf('audit', pieces)} GROUP BY point, kind, period),`,
    'whole AS (SELECT * FROM rows WHERE epochs = ended.epoch - began.epoch AND packets = ended.packets - began.packets',
    'AND later_packets = ended.later_packets - began.later_packets),',
    `chained AS (SELECT *, began IS DISTINCT FROM lag(ended) ${chain} AS begins, ended IS DISTINCT FROM lead(began) ${chain} AS ends FROM whole),`,
    'steps AS (SELECT point, kind, step, max(programs_before) AS programs_before, max(programs_after) AS programs_after,',
    `${STEP_SUMS.map((name) => `sum(${name}) AS ${name}`).join(', ')},`,
    `${later('packets')} - ${earlier('later_packets')} AS least_packets, ${later('octets')} - ${earlier('later_octets')} AS least_octets,`,
    `${later('later_packets')} - ${earlier('packets')} AS most_packets, ${later('later_octets')} - ${earlier('octets')} AS most_octets,`,
    `${later('later_dropped')} - ${earlier('dropped')} AS dropped,`,
    `sum(${waiting('began')}) FILTER (WHERE begins) AS waiting_before, sum(${waiting('ended')}) FILTER (WHERE ends) AS waiting_after,`,
    'min(began) AS began, max(ended) AS ended FROM chained GROUP BY point, kind, step)',
    `SELECT point, kind, programs_before, programs_after, step, ${STEP_SUMS.join(', ')},`,
    'least_packets, least_octets, most_packets, most_octets, dropped, waiting_before, waiting_after,',
    `${['began', 'ended'].flatMap((reading) => READING.map((name) => `${reading}.${name}`)).join(', ')}`,
    'FROM steps ORDER BY point, kind, step',
  ].join(' ');
}

/** Per point: packets and octets as the stack held them, seen before anything else. */
export function seenSql(pieces: readonly Piece[]): string {
  return `SELECT point, sum(packets), sum(octets) FROM ${rowsOf('seen', pieces)} GROUP BY point`;
}

/** Per point, reason and level of tunnels: the same that is in no flow. */
export function ledgerOfPointsSql(pieces: readonly Piece[]): string {
  return `SELECT point, reason, layer, sum(packets), sum(octets) FROM ${rowsOf('ledger', pieces)} GROUP BY point, reason, layer`;
}

/** Per point: the same that is in flows, and of that what has lost its detail. */
export function recordedSql(pieces: readonly Piece[]): string {
  const overflow = `FILTER (WHERE remark & ${REMARK.overflow} <> 0)`;
  return [
    'SELECT point, sum(packets::BIGINT), sum(octets::BIGINT),',
    `coalesce(sum(packets::BIGINT) ${overflow}, 0), coalesce(sum(octets::BIGINT) ${overflow}, 0)`,
    `FROM ${rowsOf('flow', pieces)} GROUP BY point`,
  ].join(' ');
}

function rowsOf(table: 'audit' | 'seen' | 'ledger' | 'flow', pieces: readonly Piece[]): string {
  const within = ({ level, fromMs, toMs }: Piece): string =>
    `SELECT * FROM ${table}_${level} WHERE period >= ${moment(fromMs)} AND period < ${moment(toMs)}`;
  return pieces.length === 0
    ? `(SELECT * FROM ${table}_raw WHERE FALSE)`
    : `(${pieces.map(within).join(' UNION ALL ')})`;
}
