/* Alerts on the page, in Chromium, before a real agent whose host is pinged. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { type AlertDefinition, parseFilter } from '../src/query/index.ts';
import { ServedAgent } from '../test/served-agent.ts';
import { twoHosts } from '../test/two-hosts.ts';
import { until } from '../test/until.ts';
import { launch, text } from './test/browser.ts';
import { violations } from './test/violations.ts';

const PINGED: AlertDefinition = {
  name: 'pinged',
  filterText: 'icmp',
  filter: parseFilter('icmp'),
  quantity: 'packets',
  by: 'src',
  bound: 'above',
  threshold: 5,
  forMs: 400,
  webhook: undefined,
};
/** Twice per second and address what the threshold is. */
const PINGS = ['ping', '-q', '-i', '0.1', '192.168.61.1'];

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

test('an alert that fires stands above every view with its value, leads to its flows, and is over when they are', async () => {
  await using hosts = twoHosts('tsviews-al');
  await using agent = await ServedAgent.start(hosts.here, { alerts: [PINGED] });
  const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  await page.goto(agent.url);
  await page.getByTestId('connection').waitFor();
  assert.equal(await page.getByTestId('alerts').count(), 0);

  const pings = hosts.begin(hosts.far, PINGS);
  await page.getByText('▲ 2 alerts').waitFor();
  await page.getByTestId('alerts').click();
  const lines = page.getByTestId('alert');
  // Who pings, and who answers.
  await until(async () => (await lines.count()) === 2, 'both directions fire');
  for (const line of await lines.all()) {
    assert.equal(await line.getAttribute('data-state'), 'firing');
    assert.match(
      (await line.textContent())!,
      /pinged 192\.168\.61\.[12], plain traffic[\d.]+ pkt\/s, above 5 pkt\/s/,
    );
  }
  const panel = (await page.locator('.menu-panel').boundingBox())!;
  assert.ok(panel.x >= 0 && panel.x + panel.width <= 390, JSON.stringify(panel));
  assert.deepEqual(await violations(page), []);

  await page.setViewportSize({ width: 1440, height: 900 });
  await lines.filter({ hasText: '192.168.61.2' }).getByRole('link').click();
  await until(() => page.url().includes('sight=flows'), 'its flows');
  const row = page.getByTestId('grid-row');
  await row.first().waitFor();
  for (const each of await row.all())
    assert.match((await each.textContent())!, /^plain traffic\s*192\.168\.61\.2\D/);

  pings.kill();
  await page.getByText('pending or over').waitFor();
  await page.getByTestId('alerts').click();
  await until(async () => (await text(page, 'alert')).includes('resolved for'), 'it is over');
  await context.close();
});
