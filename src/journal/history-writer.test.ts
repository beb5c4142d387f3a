import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { until } from '../../test/until.ts';
import { batchOf } from '../flow/batch.fixture.ts';
import type { FlowBatch } from '../flow/index.ts';
import { HistoryWriter } from './index.ts';
import { JsonLinesStore, readLines } from './json-lines-store.fixture.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'ts-history-'));
let number = 0;
let directory = '';

beforeEach(async () => {
  directory = join(ROOT, String(number++));
});
after(() => rmSync(ROOT, { recursive: true }));

function epoch(count: number, agent = 'agent'): FlowBatch {
  return batchOf([{ between: ['10.0.0.1', '10.0.0.2'], octets: 100 * count, packets: count }], {
    epoch: count,
    agent,
    startMs: 10_000 * count,
  });
}

interface Told {
  readonly problems: string[];
  readonly recovered: string[];
}

function open(
  openStore: () => Promise<JsonLinesStore>,
  { maxOctets = 10_000_000, closeMs = 10_000 } = {},
): { readonly writer: HistoryWriter<JsonLinesStore>; readonly told: Told } {
  const told: Told = { problems: [], recovered: [] };
  const writer = HistoryWriter.open({
    directory,
    intervalMs: 10_000,
    maxOctets,
    openStore,
    pauseMs: 1,
    closeMs,
    listener: {
      problem: (error) => told.problems.push(error.message),
      recovered: (what) => told.recovered.push(what),
    },
  });
  return { writer, told };
}

const lines = (): string => `${directory}.lines`;
const openLines = async (): Promise<JsonLinesStore> => JsonLinesStore.open(lines());
const stored = (): (readonly [string, number])[] =>
  readLines(lines()).epochs.map(({ agent, epoch: count }) => [agent, count]);
const filesIn = (): string[] => readdirSync(directory).filter((name) => name.endsWith('.epochs'));

test('what is complete is stored and its file goes; the rest at the end', async () => {
  const { writer, told } = open(openLines);
  for (let count = 1; count <= 3; count++) await writer.write(epoch(count));
  await until(() => stored().length === 2, 'two files are stored');
  await until(() => filesIn().length === 1, 'their files are gone');
  assert.equal(writer.counts.storedUpToMs, 21_000);
  await writer.close();
  assert.deepEqual(stored(), [
    ['agent', 1],
    ['agent', 2],
    ['agent', 3],
  ]);
  assert.deepEqual(filesIn(), []);
  assert.deepEqual(told, { problems: [], recovered: [] });
});

test('a store that fails is told once, files stay, and all is stored when it works again', async () => {
  let store: JsonLinesStore | undefined;
  const { writer, told } = open(async () => {
    store = await openLines();
    store.failure = new Error('the disk is full');
    return store;
  });
  for (let count = 1; count <= 5; count++) await writer.write(epoch(count));
  await until(() => told.problems.length > 0, 'the failure is told');
  await until(() => writer.counts.failing !== undefined, 'it counts as failing');
  assert.equal(filesIn().length, 5);
  assert.ok(writer.counts.spoolOctets > 0);
  store!.failure = undefined;
  await until(() => stored().length === 4, 'what was complete is stored');
  await writer.close();
  assert.deepEqual(told, { problems: ['the disk is full'], recovered: ['store'] });
  assert.deepEqual(
    stored().map(([, count]) => count),
    [1, 2, 3, 4, 5],
  );
});

test('a store that cannot be opened is tried again', async () => {
  let tries = 0;
  const { writer, told } = open(async () => {
    if (++tries < 4) throw new Error('locked by another process');
    return openLines();
  });
  await writer.write(epoch(1));
  await until(() => writer.store !== undefined, 'the store is open');
  await writer.close();
  assert.deepEqual(told.problems, ['locked by another process']);
  assert.deepEqual(stored(), [['agent', 1]]);
});

test('what the store never took the next process brings', async () => {
  const failing = async (): Promise<JsonLinesStore> => Promise.reject(new Error('no such store'));
  const { writer } = open(failing);
  for (let count = 1; count <= 4; count++) await writer.write(epoch(count));
  await writer.close();
  assert.equal(filesIn().length, 4);
  const next = open(openLines).writer;
  await next.write(epoch(5));
  // Known: another process yielded it before.
  await next.write(epoch(4));
  await next.close();
  assert.deepEqual(
    stored().map(([, count]) => count),
    [1, 2, 3, 4, 5],
  );
});

test('a store that is busy at the end is closed all the same, and has the rest from the next process', async () => {
  let store: JsonLinesStore | undefined;
  const openStuck = async (): Promise<JsonLinesStore> => {
    store = await openLines();
    store.isStuck = true;
    return store;
  };
  const { writer, told } = open(openStuck, { closeMs: 100 });
  for (let count = 1; count <= 3; count++) await writer.write(epoch(count));
  await until(() => store !== undefined, 'the store is open');
  await writer.close();
  assert.deepEqual([stored(), told.problems], [[], []]);
  assert.equal(filesIn().length, 3);
  const next = open(openLines).writer;
  await next.close();
  assert.deepEqual(
    stored().map(([, count]) => count),
    [1, 2, 3],
  );
});

test('what finds no room is a line of the ledger of the next transaction', async () => {
  let isUp = false;
  const { writer } = open(async () => (isUp ? openLines() : Promise.reject(new Error('down'))), {
    maxOctets: 6_000,
  });
  for (let count = 1; count <= 30; count++) await writer.write(epoch(count));
  assert.ok(writer.counts.dropped.epochs > 0);
  isUp = true;
  await until(() => writer.store !== undefined, 'the store is open');
  await writer.close();
  const { epochs } = readLines(lines());
  const records = epochs.flatMap((each) => each.records as { readonly packets: bigint }[]);
  const recorded = records.reduce((sum, { packets }) => sum + Number(packets), 0);
  const ledger = epochs.flatMap((each) => each.ledger);
  assert.deepEqual(new Set(ledger.map(({ reason }) => reason)), new Set(['history_dropped']));
  const dropped = ledger.reduce((sum, { packets }) => sum + Number(packets), 0);
  assert.equal(recorded + dropped, (30 * 31) / 2);
});
