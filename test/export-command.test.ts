import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { HistoryAnswers } from '../src/command/history-answers.ts';
import { ControlServer, InstanceLock, METERING, ownIdentity, placeOf } from '../src/daemon/index.ts';
import { batchOf, type RecordWords } from '../src/flow/batch.fixture.ts';
import { DuckDbStore } from '../src/store/index.ts';

/* `export` as its user meets it: files from a history on disk and from a running instance, whole or not at all. */

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-export-'));
const HISTORY = join(directory, 'history');
process.env.RUNTIME_DIRECTORY = join(directory, 'run');

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

async function run(...words: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [CLI, 'export', ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
}

const NOON = Date.UTC(2026, 10, 21, 12);
const SPAN = ['from', '2026-11-21T12:00Z', 'to', '2026-11-21T13:00Z', '--time-zone', 'UTC'] as const;
const ROWS = 20_000;
const record = (i: number): RecordWords => ({
  tunnel: ['192.0.2.1', '192.0.2.2', i % 4],
  between: [`10.0.${i >> 8}.${i & 255}`, '10.255.0.1'],
  ports: [1024 + (i % 50_000), 443],
  protocol: 6,
  octets: 100 + i,
  packets: 1,
});

before(async () => {
  mkdirSync(HISTORY);
  const store = await DuckDbStore.open({ path: join(HISTORY, 'history.duckdb'), clock: () => NOON });
  const records = Array.from({ length: ROWS }, (_, i) => record(i));
  await store.commit([batchOf(records, { startMs: NOON })]);
  await store.close();
});
after(() => rmSync(directory, { recursive: true }));

/** What a Parquet file has, as another program reads it. */
async function parquet(path: string): Promise<unknown> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const result = await connection.run(
    `SELECT count(*)::INTEGER, sum(wire_octets)::BIGINT::VARCHAR, min(source) FROM read_parquet('${path}')`,
  );
  const [row] = await result.getRows();
  connection.closeSync();
  instance.closeSync();
  return row;
}

const ALL = Array.from({ length: ROWS }, (_, i) => 100 + i).reduce((sum, octets) => sum + octets, 0);

test('stored rows become Parquet, CSV or JSON Lines', async () => {
  const path = join(directory, 'all.parquet');
  const { code, out, err } = await run('--history', HISTORY, '--parquet', path, ...SPAN);
  assert.deepEqual([code, err], [0, '']);
  assert.equal(out, `${ROWS} rows in ${path}; 2026-11-21 12:00:00 to 12:00:01 (UTC), as it was metered\n`);
  assert.deepEqual(await parquet(path), [ROWS, String(ALL), '10.0.0.0']);
  const csv = join(directory, 'one.csv');
  assert.equal((await run('--history', HISTORY, '--csv', csv, ...SPAN, 'where src 10.0.0.7')).code, 0);
  const [heads = '', line = '', ...rest] = readFileSync(csv, 'utf8').trim().split('\n');
  assert.deepEqual(rest, []);
  assert.equal(line.split(',')[heads.split(',').indexOf('wire_octets')], '107');
  const json = join(directory, 'one.json');
  assert.equal(
    (await run('--history', HISTORY, '--json', json, ...SPAN, 'where', 'src', '10.0.0.7')).code,
    0,
  );
  assert.equal(JSON.parse(readFileSync(json, 'utf8')).source, '10.0.0.7');
});

test('a file that is there stays, unless it is to be replaced', async () => {
  const path = join(directory, 'there.csv');
  writeFileSync(path, 'mine');
  const refused = await run('--history', HISTORY, '--csv', path, ...SPAN);
  assert.deepEqual(refused, {
    code: 2,
    out: '',
    err: `tunnelscope: --csv: ${path} is there already; --force replaces it\n`,
  });
  assert.equal(readFileSync(path, 'utf8'), 'mine');
  assert.equal((await run('--history', HISTORY, '--csv', path, '--force', ...SPAN)).code, 0);
  assert.equal(readFileSync(path, 'utf8').split('\n').length, ROWS + 2);
});

test('mistakes are pointed at, and nothing is written', async () => {
  const wrong = await run('--history', HISTORY, '--csv', join(directory, 'x.csv'), 'where', 'scr', '=', '1');
  assert.equal(wrong.code, 2);
  assert.match(
    wrong.err,
    /export: column 7: unknown field "scr"; did you mean "src"\?\n {2}where scr = 1\n {8}\^\^\^\n/,
  );
  const none = await run('--history', HISTORY, 'last', '1h');
  assert.deepEqual(
    [none.code, none.err],
    [2, 'tunnelscope: export: which file? Say --parquet FILE, --csv FILE or --json FILE\n'],
  );
  const nowhere = await run('--history', HISTORY, '--csv', join(directory, 'no/x.csv'), ...SPAN);
  assert.equal(nowhere.code, 1);
  assert.ok(!readdirSync(directory).some((name) => name.includes('.part') || name === 'x.csv'));
});

test('a file system that is full is said, and leaves no half file', async () => {
  const small = join(directory, 'small');
  mkdirSync(small);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'none', small]);
  try {
    const { code, err } = await run('--history', HISTORY, '--json', join(small, 'all.json'), ...SPAN);
    assert.equal(code, 1);
    assert.match(err, /the file system is full/);
    assert.deepEqual(readdirSync(small), []);
  } finally {
    execFileSync('umount', [small]);
  }
});

test('a running instance is exported from in parts, into files of who asks', async () => {
  mkdirSync(process.env.RUNTIME_DIRECTORY!, { mode: 0o750 });
  await using stack = new AsyncDisposableStack();
  const store = stack.adopt(await DuckDbStore.open({ path: join(HISTORY, 'history.duckdb') }), (each) =>
    each.close(),
  );
  const place = placeOf('probe');
  stack.use(InstanceLock.acquire(place, undefined));
  const answers = stack.use(
    new HistoryAnswers(() => ({ history: { directory: HISTORY, store: () => store }, live: undefined })),
  );
  const refuse = (): never => assert.fail('only its history is asked');
  stack.use(
    await ControlServer.open(place, undefined, {
      dialogue: METERING,
      answerer: {
        ready: ownIdentity,
        status: refuse,
        stop: refuse,
        reload: refuse,
        rules: refuse,
        ...answers.byRequest,
      },
    }),
  );
  mkdirSync(join(HISTORY, 'export-left-by-one-that-was-killed'));
  const path = join(directory, 'fetched.parquet');
  const json = join(directory, 'fetched.json');
  const words = ['--name', 'probe', ...SPAN] as const;
  assert.deepEqual((await run(...words, '--parquet', path)).err, '');
  assert.deepEqual(await parquet(path), [ROWS, String(ALL), '10.0.0.0']);
  assert.equal((await run(...words, '--json', json)).code, 0);
  const text = readFileSync(json, 'utf8');
  assert.ok(text.length > 8 * 2 ** 20, 'more than one part');
  assert.equal(text.trimEnd().split('\n').length, ROWS);
  assert.deepEqual(
    readdirSync(HISTORY).filter((name) => name.startsWith('export-')),
    [],
  );
});
