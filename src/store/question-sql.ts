/** Questions as SQL. Nothing of a question but numbers comes into its text. */

import {
  type Dimension,
  type Filter,
  fieldsOf,
  type HistoryLevel,
  type HistoryQuestion,
  parseHistoryFilter,
} from '../query/index.ts';
import type { PointRow } from './catalogue.ts';
import { FLOW_COLUMNS, TOTAL_COLUMNS, UNIFLOW_COLUMNS } from './columns.ts';
import { DIMENSION_SQL, type DimensionSql, POINT_COLUMNS } from './dimensions.ts';
import { coarsestLevel, filterSql, finest } from './filter-sql.ts';
import { FLOW_DETAILS } from './flow-details.ts';
import type { Piece } from './pieces.ts';
import type { LevelTable } from './schema.ts';
import { moment, whole } from './sql.ts';

/** What of a question decides which rows are read. */
export interface Needs {
  readonly filter: Filter;
  /** The coarsest level whose rows tell what is asked. */
  readonly coarsest: HistoryLevel;
  /** What needs a finer level than the coarsest there is, in words. */
  readonly because: string;
  /** Whether each observation point is summed, not each packet once. */
  readonly isEvery: boolean;
}

/** What a question needs. */
export function needsOf(question: HistoryQuestion): Needs {
  const filter: Filter =
    question.filter === undefined ? { kind: 'any' } : parseHistoryFilter(question.filter);
  const dimensions = dimensionsOf(question);
  const byDimension = dimensions.map((each) => definition(each).coarsest ?? 'hour');
  const fields = fieldsOf(filter);
  const isOfPoints =
    fields.has('iface') ||
    fields.has('direction') ||
    dimensions.includes('iface') ||
    dimensions.includes('direction');
  const isOfFlows = question.ask === 'flows' || question.quantity === 'flows';
  return {
    filter,
    coarsest: finest([coarsestLevel(filter), ...byDimension, ...(isOfFlows ? (['minute'] as const) : [])]),
    because: isOfFlows ? 'single flows' : 'ports from 32768 on',
    isEvery: (question.points ?? (isOfPoints ? 'every' : 'once')) === 'every',
  };
}

/** The dimensions of a question. */
export function dimensionsOf(question: HistoryQuestion): readonly Dimension[] {
  switch (question.ask) {
    case 'distinct':
      return [question.of];
    case 'flows':
    case 'tunnels':
      return [];
    default:
      return question.by;
  }
}

/** What rows are read from: which of which levels, and of those. */
export interface Rows {
  readonly pieces: readonly Piece[];
  readonly needs: Needs;
  readonly points: readonly PointRow[];
  /** Whether they are joined with their points. */
  readonly withPoints: boolean;
  /** Which tables they are read from: those of flows, or of their totals. */
  readonly table: 'flow' | 'total';
}

const TOTAL_KEYS: ReadonlySet<string> = new Set(
  TOTAL_COLUMNS.filter(({ joining }) => joining === 'key').map(({ name }) => name),
);

/** The table with the fewest rows that tell groups by these dimensions, of rows that fit the filter, apart. */
export function tableOf(
  { filter }: Needs,
  { dimensions, quantity, points }: Omit<Grouping, 'limit'> & Pick<Rows, 'points'>,
): Rows['table'] {
  // Sums are not what a row of a flow has: nothing is told apart by them.
  const words = new Set([filterSql(filter, points), ...groupColumns(dimensions)].join(' ').match(/\w+/g));
  const areKnown = FLOW_COLUMNS.every(({ name }) => TOTAL_KEYS.has(name) || !words.has(name));
  return quantity !== 'flows' && areKnown ? 'total' : 'flow';
}

/** The rows as a table to read from. */
export function rowsSql({ pieces, needs, points, withPoints, table }: Rows, more = ''): string {
  const conditions = [
    ...(needs.isEvery ? [] : ['counted']),
    ...(needs.filter.kind === 'any' ? [] : [`(${filterSql(needs.filter, points)})`]),
  ];
  const join = withPoints ? ' JOIN point p ON p.id = f.point' : '';
  const names = withPoints ? POINT_COLUMNS.map((column) => `, p.${column}`).join('') : '';
  const selects = pieces.map(({ level, fromMs, toMs }) =>
    [
      `SELECT f.*${names}${more} FROM ${table}_${level} f${join}`,
      `WHERE period >= ${moment(fromMs)} AND period < ${moment(toMs)}`,
      ...conditions.map((each) => `AND ${each}`),
    ].join(' '),
  );
  if (selects.length === 0) selects.push(`SELECT f.*${names}${more} FROM ${table}_raw f${join} WHERE FALSE`);
  return `(${selects.join(' UNION ALL ')})`;
}

/** Columns that rows are grouped by. */
export function groupColumns(dimensions: readonly Dimension[]): string[] {
  return dimensions.flatMap((each) => definition(each).columns);
}

