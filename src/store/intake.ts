/** Epochs into the tables of the store, within a transaction. */
import { setImmediate } from 'node:timers/promises';
import type { FieldName, FlowBatch, ObservationPoint, TunnelMeasures } from '../flow/index.ts';
import { tunnelMeasures } from '../measure/index.ts';
import { type HistoryLevel, LEVELS } from '../query/index.ts';
import { appendRows, appendValues, type PeriodRows, type RowColumns } from './append.ts';
import { AuditRows } from './audit-rows.ts';
import type { Catalogue } from './catalogue.ts';
import { FLOW_FIELDS, TOTAL_FIELDS } from './columns.ts';
import type { Connection } from './database.ts';
import { StoreError } from './error.ts';
import { IntervalFold, type PointOf, type StoredPoint } from './fold.ts';
import { joinStatement, LEVEL_MS, STAGE_TABLE } from './levels.ts';
import { LEVEL_TABLES } from './schema.ts';
import { moment, text, whole } from './sql.ts';
import { freeTotals, totalsOf } from './totals.ts';
import { TunnelFold, type ValueRow } from './tunnel-fold.ts';

/** Records that are folded before others have their turn: some milliseconds. */
const ROWS_A_TURN = 8192;

/** What an intake needs. */
export interface IntakeOptions {
  readonly connection: Connection;
  readonly catalogue: Catalogue;
  readonly intervalMs: number;
  /** As of {@link EpochStore.commit}. */
  readonly taken?: ((epoch: FlowBatch) => void) | undefined;
}

/** Sums of one point and reason in one period. */
interface LedgerSum {
  readonly point: number;
  readonly reason: string;
  readonly layer: number;
  readonly sums: [octets: bigint, packets: bigint, wireOctets: bigint, wirePackets: bigint];
}

/** What one agent saw in one interval. */
interface Interval {
  readonly periodMs: number;
  readonly fold: IntervalFold;
  readonly seen: Map<number, [octets: bigint, packets: bigint]>;
  readonly ledger: Map<string, LedgerSum>;
  readonly tunnels: TunnelFold;
  readonly audit: AuditRows;
  /** When all is folded. */
  totals: RowColumns | undefined;
}

/** Writes epochs that the store does not have. @returns the end of the newest of them, ms */
export async function takeIn(epochs: readonly FlowBatch[], options: IntakeOptions): Promise<number> {
  const { connection, catalogue, intervalMs } = options;
  const intervals = new Map<string, Interval>();
  let newestMs = 0;
  try {
    for (const batch of epochs.toSorted((a, b) => a.epoch - b.epoch)) {
      check(batch);
      const agent = await catalogue.agent(connection, batch.agent);
      if (catalogue.has(agent, batch.epoch)) continue;
      const periodMs = Math.floor(batch.startMs / intervalMs) * intervalMs;
      const name = `${agent}/${periodMs}`;
      const interval = intervals.get(name) ?? {
        periodMs,
        fold: new IntervalFold(batch.length),
        seen: new Map(),
        ledger: new Map(),
        tunnels: new TunnelFold(),
        audit: new AuditRows(),
        totals: undefined,
      };
      intervals.set(name, interval);
      const measured = tunnelMeasures(batch);
      const pointOf = await pointsOf({ batch, measured, agent }, options);
      await foldBatch(batch, interval, pointOf);
      interval.tunnels.add(batch, measured, pointOf);
      options.taken?.(batch);
      const { epoch, startMs, endMs } = batch;
      await catalogue.addRun(connection, { agent, first: epoch, last: epoch, fromMs: startMs, toMs: endMs });
      newestMs = Math.max(newestMs, periodMs + intervalMs);
    }
    for (const interval of intervals.values()) {
      interval.fold.end();
      interval.totals = await totalsOf(interval.fold);
    }
    await write([...intervals.values()], options);
  } finally {
    for (const { fold, totals } of intervals.values()) {
      fold.free();
      if (totals) freeTotals(totals);
    }
  }
  return newestMs;
}

