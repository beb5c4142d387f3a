/** The chord over the past, in Chromium before a real store: its numbers are those of the API, to the octet. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { HistoryQuestionText } from '../src/query/index.ts';
import { until } from '../test/until.ts';
import { type Bench, type BenchOptions, bench, launch, numbersBy, text } from './test/browser.ts';
import { asked, beforePast, openPast, type Past, STORY } from './test/past.ts';
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

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** From so many minutes before the end to so many. */
function minutes([from, to]: readonly [number, number]): Span {
  return { fromMs: past.toMs - from * MINUTE, toMs: past.toMs - to * MINUTE };
}

function timeOf({ fromMs, toMs }: Span): string {
  const moment = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');
  return `time=${moment(fromMs)}/${moment(toMs)}`;
}

async function open(query: string, options: BenchOptions = {}): Promise<Bench> {
  const it = await bench(browser, beforePast(past, { path: `?${query}`, ...options }));
  it.page.setDefaultTimeout(SLOW_MS);
  return it;
}

/** Waits until the picture is of this span. */
function shows(page: Page, span: Span): Promise<void> {
  const isShown = async (): Promise<boolean> =>
    (await page
      .locator('[data-testid=centre]')
      .getAttribute('data-from', { timeout: 1000 })
      .catch(() => '')) === String(span.fromMs);
  return until(isShown, `the picture of ${new Date(span.fromMs).toISOString()}`, SLOW_MS);
}

/** What each of a column's values sent, and all together, by the API. */
async function sentBy(
  it: Bench,
  questions: readonly HistoryQuestionText[],
): Promise<{ readonly sent: Record<string, number>; readonly whole: number }> {
  const sent: Record<string, number> = {};
  let whole = 0;
  for (const question of questions) {
    const { columns, rows, total } = await asked(it, question);
    const octets = columns.findIndex(({ name }) => name === 'octets');
    whole += total.octets;
    for (const row of rows) {
      const name = row.slice(0, octets).join('/');
      sent[name] = (sent[name] ?? 0) + Number(row[octets]);
    }
  }
  return { sent, whole };
}

function onlySenders(table: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(table).filter(([, octets]) => octets > 0));
}

test('hosts, clients and flows of a span are those of the API', async () => {
  const span = minutes(STORY.noise);
  await using it = await open(timeOf(span));
  const { page } = it;
  await shows(page, span);
  const hosts = await sentBy(it, [
    { ask: 'top', by: ['outer.src'], limit: 1000, filter: 'outer.network != none', ...span },
    { ask: 'top', by: ['src'], limit: 1000, filter: 'outer.network = none', ...span },
  ]);
  assert.ok(Object.keys(hosts.sent).length > 5);
  assert.deepEqual(onlySenders(await numbersBy(page, 'row', 'data-node-id', 'data-sent')), hosts.sent);
  assert.deepEqual(onlySenders(await numbersBy(page, 'arc', 'data-node-id', 'data-sent')), hosts.sent);
  const centre = page.locator('[data-testid=centre]');
  assert.equal(Number(await centre.getAttribute('data-octets')), hosts.whole);
  await until(
    async () => /192\.168\.3\.1 .* sent \d+ %/.test(await text(page, 'headline')),
    'the culprit is named',
    SLOW_MS,
  );

  await page.locator('[data-testid=row][data-node-id="172.16.1.100"] a').click();
  await page.locator('[data-testid=row][data-node-id="vxlan:10003/192.168.3.1"]').waitFor();
  const filter = 'outer.host = 172.16.1.100 or (outer.network = none and host = 172.16.1.100)';
  const clients = await sentBy(it, [{ ask: 'top', by: ['segment', 'src'], limit: 1000, filter, ...span }]);
  assert.deepEqual(onlySenders(await numbersBy(page, 'row', 'data-node-id', 'data-sent')), clients.sent);

  await page.locator('[data-testid=list-pairs]').click();
  await page.locator('[data-testid=row][data-pair*="192.168.3.9"] a').click();
  await page.locator('[data-testid=row][data-flow]').first().waitFor();
  const pair = '(src = 192.168.3.1 and dst = 192.168.3.9) or (src = 192.168.3.9 and dst = 192.168.3.1)';
  const flows = await asked(it, { ask: 'flows', filter: `vni = 10003 and (${pair})`, ...span });
  const octets = flows.columns.findIndex(({ name }) => name === 'octets');
  const drawn = Object.values(await numbersBy(page, 'row', 'data-flow', 'data-octets'));
  assert.deepEqual(
    drawn.sort((x, y) => y - x),
    flows.rows.map((row) => Number(row[octets])),
  );
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await page.locator('.page[data-level=hosts]').waitFor();
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(it.complaints, []);
});

