import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readExposition } from './exposition.fixture.ts';
import { counter, type Family, labelText, writeExposition } from './exposition.ts';

const BOUNDS = [0.001, 1, 32];

function histogram(counts: readonly number[], labels: Record<string, string> = {}, sum = 0): Family {
  const samples = [{ labels: labelText(labels), counts, sum }];
  return {
    kind: 'histogram',
    name: 'tunnelscope_rtt_seconds',
    help: 'Round trips.',
    bounds: BOUNDS,
    samples,
  };
}

test('a histogram that was counted elsewhere has cumulative buckets, a sum and a count', () => {
  const { text } = writeExposition([histogram([3, 0, 2, 1], { interface: 'eth0' }, 71.5)], 'text/plain');
  assert.equal(
    text,
    `# HELP tunnelscope_rtt_seconds Round trips.
# TYPE tunnelscope_rtt_seconds histogram
tunnelscope_rtt_seconds_bucket{interface="eth0",le="0.001"} 3
tunnelscope_rtt_seconds_bucket{interface="eth0",le="1.0"} 3
tunnelscope_rtt_seconds_bucket{interface="eth0",le="32.0"} 5
tunnelscope_rtt_seconds_bucket{interface="eth0",le="+Inf"} 6
tunnelscope_rtt_seconds_sum{interface="eth0"} 71.5
tunnelscope_rtt_seconds_count{interface="eth0"} 6
`,
  );
});

test('whatever labels, values and counts are, both forms read back as what was written', () => {
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 });
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      finite,
      fc.array(fc.nat(1e9), { minLength: 4, maxLength: 4 }),
      (value, amount, counts) => {
        const families = [
          counter('x_total', 'A "help"\nof two lines \\ and more.', [
            { labels: labelText({ a: value, b: '' }), value: amount },
            { labels: '', value: 1 },
          ]),
          histogram(counts, { a: value }, amount),
          histogramless(),
        ];
        for (const [type, form, name] of [
          ['text/plain', 'prometheus', 'tunnelscope_x_total'],
          ['application/openmetrics-text', 'openmetrics', 'tunnelscope_x'],
        ] as const) {
          const found = readExposition(writeExposition(families, type).text, form);
          const [first] = found.get(name)!.samples;
          assert.deepEqual([first!.labels, first!.value], [{ a: value, b: '' }, amount]);
          const samples = found.get('tunnelscope_rtt_seconds')!.samples;
          assert.equal(
            samples.at(-1)!.value,
            counts.reduce((sum, count) => sum + count, 0),
          );
          assert.equal(samples.at(-2)!.value, amount);
        }
      },
    ),
  );
});

/** A family of which there is nothing yet. */
function histogramless(): Family {
  return { kind: 'histogram', name: 'tunnelscope_none_seconds', help: 'None.', bounds: BOUNDS, samples: [] };
}

test('what would not be scraped is refused where it is made', () => {
  const write = (family: Family) => () => writeExposition([family], 'text/plain');
  assert.throws(write(counter('packets', 'No suffix.', [])), /names of counters/);
  assert.throws(write({ ...counter('a_total', 'A.', []), kind: 'gauge' } as Family), /names of counters/);
  assert.throws(write(counter('a-b_total', 'A.', [])), /no name of a metric/);
  assert.throws(write(histogram([1, 2, 3])), /3 bounds and 3 counts/);
});
