import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { batchOf, type RecordWords } from '../flow/batch.fixture.ts';
import { createColumns, FIELDS, type FieldName, type FlowBatch, type FlowColumns } from '../flow/index.ts';
import { anyBatch, anyFilter } from '../query/filter/filter.fixture.ts';
import { compileFilter, HistoryQuestionSchema, type HistoryQuestionText } from '../query/index.ts';
import type { PointRow } from './catalogue.ts';
import { filterSql } from './filter-sql.ts';
import { DuckDbStore } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-store-'));
after(() => rmSync(directory, { recursive: true }));
let files = 0;
const newPath = (): string => join(directory, `${++files}.duckdb`);

const { signal } = new AbortController();
const ask = (store: DuckDbStore, question: HistoryQuestionText) =>
  store.answer(HistoryQuestionSchema.parse(question), { signal });

const HOUR = 3_600_000;
const NOON = Date.UTC(2026, 10, 21, 12);
const SPAN = { fromMs: NOON, toMs: NOON + HOUR };
const record = (from: string, to: string, octets: number, more: Partial<RecordWords> = {}): RecordWords => ({
  between: [from, to],
  ports: [40_000, 443],
  protocol: 6,
  octets,
  packets: 1,
  ...more,
});

describe('a DuckDB store', () => {
  it('keeps what is committed, each epoch once, and answers who was largest', async () => {
    const path = newPath();
    const store = await DuckDbStore.open({ path });
    const first = batchOf([record('10.0.0.1', '10.0.0.2', 100), record('10.0.0.3', '10.0.0.2', 50)], {
      startMs: NOON,
    });
    const second = batchOf([record('10.0.0.1', '10.0.0.2', 30)], { epoch: 2, startMs: NOON + 1000 });
    await store.commit([first, second]);
    await store.commit([second]);
    const answer = await ask(store, { ask: 'top', by: ['src'], ...SPAN });
    assert.deepEqual(answer.rows, [
      ['10.0.0.1', 130, 2],
      ['10.0.0.3', 50, 1],
    ]);
    assert.deepEqual(answer.total, { octets: 180, packets: 3 });
    assert.deepEqual(answer.covered, { fromMs: NOON, toMs: NOON + 2000, level: 'raw' });
    await store.close();

    const again = await DuckDbStore.open({ path });
    await again.commit([first, second]);
    assert.deepEqual((await ask(again, { ask: 'top', by: ['src'], ...SPAN })).rows, answer.rows);
    await again.close();
  });

  it('answers series, matrix, distinct, flows and compare', async () => {
    const store = await DuckDbStore.open({ path: newPath() });
    const epochs = [0, 10, 20].map((seconds, nth) =>
      batchOf([record('10.0.0.1', '10.0.0.2', 100 * (nth + 1)), record('fd00::1', 'fd00::2', 50)], {
        epoch: 1 + nth,
        startMs: NOON + 1000 * seconds,
      }),
    );
    await store.commit(epochs);
    const series = await ask(store, { ask: 'series', by: ['src'], limit: 1, stepMs: 10_000, ...SPAN });
    assert.deepEqual(series.rows, [
      [NOON, '10.0.0.1', 100, 1],
      [NOON, 'other', 50, 1],
      [NOON + 10_000, '10.0.0.1', 200, 1],
      [NOON + 10_000, 'other', 50, 1],
      [NOON + 20_000, '10.0.0.1', 300, 1],
      [NOON + 20_000, 'other', 50, 1],
    ]);
    assert.deepEqual(series.total, { octets: 750, packets: 6 });
    assert.equal(series.stepMs, 10_000);
    const uniflows = { ask: 'series', by: ['src'], quantity: 'flows', limit: 1, ...SPAN } as const;
    const perHour = await ask(store, { ...uniflows, by: ['src'], stepMs: HOUR });
    assert.deepEqual(perHour.rows, [
      [NOON, '10.0.0.1', 600, 3, 1],
      [NOON, 'other', 150, 3, 1],
    ]);
    const altogether = await ask(store, { ...uniflows, by: [], stepMs: HOUR });
    assert.deepEqual(altogether.rows, [[NOON, 750, 6, 2]]);
    const matrix = await ask(store, { ask: 'matrix', by: ['src', 'dst'], quantity: 'flows', ...SPAN });
    assert.deepEqual(matrix.rows, [
      ['10.0.0.1', '10.0.0.2', 600, 3, 1],
      ['fd00::1', 'fd00::2', 150, 3, 1],
    ]);
    assert.deepEqual((await ask(store, { ask: 'distinct', of: 'dport', ...SPAN })).rows, [[443, 750, 6]]);
    const flows = await ask(store, { ask: 'flows', filter: 'src 10.0.0.1', ...SPAN });
    const names = flows.columns.map(({ name }) => name);
    const [flow] = flows.rows.map((row) => Object.fromEntries(row.map((cell, nth) => [names[nth], cell])));
    assert.equal(flow?.src, '10.0.0.1');
    assert.equal(flow?.sport, 40_000);
    assert.equal(flow?.octets, 600);
    assert.equal(flow?.first, NOON);
    const compare = await ask(store, {
      ask: 'compare',
      by: ['src'],
      fromMs: NOON + 20_000,
      toMs: NOON + 30_000,
      before: { fromMs: NOON, toMs: NOON + 10_000 },
    });
    assert.deepEqual(compare.rows, [
      ['10.0.0.1', 300, 1, 100, 1],
      ['fd00::1', 50, 1, 50, 1],
    ]);
    await store.close();
  });

  it('selects by every field as the filter does record by record', async () => {
    const path = newPath();
    const store = await DuckDbStore.open({ path });
    let epoch = 0;
    let [taken, left] = [0, 0];
    await fc.assert(
      fc.asyncProperty(
        anyBatch,
        fc.array(anyFilter, { minLength: 1, maxLength: 12 }),
        async (random, filters) => {
          epoch++;
          const startMs = NOON + 10_000 * epoch;
          const batch = { ...distinct(random), epoch, startMs, endMs: startMs + 1000 };
          await store.commit([batch]);
          const points = await storedPoints(store);
          const sums = filters.map((filter) => `sum(octets) FILTER (WHERE ${filterSql(filter, points)})`);
          const found = await store.query(
            `SELECT ${sums.join(', ')} FROM flow_raw WHERE epoch_ms(period) = ${startMs}`,
            { signal },
          );
          for (const [nth, filter] of filters.entries()) {
            const test = compileFilter(filter, batch.points);
            let expected = 0;
            for (let row = 0; row < batch.length; row++) {
              if (test(batch.columns, row)) expected += 2 ** row;
            }
            assert.equal(found.rows[0]![nth] ?? 0, expected);
            if (expected > 0) taken++;
            else left++;
          }
        },
      ),
      { numRuns: 100 },
    );
    assert.ok(taken > 100 && left > 100, `${taken} ${left}`);
    await store.close();
  });
});

