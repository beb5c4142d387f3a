/** Answers to questions about the past: from the question to the rows of the answer. */
import type { DuckDBValue } from '@duckdb/node-api';
import {
  type Dimension,
  type HistoryQuestion,
  MAX_STEPS,
  OTHER,
  type ResultTable,
  TUNNELS_COLUMNS,
} from '../query/index.ts';
import type { Catalogue } from './catalogue.ts';
import type { Connection, Row } from './database.ts';
import {
  type AgentNames,
  type Cell,
  type ColumnKind,
  DIMENSION_SQL,
  type DimensionSql,
} from './dimensions.ts';
import { StoreError } from './error.ts';
import { finest } from './filter-sql.ts';
import { FLOW_DETAILS } from './flow-details.ts';
import { type Cover, coverSpan, type Span } from './pieces.ts';
import {
  compareSql,
  dimensionsOf,
  flowsSql,
  groupColumns,
  ledgerSql,
  ledgerStepsSql,
  type Needs,
  needPoints,
  needsOf,
  type Rows,
  seriesSql,
  sumsSql,
  tableOf,
  topSql,
} from './question-sql.ts';
import { levelOfStep, usualStepMs } from './steps.ts';
import { knownColumns, knownSql, SUFFERING_COLUMNS, sufferingSql } from './tunnel-suffering.ts';
import { readTunnels, tunnelsSql } from './tunnels-sql.ts';

/** An answer without the time it took. */
export type Answer = Omit<ResultTable, 'tookMs'>;

/** A question made ready: the SQL that answers it, and how its rows become the answer. */
export interface Plan {
  readonly sql: string;
  readonly ledgerSql: string;
  readonly columns: ResultTable['columns'];
  readonly cover: Cover;
  /** Of a series. */
  readonly steps?: { readonly stepMs: number; readonly ledgerSql: string };
  /** Where not every span knows all columns: what says which this one does. */
  readonly known?: {
    readonly sql: string;
    readonly columns: (found: Row) => (name: string) => boolean;
  };
  readonly read: (
    rows: readonly Row[],
    agentNames: AgentNames,
  ) => Pick<Answer, 'rows' | 'total' | 'isCut' | 'count'>;
}

/** Makes a question ready. @throws StoreError for what is not kept so far back, FilterError */
export function planOf(question: HistoryQuestion, catalogue: Catalogue, intervalMs: number): Plan {
  const needs = needsOf(question);
  const dimensions = dimensionsOf(question);
  const { quantity, limit } = question;
  const grouping = { dimensions, quantity, limit };
  const withPoints = needPoints(dimensions);
  const { points } = catalogue;
  const isOfGroups = question.ask !== 'flows' && question.ask !== 'tunnels' && catalogue.hasTotals;
  const table = isOfGroups ? tableOf(needs, { dimensions, quantity, points }) : 'flow';
  const rowsOf = (
    span: Span,
    { coarsest, because }: Pick<Needs, 'coarsest' | 'because'> = needs,
  ): Rows & { readonly cover: Cover } => {
    const cover = coverSpan(span, { levels: catalogue, coarsest, intervalMs });
    refuseCoarse(span, { cover, coarsest, because, catalogue, intervalMs });
    return { pieces: cover.pieces, needs, points, withPoints, table, cover };
  };
  const named = (name: string, kind: ColumnKind): { name: string; kind: ColumnKind } => ({ name, kind });
  const groups = dimensions.map((each) => named(each, definition(each).kind));
  switch (question.ask) {
    case 'top':
    case 'matrix':
    case 'distinct': {
      const rows = rowsOf(question);
      return {
        sql: topSql(rows, grouping),
        ledgerSql: ledgerSql(rows.pieces),
        columns: [...groups, ...sumColumns(quantity)],
        cover: rows.cover,
        read: (found, agents) => readTop(found, dimensions, sumsSql(quantity).length, agents),
      };
    }
    case 'series': {
      const stepMs = stepOf(question, catalogue, intervalMs);
      const coarsest = finest([needs.coarsest, levelOfStep(stepMs)]);
      const because = coarsest === needs.coarsest ? needs.because : `steps of ${stepMs / 1000} s`;
      const rows = rowsOf(question, { coarsest, because });
      return {
        sql: seriesSql(rows, { ...grouping, stepMs }),
        ledgerSql: ledgerSql(rows.pieces),
        columns: [named('time', 'time'), ...groups, ...sumColumns(quantity)],
        cover: rows.cover,
        steps: { stepMs, ledgerSql: ledgerStepsSql(rows.pieces, stepMs) },
        read: (found, agents) => readSeries(found, dimensions, agents),
      };
    }
    case 'flows': {
      const rows = rowsOf(question);
      return {
        sql: flowsSql(rows, { quantity, limit }),
        ledgerSql: ledgerSql(rows.pieces),
        columns: FLOW_DETAILS.map(({ name, kind }) => named(name, kind)),
        cover: rows.cover,
        read: readFlows,
      };
    }
    case 'tunnels': {
      const { coarsest, because } = needs;
      const exact = { coarsest: finest([coarsest, 'minute']), because };
      const cover = coverSpan(question, { levels: catalogue, coarsest: exact.coarsest, intervalMs });
      const isExact = toldFromMs(question, { cover, ...exact, catalogue, intervalMs }) === undefined;
      const rows = rowsOf(question, isExact ? exact : needs);
      const suffered = catalogue.hasTunnels ? sufferingSql(rows) : undefined;
      return {
        sql: tunnelsSql(rows, { quantity: question.quantity, limit, isExact, suffered }),
        ledgerSql: ledgerSql(rows.pieces),
        columns: [...TUNNELS_COLUMNS, ...(suffered ? SUFFERING_COLUMNS : [])],
        ...(suffered && { known: { sql: knownSql(rows.pieces), columns: knownColumns } }),
        cover: rows.cover,
        read: readTunnels,
      };
    }
    case 'compare': {
      const now = rowsOf(question);
      const before = rowsOf(question.before);
      const sums = sumColumns(quantity);
      return {
        sql: compareSql(
          { ...now, lengthMs: question.toMs - question.fromMs },
          { ...before, lengthMs: question.before.toMs - question.before.fromMs },
          grouping,
        ),
        ledgerSql: ledgerSql(now.pieces),
        columns: [...groups, ...sums, ...sums.map(({ name, kind }) => named(`before.${name}`, kind))],
        cover: now.cover,
        read: (found, agents) => readTop(found, dimensions, 2 * sums.length, agents),
      };
    }
  }
}

