/* What an interface counted and no hook saw, in the history: asked of the instance that keeps it, and of the file when that has ended. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { noTcx } from '../src/bpf/testdata/probe.ts';
import { type PastAudit, type PastAuditPoint, PastAuditSchema } from '../src/query/index.ts';
import { HistoryScene } from './history-scene.ts';
import { until } from './until.ts';

const PINGS = 20;
/** Ethernet, IPv4 and ICMP headers before what is sent. */
const HEADER_OCTETS = 14 + 20 + 8;
const LARGE = 1000;
const SECOND = 1000;

function ingress({ points }: PastAudit): PastAuditPoint {
  const isWanted = ({ interfaceName, direction }: PastAuditPoint): boolean =>
    interfaceName === 'eth0' && direction === 'ingress';
  return points.find(isWanted) ?? assert.fail('eth0 ingress is not in it');
}

/** A time in the words of a question. */
function words(fromMs: number, toMs: number): string[] {
  return [
    'from',
    new Date(fromMs).toISOString().slice(0, 19),
    'to',
    new Date(toMs).toISOString().slice(0, 19),
  ];
}

test('what a program of others took before the hook stands in the history, when and how much', {
  skip: noTcx,
  timeout: 180_000,
}, async () => {
  using scene = new HistoryScene('tspaud');
  const peer = `${scene.name}-peer`;
  const ping = (octets: number): void => {
    const command = ['ping', '-q', '-c', String(PINGS), '-i', '0.02', '-W', '1', '-s', String(octets)];
    execFileSync('ip', ['netns', 'exec', peer, 'sh', '-c', `${command.join(' ')} 10.8.0.1 || true`]);
  };
  execFileSync('ip', ['-n', peer, 'addr', 'add', '10.8.0.2/24', 'dev', 'eth0']);
  execFileSync('ip', ['-n', scene.name, 'neigh', 'del', '10.8.0.2', 'dev', 'eth0']);
  const agent = scene.start();
  await agent.metering();
  const asked = async (...more: readonly string[]): Promise<{ code: number | null; audit: PastAudit }> => {
    const { code, out } = await scene.run(['audit', '--time-zone', 'UTC', '--json', ...more]);
    return { code, audit: PastAuditSchema.parse(JSON.parse(out)) };
  };
  const ofInstance = ['--name', scene.name];
  const nextSecond = async (): Promise<number> => {
    const beginMs = Math.ceil((Date.now() + 1) / SECOND) * SECOND;
    await until(() => Date.now() >= beginMs, 'the next second begins');
    return beginMs;
  };

  const cleanMs = await nextSecond();
  // Nothing passes while the counters are read at the beginning, or at the end: the bounds of all of it have no width.
  await nextSecond();
  ping(LARGE);
  const dropMs = await nextSecond();
  const dropper = spawn(process.execPath, [
    fileURLToPath(new URL('dropper.ts', import.meta.url)),
    scene.name,
    'eth0',
  ]);
  dropper.stderr.pipe(process.stderr);
  try {
    await once(dropper.stdout, 'data', { signal: AbortSignal.timeout(20_000) });
    ping(LARGE);
  } finally {
    dropper.stdin.end();
    await once(dropper, 'exit');
  }
  const endMs = (await nextSecond()) + SECOND;
  const whole = words(cleanMs, endMs);
  await until(
    async () => (await asked(...ofInstance, ...whole)).audit.unexplained.packets === PINGS,
    'it is in the history',
    60_000,
  );

  const lost = { packets: PINGS, octets: PINGS * (HEADER_OCTETS + LARGE) };
  const { code, audit } = await asked(...ofInstance, ...whole);
  assert.equal(code, 1, 'something is unexplained');
  assert.deepEqual(audit.unexplained, lost);
  const point = ingress(audit);
  assert.deepEqual([point.kind, point.programs.before], ['veth', ['constants']]);
  assert.match(point.hint, /constants runs before it/);
  const { outside, inside } = point.span;
  assert.deepEqual([outside.packets, outside.octets, inside.packets], [lost.packets, lost.octets, 0]);
  assert.equal(audit.stepMs, SECOND);
  const sum = (name: 'packets' | 'octets'): number => point.steps.reduce((all, step) => all + step[name], 0);
  // Where two steps meet a packet may pass while the counters are read, and is in the bounds of both.
  assert.ok(sum('packets') > PINGS / 2 && sum('packets') <= lost.packets && sum('octets') <= lost.octets);
  for (const { fromMs } of point.steps) assert.ok(fromMs >= dropMs && fromMs < endMs);

  const clean = await asked(...ofInstance, ...words(cleanMs, dropMs));
  assert.deepEqual([clean.code, clean.audit.unexplained], [0, { packets: 0, octets: 0 }]);
  assert.ok(ingress(clean.audit).span.seen.packets >= PINGS, 'what was answered was seen');
  assert.ok(ingress(clean.audit).comparedSeconds > 0);

  assert.equal(await agent.end('SIGTERM'), 0, agent.said());
  const ofFile = ['--history', scene.history];
  const again = await asked(...ofFile, ...whole);
  assert.deepEqual(ingress(again.audit).span.outside, outside);
  const text = await scene.run(['audit', '--time-zone', 'UTC', ...ofFile, ...whole]);
  assert.equal(text.code, 1);
  assert.match(text.out, /^eth0 ingress \(veth; counts frames/m);
  assert.match(
    text.out,
    /unexplained by the interface in steps of 1 s:\n {4}20\d\d-\d\d-\d\d \d\d:\d\d:\d\d {2}\d+ packets/,
  );
  assert.match(text.out, /^UNEXPLAINED: 20 packets, 20 840 octets\.$/m);
  const wrong = await scene.run(['audit', ...ofFile, 'last', '24h', 'where', 'tcp']);
  assert.equal(wrong.code, 2);
  const both = await scene.run(['audit', '--iface', 'eth0', 'last', '24h']);
  assert.equal(both.code, 2);
});
