import assert from 'node:assert/strict';
import { test } from 'node:test';
import { streamedView, type ViewQuestion, ViewQuestionSchema, ViewSchema } from '../../src/query/index.ts';
import { labStreams, ScriptedSource } from '../test/source.ts';
import { parseView } from './answer.ts';
import { ageMs, backoffMs, durationWords, freshForMs } from './freshness.ts';
import { foldView } from './layout/fold.ts';
import { stripPoints } from './layout/strip.ts';
import { above, readPlace, withFilter, writePlace } from './question.ts';
import { compareSegments, paintSegments, segmentName } from './segments.ts';
import { eventReader } from './sse.ts';
import { headline, leftOutWords, pairBlocks, trust } from './words.ts';

function labView(question: Partial<ViewQuestion> = {}, options = { noisy: true }) {
  const source = new ScriptedSource(labStreams(options));
  for (let i = 0; i < 5; i++) source.step();
  return streamedView(ViewSchema.parse(source.view(ViewQuestionSchema.parse(question))));
}

test('a place survives the address bar, and defaults leave no trace', () => {
  for (const search of [
    '',
    '?window=1m&segment=vxlan:10003&host=172.16.1.100&pair=vxlan:10003/192.168.3.1~vxlan:10003/192.168.3.9',
    '?host=2001:db8::1&client=vxlan:1/fd00::2&units=rate&list=pairs',
    '?from=59',
    '?segment=none&filter=vni+10003+and+port+in+%5B22,+80-90%5D',
  ]) {
    assert.equal(writePlace(readPlace(search).place), search);
  }
});

test('what an address says wrongly is left out and named', () => {
  const { place, ignored } = readPlace(
    '?window=2h&segment=bogus&host=10.0.0.1&from=-3&units=furlong&filter=dprot+80',
  );
  assert.deepEqual(ignored, ['window=2h', 'segment=bogus', 'filter=dprot 80']);
  assert.equal(writePlace(place), '?host=10.0.0.1');
});

test('what a filter leaves out is said with what nobody can judge', () => {
  const left = (leftOut: number, unknown: number, shown: number): string =>
    leftOutWords(
      {
        text: 'tcp',
        leftOut: { octets: leftOut, packets: 1 },
        unknown: { octets: unknown, packets: 0 },
        share: 0,
      },
      shown,
    );
  assert.equal(left(0, 0, 10), '0 % of octets left out');
  assert.equal(left(1, 0, 1_000_000), '< 0.001 % of octets left out');
  assert.equal(left(999_999, 0, 1), '> 99.99 % of octets left out');
  assert.equal(left(30, 5, 70), '30 % of octets left out, 5 % for want of detail');
  assert.equal(left(0, 0, 0), '0 % of octets left out');
});

test('a filter stays on the way up, and another one begins at the largest', () => {
  const { place } = readPlace('?host=a&filter=tcp&from=3');
  assert.equal(writePlace(above({ ...place, from: 0 })!), '?filter=tcp');
  assert.equal(writePlace(withFilter(place, 'udp')), '?host=a&filter=udp');
  assert.equal(writePlace(withFilter(place, '')), '?host=a');
});

test('up leads from flows over clients to hosts', () => {
  let { place } = readPlace('?segment=none&host=a&pair=b~c&from=0');
  const way: string[] = [];
  for (let up = above(place); up; up = above(place)) {
    place = up;
    way.push(writePlace(place));
  }
  assert.deepEqual(way, ['?segment=none&host=a', '?segment=none']);
});

test('a segment keeps its colour whatever else is seen, and neighbours differ', () => {
  const few = paintSegments(['vxlan:10003', 'none']);
  const many = paintSegments([
    'none',
    'vxlan:10000',
    'vxlan:10003',
    'vxlan:10001',
    'vxlan:10002',
    'vxlan:10013',
  ]);
  assert.deepEqual(many.get('vxlan:10003'), few.get('vxlan:10003'));
  assert.equal(many.get('none')!.tone, 'tone-none');
  assert.equal(many.get('vxlan:10013')!.tone, many.get('vxlan:10003')!.tone);
  assert.deepEqual([many.get('vxlan:10003')!.pattern, many.get('vxlan:10013')!.pattern], [0, 1]);
  const ten = paintSegments(Array.from({ length: 10 }, (_, i) => `vxlan:${i}`));
  assert.equal(new Set([...ten.values()].map((paint) => paint.tone)).size, 10);
  assert.deepEqual(['vxlan:9', 'geneve:1', 'vxlan:10', 'none'].sort(compareSegments), [
    'none',
    'geneve:1',
    'vxlan:9',
    'vxlan:10',
  ]);
  assert.deepEqual(
    [segmentName('none'), segmentName('vxlan:5'), segmentName('geneve:5')],
    ['plain traffic', 'VNI 5', 'VNI 5'],
  );
});

