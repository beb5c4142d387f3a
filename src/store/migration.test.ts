import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { batchOf } from '../flow/batch.fixture.ts';
import type { FlowBatch } from '../flow/index.ts';
import { type MeasuredWords, withMeasurements } from '../flow/measurement.fixture.ts';
import { HistoryQuestionSchema, type HistoryQuestionText } from '../query/index.ts';
import { DuckDbStore } from './index.ts';
import { SCHEMA_VERSION } from './schema.ts';
import { EARLIER_VERSIONS, type EarlierVersion, writeVersion } from './version.fixture.ts';

const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-store-'));
after(() => rmSync(directory, { recursive: true }));
let files = 0;
const newPath = (): string => join(directory, `${++files}.duckdb`);

const { signal } = new AbortController();
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOON = Date.UTC(2026, 10, 21, 12);
const EPOCHS = 200;
const options = {
  clock: () => NOON + 4 * HOUR,
  retention: { rawMs: 2 * HOUR, minuteMs: 3 * HOUR, hourMs: 48 * HOUR },
  listener: { failed: assert.ifError },
};

/** An epoch with flows inside tunnels and outside. */
function epochAt(epoch: number): FlowBatch {
  const records = Array.from({ length: 5 }, (_, nth) => ({
    ...(nth > 1 && { tunnel: ['192.0.2.1', '192.0.2.2', 5000 + (epoch % 3)] as const }),
    between: [`10.0.${epoch % 7}.${nth}`, '10.1.0.1'] as const,
    ports: [40_000 + epoch, 443] as const,
    protocol: nth === 0 ? 17 : 6,
    octets: 1000 * nth + epoch,
    packets: 1 + nth,
    payloadOctets: 900 * nth,
    direction: (nth % 2) as 0 | 1,
  }));
  return batchOf(records, {
    epoch,
    startMs: NOON + (epoch - 1) * MINUTE,
    ledger: [{ ifindex: 2, direction: 0, reason: 'ipv4_truncated', level: 0, packets: 1n, octets: 7n }],
  });
}

/** A history of today, and the same as each earlier version had it. */
let today = '';
const then = new Map<EarlierVersion, string>();

before(async () => {
  today = newPath();
  const store = await DuckDbStore.open({ path: today, ...options });
  const epochs = Array.from({ length: EPOCHS }, (_, nth) => epochAt(nth + 1));
  const isLate = ({ epoch }: FlowBatch): boolean => epoch % 50 === 7;
  await store.commit(epochs.filter((each) => !isLate(each)));
  await store.settled();
  await store.commit(epochs.filter(isLate));
  await store.close();
  for (const version of EARLIER_VERSIONS) {
    then.set(version, newPath());
    await writeVersion(version, today, then.get(version)!);
  }
});

const all = async (store: DuckDbStore, sql: string) => (await store.query(sql, { signal })).rows;

/** What a table is of, and what it adds up to, per group of keys. */
async function contentOf(store: DuckDbStore, table: string): Promise<unknown> {
  if (!table.startsWith('total_'))
    return all(
      store,
      `SELECT md5(string_agg(t::VARCHAR, '\n' ORDER BY t::VARCHAR)), count(*) FROM ${table} t`,
    );
  // What came late are rows of their own, which need not be any longer.
  return all(
    store,
    `SELECT * EXCLUDE (wire_octets, wire_packets, payload_octets), sum(wire_octets), sum(wire_packets), sum(payload_octets) FROM ${table} GROUP BY ALL ORDER BY ALL`,
  );
}

const SCHEMA = {
  tables:
    "SELECT table_name, column_name, data_type, is_nullable FROM duckdb_columns() WHERE schema_name = 'main' AND NOT internal AND database_name = current_database() ORDER BY table_name, column_index",
  views: 'SELECT view_name, sql FROM duckdb_views() WHERE NOT internal ORDER BY view_name',
  macros:
    'SELECT function_name, macro_definition FROM duckdb_functions() WHERE NOT internal ORDER BY function_name',
};
const TABLES =
  'SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() ORDER BY table_name';

async function versionOf(store: DuckDbStore): Promise<unknown> {
  return (await all(store, "SELECT value FROM meta WHERE name = 'version'"))[0]?.[0];
}

const QUESTIONS: readonly HistoryQuestionText[] = [
  { ask: 'series', stepMs: HOUR, fromMs: NOON, toMs: NOON + 4 * HOUR },
  { ask: 'series', by: ['segment'], fromMs: NOON + 3 * HOUR, toMs: NOON + 4 * HOUR },
  { ask: 'top', by: ['src', 'segment'], filter: 'tcp', fromMs: NOON, toMs: NOON + 4 * HOUR },
  { ask: 'top', by: ['proto'], filter: 'tunnel = none', fromMs: 0, toMs: NOON + 4 * HOUR },
  { ask: 'tunnels', fromMs: NOON, toMs: NOON + 4 * HOUR },
];