/** Whether rows must be joined with their points for these. */
export function needPoints(dimensions: readonly Dimension[]): boolean {
  return dimensions.some((each) => definition(each).isOfPoint);
}

/** What tells uniflows apart, as one number. */
export const UNIFLOW = `hash(${UNIFLOW_COLUMNS.join(', ')})`;

/**
 * Sums, in the order in which answers have them: octets, packets, and what else is asked for. DuckDB adds BIGINT, where it
 * knows that the sum fits, in half the time of UBIGINT.
 */
export function sumsSql(quantity: HistoryQuestion['quantity'], filter = ''): string[] {
  const sums = [
    `coalesce(sum(wire_octets::BIGINT)${filter}, 0)`,
    `coalesce(sum(wire_packets::BIGINT)${filter}, 0)`,
  ];
  if (quantity === 'payload') sums.push(`coalesce(sum(payload_octets::BIGINT)${filter}, 0)`);
  if (quantity === 'flows') sums.push(`count(DISTINCT ${UNIFLOW})${filter}`);
  return sums;
}

/** Place of the asked quantity among the sums. */
export function quantityAt(quantity: HistoryQuestion['quantity']): number {
  return { octets: 0, packets: 1, payload: 2, flows: 2 }[quantity];
}

const named = (values: readonly string[], prefix: string): string =>
  values.map((value, nth) => `${value} AS ${prefix}${nth}`).join(', ');
const aliased = (values: readonly string[], as: readonly string[]): string[] =>
  values.map((value, nth) => `${value} AS ${as[nth]}`);
const names = (count: number, prefix: string): string[] =>
  Array.from({ length: count }, (_, nth) => `${prefix}${nth}`);

/** The largest groups: their columns g0…, sums s0…, then octets and packets of all groups, and how many there are. */
export function topSql(rows: Rows, { dimensions, quantity, limit }: Grouping): string {
  const groups = groupColumns(dimensions);
  const sums = sumsSql(quantity);
  const g = names(groups.length, 'g');
  const order = [`s${quantityAt(quantity)} DESC`, ...g.map((each) => `${each} NULLS FIRST`)];
  return [
    `WITH groups AS MATERIALIZED (SELECT ${named(groups, 'g')}, ${named(sums, 's')} FROM ${rowsSql(rows)} GROUP BY ${g.join(', ')}),`,
    'total AS (SELECT sum(s0), sum(s1), count(*) FROM groups)',
    `SELECT * FROM (SELECT * FROM groups ORDER BY ${order.join(', ')} LIMIT ${whole(limit)}) AS largest, total ORDER BY ${order.join(', ')}`,
  ].join(' ');
}

/** How rows are grouped, and which groups are wanted. */
export interface Grouping {
  readonly dimensions: readonly Dimension[];
  readonly quantity: HistoryQuestion['quantity'];
  readonly limit: number;
}

/** Per step: its beginning in ms, the group's place (NULL: all others), the group's columns, sums. */
export function seriesSql(
  rows: Rows,
  { dimensions, quantity, limit, stepMs }: Grouping & { readonly stepMs: number },
): string {
  const step = stepOfPeriod(stepMs);
  const groups = groupColumns(dimensions);
  const g = names(groups.length, 'g');
  const own = sumsSql(quantity);
  const s = names(own.length, 's');
  // By period first, which costs half of dividing each row's time. Numbers of flows do not add up: their rows are read as they are.
  const isAdditive = quantity !== 'flows';
  const parts = isAdditive
    ? `SELECT ${['period', ...aliased(groups, g), ...aliased(own, s)].join(', ')} FROM ${rowsSql(rows)} GROUP BY ${['period', ...g].join(', ')}`
    : `SELECT *, ${aliased(groups, g).join(', ') || 'NULL'} FROM ${rowsSql(rows)}`;
  const sums = isAdditive ? s.map((each) => `sum(${each})`) : own;
  const summed = aliased(sums, names(own.length, 't')).join(', ');
  const materialized = isAdditive ? 'MATERIALIZED' : 'NOT MATERIALIZED';
  if (groups.length === 0)
    return `WITH parts AS ${materialized} (${parts}) SELECT ${step} AS step, 0 AS place, ${summed} FROM parts GROUP BY 1 ORDER BY 1`;
  const order = `${sums[quantityAt(quantity)]} DESC, ${g.map((each) => `${each} NULLS FIRST`).join(', ')}`;
  const same = g.map((each) => `parts.${each} IS NOT DISTINCT FROM largest.${each}`).join(' AND ');
  const largest = g.map((each) => `largest.${each}`).join(', ');
  return [
    `WITH parts AS ${materialized} (${parts}),`,
    `largest AS MATERIALIZED (SELECT *, row_number() OVER () AS place FROM (SELECT ${g.join(', ')} FROM parts GROUP BY ${g.join(', ')} ORDER BY ${order} LIMIT ${whole(limit)}))`,
    `SELECT ${step} AS step, place, ${largest}, ${summed} FROM parts LEFT JOIN largest ON ${same}`,
    `GROUP BY step, place, ${largest} ORDER BY step, place NULLS LAST`,
  ].join(' ');
}

