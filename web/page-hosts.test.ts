/* The view of hosts, in Chromium, over a history that the store keeps. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { until } from '../test/until.ts';
import { launch, numbersBy, text } from './test/browser.ts';
import type { Stream } from './test/source.ts';
import {
  ALL_OF_IT,
  asked,
  BEGIN_MS,
  benchOver,
  END_MS,
  type StoredHistory,
  storeStreams,
} from './test/stored.ts';
import { violations } from './test/violations.ts';

const SPAN = { fromMs: BEGIN_MS, toMs: END_MS };
const PATH = `?sight=hosts&${ALL_OF_IT}`;
const NOISY = '192.168.3.1';
const END = '172.16.1.100';

/** Exact values of the rows of a table, by column. */
function valuesOf(page: Page, row: string): Promise<Record<string, string>[]> {
  return page
    .locator(row)
    .evaluateAll((rows) =>
      rows.map((each) =>
        Object.fromEntries(
          [...each.querySelectorAll<HTMLElement>('[data-column]')].map((cell) => [
            cell.dataset.column!,
            cell.dataset.value!,
          ]),
        ),
      ),
    );
}

/** Two tenants whose hosts have the same addresses, and different peers. */
function equalTenants(): Stream[] {
  const stream = (vni: number, from: string, to: string, octets: number): Stream => ({
    segment: `vxlan:${vni}`,
    outer: ['172.16.1.100', '172.16.1.101'],
    inner: [from, to],
    octets,
    packets: 2,
    ports: [40_000, 80],
  });
  return [
    stream(10, '10.0.0.1', '10.0.0.2', 1000),
    stream(20, '10.0.0.1', '10.0.0.3', 5000),
    stream(20, '10.0.0.3', '10.0.0.1', 300),
  ];
}

