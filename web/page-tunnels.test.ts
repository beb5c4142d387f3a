/* The view of tunnels, in Chromium, over a history that the store keeps. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { until } from '../test/until.ts';
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
const PATH = `?sight=tunnels&${ALL_OF_IT}`;

describe('the view of tunnels', { timeout: 240_000 }, () => {
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

  test('shows every tunnel as the API does, and opens one with its history and its flows', async () => {
    await using it = await benchOver(browser, history, { path: PATH });
    const { page } = it;
    await page.getByTestId('grid-row').first().waitFor({ timeout: 30_000 });
    const answer = await asked(it.url, { ask: 'tunnels', ...SPAN, limit: 1000 });
    const names = answer.columns.map(({ name }) => name);
    assert.equal(
      await page.getByTestId('grid').getAttribute('aria-rowcount'),
      String(1 + answer.rows.length),
    );
    const shown = await page
      .getByTestId('grid-row')
      .evaluateAll((rows) =>
        rows.map((row) =>
          [...row.querySelectorAll<HTMLElement>('[role=gridcell]')].map((cell) => [
            cell.dataset.column!,
            cell.dataset.value!,
          ]),
        ),
      );
    for (const [nth, row] of shown.entries())
      for (const [column, value] of row)
        assert.equal(value, String(answer.rows[nth]![names.indexOf(column!)] ?? ''), column);
    await page.getByTestId('grid-row').first().click();
    await page.getByTestId('drawer').getByTestId('series-line').first().waitFor({ timeout: 30_000 });
    const largest = answer.rows[0]!;
    const line = page.getByTestId('drawer').getByTestId('series-line').first();
    assert.equal(await line.getAttribute('data-octets'), String(largest[names.indexOf('octets')]));
    assert.deepEqual(await violations(page), []);
    await page.getByTestId('next').getByText('Its flows').click();
    const total = async (): Promise<number> =>
      page
        .locator('[data-testid=flows] [data-testid=grid-row] [data-column=octets]')
        .evaluateAll((cells) =>
          cells.reduce((sum, cell) => sum + Number(cell.getAttribute('data-value')), 0),
        );
    await until(async () => (await total()) === largest[names.indexOf('octets')], 'its flows add up', 30_000);
    assert.deepEqual(it.complaints, []);
  });

  test('of a time that was measured it shows what tunnels suffered and left, as the API tells it', async () => {
    await using measured = await storeStreams({ isMeasured: true });
    await using it = await benchOver(browser, measured, { path: PATH });
    const { page } = it;
    await page.getByTestId('grid-row').first().waitFor({ timeout: 30_000 });
    const answer = await asked(it.url, { ask: 'tunnels', ...SPAN, limit: 1000 });
    const at = (name: string): number => answer.columns.findIndex((column) => column.name === name);
    for (const column of ['headroom', 'lost', 'resent', 'round.trip']) {
      assert.ok(
        answer.rows.some((row) => row[at(column)] !== null),
        column,
      );
      const cells = page.locator(`[data-testid=grid-row] [data-column="${column}"]`);
      const shown = await cells.evaluateAll((all) => all.map((cell) => (cell as HTMLElement).dataset.value));
      assert.deepEqual(
        shown,
        answer.rows.slice(0, shown.length).map((row) => String(row[at(column)] ?? '')),
        column,
      );
    }
    assert.equal(await page.getByText(/nobody knows|Not measured/).count(), 0);
    await page.getByTestId('grid-row').first().click();
    await page.getByTestId('room').getByText('octets that the underlay takes as one: 36 are free.').waitFor();
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(it.complaints, []);
  });

  test('says of a time of which nobody knows it that nobody does', async () => {
    await using it = await benchOver(browser, history, { path: PATH });
    await it.page.getByText('Of this time nobody knows headroom, loss').waitFor({ timeout: 30_000 });
    assert.deepEqual(await violations(it.page), []);
  });

  test('fits a phone, and says where there is none', async () => {
    await using it = await benchOver(browser, history, {
      path: `${PATH}&segment=none`,
      context: { viewport: { width: 390, height: 844 }, colorScheme: 'dark' },
    });
    await it.page.getByTestId('no-rows').waitFor({ timeout: 30_000 });
    await it.page.getByTestId('no-rows').getByText('Show all segments').click();
    await it.page.getByTestId('grid-row').first().waitFor({ timeout: 30_000 });
    assert.equal(await it.page.evaluate(() => document.documentElement.scrollWidth), 390);
    assert.deepEqual(await violations(it.page), []);
  });
});