test('a span in which nobody metered says so', async () => {
  const gap = minutes(STORY.gap);
  const span = { fromMs: gap.fromMs - 5 * MINUTE, toMs: gap.toMs };
  await using it = await open(timeOf(span));
  await shows(it.page, span);
  assert.match(await text(it.page, 'centre'), /▲ 10 min not metered/);
});

test('the time is chosen by length, by its ends, and by steps; faults are named', async () => {
  await using it = await open('');
  const { page } = it;
  const search = (): string => decodeURIComponent(new URL(page.url()).search);
  const panel = page.locator('[data-testid=time] summary');
  await panel.click();
  assert.match(await text(page, 'time-panel'), /Times of this browser: \S+/);
  assert.deepEqual(await violations(page), []);
  await page.locator('[data-testid="time-1h"] a').click();
  assert.equal(search(), '?time=1h');
  await page.locator('[data-testid=arc]').first().waitFor();
  await page.locator('[data-testid=time-back]').click();
  assert.match(search(), /^\?time=.+\/.+/);
  await page.locator('[data-testid=time-forth]').click();
  assert.equal(search(), '?time=1h');
  await page.locator('[data-testid=time-out]').click();
  assert.equal(search(), '?time=2h');

  await panel.click();
  await page.locator('[data-testid=time-from]').fill('2026-11-21T12:00:00');
  await page.locator('[data-testid=time-to]').fill('2026-11-21T11:00:00');
  await page.locator('[data-testid=time-apply]').click();
  assert.equal(await text(page, 'time-fault'), 'To is not after from.');
  await page.locator('[data-testid=time-to]').fill('2026-11-21T13:00:00');
  await page.locator('[data-testid=time-apply]').click();
  const expected = await page.evaluate(() =>
    ['2026-11-21T12:00:00', '2026-11-21T13:00:00']
      .map((moment) => new Date(moment).toISOString().replace('.000Z', 'Z'))
      .join('/'),
  );
  assert.equal(search(), `?time=${expected}`);

  await page.locator('[data-testid=time-now]').click();
  assert.equal(search(), '');
  await page.goBack();
  assert.equal(search(), `?time=${expected}`);
  await page.locator('[data-testid=window-1m]').click();
  assert.equal(search(), '?window=1m');
  assert.deepEqual(it.complaints, []);
});

test('the frame had grown with the time that is chosen: it stays one line, and four on a phone', async () => {
  const days = 'time=2026-11-20T21:04:30Z/2026-11-21T23:05:10Z';
  const heightOf = async (width: number): Promise<number> => {
    await using it = await open(days, { context: { viewport: { width, height: 900 } } });
    await it.page.locator('[data-testid=exactness]').waitFor();
    return (await it.page.locator('header').boundingBox())!.height;
  };
  assert.ok((await heightOf(1440)) <= 56);
  assert.ok((await heightOf(390)) <= 180);
});

