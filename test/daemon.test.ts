import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { MAX_REQUEST_OCTETS } from '../src/daemon/protocol.ts';
import { until } from './until.ts';

/* Instances as their operator meets them: messages, exit codes, and nothing left behind. */

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const NAMESPACE = 'tsdaemon';
const directory = mkdtempSync(join(tmpdir(), 'tsdaemon-'));
const RUN = join(directory, 'run');
const LOGS = join(directory, 'log');
const CONFIG = join(directory, 'tunnelscope.yaml');
const environment = { ...process.env, RUNTIME_DIRECTORY: RUN, LOGS_DIRECTORY: LOGS };
const BASE = `interval: 300ms\nnamespace: ${NAMESPACE}\ninterfaces: [lo]\nserve: { listen: none }\n`;

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function begin(
  words: readonly string[],
  before: readonly string[] = [],
): ChildProcess & { readonly ended: Promise<Ended> } {
  const [command, ...others] = [...before, process.execPath, CLI, ...words];
  const child = spawn(command!, others, {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
  });
  const said = Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return Object.assign(child, { ended: said.then(([out, err, [code]]) => ({ code, out, err })) });
}

const run = (...words: string[]): Promise<Ended> => begin(words).ended;

async function statusOf(name: string): Promise<Record<string, never> & { pid: number; state: string }> {
  return JSON.parse((await run('status', name, '--json')).out);
}

/** Programs at the hooks of the metered interface, whoever put them there. */
function attached(): string {
  const list = fileURLToPath(new URL('./tcx-list.ts', import.meta.url));
  return execFileSync('ip', ['netns', 'exec', NAMESPACE, process.execPath, list, 'lo'], { encoding: 'utf8' });
}

const isAttached = (): boolean => attached() !== '[]';

/** One that nobody has waited for yet has ended all the same. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

before(() => {
  // A run that was cut off may have left it.
  spawnSync('ip', ['netns', 'del', NAMESPACE], { stdio: 'ignore' });
  execFileSync('ip', ['netns', 'add', NAMESPACE]);
  execFileSync('ip', ['-n', NAMESPACE, 'link', 'set', 'lo', 'up']);
});
beforeEach(() => writeFileSync(CONFIG, BASE));
/** A test that fails must not make the others fail. */
afterEach(async () => {
  if (existsSync(RUN)) await run('stop', '--all', '--timeout', '5s');
  rmSync(RUN, { recursive: true, force: true });
});
after(() => {
  execFileSync('ip', ['netns', 'del', NAMESPACE]);
  rmSync(directory, { recursive: true });
});

test('an instance starts in the background, says how it is, is not started twice, and stops leaving nothing', async () => {
  const started = await run('start', '--detached', '-c', CONFIG);
  assert.equal(started.code, 0, started.err);
  assert.match(started.out, /^"default" meters in the background \(process \d+\); log: .*default\.log\n$/);
  assert.ok(isAttached());
  assert.deepEqual(
    ['', '/default.lock', '/default.sock'].map((file) => (statSync(RUN + file).mode & 0o777).toString(8)),
    ['750', '600', '600'],
  );
  for (const words of [
    ['start', '-c', CONFIG],
    ['start', '--detached', '-c', CONFIG],
  ]) {
    const { code, err } = await run(...words);
    assert.equal(code, 1);
    assert.match(
      err,
      /^tunnelscope: "default" is already running \(process \d+\); stop it with "tunnelscope stop default"/,
    );
  }
  const { code, out } = await run('status');
  assert.equal(code, 0);
  assert.match(
    out,
    /^"default" is metering \(process \d+\) since .*Z, \d+ s\n {2}configuration {2}\/.*tunnelscope\.yaml$/m,
  );
  assert.match(out, /^ {2}interface +lo \(chosen by lo; (tcx|clsact)\)/m);
  const { pid } = await statusOf('default');
  assert.deepEqual(await run('stop'), { code: 0, out: '"default" has stopped\n', err: '' });
  assert.ok(!isAlive(pid));
  assert.ok(!existsSync(RUN), 'lock, socket and directory are gone');
  assert.ok(!isAttached());
  assert.deepEqual(await run('stop'), { code: 0, out: '"default" is not running\n', err: '' });
  assert.deepEqual(await run('status'), { code: 3, out: 'No instance is running\n', err: '' });
  assert.deepEqual(await run('status', 'default'), { code: 3, out: '"default" is not running\n', err: '' });
});

