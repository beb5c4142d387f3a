import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { batchOf } from '../src/flow/batch.fixture.ts';
import type { Status } from '../src/query/index.ts';
import { DuckDbStore } from '../src/store/index.ts';
import { until } from '../test/until.ts';
import { attributes, bench, launch, numbersBy, state } from './test/browser.ts';
import { violations } from './test/violations.ts';

/* The page's filter, typed and followed by a reader. */

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const FIELD = '[data-testid=filter-text]';
const FAULT = '[data-testid=filter-fault]';

async function type(page: Page, filter: string): Promise<void> {
  await page.fill(FIELD, filter);
  await page.press(FIELD, 'Enter');
}

function text(page: Page, selector: string): Promise<string> {
  // biome-ignore lint/performance/useDomNodeTextContent: as it is read, with its line breaks
  return page.innerText(selector);
}

function hostsShown(page: Page): Promise<string[]> {
  return attributes(page, 'arc', 'data-node-id');
}

function shown(page: Page, what: () => Promise<boolean>, words: string): Promise<void> {
  return until(what, `${words}: ${page.url()}`);
}

test('a filter is applied by Enter, says what it leaves out, and its figures are those of the API', async () => {
  await using it = await bench(browser);
  const { page } = it;
  const all = (await hostsShown(page)).length;
  assert.equal(await page.locator('[data-testid=left-out]').count(), 0);
  await type(page, 'vni 10003 and tcp');
  await shown(page, async () => (await hostsShown(page)).length === 2, 'two hosts are left');
  assert.ok(all > 2);
  assert.equal(new URL(page.url()).searchParams.get('filter'), 'vni 10003 and tcp');
  const view = await it.api('filter=vni+10003+and+tcp');
  assert.deepEqual(
    await numbersBy(page, 'arc', 'data-node-id', 'data-octets'),
    Object.fromEntries(view.nodes.map(({ id, sent, received }) => [id, sent.octets + received.octets])),
  );
  const share = Math.round(100 * view.filter!.share);
  assert.ok(share > 10 && share < 90);
  assert.equal(await text(page, '[data-testid=left-out]'), `${share} % of octets left out`);
  assert.match(await text(page, '[data-testid=headline]'), /of these octets/);
  await page.reload();
  await shown(page, async () => (await hostsShown(page)).length === 2, 'a link shows the same');
  assert.equal(await page.inputValue(FIELD), 'vni 10003 and tcp');
  await page.locator('[data-testid=row] a').first().click();
  await page.waitForURL(/host=.*filter=|filter=.*host=/);
  assert.deepEqual(it.complaints, []);
});

test('leaving the field applies it, Back brings the one before, and Escape or the sign clears it', async () => {
  await using it = await bench(browser);
  const { page } = it;
  const filter = (): string | null => new URL(page.url()).searchParams.get('filter');
  await type(page, 'tcp');
  await shown(page, async () => filter() === 'tcp', 'Enter applies');
  await page.fill(FIELD, 'icmp');
  await page.press(FIELD, 'Tab');
  assert.equal(filter(), 'tcp', 'the sign that clears belongs to the field');
  await page.keyboard.press('Tab');
  await shown(page, async () => filter() === 'icmp', 'leaving applies');
  await page.goBack();
  await shown(page, async () => (await page.inputValue(FIELD)) === 'tcp', 'Back');
  await page.focus(FIELD);
  await page.keyboard.press('Escape');
  await shown(page, async () => filter() === null, 'Escape clears');
  assert.equal(await page.inputValue(FIELD), '');
  await shown(page, async () => (await page.locator('[data-testid=left-out]').count()) === 0, 'no chip');
  const steps = await page.evaluate(() => history.length);
  await page.fill(FIELD, 'udp');
  await page.click('[data-testid=filter-clear]');
  assert.deepEqual([filter(), await page.inputValue(FIELD)], [null, '']);
  assert.equal(await page.evaluate(() => history.length), steps, 'what was cleared was never applied');
});

function suggested(page: Page): Promise<string[]> {
  return page.locator('[data-testid=suggestion] code').allTextContents();
}

test('what could be typed next is offered, with values in sight; arrows choose, Enter takes, Escape closes', async () => {
  await using it = await bench(browser);
  const { page } = it;
  const value = (): Promise<string> => page.inputValue(FIELD);
  await page.click(FIELD);
  await page.keyboard.type('vn');
  assert.deepEqual(await suggested(page), ['vni']);
  await page.keyboard.press('ArrowDown');
  assert.equal(
    await page.getAttribute(FIELD, 'aria-activedescendant'),
    await page.getAttribute('[role=option]', 'id'),
  );
  await page.keyboard.press('Enter');
  assert.equal(await value(), 'vni ');
  const next = await suggested(page);
  assert.ok(next.includes('=') && next.includes('10003'), next.join(' '));
  await page.keyboard.type('= 1000');
  const ids = await suggested(page);
  assert.ok(ids.length > 1 && ids.every((id) => /^1000\d$/.test(id)), ids.join(' '));
  await page.locator('[data-testid=suggestion]', { hasText: '10003' }).click();
  assert.equal(await value(), 'vni = 10003 ');
  assert.deepEqual(await suggested(page), ['and', 'or']);
  assert.equal(new URL(page.url()).searchParams.get('filter'), null, 'nothing is applied yet');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Escape');
  assert.deepEqual([await value(), await suggested(page)], ['vni = 10003 ', []]);
  await page.keyboard.press('Enter');
  await shown(
    page,
    async () => new URL(page.url()).searchParams.get('filter') === 'vni = 10003',
    'Enter applies',
  );
  await page.fill(FIELD, 'if');
  assert.deepEqual(await suggested(page), [], 'a live view cannot be asked for interfaces');
});

