/* The view of exactness, in Chromium, over a history that the store keeps. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import type { Audit } from '../src/query/index.ts';
import { launch } from './test/browser.ts';
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

describe('the view of exactness', { timeout: 240_000 }, () => {
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

  test('says what is in no flow and why, and when nobody metered, as the API does', async () => {
    await using it = await benchOver(browser, history, { path: `?sight=exactness&${ALL_OF_IT}` });
    const { page } = it;
    await page.getByTestId('gaps').waitFor({ timeout: 30_000 });
    const { ledger, gaps } = await asked(it.url, { ask: 'distinct', of: 'network', ...SPAN });
    assert.equal(ledger.length, 1);
    const reasons = await page
      .getByTestId('reason')
      .evaluateAll((rows) => rows.map((row) => ({ ...(row as HTMLElement).dataset })));
    assert.deepEqual(
      reasons.map(({ reason, octets, packets }) => ({
        reason,
        octets: Number(octets),
        packets: Number(packets),
      })),
      ledger,
    );
    assert.match((await page.getByTestId('reasons').textContent())!, /in the midst of its Ethernet header/);
    const shown = await page
      .locator('[data-testid=gaps] li')
      .evaluateAll((items) => items.map((item) => ({ ...(item as HTMLElement).dataset })));
    assert.deepEqual(
      shown.map(({ from, to }) => ({ fromMs: Number(from), toMs: Number(to) })),
      gaps,
    );
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(it.complaints, []);
  });

  test('has the audit of every point, and fits a phone', async () => {
    await using it = await benchOver(browser, history, {
      path: '?sight=exactness',
      context: { viewport: { width: 390, height: 844 } },
    });
    const { page } = it;
    await page.getByTestId('audit-point').first().waitFor({ timeout: 30_000 });
    const audit = (await (await fetch(`${it.url}api/v1/audit`)).json()) as Audit;
    const points = await page
      .getByTestId('audit-point')
      .evaluateAll((tables) => tables.map((table) => table.getAttribute('data-point')));
    assert.deepEqual(
      points,
      audit.points.map(({ interfaceName, direction }) => `${interfaceName} ${direction}`),
    );
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(it.complaints, []);
  });
});