/** @throws StoreError for what would make the store wrong */
function check({ agent, epoch, startMs, endMs }: FlowBatch): void {
  const wrong =
    (agent === '' && 'its agent has no name') ||
    (!(Number.isSafeInteger(epoch) && epoch >= 0) && `its number is ${epoch}`) ||
    (!(startMs >= 0 && startMs <= endMs && endMs <= 8.64e15) && `it is from ${startMs} to ${endMs}`);
  if (wrong)
    throw new StoreError('STORE_EPOCH', `storing epoch ${epoch} of agent ${agent}`, { found: wrong });
}

/** The stored point of each interface and direction that the batch speaks of. */
async function pointsOf(
  {
    batch,
    measured,
    agent,
  }: {
    readonly batch: FlowBatch;
    readonly measured: TunnelMeasures | undefined;
    readonly agent: number;
  },
  { connection, catalogue }: IntakeOptions,
): Promise<PointOf> {
  const known = new Map<number, StoredPoint>();
  const names = new Map(batch.points.map(({ ifindex, interfaceName }) => [ifindex, interfaceName]));
  const add = async (
    { ifindex, direction }: Pick<ObservationPoint, 'ifindex' | 'direction'>,
    primary = false,
  ) => {
    const key = 2 * ifindex + direction;
    if (known.has(key)) return;
    const words = { ifindex, direction, interfaceName: names.get(ifindex), primary };
    known.set(key, await catalogue.point(connection, agent, words));
  };
  for (const point of batch.points) await add(point, point.primary);
  const { seen, ledger, counters } = batch;
  for (const line of [...seen, ...ledger, ...counters, ...(measured?.tunnels ?? [])]) await add(line);
  const { ifindex, direction } = batch.columns;
  for (let row = 0; row < batch.length; row++)
    if (!known.has(2 * ifindex[row]! + direction[row]!))
      await add({ ifindex: ifindex[row]!, direction: direction[row] === 1 ? 1 : 0 });
  return (index, way) => known.get(2 * index + way)!;
}

async function foldBatch(
  batch: FlowBatch,
  { fold, seen, ledger, audit }: Interval,
  pointOf: PointOf,
): Promise<void> {
  for (let from = 0; from < batch.length; from += ROWS_A_TURN) {
    fold.add(batch, pointOf, { from, to: Math.min(from + ROWS_A_TURN, batch.length) });
    await setImmediate();
  }
  for (const { ifindex, direction, octets, packets } of batch.seen) {
    const point = pointOf(ifindex, direction).id;
    const [before, packetsBefore] = seen.get(point) ?? [0n, 0n];
    seen.set(point, [before + octets, packetsBefore + packets]);
  }
  for (const { ifindex, direction, reason, level, octets, packets, wire } of batch.ledger) {
    const point = pointOf(ifindex, direction).id;
    const key = `${point}/${level}/${reason}`;
    const line = ledger.get(key) ?? { point, reason, layer: level, sums: [0n, 0n, 0n, 0n] };
    ledger.set(key, line);
    for (const [i, more] of [octets, packets, wire?.octets ?? octets, wire?.packets ?? packets].entries())
      line.sums[i]! += more;
  }
  audit.add(batch, (ifindex, direction) => pointOf(ifindex, direction).id);
}

/** Levels that rows of a period go to: those that hold it already take what comes late along with the finest. */
function levelsOf(periodMs: number, catalogue: Catalogue): HistoryLevel[] {
  return LEVELS.filter((level) => {
    const isThere = level === 'raw' || periodMs < (catalogue.rolledMs(level) ?? 0);
    return isThere && periodMs >= catalogue.keptFromMs(level);
  });
}