/** Asks. The connection's transaction is to be of one moment with the catalogue. */
export async function answerPlan(plan: Plan, connection: Connection, catalogue: Catalogue): Promise<Answer> {
  const agentNames = new Map([...catalogue.agents].map(([name, id]) => [id, name]));
  const found = await connection.rows(plan.sql, 'asking');
  const ledger = await connection.rows(plan.ledgerSql, 'asking');
  const { steps, known } = plan;
  const [knownRow = []] = known ? await connection.rows(known.sql, 'asking') : [];
  const ledgerSteps = steps && (await connection.rows(steps.ledgerSql, 'asking'));
  const { rows, ...sums } = plan.read(found, agentNames);
  return {
    ...columnsThatAre(known?.columns(knownRow), { columns: plan.columns, rows }),
    ...sums,
    covered: plan.cover.covered,
    gaps: [...plan.cover.gaps],
    ...(steps && { stepMs: steps.stepMs }),
    ledger: ledger.map(readLedgerLine),
    ...(ledgerSteps && {
      ledgerSteps: ledgerSteps.map(([step, ...line]) => ({ fromMs: Number(step), ...readLedgerLine(line) })),
    }),
  };
}

/** A table without the columns of which nothing is known. */
function columnsThatAre(
  isKnown: ((name: string) => boolean) | undefined,
  { columns, rows }: Pick<ResultTable, 'columns' | 'rows'>,
): Pick<ResultTable, 'columns' | 'rows'> {
  if (!isKnown || columns.every(({ name }) => isKnown(name))) return { columns: [...columns], rows };
  const isThere = columns.map(({ name }) => isKnown(name));
  const those = <Each>(all: readonly Each[]): Each[] => all.filter((_, at) => isThere[at]);
  return { columns: those(columns), rows: rows.map(those) };
}

function readLedgerLine([reason, octets, packets]: Row): Answer['ledger'][number] {
  return { reason: String(reason), octets: Number(octets), packets: Number(packets) };
}

/** What decides whether rows that are kept tell what is asked. */
interface Telling extends Pick<Needs, 'coarsest' | 'because'> {
  readonly cover: Cover;
  readonly catalogue: Catalogue;
  readonly intervalMs: number;
}

/** @throws StoreError where rows of the levels that tell what is asked are given up, and coarser ones are not */
function refuseCoarse(span: Span, telling: Telling): void {
  const told = toldFromMs(span, telling);
  if (told === undefined) return;
  throw new StoreError('STORE_TOO_COARSE', 'asking the store', {
    found: `before ${new Date(told).toISOString()} ${telling.because} are not kept`,
  });
}