test('the status has uptime, interfaces, rates, audit, memory, versions, rules and files', async () => {
  const values = join(directory, 'values.log');
  appendFileSync(CONFIG, `rules: ["- - - - -"]\nlog: { data: { file: ${values} } }\n`);
  assert.equal((await run('start', 'facts', '--detached', '-c', CONFIG)).code, 0);
  const pings = spawn('ip', ['netns', 'exec', NAMESPACE, 'ping', '-q', '-i', '0.05', '127.0.0.1'], {
    stdio: 'ignore',
  });
  try {
    await until(
      async () => JSON.stringify((await statusOf('facts')).rates).match(/"packetRate":[1-9]/) !== null,
      'rates are not 0',
    );
    const status = await statusOf('facts');
    const { agent, audit, memory, versions, startedMs, nowMs, ...rest } = status as unknown as Record<
      string,
      Record<string, unknown>
    >;
    assert.ok(Number(nowMs) > Number(startedMs));
    assert.equal((agent!.interfaces as { name: string }[])[0]!.name, 'lo');
    assert.deepEqual([audit!.points, audit!.persistent], [2, { packets: 0, octets: 0 }]);
    assert.ok(Number(memory!.resident) > 1e7);
    assert.equal(versions!.node, process.version);
    assert.deepEqual(
      [rest.configuration, rest.rules, rest.dataLog, rest.url],
      [CONFIG, ['- - - - -'], values, null],
    );
  } finally {
    const ended = once(pings, 'exit');
    pings.kill();
    await ended;
  }
  assert.equal((await run('stop', 'facts')).code, 0);
  const [header, ...lines] = readFileSync(values, 'utf8')
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => line.split(' | '));
  const count = header!.indexOf('icmp_count');
  assert.ok(Number(lines.at(-1)![count]) > 0, 'pings are in the values, the last epoch too');
  assert.ok(lines.every(({ length }) => length === 31));
});

test('of two that start at once exactly one wins', async () => {
  const both = await Promise.all([
    run('start', 'race', '--detached', '-c', CONFIG),
    run('start', 'race', '--detached', '-c', CONFIG),
  ]);
  assert.deepEqual(both.map(({ code }) => code).toSorted(), [0, 1], both.map(({ err }) => err).join());
  assert.match(both.find(({ code }) => code === 1)!.err, /"race" is already running/);
  assert.equal((await statusOf('race')).state, 'metering');
  assert.equal((await run('stop', 'race')).code, 0);
});

test('after a kill the status is true, and the next start takes over what was left', async () => {
  assert.equal((await run('start', '--detached', '-c', CONFIG)).code, 0);
  const { pid } = await statusOf('default');
  process.kill(pid, 'SIGKILL');
  await until(() => !isAlive(pid), 'the process is gone');
  assert.deepEqual(readdirSync(RUN).toSorted(), ['default.lock', 'default.sock'], 'nobody could remove them');
  assert.equal((await run('status', 'default')).code, 3);
  assert.deepEqual(await run('status'), { code: 3, out: '"default" is not running\n', err: '' });
  assert.equal((await run('start', '--detached', '-c', CONFIG)).code, 0);
  assert.equal((await statusOf('default')).state, 'metering');
  const again = (await statusOf('default')).pid;
  process.kill(again, 'SIGKILL');
  await until(() => !isAlive(again), 'the process is gone');
  assert.deepEqual(await run('stop'), { code: 0, out: '"default" is not running\n', err: '' });
  assert.ok(!existsSync(RUN), 'stop removes what a killed one left');
});

test('one that does not stop is killed by its own number, and no other process', async () => {
  assert.equal((await run('start', 'stuck', '--detached', '-c', CONFIG)).code, 0);
  const { pid } = await statusOf('stuck');
  process.kill(pid, 'SIGSTOP');
  const { code, out } = await run('stop', 'stuck', '--timeout', '500ms');
  assert.equal(code, 0);
  assert.equal(
    out,
    `"stuck" did not stop within 0.5 s and was killed (process ${pid}); its last epoch is lost\n`,
  );
  assert.ok(!isAlive(pid));
  assert.ok(!existsSync(RUN));
  // A lock of a process that has this number now, but began at another time, is nobody's.
  mkdirSync(RUN, { mode: 0o750 });
  const other = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
  writeFileSync(join(RUN, 'other.lock'), `${other.pid} 1\n`);
  assert.deepEqual(await run('stop', 'other'), { code: 0, out: '"other" is not running\n', err: '' });
  assert.ok(isAlive(other.pid!));
  const ended = once(other, 'exit');
  other.stdin.end();
  await ended;
});