async function write(
  intervals: readonly Interval[],
  { connection, catalogue }: IntakeOptions,
): Promise<void> {
  const isTimely = ({ periodMs }: Interval): boolean => levelsOf(periodMs, catalogue).join() === 'raw';
  const rowsOf = ({ periodMs, fold }: Interval): PeriodRows => ({ periodMs, rows: fold });
  await append('flow_raw', intervals.filter(isTimely).map(rowsOf), { fields: FLOW_FIELDS, connection });
  const late = intervals.filter((each) => !isTimely(each));
  if (late.length > 0) {
    await append(STAGE_TABLE, late.map(rowsOf), { fields: FLOW_FIELDS, connection });
    for (const level of LEVELS) {
      const periods = late.filter(({ periodMs }) => levelsOf(periodMs, catalogue).includes(level));
      if (periods.length === 0) continue;
      const where = `period IN (${[...new Set(periods.map(({ periodMs }) => moment(periodMs)))].join(', ')})`;
      await connection.run(
        level === 'raw'
          ? `INSERT INTO flow_raw SELECT * FROM ${STAGE_TABLE} WHERE ${where}`
          : joinStatement('flow', level, { from: STAGE_TABLE, where }),
      );
    }
    await connection.run(`DELETE FROM ${STAGE_TABLE}`);
  }
  for (const level of LEVELS) {
    const own = intervals.filter(({ periodMs }) => levelsOf(periodMs, catalogue).includes(level));
    const beginMsOf = ({ periodMs }: Interval): number =>
      level === 'raw' ? periodMs : Math.floor(periodMs / LEVEL_MS[level]) * LEVEL_MS[level];
    const beginOf = (interval: Interval): string => moment(beginMsOf(interval));
    const totals = own.map((each) => ({ periodMs: beginMsOf(each), rows: each.totals! }));
    await append(`total_${level}`, totals, { fields: TOTAL_FIELDS, connection });
    const seen = own.flatMap((interval) =>
      [...interval.seen].map(([point, sums]) => [beginOf(interval), whole(point), ...sums.map(whole)]),
    );
    await insert(`seen_${level}`, seen, connection);
    const ledger = own.flatMap((interval) =>
      [...interval.ledger.values()].map(({ point, reason, layer, sums }) => [
        beginOf(interval),
        whole(point),
        text(reason),
        whole(layer),
        ...sums.map(whole),
      ]),
    );
    await insert(`ledger_${level}`, ledger, connection);
    const audit = own.flatMap((interval) =>
      [...interval.audit.values()].map((values) => [beginOf(interval), ...values]),
    );
    await insert(`audit_${level}`, audit, connection);
    await appendTables(
      level,
      own.map((each) => ({ periodMs: beginMsOf(each), tunnels: each.tunnels })),
      connection,
    );
  }
}

/** What a level has beside flows: of tunnels, and of links. */
async function appendTables(
  level: HistoryLevel,
  intervals: readonly Pick<Interval, 'periodMs' | 'tunnels'>[],
  connection: Connection,
): Promise<void> {
  const tables: Readonly<Record<'tunnel' | 'round_trip' | 'link', (of: TunnelFold) => ValueRow[]>> = {
    tunnel: (of) => of.tunnelRows(),
    round_trip: (of) => of.roundTripRows(),
    link: (of) => of.linkRows(),
  };
  for (const [table, rowsOf] of Object.entries(tables) as [
    keyof typeof tables,
    (of: TunnelFold) => ValueRow[],
  ][]) {
    const periods = intervals.map(({ periodMs, tunnels }) => ({ periodMs, rows: rowsOf(tunnels) }));
    if (periods.every(({ rows }) => rows.length === 0)) continue;
    const appender = await connection.raw.createAppender(`${table}_${level}`);
    appendValues(appender, LEVEL_TABLES[table], periods);
    appender.closeSync();
  }
}

/** One appender for all: each one takes a block of memory per column. */
async function append(
  table: string,
  periods: readonly PeriodRows[],
  { fields, connection }: { readonly fields: readonly FieldName[]; readonly connection: Connection },
): Promise<void> {
  if (periods.every(({ rows }) => rows.length === 0)) return;
  const appender = await connection.raw.createAppender(table);
  await appendRows(appender, periods, fields);
  // Of an appender that failed there is nothing to close: it goes with the transaction.
  appender.closeSync();
}

async function insert(
  table: string,
  rows: readonly (readonly string[])[],
  connection: Connection,
): Promise<void> {
  if (rows.length === 0) return;
  await connection.run(`INSERT INTO ${table} VALUES ${rows.map((row) => `(${row.join(', ')})`).join(', ')}`);
}
