import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { until } from '../test/until.ts';
import { attributes, type BenchOptions, bench, epoch, launch, serve, state } from './test/browser.ts';
import { crowdStreams, labStreams, ScriptedSource } from './test/source.ts';
import { violations } from './test/violations.ts';

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

function waitFor(page: Page, wanted: string, deadlineMs = 15_000): Promise<void> {
  return until(async () => (await state(page)) === wanted, `the figures are ${wanted}`, deadlineMs);
}

function text(page: Page, testId: string): Promise<string> {
  // biome-ignore lint/performance/useDomNodeTextContent: as it is read, with its line breaks
  return page.innerText(`[data-testid=${testId}]`);
}

test('after a restart of the agent the page finds its way back by itself, with the new figures', async () => {
  await using it = await bench(browser);
  const { page } = it;
  const port = Number(new URL(it.url).port);
  await it.server.close();
  await waitFor(page, 'lost');
  assert.match(await text(page, 'notice'), /Connection lost\..*from \d\d:\d\d:\d\d/s);
  assert.ok((await attributes(page, 'arc', 'data-node-id')).length > 0, 'the last picture stays');
  const source = new ScriptedSource([
    { segment: 'none', outer: null, inner: ['10.9.9.1', '10.9.9.2'], octets: 7, packets: 1 },
  ]);
  source.step();
  it.server = await serve(source, { listen: { host: '127.0.0.1', port } });
  await waitFor(page, 'open');
  await until(
    async () => (await attributes(page, 'arc', 'data-node-id')).includes('10.9.9.1'),
    'the new figures are shown',
  );
  assert.equal(await epoch(page), 1);
  assert.equal(await page.locator('[data-testid=notice]').count(), 0);
});

test('"Try now" does not wait for the next attempt', async () => {
  const prepare = (source: ScriptedSource): void => {
    source.intervalSeconds = 60;
  };
  await using it = await bench(browser, { prepare });
  const port = Number(new URL(it.url).port);
  await it.server.close();
  await waitFor(it.page, 'lost');
  // Each wait is twice the one before: the page would try by itself in some seconds now.
  await until(async () => /again in [4-9] s/.test(await text(it.page, 'notice')), 'a long wait begins');
  it.server = await serve(it.source, { listen: { host: '127.0.0.1', port } });
  await it.page.locator('[data-testid=notice] button').click();
  await until(async () => (await state(it.page)) === 'open', 'the page is connected again', 3000);
});

test('a source that stops makes the figures stale, in words and grey, and they recover', async () => {
  const prepare = (source: ScriptedSource): void => {
    source.intervalSeconds = 0.1;
  };
  await using it = await bench(browser, { prepare });
  await waitFor(it.page, 'stale');
  assert.match(await text(it.page, 'notice'), /no new epoch for \d+ seconds?; one is due every 0.1 s/);
  assert.match(
    await it.page.locator('.chord').evaluate((chord) => getComputedStyle(chord).filter),
    /grayscale/,
  );
  await it.step();
  await waitFor(it.page, 'open');
});

test('figures that were old already when they came are stale, whatever the clocks say', async () => {
  const prepare = (source: ScriptedSource): void => {
    source.nowMs = () => Date.now() - 3_600_000;
  };
  await using it = await bench(browser, { prepare });
  await waitFor(it.page, 'stale');
  assert.match(await text(it.page, 'connection'), /60 minutes/);
});

test('an agent that has seen nothing is told from a broken one', async () => {
  await using it = await bench(browser, { streams: [] });
  const words = await text(it.page, 'empty');
  assert.match(words, /not one packet/);
  assert.match(words, /npm run demo/);
  assert.equal(await state(it.page), 'open');
  it.source.streams = labStreams();
  await it.step();
  await it.page.locator('[data-testid=chord]').waitFor();
});

test('an answer of another version is said to be not understood, and where', async () => {
  await using it = await bench(browser);
  const view = it.source.view.bind(it.source);
  it.source.view = (question) => ({ ...view(question), nodes: 'many' as never });
  it.source.step();
  await waitFor(it.page, 'broken');
  assert.match(await text(it.page, 'notice'), /not understood.*nodes/s);
  it.source.view = view;
  it.source.step();
  await waitFor(it.page, 'open');
  it.source.view = (question) => ({ ...view(question), links: [{ source: 0, parts: [{}] }] as never });
  it.source.step();
  await waitFor(it.page, 'broken');
  assert.match(await text(it.page, 'notice'), /links/);
});

test('a token that is missing is asked for in words; the address with it opens the page', async () => {
  const token = 'a-token-that-is-long-enough';
  await using it = await bench(browser, {
    path: `?token=${token}&segment=none`,
    serve: { auth: { kind: 'token', token } },
  });
  await it.page.waitForURL('**/?segment=none');
  await it.page.locator('[data-testid=arc]').first().waitFor();
  assert.ok(!(await it.page.content()).includes(token));
  await it.page.context().clearCookies();
  await it.page.locator('[data-testid=window-1m]').click();
  await waitFor(it.page, 'refused');
  assert.match(await text(it.page, 'notice'), /wants a token/);
});

