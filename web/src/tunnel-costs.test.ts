import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResultTable } from '../../src/query/index.ts';
import { quantityOf } from './result.ts';
import { roomWords, tooLong, unknownWords } from './sights/tunnels/costs.ts';

const COLUMNS: ResultTable['columns'] = [
  { name: 'mtu', kind: 'octets' },
  { name: 'headroom', kind: 'octets' },
  { name: 'loss', kind: 'share' },
  { name: 'lost', kind: 'packets' },
  { name: 'resent', kind: 'packets' },
];
const live = (
  columns: ResultTable['columns'],
  rows: ResultTable['rows'] = [[1500, 3, 0, 0, 0]],
): Pick<ResultTable, 'columns' | 'rows' | 'covered'> => ({
  columns,
  rows,
  covered: { fromMs: 0, toMs: 1, level: 'live' },
});

test('what the longest packet takes of the MTU is said in octets, and that it does not fit in words', () => {
  const words = (mtu: number | null, headroom: number | null) =>
    roomWords(COLUMNS, [mtu, headroom, null, null, null]);
  assert.equal(
    words(1500, 50),
    'The longest packet takes 1450 of the 1500 octets that the underlay takes as one: 50 are free.'
      .replace('1450', '1\u202f450')
      .replace('1500', '1\u202f500'),
  );
  assert.match(words(1500, 1)!, /: 1 is free\.$/);
  assert.match(words(1500, 0)!, /: none is free\.$/);
  assert.match(words(1400, -100)!, /: 100 too many\. Such packets are dropped, or go in fragments\./);
  assert.equal(words(null, null), undefined);
  assert.equal(
    tooLong({
      columns: COLUMNS,
      rows: [
        [1500, -1],
        [1500, 0],
        [null, null],
      ],
    }),
    1,
  );
  assert.equal(tooLong({ columns: [], rows: [[1]] }), 0);
  const look = { units: 'octets', seconds: 1 } as const;
  assert.deepEqual(quantityOf(COLUMNS[1]!, -100, look), { number: '−100', unit: 'B' });
  assert.deepEqual(quantityOf(COLUMNS[0]!, 1500, look), { number: '1\u202f500', unit: 'B' });
});

test('what nobody knows is named, with what would tell it', () => {
  assert.equal(unknownWords(live(COLUMNS), undefined), '');
  const without = (...names: string[]) => live(COLUMNS.filter(({ name }) => !names.includes(name)));
  assert.equal(
    unknownWords(without('lost', 'loss', 'resent'), undefined),
    'Not measured: loss, reordering and jitter, resent segments and round trips. The agent measures them with --measure sequence,tcp.',
  );
  assert.match(unknownWords(without('resent'), undefined), /^Not measured: resent .* --measure tcp\.$/);
  assert.match(unknownWords(without('mtu', 'headroom'), undefined), /captures/);
  assert.match(unknownWords(live(COLUMNS, [[1500, 3, null, null, null]]), 'port 80'), /whole tunnels/);
  assert.equal(
    unknownWords(live(COLUMNS, [[1500, 3, null, null, null]]), undefined),
    '',
    'it had no numbers',
  );
});

test('of the past it is said whether nobody measured then, or nobody can know any more', () => {
  const past = (columns: ResultTable['columns'], rows?: ResultTable['rows']) => ({
    ...live(columns, rows),
    covered: { fromMs: 0, toMs: 1, level: 'minute' as const },
  });
  const only = (...names: string[]) => COLUMNS.filter(({ name }) => names.includes(name));
  assert.equal(unknownWords(past(COLUMNS), undefined), '');
  assert.equal(
    unknownWords(past(only('mtu', 'headroom')), undefined),
    'Not measured then: loss, reordering and jitter, resent segments and round trips. An agent measures them with --measure sequence,tcp.',
  );
  assert.equal(
    unknownWords(past([]), undefined),
    'Of this time nobody knows headroom, loss, reordering and jitter, resent segments and round trips: it is of captures, or an earlier version stored it.',
  );
  assert.match(
    unknownWords(past(only('lost', 'loss', 'resent')), undefined),
    /nobody knows headroom: it is of/,
  );
  assert.equal(unknownWords(past([], []), undefined), '', 'there is nothing to know of');
  assert.match(unknownWords(past(COLUMNS, [[1500, 3, null, null, null]]), 'port 80'), /whole tunnels/);
});
