import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { batchOf } from '../../flow/batch.fixture.ts';
import { classify, type Filter, FilterError, parseFilter, parseRule, parseRuleText } from '../index.ts';
import { fitsClassifier } from './classifier.fixture.ts';
import { undecidableField } from './conjunctions.ts';
import { decisionValues } from './decision.fixture.ts';
import { anyBatch, anyFilter } from './filter.fixture.ts';
import { fits } from './reference.fixture.ts';

const PING = { between: ['10.0.0.1', '10.0.0.2'], protocol: 1, icmp: [8, 0], octets: 1, packets: 1 } as const;
const WEB = {
  between: ['10.0.0.1', '10.0.0.2'],
  ports: [1000, 80],
  protocol: 6,
  octets: 1,
  packets: 1,
} as const;
const BATCH = batchOf([PING, WEB]);

function chosen(rules: readonly string[]): boolean[] {
  const classifier = classify(rules.map(parseRuleText), BATCH.points);
  return [0, 1].map((row) => fitsClassifier(classifier, decisionValues(BATCH, row)));
}

describe('a classifier', () => {
  it('decides as the slow and obvious reading of each record does', () => {
    let [taken, left] = [0, 0];
    const decidable = anyFilter.filter((filter: Filter) => undecidableField(filter) === undefined);
    fc.assert(
      fc.property(fc.array(decidable, { minLength: 1, maxLength: 6 }), anyBatch, (filters, batch) => {
        const classifier = classify(filters, batch.points);
        for (let row = 0; row < batch.length; row++) {
          const expected = filters.some((filter) => fits(filter, batch, row));
          if (expected) taken++;
          else left++;
          assert.equal(fitsClassifier(classifier, decisionValues(batch, row)), expected, `record ${row}`);
        }
      }),
      { numRuns: 3000 },
    );
    assert.ok(taken > 1000 && left > 1000, `${taken} ${left}`);
  });

  it('of a rule that is everything keeps everything, wherever the rule stands (BUG-D14)', () => {
    const others = ['10.0.0.9 - - - TCP', '- - - 80 -'];
    for (const place of [0, 1, 2])
      assert.equal(classify(others.toSpliced(place, 0, '- - - - -').map(parseRule), []), undefined);
  });

  it('of rules that nothing can fit excludes everything', () => {
    assert.deepEqual(chosen(['tcp and udp']), [false, false]);
    assert.deepEqual(chosen(['not any']), [false, false]);
  });

  it('does not look for ports where there are none (BUG-D14)', () => {
    assert.deepEqual(chosen(['- - - [0, 2048] ICMP']), [false, false]);
    assert.deepEqual(chosen(['- - - !80 ICMP']), [true, false]);
  });

  it('makes one conjunction of rules that differ in one field', () => {
    const rules = Array.from({ length: 300 }, (_, i) => `10.0.${i >> 8}.${i & 255} - - 80 TCP`);
    assert.equal(classify(rules.map(parseRule), [])?.conjunctions, 1);
  });

  it('says of a field that no packet tells where it stands', () => {
    assert.throws(
      () => parseRuleText('tcp and octets > 5MB'),
      (error) => error instanceof FilterError && error.column === 9 && /"octets"/.test(error.message),
    );
  });

  it('refuses a rule of too many combinations', () => {
    const pairs = Array.from({ length: 13 }, (_, i) => `(src != 10.0.0.${i} or dst != 10.0.0.${i})`);
    assert.throws(() => classify([parseFilter(pairs.join(' and '))], []), /more than 4096 combinations/);
  });
});
