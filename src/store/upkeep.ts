/** What the store does by itself: joining rows to coarser levels, and giving up the oldest. Every step is one transaction. */

import { type HistoryLevel, LEVELS } from '../query/index.ts';
import type { Catalogue } from './catalogue.ts';
import type { Connection } from './database.ts';
import { joinStatement, LEVEL_MS } from './levels.ts';
import { LEVEL_TABLES, type LevelTable } from './schema.ts';
import { moment } from './sql.ts';

/** How long rows of each level are kept, ms; the finer ones not longer than the coarser. */
export interface Retention {
  readonly rawMs: number;
  readonly minuteMs: number;
  readonly hourMs: number;
}

/** Why rows were given up. */
export type GivingUp = (level: HistoryLevel, beforeMs: number, why: 'age' | 'size') => void;

/** What upkeep works on. */
export interface UpkeepOptions {
  readonly connection: Connection;
  readonly catalogue: Catalogue;
  readonly retention: Retention;
  /** What the file may take. */
  readonly maxOctets: number;
  readonly nowMs: number;
  readonly gaveUp?: GivingUp | undefined;
}

const TABLES = Object.keys(LEVEL_TABLES) as LevelTable[];
const HOUR_MS = LEVEL_MS.hour;
/** How much is joined or given up in one transaction, ms: the most of these that has few rows, else the least. */
const STEPS_MS = [24 * HOUR_MS, HOUR_MS, HOUR_MS / 6] as const;
const FEW_ROWS = 1_000_000;
/** Rows of each level are given up by so much, ms. */
const PIECE_MS = { raw: HOUR_MS / 6, minute: HOUR_MS, hour: 24 * HOUR_MS } as const;
/** What size alone does not take while a coarser level has something to give: the last hour, the last day. */
const LEAST_MS = { raw: HOUR_MS, minute: 24 * HOUR_MS, hour: 0 } as const;
/** Of the span of a level, so much is given up at a time for want of room. */
const SHARE = 1 / 20;

/** Joins periods that are complete: those before `newestMs`. Done again after a crash it goes on where it was. */
export async function joinLevels(
  { connection, catalogue, nowMs }: UpkeepOptions,
  newestMs: number,
): Promise<void> {
  const oldestMs = await oldest(connection, 'raw');
  if (oldestMs === undefined) return;
  // An epoch from a wrong clock's future must not make all that follows late.
  const completeMs = Math.min(newestMs, nowMs + HOUR_MS);
  for (const [level, from] of [
    ['minute', 'raw'],
    ['hour', 'minute'],
  ] as const) {
    const length = LEVEL_MS[level];
    const sourceMs = from === 'raw' ? completeMs : (catalogue.rolledMs(from) ?? 0);
    const doneMs = catalogue.rolledMs(level) ?? floor(oldestMs, length);
    const endMs = floor(sourceMs, length);
    for (let done = doneMs; done < endMs; ) {
      // Where nothing is, nothing is to be done.
      const begin = Math.min(floor((await oldest(connection, from, done)) ?? endMs, length), endMs);
      const stepMs = await stepOf(connection, from, begin);
      const end = Math.min(begin + Math.max(stepMs, length), endMs);
      const where = `period >= ${moment(begin)} AND period < ${moment(end)}`;
      await connection.transaction(async () => {
        for (const table of TABLES)
          await connection.run(joinStatement(table, level, { from: `${table}_${from}`, where }));
        await catalogue.setMark(connection, `rolled_${level}`, end);
      });
      done = end;
    }
    if (catalogue.rolledMs(level) === undefined)
      await catalogue.setMark(connection, `rolled_${level}`, doneMs);
  }
}

async function stepOf(connection: Connection, level: HistoryLevel, beginMs: number): Promise<number> {
  for (const stepMs of STEPS_MS) {
    const within = `period >= ${moment(beginMs)} AND period < ${moment(beginMs + stepMs)}`;
    const [row] = await connection.rows(`SELECT count(*) FROM flow_${level} WHERE ${within}`);
    if (Number(row?.[0]) <= FEW_ROWS) return stepMs;
  }
  return STEPS_MS.at(-1)!;
}

