import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type RateStep, ratesOf, riseOf } from './rise.ts';

const MINUTE = 60_000;

function minutes(rates: readonly (number | null)[]): RateStep[] {
  return rates.map((rate, i) => ({ fromMs: i * MINUTE, toMs: (i + 1) * MINUTE, rate }));
}

const many = (count: number, rate: number): number[] => new Array<number>(count).fill(rate);

test('what begins and goes on is found with its begin and how much more it is', () => {
  assert.deepEqual(riseOf(minutes([...many(20, 10), ...many(20, 120)])), {
    fromMs: 20 * MINUTE,
    toMs: undefined,
    times: 12,
    stepMs: MINUTE,
  });
});

test('what ends again has an end, and what was nothing before has no factor', () => {
  const rise = riseOf(minutes([...many(20, 0), ...many(3, 7), ...many(20, 0)]));
  assert.deepEqual(rise, {
    fromMs: 20 * MINUTE,
    toMs: 23 * MINUTE,
    times: Number.POSITIVE_INFINITY,
    stepMs: MINUTE,
  });
});

test('a step in which a rise is only begun belongs to it', () => {
  assert.equal(riseOf(minutes([...many(20, 10), 40, ...many(20, 110)]))?.fromMs, 20 * MINUTE);
  assert.equal(
    riseOf(minutes([...many(20, 10), 12, ...many(20, 110)]))?.fromMs,
    21 * MINUTE,
    'that much it varies',
  );
});

test('so does one in which it began late, amid days and nights', () => {
  const days = Array.from({ length: 96 }, (_, hour) => 10 + 9 * Math.sin((Math.PI * hour) / 12));
  const rates = days.map((rate, hour) => rate + (hour < 60 ? 0 : hour === 60 ? 12 : 70));
  assert.equal(riseOf(minutes(rates))?.fromMs, 60 * MINUTE);
});

test('whatever it varies around, the begin of a large rise is found to the step', () => {
  const noise = fc.array(fc.double({ min: 0.6, max: 1.4, noNaN: true }), { minLength: 30, maxLength: 200 });
  fc.assert(
    fc.property(
      noise,
      fc.double({ min: 0.3, max: 0.9, noNaN: true }),
      fc.integer({ min: 8, max: 100 }),
      (rates, part, times) => {
        const begin = Math.floor(part * rates.length);
        const rise = riseOf(minutes(rates.map((rate, i) => (i < begin ? rate : times * rate))));
        assert.equal(rise?.fromMs, begin * MINUTE);
        assert.equal(rise?.toMs, undefined);
      },
    ),
  );
});

test('of days and nights, of what stays as it is, and of a few steps nothing is said', () => {
  const days = Array.from({ length: 7 * 24 }, (_, hour) => 20 + 15 * Math.sin((Math.PI * hour) / 12));
  assert.equal(riseOf(minutes(days)), undefined);
  assert.equal(riseOf(minutes(many(50, 10))), undefined);
  assert.equal(riseOf(minutes(many(50, 0))), undefined);
  assert.equal(riseOf(minutes([...many(30, 10), ...many(30, 15)])), undefined, 'half as much again');
  assert.equal(riseOf(minutes([1, 1, 1, 50, 50])), undefined);
  assert.equal(riseOf(minutes([...many(20, 100), ...many(20, 1)])), undefined, 'it has become less');
});

test('what nobody metered is neither much nor little', () => {
  const rates = [...many(10, 5), ...new Array<null>(10).fill(null), ...many(10, 5), ...many(10, 50)];
  assert.equal(riseOf(minutes(rates))?.fromMs, 30 * MINUTE);
});

test('steps of an answer are those of its span, all groups together; what is not whole is not told', () => {
  const table = {
    columns: [
      { name: 'time', kind: 'time' as const },
      { name: 'segment', kind: 'text' as const },
      { name: 'octets', kind: 'octets' as const },
    ],
    rows: [
      [MINUTE, 'vxlan:1', 600],
      [MINUTE, 'none', 60],
      [4 * MINUTE, 'none', 120],
    ],
    covered: { fromMs: 30_000, toMs: 5 * MINUTE, level: 'raw' as const },
    gaps: [{ fromMs: 150_000, toMs: 160_000 }],
    stepMs: MINUTE,
  };
  assert.deepEqual(
    ratesOf(table, 'octets').map(({ rate }) => rate),
    [null, 11, null, 0, 2],
  );
  assert.throws(() => ratesOf(table, 'flows'), RangeError);
});
