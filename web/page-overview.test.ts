/** The overview in Chromium before a real store: its numbers are those of the API. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { until } from '../test/until.ts';
import { attributes, bench, launch, numbersBy, text } from './test/browser.ts';
import { asked, beforePast, openPast, type Past } from './test/past.ts';
import { violations } from './test/violations.ts';

const MINUTE = 60_000;
/** A machine that does much else answers late. */
const SLOW_MS = 60_000;

let browser: Browser;
let past: Past;
before(async () => {
  browser = await launch();
  past = await openPast();
});
after(async () => {
  await browser?.close();
  await past?.[Symbol.asyncDispose]();
});

test('rates, talkers and what grew are those of the API, and lead on', async () => {
  const span = { fromMs: past.toMs - 40 * MINUTE, toMs: past.toMs - 20 * MINUTE };
  const time = [span.fromMs, span.toMs]
    .map((ms) => new Date(ms).toISOString().replace('.000Z', 'Z'))
    .join('/');
  await using it = await bench(browser, beforePast(past, { path: `?sight=overview&time=${time}` }));
  const { page } = it;
  page.setDefaultTimeout(SLOW_MS);
  for (const each of ['talkers', 'changes', 'segment-lines'])
    await page.locator(`[data-testid=${each}-line]`).first().waitFor();
  await page.locator('[data-testid=series] canvas').waitFor();

  const segments = await asked(it, { ask: 'top', by: ['segment'], ...span });
  const bySegment = Object.fromEntries(segments.rows.map(([id, octets]) => [String(id), Number(octets)]));
  const { none = 0 } = bySegment;
  const octetsOf = (testId: string): Promise<string | null> =>
    page.locator(`[data-testid=figure-${testId}]`).getAttribute('data-octets');
  assert.equal(Number(await octetsOf('outside')), none);
  assert.equal(Number(await octetsOf('inside')), segments.total.octets - none);
  assert.deepEqual(await numbersBy(page, 'segment-lines-line', 'data-line', 'data-octets'), bySegment);
  assert.deepEqual(await numbersBy(page, 'series-line', 'data-line', 'data-octets'), bySegment);

  const by = ['src', 'segment', 'outer.src'] as const;
  const nameOf = ([src, segment, host]: readonly unknown[]): string => `${segment}/${src}@${host ?? ''}`;
  const talkers = await asked(it, { ask: 'top', by: [...by], limit: 8, ...span });
  assert.deepEqual(
    await numbersBy(page, 'talkers-line', 'data-line', 'data-octets'),
    Object.fromEntries(talkers.rows.map((row) => [nameOf(row), Number(row[3])])),
  );
  const before = { fromMs: span.fromMs - 20 * MINUTE, toMs: span.fromMs };
  const changes = await asked(it, { ask: 'compare', by: [...by], limit: 8, before, ...span });
  assert.equal((await attributes(page, 'changes-line', 'data-line'))[0], nameOf(changes.rows[0]!));
  const was = await numbersBy(page, 'changes-line', 'data-line', 'data-before');
  for (const row of changes.rows)
    if (nameOf(row) in was) assert.equal(was[nameOf(row)], Number(row[5]), nameOf(row));
  assert.match(await text(page, 'changes'), /of which 10 min were metered/);
  const octets = await numbersBy(page, 'changes-line', 'data-line', 'data-octets');
  const grew = Object.entries(octets).map(([line, now]) => now / 1200 - was[line]! / 600);
  assert.ok(grew.length > 2);
  assert.deepEqual(
    grew,
    grew.toSorted((a, b) => b - a),
    'lines stand in the order of what they show',
  );
  assert.doesNotMatch(await text(page, 'changes'), /× 1\.0/);

  await page.locator('.series-numbers summary').click();
  const table = page.locator('[data-testid=series-table] td[data-octets]');
  await table.first().waitFor();
  const inTable = await table.evaluateAll((cells) =>
    cells.reduce((sum, cell) => sum + Number(cell.getAttribute('data-octets')), 0),
  );
  assert.equal(inTable, segments.total.octets);
  assert.deepEqual(await violations(page), []);

  await page.locator('[data-testid=talkers-line] a').first().click();
  assert.match(decodeURIComponent(page.url()), /host=172\.16\.1\.100&time=/);
  await page.locator('[data-testid=chord]').waitFor();
  assert.deepEqual(it.complaints, []);
});