test('reloading changes what can change, names what cannot, and a wrong file changes nothing', async () => {
  assert.equal((await run('start', '--detached', '-c', CONFIG)).code, 0);
  writeFileSync(CONFIG, BASE.replace('300ms', '200ms').replace('[lo]', '["*"]'));
  appendFileSync(CONFIG, 'flows: 999\n');
  assert.deepEqual(await run('reload'), {
    code: 0,
    out: 'Changed: interfaces, interval\nIn force after a new start: flows\n',
    err: '',
  });
  const intervalOf = async () =>
    ((await statusOf('default')) as unknown as { agent: { intervalSeconds: number } }).agent.intervalSeconds;
  assert.equal(await intervalOf(), 0.2);
  const { agent } = (await statusOf('default')) as unknown as { agent: { flowCapacity: number } };
  assert.equal(agent.flowCapacity, 131_072, 'what waits for a new start is not said to be in force');
  assert.equal((await run('reload')).out, 'Nothing changed\nIn force after a new start: flows\n');
  appendFileSync(CONFIG, 'intervall: 1s\n');
  const refused = await run('reload');
  assert.deepEqual([refused.code, refused.out], [2, '']);
  assert.match(
    refused.err,
    /^tunnelscope: Reloading "default" failed, the old configuration stays: .*:6:1: there is no key "intervall"; did you mean "interval"\?\n$/,
  );
  assert.equal(await intervalOf(), 0.2);
  writeFileSync(CONFIG, BASE.replace('300ms', '400ms'));
  process.kill((await statusOf('default')).pid, 'SIGHUP');
  await until(async () => (await intervalOf()) === 0.4, 'SIGHUP was taken as reload');
  assert.equal((await run('stop')).code, 0);
  const log = await run('logs', '-n', '200');
  assert.match(log.out, /Z info {2}Attached in namespace tsdaemon to lo/);
  assert.match(log.out, /Z error Reloading failed, the old configuration stays/);
  assert.match(log.out, /Z info {2}"default" has ended in order\n$/);
});

test('rules are those of the configuration, change while it meters, and a wrong one changes nothing', async () => {
  appendFileSync(CONFIG, "rules: ['- - - - TCP']\n");
  assert.equal((await run('start', '--detached', '-c', CONFIG)).code, 0);
  const held = async (): Promise<string> => (await run('rules')).out;
  assert.equal(await held(), '- - - - TCP\n');
  const pinged = async (): Promise<{ readonly flows: number; readonly excluded: number }> => {
    execFileSync('ip', ['netns', 'exec', NAMESPACE, 'ping', '-q', '-i', '0.02', '-c', '30', '127.0.0.1']);
    const { agent } = (await statusOf('default')) as unknown as {
      agent: { flows: number; rules: { excluded: { packets: number } } };
    };
    return { flows: agent.flows, excluded: agent.rules.excluded.packets };
  };
  await until(async () => (await pinged()).excluded > 0, 'pings are excluded');
  assert.equal((await run('rules', '--rule', 'icmp', '--rule', '- - - 22 TCP')).out, 'icmp\n- - - 22 TCP\n');
  await until(async () => (await pinged()).flows > 0, 'pings are metered');
  const wrong = await run('rules', '--rule', 'icmq');
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /--rule: column 1: .*icmq/);
  assert.equal(await held(), 'icmp\n- - - 22 TCP\n');
  assert.deepEqual(JSON.parse((await run('rules', '--clear', '--json')).out), { rules: [], file: null });
  assert.equal(await held(), 'No rules: everything is kept\n');
  writeFileSync(CONFIG, `${BASE}rules: ['- - - - UDP']\n`);
  assert.match((await run('reload')).out, /^Changed: rules/);
  await until(async () => (await held()) === '- - - - UDP\n', 'reloading has the rules of the file hold');
  assert.equal((await run('stop')).code, 0);
});

