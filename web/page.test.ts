import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import type { View } from '../src/query/index.ts';
import { until } from '../test/until.ts';
import { attributes, bench, epoch, launch, numbersBy } from './test/browser.ts';
import { crowdStreams, labStreams, type Stream } from './test/source.ts';

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** Octets per node and per pair, straight from the API's answer. */
function expected(view: View): {
  nodes: Record<string, number>;
  sent: Record<string, number>;
  pairs: Record<string, number>;
} {
  const pairs: Record<string, number> = {};
  for (const link of view.links) {
    const id = [view.nodes[link.source]!.id, view.nodes[link.target]!.id].sort().join('~');
    pairs[id] = (pairs[id] ?? 0) + link.octets;
  }
  const nodes = Object.fromEntries(
    view.nodes.map((node) => [node.id, node.sent.octets + node.received.octets]),
  );
  const sent = Object.fromEntries(view.nodes.map((node) => [node.id, node.sent.octets]));
  return { nodes, sent, pairs };
}

test('picture and table show exactly the numbers of the API, and the browser has nothing to complain of', async () => {
  await using it = await bench(browser);
  const view = await it.api();
  const { nodes, sent, pairs } = expected(view);
  assert.deepEqual(await numbersBy(it.page, 'arc', 'data-node-id', 'data-octets'), nodes);
  assert.deepEqual(await numbersBy(it.page, 'arc', 'data-node-id', 'data-sent'), sent);
  assert.deepEqual(await numbersBy(it.page, 'ribbon', 'data-pair', 'data-octets'), pairs);
  assert.deepEqual(await numbersBy(it.page, 'row', 'data-node-id', 'data-octets'), nodes);
  await it.page.locator('[data-testid=list-pairs]').click();
  await it.page.locator('[data-testid=row][data-pair]').first().waitFor();
  assert.deepEqual(await numbersBy(it.page, 'row', 'data-pair', 'data-octets'), pairs);
  const centre = it.page.locator('[data-testid=centre]');
  assert.equal(Number(await centre.getAttribute('data-octets')), view.total.octets);
  assert.match((await centre.textContent()) ?? '', /all counted/);
  assert.deepEqual(it.complaints, []);
});

test('the length of an arc on the screen is its share of all octets', async () => {
  await using it = await bench(browser);
  const view = await it.api();
  const host = view.nodes.find((node) => node.id === '172.16.1.100')!;
  const mark = it.page.locator('[data-arc="172.16.1.100"]');
  const sweep = await mark.evaluate((path) => {
    const outline = path as SVGPathElement;
    return outline.getTotalLength();
  });
  const ring = await it.page
    .locator('[data-arc]')
    .evaluateAll((paths) =>
      paths.reduce((sum, path) => sum + (path as SVGPathElement).getTotalLength() - 26, 0),
    );
  const share = host.sent.octets / view.total.octets;
  assert.ok(Math.abs((sweep - 26) / ring - share) < 0.01, `${(sweep - 26) / ring} is not ${share}`);
});

test('the noisy client is named in words', async () => {
  await using it = await bench(browser);
  assert.match(
    (await it.page.locator('[data-testid=headline]').textContent()) ?? '',
    /^192\.168\.3\.1 \(VNI 10003, on 172\.16\.1\.100\) sends \d\d % of all octets, mostly to 192\.168\.3\.9\.$/,
  );
});

