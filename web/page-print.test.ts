/** Every view on paper, in Chromium: A4, ink on white, without what only a screen can do, and with what a sheet must say of itself. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { bridgeOf, gatewayOf, networksOf } from '../src/query/vnet.fixture.ts';
import { until } from '../test/until.ts';
import { type Bench, launch, text } from './test/browser.ts';
import { crowdStreams } from './test/source.ts';
import { ALL_OF_IT, benchOver, type StoredHistory, storeStreams } from './test/stored.ts';
import { violations } from './test/violations.ts';

const SLOW_MS = 30_000;
/** What 12 mm of margin leave of A4, upright and across, CSS pixels. */
const UPRIGHT = { width: 703, height: 1032 };
const ACROSS = { width: 1032, height: 703 };

interface View {
  readonly query: string;
  readonly name: string;
  /** What is there when it is drawn. */
  readonly drawn: string;
  readonly paper: typeof UPRIGHT;
}

const VIEWS: readonly View[] = [
  { query: 'sight=overview', name: 'Overview', drawn: '[data-testid=changes] p', paper: UPRIGHT },
  { query: '', name: 'Chord', drawn: '[data-testid=arc]', paper: UPRIGHT },
  { query: 'sight=tunnels', name: 'Tunnels', drawn: '[data-testid=grid-row]', paper: ACROSS },
  { query: 'sight=flows', name: 'Flows', drawn: '[data-testid=grid-row]', paper: ACROSS },
  { query: 'sight=hosts', name: 'Hosts', drawn: '[data-testid=grid-row]', paper: ACROSS },
  {
    query: 'sight=hosts&address=172.16.1.100&in=none',
    name: 'Hosts',
    drawn: '[data-testid=ends] [data-testid=short-row]',
    paper: UPRIGHT,
  },
  { query: 'sight=exactness', name: 'Exactness', drawn: '[data-testid=audit-point]', paper: UPRIGHT },
  { query: 'sight=network', name: 'Virtual network', drawn: '[data-testid=card]', paper: UPRIGHT },
];

/** Pages of what is printed, by their size in points. */
async function pagesOf(page: Page): Promise<readonly string[]> {
  const pdf = (await page.pdf({ preferCSSPageSize: true })).toString('latin1');
  return [...pdf.matchAll(/\/MediaBox *\[([^\]]*)\]/g)].map(([, box]) =>
    box!
      .trim()
      .split(/\s+/)
      .map((each) => Math.round(Number(each)))
      .join(' '),
  );
}

/** What can be done on a screen and can be seen; heads of tables and cards of a picture are read. */
function controls(page: Page): Promise<string[]> {
  return page
    .locator('button, input, select, summary, kbd, .sights')
    .evaluateAll((elements) =>
      elements
        .filter(
          (element) =>
            !element.closest('th, [role=columnheader], .card') &&
            element.checkVisibility({ opacityProperty: true, visibilityProperty: true }),
        )
        .map((element) => element.outerHTML.slice(0, 120)),
    );
}

/** Elements beside the sheet, by how far they reach. */
function sticking(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll('p, td, th, li, canvas, svg.chord, .card, [role=gridcell]')].flatMap(
      (element) => {
        const { right, width } = element.getBoundingClientRect();
        return width > 1 && right > document.documentElement.clientWidth + 1
          ? [`${right}: ${element.outerHTML.slice(0, 120)}`]
          : [];
      },
    ),
  );
}