/** Gives up rows that are older than they are to become. */
export async function giveUpOld(options: UpkeepOptions): Promise<void> {
  const { catalogue, retention, nowMs } = options;
  for (const level of LEVELS) {
    const wantedMs = floor(nowMs - retention[`${level}Ms`], PIECE_MS[level]);
    await giveUp(options, level, { beforeMs: Math.min(wantedMs, joinedMs(catalogue, level)), why: 'age' });
  }
}

/** Gives up the oldest rows while the file is larger than it may be: of the finest level first, which has the most. */
export async function giveUpForSize(options: UpkeepOptions): Promise<void> {
  const { connection, catalogue, maxOctets } = options;
  if ((await usedOctets(connection)) <= maxOctets) return;
  for (const isLast of [false, true])
    for (const level of LEVELS) {
      for (;;) {
        // What was deleted counts until a checkpoint.
        await checkpoint(connection);
        if ((await usedOctets(connection)) <= maxOctets) return;
        const oldestMs = await oldest(connection, level);
        const newestMs = joinedMs(catalogue, level);
        const leastMs = isLast ? 0 : LEAST_MS[level];
        if (oldestMs === undefined || oldestMs >= newestMs - leastMs) break;
        const share = Math.max((newestMs - oldestMs) * SHARE, PIECE_MS[level]);
        const beforeMs = Math.min(floor(oldestMs + share, PIECE_MS[level]), newestMs - leastMs);
        if (beforeMs <= oldestMs) break;
        await giveUp(options, level, { beforeMs, why: 'size' });
      }
    }
}

/** What the file takes: blocks in use, and what is not yet in it. */
export async function usedOctets(connection: Connection): Promise<number> {
  const [row] = await connection.rows(
    'SELECT block_size, used_blocks, wal_size FROM (SELECT * FROM pragma_database_size()) WHERE database_name = current_database()',
  );
  const [blockSize, usedBlocks, wal] = row ?? [0, 0, '0'];
  return Number(blockSize) * Number(usedBlocks) + sizeOf(String(wal));
}

/** Writes what is in the log into the file, where freed blocks are used again. */
export async function checkpoint(connection: Connection): Promise<void> {
  await connection.run('CHECKPOINT');
}

async function giveUp(
  { connection, catalogue, gaveUp }: UpkeepOptions,
  level: HistoryLevel,
  { beforeMs, why }: { readonly beforeMs: number; readonly why: 'age' | 'size' },
): Promise<void> {
  let isAny = false;
  for (;;) {
    const oldestMs = await oldest(connection, level);
    if (oldestMs === undefined || oldestMs >= beforeMs) break;
    isAny = true;
    const pieceMs = Math.max(await stepOf(connection, level, oldestMs), PIECE_MS[level]);
    const end = Math.min(floor(oldestMs, PIECE_MS[level]) + pieceMs, beforeMs);
    await connection.transaction(async () => {
      for (const table of TABLES)
        await connection.run(`DELETE FROM ${table}_${level} WHERE period < ${moment(end)}`);
      await catalogue.setMark(connection, `kept_${level}`, Math.max(end, catalogue.keptFromMs(level)));
    });
  }
  if (isAny) gaveUp?.(level, beforeMs, why);
}

/** Rows of a level before this are in the next coarser one: no others are given up. */
function joinedMs(catalogue: Catalogue, level: HistoryLevel): number {
  if (level === 'raw') return catalogue.rolledMs('minute') ?? 0;
  return catalogue.rolledMs('hour') ?? 0;
}

/** Beginning of the oldest period of a level that there is, from a moment on. */
async function oldest(connection: Connection, level: HistoryLevel, fromMs = 0): Promise<number | undefined> {
  const each = TABLES.map(
    (table) => `(SELECT min(period) FROM ${table}_${level} WHERE period >= ${moment(fromMs)})`,
  );
  const [row] = await connection.rows(`SELECT epoch_ms(least(${each.join(', ')}))`);
  const [ms] = row ?? [null];
  return ms === null || ms === undefined ? undefined : Number(ms);
}

function floor(ms: number, length: number): number {
  return Math.floor(ms / length) * length;
}

const UNITS: Readonly<Record<string, number>> = {
  bytes: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** A size as DuckDB writes it: `1.5 MiB`. */
function sizeOf(text: string): number {
  const [, number, unit] = /^([\d.]+) (\w+)$/.exec(text) ?? [];
  return Number(number ?? 0) * (UNITS[unit ?? ''] ?? 0);
}
