/** Who fills the uplink, since when, and through which tunnel: found on the page, from the overview of a week, by two clicks. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Locator } from 'playwright-core';
import { type StoredWeek, storeWeek } from '../test/week.ts';
import { attributes, bench, launch, text } from './test/browser.ts';
import { violations } from './test/violations.ts';
import { beforeWeek } from './test/week.ts';

const HOUR_MS = 3_600_000;
/** A machine that does much else answers late. */
const SLOW_MS = 60_000;
/** Somebody reads what stands there before the next click. */
const READING_MS = 8_000;
/** All of it, reading included. */
const WHOLE_MS = 60_000;
const ZONE = 'Europe/Berlin';

let browser: Browser;
let week: StoredWeek;
before(async () => {
  browser = await launch();
  week = await storeWeek();
});
after(async () => {
  await browser?.close();
  await week?.[Symbol.asyncDispose]();
});

/** Time of day where the browser is. */
function clock(ms: number): string {
  return new Date(ms).toLocaleTimeString('en-GB', { timeZone: ZONE, hour: '2-digit', minute: '2-digit' });
}

async function values(row: Locator, columns: readonly string[]): Promise<(string | null)[]> {
  return Promise.all(
    columns.map((column) => row.locator(`[data-column="${column}"]`).getAttribute('data-value')),
  );
}

test('the overview of the week names the client, a click its tunnel and the hour, another one the minute', async (t) => {
  const { culprit } = week;
  await using it = await bench(
    browser,
    beforeWeek(week, { path: '?sight=overview&time=7d', context: { timezoneId: ZONE } }),
  );
  const { page } = it;
  page.setDefaultTimeout(SLOW_MS);
  const began = performance.now();

  const line = page.locator('[data-testid=talkers-line]').first();
  await line.waitFor();
  const [host] = culprit.tunnel;
  assert.equal(
    (await attributes(page, 'talkers-line', 'data-line'))[0],
    `${culprit.segment}/${culprit.address}@${host}`,
  );
  // The week before is not kept: nothing is compared with the minutes of it that are.
  await page.getByTestId('changes').getByText('nothing was metered, or too little').waitFor();
  const words = (await line.textContent())!;
  for (const each of [culprit.address, `VNI ${culprit.vni}`, `on ${host}`])
    assert.ok(words.includes(each), `${each} in ${words}`);

  await line.getByText('since when?').click();
  await page.locator(`[data-testid=host][data-address="${culprit.address}"]`).waitFor();
  const rise = page.locator('[data-testid=series-rise]');
  const hourMs = Math.floor(culprit.sinceMs / HOUR_MS) * HOUR_MS;
  await rise.waitFor();
  assert.match(await text(page, 'series-rise'), new RegExp(`^× \\d+ since .*${clock(hourMs)}$`));
  const tunnel = page.locator('[data-testid=tunnels-of] [data-testid=short-row]').first();
  assert.deepEqual(await values(tunnel, ['segment', 'outer.src', 'outer.dst']), [
    culprit.segment,
    ...culprit.tunnel,
  ]);
  const peer = page.locator('[data-testid=peers] [data-testid=short-row]').first();
  assert.deepEqual(await values(peer, ['peer']), [culprit.peer]);
  assert.deepEqual(await violations(page), []);

  await rise.click();
  await page.locator(`[data-testid=series-rise][data-from="${culprit.sinceMs}"]`).waitFor();
  assert.match(await text(page, 'series-rise'), new RegExp(`^× \\d+ since .*${clock(culprit.sinceMs)}$`));

  const tookMs = performance.now() - began + 3 * READING_MS;
  t.diagnostic(`${(tookMs / 1000).toFixed(1)} s, of which ${(3 * READING_MS) / 1000} s of reading`);
  assert.ok(tookMs < WHOLE_MS, `${tookMs} ms`);
  assert.deepEqual(it.complaints, []);
});

test('on a phone it is the same way', async () => {
  const { culprit } = week;
  await using it = await bench(
    browser,
    beforeWeek(week, {
      path: '?sight=overview&time=7d',
      context: { viewport: { width: 390, height: 844 }, colorScheme: 'dark', timezoneId: ZONE },
    }),
  );
  const { page } = it;
  page.setDefaultTimeout(SLOW_MS);
  await page.locator('[data-testid=talkers-line]').first().getByText('since when?').click();
  await page.locator('[data-testid=series-rise]').click();
  await page.locator(`[data-testid=series-rise][data-from="${culprit.sinceMs}"]`).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
  assert.deepEqual(await violations(page), []);
});
