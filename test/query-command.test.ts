import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { HistoryAnswers } from '../src/command/history-answers.ts';
import {
  type Answerer,
  ControlServer,
  InstanceLock,
  METERING,
  ownIdentity,
  placeOf,
} from '../src/daemon/index.ts';
import { batchOf } from '../src/flow/batch.fixture.ts';
import { LiveView } from '../src/live/index.ts';
import { parsePastQuestion, ResultTableSchema, SqlTableSchema } from '../src/query/index.ts';
import { DuckDbStore } from '../src/store/index.ts';
import { packet, writePcap } from '../src/wire/index.ts';
import { until } from './until.ts';

/* `query` and `read --history` as their user meets them: captures imported, questions asked of the file and of an instance. */

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-query-'));
after(() => rmSync(directory, { recursive: true }));
process.env.RUNTIME_DIRECTORY = join(directory, 'run');

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

interface Running {
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly ended: Promise<Ended>;
}

function begin(...words: readonly string[]): Running {
  const child = spawn(process.execPath, [CLI, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk));
  const ended = once(child, 'close').then(([code]): Ended => ({ code: code as number | null, out, err }));
  return { kill: (signal) => void child.kill(signal), ended };
}

const run = (...words: readonly string[]): Promise<Ended> => begin(...words).ended;

const MACS = { source: '02:00:00:00:00:01', destination: '02:00:00:00:00:02' };
const vxlan = (vni: number, source: string, payload: number): Uint8Array =>
  packet()
    .eth(MACS)
    .ipv4({ source: '172.16.1.100', destination: '172.16.1.101' })
    .udp({ sourcePort: 5000, destinationPort: 4789 })
    .vxlan(vni)
    .eth(MACS)
    .ipv4({ source, destination: '10.0.0.9' })
    .tcp({ sourcePort: 1000, destinationPort: 80 })
    .payload(new Uint8Array(payload))
    .build();
const at = (text: string): bigint => BigInt(Date.parse(text)) * 1_000_000n;
const cut = vxlan(7, '10.0.0.1', 0).subarray(0, 20);
const NIGHT = join(directory, 'night.pcap');
writeFileSync(
  NIGHT,
  writePcap([
    { octets: vxlan(42, '10.0.0.1', 800), timeNs: at('2026-11-20T23:00:00.5+01:00') },
    { octets: vxlan(42, '10.0.0.1', 800), timeNs: at('2026-11-20T23:00:01+01:00') },
    { octets: vxlan(43, '10.0.0.2', 300), timeNs: at('2026-11-21T03:30:00+01:00') },
    { octets: cut, timeNs: at('2026-11-21T03:30:01+01:00') },
    { octets: vxlan(43, '10.0.0.3', 100), timeNs: at('2026-11-21T07:00:00+01:00') },
  ]),
);
const HISTORY = join(directory, 'history');
const IN_BERLIN = ['--time-zone', 'Europe/Berlin'] as const;
const LAST_NIGHT = 'from 2026-11-20 22:00 to 06:00';
const ask = (...words: readonly string[]): Promise<Ended> =>
  run('query', '--history', HISTORY, ...IN_BERLIN, ...words);

test('captures become a history, each once, and say how to ask about them', async () => {
  const first = await run('read', NIGHT, '--history', HISTORY);
  assert.deepEqual([first.code, first.err], [0, '']);
  assert.equal(
    first.out,
    `Kept in ${HISTORY}; ask e.g.: tunnelscope query --history ${HISTORY} top src, dst from 2026-11-20T22:00Z to 2026-11-21T06:00:10Z\n`,
  );
  const before = (await ask('top', 'src', LAST_NIGHT, '--json')).out;
  const renamed = join(directory, 'renamed.pcap');
  copyFileSync(NIGHT, renamed);
  assert.equal((await run('read', NIGHT, renamed, '--history', HISTORY)).code, 0);
  const { tookMs: _, ...again } = ResultTableSchema.parse(
    JSON.parse((await ask('top', 'src', LAST_NIGHT, '--json')).out),
  );
  const { tookMs: __, ...was } = ResultTableSchema.parse(JSON.parse(before));
  assert.deepEqual(again, was);
  const words = first.out
    .slice(first.out.indexOf(': tunnelscope') + 14)
    .trim()
    .split(' ');
  assert.match((await run(...words)).out, /^10\.0\.0\.1 /m, 'what it proposes works');
  assert.deepEqual(await run('read', '-', '--history', HISTORY), {
    code: 2,
    out: '',
    err: 'tunnelscope: --history: "-" is not a capture file, which can be read twice to know it again\n',
  });
});