test('a wrong filter keeps the last good one, and points at the mistake', async () => {
  await using it = await bench(browser, { path: '?filter=vni+10003' });
  const { page } = it;
  const before = await hostsShown(page);
  await type(page, 'vni 10003 and dprot = 80');
  const words = await text(page, FAULT);
  assert.match(words, /column 15: unknown field "dprot"; did you mean "dport"\?/);
  assert.match(words, /vni 10003 and dprot = 80\n.*stays in force: vni 10003/s);
  assert.equal(await text(page, '[data-testid=filter-mark]'), 'dprot');
  assert.equal(await page.getAttribute(FIELD, 'aria-invalid'), 'true');
  assert.equal(await page.getAttribute(FIELD, 'aria-describedby'), await page.getAttribute(FAULT, 'id'));
  assert.equal(new URL(page.url()).searchParams.get('filter'), 'vni 10003');
  assert.deepEqual(await hostsShown(page), before);
  await shown(page, async () => (await state(page)) === 'open', 'it goes on');
  await type(page, 'dscp = ef');
  assert.match(await text(page, FAULT), /column 1: "dscp" is of the first packet/);
  await type(page, 'port in [1, ');
  assert.match(await text(page, FAULT), /column 12: /);
  await type(page, 'vni 10003');
  await shown(
    page,
    async () => (await page.locator(FAULT).count()) === 0,
    'a good one takes the message away',
  );
});

test('what is typed in the field is text: it neither pauses nor leaves the view', async () => {
  await using it = await bench(browser, { path: '?host=172.16.1.100' });
  const { page } = it;
  await page.focus(FIELD);
  await page.keyboard.type('port 80');
  assert.deepEqual([await page.inputValue(FIELD), await state(page)], ['port 80', 'open']);
  await page.keyboard.press('Escape');
  assert.deepEqual([await page.inputValue(FIELD), new URL(page.url()).search], ['', '?host=172.16.1.100']);
  await page.keyboard.press('Escape');
  await page.waitForURL(it.url);
});

test('a filter that nothing fits is told from a silent network, and can be cleared there', async () => {
  await using it = await bench(browser, { path: '?filter=sctp' });
  const { page } = it;
  assert.match(await text(page, '[data-testid=empty]'), /Nothing that fits “proto = sctp” was counted/);
  assert.equal(await text(page, '[data-testid=left-out]'), '100 % of octets left out');
  await page.click('text=Clear the filter');
  await shown(page, async () => (await hostsShown(page)).length > 2, 'all is shown');
  assert.equal(new URL(page.url()).search, '');
});

for (const [name, context] of [
  ['light and wide', { colorScheme: 'light' }],
  ['dark and narrow', { colorScheme: 'dark', viewport: { width: 390, height: 844 } }],
] as const) {
  test(`with a filter, right and wrong, nothing sticks out or is hard to reach: ${name}`, async () => {
    await using it = await bench(browser, { path: '?filter=vni+10003', context });
    const { page } = it;
    const check = async (): Promise<void> => {
      assert.deepEqual(await violations(page), []);
      const { scroll, client } = await page.evaluate(() => ({
        scroll: document.documentElement.scrollWidth,
        client: document.documentElement.clientWidth,
      }));
      assert.ok(scroll <= client, `${scroll} > ${client}`);
    };
    await page.locator('[data-testid=left-out]').waitFor();
    await check();
    await page.fill(FIELD, 'vni 10003 and ');
    await page.locator('[role=listbox]').waitFor();
    await check();
    await type(page, `${'vni 10003 and '.repeat(20)} dprot`);
    await page.locator(FAULT).waitFor();
    await check();
    const box = (await page.locator(FAULT).boundingBox())!;
    assert.ok(box.x >= 0 && box.x + box.width <= (await page.evaluate(() => innerWidth)));
  });
}

test('an agent with a history tells which values were seen lately', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-seen-'));
  const store = await DuckDbStore.open({ path: join(directory, 'history.duckdb') });
  try {
    const nowMs = Date.now();
    const record = (vni: number, octets: number) => ({
      tunnel: ['172.16.1.100', '172.16.1.101', vni] as const,
      between: ['10.0.0.1', '10.0.0.2'] as const,
      octets,
      packets: 1,
    });
    await store.commit([batchOf([record(4711, 100), record(4712, 900)], { startMs: nowMs - 60_000 })]);
    const kept = {
      directory,
      storedUpToMs: nowMs,
      spoolOctets: 0,
      maxSpoolOctets: 1e9,
      dropped: { epochs: 0, packets: 0, octets: 0 },
      failing: null,
    };
    let ask: () => Status = () => assert.fail('asked before it is served');
    await using it = await bench(browser, {
      prepare: (source) => {
        ask = () => ({ ...source.status(), history: kept });
      },
      serve: { history: store, status: () => ask() },
    });
    const { page } = it;
    await page.focus(FIELD);
    await page.keyboard.type('vni = 47');
    await shown(page, async () => (await suggested(page)).join() === '4712,4711', 'most octets first');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await shown(page, async () => (await page.inputValue(FIELD)) === 'vni = 4711 ', 'the last of them');
    assert.deepEqual(it.complaints, []);
  } finally {
    await store.close();
    rmSync(directory, { recursive: true });
  }
});
