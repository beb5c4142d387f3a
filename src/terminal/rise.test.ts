import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseQuestion, type ResultTable } from '../query/index.ts';
import { formatRise } from './index.ts';

const HOUR_MS = 3_600_000;
const BEGIN_MS = Date.parse('2026-11-16T00:00:00Z');
const PLAIN = { colour: false, timeZone: 'Europe/Berlin' } as const;
const CLOCK = { nowMs: BEGIN_MS + 48 * HOUR_MS, timeZone: 'UTC' };

/** Two days by steps. */
function series(stepMs: number, octetsAt: (atMs: number) => number): ResultTable {
  const toMs = BEGIN_MS + 48 * HOUR_MS;
  const rows: number[][] = [];
  for (let at = BEGIN_MS; at < toMs; at += stepMs) rows.push([at, octetsAt(at), 1]);
  return {
    columns: [
      { name: 'time', kind: 'time' },
      { name: 'octets', kind: 'octets' },
      { name: 'packets', kind: 'packets' },
    ],
    rows,
    total: { octets: 0, packets: 0 },
    isCut: false,
    covered: { fromMs: BEGIN_MS, toMs, level: 'minute' },
    gaps: [],
    ledger: [],
    stepMs,
    tookMs: 1,
  };
}

const asked = parseQuestion('series last 48h where vni 5002', CLOCK);

test('a series says since when it is so much, and which question tells it more exactly', () => {
  const begin = BEGIN_MS + 30 * HOUR_MS;
  const table = series(HOUR_MS, (at) => (at < begin ? 100 : 5000));
  assert.deepEqual(formatRise(asked, table, PLAIN).split('\n'), [
    '× 50 since 2026-11-17 07:00:00',
    'more exactly: series from 2026-11-17T04:00Z to 2026-11-17T08:00Z where vni = 5002',
    '',
  ]);
  const closer = parseQuestion('series from 2026-11-17T04:00Z to 2026-11-17T08:00Z where vni 5002', CLOCK);
  assert.equal(
    formatRise(
      closer,
      series(60_000, (at) => (at < begin + 420_000 ? 100 : 5000)),
      PLAIN,
    ),
    '× 50 since 2026-11-17 07:07:00\n',
  );
});

test('what ended again has an end, and what was nothing before has no factor', () => {
  const from = BEGIN_MS + 10 * HOUR_MS;
  const table = series(HOUR_MS, (at) => (at >= from && at < from + 2 * HOUR_MS ? 5000 : 0));
  const [first] = formatRise(asked, table, PLAIN).split('\n');
  assert.equal(first, 'only since 2026-11-16 11:00:00 until 2026-11-16 13:00:00');
});

test('nothing is said of what does not stand out, of flows, and of other questions', () => {
  assert.equal(
    formatRise(
      asked,
      series(HOUR_MS, () => 100),
      PLAIN,
    ),
    '',
  );
  const table = series(HOUR_MS, (at) => (at < BEGIN_MS + 30 * HOUR_MS ? 100 : 5000));
  assert.equal(formatRise(parseQuestion('series by flows last 48h', CLOCK), table, PLAIN), '');
  assert.equal(formatRise(parseQuestion('top src last 48h', CLOCK), table, PLAIN), '');
});