test('reloading under traffic loses no packet, and the values have the times between packets', async () => {
  const values = join(directory, 'reload.log');
  appendFileSync(CONFIG, `log: { data: { file: ${values} } }\n`);
  assert.equal((await run('start', '--detached', '-c', CONFIG)).code, 0);
  const words = ['netns', 'exec', NAMESPACE, 'ping', '-q', '-i', '0.02', '-c', '300', '127.0.0.1'];
  const pings = once(spawn('ip', words, { stdio: 'ignore' }), 'exit');
  for (const interval of ['150ms', '400ms', '250ms']) {
    writeFileSync(CONFIG, readFileSync(CONFIG, 'utf8').replace(/interval: .*/, `interval: ${interval}`));
    assert.match((await run('reload')).out, /^Changed: interval$/m);
  }
  await pings;
  assert.equal((await run('stop')).code, 0);
  const [header, ...lines] = readFileSync(values, 'utf8')
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => line.split(' | '));
  const of = (name: string): string[] => lines.map((line) => line[header!.indexOf(name)]!);
  assert.equal(of('icmp_count').at(-1), '600', '300 requests and their replies');
  const means = of('icmp_jitter_avg')
    .filter((text) => text !== '')
    .map(Number);
  assert.ok(means.length > 5, 'times between packets are measured');
  for (const mean of means) assert.ok(mean >= 19, `${mean} ms between pings that are 20 ms apart`);
  assert.ok(of('udp_jitter_avg').every((text) => text === ''));
});

test("the reference's config.json works as it is: its numbers in payloads are judged, its data log is written", async () => {
  const config = join(directory, 'config.json');
  writeFileSync(
    config,
    '{ "RULES": ["- - - - -"], "PATTERN": "0xE7A5C318", "OFFSET": 4, "SEQUENCE_THRESHOLD": 2, "LOG_DATA": "True", "MONITOR_SERVER": "False" }',
  );
  const words = ['--netns', NAMESPACE, '-i', 'lo', '--interval', '200ms'];
  const started = await run('start', 'vtap', '--detached', '-c', config, ...words);
  assert.equal(started.code, 0, started.err);
  // One reverse step when they run around, one big step to 10.
  const numbers = [0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 10];
  const send = `
    const { createSocket } = await import('node:dgram');
    const receiver = createSocket('udp4').bind(9999, '127.0.0.1');
    await new Promise((bound) => receiver.once('listening', bound));
    const sender = createSocket('udp4');
    for (const number of ${JSON.stringify(numbers)}) {
      const payload = Buffer.from('a5300f10e7a5c31800000000', 'hex');
      payload.writeUInt32BE(number, 8);
      await new Promise((sent) => sender.send(payload, 9999, '127.0.0.1', sent));
    }
    sender.close();
    receiver.close();`;
  execFileSync('ip', ['netns', 'exec', NAMESPACE, process.execPath, '--input-type=module', '-e', send]);
  assert.equal((await run('stop', 'vtap')).code, 0);
  const [header, ...lines] = readFileSync(join(directory, 'monitor.log'), 'utf8')
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => line.split(' | '));
  const last = (name: string): string => lines.at(-1)![header!.indexOf(name)]!;
  assert.deepEqual(
    ['seq_num', 'count', 'reverse_err', 'small_err', 'big_err', 'total_err'].map((name) =>
      last(`udp_${name}`),
    ),
    ['10', '17', '1', '0', '1', '2'],
  );
  assert.equal(last('icmp_total_err'), '', 'of what did not come nothing is known');
});

test('what keeps it from starting is said with its exit code, in front and in the background, and nothing is left', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  t.after(() => taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  writeFileSync(CONFIG, BASE.replace('none', `127.0.0.1:${port}`));
  for (const more of [[], ['--detached']]) {
    const { code, err } = await run('start', 'taken', ...more, '-c', CONFIG);
    assert.equal(code, 1);
    assert.match(err, new RegExp(`127\\.0\\.0\\.1:${port}`));
    assert.ok(!existsSync(RUN), 'no lock, no socket');
    assert.ok(!isAttached());
  }
  writeFileSync(CONFIG, 'flows: 1\n');
  const wrong = await run('start', '--detached', '-c', CONFIG);
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /:1:8: flows: "1" is not a whole number/);
  const absent = await run('start', '--detached', '--netns', 'tsd-none', '--listen', '127.0.0.1:0');
  assert.equal(absent.code, 1);
  assert.match(absent.err, /^tunnelscope: Starting "default" failed: .*tsd-none/);
  for (const name of ['../x', '', 'a b', '-']) assert.equal((await run('stop', '--', name)).code, 2, name);
});

