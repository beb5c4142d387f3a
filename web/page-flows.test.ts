/* The view of flows, in Chromium, over a history that the store keeps. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { until } from '../test/until.ts';
import { launch } from './test/browser.ts';
import { crowdStreams } from './test/source.ts';
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
const PATH = `?sight=flows&${ALL_OF_IT}`;

/** The rows that are drawn: of each column its exact values. */
function shownRows(page: Page, row = 'grid-row'): Promise<Record<string, string>[]> {
  return page
    .locator(`[data-testid=${row}]`)
    .evaluateAll((rows) =>
      rows
        .sort((x, y) => Number(x.getAttribute('aria-rowindex')) - Number(y.getAttribute('aria-rowindex')))
        .map((each) =>
          Object.fromEntries(
            [...each.querySelectorAll<HTMLElement>('[role=gridcell]')].map((cell) => [
              cell.dataset.column!,
              cell.dataset.value!,
            ]),
          ),
        ),
    );
}

async function rowsAre(page: Page, count: number): Promise<void> {
  await until(
    async () => (await page.getByTestId('grid').getAttribute('aria-rowcount')) === String(1 + count),
    `there are ${count} rows`,
  );
}

describe('the view of flows', { timeout: 240_000 }, () => {
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

  test('shows what the API answers, to the octet, in every column', async () => {
    await using it = await benchOver(browser, history, { path: `${PATH}&sort=-octets` });
    const answer = await asked(it.url, { ask: 'flows', ...SPAN, limit: 1000 });
    await rowsAre(it.page, answer.rows.length);
    const names = answer.columns.map(({ name }) => name);
    for (let at = 0; at < names.length; at += 12) {
      const some = names.slice(at, at + 12);
      await it.page.goto(`${it.url}${PATH}&cols=${some.join(',')}`);
      await rowsAre(it.page, answer.rows.length);
      const shown = await shownRows(it.page);
      assert.ok(shown.length > 20);
      for (const [nth, row] of shown.entries()) {
        const wanted = some.map((name) => [name, String(answer.rows[nth]![names.indexOf(name)] ?? '')]);
        assert.deepEqual(row, Object.fromEntries(wanted));
      }
    }
    assert.match((await it.page.getByTestId('flows-headline').textContent())!, /^26 flows, /);
    assert.deepEqual(it.complaints, []);
  });

  test('sorts by a head, and the address says how', async () => {
    await using it = await benchOver(browser, history, { path: PATH });
    await rowsAre(it.page, 26);
    const values = async (column: string): Promise<string[]> =>
      (await shownRows(it.page)).map((row) => row[column]!);
    const packets = (await values('packets')).map(Number);
    await it.page.locator('[role=columnheader][data-column=packets] button').click();
    await until(() => it.page.url().includes('sort=-packets'), 'the address says the order');
    assert.deepEqual(
      (await values('packets')).map(Number),
      packets.toSorted((a, b) => b - a),
    );
    await it.page.locator('[role=columnheader][data-column=src] button').click();
    await until(() => it.page.url().includes('sort=src'), 'the address says the order');
    const sources = await values('src');
    assert.equal(sources[0], '172.16.1.1', 'addresses by their number');
    assert.equal(sources.at(-1), '192.168.3.9');
    await it.page.goBack();
    await until(() => it.page.url().includes('sort=-packets'), 'Back leads to the order before');
  });

  test('columns are chosen, moved and made wider, and the address keeps them', async () => {
    await using it = await benchOver(browser, history, { path: `${PATH}&cols=src,dst,octets` });
    const heads = (): Promise<(string | null)[]> =>
      it.page
        .locator('[role=columnheader]')
        .evaluateAll((all) => all.map((head) => head.getAttribute('data-column')));
    await rowsAre(it.page, 26);
    await it.page.getByTestId('columns').locator('summary').click();
    await it.page.getByRole('checkbox', { name: 'TCP flags' }).click();
    await until(async () => (await heads()).join() === 'src,dst,octets,tcp.flags', 'a column more');
    await it.page.keyboard.press('Escape');
    await it.page.locator('[role=columnheader][data-column=octets] button').focus();
    await it.page.keyboard.press('Shift+ArrowLeft');
    await until(async () => (await heads()).join() === 'src,octets,dst,tcp.flags', 'it stands elsewhere');
    const head = it.page.locator('[role=columnheader][data-column=src]');
    const box = (await head.boundingBox())!;
    await it.page.mouse.move(box.x + box.width - 3, box.y + 10);
    await it.page.mouse.down();
    await it.page.mouse.move(box.x + box.width + 57, box.y + 10, { steps: 4 });
    await it.page.mouse.up();
    await until(
      () => /cols=src\*208,octets,dst,tcp.flags/.test(decodeURIComponent(it.page.url())),
      'it is wider',
    );
    await it.page.reload();
    await rowsAre(it.page, 26);
    assert.equal(Math.round((await head.boundingBox())!.width), 208);
    assert.deepEqual(it.complaints, []);
  });

  test('groups are those of the API, and lead to their flows', async () => {
    await using it = await benchOver(browser, history, { path: PATH });
    await rowsAre(it.page, 26);
    await it.page.getByTestId('group').locator('summary').click();
    await it.page.locator('input[value=src]').check();
    await it.page.locator('input[value=segment]').check();
    const answer = await asked(it.url, { ask: 'top', by: ['src', 'segment'], ...SPAN, limit: 1000 });
    await rowsAre(it.page, answer.rows.length);
    const [first] = await shownRows(it.page);
    const [src, segment, octets, packets] = answer.rows[0]!.map(String);
    assert.deepEqual(first, { src, segment, octets, packets });
    await it.page.keyboard.press('Escape');
    await it.page.getByTestId('grid-row').first().click();
    await it.page.getByTestId('next').getByText('Its flows').click();
    const flows = await asked(it.url, {
      ask: 'flows',
      ...SPAN,
      filter: `src = ${src} and ${segment === 'none' ? 'tunnel = none' : `vni = ${segment!.split(':')[1]}`}`,
    });
    await rowsAre(it.page, flows.rows.length);
    assert.equal(
      (await shownRows(it.page)).reduce((sum, row) => sum + Number(row.octets), 0),
      flows.total.octets,
    );
  });

  test('a row opens with everything that is known of it, is pinned, and stays in the address', async () => {
    await using it = await benchOver(browser, history, { path: PATH });
    await rowsAre(it.page, 26);
    await it.page.getByTestId('grid').focus();
    await it.page.keyboard.press('End');
    await it.page.keyboard.press('Enter');
    const drawer = it.page.getByTestId('drawer');
    await drawer.waitFor();
    const answer = await asked(it.url, { ask: 'flows', ...SPAN, limit: 1000 });
    const last = (await shownRows(it.page)).at(-1)!;
    const facts = await drawer
      .locator('[data-fact]')
      .evaluateAll((all) =>
        all.map((each) => [each.getAttribute('data-fact')!, each.getAttribute('data-value')!]),
      );
    const names = answer.columns.map(({ name }) => name);
    const row = answer.rows.find((each) =>
      names.every((name, at) => last[name] === undefined || String(each[at] ?? '') === last[name]),
    )!;
    assert.deepEqual(
      Object.fromEntries(facts),
      Object.fromEntries(names.flatMap((name, at) => (row[at] === null ? [] : [[name, String(row[at])]]))),
    );
    await it.page.getByTestId('pin').click();
    await it.page.getByTestId('pinned-row').waitFor();
    assert.deepEqual((await shownRows(it.page, 'pinned-row'))[0], last);
    await it.page.reload();
    await it.page.getByTestId('pinned-row').waitFor();
    await it.page.getByTestId('drawer').waitFor();
    assert.deepEqual(await violations(it.page), []);
    await it.page.keyboard.press('Escape');
    await drawer.waitFor({ state: 'detached' });
    assert.deepEqual(it.complaints, []);
  });

  test('rows stood under the next time as if they were of it; while it is asked they are dim, and that is said', async () => {
    await using it = await benchOver(browser, history, { path: PATH });
    const { page } = it;
    await page.getByTestId('grid-row').first().waitFor();
    assert.equal(await page.getByTestId('asking').count(), 0);
    const held = Promise.withResolvers<void>();
    await page.route('**/api/v1/query', async (route) => {
      await held.promise;
      await route.continue();
    });
    await page.getByTestId('time-out').click();
    await page.getByTestId('asking').waitFor({ state: 'visible' });
    const opacity = (): Promise<string> =>
      page.getByTestId('grid').evaluate((grid) => getComputedStyle(grid).opacity);
    await until(async () => (await opacity()) === '0.4', 'what is there is dim');
    held.resolve();
    await page.getByTestId('asking').waitFor({ state: 'detached' });
    assert.equal(await opacity(), '1');
    assert.deepEqual(it.complaints, []);
  });

  test('saves what is shown', async () => {
    await using it = await benchOver(browser, history, { path: `${PATH}&filter=udp+or+tcp` });
    const answer = await asked(it.url, { ask: 'flows', ...SPAN, filter: 'udp or tcp', limit: 1000 });
    await rowsAre(it.page, answer.rows.length);
    const save = async (kind: string): Promise<string> => {
      const download = it.page.waitForEvent('download');
      await it.page.getByTestId(`export-${kind}`).click();
      const file = await download;
      assert.match(file.suggestedFilename(), new RegExp(`^flows-.*\\.${kind}$`));
      return readFile((await file.path())!, 'utf8');
    };
    await it.page.getByTestId('export').locator('summary').click();
    const lines = (await save('csv')).trimEnd().split('\r\n');
    assert.equal(lines[0], answer.columns.map(({ name }) => name).join(','));
    assert.equal(lines.length, 1 + answer.rows.length);
    assert.deepEqual((JSON.parse(await save('json')) as typeof answer).rows, answer.rows);
  });

  test('says where it shows a part only, and how to have more', async () => {
    await using many = await storeStreams({ streams: crowdStreams(60, 3000) });
    await using it = await benchOver(browser, many, { path: PATH });
    await rowsAre(it.page, 1000);
    const { count } = await asked(it.url, { ask: 'flows', ...SPAN, limit: 1 });
    assert.ok(count! > 2000);
    const headline = (await it.page.getByTestId('flows-headline').textContent())!.replaceAll('\u202f', '');
    assert.ok(headline.startsWith(`The largest 1000 of ${count} flows`), headline);
    await it.page.getByTestId('cut').getByRole('link').click();
    await rowsAre(it.page, count!);
    const drawn = await it.page.getByTestId('grid-row').count();
    assert.ok(drawn < 120, `${drawn} rows are drawn`);
    const grid = it.page.getByTestId('grid');
    await grid.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    const last = it.page.locator(`[aria-rowindex="${1 + count!}"]`);
    await last.waitFor();
    const answer = await asked(it.url, { ask: 'flows', ...SPAN, limit: 10_000 });
    const at = answer.columns.findIndex(({ name }) => name === 'octets');
    assert.equal(
      await last.locator('[data-column=octets]').getAttribute('data-value'),
      String(answer.rows.at(-1)![at]),
    );
  });

  test('says what is wrong, and that there is nothing', async () => {
    await using it = await benchOver(browser, history, { path: `${PATH}&filter=port+9` });
    await it.page.getByTestId('no-rows').getByText('Clear the filter').click();
    await rowsAre(it.page, 26);
    await using bare = await benchOver(browser, history, { path: PATH, serve: { history: undefined } });
    await bare.page.getByTestId('answer-problem').waitFor();
    assert.match((await bare.page.getByTestId('answer-problem').textContent())!, /--history DIRECTORY/);
  });

  test('fits a phone, and the drawer comes from below', async () => {
    await using it = await benchOver(browser, history, {
      path: PATH,
      context: { viewport: { width: 390, height: 844 }, colorScheme: 'dark' },
    });
    await rowsAre(it.page, 26);
    assert.equal(await it.page.evaluate(() => document.documentElement.scrollWidth), 390);
    await it.page.getByTestId('grid-row').first().click();
    const box = (await it.page.getByTestId('drawer').boundingBox())!;
    assert.equal(Math.round(box.y + box.height), 844);
    assert.deepEqual(await violations(it.page), []);
    assert.deepEqual(it.complaints, []);
  });
});