test('the noisy client is named in words', () => {
  assert.match(
    headline(labView()),
    /^192\.168\.3\.1 \(VNI 10003, on 172\.16\.1\.100\) sends \d\d % of all octets, mostly to 192\.168\.3\.9\.$/,
  );
  assert.match(headline(labView({ segment: 'vxlan:10001' })), /all octets in VNI 10001/);
  assert.match(headline(labView({ host: '172.16.1.109' })), /^No traffic in the last/);
});

test('the tooltip says both directions, the receiver’s share and the share of all, in exact proportion', () => {
  const view = labView({ segment: 'vxlan:10003' });
  const matrix = foldView(view);
  const pair = matrix.pairs[0]!;
  const blocks = pairBlocks(pair, matrix, { total: view.total.octets, units: 'octets', windowSeconds: 5 });
  assert.equal(blocks.length, 2);
  assert.deepEqual([blocks[0]!.to, blocks[0]!.from], ['172.16.1.108', '172.16.1.100']);
  assert.deepEqual([blocks[1]!.to, blocks[1]!.from], ['172.16.1.100', '172.16.1.108']);
  // 5 × (25000 + 860) octets there; all that .108 gets in this segment.
  assert.equal(blocks[0]!.received.number, '126');
  assert.equal(blocks[0]!.received.unit, 'KiB');
  const sum = pair.forward + pair.backward;
  assert.equal(
    matrix.pairs.reduce((octets, one) => octets + one.forward + one.backward, 0),
    view.total.octets,
  );
  assert.ok(sum < view.total.octets);
});

test('a loop has one block, and a silent direction says nothing', () => {
  const arcs = foldView({
    nodes: [
      {
        id: 'a',
        address: 'a',
        segment: null,
        sent: { octets: 5, packets: 1 },
        received: { octets: 5, packets: 1 },
      },
    ],
    links: { segments: ['none'], rows: [0, 0, 0, 5] },
  });
  assert.equal(pairBlocks(arcs.pairs[0]!, arcs, { total: 5, units: 'octets', windowSeconds: 1 }).length, 1);
});

test('exactness is judged: exact, coarse, wrong', () => {
  const { exactness } = labView();
  assert.deepEqual(trust(exactness).words, 'all counted');
  const coarse = trust({ ...exactness, overflow: { octets: exactness.seen.octets / 50, packets: 1 } });
  assert.deepEqual([coarse.state, coarse.words], ['coarse', 'all counted, 2 % without detail']);
  const wrong = trust({ ...exactness, unexplained: { octets: exactness.seen.octets * 0.0002, packets: 0 } });
  assert.deepEqual([wrong.state, wrong.words], ['wrong', '0.02 % unexplained']);
  const packetOnly = trust({ ...exactness, unexplained: { octets: 0, packets: -1 } });
  assert.equal(packetOnly.state, 'wrong');
  const outside = trust({ ...exactness, outside: { points: 2, packets: 12_304, octets: 1 } });
  assert.deepEqual([outside.state, outside.words], ['wrong', '12\u202f304 packets unexplained']);
  assert.match(outside.more, /0 B unexplained by the flows, 12\u202f304 packets by the interfaces$/);
  const alone = trust({ ...exactness, outside: { points: 0, packets: 0, octets: 0 } });
  assert.match(alone.more, /no interface tells what it counted$/);
});

test('age counts from receipt, so that a wrong clock makes nothing stale', () => {
  const newest = { atMs: 5e12, intervalSeconds: 1, isRecorded: false, receivedMs: 1000, ageOnReceiptMs: 0 };
  assert.equal(ageMs(newest, 3000), 2000);
  assert.equal(freshForMs(newest, 3000), 2500);
  assert.equal(freshForMs(newest, 6000), 0);
  assert.equal(freshForMs({ ...newest, ageOnReceiptMs: 60_000 }, 1000), 0, 'it was old when it came');
  assert.equal(freshForMs({ ...newest, intervalSeconds: 10 }, 25_000), 7500);
  assert.equal(freshForMs({ ...newest, isRecorded: true }, 6000), Infinity, 'captures do not age');
  assert.deepEqual([0, 1000, 80_000, 600_000, 7.2e6, 4e8].map(durationWords), [
    '0 seconds',
    '1 second',
    '80 seconds',
    '10 minutes',
    '2 hours',
    '5 days',
  ]);
  assert.deepEqual([0, 1, 2, 9, 99].map(backoffMs), [500, 1000, 2000, 10_000, 10_000]);
});