test('an address that is partly wrong still shows the rest, and says so', async () => {
  await using it = await bench(browser, { path: '?window=2h&host=172.16.1.100' });
  assert.match(await text(it.page, 'notice'), /window=2h/);
  await it.page.locator('[data-testid=arc][data-node-id="vxlan:10003/192.168.3.1"]').waitFor();
});

test('what is unexplained or without detail is said in the centre and the gauge', async () => {
  const prepare = (source: ScriptedSource): void => {
    source.unexplained = 34;
  };
  await using it = await bench(browser, { prepare });
  assert.match(await text(it.page, 'centre'), /▲ 0\.0\d+ % unexplained/);
  await it.page.locator('[data-testid=exactness] summary').click();
  await it.page.locator('[data-testid=audit-point]').first().waitFor();
  assert.match(await text(it.page, 'audit'), /not in a flow: ethernet_truncated\s+2\s+[\d.]+ %\s+28/);
  it.source.unexplained = 0;
  it.source.overflow = 5000;
  await it.step();
  assert.match(await text(it.page, 'centre'), /all counted, [\d.]+ % without detail/);
});

test('what an interface counted and the hook did not see is said in the gauge, which opens into the ledger and closes by Escape', async () => {
  const prepare = (source: ScriptedSource): void => {
    source.missed = 12;
  };
  await using it = await bench(browser, { prepare, path: '?host=172.16.1.100' });
  const { page } = it;
  const summary = page.locator('[data-testid=exactness] summary');
  assert.match(await text(page, 'exactness'), /▲\s*12 packets unexplained/);
  await summary.focus();
  await page.keyboard.press('Enter');
  const ingress = page.locator('[data-testid=audit-point][data-point="eth0 ingress"]');
  await ingress.waitFor();
  assert.match(await text(page, 'audit'), /unexplained by the interface\s+12\s+[\d.]+ %\s+1\u202f200/);
  assert.match(await text(page, 'audit'), /someone runs before it/);
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (window as unknown as { axe: typeof axe }).axe.run('[data-testid=audit]'),
  );
  assert.deepEqual(
    violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
    [],
  );
  it.source.missed = 0;
  await it.step();
  await until(async () => /all counted/.test(await text(page, 'exactness')), 'all is counted again');
  await page.keyboard.press('Escape');
  await until(async () => (await page.locator('[data-testid=audit]').count()) === 0, 'the ledger is closed');
  assert.match(page.url(), /host=172/, 'Escape did not also go up a level');
});

test('everything can be done by the keyboard alone', async () => {
  await using it = await bench(browser);
  const { page } = it;
  const focused = (): Promise<string | null> =>
    page.evaluate(
      () => document.activeElement?.getAttribute('data-node-id') ?? document.activeElement?.tagName ?? null,
    );
  for (let i = 0; i < 30 && !(await focused())?.startsWith('172'); i++) await page.keyboard.press('Tab');
  assert.equal(await focused(), '172.16.1.100', 'the ring is one stop of the Tab key, its largest arc');
  await page.locator('[data-testid=tooltip]').waitFor();
  await page.keyboard.press('ArrowRight');
  const second = await focused();
  assert.notEqual(second, '172.16.1.100');
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowRight');
  assert.equal(await focused(), '172.16.1.100', 'the arrow keys go round');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/?host=172.16.1.100');
  await until(async () => (await focused())?.includes('/') === true, 'the focus stays in the ring');
  await page.keyboard.press(' ');
  await page.waitForURL('**/?host=172.16.1.100&client=vxlan:10003/192.168.3.1&list=pairs');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await page.waitForURL(it.url);
  await page.locator('[data-testid=row] a').first().focus();
  await page.keyboard.press('Enter');
  await page.waitForURL('**/?host=172.16.1.100');
});

test('a screen reader gets a title, words and numbers, and news at most every ten seconds', async () => {
  await using it = await bench(browser);
  const { page } = it;
  assert.equal(await page.locator('svg.chord > title').textContent(), 'Who talks to whom in the last 5 s');
  const label = await page
    .locator('[data-testid=arc][data-node-id="172.16.1.100"]')
    .getAttribute('aria-label');
  assert.match(
    label ?? '',
    /^172\.16\.1\.100 \d\d %: sent [\d.]+ KiB, \d\d % of all, received [\d.]+ KiB\. Enter opens its clients\.$/,
  );
  const spoken = page.locator('[data-testid=spoken]');
  assert.equal(await spoken.getAttribute('aria-live'), 'polite');
  await until(async () => (await spoken.textContent()) !== '', 'the headline is spoken');
  const first = await spoken.textContent();
  it.source.streams = labStreams();
  for (let i = 0; i < 5; i++) await it.step();
  assert.notEqual(await text(page, 'headline'), first);
  assert.equal(await spoken.textContent(), first);
});

