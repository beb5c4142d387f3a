import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { batchOf, MEMBERS, type RecordWords } from '../flow/batch.fixture.ts';
import { transferables } from '../flow/index.ts';
import { ExportError, JsonFiles, type TunnelRow, TunnelTotals } from './index.ts';

async function directoryFor(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tunnelscope-export-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function read(directory: string, file: string): Promise<TunnelRow[]> {
  return JSON.parse(await readFile(join(directory, file), 'utf8')) as TunnelRow[];
}

/** A `ping -s size` through the tunnel: request sent, reply received, as the monitored host .100 sees it. */
const ping = (size: number, count: number): RecordWords[] => {
  const form = { protocol: 1, ports: [17, 0] as const, packets: count, octets: (size + 92) * count };
  return [
    {
      ...form,
      direction: 1,
      tunnel: ['172.16.1.100', '172.16.1.101', 10000],
      between: ['192.168.0.1', '192.168.0.2'],
      icmp: [8, 0],
    },
    {
      ...form,
      direction: 0,
      tunnel: ['172.16.1.101', '172.16.1.100', 10000],
      between: ['192.168.0.2', '192.168.0.1'],
      icmp: [0, 0],
    },
  ];
};

const rowsOf = (...epochs: RecordWords[][]): TunnelRow[] => {
  const totals = new TunnelTotals(1000);
  for (const [i, records] of epochs.entries()) totals.add(batchOf(records, { epoch: i + 1 }));
  return totals.totals(Number);
};

describe('tunnel rows', () => {
  it('count a ping of N octets as N + 92 per packet, both directions in one row', () => {
    for (const [size, octets] of [
      [128, 220],
      [768, 860],
      [1024, 1116],
    ] as const) {
      assert.deepEqual(rowsOf(ping(size, 5)), [
        {
          vni: 10000,
          outer_sip: '172.16.1.100',
          outer_dip: '172.16.1.101',
          inner_sip: '192.168.0.1',
          inner_dip: '192.168.0.2',
          tx_pkts: 5,
          tx_bytes: 5 * octets,
          rx_pkts: 5,
          rx_bytes: 5 * octets,
        },
      ]);
    }
  });

  it('put the numerically smaller outer address first and swap the inner pair with it', () => {
    const [row] = rowsOf([
      {
        tunnel: ['172.16.1.100', '172.16.1.9', 1],
        between: ['192.168.0.1', '192.168.0.2'],
        direction: 1,
        octets: 92,
        packets: 1,
      },
    ]);
    assert.deepEqual(
      [row!.outer_sip, row!.outer_dip, row!.inner_sip, row!.inner_dip, row!.tx_pkts, row!.rx_pkts],
      ['172.16.1.9', '172.16.1.100', '192.168.0.2', '192.168.0.1', 1, 0],
    );
  });

  it('are one per conversation when both tunnel ends have one address', () => {
    const tunnel = ['10.0.0.1', '10.0.0.1', 1] as const;
    const rows = rowsOf([
      { tunnel, between: ['192.168.0.1', '192.168.0.2'], octets: 92, packets: 1 },
      { tunnel, between: ['192.168.0.2', '192.168.0.1'], octets: 92, packets: 1 },
    ]);
    assert.deepEqual(
      rows.map((row) => [row.inner_sip, row.rx_pkts]),
      [['192.168.0.1', 2]],
    );
  });

  it('give ARP and other inner frames the addresses 0.0.0.0, over IPv6 too', () => {
    const rows = rowsOf([
      {
        tunnel: ['172.16.1.100', '172.16.1.101', 1],
        arp: true,
        between: ['192.168.0.1', '192.168.0.2'],
        octets: 92,
        packets: 1,
      },
      { tunnel: ['fd00::1', 'fd00::2', 1], octets: 112, packets: 1 },
    ]);
    assert.deepEqual(
      rows.map((row) => [row.outer_sip, row.inner_sip, row.inner_dip]),
      [
        ['172.16.1.100', '0.0.0.0', '0.0.0.0'],
        ['fd00::1', '0.0.0.0', '0.0.0.0'],
      ],
    );
  });

  it('print IPv6 as IPv6, keep tenants apart, leave plain traffic out and count wire packets', () => {
    const between = ['fd01::1', 'fd01::2'] as const;
    const rows = rowsOf([
      {
        tunnel: ['fd00::1', 'fd00::2', 1],
        between,
        octets: 9000,
        packets: 1,
        wireOctets: 9600,
        wirePackets: 6,
      },
      { tunnel: ['fd00::1', 'fd00::2', 2], between, octets: 100, packets: 1 },
      { between, octets: 100, packets: 1 },
    ]);
    assert.deepEqual(
      rows.map((row) => [row.vni, row.inner_sip, row.rx_pkts, row.rx_bytes]),
      [
        [1, 'fd01::1', 6, 9600],
        [2, 'fd01::1', 1, 100],
      ],
    );
  });

  it('keep tunnel types apart that have equal identifiers, and name those that are not VXLAN', () => {
    const tunnel = ['10.0.0.1', '10.0.0.2', 7] as const;
    const between = ['192.168.0.1', '192.168.0.2'] as const;
    const rows = rowsOf([
      { tunnel, between, octets: 1, packets: 1 },
      { tunnel, tunnels: [['geneve', 7]], between, octets: 2, packets: 1 },
      { tunnels: [['mpls', 7]], between, octets: 4, packets: 1 },
    ]);
    assert.deepEqual(
      rows.map((row) => [row.vni, row.tunnel, row.outer_sip, row.inner_sip, row.rx_bytes]),
      [
        [7, undefined, '10.0.0.1', '192.168.0.1', 1],
        [7, 'geneve', '10.0.0.1', '192.168.0.1', 2],
        [7, 'mpls', '0.0.0.0', '192.168.0.1', 4],
      ],
    );
  });

  it('count the primary points only, or all where none is primary', () => {
    const totals = (primary: boolean): TunnelRow[] => {
      const sums = new TunnelTotals(10);
      const points = [2, 3].map((ifindex) => ({
        ifindex,
        direction: 0 as const,
        interfaceName: `if${ifindex}`,
        primary: primary && ifindex === 2,
      }));
      const record: RecordWords = { tunnel: ['1.1.1.1', '2.2.2.2', 1], octets: 92, packets: 1 };
      sums.add(batchOf([record, { ...record, ifindex: 3 }], { points }));
      return sums.totals(Number);
    };
    assert.equal(totals(true)[0]!.rx_pkts, 1);
    assert.equal(totals(false)[0]!.rx_pkts, 2);
  });

  it('fold new inner pairs into 0.0.0.0 of their tunnel beyond the limit, losing no octet', () => {
    const sums = new TunnelTotals(3);
    const records = Array.from({ length: 10 }, (_, i) => ({
      tunnel: ['1.1.1.1', '2.2.2.2', 1] as const,
      between: [`10.0.0.${i}`, '10.0.1.1'] as const,
      octets: 100,
      packets: 1,
    }));
    sums.add(batchOf(records));
    const rows = sums.totals(Number);
    assert.equal(rows.length, 4);
    assert.deepEqual([rows[3]!.inner_sip, rows[3]!.rx_bytes], ['0.0.0.0', 700]);
  });

  it('are the same whichever end is monitored, with received and sent exchanged', () => {
    const address = fc
      .tuple(fc.integer({ min: 1, max: 223 }), fc.nat(255), fc.nat(255), fc.nat(255))
      .map((o) => o.join('.'));
    fc.assert(
      fc.property(address, address, address, address, (a, b, c, d) => {
        const one: RecordWords = { tunnel: [a, b, 1], between: [c, d], direction: 1, octets: 92, packets: 1 };
        const two: RecordWords = { ...one, direction: 0 };
        const [sent] = rowsOf([one]);
        const [received] = rowsOf([two]);
        assert.deepEqual({ ...received, rx_pkts: 0, rx_bytes: 0, tx_pkts: 1, tx_bytes: 92 }, sent);
        assert.equal(rowsOf([one, { ...one, tunnel: [b, a, 1], between: [d, c] }]).length, 1);
      }),
    );
  });
});

describe('the files', () => {
  it('are written with the first epoch, where the delta equals the totals', async (t) => {
    const directory = await directoryFor(t);
    const files = await JsonFiles.open(directory, { clock: () => 0 });
    await files.write(batchOf(ping(128, 1)));
    assert.deepEqual((await readdir(directory)).sort(), ['flows.json', 'tunnel-delta.json', 'tunnel.json']);
    const totals = await read(directory, 'tunnel.json');
    assert.deepEqual(Object.keys(totals[0]!), [
      'vni',
      'outer_sip',
      'outer_dip',
      'inner_sip',
      'inner_dip',
      'tx_pkts',
      'tx_bytes',
      'rx_pkts',
      'rx_bytes',
    ]);
    assert.deepEqual(await read(directory, 'tunnel-delta.json'), totals);
  });

  it('are written every period; deltas hold changed rows only and lose no epoch between', async (t) => {
    const directory = await directoryFor(t);
    let now = 0;
    const files = await JsonFiles.open(directory, { clock: () => now });
    const other: RecordWords = { tunnel: ['1.1.1.1', '2.2.2.2', 7], octets: 92, packets: 1 };
    await files.write(batchOf([...ping(128, 1), other], { epoch: 1 }));
    for (let epoch = 2; epoch <= 6; epoch++) {
      // Epochs come a little early: the write is due with the sixth all the same.
      now = (epoch - 1) * 999;
      await files.write(batchOf(ping(128, 1), { epoch }));
      const written = (await read(directory, 'tunnel.json'))[0]!.rx_pkts;
      assert.equal(written, epoch < 6 ? 1 : 6);
    }
    const deltas = await read(directory, 'tunnel-delta.json');
    assert.deepEqual(
      deltas.map((row) => [row.vni, row.rx_pkts, row.tx_bytes]),
      [[10000, 5, 1100]],
    );
  });

  it('are written once more at close, and not when nothing is new', async (t) => {
    const directory = await directoryFor(t);
    const files = await JsonFiles.open(directory, { clock: () => 0 });
    await files.write(batchOf(ping(128, 1), { epoch: 1 }));
    await files.write(batchOf(ping(128, 2), { epoch: 2 }));
    await files.close();
    assert.equal((await read(directory, 'tunnel.json'))[0]!.rx_pkts, 3);
    assert.equal((await read(directory, 'tunnel-delta.json'))[0]!.rx_pkts, 2);
    await files.close();
    assert.equal((await read(directory, 'tunnel-delta.json'))[0]!.rx_pkts, 2);
  });

  it('hold the last epoch at close, whatever became of the batch that was lent', async (t) => {
    const directory = await directoryFor(t);
    const files = await JsonFiles.open(directory, { clock: () => 0 });
    for (const epoch of [1, 2, 3]) {
      const batch = batchOf(ping(128, epoch), { epoch });
      await files.write(batch);
      structuredClone(batch.columns, { transfer: transferables(batch.columns) });
    }
    await files.close();
    const { epoch, flows } = JSON.parse(await readFile(join(directory, 'flows.json'), 'utf8'));
    assert.equal(epoch, 3);
    assert.deepEqual(
      flows.map((flow: { packets: number }) => flow.packets),
      [3, 3],
    );
  });

  it('hold every field of the newest epoch with its bounds, seen lines and ledger', async (t) => {
    const directory = await directoryFor(t);
    const files = await JsonFiles.open(directory, { clock: () => 1_700_000_000_000 });
    const ledger = [
      { ifindex: 2, direction: 0, reason: 'ipv4_truncated', level: 1, packets: 1n, octets: 20n },
    ] as const;
    await files.write(batchOf(ping(128, 1), { ledger }));
    const { flows, seen, ...head } = JSON.parse(await readFile(join(directory, 'flows.json'), 'utf8'));
    assert.deepEqual(head, {
      agent: 'agent',
      epoch: 1,
      startMs: 1000,
      endMs: 2000,
      writtenAt: '2023-11-14T22:13:20.000Z',
      ledger: [{ ifindex: 2, direction: 0, reason: 'ipv4_truncated', level: 1, packets: 1, octets: 20 }],
    });
    assert.deepEqual(Object.keys(flows[0]), MEMBERS);
    assert.deepEqual(seen[0], { ifindex: 2, direction: 0, packets: 2, octets: 240 });
  });

  it('count an epoch that comes twice once', async (t) => {
    const directory = await directoryFor(t);
    const files = await JsonFiles.open(directory, { periodSeconds: 0 });
    await files.write(batchOf(ping(128, 1)));
    await files.write(batchOf(ping(128, 1)));
    assert.equal((await read(directory, 'tunnel.json'))[0]!.rx_pkts, 1);
  });
});

describe('failures of the files', () => {
  it('say at once that the directory is missing or no directory', async (t) => {
    const directory = await directoryFor(t);
    await assert.rejects(JsonFiles.open(join(directory, 'none')), (error) => {
      assert.ok(error instanceof ExportError);
      assert.equal(error.code, 'EXPORT_DIRECTORY_MISSING');
      assert.equal(error.path, join(directory, 'none'));
      assert.match(error.message, /the directory does not exist; create it/);
      return true;
    });
    await writeFile(join(directory, 'file'), '');
    await assert.rejects(JsonFiles.open(join(directory, 'file')), { code: 'EXPORT_NOT_A_DIRECTORY' });
  });

  it('name a full, a read-only and a forbidden place', () => {
    const failure = (code: string): string =>
      ExportError.from(Object.assign(new Error(code), { code }), '/x').code;
    assert.deepEqual(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EIO'].map(failure), [
      'EXPORT_NO_SPACE',
      'EXPORT_NO_SPACE',
      'EXPORT_READ_ONLY',
      'EXPORT_NOT_PERMITTED',
      'EXPORT_FAILED',
    ]);
  });

  it('leave the last good files, no litter and no lost count', async (t) => {
    const directory = await directoryFor(t);
    let now = 0;
    const files = await JsonFiles.open(directory, { clock: () => now });
    await files.write(batchOf(ping(128, 1), { epoch: 1 }));
    // A directory in the place of the second file to be made: writing it fails.
    await mkdir(join(directory, 'tunnel-delta.json.new'));
    now = 5000;
    await assert.rejects(files.write(batchOf(ping(128, 1), { epoch: 2 })), { name: 'ExportError' });
    assert.equal((await read(directory, 'tunnel.json'))[0]!.rx_pkts, 1);
    assert.ok(!(await readdir(directory)).includes('tunnel.json.new'));
    await rm(join(directory, 'tunnel-delta.json.new'), { recursive: true });
    now = 10_000;
    await files.write(batchOf(ping(128, 1), { epoch: 3 }));
    assert.equal((await read(directory, 'tunnel.json'))[0]!.rx_pkts, 3);
    assert.equal((await read(directory, 'tunnel-delta.json'))[0]!.rx_pkts, 2);
  });
});
