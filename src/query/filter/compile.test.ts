import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { batchOf } from '../../flow/batch.fixture.ts';
import { FIELDS, type FieldName, REMARK } from '../../flow/index.ts';
import { compileFilter, FILTER_FIELD_NAMES, fieldDefinition, parseFilter } from '../index.ts';
import { anyBatch, anyFilter } from './filter.fixture.ts';
import { fits } from './reference.fixture.ts';

const BATCH = batchOf([
  // 0: TCP in VXLAN. 1: its answer. 2: plain ping. 3: ARP. 4: LLDP. 5: TCP over IPv6 in Geneve in GRE. 6: a later fragment.
  {
    between: ['10.0.0.1', '10.0.0.2'],
    ports: [1000, 443],
    protocol: 6,
    tunnel: ['172.16.0.1', '172.16.0.2', 5001],
    octets: 20_000_000,
    packets: 20,
  },
  {
    between: ['10.0.0.2', '10.0.0.1'],
    ports: [443, 1000],
    protocol: 6,
    tunnel: ['172.16.0.2', '172.16.0.1', 5001],
    octets: 100,
    packets: 1,
    direction: 1,
  },
  { between: ['10.0.0.1', '10.0.0.9'], ports: [443, 0], protocol: 1, icmp: [8, 0], octets: 98, packets: 1 },
  { between: ['10.0.0.1', '10.0.0.9'], arp: true, octets: 42, packets: 1, vlan: 5 },
  { macs: ['02:00:00:00:00:01', '01:80:c2:00:00:0e'], octets: 60, packets: 1 },
  {
    between: ['fd00::1', 'fd00::2'],
    ports: [5, 80],
    protocol: 6,
    tunnel: ['172.16.0.1', '172.16.0.3', 0],
    tunnels: [
      ['gre', 0],
      ['geneve', 7],
    ],
    octets: 200,
    packets: 2,
  },
  {
    between: ['10.0.0.1', '10.0.0.2'],
    protocol: 6,
    fragment: 2,
    octets: 1500,
    packets: 1,
    remark: REMARK.guessed,
  },
]);

/** The records that fit. */
function chosen(text: string): number[] {
  const test = compileFilter(parseFilter(text), BATCH.points);
  return [...Array(BATCH.length).keys()].filter((row) => test(BATCH.columns, row));
}

describe('a compiled filter', () => {
  const CHOICES: readonly (readonly [string, readonly number[]])[] = [
    ['any', [0, 1, 2, 3, 4, 5, 6]],
    ['not any', []],
    ['10.0.0.1', [0, 1, 2, 3, 6]],
    ['src = 10.0.0.1', [0, 2, 3, 6]],
    ['src != 10.0.0.1', [1, 4, 5]],
    ['172.16.0.1', []],
    ['outer.host = 172.16.0.1', [0, 1, 5]],
    ['outer.src in 172.16.0.0/30', [0, 1, 5]],
    ['outer.src = 0.0.0.0/0', [0, 1, 5]],
    ['host in [0.0.0.0/0]', [0, 1, 2, 3, 6]],
    ['host = ::/0', [5]],
    ['inner.src = 10.0.0.1', [0]],
    ['port 443', [0, 1]],
    ['port < 100', [5]],
    ['not port < 100', [0, 1, 2, 3, 4, 6]],
    ['sport in [1-10, 1000]', [0, 5]],
    ['tcp', [0, 1, 5, 6]],
    ['proto = 1', [2]],
    ['arp', [3]],
    ['proto = arp', [3]],
    ['tunnel = none', [2, 3, 4, 6]],
    ['tunnel = geneve', [5]],
    ['tunnel in [gre, vxlan]', [0, 1, 5]],
    ['vni 5001', [0, 1]],
    ['vni 7', [5]],
    ['vni = 0', [5]],
    ['depth >= 2', [5]],
    ['vlan = none', [0, 1, 2, 4, 5, 6]],
    ['vlan < 10', [3]],
    ['inner.vlan = none', [0, 1, 5]],
    ['iface = eth*', [0, 1, 2, 3, 4, 5, 6]],
    ['iface = eth1', []],
    ['direction = out', [1]],
    ['icmp.type = 8', [2]],
    ['icmp.code = 0', [2]],
    ['mac = 02:00:00:00:00:01', [4]],
    ['octets > 10MB', [0]],
    ['packets = 2-20', [0, 5]],
    ['fragment != whole', [6]],
    ['remark = guessed', [6]],
    ['ethertype = lldp', [4]],
    ['tcp and not 10.0.0.0/8 or icmp', [2, 5]],
  ];
  for (const [text, rows] of CHOICES)
    it(`of ${text} takes what is meant`, () => {
      assert.deepEqual(chosen(text), rows);
    });

  it('decides as the slow and obvious reading of each record does', () => {
    let taken = 0;
    fc.assert(
      fc.property(anyFilter, anyBatch, (filter, batch) => {
        const test = compileFilter(filter, batch.points);
        for (let row = 0; row < batch.length; row++) {
          const expected = fits(filter, batch, row);
          if (expected) taken++;
          assert.equal(test(batch.columns, row), expected, `record ${row}`);
        }
      }),
      { numRuns: 3000 },
    );
    assert.ok(taken > 1000, String(taken));
  });

  it('goes from one batch to the next', () => {
    const test = compileFilter(parseFilter('octets > 50'), BATCH.points);
    const other = batchOf([{ octets: 1, packets: 1 }]);
    assert.deepEqual(
      [BATCH, other, BATCH].map(({ columns }) => test(columns, 0)),
      [true, false, true],
    );
  });

  it('keeps its promise about numbers that are not whole', () => {
    const { columns, points } = batchOf([{ octets: 1, packets: 1, firstMs: 0.25, lastMs: 1000.75 }]);
    assert.equal(compileFilter(parseFilter('duration > 1s'), points)(columns, 0), true);
    assert.equal(compileFilter(parseFilter('duration <= 1s'), points)(columns, 0), false);
  });
});

/** Columns that no field reads, and why. */
const UNREAD: Partial<Record<FieldName, string>> = {
  octets: 'as the stack held them; filters, like reports, count the wire',
  packets: 'likewise',
};

it('every column of a record is read by a field, or is left out for a reason', () => {
  const read = new Set(FILTER_FIELD_NAMES.flatMap((field) => fieldDefinition(field).columns));
  const unread = Object.keys(FIELDS).filter((name) => !read.has(name as FieldName));
  assert.deepEqual(unread.toSorted(), Object.keys(UNREAD).toSorted());
});
