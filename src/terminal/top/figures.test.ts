import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { placeColumns } from './columns.ts';
import {
  barText,
  countText,
  durationText,
  latencyFigure,
  octetFigure,
  packetFigure,
  partText,
  sizeFigure,
} from './figures.ts';
import type { ListColumn, ListRow } from './listing.ts';
import { UNITS } from './state.ts';
import { bucketed, Trends, trendText } from './trend.ts';
import { widthOf } from './width.ts';

const amount = fc.oneof(fc.double({ min: 0, max: 1e18, noNaN: true }), fc.nat(3000));

test('a quantity is as wide as any other, in all units', () => {
  fc.assert(
    fc.property(amount, fc.constantFrom(...UNITS), (octets, units) => {
      const { number, unit } = octetFigure(octets, units, 5);
      assert.equal(number.length + unit.length, 11, `${number}${unit}`);
      const packets = packetFigure(octets, units, 5);
      assert.equal(packets.number.length + packets.unit.length, 11, `${packets.number}${packets.unit}`);
      const size = sizeFigure(octets);
      assert.equal(size.number.length + size.unit.length, 8, `${size.number}${size.unit}`);
      assert.equal(countText(octets).length, 6, countText(octets));
    }),
  );
});

test('times and shares fit their columns', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 3e10, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (ms, part) => {
        assert.ok(durationText(ms).length <= 8, durationText(ms));
        assert.ok(partText(part).length <= 7, partText(part));
        assert.ok(widthOf(barText(part, 10)) <= 10);
      },
    ),
  );
  assert.equal(durationText(187_000), '3:07');
  assert.equal(durationText(8_109_000), '2:15:09');
  assert.equal(durationText(356_400_000), '4 d 3 h');
  assert.deepEqual(latencyFigure(0.812), { number: ' 812', unit: ' µs' });
  assert.deepEqual(latencyFigure(1240), { number: '1.24', unit: '  s' });
  assert.equal(barText(0.0001, 10), '▏');
  assert.equal(barText(1, 3), '███');
});

test('figures say what the quantity is', () => {
  assert.deepEqual(octetFigure(775_000_000, 'bits', 5), { number: '1.24', unit: ' Gbit/s' });
  assert.deepEqual(octetFigure(5 * 1024, 'octets', 5), { number: '1.00', unit: '  KiB/s' });
  assert.deepEqual(octetFigure(318 * 2 ** 20, 'amount', 5), { number: ' 318', unit: '    MiB' });
});

test('a trend stands still within five seconds, and remembers what was not told', () => {
  const trends = new Trends();
  trends.begin(5000);
  for (const [atMs, value] of [
    [0, 10],
    [4000, 30],
    [5000, 40],
    [16_000, 10],
  ] as const)
    trends.add('a', value, atMs);
  assert.deepEqual(trends.values('a', 19_000, 5), [undefined, 20, 40, undefined, 10]);
  assert.deepEqual(trends.values('a', 21_000, 3), [undefined, 10, undefined]);
  assert.deepEqual(trends.values('b', 0, 2), [undefined, undefined]);
  assert.equal(trendText([undefined, 20, 40, 0, 1]), ' ▄█▁▂');
  const moments = [
    [1000, 10],
    [2000, 30],
    [7000, 40],
  ].map(([atMs, value]) => ({ atMs: atMs!, value: value! }));
  assert.deepEqual(bucketed(moments, 3, 5000), [undefined, 20, 40]);
});

test('trends are bounded, by rows and by time', () => {
  const trends = new Trends();
  trends.begin(5000);
  for (let i = 0; i < 5000; i++) trends.add(`row ${i}`, 1, 0);
  assert.deepEqual(trends.values('row 0', 0, 1), [undefined]);
  assert.deepEqual(trends.values('row 4999', 0, 1), [1]);
  trends.add('row 4999', 2, 86_400_000_000);
  assert.deepEqual(trends.values('row 4999', 86_400_000_000, 3), [undefined, undefined, 2]);
});

const column = fc.record({
  kind: fc.constantFrom(
    'text' as const,
    'octets' as const,
    'trend' as const,
    'share' as const,
    'exact' as const,
  ),
  least: fc.integer({ min: 1, max: 20 }),
  more: fc.nat(30),
  rank: fc.nat(6),
});

test('columns stand beside each other within the screen, and rank 0 is never left out at 80 columns', () => {
  fc.assert(
    fc.property(
      fc.array(column, { minLength: 1, maxLength: 10 }),
      fc.integer({ min: 20, max: 220 }),
      fc.array(fc.string({ maxLength: 40 }), { maxLength: 5 }),
      (made, width, texts) => {
        const columns: ListColumn[] = made.map(({ kind, least, more, rank }, i) => ({
          id: String(i),
          title: 'TITLE',
          kind,
          least,
          most: least + more,
          rank,
        }));
        const rows: ListRow[] = texts.map((text) => ({
          key: text,
          cells: { 0: text },
          octets: 0,
          opens: undefined,
          words: text,
          facts: () => [],
        }));
        const placed = placeColumns({ columns, rows }, { from: 1, width });
        let end = -1;
        for (const { from, width: own } of placed) {
          assert.ok(from > end && own > 0, JSON.stringify(placed));
          end = from + own + 1;
        }
        assert.ok(placed.length === 0 || end - 1 <= 1 + width);
        const needed = columns.filter(({ rank }) => rank === 0);
        const least = needed.reduce((sum, each) => sum + each.least + 2, -2);
        if (least <= width)
          for (const { id } of needed)
            assert.ok(
              placed.some((each) => each.id === id),
              id,
            );
      },
    ),
  );
});
