import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ResultTable, tableCsv } from '../query/index.ts';
import { formatBasis, formatTable } from './index.ts';

const PLAIN = { colour: false, timeZone: 'Europe/Berlin' } as const;
const AT_MS = Date.parse('2026-11-21T10:00:00Z');

const TABLE: ResultTable = {
  columns: [
    { name: 'src', kind: 'address' },
    { name: 'iface', kind: 'text' },
    { name: 'octets', kind: 'octets' },
    { name: 'share', kind: 'share' },
    { name: 'packets', kind: 'packets' },
    { name: 'vni', kind: 'number' },
    { name: 'first', kind: 'time' },
    { name: 'for', kind: 'duration' },
  ],
  rows: [
    ['10.0.0.1', 'eth0', 1_500_000_000, 0.75, 1_000_000, 5001, AT_MS, 1500],
    ['fd00::1', 'a\u001b[31m"b",c', -500, 0.0001, 7, null, AT_MS + 5, 20],
  ],
  total: { octets: 2_000_000_000, packets: 1_300_000 },
  isCut: true,
  covered: { fromMs: AT_MS, toMs: AT_MS + 3_600_000, level: 'minute' },
  gaps: [],
  ledger: [],
  tookMs: 12,
};

describe('an answer as text', () => {
  it('has columns as wide as they need to be, numbers with units to the right', () => {
    assert.deepEqual(formatTable(TABLE, PLAIN).split('\n'), [
      'SRC       IFACE          OCTETS    SHARE  PACKETS   VNI  FIRST                      FOR',
      '10.0.0.1  eth0         1.40 GiB   75.0 %   1.00 M  5001  2026-11-21 11:00:00      1.5 s',
      'fd00::1   a·[31m"b",c    -500 B  < 0.1 %        7     -  2026-11-21 11:00:00.005  20 ms',
      '',
    ]);
    assert.equal(formatTable({ ...TABLE, rows: [] }, PLAIN).split('\n')[1], 'nothing');
  });

  it('has sizes of one packet to the octet, and round trips below a millisecond', () => {
    const columns: ResultTable['columns'] = [
      { name: 'mtu', kind: 'octets' },
      { name: 'headroom', kind: 'octets' },
      { name: 'round.trip', kind: 'duration' },
    ];
    const rows = [
      [1500, -7600, 0.3249],
      [9000, 0, 12.6],
    ];
    assert.deepEqual(formatTable({ columns, rows }, PLAIN).split('\n'), [
      '   MTU  HEADROOM  ROUND.TRIP',
      '1500 B   -7600 B     0.32 ms',
      '9000 B       0 B       13 ms',
      '',
    ]);
  });

  it('says what it stands on: all of it, the span, what nobody metered, what is in no flow', () => {
    const minutes = (from: number, to: number) => ({
      fromMs: AT_MS + 60_000 * from,
      toMs: AT_MS + 60_000 * to,
    });
    const gaps = [minutes(1, 2), minutes(5, 7), minutes(10, 11), minutes(20, 21), minutes(30, 31)];
    const ledger = [{ reason: 'not_ip', octets: 2048, packets: 3 }];
    assert.deepEqual(formatBasis({ ...TABLE, gaps, ledger }, PLAIN).split('\n'), [
      'the first 2; in all 1.86 GiB, 1.30 Mpkt; 2026-11-21 11:00:00 to 12:00:00 (Europe/Berlin), from sums by the minute',
      'nobody metered: 2026-11-21 11:01:00 to 11:02:00, 2026-11-21 11:05:00 to 11:07:00, 2026-11-21 11:10:00 to 11:11:00, 2 more',
      'in no flow: not_ip 2.00 KiB, 3 pkt',
      '',
    ]);
    assert.equal(formatBasis({ ...TABLE, isCut: false }, PLAIN).split('\n').length, 2);
  });

  it('has colours only where they are asked for', () => {
    const red = '\u001b';
    assert.ok(formatTable(TABLE, { ...PLAIN, colour: true }).startsWith(`${red}[1mSRC`));
    assert.ok(!formatTable(TABLE, PLAIN).includes(red));
    assert.ok(!formatBasis(TABLE, PLAIN).includes(red));
  });

  it('is CSV with plain numbers, quotes where they must be, and times that every program reads', () => {
    assert.deepEqual(tableCsv(TABLE).split('\r\n'), [
      'src,iface,octets,share,packets,vni,first,for',
      '10.0.0.1,eth0,1500000000,0.75,1000000,5001,2026-11-21T10:00Z,1500',
      'fd00::1,"a\u001b[31m""b"",c",-500,0.0001,7,,2026-11-21T10:00:00.005Z,20',
      '',
    ]);
  });
});
