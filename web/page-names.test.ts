/* Names on the views, in Chromium, before a server that has them from real files: first to be read, and no address lost. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, Locator, Page } from 'playwright-core';
import { Names } from '../src/names/index.ts';
import type { NameSource, NamesQuestion } from '../src/query/index.ts';
import { meshOf, networksOf } from '../src/query/vnet.fixture.ts';
import { until } from '../test/until.ts';
import { attributes, bench, launch, text } from './test/browser.ts';
import { ALL_OF_IT, benchOver, type StoredHistory, storeStreams } from './test/stored.ts';
import { violations } from './test/violations.ts';

const LABELS = `
192.168.3.1        build server
192.168.1.0/24     office Berlin
segment vxlan:10003  tenant red
02:00:00:00:00:01  printer
`;
const HOSTS = '172.16.1.100 vtep-a.example\n172.16.1.108 vtep-i.example\n';
const LONG = 'a-host-whose-name-goes-on-and-on.'.repeat(7);
const PHONE = { viewport: { width: 390, height: 844 }, colorScheme: 'dark' } as const;

/** Names of files, and what was asked of them. */
interface Told extends AsyncDisposable {
  readonly names: NameSource;
  readonly asked: NamesQuestion[];
}

async function namesOf(labels: string, hosts: string): Promise<Told> {
  const directory = mkdtempSync(join(tmpdir(), 'ts-page-names-'));
  const files = { labels: join(directory, 'labels'), hosts: join(directory, 'hosts') };
  writeFileSync(files.labels, labels);
  writeFileSync(files.hosts, hosts);
  const problem = (error: Error): void => assert.fail(error);
  const names = await Names.open({ ...files, dns: false }, { problem, recovered: () => {} });
  const asked: NamesQuestion[] = [];
  return {
    asked,
    names: {
      names: (question) => {
        asked.push(question);
        return names.names(question);
      },
      find: (wanted) => names.find(wanted),
    },
    [Symbol.asyncDispose]: async () => {
      names[Symbol.dispose]();
      rmSync(directory, { recursive: true });
    },
  };
}

/** What a name says when it is pointed at. */
function titleOf(where: Locator): Promise<string | null> {
  return where.locator('[data-testid=named]').first().getAttribute('title');
}

/** What is read there, with its line breaks. */
function read(where: Locator): Promise<string> {
  // biome-ignore lint/performance/useDomNodeTextContent: with its line breaks
  return where.innerText();
}

/** Names, and what stands beside them, that leave the page or their cell, or make it higher than a line. */
function outside(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const wrong: string[] = [];
    if (document.documentElement.scrollWidth > innerWidth)
      wrong.push(`the page is ${document.documentElement.scrollWidth} wide`);
    // A line of the overview is cut as a whole.
    for (const named of document.querySelectorAll<HTMLElement>('[data-testid=named], .line-name')) {
      if (named.matches('.line-name *')) continue;
      const cell = named.closest<HTMLElement>(
        '[role=gridcell], .short-table td, .segment, .overview-list li',
      );
      if (!cell) continue;
      const [inner, around] = [named.getBoundingClientRect(), cell.getBoundingClientRect()];
      if (inner.right > around.right + 1)
        wrong.push(`${named.textContent}: ${inner.right} > ${around.right}`);
      if (inner.height > 31) wrong.push(`${named.textContent}: ${inner.height} high`);
    }
    for (const row of document.querySelectorAll<HTMLElement>('[data-testid=grid-row]'))
      if (row.getBoundingClientRect().height !== 30) wrong.push('a row is of another height');
    return wrong;
  });
}

