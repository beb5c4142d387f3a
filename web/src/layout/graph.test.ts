import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VirtualNetwork } from '../../../src/query/index.ts';
import { gatewayOf, meshOf, multicastOf, relayOf } from '../../../src/query/vnet.fixture.ts';
import { networkGraph } from '../network.ts';
import type { Box, Size } from './box.ts';
import { pointAt } from './curve.ts';
import { type GraphLayout, layoutGraph } from './graph.ts';

const WIDE: Size = { width: 702, height: 640 };
const PHONE: Size = { width: 358, height: 420 };

const NETWORKS: readonly (readonly [string, VirtualNetwork[]])[] = [
  ['one host and one peer in one segment', meshOf(2, 1, 1)],
  ['two hosts', meshOf(2, 2)],
  ['three hosts in two segments', meshOf(3, 2)],
  ['one host and two peers elsewhere', meshOf(3, 2, 1)],
  ['nine hosts in eight segments', meshOf(9, 8)],
  ['one host and eight peers elsewhere', meshOf(9, 8, 1)],
  ['three hosts and multicast groups', multicastOf(3, 2)],
  ['nine hosts and multicast groups', multicastOf(9, 8)],
  ['twenty hosts', meshOf(20, 2)],
  ['a gateway', [gatewayOf(3)]],
  ['a large gateway beside bridges and a relay', [...meshOf(3, 2), gatewayOf(40), relayOf(4)]],
];

const layoutOf = (functions: readonly VirtualNetwork[], room: Size): GraphLayout =>
  layoutGraph(networkGraph({ functions: [...functions] }), room);

function labelsOf({ links }: GraphLayout): Box[] {
  return links.flatMap(({ label, strands }) =>
    [label, ...strands.map((strand) => strand.label)].filter((box) => box !== undefined),
  );
}

function overlap(x: Box, y: Box): boolean {
  return x.x < y.x + y.width && y.x < x.x + x.width && x.y < y.y + y.height && y.y < x.y + x.height;
}

for (const [name, functions] of NETWORKS) {
  for (const [place, room] of [
    ['wide', WIDE],
    ['narrow', PHONE],
  ] as const) {
    test(`no card or word hides another, and all is in the picture: ${name}, ${place}`, () => {
      const graph = networkGraph({ functions });
      const layout = layoutGraph(graph, room);
      assert.deepEqual([...layout.cards.keys()].sort(), graph.cards.map(({ id }) => id).sort());
      assert.equal(layout.links.length, graph.links.length);
      const boxes = [...layout.cards.values(), ...labelsOf(layout)];
      for (const [i, box] of boxes.entries()) {
        assert.ok(
          box.x >= 0 &&
            box.y >= 0 &&
            box.x + box.width <= layout.width &&
            box.y + box.height <= layout.height,
          `${JSON.stringify(box)} is outside ${layout.width} × ${layout.height}`,
        );
        for (const other of boxes.slice(0, i))
          assert.ok(!overlap(box, other), `${JSON.stringify(box)} ${JSON.stringify(other)}`);
      }
    });
  }
}

test('a strand begins and ends at the borders of its cards', () => {
  const layout = layoutOf(meshOf(9, 8), WIDE);
  const near = (value: number, low: number, high: number): boolean => value >= low - 3 && value <= high + 3;
  const isAtBorder = ({ x, y }: { x: number; y: number }, box: Box): boolean =>
    near(x, box.x, box.x + box.width) &&
    near(y, box.y, box.y + box.height) &&
    !(x > box.x + 3 && x < box.x + box.width - 3 && y > box.y + 3 && y < box.y + box.height - 3);
  for (const { id, strands } of layout.links) {
    const [a = '', b = ''] = id.split('~');
    assert.equal(strands.length, 8);
    for (const { curve } of strands) {
      assert.ok(isAtBorder(pointAt(curve, 0), layout.cards.get(a)!), `${id} begins at its card`);
      assert.ok(isAtBorder(pointAt(curve, 1), layout.cards.get(b)!), `${id} ends at its card`);
    }
  }
});

test('few links say each segment’s rate, many say all together, and nearly all have room for it', () => {
  const small = layoutOf(meshOf(3, 2), WIDE);
  assert.equal(small.detail, 'lines');
  assert.equal(labelsOf(small).length, 6, 'three links of two strands');
  const large = layoutOf(meshOf(9, 8), WIDE);
  assert.equal(large.links.length, 36);
  assert.ok(large.links.every(({ strands }) => strands.every(({ label }) => label === undefined)));
  assert.ok(labelsOf(large).length >= 30, `${labelsOf(large).length} of 36`);
  const one = layoutOf(meshOf(2, 1, 1), WIDE);
  assert.equal(labelsOf(one).length, 1);
});

test('the same network gives the same picture, in whatever order it is told and whatever goes through it', () => {
  for (const [, functions] of NETWORKS) {
    const moved = JSON.parse(
      JSON.stringify(functions, (key, value) =>
        key === 'octetRate' || key === 'octets' || key === 'idleMs' ? 7 * value + 1 : value,
      ),
    ) as VirtualNetwork[];
    const turned = moved
      .reverse()
      .map((each) =>
        each.kind === 'bridge'
          ? { ...each, peers: each.peers.toReversed(), entries: each.entries.toReversed() }
          : each,
      );
    const [first, second] = [layoutOf(functions, WIDE), layoutOf(turned, WIDE)];
    assert.deepEqual([...second.cards].sort(), [...first.cards].sort());
    assert.deepEqual(second.links, first.links);
  }
});

test('a host that is described stands amid those that are not', () => {
  const { cards } = layoutOf(meshOf(9, 2, 1), WIDE);
  const hub = cards.get('lab/ts-host0')!;
  assert.ok(Math.abs(hub.x + hub.width / 2 - WIDE.width / 2) <= 1);
  assert.equal(cards.size, 9);
});