/** Of each group the sums of both spans, what grew most per time first, then octets and packets of all now. */
export function compareSql(
  now: Rows & { readonly lengthMs: number },
  before: Rows & { readonly lengthMs: number },
  { dimensions, quantity, limit }: Grouping,
): string {
  const groups = groupColumns(dimensions);
  const g = names(groups.length, 'g');
  const sums = [
    ...sumsSql(quantity, ' FILTER (WHERE is_now)'),
    ...sumsSql(quantity, ' FILTER (WHERE NOT is_now)'),
  ];
  const at = quantityAt(quantity);
  const half = sums.length / 2;
  const rate = (nth: number, lengthMs: number): string => `s${nth}::DOUBLE / ${whole(Math.max(1, lengthMs))}`;
  const order = [
    `${rate(at, now.lengthMs)} - ${rate(half + at, before.lengthMs)} DESC`,
    ...g.map((each) => `${each} NULLS FIRST`),
  ].join(', ');
  const both = `(SELECT * FROM ${rowsSql(now, ', TRUE AS is_now')} UNION ALL SELECT * FROM ${rowsSql(before, ', FALSE AS is_now')})`;
  return [
    `WITH groups AS MATERIALIZED (SELECT ${named(groups, 'g')}, ${named(sums, 's')} FROM ${both} GROUP BY ${g.join(', ')}),`,
    'total AS (SELECT sum(s0), sum(s1), count(*) FROM groups)',
    `SELECT * FROM (SELECT * FROM groups ORDER BY ${order} LIMIT ${whole(limit)}) AS largest, total ORDER BY ${order}`,
  ].join(' ');
}

/** Single uniflows: the columns of {@link FLOW_DETAILS}, then octets and packets of all, and how many there are. */
export function flowsSql(rows: Rows, { quantity, limit }: Omit<Grouping, 'dimensions'>): string {
  const table = rowsSql(rows);
  const at = quantityAt(quantity === 'flows' ? 'octets' : quantity);
  const sums = sumsSql(quantity === 'payload' ? 'payload' : 'octets');
  const details = FLOW_DETAILS.flatMap(({ columns }) => columns);
  return [
    `WITH uniflows AS MATERIALIZED (SELECT ${UNIFLOW} AS uniflow, ${named(sums, 's')} FROM ${table} GROUP BY 1),`,
    `largest AS MATERIALIZED (SELECT uniflow FROM uniflows ORDER BY s${at} DESC, uniflow LIMIT ${whole(limit)}),`,
    'total AS (SELECT sum(s0), sum(s1), count(*) FROM uniflows),',
    `known AS (SELECT ${named(details, 'c')}, ${named(sums, 's')} FROM ${table} WHERE ${UNIFLOW} IN (SELECT uniflow FROM largest) GROUP BY ${UNIFLOW_COLUMNS.join(', ')})`,
    `SELECT ${[...names(details.length, 'c'), 'total.*'].join(', ')} FROM known, total ORDER BY s${at} DESC, ${names(details.length, 'c').join(', ')}`,
  ].join(' ');
}

/** Octets and packets on the wire that are in no flow, by reason. */
export function ledgerSql(pieces: readonly Piece[]): string {
  return `SELECT reason, sum(wire_octets), sum(wire_packets) FROM ${periodsSql('ledger', pieces)} GROUP BY reason ORDER BY reason`;
}

/** The same per step: its beginning in ms first. */
export function ledgerStepsSql(pieces: readonly Piece[], stepMs: number): string {
  return `SELECT ${stepOfPeriod(stepMs)} AS step, reason, sum(wire_octets), sum(wire_packets) FROM ${periodsSql('ledger', pieces)} GROUP BY step, reason ORDER BY step, reason`;
}

/** The beginning of the step that a row's period is in, ms. */
export function stepOfPeriod(stepMs: number): string {
  return `(epoch_ms(period) // ${whole(stepMs)}) * ${whole(stepMs)}`;
}

/** Rows of the pieces, of a table that stands beside flows. */
export function periodsSql(table: Exclude<LevelTable, 'flow' | 'total'>, pieces: readonly Piece[]): string {
  const selects = pieces.map(
    ({ level, fromMs, toMs }) =>
      `SELECT * FROM ${table}_${level} WHERE period >= ${moment(fromMs)} AND period < ${moment(toMs)}`,
  );
  return selects.length === 0
    ? `(SELECT * FROM ${table}_raw WHERE FALSE)`
    : `(${selects.join(' UNION ALL ')})`;
}

function definition(dimension: Dimension): DimensionSql {
  return DIMENSION_SQL[dimension];
}