test('a click on an arc opens its clients, a click on a ribbon its flows, and the breadcrumb leads back', async () => {
  await using it = await bench(browser);
  const { page } = it;
  await page.locator('[data-testid=row][data-node-id="172.16.1.100"]').click();
  await page.waitForURL('**/?host=172.16.1.100');
  await page.locator('[data-testid=arc][data-node-id="vxlan:10003/192.168.3.1"]').waitFor();
  assert.deepEqual(
    await numbersBy(page, 'arc', 'data-node-id', 'data-octets'),
    expected(await it.api('host=172.16.1.100')).nodes,
  );
  const pair = 'vxlan:10003/192.168.3.1~vxlan:10003/192.168.3.9';
  await page.locator(`[data-testid=ribbon][data-pair="${pair}"]`).dispatchEvent('click');
  await page.waitForURL(`**/?host=172.16.1.100&pair=${pair}`);
  await page.locator('[data-testid=row][data-flow]').first().waitFor();
  const flows = (await it.api(`host=172.16.1.100&pair=${pair}`)).flows;
  assert.deepEqual(
    (await attributes(page, 'row', 'data-octets')).map(Number),
    flows.map((flow) => flow.octets),
  );
  assert.ok(flows.length >= 3);
  await page.locator('[data-testid=breadcrumb] a', { hasText: '172.16.1.100' }).click();
  await page.waitForURL('**/?host=172.16.1.100');
  await page.locator('[data-testid=breadcrumb] a', { hasText: 'All hosts' }).click();
  await page.waitForURL(it.url);
  await page.locator('[data-testid=arc][data-node-id="172.16.1.108"]').waitFor();
});

test('the picture keeps to its side when the flows need more room', async () => {
  await using it = await bench(browser);
  const { page } = it;
  const edges = (selector: string): Promise<{ left: number; right: number }> =>
    page.locator(selector).evaluate((element) => element.getBoundingClientRect());
  await page.locator('[data-testid=ribbon]').first().dispatchEvent('click');
  await page.locator('[data-testid=row][data-flow]').first().waitFor();
  await until(
    async () => (await edges('svg.chord')).right <= (await edges('.side')).left,
    'the ring stands beside the table',
    3000,
  );
  assert.ok((await edges('.strip svg')).right <= (await edges('.side')).left, 'and so does the strip');
});

for (const what of ['arc-mark', 'label'] as const) {
  test(`the ${what} itself takes the click`, async () => {
    await using it = await bench(browser);
    const box = await it.page
      .locator(`[data-testid=arc][data-node-id="172.16.1.108"] .${what}`)
      .evaluate((element) => {
        const shape = element instanceof SVGPathElement ? element : element.querySelector('text')!;
        if (shape instanceof SVGPathElement) {
          const point = shape
            .getPointAtLength(shape.getTotalLength() / 4)
            .matrixTransform(shape.getScreenCTM()!);
          return { x: point.x, y: point.y };
        }
        const { x, y, width, height } = shape.getBoundingClientRect();
        return { x: x + width / 2, y: y + height / 2 };
      });
    await it.page.mouse.click(box.x, box.y);
    await it.page.waitForURL('**/?host=172.16.1.108');
  });
}

test('the address is the state: reload, Back, Forward and a link from a colleague give the same picture', async () => {
  const path = '?window=1m&segment=vxlan:10003&host=172.16.1.100';
  await using it = await bench(browser, { path });
  const { page } = it;
  await page.locator('[data-testid=arc]').first().waitFor();
  const nodes = expected(await it.api(path.slice(1))).nodes;
  assert.deepEqual(await numbersBy(page, 'arc', 'data-node-id', 'data-octets'), nodes);
  assert.ok(await page.locator('[data-testid=window-1m] input').isChecked());
  await page.locator('[data-testid=segment][data-segment-id=all]').click();
  await page.waitForURL('**/?window=1m&host=172.16.1.100');
  await page.goBack();
  await page.waitForURL(`**/${path}`);
  await until(
    async () => (await attributes(page, 'arc', 'data-node-id')).length === Object.keys(nodes).length,
    'back',
  );
  await page.goForward();
  await page.waitForURL('**/?window=1m&host=172.16.1.100');
  await page.reload();
  await page.locator('[data-testid=arc]').first().waitFor();
  assert.deepEqual(
    await numbersBy(page, 'arc', 'data-node-id', 'data-octets'),
    expected(await it.api('window=1m&host=172.16.1.100')).nodes,
  );
});

test('Escape goes one level up each time', async () => {
  await using it = await bench(browser, {
    path: '?host=172.16.1.100&pair=none/172.16.1.1~none/172.16.1.100',
  });
  await it.page.locator('[data-testid=row][data-flow]').first().waitFor();
  await it.page.keyboard.press('Escape');
  await it.page.waitForURL('**/?host=172.16.1.100');
  await it.page.keyboard.press('Escape');
  await it.page.waitForURL(it.url);
});

