/* The view of connections, in Chromium, before a real agent in a namespace with real connections. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { hasBtf } from '../src/bpf/index.ts';
import { ServedAgent } from '../test/served-agent.ts';
import { buildPair, PATIENCE_MS, removePair, ssOf, TcpEnd } from '../test/socket-scene.ts';
import { until } from '../test/until.ts';
import { bench, launch } from './test/browser.ts';
import { violations } from './test/violations.ts';

const PAIR = ['tsviews-c', 'tsviews-d'] as const;
const [NEAR, FAR] = PAIR;
const skip = hasBtf() ? false : 'this kernel has no BTF of its own';
let browser: Browser;

before(async () => {
  buildPair(PAIR);
  browser = await launch();
});
after(async () => {
  await browser.close();
  removePair(PAIR);
});

test('connections are those of the kernel, open, and lead to their flows', { skip }, async () => {
  await using server = new TcpEnd(FAR);
  await using client = new TcpEnd(NEAR);
  const port = await server.listen('10.79.0.2');
  const connection = await client.connect('10.79.0.2', port);
  await client.connect('10.79.0.2', port);
  await client.write(connection.number, 300_000);
  await until(() => ssOf(NEAR, connection.port).ackedOctets >= 300_000, 'all is acknowledged', PATIENCE_MS);
  await using agent = await ServedAgent.start(NEAR);
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  await page.goto(`${agent.url}?sight=connections&cols=localPort,remotePort,state,sentOctets,cwnd,srttMs`);
  const row = page.getByTestId('grid-row').filter({ hasText: String(connection.port) });
  await row.waitFor();
  assert.equal(await page.getByTestId('grid-row').count(), 2);
  const shown = await row
    .locator('[role=gridcell]')
    .evaluateAll((cells) => cells.map((cell) => cell.getAttribute('data-value')));
  const ss = ssOf(NEAR, connection.port);
  assert.deepEqual(
    shown.slice(0, 5),
    [connection.port, port, 'established', ss.sentOctets, ss.cwnd].map(String),
  );
  assert.equal(Math.round(1000 * Number(shown[5])), ss.srttUs);
  await row.click();
  await page.getByTestId('drawer').waitFor();
  assert.deepEqual(await violations(page), []);
  await page.getByTestId('next').getByText('Its flows').click();
  await until(() => page.url().includes('sight=flows'), 'its flows');
  await page.goto(`${agent.url}?sight=connections&filter=port+9`);
  await page.getByTestId('no-rows').waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test('captures have none, and it is said', async () => {
  await using it = await bench(browser, { path: '?sight=connections' });
  await it.page.getByTestId('answer-problem').waitFor();
  assert.match((await it.page.getByTestId('answer-problem').textContent())!, /captures/);
});
