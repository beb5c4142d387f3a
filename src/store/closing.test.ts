import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { batchOf } from '../flow/batch.fixture.ts';
import type { FlowBatch } from '../flow/index.ts';
import { HistoryQuestionSchema } from '../query/index.ts';
import { DuckDbStore } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-store-'));
after(() => rmSync(directory, { recursive: true }));
let files = 0;
const newPath = (): string => join(directory, `${++files}.duckdb`);

const { signal } = new AbortController();
const HOUR = 3_600_000;
const NOON = Date.UTC(2026, 10, 21, 12);
const clock = (): number => NOON + 24 * HOUR;
/** Far less than what is under way takes, far more than ending it does. */
const SOON_MS = 5000;

const epochAt = (epoch: number, startMs = NOON + 10_000 * epoch): FlowBatch =>
  batchOf([{ between: ['10.0.0.1', '10.0.0.2'], octets: 100, packets: 1 }], { epoch, startMs });

async function packets(store: DuckDbStore): Promise<number> {
  const question = HistoryQuestionSchema.parse({ ask: 'top', by: ['src'], fromMs: 0, toMs: 8e15 });
  return (await store.answer(question, { signal })).total.packets;
}

const logOctets = (path: string): number => statSync(`${path}.wal`, { throwIfNoEntry: false })?.size ?? 0;

describe('closing a store', () => {
  it('leaves one file', async () => {
    const path = newPath();
    const store = await DuckDbStore.open({ path, clock });
    await store.commit([epochAt(1)]);
    await store.settled();
    assert.ok(logOctets(path) > 0);
    await store.close();
    assert.ok(!existsSync(`${path}.wal`));
    await store.close();
  });

  it('leaves what was written last in the log when it has no time, and all of it is there again', async () => {
    const path = newPath();
    const store = await DuckDbStore.open({ path, clock, closeMs: 0 });
    await store.commit([epochAt(1)]);
    await store.settled();
    await store.close();
    assert.ok(logOctets(path) > 0);
    const reader = await DuckDbStore.open({ path, readOnly: true });
    assert.equal(await packets(reader), 1);
    await reader.close();
    assert.ok(logOctets(path) > 0);
    const again = await DuckDbStore.open({ path, clock });
    await again.commit([epochAt(1), epochAt(2)]);
    assert.equal(await packets(again), 2);
    await again.close();
    assert.equal(logOctets(path), 0);
  });

  it('does not wait for joining rows longer than it may; that is done with the next commit', async () => {
    const path = newPath();
    await (await DuckDbStore.open({ path })).close();
    const rows = 150_000;
    await fill(path, rows);
    const store = await DuckDbStore.open({ path, clock, closeMs: 20 });
    await store.commit([epochAt(1, NOON + HOUR)]);
    const began = performance.now();
    await store.close();
    assert.ok(performance.now() - began < SOON_MS);
    const again = await DuckDbStore.open({ path, clock, listener: { failed: assert.ifError } });
    assert.equal(await packets(again), rows + 1);
    assert.equal(await joined(again), 0);
    await again.commit([epochAt(2, NOON + HOUR + 10_000)]);
    await again.settled();
    assert.equal(await joined(again), rows);
    assert.equal(await packets(again), rows + 2);
    await again.close();
  });

  it('ends questions and commits that take too long', async () => {
    const path = newPath();
    const store = await DuckDbStore.open({ path, clock, closeMs: 100 });
    await store.commit([epochAt(1)]);
    const endless = 'SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range < b.range';
    const asked = assert.rejects(store.query(endless, { signal }), { code: 'STORE_CLOSED' });
    const began = performance.now();
    await store.close();
    await asked;
    assert.ok(performance.now() - began < SOON_MS);
    await assert.rejects(store.commit([epochAt(2)]), { code: 'STORE_CLOSED' });
  });
});

/** Rows of a flow each, an hour of them. */
async function fill(path: string, rows: number): Promise<void> {
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  await connection.run(
    "INSERT INTO agent VALUES (1, 'filled'); INSERT INTO point VALUES (1, 1, 2, 0, 'eth0', TRUE)",
  );
  await connection.run(`INSERT INTO epochs VALUES (1, 1, 3600, ${NOON}, ${NOON + HOUR})`);
  const known: Readonly<Record<string, string>> = {
    period: `make_timestamp_ms(${NOON} + 10000 * (n % 360))`,
    point: '1',
    counted: 'TRUE',
    network: '1',
    source_lo: 'n',
    destination_lo: 'hash(n)',
    wire_octets: '100',
    wire_packets: '1',
    first_seen: `make_timestamp_ms(${NOON})`,
    last_seen: `make_timestamp_ms(${NOON})`,
  };
  for (const table of ['flow_raw', 'total_raw']) {
    const columns = await (await connection.run(`DESCRIBE ${table}`)).getRows();
    const values = columns.map(([name]) => known[String(name)] ?? '0');
    await connection.run(`INSERT INTO ${table} SELECT ${values.join(', ')} FROM range(${rows}) rows(n)`);
  }
  connection.closeSync();
  instance.closeSync();
}

/** Packets of the rows of minutes. */
async function joined(store: DuckDbStore): Promise<number> {
  const { rows } = await store.query('SELECT coalesce(sum(wire_packets), 0)::BIGINT FROM flow_minute', {
    signal,
  });
  return Number(rows[0]![0]);
}
