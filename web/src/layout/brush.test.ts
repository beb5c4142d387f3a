import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { centred, dragged, type Grip, playedOn } from './brush.ts';

const RANGE = { fromMs: 0, toMs: 1_000_000 };
const SPAN = { fromMs: 100_000, toMs: 200_000 };

describe('a span on a scrubber', () => {
  it('is moved and stretched, within the range', () => {
    const by = (byMs: number) => ({ byMs, range: RANGE });
    assert.deepEqual(dragged(SPAN, 'whole', by(50_400)), { fromMs: 150_000, toMs: 250_000 });
    assert.deepEqual(dragged(SPAN, 'whole', by(-1e9)), { fromMs: 0, toMs: 100_000 });
    assert.deepEqual(dragged(SPAN, 'whole', by(1e9)), { fromMs: 900_000, toMs: 1_000_000 });
    assert.deepEqual(dragged(SPAN, 'from', by(1e9)), { fromMs: 199_000, toMs: 200_000 });
    assert.deepEqual(dragged(SPAN, 'to', by(-1e9)), { fromMs: 100_000, toMs: 101_000 });
    assert.deepEqual(centred(SPAN, 500_000, RANGE), { fromMs: 450_000, toMs: 550_000 });
  });

  it('never turns around, and keeps its length while it is moved', () => {
    const moment = fc.integer({ min: 0, max: 1000 }).map((seconds) => 1000 * seconds);
    fc.assert(
      fc.property(
        moment,
        fc.integer({ min: 1, max: 500 }),
        fc.constantFrom<Grip>('from', 'to', 'whole'),
        fc.integer({ min: -2e6, max: 2e6 }),
        (fromMs, seconds, grip, byMs) => {
          const span = { fromMs, toMs: fromMs + 1000 * seconds };
          const next = dragged(span, grip, { byMs, range: RANGE });
          assert.ok(next.toMs - next.fromMs >= 1000);
          if (grip === 'whole') assert.equal(next.toMs - next.fromMs, 1000 * seconds);
        },
      ),
    );
  });

  it('plays on to the end and stops there', () => {
    const seen: number[] = [];
    for (let span: typeof SPAN | undefined = SPAN; span; span = playedOn(span, RANGE)) seen.push(span.toMs);
    assert.deepEqual(seen.slice(0, 3), [200_000, 225_000, 250_000]);
    assert.equal(seen.at(-1), RANGE.toMs);
  });
});
