import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { batchOf, type EpochWords, type RecordWords } from '../flow/batch.fixture.ts';
import { LiveView } from '../live/index.ts';
import { formatReport, type ReportLayer, type ReportOptions, reportBytes, reportRows } from './index.ts';

function live(records: readonly RecordWords[], around: EpochWords = {}): LiveView {
  const view = new LiveView();
  view.write(batchOf(records, around));
  return view;
}

function report(
  records: readonly RecordWords[],
  { layer, ...options }: ReportOptions & { readonly layer?: ReportLayer } = {},
): string {
  return [...formatReport(reportRows(live(records), layer), options)].join('');
}

const TENANT: RecordWords = {
  tunnel: ['172.16.1.100', '172.16.1.101', 10001],
  between: ['192.168.0.1', '192.168.0.2'],
  protocol: 6,
  ports: [4000, 80],
  octets: 3000,
  packets: 2,
};
const OTHER_TENANT: RecordWords = { ...TENANT, tunnel: ['172.16.1.100', '172.16.1.101', 10002] };

describe('the report in the form of the reference', () => {
  it('prints the header and rows with its widths, nine pings as 882 octets with port 0', () => {
    const text = report([
      {
        between: ['10.0.2.15', '8.8.8.8'],
        protocol: 1,
        ports: [17, 0],
        icmp: [8, 0],
        octets: 882,
        packets: 9,
      },
      {
        between: ['151.101.134.132', '10.0.2.15'],
        protocol: 6,
        ports: [443, 46_384],
        octets: 135_455_048,
        packets: 7688,
      },
      {
        between: ['10.0.2.15', '151.101.134.132'],
        protocol: 6,
        ports: [46_384, 443],
        octets: 357_591,
        packets: 6622,
      },
    ]);
    assert.equal(
      text,
      [
        'PROTOCOL SOURCE                DESTINATION           PACKETS BYTES',
        'TCP      151.101.134.132:443   10.0.2.15:46384       7688    129.18 MiB',
        'TCP      10.0.2.15:46384       151.101.134.132:443   6622    349.21 KiB',
        'ICMP     10.0.2.15:0           8.8.8.8:0             9       882       ',
        '',
      ].join('\n'),
    );
  });

  it('shows ARP with its addresses, never a row such as IP 232.138.10.0:0', () => {
    const text = report([
      { arp: true, between: ['10.0.2.15', '10.0.2.3'], protocol: 1, octets: 84, packets: 2 },
      { arp: true, between: ['10.0.2.3', '10.0.2.15'], protocol: 2, octets: 120, packets: 2 },
    ]);
    assert.deepEqual(text.split('\n').slice(1, 3), [
      'ARP      10.0.2.3:0            10.0.2.15:0           2       120    ',
      'ARP      10.0.2.15:0           10.0.2.3:0            2       84     ',
    ]);
  });

  it('counts wire packets and wire octets of super-packets', () => {
    const rows = reportRows(live([{ ...TENANT, wireOctets: 3300, wirePackets: 40 }]));
    assert.deepEqual([rows.packets(0), rows.bytes(0)], [40, 3300]);
  });

  it('adds up pings with different identifiers, as the port shown is 0', () => {
    const ping = (id: number): RecordWords => ({
      between: ['10.0.0.1', '10.0.0.2'],
      protocol: 1,
      ports: [id, 0],
      icmp: [8, 0],
      octets: 98,
      packets: 1,
    });
    const rows = reportRows(live([ping(1), ping(2)]));
    assert.deepEqual([rows.length, rows.packets(0)], [1, 2]);
  });

  it('widens a column only for what does not fit: IPv6 with brackets', () => {
    const lines = report([
      { between: ['2001:db8::1:2:3:4', 'fe80::1'], protocol: 58, icmp: [128, 0], octets: 118, packets: 1 },
      { between: ['10.0.0.1', '10.0.0.2'], ports: [53, 5353], octets: 60, packets: 1 },
    ]).split('\n');
    assert.equal(lines[0], 'PROTOCOL SOURCE                DESTINATION           PACKETS BYTES');
    assert.match(lines[1]!, /^ICMPV6 {3}\[2001:db8::1:2:3:4\]:0 \[fe80::1\]:0/);
    const wide = report([
      {
        between: ['2001:db8:1111:2222:3333:4444:5555:6666', 'fe80::1'],
        ports: [1, 2],
        octets: 118,
        packets: 1,
      },
    ]).split('\n');
    assert.equal(wide[0]!.indexOf('DESTINATION'), wide[1]!.indexOf('[fe80::1]'));
  });

  it('names frames without addresses by MAC', () => {
    const text = report([{ macs: ['02:00:00:00:00:01', '01:80:c2:00:00:0e'], octets: 200, packets: 1 }]);
    assert.match(text, /^LLDP {5}02:00:00:00:00:01 {5}01:80:c2:00:00:0e {5}1 {7}200/m);
  });
});

