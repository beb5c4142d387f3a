/** The view of virtual networks, before answers made of fixtures: what it says, where it leads, and that all can be used. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { VirtualNetworks } from '../src/query/index.ts';
import { bridgeOf, gatewayOf, meshOf, multicastOf, networksOf, relayOf } from '../src/query/vnet.fixture.ts';
import { until } from '../test/until.ts';
import { attributes, type Bench, type BenchOptions, bench, launch } from './test/browser.ts';
import { violations } from './test/violations.ts';

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const PHONE: BenchOptions['context'] = { viewport: { width: 390, height: 844 } };

/** The page at the view, before an answer that can be changed. */
async function networkBench(
  answer: VirtualNetworks,
  options: BenchOptions = {},
): Promise<Bench & { show(next: VirtualNetworks): void; asked(): number }> {
  let now = answer;
  let asked = 0;
  const networks = async () => {
    asked++;
    return now;
  };
  const it = await bench(browser, {
    path: '?sight=network',
    ...options,
    serve: { networks, ...options.serve },
  });
  await it.page.locator('[data-testid=network-headline]').waitFor();
  await until(
    async () => !(await text(it.page, 'network-headline')).startsWith('Asking'),
    'the networks are there',
  );
  return Object.assign(it, {
    show: (next: VirtualNetworks) => {
      now = next;
    },
    asked: () => asked,
  });
}

async function text(page: Page, testId: string): Promise<string> {
  return (await page.locator(`[data-testid=${testId}]`).first().textContent()) ?? '';
}

test('cards had lost the names of hosts and devices to a rule of another view', async () => {
  await using it = await networkBench(networksOf(...meshOf(3, 2)));
  await it.page.locator('[data-testid=card]').first().waitFor();
  const heights = await it.page
    .locator('.card :is(.card-title, .card-sub)')
    .evaluateAll((words) => words.map((each) => each.getBoundingClientRect().height));
  assert.ok(heights.length >= 6);
  assert.deepEqual(
    heights.filter((height) => height < 15),
    [],
  );
});

test('hosts, links and rates stand in the picture, MACs in the table, and the browser has nothing to complain of', async () => {
  await using it = await networkBench(networksOf(...meshOf(3, 2)));
  const { page } = it;
  assert.equal(
    await text(page, 'network-headline'),
    '3 bridges join 3 hosts in 2 segments. 14.5 Mbit/s goes between them now.',
  );
  await page.locator('[data-testid=card]').first().waitFor();
  assert.deepEqual((await attributes(page, 'card', 'data-card')).sort(), [
    'lab/ts-host0',
    'lab/ts-host1',
    'lab/ts-host2',
  ]);
  assert.equal((await attributes(page, 'strand', 'data-link')).length, 6);
  const labels = await page.locator('[data-testid=link-label]').allTextContents();
  assert.equal(labels.length, 6);
  // Of host 0 to 1: 1000 + 0 + 1 octets·100 one way, and the same back.
  assert.ok(
    labels.some((label) => /^VNI 10000 1\.61 Mbit\/s$/.test(label)),
    labels.join('; '),
  );
  const macs = await attributes(page, 'row', 'data-mac');
  assert.equal(macs.length, 6, 'each once, where it lives');
  const row = page.locator('[data-testid=row][data-mac="02:00:00:00:01:02"]');
  assert.match((await row.textContent()) ?? '', /10001ts-host2veth11 s1/);
  assert.deepEqual(it.complaints, []);
});

