/* What a program of others took before the hook, on the page, of a past time that a real agent kept. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { noTcx } from '../src/bpf/testdata/probe.ts';
import { type PastAudit, PastAuditSchema } from '../src/query/index.ts';
import { ServedAgent } from '../test/served-agent.ts';
import { twoHosts } from '../test/two-hosts.ts';
import { until } from '../test/until.ts';
import { launch, text } from './test/browser.ts';
import { violations } from './test/violations.ts';

const PINGS = 20;
const SECOND = 1000;
const DROPPER = fileURLToPath(new URL('../test/dropper.ts', import.meta.url));

async function nextSecond(): Promise<number> {
  const beginMs = Math.ceil((Date.now() + 1) / SECOND) * SECOND;
  await until(() => Date.now() >= beginMs, 'the next second begins');
  return beginMs;
}

test('a past time has the difference at the point and in the seconds of the API; the time before has none', {
  skip: noTcx,
  timeout: 180_000,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tsviewx-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(directory, { recursive: true }));
  // Builds the page too, which the agent reads when it starts.
  const browser = await launch();
  stack.defer(() => browser.close());
  const hosts = stack.use(twoHosts('tsviewx'));
  // The agent runs in this process: nothing may keep its thread.
  const ping = async (): Promise<void> => {
    const words = ['ping', '-q', '-c', String(PINGS), '-i', '0.02', '-W', '1', '-s', '1000', '192.168.61.1'];
    await once(spawn('ip', ['netns', 'exec', hosts.far, ...words], { stdio: 'ignore' }), 'exit');
  };
  const agent = stack.use(await ServedAgent.start(hosts.here, { history: directory }));
  const audit = async (fromMs: number, toMs: number): Promise<PastAudit> => {
    const response = await fetch(`${agent.url}api/v1/audit/past?fromMs=${fromMs}&toMs=${toMs}`);
    return PastAuditSchema.parse(await response.json());
  };
  const cleanMs = await nextSecond();
  // Nothing passes while the counters are read at the beginning, or at the end: the bounds of all of it have no width.
  await nextSecond();
  await ping();
  const dropMs = await nextSecond();
  const dropper = spawn(process.execPath, [DROPPER, hosts.here, 'eth0']);
  dropper.stderr.pipe(process.stderr);
  try {
    await once(dropper.stdout, 'data', { signal: AbortSignal.timeout(20_000) });
    await ping();
  } finally {
    dropper.stdin.end();
    await once(dropper, 'exit');
  }
  const endMs = (await nextSecond()) + SECOND;
  await until(
    async () => (await audit(cleanMs, endMs).catch(() => undefined))?.unexplained.packets === PINGS,
    'it is in the history',
    60_000,
  );

  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  const open = async (fromMs: number, toMs: number): Promise<void> => {
    const moment = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');
    await page.goto(`${agent.url}?sight=exactness&time=${moment(fromMs)}/${moment(toMs)}`);
  };
  await open(cleanMs, endMs);
  await page.getByTestId('unexplained-then').waitFor({ timeout: 30_000 });
  const stretches = await page
    .getByTestId('unexplained-stretch')
    .evaluateAll((rows) => rows.map((row) => ({ ...(row as HTMLElement).dataset })));
  const sum = (name: 'packets' | 'octets'): number =>
    stretches.reduce((all, stretch) => all + Number(stretch[name]), 0);
  const { unexplained, points } = await audit(cleanMs, endMs);
  assert.deepEqual(unexplained, { packets: PINGS, octets: PINGS * 1042 });
  const inSteps = (name: 'packets' | 'octets'): number =>
    points.flatMap(({ steps }) => steps).reduce((all, step) => all + step[name], 0);
  assert.deepEqual([sum('packets'), sum('octets')], [inSteps('packets'), inSteps('octets')]);
  for (const { point, from, to } of stretches) {
    assert.equal(point, 'eth0 ingress');
    assert.ok(Number(from) >= dropMs && Number(to) <= endMs);
  }
  const shown = page.locator('[data-testid=audit-point][data-point="eth0 ingress"]');
  assert.match((await shown.locator('tr.unexplained').textContent())!, /^unexplained by the interface20/);
  assert.match(await text(page, 'exactness-headline'), /20 pkt unexplained/);
  assert.match((await page.locator('.hint-words').textContent())!, /constants runs before it/);
  assert.deepEqual(await violations(page), []);

  await open(cleanMs, dropMs);
  await page.getByTestId('all-explained').waitFor({ timeout: 30_000 });
  await shown.waitFor();
  assert.equal(await page.locator('tr.unexplained').count(), 0);
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(complaints, []);
});