const PHONE: BenchOptions['context'] = { viewport: { width: 390, height: 844 } };

test('on a phone the ledger fits, however many packets there were', async () => {
  const prepare = (source: ScriptedSource): void => {
    source.streams = source.streams.map((stream) => ({
      ...stream,
      octets: 3_456_789 * stream.octets,
      packets: 345_678 * stream.packets,
    }));
    source.missed = 12_345;
  };
  await using it = await bench(browser, { prepare, context: PHONE });
  await it.page.locator('[data-testid=exactness] summary').click();
  await it.page.locator('[data-testid=audit-point]').first().waitFor();
  const panel = it.page.locator('[data-testid=audit]');
  assert.match(await text(it.page, 'audit'), /(\d{3}\u202f){3}\d{3} … /);
  const [needed, given] = await panel.evaluate((element) => [element.scrollWidth, element.clientWidth]);
  assert.ok(needed! <= given!, `${needed} of ${given}`);
});

test('on a phone nothing sticks out, the table comes first and the picture second', async () => {
  for (const path of ['', '?host=172.16.1.100', '?pair=172.16.1.100~172.16.1.108', '?list=pairs']) {
    await using it = await bench(browser, { path, context: PHONE });
    await it.page.locator('[data-testid=chord]').waitFor();
    const { scroll, client } = await it.page.evaluate(() => ({
      scroll: document.documentElement.scrollWidth,
      client: document.documentElement.clientWidth,
    }));
    assert.ok(scroll <= client, `${path}: ${scroll} > ${client}`);
    const top = async (testId: string): Promise<number> =>
      (await it.page.locator(`[data-testid=${testId}]`).boundingBox())!.y;
    assert.ok((await top('headline')) < (await top('table')));
    assert.ok((await top('table')) < (await top('chord')));
    assert.ok((await top('chord')) < (await top('strip')));
  }
});

test('light or dark follows the system until the switch says otherwise, and that is kept', async () => {
  await using it = await bench(browser, { context: { colorScheme: 'dark' } });
  const { page } = it;
  const paper = (): Promise<string> =>
    page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  assert.equal(await paper(), 'rgb(15, 18, 20)');
  await page.locator('[data-testid=theme]').click();
  assert.equal(await paper(), 'rgb(251, 250, 247)');
  await page.reload();
  assert.equal(await paper(), 'rgb(251, 250, 247)');
  await page.locator('[data-testid=theme]').click();
  await page.locator('[data-testid=theme]').click();
  assert.equal(await paper(), 'rgb(15, 18, 20)', 'system again');
});

test('the picture moves in small steps, and not at all for who asks for less motion', async () => {
  for (const reducedMotion of ['no-preference', 'reduce'] as const) {
    await using it = await bench(browser, { context: { reducedMotion } });
    const { page } = it;
    await page.locator('[data-testid=arc]').first().waitFor();
    await page.evaluate(() => {
      const mark = document.querySelector('[data-arc="172.16.1.100"]')!;
      const shapes: (string | null)[] = [];
      new MutationObserver(() => shapes.push(mark.getAttribute('d'))).observe(mark, { attributes: true });
      Object.assign(window, { shapes });
    });
    it.source.streams = labStreams();
    for (let i = 0; i < 5; i++) it.source.step();
    const wanted = (await it.api()).epoch;
    await until(async () => (await epoch(page)) === wanted, 'the epoch is shown');
    const steps = async (): Promise<number> =>
      page.evaluate(() => (window as unknown as { shapes: string[] }).shapes.length);
    if (reducedMotion === 'no-preference') await until(async () => (await steps()) > 5, 'it glides');
    else assert.ok((await steps()) <= 5, `${await steps()} steps for five epochs`);
  }
});

const SCENES: readonly (BenchOptions & { readonly name: string })[] = [
  { name: 'hosts', path: '' },
  { name: 'clients', path: '?host=172.16.1.100' },
  { name: 'flows', path: '?pair=172.16.1.100~172.16.1.108' },
  { name: 'pairs', path: '?list=pairs' },
  { name: 'nothing', streams: [] },
  { name: 'a crowd', streams: crowdStreams(120, 900) },
];

for (const { name, ...options } of SCENES) {
  test(`no serious accessibility violation: ${name}, light and wide, dark and narrow`, async () => {
    for (const context of [{ colorScheme: 'light' }, { colorScheme: 'dark', ...PHONE }] as const) {
      await using it = await bench(browser, { ...options, context });
      await it.page.locator('[data-testid=table]').waitFor();
      assert.deepEqual(await violations(it.page), [], String(context.colorScheme));
    }
  });
}