test('one segment is chosen, goes idle, and stays chosen and listed while updates go on', async () => {
  await using it = await bench(browser);
  const { page, source } = it;
  const option = page.locator('[data-testid=segment][data-segment-id="vxlan:10001"]');
  await option.click();
  await page.waitForURL('**/?segment=vxlan:10001');
  const nodes = expected(await it.api('segment=vxlan:10001')).nodes;
  await until(
    async () => (await attributes(page, 'arc', 'data-node-id')).length === Object.keys(nodes).length,
    'the segment alone is drawn',
  );
  assert.deepEqual(await numbersBy(page, 'arc', 'data-node-id', 'data-octets'), nodes);
  source.streams = labStreams().filter((stream) => stream.segment !== 'vxlan:10001');
  for (let i = 0; i < 6; i++) await it.step();
  await page.locator('[data-testid=empty]').waitFor();
  assert.equal(await option.getAttribute('data-idle'), 'true');
  assert.match((await option.textContent()) ?? '', /idle/);
  assert.ok(await option.locator('input').isChecked());
  assert.match((await page.locator('[data-testid=empty]').textContent()) ?? '', /VNI 10001 is idle/);
  source.streams = labStreams();
  await it.step();
  await page.locator('[data-testid=arc]').first().waitFor();
  assert.equal(await option.getAttribute('data-idle'), 'false');
  assert.deepEqual(it.complaints, []);
});

test('a segment that is new is listed without anything being touched', async () => {
  await using it = await bench(browser, {
    streams: labStreams().filter((stream) => stream.segment === 'none'),
  });
  assert.deepEqual(await attributes(it.page, 'segment', 'data-segment-id'), ['all', 'none']);
  it.source.streams = labStreams();
  await it.step();
  assert.deepEqual(await attributes(it.page, 'segment', 'data-segment-id'), [
    'all',
    'none',
    'vxlan:10000',
    'vxlan:10001',
    'vxlan:10002',
    'vxlan:10003',
  ]);
});

test('two tenants with the same addresses stay two pairs of clients', async () => {
  const outer = ['172.16.1.1', '172.16.1.2'] as const;
  const inner = ['10.0.0.1', '10.0.0.2'] as const;
  const streams = [7, 8].map((vni) => ({
    segment: `vxlan:${vni}`,
    outer,
    inner,
    octets: vni * 100,
    packets: 1,
  }));
  await using it = await bench(browser, { streams, path: '?host=172.16.1.1' });
  await it.page.locator('[data-testid=arc]').first().waitFor();
  assert.deepEqual((await attributes(it.page, 'arc', 'data-node-id')).sort(), [
    'vxlan:7/10.0.0.1',
    'vxlan:7/10.0.0.2',
    'vxlan:8/10.0.0.1',
    'vxlan:8/10.0.0.2',
  ]);
});

test('the tooltip gives both directions rightly, whichever end has the smaller address', async () => {
  for (const [from, to] of [
    ['10.0.0.1', '10.0.0.9'],
    ['10.0.0.9', '10.0.0.1'],
  ] as const) {
    const way = { segment: 'none', outer: null, packets: 1 };
    const streams = [
      { ...way, inner: [from, to] as const, octets: 3 * 1024 },
      { ...way, inner: [to, from] as const, octets: 1024 },
    ];
    await using it = await bench(browser, { streams, epochs: 1 });
    await it.page.locator('[data-testid=ribbon]').dispatchEvent('pointerover');
    const blocks = it.page.locator('[data-testid=tooltip-block]');
    await blocks.first().waitFor();
    const [first = '', second = ''] = await blocks.allTextContents();
    assert.ok(first.startsWith(`${to} received from ${from}: 3.00 KiB`), first);
    assert.ok(
      first.includes(`100 % of ${to}’s received total (3.00 KiB)`) &&
        first.includes('75 % of all of 4.00 KiB'),
      first,
    );
    assert.ok(second.startsWith(`${from} received from ${to}: 1.00 KiB`), second);
    assert.ok(second.includes('25 % of all of 4.00 KiB'), second);
  }
});

