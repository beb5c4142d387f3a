import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  LIVE,
  localInput,
  parseTimeRange,
  readSpan,
  spanOf,
  stepped,
  type TimeRange,
  writeTimeRange,
  zoomedOut,
} from './time-range.ts';

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

  it('goes back and forth by its own length, and ends now at last', () => {
    const now = 100_000;
    const before = stepped({ kind: 'last', ms: 10_000 }, -1, now);
    assert.deepEqual(before, { kind: 'span', fromMs: 80_000, toMs: 90_000 });
    assert.deepEqual(stepped(before, -1, now), { kind: 'span', fromMs: 70_000, toMs: 80_000 });
    assert.deepEqual(stepped(before, 1, now), { kind: 'last', ms: 10_000 });
    const first = { kind: 'span', fromMs: 3000, toMs: 8000 } as const;
    assert.deepEqual(stepped(first, -1, now), { kind: 'span', fromMs: 0, toMs: 5000 });
  });

  it('becomes twice as long, not beyond now', () => {
    assert.deepEqual(zoomedOut({ kind: 'last', ms: 900_000 }, 0), { kind: 'last', ms: 1_800_000 });
    const span = { kind: 'span', fromMs: 40_000, toMs: 50_000 } as const;
    assert.deepEqual(zoomedOut(span, 100_000), { kind: 'span', fromMs: 35_000, toMs: 55_000 });
    assert.deepEqual(zoomedOut(span, 52_000), { kind: 'span', fromMs: 32_000, toMs: 52_000 });
    fc.assert(
      fc.property(range, fc.integer({ min: 0, max: 4e12 }), (each, now) => {
        if (each.kind === 'live') return;
        const read = parseTimeRange(writeTimeRange(zoomedOut(each, now)));
        assert.ok(read, 'can stand in the address');
      }),
    );
  });

  it('is read from the controls of a browser as it is written there, and faults are named', () => {
    fc.assert(
      fc.property(moment, fc.integer({ min: 1, max: 1e6 }), (fromMs, seconds) => {
        const from = 1000 * Math.floor(fromMs / 1000);
        const span = { kind: 'span', fromMs: from, toMs: from + 1000 * seconds } as const;
        const words = { from: localInput(span.fromMs), to: localInput(span.toMs) };
        // An hour that a clock has twice is the first of them, or its end is not after its begin.
        const read = readSpan(words, 1e13);
        if (isWinterTimeBegin(span)) return;
        assert.deepEqual(read, span);
      }),
    );
    const fault = (from: string, to: string) => {
      const read = readSpan({ from, to }, Date.parse('2026-11-21T12:00:00'));
      return 'fault' in read ? read.fault : undefined;
    };
    assert.equal(fault('', '2026-11-21T10:00'), 'From is no date with a time.');
    assert.equal(fault('2026-11-21T10:00', ''), 'To is no date with a time.');
    assert.equal(fault('2026-11-21T10:00', '2026-11-21T10:00'), 'To is not after from.');
    assert.equal(fault('2026-11-22T10:00', '2026-11-23T10:00'), 'From has yet to come.');
  });
});

/** Whether one of the ends cannot be told from another moment by a clock. */
function isWinterTimeBegin({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): boolean {
  return [fromMs, toMs].some((ms) => Date.parse(localInput(ms)) !== ms);
}