describe('bytes of the report', () => {
  it('are plain below 1 KiB, then with two decimals and an IEC unit', () => {
    const cases: [bigint, string][] = [
      [0n, '0'],
      [882n, '882'],
      [1023n, '1023'],
      [1024n, '1.00 KiB'],
      [357_591n, '349.21 KiB'],
      [2n ** 20n - 1n, '1.00 MiB'],
      [135_455_048n, '129.18 MiB'],
      [5n * 2n ** 30n, '5.00 GiB'],
      [3n * 2n ** 39n, '1.50 TiB'],
      [2n ** 64n - 1n, '16.00 EiB'],
    ];
    for (const [bytes, text] of cases) assert.equal(reportBytes(Number(bytes)), text);
  });
});

describe('layers of the report', () => {
  it('shows inner flows with their tunnel at the end, and no column without a tunnel', () => {
    const [header, row] = report([TENANT]).split('\n');
    assert.equal(header, 'PROTOCOL SOURCE                DESTINATION           PACKETS BYTES    TUNNEL');
    assert.equal(
      row,
      'TCP      192.168.0.1:4000      192.168.0.2:80        2       2.93 KiB vxlan 10001 172.16.1.100 > 172.16.1.101',
    );
    assert.doesNotMatch(report([{ between: ['1.1.1.1', '2.2.2.2'], octets: 1, packets: 1 }]), /TUNNEL/);
  });

  it('inner: adds up over outer pairs but never over tenants', () => {
    const moved: RecordWords = { ...TENANT, tunnel: ['172.16.1.102', '172.16.1.101', 10001] };
    const rows = reportRows(live([TENANT, moved, OTHER_TENANT]), 'inner');
    assert.deepEqual(
      [0, 1].map((row) => [rows.tunnel(row), rows.bytes(row)]),
      [
        ['vxlan 10001', 6000],
        ['vxlan 10002', 3000],
      ],
    );
  });

  it('outer: adds up to the outer pair in the plain form', () => {
    const plain: RecordWords = { between: ['1.1.1.1', '2.2.2.2'], ports: [1, 2], octets: 1, packets: 1 };
    const text = report([TENANT, OTHER_TENANT, plain], { layer: 'outer' });
    assert.deepEqual(text.split('\n').slice(0, 3), [
      'PROTOCOL SOURCE                DESTINATION           PACKETS BYTES',
      'VXLAN    172.16.1.100:0        172.16.1.101:0        4       5.86 KiB',
      'UDP      1.1.1.1:1             2.2.2.2:2             1       1       ',
    ]);
  });
});