describe('names on the views', { timeout: 300_000 }, () => {
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

  test('the chord, its sentence, the rail and the table say names, and each address once more', async () => {
    await using told = await namesOf(LABELS, HOSTS);
    await using it = await bench(browser, { serve: { names: told.names } });
    const { page } = it;
    const headline =
      /^build server \(192\.168\.3\.1, tenant red, on vtep-a\.example\) sends \d\d % of all octets, mostly to 192\.168\.3\.9\.$/;
    await until(async () => headline.test(await text(page, 'headline')), 'the sentence has names');
    const plain = await page.getByTestId('headline').getAttribute('title');
    assert.match(plain ?? '', /^192\.168\.3\.1 \(VNI 10003, on 172\.16\.1\.100\) sends/);
    const arc = page.locator('[data-testid=arc][data-node-id="172.16.1.100"]');
    assert.match((await arc.locator('text').textContent()) ?? '', /^vtep-a\.example /);
    assert.match(
      (await arc.getAttribute('aria-label')) ?? '',
      /^vtep-a\.example [\d.]+ %, 172\.16\.1\.100: sent/,
    );
    await arc.locator('[data-label]').hover();
    assert.match(await text(page, 'tooltip'), /^vtep-a\.example\s+172\.16\.1\.100\s/);
    const segment = page.locator('[data-testid=segment][data-segment-id="vxlan:10003"]');
    assert.match(await read(segment), /^tenant red\s+VNI 10003\s/);
    const row = page.locator('[data-testid=row]').filter({ hasText: 'vtep-a.example' });
    assert.match(await read(row), /^vtep-a\.example\s+172\.16\.1\.100\s/);

    await it.step();
    await it.step();
    const all = told.asked.flatMap(({ addresses }) => addresses);
    assert.deepEqual(all.toSorted(), [...new Set(all)].toSorted(), 'no address is asked for twice');
    const view = await it.api();
    const onScreen = new Set([
      ...view.nodes.map(({ address }) => address),
      ...[view.leader!.address, view.leader!.peer],
    ]);
    assert.deepEqual(new Set(all), onScreen, 'and none that is not on screen');

    await row.getByRole('link').click();
    await page.waitForURL((at) => at.searchParams.get('host') === '172.16.1.100');
    await until(async () => (await text(page, 'breadcrumb')).includes('vtep-a.example'), 'the way back');
    const client = page.locator('[data-testid=row]').filter({ hasText: 'build server' });
    assert.match(await read(client), /^build server\s+192\.168\.3\.1\s+tenant red\s/);
    // Many clients have a network's name: it stands in place of none.
    const one = page.locator('[data-testid=arc][data-node-id="vxlan:10001/192.168.1.2"]');
    assert.match((await one.locator('text').textContent()) ?? '', /^192\.168\.1\.2/);
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(it.complaints, []);
  });

  test('tables of the past show names in the columns of addresses, which sort and filter as before', async () => {
    await using told = await namesOf(LABELS, HOSTS);
    const path = (sight: string): string => `?sight=${sight}&${ALL_OF_IT}&sort=src`;
    await using it = await benchOver(browser, history, { path: path('flows'), serve: { names: told.names } });
    const { page } = it;
    const cells = page.locator('[data-testid=grid-row] [data-column=src]');
    await cells.getByText('build server').first().waitFor({ timeout: 30_000 });
    const cell = page.locator('[data-testid=grid-row] [data-column=src][data-value="192.168.3.1"]').first();
    assert.equal(await read(cell), 'build server\n192.168.3.1');
    assert.equal(await titleOf(cell), 'build server: 192.168.3.1, from your labels');
    const sources = await cells.evaluateAll((all) =>
      all.map((each) => each.getAttribute('data-value') ?? ''),
    );
    const byNumber = (address: string): number =>
      address.split('.').reduce((sum, part) => 256 * sum + Number(part), 0);
    assert.deepEqual(
      sources,
      sources.toSorted((x, y) => byNumber(x) - byNumber(y)),
      'by address',
    );
    const office = page.locator('[data-column=src][data-value="192.168.1.2"]').first();
    assert.match((await titleOf(office)) ?? '', /^office Berlin: 192\.168\.1\.2 in 192\.168\.1\.0\/24/);
    const red = page.locator('[data-column=segment][data-value="vxlan:10003"]').first();
    assert.match(await read(red), /^tenant red/);
    assert.deepEqual(await outside(page), []);

    await cell.click();
    const drawer = page.getByTestId('drawer');
    await drawer.getByText('What build server does').waitFor();
    assert.match(
      await read(drawer.locator('h2')),
      /^build server:\d+ → 192\.168\.3\.9:\d+\s+192\.168\.3\.1:\d+ →/,
    );
    await drawer.getByText('What build server does').click();
    await page.waitForURL((at) => at.searchParams.get('address') === '192.168.3.1');
    await page.getByTestId('tunnels-of').getByText('vtep-a.example').first().waitFor({ timeout: 30_000 });
    assert.match(await read(page.locator('.host .headline')), /^build server\s+192\.168\.3\.1$/);
    assert.deepEqual(await outside(page), []);

    await page.goto(`${it.url}${path('tunnels')}`);
    const end = page.locator('[data-column="outer.src"][data-value="172.16.1.100"]').first();
    await end.getByText('vtep-a.example').waitFor({ timeout: 30_000 });
    await page.goto(`${it.url}${path('overview')}`);
    await page.getByTestId('talkers').getByText('build server').first().waitFor({ timeout: 30_000 });
    await page.getByTestId('segment-lines').getByText('tenant red').first().waitFor({ timeout: 30_000 });
    assert.deepEqual(await outside(page), []);
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(it.complaints, []);
  });

  test('an address is found by its name, by that of its network, and by that of its segment', async () => {
    await using told = await namesOf(LABELS, HOSTS);
    const serve = { names: told.names };
    const path = `?sight=hosts&${ALL_OF_IT}`;
    await using it = await benchOver(browser, history, { path, serve });
    const { page } = it;
    const found = async (): Promise<(string | null)[]> => {
      const cells = page.locator('[data-testid=grid-row] [data-column=address]');
      return cells.evaluateAll((all) => all.map((each) => each.getAttribute('data-value')));
    };
    await page.getByTestId('grid-row').first().waitFor({ timeout: 30_000 });
    const all = await found();
    const expected = {
      'BUILD s': (address: string) => address === '192.168.3.1',
      berlin: (address: string) => address.startsWith('192.168.1.'),
      'tenant r': (address: string) => address.startsWith('192.168.3.'),
      '192.168.3.9': (address: string) => address === '192.168.3.9',
      'no such name': () => false,
    };
    for (const [words, isMeant] of Object.entries(expected)) {
      const wanted = all.filter((address) => isMeant(address!));
      await page.getByTestId('find').fill(words);
      await until(async () => (await found()).join() === wanted.join(), `${words} finds ${wanted.join(' ')}`);
      assert.equal(wanted.length > 0, words !== 'no such name', words);
      assert.equal(await text(page, 'hosts-headline'), `${wanted.length} of ${all.length} clients.`);
    }
    await page.getByTestId('find').fill('berlin');
    await page.getByTestId('find').press('Enter');
    await page.waitForURL((at) => at.searchParams.get('find') === 'berlin');
    assert.deepEqual(it.complaints, []);
  });

  test('a name that is long, or would be markup, stays text within its place, also on a phone', async () => {
    const labels = `
192.168.3.1 ${LONG}
192.168.3.9 <img src=x onerror=alert(1)> שרת הבנייה
192.168.1.0/24 ${LONG}
segment vxlan:10003 ${LONG}
`;
    await using told = await namesOf(labels, `172.16.1.100 ${LONG}\n`);
    for (const context of [{}, PHONE]) {
      await using it = await benchOver(browser, history, { context, serve: { names: told.names } });
      const { page } = it;
      await page.getByTestId('segment').getByText('a-host').waitFor();
      await page.getByTestId('row').getByText('a-host').first().waitFor();
      assert.deepEqual(await outside(page), [], 'the chord');
      for (const arc of await page.locator('[data-testid=arc] text').allTextContents())
        assert.ok(arc.length < 60, `${arc} is cut`);
      for (const sight of ['flows', 'tunnels', 'hosts', 'overview']) {
        await page.goto(`${it.url}?sight=${sight}&${ALL_OF_IT}`);
        await page
          .locator('[data-testid=named]')
          .filter({ hasText: 'a-host' })
          .first()
          .waitFor({ timeout: 30_000 });
        assert.deepEqual(await outside(page), [], sight);
      }
      await page.goto(`${it.url}?sight=hosts&address=192.168.3.9&${ALL_OF_IT}`);
      await page.locator('.host .headline .name').waitFor({ timeout: 30_000 });
      assert.match(
        await read(page.locator('.host .headline')),
        /img src=x onerror=alert\(1\) שרת הבנייה\s+192\.168\.3\.9/,
      );
      assert.equal(await page.locator('img').count(), 0);
      assert.deepEqual(it.complaints, []);
    }
  });

  test('tunnel ends and MACs of virtual networks have their names on cards and in the table', async () => {
    const networks = networksOf(...meshOf(2, 1));
    const [first] = networks.functions;
    assert.ok(first?.kind === 'bridge');
    await using told = await namesOf(
      `${first.tunnel.address} vtep-one\n${first.entries[0]!.mac} printer\nsegment vxlan:10000 tenant blue\n`,
      '',
    );
    await using it = await bench(browser, {
      path: '?sight=network',
      serve: { names: told.names, networks: async () => networks },
    });
    const { page } = it;
    await page.getByTestId('card').getByText(`vtep-one (${first.tunnel.address})`).waitFor();
    await page.getByTestId('row').getByText('printer').waitFor();
    await page.getByTestId('card').getByText('tenant blue').first().waitFor();
    const macs = await attributes(page, 'row', 'data-mac');
    assert.ok(macs.includes(first.entries[0]!.mac));
    assert.deepEqual(await outside(page), []);
    assert.deepEqual(it.complaints, []);
  });
});