/** The records of a batch that differ in their keys, each of as many octets of the stack as a bit by its row. */
function distinct(batch: FlowBatch): FlowBatch {
  const names = (Object.keys(FIELDS) as FieldName[]).filter(
    (name) => FIELDS[name].key || ['dscp', 'outerSourcePort', 'sourceMac', 'destinationMac'].includes(name),
  );
  const rows = new Map<string, number>();
  for (let row = 0; row < batch.length; row++) {
    const key = names.map((name) => String(elementsOf(batch, name, row))).join('/');
    if (!rows.has(key)) rows.set(key, row);
  }
  const columns = createColumns(rows.size);
  for (const [at, row] of [...rows.values()].entries())
    for (const name of Object.keys(FIELDS) as FieldName[]) {
      const elements = elementsOf(batch, name, row);
      (columns[name] as Uint8Array).set(elements as Uint8Array, at * elements.length);
    }
  for (let row = 0; row < rows.size; row++) columns.octets[row] = 1n << BigInt(row);
  return { ...batch, columns, length: rows.size };
}

function elementsOf({ columns, length }: FlowBatch, name: FieldName, row: number): FlowColumns[FieldName] {
  const width = columns[name].length / length;
  return columns[name].subarray(width * row, width * (row + 1));
}

async function storedPoints(store: DuckDbStore): Promise<PointRow[]> {
  const { rows } = await store.query(
    'SELECT id, agent, ifindex, direction, interface, is_primary FROM point',
    {
      signal,
    },
  );
  return rows.map(([id, agent, ifindex, direction, interfaceName, isPrimary]) => ({
    id: Number(id),
    agent: Number(agent),
    ifindex: Number(ifindex),
    direction: direction === 1 ? 1 : 0,
    interfaceName: String(interfaceName),
    isPrimary: isPrimary === true,
  }));
}
