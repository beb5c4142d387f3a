import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseViewFilter, type ResultTable } from '../../src/query/index.ts';
import { flowFilter, groupFilter } from './flow-filter.ts';
import { readPlace, writePlace } from './question.ts';
import { addressKey, identityColumns, rowKey, sortedRows } from './result.ts';
import { selectionOf } from './selection.ts';
import { moved, readColumns, readSort, writeColumns, writeSort } from './sheet.ts';
import { onlyInSight, rowAfterKey, rowsInSight, scrolledTo } from './virtual.ts';

test('what a table is like stands in the address, and another view begins anew', () => {
  const address = '?sight=flows&by=src,dst&cols=src,octets*120&sort=-packets&rows=10000&pin=a,b&row=c';
  const { place } = readPlace(address);
  const written = new URLSearchParams(writePlace(place));
  assert.deepEqual([...written].sort(), [...new URLSearchParams(address)].sort());
});

test('columns and order are read as they were written', () => {
  const known = new Set(['src', 'dst', 'octets', 'tcp.flags']);
  const usual = ['src', 'octets'];
  assert.deepEqual(readColumns('dst,nonsense,octets*120,dst', known, usual), [
    { id: 'dst' },
    { id: 'octets', width: 120 },
  ]);
  assert.deepEqual(readColumns('nonsense', known, usual), [{ id: 'src' }, { id: 'octets' }]);
  assert.equal(writeColumns([{ id: 'src' }, { id: 'octets' }], usual), undefined);
  const shown = fc.uniqueArray(
    fc.record(
      { id: fc.constantFrom(...known), width: fc.integer({ min: 40, max: 900 }) },
      { requiredKeys: ['id'], noNullPrototype: true },
    ),
    { selector: ({ id }) => id, minLength: 1 },
  );
  fc.assert(
    fc.property(shown, (columns) => {
      assert.deepEqual(readColumns(writeColumns(columns, usual), known, usual), columns);
    }),
  );
  for (const text of ['src', '-octets'])
    assert.equal(writeSort(readSort(text, { column: 'x', descending: true })), text);
  assert.deepEqual(
    moved([{ id: 'a' }, { id: 'b' }, { id: 'c' }], 'a', 5).map(({ id }) => id),
    ['b', 'c', 'a'],
  );
});

test('rows in sight are drawn, with some around them, and never more than there are', () => {
  const counts = fc.nat({ max: 200_000 });
  fc.assert(
    fc.property(counts, counts, fc.integer({ min: 1, max: 60 }), (count, top, height) => {
      const { first, end } = rowsInSight({ top, height }, count);
      assert.ok(first >= 0 && end <= count && first <= end);
      assert.ok(end - first <= height + 2 * 12 + 8);
      const last = Math.min(count, top + height);
      if (top + height <= count) assert.ok(first <= top && end >= last);
      const alone = onlyInSight({ top, height }, count);
      assert.equal(alone.end - alone.first, Math.min(count, height), 'always so many');
      if (top + height <= count) assert.equal(alone.first, top);
    }),
  );
});

test('keys go from row to row and by pages, and the row comes into sight', () => {
  const at = { count: 100, page: 10 };
  assert.equal(rowAfterKey('ArrowDown', -1, at), 0);
  assert.equal(rowAfterKey('ArrowUp', 0, at), 0);
  assert.equal(rowAfterKey('PageDown', 95, at), 99);
  assert.equal(rowAfterKey('Home', 50, at), 0);
  assert.equal(rowAfterKey('End', 50, at), 99);
  assert.equal(rowAfterKey('x', 50, at), undefined);
  const view = { top: 300, height: 300, rowHeight: 30 };
  assert.equal(scrolledTo(5, view), 150);
  assert.equal(scrolledTo(12, view), 300);
  assert.equal(scrolledTo(20, view), 330);
});

const COLUMNS: ResultTable['columns'] = [
  { name: 'src', kind: 'address' },
  { name: 'sport', kind: 'number' },
  { name: 'segment', kind: 'text' },
  { name: 'octets', kind: 'octets' },
];

test('rows sort by numbers, addresses by their number, and what is missing comes last', () => {
  const rows = [
    ['10.0.0.9', 80, 'none', 5],
    ['fd00::1', null, 'none', 7],
    ['10.0.0.10', 9, 'none', 7],
    [null, 100, 'none', 1],
  ];
  const order = (column: string, descending: boolean): unknown[] =>
    sortedRows({ columns: COLUMNS, rows }, { column, descending }).map((row) => rows.indexOf(row as never));
  assert.deepEqual(order('src', false), [0, 2, 1, 3]);
  assert.deepEqual(order('src', true), [1, 2, 0, 3]);
  assert.deepEqual(order('sport', false), [2, 0, 3, 1]);
  assert.deepEqual(order('octets', true), [1, 2, 0, 3]);
  assert.ok(addressKey('fd00::1:0')! > addressKey('fd00::1')!);
  assert.ok(addressKey('::')! > addressKey('255.255.255.255')!);
});

test('a row has the same name in every answer, and another one another', () => {
  const identity = identityColumns(COLUMNS);
  const row = ['10.0.0.9', 80, 'none', 5];
  assert.equal(rowKey(row, identity), rowKey(['10.0.0.9', 80, 'none', 9000], identity));
  const keys = new Set<string>();
  for (let host = 0; host < 200; host++)
    for (let port = 0; port < 500; port++)
      keys.add(rowKey([`10.0.${host}.1`, 1024 + port, 'vxlan:1', 0], identity));
  assert.equal(keys.size, 100_000);
});

test('what is chosen on the page is one filter, which the agent understands', () => {
  const filterOf = (address: string): string | undefined => {
    const filter = selectionOf(readPlace(address).place);
    if (filter !== undefined) parseViewFilter(filter);
    return filter;
  };
  assert.equal(filterOf(''), undefined);
  assert.equal(filterOf('?segment=vxlan:5'), 'tunnel = vxlan and vni = 5');
  assert.equal(filterOf('?segment=none&filter=tcp+or+udp'), '(tcp or udp) and tunnel = none');
  assert.equal(filterOf('?host=10.0.0.1'), 'outer.host = 10.0.0.1 or tunnel = none and host = 10.0.0.1');
  assert.equal(
    filterOf('?host=10.0.0.1&pair=vxlan:5/1.1.1.1~vxlan:5/2.2.2.2&filter=tcp'),
    'tcp and (outer.host = 10.0.0.1 or tunnel = none and host = 10.0.0.1) and tunnel = vxlan and vni = 5 and host = 1.1.1.1 and host = 2.2.2.2',
  );
});

test('a row is a filter of its flows', () => {
  assert.equal(
    groupFilter(COLUMNS, ['10.0.0.9', null, 'vxlan:5', 1]),
    'tunnel = vxlan and vni = 5 and src = 10.0.0.9',
  );
  assert.equal(flowFilter([{ name: 'cast', kind: 'text' }], ['unicast']), undefined);
});