test('instances of several names run side by side, in front and in the background, and stop together', async (t) => {
  const front = begin(['start', 'front', '-c', CONFIG]);
  assert.equal((await run('start', 'back', '--detached', '-c', CONFIG)).code, 0);
  await until(async () => (await statusOf('front')).state === 'metering', 'the one in front meters');
  const found = JSON.parse((await run('status', '--json')).out) as { name: string; state: string }[];
  assert.deepEqual(
    found.map(({ name, state }) => `${name} ${state}`),
    ['back metering', 'front metering'],
  );
  assert.match((await run('logs', 'front')).err, /"front" was started in the foreground/);
  const follow = begin(['logs', 'back', '-f', '--json']);
  t.after(() => follow.kill());
  const [first] = (await once(follow.stdout!, 'data')) as [Buffer];
  assert.equal(JSON.parse(first.toString().split('\n')[0]!).instance, 'back');
  const { code, out } = await run('stop', '--all');
  assert.equal(code, 0);
  assert.deepEqual(out.trim().split('\n').toSorted(), ['"back" has stopped', '"front" has stopped']);
  const ended = await front.ended;
  assert.equal(ended.code, 0, ended.err);
  for (const line of ended.out.trim().split('\n')) assert.equal(JSON.parse(line).instance, 'front');
  follow.kill('SIGINT');
  const followed = await follow.ended;
  assert.equal(followed.code, 0);
});

test('the control socket bears hostile words, and serves its own people meanwhile', async () => {
  assert.equal((await run('start', '--detached', '-c', CONFIG)).code, 0);
  const say = async (words: string | Uint8Array): Promise<string> => {
    const socket = connect(join(RUN, 'default.sock'));
    socket.on('error', () => undefined);
    socket.write(words);
    let heard = '';
    socket.on('data', (chunk: Buffer) => {
      heard += chunk;
      if (heard.endsWith('\n')) socket.destroy();
    });
    // Being cut off may come as an error, which is as good.
    await new Promise((resolve) => socket.on('close', resolve));
    return heard;
  };
  for (const words of ['\n', '{}\n', 'null\n', '[1]\n', '{"version":1,"request":{}}\n', '\u0000\u0001\n'])
    assert.match(await say(words), /"code":"DAEMON_PROTOCOL"/, JSON.stringify(words));
  assert.match(
    await say('{"version":1,"request":"__proto__"}\n'),
    /there is no such request; there are status/,
  );
  assert.match(await say('{"version":2,"request":"stop"}\n'), /speaks version 1, not 2/);
  assert.equal(await say('x'.repeat(MAX_REQUEST_OCTETS + 1)), '', 'cut off, since it comes to no end');
  assert.equal(
    await say(`${'{"version":1,"request":"status"}\n'.repeat(1000)}`),
    '',
    'cut off, since it does not wait',
  );
  const silent = Array.from({ length: 40 }, () =>
    connect(join(RUN, 'default.sock')).on('error', () => undefined),
  );
  for (const socket of silent) socket.destroy();
  await Promise.all(
    silent.map((socket) =>
      socket.closed ? undefined : new Promise((resolve) => socket.on('close', resolve)),
    ),
  );
  assert.equal((await run('status', 'default')).code, 0);
  const nobody = await begin(
    ['status', 'default'],
    ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'],
  ).ended;
  assert.notEqual(nobody.code, 0, 'whoever is not root is not told');
  assert.equal((await run('stop')).code, 0);
});

test('a directory into which others can write is not used', async () => {
  mkdirSync(RUN, { mode: 0o750 });
  chmodSync(RUN, 0o777);
  const { code, err } = await run('start', '-c', CONFIG);
  rmSync(RUN, { recursive: true });
  assert.equal(code, 1);
  assert.match(
    err,
    /its owner is 0 and its mode 777: others may write there\); make it, owned by root with mode 0750/,
  );
});

test('a group may be let in', async () => {
  appendFileSync(CONFIG, 'control: { group: daemon }\n');
  assert.equal((await run('start', '--detached', '-c', CONFIG)).code, 0);
  const gid = Number(execFileSync('getent', ['group', 'daemon'], { encoding: 'utf8' }).split(':')[2]);
  assert.deepEqual(
    [RUN, join(RUN, 'default.sock')].map((path) => [
      statSync(path).gid,
      (statSync(path).mode & 0o777).toString(8),
    ]),
    [
      [gid, '750'],
      [gid, '660'],
    ],
  );
  assert.equal((await run('stop')).code, 0);
  writeFileSync(CONFIG, `${BASE}control: { group: nosuchgroup }\n`);
  assert.match((await run('start', '-c', CONFIG)).err, /\/etc\/group has no "nosuchgroup"/);
});
