import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LIVE, parseTimeRange, spanOf, type TimeRange, writeTimeRange } from './time-range.ts';

const moment = fc.integer({ min: 0, max: 4e12 });
const range = fc.oneof(
  fc.integer({ min: 1, max: 9_999_999 }).map((seconds): TimeRange => ({ kind: 'last', ms: 1000 * seconds })),
  fc
    .tuple(moment, fc.integer({ min: 1, max: 1e10 }))
    .map(([fromMs, length]): TimeRange => ({ kind: 'span', fromMs, toMs: fromMs + length })),
);

describe('a time range', () => {
  it('is read as it is written', () => {
    fc.assert(
      fc.property(range, (each) => {
        if (each.kind !== 'live') assert.deepEqual(parseTimeRange(writeTimeRange(each)), each);
      }),
    );
    assert.equal(writeTimeRange({ kind: 'last', ms: 3_600_000 }), '1h');
    assert.equal(
      writeTimeRange({ kind: 'span', fromMs: Date.UTC(2026, 10, 21, 10), toMs: Date.UTC(2026, 10, 21, 11) }),
      '2026-11-21T10:00:00Z/2026-11-21T11:00:00Z',
    );
  });

  it('is not what nobody would have written', () => {
    for (const text of ['', '0h', '1w', '1h/2h', '2026-11-21T10:00:00Z', '2026-11-21/2026-11-20', 'live'])
      assert.equal(parseTimeRange(text), undefined, text);
  });

  it('until now moves, a span stays', () => {
    assert.deepEqual(spanOf({ kind: 'last', ms: 1000 }, 5000), { fromMs: 4000, toMs: 5000 });
    assert.deepEqual(spanOf({ kind: 'span', fromMs: 1, toMs: 2 }, 5000), { fromMs: 1, toMs: 2 });
    assert.equal(LIVE.kind, 'live');
  });
});