test('who used the link last night is a table, in quotes or not', async () => {
  const { code, out, err } = await ask('top', '1', 'src,', 'vni', ...LAST_NIGHT.split(' '));
  assert.deepEqual([code, err], [0, '']);
  assert.deepEqual(out.split('\n'), [
    'SRC       VNI    OCTETS   SHARE  PACKETS',
    '10.0.0.1   42  1.77 KiB  81.7 %        2',
    'others              404 B  18.3 %        1'.replace('others            ', 'others          '),
    'the first 1; in all 2.16 KiB, 3 pkt; 2026-11-20 23:00:00 to 2026-11-21 06:00:00 (Europe/Berlin), from sums by the hour',
    'in no flow: ipv4_truncated 20 B, 1 pkt',
    '',
  ]);
  assert.equal((await ask(`top 1 src, vni ${LAST_NIGHT}`)).out, out);
});

test('the answer is data where data is wanted', async () => {
  const question = `top src by packets ${LAST_NIGHT} where vni 42`;
  const { rows, total } = ResultTableSchema.parse(JSON.parse((await ask(question, '--json')).out));
  assert.deepEqual([rows, total], [[['10.0.0.1', 1808, 2]], { octets: 1808, packets: 2 }]);
  assert.equal((await ask(question, '--csv')).out, 'src,octets,packets\r\n10.0.0.1,1808,2\r\n');
});

test('a question can be seen as SQL, and SQL be asked', async () => {
  const { out: sql } = await ask(`top src ${LAST_NIGHT}`, '--sql');
  assert.match(sql, /^WITH .* SELECT /s);
  const answer = SqlTableSchema.parse(JSON.parse((await ask('--json', '--sql', sql)).out));
  assert.deepEqual(
    answer.rows.map((row) => row.slice(2, 4)),
    [
      [1808, 2],
      [404, 1],
    ],
  );
  assert.equal(
    (await ask('--sql', 'SELECT DISTINCT tunnel_id AS vni, 1 < 2 AS sure FROM flow_raw ORDER BY vni')).out,
    'VNI  SURE\n 42  true\n 43  true\n',
  );
  const file = join(directory, 'stolen.csv');
  for (const statement of [
    'DROP TABLE flow_raw',
    `COPY flow_raw TO '${file}'`,
    "SELECT * FROM read_text('/etc/hostname')",
  ]) {
    const { code, out, err } = await ask('--sql', statement);
    assert.deepEqual([code, out], [1, ''], statement);
    assert.match(err, /^tunnelscope: running SQL: /, statement);
  }
});

test('mistakes are pointed at before anything is asked', async () => {
  assert.deepEqual(await run('query', '--history', '/nowhere', 'top', 'src', 'vni', '5001'), {
    code: 2,
    out: '',
    err: [
      'tunnelscope: query: column 9: expected last, since, from, today, yesterday, on, live, by, points, where or the end, found "vni"; did you mean "where vni"?',
      '  top src vni 5001',
      '          ^^^',
      '',
    ].join('\n'),
  });
  assert.equal((await run('query')).code, 2);
  const zone = await run('query', '--time-zone', 'Mars/Olympus', 'top', 'src');
  assert.equal(zone.code, 2);
  assert.match(zone.err, /--time-zone: "Mars\/Olympus" is not a time zone such as Europe\/Berlin or UTC/);
  const nowhere = await run('query', '--history', '/nowhere', 'top', 'src');
  assert.equal(nowhere.code, 1);
  assert.match(nowhere.err, /opening \/nowhere\/history\.duckdb: there is no such file/);
  const live = await ask('top', 'src', 'live', '1m');
  assert.equal(live.code, 2);
  assert.match(live.err, /column 9: "live" asks a running agent about now.*\n {2}top src live 1m\n +\^{7}$/m);
  const nobody = await run('query', '--name', 'nobody', 'top', 'src');
  assert.equal(nobody.code, 1);
  assert.match(nobody.err, /"nobody" is not running; name its history with --history DIRECTORY/);
});

