import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { batchOf } from '../flow/batch.fixture.ts';
import type { FlowBatch } from '../flow/index.ts';
import { HistoryQuestionSchema } from '../query/index.ts';
import { DuckDbStore, StoreError, type StoreErrorCode } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-store-'));
after(() => rmSync(directory, { recursive: true }));
let files = 0;
const newPath = (): string => join(directory, `${++files}.duckdb`);

const { signal } = new AbortController();
const NOON = Date.UTC(2026, 10, 21, 12);
const clock = (): number => NOON + 3_600_000;

/** Less than some questions need. */
const NARROW_OCTETS = 60e6;

/** An epoch of many uniflows whose records do not compress. */
function wide(epoch: number, count: number): FlowBatch {
  return batchOf(
    Array.from({ length: count }, (_, nth) => {
      const mixed = Math.imul(nth + 1, 0x9e3779b1 + 2 * epoch) >>> 0;
      return {
        between: [
          `10.${mixed >>> 24}.${(mixed >>> 16) & 255}.${nth & 255}`,
          `fd00::${mixed.toString(16).slice(-4)}`,
        ] as const,
        ports: [mixed & 0xffff, nth & 0xffff] as const,
        protocol: 6,
        octets: mixed,
        packets: 1,
        payloadOctets: Math.imul(mixed, 31) >>> 0,
      };
    }),
    { epoch, startMs: NOON + 10_000 * epoch },
  );
}

async function total(store: DuckDbStore): Promise<number> {
  const question = HistoryQuestionSchema.parse({ ask: 'top', by: ['proto'], fromMs: 0, toMs: 8e15 });
  return (await store.answer(question, { signal })).total.packets;
}

const isError =
  (code: StoreErrorCode, path?: string) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof StoreError, String(error));
    assert.equal(error.code, code, error.message);
    assert.ok(error.message.endsWith(error.remedy));
    if (path !== undefined) assert.ok(error.message.includes(path), error.message);
    return true;
  };

