/* The view of exactness, in Chromium, over a history that the store keeps. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { batchOf } from '../src/flow/batch.fixture.ts';
import { LiveView } from '../src/live/index.ts';
import { type Audit, type PastAudit, PastAuditSchema } from '../src/query/index.ts';
import { bench, launch, numbersBy, text } from './test/browser.ts';
import {
  ALL_OF_IT,
  asked,
  BEGIN_MS,
  benchOver,
  END_MS,
  LOST,
  type StoredHistory,
  storeStreams,
} from './test/stored.ts';
import { violations } from './test/violations.ts';

const SPAN = { fromMs: BEGIN_MS, toMs: END_MS };

/** The audit of a time as the API has it. */
async function auditOf(url: string, span: { fromMs: number; toMs: number }): Promise<PastAudit> {
  const words = new URLSearchParams({ fromMs: String(span.fromMs), toMs: String(span.toMs) });
  return PastAuditSchema.parse(await (await fetch(`${url}api/v1/audit/past?${words}`)).json());
}

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

  test('over past losses stood "all counted" of now; the headline is of the span that is shown', async () => {
    await using it = await benchOver(browser, history, { path: `?sight=exactness&${ALL_OF_IT}` });
    const { page } = it;
    await page.getByTestId('reasons').waitFor({ timeout: 30_000 });
    assert.match(await text(page, 'exactness-headline'), /^30 s not metered, \S.* \d\d:00 – \d\d:05\.$/);
    await page.goto(`${it.url}?sight=exactness&time=2026-11-21T10:00:00Z/2026-11-21T10:01:00Z`);
    await page.getByTestId('reasons').waitFor({ timeout: 30_000 });
    assert.match(await text(page, 'exactness-headline'), /^All but 168\sB in flows, .* \d\d:00 – \d\d:01\.$/);
  });

  test('the ledger stands over time, step by step, and each line leads to what the documents say of it', async () => {
    await using it = await benchOver(browser, history, { path: `?sight=exactness&${ALL_OF_IT}` });
    const { page } = it;
    await page.locator('[data-testid=ledger-series] canvas').waitFor({ timeout: 30_000 });
    const { ledger, ledgerSteps } = await asked(it.url, { ask: 'series', points: 'every', ...SPAN });
    assert.equal(ledgerSteps?.length, 27);
    assert.deepEqual(
      await numbersBy(page, 'series-line', 'data-line', 'data-octets'),
      Object.fromEntries(ledger.map(({ reason, octets }) => [reason, octets])),
    );
    await page.locator('[data-testid=ledger-series] summary').click();
    await page.locator('[data-testid=series-table] tr[data-from]').first().waitFor();
    const steps = await page.locator('[data-testid=series-table] tr[data-from]').evaluateAll((rows) =>
      rows.flatMap((row) => {
        const octets = Number(row.querySelector('[data-octets]')!.getAttribute('data-octets'));
        return octets === 0 ? [] : [{ fromMs: Number(row.getAttribute('data-from')), octets }];
      }),
    );
    assert.deepEqual(
      steps,
      ledgerSteps.map(({ fromMs, octets }) => ({ fromMs, octets })),
    );
    const href = await page.locator('[data-testid=reason] a').getAttribute('href');
    const document = await fetch(new URL(href!, it.url));
    assert.equal(document.headers.get('content-type'), 'text/plain; charset=utf-8');
    assert.match(await document.text(), /`ethernet_truncated` \| The packet ends in the midst/);
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(it.complaints, []);
  });

  test('says since when how much stands unexplained, at which point', async () => {
    await using it = await bench(browser, {
      path: '?sight=exactness',
      prepare: (source) => {
        source.missed = 7;
      },
    });
    const { page } = it;
    await page.getByTestId('unexplained').waitFor({ timeout: 30_000 });
    const { points } = (await (await fetch(`${it.url}api/v1/audit`)).json()) as Audit;
    const shown = await page
      .getByTestId('unexplained-from')
      .evaluateAll((rows) => rows.map((row) => ({ ...(row as HTMLElement).dataset })));
    assert.deepEqual(
      shown.map(({ at, point, packets, octets }) => [Number(at), point, Number(packets), Number(octets)]),
      [[points[0]!.changes[0]!.atMs, 'eth0 ingress', 7, 700]],
    );
    assert.deepEqual(await violations(page), []);
  });

  test('of a time of which nobody kept what interfaces counted it says so, and nothing is called explained', async () => {
    await using it = await benchOver(browser, history, { path: `?sight=exactness&${ALL_OF_IT}` });
    const { page } = it;
    await page.getByTestId('not-compared').waitFor({ timeout: 30_000 });
    assert.equal(await page.getByTestId('all-explained').count(), 0);
    const [first] = await page.getByTestId('audit-point').allTextContents();
    assert.match(first!, /what it counted is not kept of this time/);
    assert.match(first!, /interface countednot known/);
    assert.deepEqual(it.complaints, []);
  });

  test('of the past it has what interfaces counted, and when that was more than the hooks saw, as the API', async () => {
    const taken = { fromMs: BEGIN_MS + 60_000, toMs: BEGIN_MS + 90_000, packets: 7 };
    await using counted = await storeStreams({ taken });
    await using it = await benchOver(browser, counted, { path: `?sight=exactness&${ALL_OF_IT}` });
    const { page } = it;
    await page.getByTestId('unexplained-then').waitFor({ timeout: 30_000 });
    const audit = await auditOf(it.url, SPAN);
    assert.equal(audit.unexplained.packets, 21);
    const { steps } = audit.points.find(({ direction }) => direction === 'ingress')!;
    assert.deepEqual(
      steps.map(({ fromMs, packets }) => [fromMs, packets]),
      [0, 10_000, 20_000].map((ms) => [taken.fromMs + ms, 7]),
    );
    const stretches = await page
      .getByTestId('unexplained-stretch')
      .evaluateAll((rows) => rows.map((row) => ({ ...(row as HTMLElement).dataset })));
    assert.deepEqual(
      stretches.map(({ from, to, point, packets }) => [Number(from), Number(to), point, Number(packets)]),
      [[taken.fromMs, taken.toMs, 'eth0 ingress', 21]],
    );
    assert.match(await text(page, 'exactness-headline'), /, 21 pkt unexplained, /);
    assert.match((await page.locator('.hint-words').textContent())!, /ratelimit runs before it/);
    assert.deepEqual(await violations(page), []);
    // Where it happened is a click away; a time without it has none.
    await page.locator('[data-testid=unexplained-stretch] a').click();
    await page.waitForURL(/time=2026-11-21T10:01:00Z(%2F|\/)2026-11-21T10:01:30Z/);
    await page.goto(`${it.url}?sight=exactness&time=2026-11-21T10:00:00Z/2026-11-21T10:01:00Z`);
    await page.getByTestId('all-explained').waitFor({ timeout: 30_000 });
    assert.equal(await page.getByTestId('unexplained-then').count(), 0);
    assert.doesNotMatch(await text(page, 'exactness-headline'), /unexplained/);
    assert.deepEqual(it.complaints, []);
  });

  test('of now it has the newest epochs, those in which nothing was lost too', async () => {
    const live = new LiveView();
    const record = { between: ['10.0.0.1', '10.0.0.2'], octets: 1000, packets: 2 } as const;
    for (let nth = 1; nth <= 6; nth++) {
      // Epochs begin where they begin: not at whole seconds.
      const startMs = BEGIN_MS + 1037 * nth;
      live.write(
        batchOf([record], {
          epoch: nth,
          startMs,
          endMs: startMs + 1037,
          ledger: nth % 3 === 0 ? [LOST] : [],
        }),
      );
    }
    await using it = await benchOver(browser, history, { path: '?sight=exactness', serve: { live } });
    const { page } = it;
    await page.locator('[data-testid=ledger-series] canvas').waitFor({ timeout: 30_000 });
    await page.locator('[data-testid=ledger-series] summary').click();
    await page.locator('[data-testid=series-table] tr[data-from]').first().waitFor();
    const octets = await page
      .locator('[data-testid=series-table] td[data-octets]')
      .evaluateAll((cells) => cells.map((cell) => Number(cell.getAttribute('data-octets'))));
    assert.deepEqual(octets, [0, 0, 28, 0, 0, 28]);
    assert.deepEqual(it.complaints, []);
  });

  test('has the audit of every point, and fits a phone', async () => {
    await using it = await benchOver(browser, history, {
      path: '?sight=exactness',
      serve: { live: new LiveView() },
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
    const { x, width } = (await page.getByTestId('sight-exactness').boundingBox())!;
    assert.ok(x >= 0 && x + width <= 390, 'the last of the views is in sight where it is chosen');
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(it.complaints, []);
  });
});