const LIVE = new LiveView();
LIVE.write(
  batchOf([
    { tunnel: ['172.16.1.1', '172.16.1.2', 7], between: ['10.0.0.1', '10.0.0.2'], octets: 150, packets: 2 },
    { between: ['172.16.1.1', '172.16.1.2'], octets: 50, packets: 1 },
  ]),
);

/** A store that is open, behind the socket of an instance, all in this process. */
async function instance(name: string, store: DuckDbStore): Promise<AsyncDisposable> {
  mkdirSync(process.env.RUNTIME_DIRECTORY!, { recursive: true, mode: 0o750 });
  const stack = new AsyncDisposableStack();
  const place = placeOf(name);
  stack.use(InstanceLock.acquire(place, undefined));
  const refuse = (): never => assert.fail('only its history is asked');
  const answers = stack.use(
    new HistoryAnswers(() => ({ history: { directory: HISTORY, store: () => store }, live: LIVE })),
  );
  const answerer: Answerer<typeof METERING> = {
    ready: ownIdentity,
    status: refuse,
    stop: refuse,
    reload: refuse,
    rules: refuse,
    ...answers.byRequest,
  };
  stack.use(await ControlServer.open(place, undefined, { dialogue: METERING, answerer }));
  return stack;
}

test('a history that is being written to is asked through its instance, and Ctrl-C ends the question there', async () => {
  const store = await DuckDbStore.open({ path: join(HISTORY, 'history.duckdb') });
  try {
    const locked = await ask('top', 'src');
    assert.equal(locked.code, 1);
    assert.match(
      locked.err,
      /history\.duckdb: another process has it open; ask that process, stop it, or choose another/,
    );
    await using _instance = await instance('probe', store);
    const words = ['query', '--name', 'probe', ...IN_BERLIN] as const;
    const table = await run(...words, `top src ${LAST_NIGHT}`);
    assert.deepEqual([table.code, table.err], [0, '']);
    assert.match(table.out, /^10\.0\.0\.1 +1\.77 KiB +81\.7 % +2$/m);
    const now = await run(...words, 'top src by packets live all where vni 7');
    assert.deepEqual([now.code, now.err], [0, '']);
    assert.match(now.out, /^10\.0\.0\.1 +150 B +2 +100 %$/m);
    assert.match(now.out, /, live$/m);
    assert.match((await run(...words, 'top src', '--sql')).out, /^WITH /);
    assert.equal((await run(...words, '--sql', 'SELECT 1 AS one')).out, 'ONE\n  1\n');
    // Two questions are answered at a time: when they are under way no third one is, until they are over.
    const slow = [1, 2].map((nth) =>
      begin(
        ...words,
        '--sql',
        `SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range * b.range % 7 = ${nth}`,
      ),
    );
    const third = (): Promise<string> =>
      store.query('SELECT 1', { signal: AbortSignal.timeout(200) }).then(
        () => 'answered',
        () => 'waits',
      );
    await until(async () => (await third()) === 'waits', 'both are under way');
    for (const each of slow) each.kill('SIGINT');
    for (const each of slow) assert.deepEqual(await each.ended, { code: 0, out: '', err: '' });
    await until(async () => (await third()) === 'answered', 'both have ended in the store');
  } finally {
    await store.close();
  }
});

test('every example of the document on questions is answered', async () => {
  const document = readFileSync(new URL('../docs/query.md', import.meta.url), 'utf8');
  const examples = [...document.matchAll(/^```query\n(.*?)^```$/gms)].flatMap(([, lines]) =>
    lines!.trim().split('\n'),
  );
  assert.ok(examples.length >= 20, String(examples.length));
  const store = await DuckDbStore.open({ path: join(HISTORY, 'history.duckdb'), readOnly: true });
  try {
    const clock = { nowMs: Date.parse('2026-11-21T07:30+01:00'), timeZone: 'Europe/Berlin' };
    const { signal } = new AbortController();
    let found = 0;
    for (const example of examples) {
      const answer = ResultTableSchema.parse(
        await store.answer(parsePastQuestion(example, clock), { signal }),
      );
      found += answer.rows.length;
    }
    assert.ok(found >= 10, String(found));
  } finally {
    await store.close();
  }
});