describe('a store in trouble', () => {
  // In the first a write finds no room, in the second a checkpoint, after which DuckDB wants the file to be opened again.
  for (const [size, filled] of [
    [12, 6],
    [84, 28],
  ] as const)
    it(`tells a full disk, harms nothing stored, and goes on when there is room: ${size} MiB`, async () => {
      const mount = join(directory, `small-${size}`);
      mkdirSync(mount);
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}m`, 'tmpfs', mount]);
      try {
        const path = join(mount, 'history.duckdb');
        const filler = join(mount, 'filler');
        const store = await DuckDbStore.open({ path, clock });
        writeFileSync(filler, Buffer.alloc(filled * 2 ** 20));
        let [stored, epoch] = [0, 0];
        let refused: unknown;
        while (refused === undefined && epoch < 100) {
          epoch++;
          try {
            await store.commit([wide(epoch, 20_000)]);
            stored += 20_000;
          } catch (error) {
            refused = error;
          }
        }
        isError('STORE_NO_SPACE', path)(refused);
        rmSync(filler);
        assert.equal(await total(store), stored);
        await store.commit([wide(epoch, 20_000)]);
        assert.equal(await total(store), stored + 20_000);
        await store.close();
        const again = await DuckDbStore.open({ path, clock });
        assert.equal(await total(again), stored + 20_000);
        await again.close();
      } finally {
        execFileSync('umount', ['-l', mount]);
      }
    });

  it('tells that there is no room where an answer fits neither in memory nor on the disk', async () => {
    const mount = join(directory, 'narrow');
    mkdirSync(mount);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', mount]);
    try {
      const path = join(mount, 'history.duckdb');
      const wide = 'SELECT count(DISTINCT hash(a)) FROM range(8000000) numbers(a)';
      const store = await DuckDbStore.open({ path, memoryOctets: NARROW_OCTETS });
      await assert.rejects(store.query(wide, { signal }), isError('STORE_NO_SPACE'));
      await store.close();
      const roomy = await DuckDbStore.open({ path: newPath(), memoryOctets: NARROW_OCTETS });
      assert.deepEqual((await roomy.query(wide, { signal })).rows, [[8_000_000]]);
      await roomy.close();
    } finally {
      execFileSync('umount', ['-l', mount]);
    }
  });

  it('is asked, but not written to, when opened to be read only', async () => {
    const path = newPath();
    const store = await DuckDbStore.open({ path, clock });
    await store.commit([wide(1, 10)]);
    await store.close();
    const reader = await DuckDbStore.open({ path, readOnly: true });
    assert.equal(await total(reader), 10);
    await assert.rejects(reader.commit([wide(2, 10)]), isError('STORE_READ_ONLY', path));
    await reader.close();
    const missing = newPath();
    await assert.rejects(
      DuckDbStore.open({ path: missing, readOnly: true }),
      isError('STORE_NOT_FOUND', missing),
    );
    assert.ok(!existsSync(missing));
  });

  it('says that another process has it open, or this one', async () => {
    const path = newPath();
    const own = await DuckDbStore.open({ path });
    await assert.rejects(
      DuckDbStore.open({ path: join(directory, '.', `${files}.duckdb`) }),
      isError('STORE_LOCKED'),
    );
    await assert.rejects(DuckDbStore.open({ path, readOnly: true }), isError('STORE_LOCKED', path));
    await own.close();
    const script = `import { DuckDbStore } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
      await DuckDbStore.open({ path: ${JSON.stringify(path)} }); console.log('open'); setInterval(() => {}, 1000);`;
    const other = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(other.stdout, 'data');
      await assert.rejects(DuckDbStore.open({ path }), isError('STORE_LOCKED', path));
    } finally {
      other.kill('SIGKILL');
      await once(other, 'exit');
    }
    // What a killed process left opens again.
    await (await DuckDbStore.open({ path })).close();
  });

  it('refuses what is damaged, no history, or of a newer version, and does not change it', async () => {
    const garbage = newPath();
    writeFileSync(
      garbage,
      'this is no database, although it is long enough to be taken for one '.repeat(500),
    );
    const before = readFileSync(garbage);
    await assert.rejects(DuckDbStore.open({ path: garbage }), isError('STORE_CORRUPTED', garbage));
    assert.deepEqual(readFileSync(garbage), before);

    const damaged = newPath();
    const store = await DuckDbStore.open({ path: damaged, clock });
    await store.commit([wide(1, 5000)]);
    await store.close();
    const octets = readFileSync(damaged);
    octets.fill(0x5a, 4096, 12_288);
    writeFileSync(damaged, octets);
    await assert.rejects(DuckDbStore.open({ path: damaged }), isError('STORE_CORRUPTED', damaged));

    const foreign = newPath();
    await withDuckDb(foreign, 'CREATE TABLE people (name VARCHAR)');
    await assert.rejects(DuckDbStore.open({ path: foreign }), isError('STORE_CORRUPTED', foreign));

    const newer = newPath();
    await (await DuckDbStore.open({ path: newer })).close();
    await withDuckDb(newer, "UPDATE meta SET value = 99 WHERE name = 'version'");
    await assert.rejects(DuckDbStore.open({ path: newer }), isError('STORE_NEWER', newer));

    const other = newPath();
    await (await DuckDbStore.open({ path: other })).close();
    await assert.rejects(
      DuckDbStore.open({ path: other, intervalMs: 5000 }),
      isError('STORE_INTERVAL', other),
    );

    const inNothing = join(directory, 'missing', 'history.duckdb');
    await assert.rejects(DuckDbStore.open({ path: inNothing }), isError('STORE_NOT_A_FILE', inNothing));
    await assert.rejects(DuckDbStore.open({ path: directory }), isError('STORE_NOT_A_FILE', directory));
  });

  it('takes none of several epochs when one of them is wrong', async () => {
    const store = await DuckDbStore.open({ path: newPath(), clock });
    const wrong = { ...wide(2, 10), endMs: Number.NaN };
    await assert.rejects(store.commit([wide(1, 10), wrong]), isError('STORE_EPOCH'));
    assert.equal(await total(store), 0);
    await store.commit([wide(1, 10)]);
    assert.equal(await total(store), 10);
    await store.close();
    await assert.rejects(store.commit([wide(3, 10)]), isError('STORE_CLOSED'));
  });

  it('ends questions that take too long or that nobody waits for, and answers others', async () => {
    const store = await DuckDbStore.open({ path: newPath(), clock, answerMs: 300 });
    await store.commit([wide(1, 1000)]);
    const endless = 'SELECT count(*) FROM flows a, flows b, flows c, flows d WHERE a.source < b.source';
    await assert.rejects(store.query(endless, { signal }), isError('STORE_TIMEOUT'));
    const leaving = new AbortController();
    const asked = store.query(endless, { signal: leaving.signal });
    leaving.abort(new Error('gone'));
    await assert.rejects(asked, { message: 'gone' });
    assert.equal(await total(store), 1000);
    await store.close();
  });

  it("lets users' SQL change nothing and reach nothing", async () => {
    const store = await DuckDbStore.open({ path: newPath(), clock });
    await store.commit([wide(1, 10)]);
    const refused: [string, StoreErrorCode][] = [
      ['DELETE FROM flow_raw', 'STORE_NOT_A_SELECT'],
      ['SELECT 1; DELETE FROM flow_raw', 'STORE_NOT_A_SELECT'],
      ['COMMIT', 'STORE_NOT_A_SELECT'],
      ['', 'STORE_NOT_A_SELECT'],
      ["SET memory_limit = '1TB'", 'STORE_NOT_A_SELECT'],
      ["PRAGMA memory_limit = '1TB'", 'STORE_NOT_A_SELECT'],
      ['RESET memory_limit', 'STORE_NOT_A_SELECT'],
      ["EXPLAIN ANALYZE SET memory_limit = '1TB'", 'STORE_QUERY'],
      ["ATTACH '/tmp/other.duckdb'", 'STORE_NOT_A_SELECT'],
      ["COPY flow_raw TO '/tmp/stolen.csv'", 'STORE_QUERY'],
      ['EXPLAIN ANALYZE DELETE FROM flow_raw', 'STORE_QUERY'],
      ["SELECT * FROM read_text('/etc/passwd')", 'STORE_QUERY'],
      ["SELECT * FROM read_csv('/etc/passwd')", 'STORE_QUERY'],
      ["SELECT * FROM '/etc/passwd'", 'STORE_QUERY'],
      ["SELECT * FROM glob('/etc/*')", 'STORE_QUERY'],
      ['SELECT nothing FROM flows', 'STORE_QUERY'],
      ['SELEC', 'STORE_QUERY'],
    ];
    for (const [sql, code] of refused) await assert.rejects(store.query(sql, { signal }), isError(code), sql);
    assert.deepEqual(await store.query('SELECT range AS n FROM range(3)', { signal, limit: 2 }), {
      columns: [{ name: 'n', type: 'BIGINT' }],
      rows: [[0], [1]],
      isCut: true,
    });
    assert.equal(await total(store), 10);
    const { rows } = await store.query("SELECT current_setting('memory_limit')", { signal });
    assert.deepEqual(rows, [['143.0 MiB']], '150 MB');
    await store.close();
  });
});

async function withDuckDb(path: string, sql: string): Promise<void> {
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  await connection.run(sql);
  connection.closeSync();
  instance.closeSync();
}