test('a link, a strand in the table and a MAC lead to their flows by a filter', async () => {
  await using it = await networkBench(networksOf(...meshOf(3, 2)));
  const { page, url } = it;
  const leadsTo = async (click: () => Promise<void>, filter: string, pair: string | null): Promise<void> => {
    await click();
    await page.waitForURL((at) => at.searchParams.has('filter'));
    const query = new URL(page.url()).searchParams;
    assert.equal(query.get('filter'), filter);
    assert.equal(query.get('pair'), pair);
    assert.equal(query.get('sight'), null);
    await until(async () => (await page.locator('[data-testid=filter-fault]').count()) === 0, 'it is taken');
    await page.locator('[data-testid=left-out]').waitFor();
    await page.goBack();
    await page.locator('[data-testid=network]').waitFor();
  };
  const pair = '172.16.1.100~172.16.1.101';
  const filter = 'vni = 10001 and outer.host = 172.16.1.100 and outer.host = 172.16.1.101';
  const link = 'lab/ts-host0~lab/ts-host1';
  await leadsTo(
    () => page.locator(`[data-testid=link-label][data-link="${link}"][data-segment="vxlan:10001"] a`).click(),
    filter,
    pair,
  );
  await leadsTo(
    () =>
      page
        .locator(`[data-testid=strand][data-link="${link}"][data-segment="vxlan:10001"]`)
        .dispatchEvent('click'),
    filter,
    pair,
  );
  await page.locator('[data-testid=network-list-links]').click();
  await leadsTo(
    () => page.locator(`[data-testid=row][data-link="${link}"][data-segment="vxlan:10001"] a`).click(),
    filter,
    pair,
  );
  assert.match(page.url(), /table=links/, 'Back is where one was');
  await page.locator('[data-testid=network-list-macs]').click();
  const mac = page.locator('[data-testid=row][data-mac="02:00:00:00:01:02"] a');
  await leadsTo(() => mac.click(), 'vni = 10001 and outer.host = 172.16.1.102', null);
  await page.locator('[data-testid=card][data-card="lab/ts-host0"]').click();
  await page.waitForURL(/at=lab\/ts-host0/);
  // As host 0 sees it, this MAC is behind a peer: what goes between the two.
  await leadsTo(
    () => mac.click(),
    'vni = 10001 and outer.host = 172.16.1.100 and outer.host = 172.16.1.102',
    '172.16.1.100~172.16.1.102',
  );
  await page.keyboard.press('Escape');
  await page.waitForURL(`${url}?sight=network`);
});

test('multicast groups are one card, and a link to it leads to what is sent to them', async () => {
  await using it = await networkBench(networksOf(...multicastOf(3, 2)));
  const { page } = it;
  const groups = page.locator('[data-testid=card][data-kind=group]');
  assert.equal(await groups.textContent(), 'multicast groups239.1.1.1, 239.1.1.2');
  await page
    .locator('[data-testid=strand][data-link="groups~lab/ts-host1"][data-segment="vxlan:10001"]')
    .dispatchEvent('click');
  await page.waitForURL(
    (at) =>
      at.searchParams.get('filter') ===
      'vni = 10001 and outer.host = 239.1.1.2 and outer.host = 172.16.1.101',
  );
  await page.goBack();
  it.show(networksOf(...multicastOf(9, 8)));
  await until(async () => (await attributes(page, 'card', 'data-card')).length === 10, 'nine and the groups');
  const label = page.locator('[data-testid=link-label][data-link="groups~lab/ts-host8"] a').first();
  await label.click();
  await page.waitForURL((at) =>
    /^outer\.host in \[239\.1\.1\.1, .*, 239\.1\.1\.8\] and outer\.host in \[172\.16\.1\.108\]$/.test(
      at.searchParams.get('filter') ?? '',
    ),
  );
  await page.locator('[data-testid=left-out]').waitFor();
});

test('numbers follow what is answered, and nothing moves', async () => {
  await using it = await networkBench(networksOf(...meshOf(3, 2)));
  const { page } = it;
  await page.locator('[data-testid=card]').first().waitFor();
  const places = () =>
    page
      .locator('[data-testid=card]')
      .evaluateAll((cards) => cards.map((card) => (card as HTMLElement).style.transform));
  const paths = () =>
    page.locator('.strand-mark').evaluateAll((marks) => marks.map((mark) => mark.getAttribute('d')));
  const before = [await places(), await paths()];
  const doubled = JSON.parse(
    JSON.stringify(networksOf(...meshOf(3, 2)), (key, value) => (key === 'octetRate' ? 2 * value : value)),
  ) as VirtualNetworks;
  it.show({ ...doubled, functions: doubled.functions.reverse() });
  await until(async () => /29\.0 Mbit/.test(await text(page, 'network-headline')), 'it is twice as much');
  const labels = await page.locator('[data-testid=link-label]').allTextContents();
  assert.ok(
    labels.some((label) => /3\.22 Mbit/.test(label)),
    labels.join('; '),
  );
  assert.deepEqual([await places(), await paths()], before);
  const [bridge] = meshOf(3, 2);
  it.show(networksOf({ ...bridge!, peers: bridge!.peers.map(({ rates: _, ...peer }) => peer) }));
  await until(async () => (await attributes(page, 'card', 'data-kind')).includes('peer'), 'two are gone');
  assert.ok(
    (await page.locator('[data-testid=link-label]').allTextContents()).every((label) => label.endsWith('…')),
    'no rate is not 0',
  );
});