test('picture and table light each other up', async () => {
  await using it = await bench(browser);
  await it.page.locator('[data-testid=row][data-node-id="172.16.1.103"]').hover();
  await it.page.locator('svg.has-lit').waitFor();
  assert.equal(
    await it.page.locator('[data-testid=ribbon] .band:not(.dim)').count(),
    2,
    'its one ribbon, two segments',
  );
  await it.page.locator('[data-testid=arc][data-node-id="172.16.1.107"]').dispatchEvent('pointerover');
  await it.page.locator('tr.lit[data-node-id="172.16.1.107"]').waitFor();
});

test('the table sorts by each column, both ways, and says so', async () => {
  await using it = await bench(browser);
  const { page } = it;
  const received = page.locator('th', { hasText: 'Received' });
  await received.locator('button').click();
  assert.equal(await received.getAttribute('aria-sort'), 'descending');
  const values = (await attributes(page, 'row', 'data-received')).map(Number);
  assert.deepEqual(
    values,
    [...values].sort((x, y) => y - x),
  );
  await received.locator('button').click();
  assert.equal(await received.getAttribute('aria-sort'), 'ascending');
  assert.deepEqual((await attributes(page, 'row', 'data-received')).map(Number), values.toReversed());
  await page.locator('th', { hasText: 'Host' }).locator('button').click();
  assert.equal(
    (await attributes(page, 'row', 'data-node-id'))[0],
    '172.16.1.1',
    'addresses by their numbers',
  );
});

test('a row that is overtaken takes the focus along, and one that goes lets go of it', async () => {
  await using it = await bench(browser);
  const { page, source } = it;
  const rowOf = (id: string) => page.locator(`[data-testid=row][data-node-id="${id}"]`);
  const [first = '', second = ''] = await attributes(page, 'row', 'data-node-id');
  await rowOf(first).locator('a').focus();
  const { streams } = source;
  const sends = (stream: Stream, id: string): boolean => (stream.outer ?? stream.inner)[0] === id;
  source.streams = streams.map((stream) =>
    sends(stream, second) ? { ...stream, octets: 1000 * stream.octets } : stream,
  );
  await it.step();
  assert.deepEqual((await attributes(page, 'row', 'data-node-id')).slice(0, 2), [second, first]);
  assert.ok(
    await rowOf(first)
      .locator('a')
      .evaluate((link) => link === document.activeElement),
  );
  source.streams = streams.filter((stream) => !(stream.outer ?? stream.inner).includes(first));
  for (let i = 0; i < 5; i++) await it.step();
  assert.equal(await rowOf(first).count(), 0);
  assert.ok(await page.evaluate(() => document.activeElement === document.body));
});

test('a click on a row that another one took under the pointer opens nothing', async () => {
  await using it = await bench(browser);
  const { page, source } = it;
  const [, second = ''] = await attributes(page, 'row', 'data-node-id');
  await page.locator('[data-testid=row]').first().locator('a').hover();
  await page.mouse.down();
  source.streams = source.streams.map((stream) =>
    (stream.outer ?? stream.inner)[0] === second ? { ...stream, octets: 1000 * stream.octets } : stream,
  );
  await it.step();
  assert.equal((await attributes(page, 'row', 'data-node-id'))[0], second);
  await page.mouse.up();
  assert.equal(page.url(), it.url);
  await page.locator('[data-testid=row]').first().locator('a').click();
  await page.waitForURL(`**/?host=${second}`);
});

test('units switch between octets and bits per second', async () => {
  await using it = await bench(browser);
  const total = (await it.api()).total.octets;
  await it.page.locator('[data-testid=units-rate]').click();
  await it.page.waitForURL('**/?units=rate');
  const words = (await it.page.locator('[data-testid=centre]').textContent()) ?? '';
  assert.ok(words.startsWith(`${((total * 8) / 5 / 1000).toFixed(0)} kbit/s`), words);
});

