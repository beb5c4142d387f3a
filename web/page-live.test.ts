/** Every view of what is now, in Chromium, before a real agent in a lab: its numbers are those of the API and of who sent. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { hasBtf } from '../src/bpf/index.ts';
import type { Audit, ResultTable, View } from '../src/query/index.ts';
import { until } from '../test/until.ts';
import { attributes, epoch, launch, numbersBy, text } from './test/browser.ts';
import { ENDED, type LiveScene, OF_ENDED, openLive, wireOctets } from './test/live.ts';
import { violations } from './test/violations.ts';

const SLOW_MS = 30_000;
const PHONE = { width: 390, height: 844 };
const HOST = '172.16.1.100';

/** A page, and what its browser complained about. */
interface Shown extends AsyncDisposable {
  readonly page: Page;
  readonly complaints: string[];
}

/** Exact values of the rows of a table, by column, in an order of their own. */
async function rowsOf(page: Page, row: string, columns: readonly string[]): Promise<string[]> {
  const rows = await page
    .locator(row)
    .evaluateAll(
      (elements, names) =>
        elements.map((element) =>
          names.map(
            (name) => element.querySelector<HTMLElement>(`[data-column="${name}"]`)?.dataset.value ?? '',
          ),
        ),
      columns as string[],
    );
  return rows.map((values) => values.join(' ')).toSorted();
}

/** The same of an answer. */
function answered({ columns, rows }: ResultTable, wanted: readonly string[]): string[] {
  const places = wanted.map((name) => columns.findIndex((column) => column.name === name));
  return rows.map((row) => places.map((at) => row[at] ?? '').join(' ')).toSorted();
}