test('nothing is asked while nobody looks: in another view, or paused', async () => {
  await using it = await networkBench(networksOf(...meshOf(2, 1)));
  const { page } = it;
  await until(() => it.asked() >= 3, 'it is asked again');
  await page.locator('[data-testid=pause]').click();
  await until(async () => (await page.locator('.page').getAttribute('data-state')) === 'paused', 'it pauses');
  const paused = it.asked();
  await page.locator('[data-testid=sight-chord] a').click();
  await page.locator('[data-testid=chord]').waitFor();
  await page.locator('[data-testid=pause]').click();
  // Two epochs of the other view go by, each with an answer of its own.
  await it.step();
  await it.step();
  assert.ok(it.asked() <= paused + 1, 'at most the question that was under way');
  await page.locator('[data-testid=sight-network] a').click();
  await until(() => it.asked() > paused + 1, 'and again when somebody looks');
});

test('no virtual network: what that means, and the one command', async () => {
  await using it = await networkBench(networksOf());
  assert.equal(await text(it.page, 'network-headline'), 'No virtual network runs on this machine.');
  assert.match(await text(it.page, 'network-empty'), /None runs now.*tunnelscope demo bridge-mesh/);
});

test('of a table that is larger than a page can show, those behind ports and those heard of last are shown, and that is said', async () => {
  const bridge = bridgeOf(0, 2, 1);
  const entries = Array.from({ length: 900 }, (_, i) => ({
    ...bridge.entries[1]!,
    mac: `02:00:00:01:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`,
    idleMs: 1000 * i,
  }));
  const local = { ...bridge.entries[0]!, idleMs: 10_000_000 };
  await using it = await networkBench(networksOf({ ...bridge, entries: [...entries, local] }));
  const { page } = it;
  assert.equal(await text(page, 'network-list-macs'), 'MACs 500+');
  assert.match(await text(page, 'cut'), /bridge-0 has 901 addresses.*500.*\/api\/v1\/vnet has all/s);
  await page.locator('.more').click();
  const macs = await attributes(page, 'row', 'data-mac');
  assert.equal(macs.length, 500);
  assert.ok(
    macs.includes(local.mac) && macs.includes(entries[498]!.mac) && !macs.includes(entries[499]!.mac),
  );
  const all = (await (await fetch(`${it.url}api/v1/vnet`)).json()) as VirtualNetworks;
  const [whole] = all.functions;
  assert.equal(whole?.kind === 'bridge' && whole.entries.length, 901);
});

test('one that does not answer is named; an agent that does not is said, and what is shown stays', async () => {
  const answer = networksOf(...meshOf(2, 1));
  const reason = '"mute" runs but does not answer at /run/tunnelscope/vnet/mute.sock for 1 s';
  await using it = await networkBench({ ...answer, unanswered: [{ name: 'mute', reason }] });
  const { page } = it;
  assert.match(await text(page, 'unanswered'), /Not shown: "mute" runs but does not answer/);
  it.show({ ...answer, functions: [{ kind: 'unheard of' } as never] });
  await page.locator('[data-testid=network-problem]').waitFor();
  assert.match(
    await text(page, 'network-problem'),
    /No new figures: .*functions.* Those below are from \d\d:/,
  );
  assert.equal((await attributes(page, 'card', 'data-card')).length, 2);
  it.show(answer);
  await until(
    async () => (await page.locator('[data-testid=network-problem]').count()) === 0,
    'it is well again',
  );
});

test('gateway and relay list clients and cables; a client leads to its VLAN', async () => {
  await using it = await networkBench(networksOf(gatewayOf(3), relayOf(1)));
  const { page } = it;
  assert.equal(await text(page, 'network-headline'), '1 gateway and 1 relay on 2 hosts.');
  const gateway = page.locator('[data-testid=card][data-card="lab/ts-gateway"]');
  assert.match((await gateway.textContent()) ?? '', /trunk eth0.*VLAN 502:00:00:00:ff:0056\.0 kbit\/sveth1/);
  const relay = page.locator('[data-testid=card][data-card="lab/ts-pem"]');
  assert.match((await relay.textContent()) ?? '', /v07\.62 kbit\/sv1$/);
  await page.locator('[data-testid=row][data-mac="02:00:00:00:ff:00"] a').click();
  await page.waitForURL((at) => at.searchParams.get('filter') === 'vlan = 5');
  await page.locator('[data-testid=left-out]').waitFor();
  await page.goBack();
  await gateway.getByTestId('client').nth(1).click();
  await page.waitForURL((at) => at.searchParams.get('filter') === 'vlan = 6');
});

