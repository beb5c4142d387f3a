import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { layoutSeries, rateIn, type SeriesTable, stacked, summarize, tableOfRates } from './series.ts';

const COLUMNS: SeriesTable['columns'] = [
  { name: 'time', kind: 'time' },
  { name: 'segment', kind: 'text' },
  { name: 'octets', kind: 'octets' },
  { name: 'packets', kind: 'packets' },
];

function series(rows: SeriesTable['rows'], more: Partial<SeriesTable> = {}): SeriesTable {
  return {
    columns: COLUMNS,
    rows,
    covered: { fromMs: 10_000, toMs: 50_000, level: 'raw' },
    gaps: [],
    stepMs: 10_000,
    ...more,
  };
}

describe('the layout of a series', () => {
  it('has every step, nothing where nothing was sent, and the largest first, others last', () => {
    const { steps, lines } = layoutSeries(
      series([
        [10_000, 'none', 100, 1],
        [30_000, 'vxlan:5', 700, 1],
        [30_000, 'other', 900, 1],
      ]),
    );
    assert.deepEqual(
      steps.map(({ fromMs }) => fromMs),
      [10_000, 20_000, 30_000, 40_000],
    );
    assert.deepEqual(
      lines.map(({ id, octets }) => [id, octets]),
      [
        ['vxlan:5', [0, 0, 700, 0]],
        ['none', [100, 0, 0, 0]],
        ['other', [0, 0, 900, 0]],
      ],
    );
  });

  it('divides by what was metered, and has no rate where nobody did', () => {
    const layout = layoutSeries(
      series(
        [
          [10_000, 'none', 100, 1],
          [20_000, 'none', 100, 1],
          [40_000, 'none', 100, 1],
        ],
        {
          covered: { fromMs: 15_000, toMs: 45_000, level: 'raw' },
          gaps: [{ fromMs: 28_000, toMs: 40_000 }],
        },
      ),
    );
    const rates = layout.steps.map((_, step) => rateIn(layout.lines[0]!, layout, step));
    assert.deepEqual(rates, [20, 12.5, null, 20]);
    assert.deepEqual(stacked(layout), [rates]);
    assert.deepEqual(summarize(layout), {
      mean: 300 / 18,
      most: 20,
      mostAtMs: 10_000,
      meteredMs: 18_000,
      unmeteredMs: 22_000,
    });
  });

  it('keeps every octet of the answer, and the stack ends at all of them', () => {
    const row = fc.tuple(
      fc.integer({ min: 1, max: 4 }).map((step) => 10_000 * step),
      fc.constantFrom('none', 'vxlan:1', 'vxlan:2', 'other'),
      fc.integer({ min: 0, max: 1e9 }),
      fc.constant(1),
    );
    fc.assert(
      fc.property(fc.array(row), (rows) => {
        const layout = layoutSeries(series(rows));
        const whole = rows.reduce((sum, [, , octets]) => sum + octets, 0);
        assert.equal(
          layout.lines.reduce((sum, { total }) => sum + total, 0),
          whole,
        );
        const top = stacked(layout).at(-1) ?? [];
        const drawn = top.reduce<number>((sum, rate) => sum + 10 * (rate ?? 0), 0);
        assert.ok(Math.abs(drawn - whole) < 1e-6 * (1 + whole), `${drawn} of ${whole}`);
      }),
    );
  });

  it('of rates of epochs has each as long as it took', () => {
    const table = tableOfRates(
      [
        { atMs: 1000, octetRate: 8 },
        { atMs: 2500, octetRate: 4 },
        { atMs: 3000, octetRate: 0 },
      ],
      1,
    );
    const layout = layoutSeries(table);
    assert.deepEqual(
      layout.steps.map(({ fromMs, toMs, seconds }) => [fromMs, toMs, seconds]),
      [
        [0, 1000, 1],
        [1000, 2500, 1.5],
        [2500, 3000, 0.5],
      ],
    );
    assert.deepEqual(
      layout.steps.map((_, step) => rateIn(layout.lines[0]!, layout, step)),
      [8, 4, 0],
    );
    assert.deepEqual(layoutSeries(tableOfRates([], 1)), { steps: [], lines: [] });
  });
});