test('events are read however the stream is cut', () => {
  const stream = ': hello\n\nid: 7\nevent: view\ndata: {"a":1}\n\nevent: view\r\ndata: x\r\ndata: y\r\n\r\n';
  for (let size = 1; size <= stream.length; size++) {
    const read = eventReader();
    const events = [];
    for (let at = 0; at < stream.length; at += size) events.push(...read(stream.slice(at, at + size)));
    assert.deepEqual(
      events,
      [
        { event: 'view', text: '{"a":1}', id: '7' },
        { event: 'view', text: 'x\ny', id: '7' },
      ],
      `pieces of ${size}`,
    );
  }
});

test('an answer is taken as it was sent, and a hostile one is refused with the place of the fault', () => {
  const view = labView();
  assert.deepEqual(parseView(JSON.stringify(view)), view);
  const { nodes, links } = view;
  const refused = (change: object, message: RegExp): void =>
    assert.throws(() => parseView(JSON.stringify({ ...view, ...change })), message);
  refused({ nodes: {} }, /nodes: is no list/);
  refused({ nodes: [nodes[0], null] }, /nodes\.1: /);
  for (const [field, bad] of Object.entries({
    id: '',
    address: 1,
    segment: undefined,
    sent: { octets: 1 },
    received: null,
  })) {
    refused({ nodes: [nodes[0], { ...nodes[1], [field]: bad }] }, new RegExp(`nodes\\.1\\.${field}: `));
  }
  for (const field of ['atMs', 'octetRate', 'packetRate']) {
    refused({ history: [{ ...view.history[0], [field]: '1' }] }, new RegExp(`history\\.0\\.${field}: `));
  }
  refused({ total: { octets: 1 } }, /total\.packets: /);
  refused({ links: undefined }, /^Error: links/);
  refused({ links: [] }, /links: has no segments/);
  refused({ links: { segments: [1], rows: [] } }, /links: has no segments/);
  refused({ links: { segments: [], rows: {} } }, /links: has no whole rows/);
  refused({ links: { ...links, rows: [0, 0, 0] } }, /links: has no whole rows/);
  for (const bad of ['0', null, -1, 0.5, nodes.length, [0], {}]) {
    for (const place of [0, 1]) {
      const rows: unknown[] = [...links.rows];
      rows[place + 4] = bad;
      refused({ links: { ...links, rows } }, /links: has something that is no link in row 1/);
    }
  }
  refused({ links: { ...links, rows: [0, 0, links.segments.length, 1] } }, /no link in row 0/);
  refused({ links: { ...links, rows: [0, 0, 0, -1] } }, /no link in row 0/);
  refused({ nodes: 'many' }, /nodes/);
  assert.throws(() => parseView('{'), /is no JSON/);
  assert.throws(
    () => parseView(JSON.stringify(view).replace(/"rows":\[\d+,\d+,\d+,\d+/, '"rows":[0,0,0,1e999')),
    /row 0/,
  );
});

test('the strip ends now and marks the window', () => {
  const view = labView();
  const strip = stripPoints(view, { width: 300, height: 40 });
  assert.equal(strip.points.at(-1)![0], 300);
  assert.ok(Math.abs(strip.windowX - 295) < 1e-9, 'five of three hundred seconds');
  assert.equal(
    stripPoints({ ...view, question: { ...view.question, window: 'all' } }, { width: 300, height: 40 })
      .windowX,
    0,
  );
  assert.equal(strip.spanWords, '5 min');
  assert.deepEqual(strip.edgeWords, ['5 min ago', 'now']);
});

test('of a capture the strip says its own times, for it ends long ago', () => {
  const view = { ...labView(), isRecorded: true, atMs: Date.UTC(2023, 10, 14, 0, 2, 3) };
  const { edgeWords } = stripPoints(view, { width: 300, height: 40 });
  assert.deepEqual(edgeWords, ['2023-11-13 23:57:03', '00:02:03 UTC']);
});