test('paused, the picture holds and says since when; resumed, it shows the newest', async () => {
  await using it = await bench(browser);
  const { page } = it;
  await page.keyboard.press('p');
  await page.locator('[data-testid=connection][data-state=paused]').waitFor();
  assert.match(
    (await page.locator('[data-testid=connection]').textContent()) ?? '',
    /paused since \d\d:\d\d:\d\d/,
  );
  const held = await epoch(page);
  for (let i = 0; i < 3; i++) it.source.step();
  await page.locator('[data-testid=segment][data-segment-id="vxlan:10003"]').click();
  await until(
    async () => (await attributes(page, 'arc', 'data-node-id')).length === 3,
    'a new question is answered even so',
  );
  const second = await epoch(page);
  assert.equal(second, held + 3);
  it.source.step();
  await page.locator('[data-testid=pause]').click();
  await page.locator('[data-testid=connection][data-state=open]').waitFor();
  await until(async () => (await epoch(page)) === second + 1, 'the newest is shown');
  await page.locator('body').click({ position: { x: 700, y: 895 } });
  await page.keyboard.press(' ');
  await page.locator('[data-testid=connection][data-state=paused]').waitFor();
});

test('of 200 hosts and 5000 pairs sixty arcs are drawn, no octet is lost, and the others open', async () => {
  await using it = await bench(browser, { streams: crowdStreams(200, 5000), epochs: 1 });
  const { page } = it;
  const view = await it.api();
  const arcs = await numbersBy(page, 'arc', 'data-node-id', 'data-sent');
  assert.equal(Object.keys(arcs).length, 60);
  assert.equal(
    Object.values(arcs).reduce((sum, octets) => sum + octets, 0),
    view.total.octets,
  );
  const others = page.locator('[data-testid=arc][data-node-id="(others)"]');
  assert.match(
    (await others.getAttribute('aria-label')) ?? '',
    new RegExp(`^${view.nodes.length - 59} others .*sent`),
  );
  await others.focus();
  await page.keyboard.press('Enter');
  await page.waitForURL('**/?from=59');
  await page.locator('[data-testid=arc][data-node-id="(larger)"]').waitFor();
  const shown = await page.locator('[data-label]').evaluateAll((labels) => {
    const boxes = labels.filter((label) => !label.classList.contains('unplaced')).length;
    return boxes;
  });
  assert.equal(shown, 60, 'all have room for their label');
  await page.keyboard.press('Escape');
  await page.waitForURL(it.url);
});

test('an update of 200 hosts and 5000 pairs takes less than a frame or two of scripting', async (t) => {
  await using it = await bench(browser, { streams: crowdStreams(200, 5000), epochs: 1 });
  const session = await it.page.context().newCDPSession(it.page);
  await session.send('Performance.enable');
  const scripting = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find((metric) => metric.name === 'ScriptDuration')!.value * 1000;
  };
  const streams = it.source.streams;
  const turn = async (i: number): Promise<void> => {
    it.source.streams = streams.map((stream, n) => ({
      ...stream,
      octets: stream.octets + ((n * 7 + i * 13) % 50),
    }));
    await it.step();
  };
  for (let i = 0; i < 5; i++) await turn(i);
  const start = await scripting();
  const rounds = 10;
  for (let i = 0; i < rounds; i++) await turn(i);
  const each = (await scripting()) - start;
  t.diagnostic(`${(each / rounds).toFixed(1)} ms of scripting per update`);
  assert.ok(each / rounds < 100, `${each / rounds} ms per update`);
});

test('the page weighs little', async () => {
  await using it = await bench(browser);
  const html = await (await fetch(it.url)).text();
  let octets = html.length;
  for (const [, path] of html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)) {
    const reply = await fetch(`${it.url}${path}`, { headers: { 'accept-encoding': 'gzip' } });
    assert.equal(reply.headers.get('content-encoding'), 'gzip');
    octets += Number(reply.headers.get('content-length') ?? (await reply.arrayBuffer()).byteLength);
  }
  assert.ok(octets < 250 * 1024, `${octets} octets compressed`);
});