describe('order and length of the report', () => {
  const flow = (source: string, octets: number, packets = 1): RecordWords => ({
    between: [source, source.includes(':') ? 'fd00::9' : '10.0.0.9'],
    ports: [1, 2],
    octets,
    packets,
  });

  it('sorts addresses as numbers, and a MAC behind them', () => {
    const frame: RecordWords = { macs: ['02:00:00:00:00:01', '01:80:c2:00:00:0e'], octets: 9, packets: 1 };
    const flows = ['fd00::2', '10.0.0.10', 'fd00::1', '10.0.0.9', '9.255.0.1'].map((each) => flow(each, 1));
    assert.deepEqual(report([frame, ...flows], { sort: 'source' }).match(/(?<=^\S+ +)\S+/gm), [
      'SOURCE',
      '9.255.0.1:1',
      '10.0.0.9:1',
      '10.0.0.10:1',
      '[fd00::1]:1',
      '[fd00::2]:1',
      '02:00:00:00:00:01',
    ]);
  });

  it('sorts counts beyond 32 and 53 bits exactly', () => {
    const counts = [2n ** 60n, 2n ** 60n + 1n, 2n ** 32n, 2n ** 32n - 1n, 1n];
    const flows = counts.map((octets, i): RecordWords => ({ ...flow(`10.0.0.${i}`, 1), octets }));
    assert.deepEqual(
      report(flows).match(/(?<=^UDP +)\S+/gm),
      [1, 0, 2, 3, 4].map((i) => `10.0.0.${i}:1`),
    );
  });

  it('prints the same whatever order the rows come in', () => {
    const flows = fc.uniqueArray(
      fc.record({
        source: fc.constantFrom('10.0.0.1', '10.0.0.2', 'fd00::1'),
        port: fc.nat(2),
        octets: fc.nat(3),
        packets: fc.nat(2).map((packets) => packets + 1),
      }),
      { selector: ({ source, port }) => `${source} ${port}` },
    );
    const sort = fc.constantFrom('bytes' as const, 'packets' as const, 'source' as const, 'tunnel' as const);
    fc.assert(
      fc.property(flows, sort, (list, by) => {
        const made = list.map(({ source, port, octets, packets }) => ({
          ...flow(source, octets, packets),
          ports: [port, 2] as const,
        }));
        const text = report(made, { sort: by });
        assert.equal(report(made.reverse(), { sort: by }), text);
      }),
    );
  });

  it('sums up what the limit leaves out', () => {
    const text = report([flow('10.0.0.1', 1), flow('10.0.0.2', 2048), flow('10.0.0.3', 1)], { top: 1 });
    assert.equal(text.split('\n').at(-2), 'and 2 more flows: 2');
  });

  it('has room for more rows than a call takes arguments', () => {
    const view = new LiveView({ maxFlows: 1_000_000 });
    const count = 150_000;
    view.write(
      batchOf(
        Array.from({ length: count }, (_, i) => flow(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, 60)),
      ),
    );
    let lines = 0;
    for (const piece of formatReport(reportRows(view))) lines += piece.split('\n').length - 1;
    assert.equal(lines, 1 + count);
  });

  it('colours only when asked', () => {
    assert.ok(!report([flow('10.0.0.1', 1)]).includes('\x1b'));
    assert.ok(report([flow('10.0.0.1', 1)], { colour: true }).startsWith('\x1b[1mPROTOCOL'));
  });
});

describe('the last line on exactness', () => {
  const last = (view: LiveView): string => {
    const pieces = formatReport(reportRows(view), { exactness: view.exactness() });
    return [...pieces].join('').split('\n').at(-2)!;
  };

  it('is absent when everything is counted', () => {
    assert.match(last(live([TENANT])), /^TCP/);
  });

  it('names what is in no flow, and what lost its detail', () => {
    const ledger = [
      { ifindex: 2, direction: 0, reason: 'ipv4_truncated', level: 0, packets: 12n, octets: 240n },
    ] as const;
    assert.equal(last(live([TENANT], { ledger })), 'not in a flow: 12 packets (ipv4_truncated 12)');
    const overflow: RecordWords = {
      tunnel: ['172.16.1.100', '172.16.1.101', 1],
      remark: 1,
      octets: 10,
      packets: 4,
    };
    assert.equal(last(live([overflow])), 'without detail, flow cache full: 4 packets');
  });
});