describe('on paper', { timeout: 240_000 }, () => {
  let browser: Browser;
  let history: StoredHistory;
  before(async () => {
    browser = await launch();
    history = await storeStreams();
  });
  after(async () => {
    await browser?.close();
    await history?.[Symbol.asyncDispose]();
  });

  async function open({ query, drawn }: Pick<View, 'query' | 'drawn'>, of = history): Promise<Bench> {
    const it = await benchOver(browser, of, {
      path: `?${[query, ALL_OF_IT].filter(Boolean).join('&')}`,
      context: { viewport: { width: 1440, height: 900 }, colorScheme: 'dark' },
      serve: { networks: async () => networksOf(bridgeOf(0, 3, 2), gatewayOf(3)) },
    });
    await it.page.locator(drawn).first().waitFor({ timeout: SLOW_MS });
    return it;
  }

  for (const view of VIEWS)
    test(`${view.name}${view.query.includes('address') ? ', one address' : ''}: light, without controls, as wide as the sheet, and says what it is`, async () => {
      await using it = await open(view);
      const { page } = it;
      assert.equal(await page.getByTestId('paper-head').isVisible(), false);
      await page.emulateMedia({ media: 'print' });
      await page.setViewportSize(view.paper);
      const head = await text(page, 'paper-head');
      assert.match(head, new RegExp(`^Tunnelscope: ${view.name} of host0, eth0, `));
      assert.match(head, /2026-11-21 \d\d:00:00 to 2026-11-21 \d\d:05:00/);
      assert.match(head, /printed \d{4}-\d\d-\d\d \d\d:\d\d:\d\d/);
      const colours = await page.evaluate(() => {
        const { color, backgroundColor } = getComputedStyle(document.documentElement);
        return [color, backgroundColor];
      });
      assert.deepEqual(colours, ['rgb(22, 24, 27)', 'rgb(255, 255, 255)']);
      assert.deepEqual(await controls(page), []);
      await until(async () => (await sticking(page)).length === 0, 'nothing sticks out').catch(async () =>
        assert.deepEqual(await sticking(page), []),
      );
      assert.deepEqual(await violations(page), []);
      const pages = await pagesOf(page);
      const size = view.paper === ACROSS ? '0 0 842 595' : '0 0 595 842';
      assert.deepEqual([...new Set(pages)], [size]);
      assert.deepEqual(it.complaints, []);
    });

  test('a long table has its first 300 rows one below the other, and says that there are more', async () => {
    await using many = await storeStreams({ streams: crowdStreams(40, 400) });
    await using it = await open({ query: 'sight=flows', drawn: '[data-testid=grid-row]' }, many);
    const { page } = it;
    await page.emulateMedia({ media: 'print' });
    await page.setViewportSize(ACROSS);
    await page.getByTestId('paper-more').waitFor();
    assert.match(await text(page, 'paper-more'), /^The first 300 of \d{3} rows\.$/);
    const tops = await page
      .getByTestId('grid-row')
      .evaluateAll((rows) =>
        rows.map((row) => row.getBoundingClientRect()).map(({ y, height }) => [y, height]),
      );
    assert.equal(tops.length, 300);
    for (const [nth, [y]] of tops.entries())
      if (nth > 0) assert.equal(y, tops[nth - 1]![0]! + tops[nth - 1]![1]!, `row ${nth}`);
    const rowsOfPage = ACROSS.height / tops[0]![1]!;
    const pages = await pagesOf(page);
    assert.ok(
      pages.length >= 300 / rowsOfPage && pages.length <= 300 / rowsOfPage + 3,
      `${pages.length} pages`,
    );
  });

  test('a page that is printed from the dark is drawn in light colours, its charts too', async () => {
    await using it = await open({
      query: 'sight=overview',
      drawn: '[data-testid=series] canvas',
    });
    const { page } = it;
    const isLight = (): Promise<boolean> =>
      page.locator('[data-testid=series] canvas').evaluate((canvas: HTMLCanvasElement) => {
        const { data } = canvas.getContext('2d')!.getImageData(0, 0, 70, canvas.height);
        // The words of the axis: quiet ink, dark where the ground is white.
        let sum = 0;
        let ink = 0;
        for (let at = 0; at < data.length; at += 4)
          if (data[at + 3]! > 200) {
            ink++;
            sum += data[at]!;
          }
        return ink > 0 && sum / ink < 128;
      });
    await until(async () => !(await isLight()), 'words are light on the dark', SLOW_MS);
    await page.emulateMedia({ media: 'print' });
    await until(isLight, 'and dark on paper', SLOW_MS);
  });
});