test('the scrubber moves, stretches and plays the span', async () => {
  const span = minutes([100, 90]);
  await using it = await open(timeOf(span));
  const { page } = it;
  const scrubber = page.locator('[data-testid=scrubber]');
  const shown = async (): Promise<Span> => ({
    fromMs: Number(await scrubber.getAttribute('data-from')),
    toMs: Number(await scrubber.getAttribute('data-to')),
  });
  const whole = page.locator('[data-testid=brush-whole]');
  await whole.waitFor();
  await whole.press('ArrowRight');
  const quarter = 2.5 * MINUTE;
  assert.deepEqual(await shown(), { fromMs: span.fromMs + quarter, toMs: span.toMs + quarter });
  await page.locator('[data-testid=brush-to]').press('PageUp');
  assert.deepEqual(await shown(), { fromMs: span.fromMs + quarter, toMs: span.toMs + 3 * quarter });

  const box = (await whole.boundingBox())!;
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + 100, y, { steps: 4 });
  await page.mouse.up();
  const after = await shown();
  assert.equal(after.toMs - after.fromMs, 15 * MINUTE);
  assert.ok(after.fromMs > span.fromMs + 5 * MINUTE, 'it was dragged to later');
  assert.match(decodeURIComponent(page.url()), new RegExp(new Date(after.fromMs).toISOString().slice(0, 19)));

  await page.locator('[data-testid=headline]').click();
  await page.keyboard.press(' ');
  assert.equal(await page.locator('[data-testid=play]').getAttribute('aria-pressed'), 'true');
  await until(async () => (await shown()).fromMs > after.fromMs, 'it plays on', SLOW_MS);
  await page.keyboard.press(' ');
  assert.equal(await page.locator('[data-testid=play]').getAttribute('aria-pressed'), 'false');
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(it.complaints, []);
});

test('two spans stand beside each other, and the picture says both', async () => {
  const span = minutes([30, 20]);
  const previous = minutes([40, 30]);
  await using it = await open(timeOf(span));
  const { page } = it;
  await page.locator('[data-testid=versus]').selectOption('previous');
  assert.match(page.url(), /vs=previous/);
  await page.locator('[data-testid=row][data-compared]').first().waitFor();
  const sums = (at: Span) =>
    sentBy(it, [
      { ask: 'top', by: ['outer.src'], limit: 1000, filter: 'outer.network != none', ...at },
      { ask: 'top', by: ['src'], limit: 1000, filter: 'outer.network = none', ...at },
    ]);
  const now = await numbersBy(page, 'row', 'data-compared', 'data-octets');
  const was = await numbersBy(page, 'row', 'data-compared', 'data-before');
  assert.deepEqual(onlySenders(now), (await sums(span)).sent);
  assert.deepEqual(onlySenders(was), (await sums(previous)).sent);
  assert.equal(Object.keys(now)[0], '172.16.1.100', 'what grew most stands first');
  await page.locator('[data-testid=arc][data-node-id="172.16.1.108"] .arc-mark').hover();
  const host = 'outer.host = 172.16.1.108';
  const { total } = await asked(it, { ask: 'top', by: ['segment'], filter: host, ...previous });
  const versus = page.locator('[data-testid=tooltip-versus]');
  await versus.waitFor();
  assert.equal(Number(await versus.getAttribute('data-octets')), total.octets);
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(it.complaints, []);
});

test('without a history the past is grey, and says how there comes to be one', async () => {
  await using it = await bench(browser, { path: '?time=1h' });
  const { page } = it;
  await page.locator('[data-testid=problem]').waitFor({ timeout: SLOW_MS });
  assert.match(await text(page, 'problem'), /--history DIR/);
  await page.locator('[data-testid=time] summary').click();
  assert.match(await text(page, 'time-panel'), /keeps no history.*--history DIR/s);
  assert.equal(await page.locator('[data-testid=time-panel] a').count(), 0);
  assert.deepEqual(await violations(page), []);
});

test('on a phone the past has its table first and its scrubber', async () => {
  const span = minutes([30, 20]);
  await using it = await open(timeOf(span), {
    context: { viewport: { width: 390, height: 844 }, colorScheme: 'dark' },
  });
  await shows(it.page, span);
  await it.page.locator('[data-testid=brush-whole]').waitFor();
  const wide = await it.page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 390, `${wide} px wide`);
  assert.deepEqual(await violations(it.page), []);
});