/** From when on rows tell what is asked; undefined where they do as far as any reach. */
function toldFromMs(
  { fromMs }: Span,
  { cover, coarsest, catalogue, intervalMs }: Telling,
): number | undefined {
  if (coarsest === 'hour') return undefined;
  const all = coverSpan({ fromMs, toMs: 8.64e15 }, { levels: catalogue, coarsest: 'hour', intervalMs });
  const reached = all.pieces[0]?.fromMs ?? fromMs;
  const keptMs = Math.min(catalogue.keptFromMs('raw'), catalogue.keptFromMs(coarsest));
  const told = cover.pieces[0]?.fromMs ?? keptMs;
  return told <= Math.max(reached, fromMs) ? undefined : told;
}

function sumColumns(quantity: HistoryQuestion['quantity']): { name: string; kind: ColumnKind }[] {
  return [
    { name: 'octets', kind: 'octets' },
    { name: 'packets', kind: 'packets' },
    ...(quantity === 'payload' ? [{ name: 'payload', kind: 'octets' as const }] : []),
    ...(quantity === 'flows' ? [{ name: 'flows', kind: 'flows' as const }] : []),
  ];
}

const USUAL_STEPS = 240;

/** Length of a step: as asked, or one that gives some two hundred and that rows there are can tell; a multiple of the length of rows. */
function stepOf(
  question: Extract<HistoryQuestion, { ask: 'series' }>,
  catalogue: Catalogue,
  intervalMs: number,
): number {
  const spanMs = question.toMs - question.fromMs;
  const wanted =
    question.stepMs ?? usualStepMs(question, { levels: catalogue, intervalMs, most: USUAL_STEPS });
  const stepMs = Math.ceil(wanted / intervalMs) * intervalMs;
  if (spanMs / stepMs > MAX_STEPS)
    throw new StoreError('STORE_QUERY', 'asking the store', {
      found: `stepMs ${stepMs} makes ${Math.ceil(spanMs / stepMs)} steps, more than ${MAX_STEPS}`,
    });
  return stepMs;
}

function readGroup(
  values: readonly DuckDBValue[],
  dimensions: readonly Dimension[],
  agents: AgentNames,
): Cell[] {
  let at = 0;
  return dimensions.map((each) => {
    const { columns, read } = definition(each);
    const cell = read(values.slice(at, at + columns.length), agents);
    at += columns.length;
    return cell;
  });
}

/** Groups, sums, then octets and packets of all, and how many groups there are. */
function readTop(
  found: readonly Row[],
  dimensions: readonly Dimension[],
  sums: number,
  agents: AgentNames,
): Pick<Answer, 'rows' | 'total' | 'isCut' | 'count'> {
  const width = groupColumns(dimensions).length;
  const [first] = found;
  const [octets = 0, packets = 0, count = 0] = first?.slice(width + sums).map(Number) ?? [];
  return {
    rows: found.map((row) => [
      ...readGroup(row, dimensions, agents),
      ...row.slice(width, width + sums).map(Number),
    ]),
    total: { octets, packets },
    isCut: count > found.length,
    count,
  };
}

function readSeries(
  found: readonly Row[],
  dimensions: readonly Dimension[],
  agents: AgentNames,
): Pick<Answer, 'rows' | 'total' | 'isCut'> {
  const width = groupColumns(dimensions).length;
  const total = { octets: 0, packets: 0 };
  let isCut = false;
  const rows = found.map((row): Cell[] => {
    const [step, place] = row;
    const sums = row.slice(2 + width).map(Number);
    total.octets += sums[0]!;
    total.packets += sums[1]!;
    const isOther = place === null;
    if (isOther) isCut = true;
    const group = isOther ? dimensions.map(() => OTHER) : readGroup(row.slice(2), dimensions, agents);
    return [Number(step), ...group, ...sums];
  });
  return { rows, total, isCut };
}

function readFlows(found: readonly Row[]): Pick<Answer, 'rows' | 'total' | 'isCut' | 'count'> {
  const width = FLOW_DETAILS.reduce((sum, { columns }) => sum + columns.length, 0);
  const [octets = 0, packets = 0, count = 0] = found[0]?.slice(width).map(Number) ?? [];
  const rows = found.map((row) => {
    let at = 0;
    return FLOW_DETAILS.map(({ columns, read }) => {
      const cell = read(row.slice(at, at + columns.length));
      at += columns.length;
      return cell;
    });
  });
  return { rows, total: { octets, packets }, isCut: count > found.length, count };
}

function definition(dimension: Dimension): DimensionSql {
  return DIMENSION_SQL[dimension];
}