async function answers(store: DuckDbStore): Promise<unknown[]> {
  const { tookMs: _, ...audit } = await store.audit({ fromMs: NOON, toMs: NOON + 4 * HOUR }, { signal });
  assert.equal(audit.points.length, 2);
  const answered: unknown[] = [audit];
  for (const question of QUESTIONS) {
    const { tookMs, ...answer } = await store.answer(HistoryQuestionSchema.parse(question), { signal });
    assert.ok(tookMs >= 0 && answer.total.packets > 0, question.ask);
    answered.push(answer);
  }
  return answered;
}

for (const from of EARLIER_VERSIONS)
  describe(`a history of version ${from}`, () => {
    const copy = (): string => {
      const path = newPath();
      copyFileSync(then.get(from)!, path);
      return path;
    };

    it('is brought up to date when it is opened, with nothing lost, and goes on', async () => {
      const path = copy();
      const upgraded = await DuckDbStore.open({ path, ...options });
      const freshPath = newPath();
      copyFileSync(today, freshPath);
      const fresh = await DuckDbStore.open({ path: freshPath, ...options });
      for (const sql of Object.values(SCHEMA))
        assert.deepEqual(await all(upgraded, sql), await all(fresh, sql));
      const tables = (await all(fresh, TABLES)).map(([name]) => String(name));
      assert.ok(tables.includes('total_minute') && tables.includes('flow_hour'), tables.join(' '));
      for (const table of tables)
        assert.deepEqual(await contentOf(upgraded, table), await contentOf(fresh, table), table);
      assert.deepEqual(await answers(upgraded), await answers(fresh));
      const more = [epochAt(EPOCHS + 1), epochAt(EPOCHS + 2)].map(measured);
      for (const store of [upgraded, fresh]) {
        await store.commit(more);
        await store.settled();
      }
      assert.deepEqual(await answers(upgraded), await answers(fresh));
      assert.deepEqual(
        await all(upgraded, 'SELECT sum(expected), sum(came) FROM tunnel_raw'),
        [[60, 54]],
        'what tunnels suffer is known from now on',
      );
      assert.equal(await versionOf(upgraded), SCHEMA_VERSION);
      await Promise.all([upgraded.close(), fresh.close()]);
      const again = await DuckDbStore.open({ path, ...options });
      assert.ok((await answers(again)).length > 0);
      await again.close();
    });

    it('is asked as it is by who only reads, and not changed', async () => {
      const path = copy();
      const octets = readFileSync(path);
      const reader = await DuckDbStore.open({ path, readOnly: true });
      const fresh = await DuckDbStore.open({ path: today, readOnly: true });
      assert.deepEqual(await answers(reader), await answers(fresh));
      assert.equal(await versionOf(reader), from);
      await Promise.all([reader.close(), fresh.close()]);
      assert.ok(readFileSync(path).equals(octets));
      assert.ok(!existsSync(`${path}.wal`));
    });

    // Behind each of these the process that brings it up to date is killed.
    for (const [statement, version] of [
      [from === 1 ? 'INSERT INTO total_raw' : 'CREATE TABLE tunnel_raw', from],
      ['UPDATE meta', from],
      ['COMMIT', SCHEMA_VERSION],
    ] as const)
      it(`is of one version or the other when the upgrade is killed behind ${statement}`, async () => {
        const path = copy();
        await upgradeKilledBehind(path, statement);
        const reader = await DuckDbStore.open({ path, readOnly: true });
        assert.equal(await versionOf(reader), version);
        const fresh = await DuckDbStore.open({ path: today, readOnly: true });
        assert.deepEqual(await answers(reader), await answers(fresh));
        await Promise.all([reader.close(), fresh.close()]);
        const upgraded = await DuckDbStore.open({ path, ...options });
        assert.equal(await versionOf(upgraded), SCHEMA_VERSION);
        await upgraded.close();
      });
  });

/** The epoch with sequence numbers of its records in tunnels. */
function measured(batch: FlowBatch): FlowBatch {
  const sequence = { expected: 10, unique: 9 };
  return withMeasurements(batch, new Array<MeasuredWords>(batch.length).fill({ sequence }));
}

/** Opens a history in another process, which is killed when it has run a statement. */
async function upgradeKilledBehind(path: string, statement: string): Promise<void> {
  const at = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
  const script = `
    import { Database } from ${at('./database.ts')};
    import { openSchema } from ${at('./schema.ts')};
    const options = { path: ${JSON.stringify(path)}, intervalMs: 10_000, memoryOctets: 150e6, readOnly: false };
    const connection = await (await Database.open(options)).connect();
    const run = connection.run.bind(connection);
    connection.run = async (sql, ...rest) => {
      await run(sql, ...rest);
      if (!sql.startsWith(${JSON.stringify(statement)})) return;
      console.log(sql);
      await new Promise(() => setInterval(() => {}, 1000));
    };
    await openSchema(connection, options);
    console.log('opened');`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = await once(createInterface(child.stdout), 'line');
    assert.ok(String(line).startsWith(statement), String(line));
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}