test('old lines stood under the new time while it was asked; there are none until the answer is there', async () => {
  const time = ([from, to]: readonly [number, number]): string =>
    [from, to].map((ago) => new Date(past.toMs - ago * MINUTE).toISOString()).join('/');
  await using it = await bench(browser, beforePast(past, { path: `?sight=overview&time=${time([30, 20])}` }));
  const { page } = it;
  page.setDefaultTimeout(SLOW_MS);
  await page.locator('[data-testid=changes-line]').first().waitFor();
  await page.locator('[data-testid=segment-lines-line]').first().waitFor();
  const held = Promise.withResolvers<void>();
  await page.route('**/api/v1/query', async (route) => {
    await held.promise;
    await route.continue();
  });
  await page.locator('[data-testid=time-back]').click();
  for (const each of ['talkers', 'changes', 'segment-lines']) {
    await page.locator(`[data-testid=${each}][aria-busy=true]`).waitFor();
    assert.equal(await page.locator(`[data-testid=${each}-line]`).count(), 0, each);
  }
  assert.equal(await page.locator('[data-testid=figure-inside]').getAttribute('data-octets'), null);
  held.resolve();
  await page.locator('[data-testid=talkers-line]').first().waitFor();
  assert.deepEqual(it.complaints, []);
});

test('dragging over a series zooms in; Back zooms out again', async () => {
  await using it = await bench(browser, beforePast(past, { path: '?sight=overview&time=2h' }));
  const { page } = it;
  page.setDefaultTimeout(SLOW_MS);
  const plot = page.locator('.u-over');
  await plot.waitFor();
  const { x, y, width, height } = (await plot.boundingBox())!;
  await page.mouse.move(x + width / 4, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width / 2, y + height / 2, { steps: 5 });
  await page.mouse.up();
  await until(() => Promise.resolve(/time=\d{4}-/.test(decodeURIComponent(page.url()))), 'a span is shown');
  const [from, to] = /time=([^&]*)/.exec(decodeURIComponent(page.url()))![1]!.split('/').map(Date.parse);
  assert.ok(Math.abs(to! - from! - 30 * MINUTE) < MINUTE, `${(to! - from!) / MINUTE} minutes`);
  await page.goBack();
  assert.match(page.url(), /time=2h/);
  assert.deepEqual(it.complaints, []);
});

test('zooming in at the end of a series broke the page; now it may be done again and again, and while it is asked', async () => {
  await using it = await bench(browser, beforePast(past, { path: '?sight=overview&time=2h' }));
  const { page } = it;
  page.setDefaultTimeout(SLOW_MS);
  await page.locator('[data-testid=series-line]').first().waitFor();
  const drag = async (from: number, to: number): Promise<void> => {
    const plot = (await page.locator('.u-over').boundingBox())!;
    const x = (part: number): number => plot.x + part * plot.width;
    await page.mouse.move(x(from), plot.y + 50);
    await page.mouse.down();
    await page.mouse.move(x(to), plot.y + 50, { steps: 4 });
    await page.mouse.up();
  };
  const spanMs = (): number => {
    const [from, to] = /time=([^&]*)/.exec(decodeURIComponent(page.url()))![1]!.split('/').map(Date.parse);
    return to! - from!;
  };
  // The pointer stays at a step that the next answer has no more.
  await drag(0.48, 0.98);
  await until(
    async () => !/time=2h/.test(page.url()) && (await page.locator('[aria-busy=true]').count()) === 0,
    'the half that was drawn is shown',
    SLOW_MS,
  );
  for (let turn = 0; turn < 4; turn++) await drag(0.6, 0.75);
  for (let turn = 0; turn < 3; turn++) await drag(0.95, 0.96);
  await until(() => Promise.resolve(spanMs() === 1000), 'a second is shown');
  await until(
    async () => (await page.locator('[aria-busy=true]').count()) === 0,
    'the second is answered',
    SLOW_MS,
  );
  assert.equal(await page.locator('[data-testid=series] canvas').count(), 1);
  assert.deepEqual(it.complaints, []);
});

test('live without a history it draws the stream, and says what a history would add', async () => {
  await using it = await bench(browser, { path: '?sight=overview', epochs: 20 });
  const { page } = it;
  page.setDefaultTimeout(SLOW_MS);
  await page.locator('[data-testid=series] canvas').waitFor();
  assert.match(await text(page, 'no-history'), /--history DIR/);
  const view = await it.api();
  const plain = view.segments.find(({ id }) => id === 'none')!.octets;
  const octets = Number(await page.locator('[data-testid=figure-outside]').getAttribute('data-octets'));
  assert.equal(octets, plain);
  const largest = [...view.nodes].sort((a, b) => b.sent.octets - a.sent.octets)[0]!;
  assert.equal((await attributes(page, 'talkers-line', 'data-line'))[0], largest.id);
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(it.complaints, []);
});

test('on a phone, in the dark, all of it stands below each other', async () => {
  const context = { viewport: { width: 390, height: 844 }, colorScheme: 'dark' } as const;
  await using it = await bench(browser, beforePast(past, { path: '?sight=overview&time=1h', context }));
  await it.page.locator('[data-testid=talkers-line]').first().waitFor({ timeout: SLOW_MS });
  const wide = await it.page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 390, `${wide} px wide`);
  assert.deepEqual(await violations(it.page), []);
});