describe('the page of a real agent', { timeout: 180_000 }, () => {
  let browser: Browser;
  let scene: LiveScene;
  before(async () => {
    browser = await launch();
    scene = await openLive();
  });
  after(async () => {
    await browser?.close();
    await scene?.[Symbol.asyncDispose]();
  });

  async function open(query: string): Promise<Shown> {
    const context = await browser.newContext({
      viewport: { width: 1440, height: 900 },
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    page.setDefaultTimeout(SLOW_MS);
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(`${scene.url}?${query}`);
    await until(async () => (await epoch(page)) > 0, 'the page shows an epoch', SLOW_MS);
    return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
  }

  /** Pauses the page at an epoch that is still the newest of the agent, and gives the API's view of it. */
  async function paused(page: Page, query = ''): Promise<View> {
    let view: View | undefined;
    const pause = page.getByTestId('pause');
    await until(
      async () => {
        const before = await epoch(page);
        await until(async () => (await epoch(page)) > before, 'the next epoch', SLOW_MS);
        await pause.click();
        view = await scene.view(query);
        if (view.epoch === (await epoch(page))) return true;
        await pause.click();
        return false;
      },
      'the page is paused at the newest epoch',
      SLOW_MS,
    );
    return view!;
  }

  /** What holds for every view: axe finds nothing, the browser has nothing to complain of, and a phone is wide enough. */
  async function holds({ page, complaints }: Shown): Promise<void> {
    assert.deepEqual(await violations(page), []);
    await page.setViewportSize(PHONE);
    await until(
      async () => (await page.evaluate(() => document.documentElement.scrollWidth)) <= PHONE.width,
      'it fits a phone',
    );
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(complaints, []);
  }

  test('chord: arcs are those of the API and of who sent; a host opens into its tenants, and a pause holds', async () => {
    await using it = await open(OF_ENDED);
    const { page } = it;
    const view = await scene.view(OF_ENDED);
    assert.equal(
      view.total.octets,
      scene.streams.reduce((sum, stream) => sum + wireOctets(stream), 0),
    );
    const sums = ({ nodes }: View): Record<string, number> =>
      Object.fromEntries(nodes.map(({ id, sent, received }) => [id, sent.octets + received.octets]));
    await page.getByTestId('arc').first().waitFor();
    assert.deepEqual(await numbersBy(page, 'arc', 'data-node-id', 'data-octets'), sums(view));
    assert.deepEqual(await numbersBy(page, 'row', 'data-node-id', 'data-octets'), sums(view));
    await page.locator(`[data-testid=row][data-node-id="${HOST}"] a`).click();
    const clients = await scene.view(`${OF_ENDED}&host=${HOST}`);
    const tenants = clients.nodes.filter(({ address }) => address === '192.168.0.1').map(({ id }) => id);
    assert.equal(tenants.length, 2, 'two tenants with one address');
    await page.locator(`[data-testid=arc][data-node-id="${tenants[0]}"]`).waitFor();
    assert.deepEqual(await numbersBy(page, 'row', 'data-node-id', 'data-octets'), sums(clients));

    await page.goto(scene.url);
    const held = await paused(page);
    assert.deepEqual(await numbersBy(page, 'row', 'data-node-id', 'data-octets'), sums(held));
    await until(async () => (await scene.view()).epoch > held.epoch + 2, 'the agent goes on', SLOW_MS);
    assert.equal(await epoch(page), held.epoch);
    await page.getByTestId('pause').click();
    await until(async () => (await epoch(page)) > held.epoch + 2, 'so does the page', SLOW_MS);
    await holds(it);
  });

  test('overview: rates, segments and talkers are those of the API at the same epoch', async () => {
    await using it = await open('sight=overview&window=1m');
    const { page } = it;
    const { segments, nodes } = await paused(page, 'window=1m');
    const plain = segments.find(({ id }) => id === 'none')!.octets;
    const all = segments.reduce((sum, { octets }) => sum + octets, 0);
    const figure = async (name: string): Promise<number> =>
      Number(await page.getByTestId(`figure-${name}`).getAttribute('data-octets'));
    assert.equal(await figure('outside'), plain);
    assert.equal(await figure('inside'), all - plain);
    assert.deepEqual(
      await numbersBy(page, 'segment-lines-line', 'data-line', 'data-octets'),
      Object.fromEntries(segments.map(({ id, octets }) => [id, octets])),
    );
    assert.deepEqual(
      await numbersBy(page, 'talkers-line', 'data-line', 'data-octets'),
      Object.fromEntries(
        nodes.filter(({ sent }) => sent.octets > 0).map(({ id, sent }) => [id, sent.octets]),
      ),
    );
    await holds(it);
  });

  test('flows: every one to the octet, and one leads to the tenant it is of', async () => {
    await using it = await open(`sight=flows&${OF_ENDED}`);
    const { page } = it;
    await page.getByTestId('grid-row').first().waitFor();
    const columns = ['segment', 'src', 'dst', 'dport', 'octets', 'packets'];
    const shown = await rowsOf(page, '[data-testid=grid-row]', columns);
    const answer = await scene.ask({ ask: 'flows', window: 'all', filter: ENDED });
    assert.deepEqual(shown, answered(answer, columns));
    const sent = scene.streams.map((stream) =>
      [
        stream.vni === undefined ? 'none' : `vxlan:${stream.vni}`,
        stream.source,
        stream.destination,
        stream.destinationPort,
        wireOctets(stream),
        stream.frames!.forward.packets,
      ].join(' '),
    );
    assert.deepEqual(shown, sent.toSorted());
    await page.getByTestId('grid-row').filter({ hasText: 'VNI 10001' }).first().click();
    await page.getByTestId('next').getByText('What 192.168.0.1 does').click();
    await until(() => page.url().includes('in=vxlan:10001'), 'the address says which tenant');
    await page.goBack();
    await page.getByTestId('drawer').waitFor();
    await holds(it);
  });

  test('hosts: what each sent and received; of two tenants with one address each by itself', async () => {
    await using it = await open(`sight=hosts&${OF_ENDED}`);
    const { page } = it;
    await page.getByTestId('grid-row').first().waitFor();
    const sent = await scene.ask({ ask: 'top', by: ['src', 'segment'], window: 'all', filter: ENDED });
    const shown = await rowsOf(page, '[data-testid=grid-row]', ['address', 'segment', 'sent']);
    assert.deepEqual(
      shown.filter((row) => !row.endsWith(' 0')),
      answered(sent, ['src', 'segment', 'octets']),
    );
    await holds(it);
    await page.goto(`${scene.url}?sight=hosts&${OF_ENDED}&address=192.168.0.1`);
    await page.getByTestId('tenant').first().waitFor();
    assert.equal(await page.getByTestId('tenant').count(), 2);
    await page.getByTestId('tenant').filter({ hasText: '10001' }).getByRole('link').click();
    await page.getByTestId('peers').getByTestId('short-row').first().waitFor();
    const [stream] = scene.streams.filter(({ vni, from }) => vni === 10001 && from === 'host0');
    const sum = page.locator('[data-sum="sent as a client"]');
    assert.equal(Number(await sum.getAttribute('data-value')), wireOctets(stream!));
    await holds(it);
  });

  test('tunnels: every one as the API says', async () => {
    await using it = await open(`sight=tunnels&${OF_ENDED}`);
    const { page } = it;
    await page.getByTestId('grid-row').first().waitFor();
    const columns = ['segment', 'outer.src', 'outer.dst', 'octets', 'packets'];
    const answer = await scene.ask({ ask: 'tunnels', window: 'all', filter: ENDED });
    assert.equal(answer.rows.length, 3);
    assert.deepEqual(await rowsOf(page, '[data-testid=grid-row]', columns), answered(answer, columns));
    await page.getByTestId('grid-row').first().click();
    await page.getByTestId('drawer').waitFor();
    await holds(it);
  });

  test('connections: those of the host, also on a phone', {
    skip: hasBtf() ? false : 'this kernel has no BTF of its own',
  }, async () => {
    await using it = await open('sight=connections&cols=local,localPort,remote,remotePort,state,sendRate');
    const { page } = it;
    const ends = ['local', 'localPort', 'remote', 'remotePort'];
    await page.getByTestId('grid-row').first().waitFor();
    const { connections } = (await (await fetch(`${scene.url}api/v1/connections`)).json()) as {
      readonly connections: readonly Record<string, unknown>[];
    };
    assert.ok(connections.length > 0);
    assert.deepEqual(
      await rowsOf(page, '[data-testid=grid-row]', ends),
      connections.map((each) => ends.map((end) => each[end]).join(' ')).toSorted(),
    );
    await page.getByTestId('grid-row').first().click();
    await page.getByTestId('drawer').waitFor();
    await holds(it);
  });

  test('exactness: all is counted, at every point as the API says', async () => {
    await using it = await open('sight=exactness');
    const { page } = it;
    await page.getByTestId('audit-point').first().waitFor();
    assert.equal(await text(page, 'exactness-headline'), 'All counted, since the agent’s start.');
    await page.getByTestId('nothing-missing').waitFor();
    const audit = (await (await fetch(`${scene.url}api/v1/audit`)).json()) as Audit;
    assert.deepEqual(
      await attributes(page, 'audit-point', 'data-point'),
      audit.points.map(({ interfaceName, direction }) => `${interfaceName} ${direction}`),
    );
    const { unexplained, seen, recorded } = (await paused(page)).exactness;
    assert.deepEqual([unexplained, seen], [{ octets: 0, packets: 0 }, recorded]);
    await holds(it);
  });
});