describe('the view of hosts', { timeout: 240_000 }, () => {
  let browser: Browser;
  let history: StoredHistory;
  before(async () => {
    browser = await launch();
    history = await storeStreams();
  });
  after(async () => {
    await browser.close();
    await history[Symbol.asyncDispose]();
  });

  test('lists every client with what it sent and received, as the API says', async () => {
    await using it = await benchOver(browser, history, { path: PATH });
    await it.page.getByTestId('grid-row').first().waitFor();
    const sums = new Map<string, { sent: number; received: number }>();
    for (const [dimension, way] of [
      ['src', 'sent'],
      ['dst', 'received'],
    ] as const) {
      const { rows } = await asked(it.url, { ask: 'top', by: [dimension, 'segment'], ...SPAN, limit: 1000 });
      for (const [address, segment, octets] of rows) {
        const key = `${address} ${segment}`;
        const both = sums.get(key) ?? { sent: 0, received: 0 };
        both[way] += Number(octets);
        sums.set(key, both);
      }
    }
    const shown = await valuesOf(it.page, '[data-testid=grid-row]');
    assert.equal(shown.length, sums.size);
    for (const { address, segment, sent, received } of shown)
      assert.deepEqual({ sent: Number(sent), received: Number(received) }, sums.get(`${address} ${segment}`));
    const last = it.page.getByTestId('grid-row').first().locator('[data-column="packets.received"]');
    assert.equal((await last.boundingBox())!.width, 136, 'the last column does not take what is left');
    await it.page.getByTestId('find').fill('192.168.3.');
    await until(
      async () => (await it.page.getByTestId('grid-row').count()) === 3,
      'only those that were searched for',
    );
    assert.deepEqual(await violations(it.page), []);
    assert.deepEqual(it.complaints, []);
  });

  test('a client opens with its peers, tunnels, ports, history, and when it was seen', async () => {
    await using it = await benchOver(browser, history, { path: `${PATH}&address=${NOISY}` });
    const { page } = it;
    await page.getByTestId('ports').getByTestId('short-row').first().waitFor();
    await page.getByTestId('first-seen').waitFor();
    const { rows } = await asked(it.url, {
      ask: 'top',
      by: ['src', 'dst'],
      ...SPAN,
      filter: `host = ${NOISY}`,
    });
    const sent = new Map(rows.filter(([src]) => src === NOISY).map(([, dst, octets]) => [dst, octets]));
    const received = new Map(rows.filter(([src]) => src !== NOISY).map(([src, , octets]) => [src, octets]));
    const peers = await valuesOf(page, '[data-testid=peers] [data-testid=short-row]');
    assert.deepEqual(
      Object.fromEntries(peers.map((row) => [row.peer, [Number(row.sent), Number(row.received)]])),
      Object.fromEntries([...sent].map(([peer, octets]) => [peer, [octets, received.get(peer!)]])),
    );
    const total = [...sent.values()].reduce<number>((sum, octets) => sum + Number(octets), 0);
    const shown = await page.locator('[data-sum="sent as a client"]').getAttribute('data-value');
    assert.equal(Number(shown), total);
    const tunnels = await asked(it.url, {
      ask: 'top',
      by: ['segment', 'outer.src', 'outer.dst'],
      ...SPAN,
      filter: `host = ${NOISY}`,
    });
    assert.deepEqual(
      await valuesOf(page, '[data-testid=tunnels-of] [data-testid=short-row]'),
      tunnels.rows.map((row) =>
        Object.fromEntries(tunnels.columns.map(({ name }, at) => [name, String(row[at])])),
      ),
    );
    const line = page.getByTestId('series-line').first();
    await line.waitFor();
    const series = await asked(it.url, {
      ask: 'series',
      by: ['segment'],
      ...SPAN,
      filter: `host = ${NOISY}`,
    });
    assert.equal(Number(await line.getAttribute('data-octets')), series.total.octets);
    assert.deepEqual(await violations(page), []);
    await page.keyboard.press('Escape');
    await page.getByTestId('hosts').waitFor();
    assert.deepEqual(it.complaints, []);
  });

  test('tenants with equal addresses were mixed; now each is by itself, and an address alone offers them', async () => {
    const path = `?sight=hosts&${ALL_OF_IT}`;
    await using tenants = await storeStreams({ streams: equalTenants() });
    await using it = await benchOver(browser, tenants, { path: `${path}&address=10.0.0.1` });
    const { page } = it;
    const offered = page.getByTestId('tenant');
    await offered.first().waitFor();
    const bySegment = await asked(it.url, {
      ask: 'top',
      by: ['segment'],
      ...SPAN,
      filter: 'host = 10.0.0.1',
    });
    assert.deepEqual(
      await numbersBy(page, 'tenant', 'data-segment', 'data-octets'),
      Object.fromEntries(bySegment.rows.map(([segment, octets]) => [segment, Number(octets)])),
    );
    assert.match(await text(page, 'tenants'), /in 2 segments: as many hosts may have it/);
    assert.equal(await page.getByTestId('peers').count(), 0);
    assert.deepEqual(await violations(page), []);

    await offered.filter({ hasText: 'VNI 20' }).getByRole('link').click();
    await until(() => page.url().includes('in=vxlan:20'), 'the address says which tenant');
    await page.getByTestId('ports').getByTestId('short-row').first().waitFor();
    assert.match(await text(page, 'meant'), /in VNI 20/);
    const filter = 'vni = 20 and host = 10.0.0.1';
    const { rows } = await asked(it.url, { ask: 'top', by: ['src', 'dst'], ...SPAN, filter });
    const sent = new Map(rows.filter(([src]) => src === '10.0.0.1').map(([, dst, octets]) => [dst, octets]));
    const peers = await valuesOf(page, '[data-testid=peers] [data-testid=short-row]');
    assert.deepEqual(
      Object.fromEntries(peers.map((row) => [row.peer, Number(row.sent)])),
      Object.fromEntries(sent),
    );
    assert.deepEqual([...sent.keys()], ['10.0.0.3'], 'the peer of the other tenant is not there');
    await page.getByTestId('peers').getByRole('link').first().click();
    await until(() => /address=10\.0\.0\.3&in=vxlan:20/.test(page.url()), 'a peer is of the same tenant');
    await page.goBack();
    await page.keyboard.press('Escape');
    await page.getByTestId('grid-row').first().waitFor();
    assert.doesNotMatch(page.url(), /address=|in=/);
    await page.getByTestId('grid-row').filter({ hasText: 'VNI 10' }).filter({ hasText: '10.0.0.1' }).click();
    await until(() => page.url().includes('in=vxlan:10'), 'a row leads to its own tenant');
    assert.deepEqual(it.complaints, []);
  });

  test('an end of tunnels has its sums beside those of a client', async () => {
    await using it = await benchOver(browser, history, { path: `${PATH}&by=outer` });
    await it.page.getByTestId('grid-row').filter({ hasText: END }).first().click();
    await until(() => it.page.url().includes(`address=${END}`), 'the address says whom');
    const sent = await asked(it.url, {
      ask: 'top',
      by: ['outer.src'],
      ...SPAN,
      filter: `outer.src = ${END}`,
    });
    const sum = it.page.locator('[data-sum="sent as an end of tunnels"]');
    await sum.waitFor();
    assert.equal(Number(await sum.getAttribute('data-value')), sent.total.octets);
    const peer = it.page.getByTestId('ends').getByRole('link').first();
    const name = await peer.textContent();
    await peer.click();
    await until(() => it.page.url().includes(`address=${name}`), 'a peer leads to itself');
  });

  test('fits a phone', async () => {
    await using it = await benchOver(browser, history, {
      path: `${PATH}&address=${NOISY}`,
      context: { viewport: { width: 390, height: 844 } },
    });
    await it.page.getByTestId('first-seen').waitFor();
    assert.equal(await it.page.evaluate(() => document.documentElement.scrollWidth), 390);
    assert.deepEqual(await violations(it.page), []);
  });
});