test('everything can be done by the keyboard: cards are one stop, arrows go round, Enter chooses, Escape leaves', async () => {
  await using it = await networkBench(networksOf(...meshOf(3, 2)));
  const { page } = it;
  const focused = (): Promise<string | null> =>
    page.evaluate(() => document.activeElement?.getAttribute('data-card') ?? null);
  for (let i = 0; i < 40 && (await focused()) === null; i++) await page.keyboard.press('Tab');
  assert.equal(await focused(), 'lab/ts-host0');
  await page.keyboard.press('ArrowRight');
  assert.equal(await focused(), 'lab/ts-host1');
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowRight');
  assert.equal(await focused(), 'lab/ts-host0');
  await page.keyboard.press('Tab');
  assert.equal(await focused(), null, 'one stop');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Enter');
  await page.waitForURL(/at=lab\/ts-host0/);
  assert.equal((await attributes(page, 'row', 'data-mac')).length, 6, 'all that it has learned');
  await page.keyboard.press('Escape');
  await page.waitForURL((at) => !at.searchParams.has('at'));
});

test('on a phone the tables come first and nothing sticks out', async () => {
  for (const answer of [networksOf(...meshOf(9, 8)), networksOf(...meshOf(3, 2), gatewayOf(4), relayOf(2))]) {
    await using it = await networkBench(answer, { context: PHONE });
    const { page } = it;
    await page.locator('[data-testid=graph]').waitFor();
    const { scroll, client } = await page.evaluate(() => ({
      scroll: document.documentElement.scrollWidth,
      client: document.documentElement.clientWidth,
    }));
    assert.ok(scroll <= client, `${scroll} > ${client}`);
    const top = async (testId: string): Promise<number> =>
      (await page.locator(`[data-testid=${testId}]`).boundingBox())!.y;
    assert.ok((await top('network-headline')) < (await top('table')));
    assert.ok((await top('table')) < (await top('graph')));
    const [needed, given] = await page
      .locator('.table-frame')
      .evaluate((frame) => [frame.scrollWidth, frame.clientWidth]);
    assert.ok(needed! <= given!, `the table fits: ${needed} of ${given}`);
  }
});

test('an address says all: host, table and segment are those of the link', async () => {
  await using it = await networkBench(networksOf(...meshOf(3, 2), bridgeOf(5, 6, 1)), {
    path: '?segment=vxlan:10001&sight=network&at=lab/ts-host1&table=ports',
  });
  const { page } = it;
  await page.locator('[data-testid=row][data-port]').first().waitFor();
  assert.deepEqual((await attributes(page, 'row', 'data-port')).sort(), ['veth0', 'veth1']);
  assert.equal(await page.locator('[data-card="lab/ts-host1"]').getAttribute('aria-pressed'), 'true');
  const dim = await page
    .locator('[data-testid=strand]')
    .evaluateAll((strands) =>
      strands.map((strand) => [strand.getAttribute('data-segment'), strand.classList.contains('dim')]),
    );
  assert.ok(dim.every(([segment, isDim]) => isDim === (segment !== 'vxlan:10001')));
});

const SCENES = [
  ['three hosts', networksOf(...meshOf(3, 2)), ''],
  ['nine hosts, links', networksOf(...meshOf(9, 8)), '&table=links'],
  ['all kinds, outcomes', networksOf(...meshOf(2, 1, 1), gatewayOf(3), relayOf(2)), '&table=outcomes'],
  ['nothing', networksOf(), ''],
] as const;

for (const [name, answer, more] of SCENES) {
  test(`no serious accessibility violation: ${name}, light and wide, dark and narrow`, async () => {
    for (const context of [{ colorScheme: 'light' }, { colorScheme: 'dark', ...PHONE }] as const) {
      await using it = await networkBench(answer, { path: `?sight=network${more}`, context });
      await it.page.locator('[data-testid=table]').waitFor();
      assert.deepEqual(await violations(it.page), [], String(context.colorScheme));
    }
  });
}
