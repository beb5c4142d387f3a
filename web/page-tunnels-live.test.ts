/* What tunnels cost and suffer, on the page, before a real agent on a real tunnel, now and in its history. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { ServedAgent } from '../test/served-agent.ts';
import { type TwoHosts, twoHosts } from '../test/two-hosts.ts';
import { until } from '../test/until.ts';
import { ip, layTunnel, ping } from '../test/vxlan-scene.ts';
import { launch } from './test/browser.ts';
import { asked } from './test/stored.ts';
import { violations } from './test/violations.ts';

const MEASURED = { measurements: ['sequence', 'tcp'] } as const;

/** A column of the tunnel that leaves here, exactly. */
function exactOf(page: Page, column: string): Promise<string | null> {
  return page
    .getByTestId('grid-row')
    .filter({ has: page.locator(`[data-column="outer.src"][data-value="192.168.61.1"]`) })
    .locator(`[data-column="${column}"]`)
    .getAttribute('data-value');
}

describe('tunnels live', { timeout: 240_000 }, () => {
  let browser: Browser;
  let hosts: TwoHosts;
  before(async () => {
    browser = await launch();
    hosts = twoHosts('tsviewt');
    layTunnel(hosts, 1500);
  });
  after(async () => {
    await browser.close();
    await hosts[Symbol.asyncDispose]();
  });

  async function open(agent: ServedAgent, query: string, width = 1440) {
    const context = await browser.newContext({ viewport: { width, height: 900 } });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    await page.goto(`${agent.url}?sight=tunnels&window=all${query}`);
    return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
  }

  test('the room that packets leave and what they suffer are those of the API, and what does not fit is said', async () => {
    await using agent = await ServedAgent.start(hosts.here, { measure: MEASURED });
    ping(hosts.here, 1450);
    await using it = await open(agent, '');
    const { page, complaints } = it;
    await page.getByTestId('grid-row').first().waitFor({ timeout: 30_000 });
    await until(async () => (await exactOf(page, 'headroom')) === '0', 'nothing is free', 20_000);
    assert.equal(await exactOf(page, 'lost'), '0');
    assert.equal(await exactOf(page, 'resent'), '', 'no TCP went through it');
    assert.equal(await page.getByTestId('too-long').count(), 0);
    await page.getByTestId('grid-row').first().click();
    await page.getByTestId('room').getByText('of the 1\u202f500 octets that the underlay takes').waitFor();
    assert.deepEqual(await violations(page), []);

    ip('-n', hosts.here, 'link', 'set', 'eth0', 'mtu', '1400');
    try {
      await page.getByTestId('too-long').waitFor({ timeout: 20_000 });
      assert.equal(await exactOf(page, 'headroom'), '-100');
      assert.match(
        (await page.getByTestId('room').textContent()) ?? '',
        /100 too many\. Such packets are dropped/,
      );
      const cell = page.locator('[data-column=headroom] .no-room').first();
      assert.equal(await cell.textContent(), '▲ does not fit: −100 B');
      assert.deepEqual(await violations(page), []);
    } finally {
      ip('-n', hosts.here, 'link', 'set', 'eth0', 'mtu', '1500');
    }
    assert.deepEqual(complaints, []);
  });

  test('a past time shows what live showed, and what was not measured then', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-page-'));
    using _ = { [Symbol.dispose]: () => rmSync(directory, { recursive: true }) };
    const columns = ['mtu', 'headroom', 'lost', 'loss', 'duplicates', 'reordered'];
    const fromMs = Math.floor(Date.now() / 1000) * 1000;
    await using agent = await ServedAgent.start(hosts.here, {
      measure: { measurements: ['sequence'] },
      history: directory,
    });
    ping(hosts.here, 1440);
    const shownBy = (page: Page) => Promise.all(columns.map((column) => exactOf(page, column)));
    await using now = await open(agent, `&cols=segment,outer.src,${columns.join()}`);
    await until(async () => (await exactOf(now.page, 'headroom')) === '10', 'what is free now', 20_000);
    const live = await shownBy(now.page);
    assert.deepEqual(live, ['1500', '10', '0', '0', '0', '0']);
    const question = { ask: 'tunnels', fromMs, toMs: fromMs + 60_000 };
    await until(async () => (await asked(agent.url, question)).rows.length === 2, 'it is stored', 30_000);
    const time = [fromMs, fromMs + 60_000].map((ms) => new Date(ms).toISOString().replace('.000Z', 'Z'));
    await using then = await open(agent, `&time=${time.join('/')}&cols=segment,outer.src,${columns.join()}`);
    await then.page.getByTestId('grid-row').first().waitFor({ timeout: 30_000 });
    assert.deepEqual(await shownBy(then.page), live);
    await then.page.getByText('Not measured then: resent segments and round trips.').waitFor();
    assert.deepEqual(await violations(then.page), []);
    assert.deepEqual([...now.complaints, ...then.complaints], []);
  });

  test('what is not measured is named with its switch, also on a phone', async () => {
    await using agent = await ServedAgent.start(hosts.here);
    ping(hosts.here, 1000);
    await using it = await open(agent, '&cols=segment,headroom', 390);
    const { page, complaints } = it;
    await page.getByText('--measure sequence,tcp').waitFor({ timeout: 30_000 });
    await until(
      async () =>
        (await page
          .locator('[data-testid=grid-row] [data-column=headroom]')
          .first()
          .getAttribute('data-value')) === '450',
      'the room',
      20_000,
    );
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 390, `${width} px`);
    assert.deepEqual(complaints, []);
  });
});
