import assert from 'node:assert/strict';
import { it } from 'node:test';
import { batchOf, MEMBERS } from '../flow/batch.fixture.ts';
import { decodeRecord } from '../flow/index.ts';
import { formatFlowJson } from './index.ts';

const BATCH = batchOf([
  {
    tunnel: ['172.16.1.100', '172.16.1.101', 10001],
    between: ['fd00::1', 'fd00::2'],
    protocol: 58,
    icmp: [128, 0],
    ports: [17, 0],
    vlan: 5,
    octets: 2n ** 60n,
    packets: 3,
    firstMs: 1_700_000_000_123,
    lastMs: 1_700_000_000_999,
    macs: ['02:00:00:00:00:01', '02:00:00:00:00:02'],
  },
  { arp: true, between: ['10.0.0.1', '10.0.0.2'], octets: 42, packets: 1, remark: 2 },
]);

const text = (...words: Parameters<typeof formatFlowJson>): string => [...formatFlowJson(...words)].join('');

it('writes one line per record with every field decoded', () => {
  const lines = text(BATCH).trimEnd().split('\n');
  const [ping, arp] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(Object.keys(ping!), ['agent', 'epoch', 'interfaceName', ...MEMBERS]);
  const { agent, epoch, interfaceName, ...fields } = ping!;
  assert.deepEqual([agent, epoch, interfaceName], ['agent', 1, 'eth0']);
  assert.deepEqual(fields, {
    ifindex: 2,
    direction: 'ingress',
    tunnels: [{ kind: 'vxlan', id: 10001 }],
    mark: null,
    outerNetwork: 'ipv4',
    outerSource: '172.16.1.100',
    outerDestination: '172.16.1.101',
    network: 'ipv6',
    source: 'fd00::1',
    destination: 'fd00::2',
    protocol: 58,
    sourcePort: 17,
    destinationPort: 0,
    icmpTypeCode: { type: 128, code: 0 },
    ethertype: 0x86dd,
    vlan: 5,
    secondVlan: null,
    innerVlan: null,
    innerSecondVlan: null,
    cast: 'unicast',
    fragment: 'whole',
    remark: [],
    octets: '1152921504606846976',
    packets: 3,
    wireOctets: '1152921504606846976',
    wirePackets: 3,
    payloadOctets: 0,
    firstMs: '2023-11-14T22:13:20.123Z',
    lastMs: '2023-11-14T22:13:20.999Z',
    tcpFlags: 0,
    dscp: 0,
    outerSourcePort: 0,
    shortest: 0,
    longest: 0,
    sourceMac: '02:00:00:00:00:01',
    destinationMac: '02:00:00:00:00:02',
  });
  assert.deepEqual(
    [arp!.tunnels, arp!.outerSource, arp!.network, arp!.icmpTypeCode, arp!.remark],
    [[], null, 'arp', null, ['notTunnel']],
  );
});

it('writes the stack of tunnels from the outside in, and what marks the flow', () => {
  const nested = batchOf([
    {
      tunnel: ['10.0.0.1', '10.0.0.2', 0],
      tunnels: [
        ['gtp-u', 0x1a2b],
        ['ipip', 0],
        ['gre', 5],
      ],
      mark: ['esp', 0xdead_beef],
      between: ['fd00::1', 'fd00::2'],
      protocol: 50,
      fragment: 1,
      remark: 12,
      octets: 1,
      packets: 1,
    },
  ]);
  const { tunnels, mark, remark, fragment } = JSON.parse(text(nested));
  assert.deepEqual(tunnels, [
    { kind: 'gtp-u', id: 0x1a2b },
    { kind: 'ipip', id: null },
    { kind: 'gre', id: 5 },
  ]);
  assert.deepEqual(mark, { kind: 'esp', id: 0xdead_beef });
  assert.deepEqual([remark, fragment], [['guessed', 'critical'], 'fragment']);
});

it('writes the unspecified address of IPv6, which has one, and no address of frames without', () => {
  const batch = batchOf([
    { between: ['::', 'ff02::1:ff00:1'], protocol: 58, icmp: [135, 0], octets: 86, packets: 1 },
    { macs: ['02:00:00:00:00:01', '02:00:00:00:00:02'], octets: 60, packets: 1 },
  ]);
  const [solicitation, frame] = text(batch)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    [solicitation.source, solicitation.destination, solicitation.outerSource],
    ['::', 'ff02::1:ff00:1', null],
  );
  assert.deepEqual([frame.source, frame.destination], [null, null]);
});

it('writes only the accepted records', () => {
  const lines = text(BATCH, (_, row) => row === 1);
  assert.equal(lines, text(BATCH).split(/^/m)[1]);
});

it('writes what JSON.stringify makes of the decoded record, octet by octet', () => {
  const head = { agent: BATCH.agent, epoch: BATCH.epoch, interfaceName: 'eth0' };
  const lines = Array.from({ length: BATCH.length }, (_, row) =>
    JSON.stringify({ ...head, ...decodeRecord(BATCH.columns, row) }),
  );
  assert.equal(text(BATCH), `${lines.join('\n')}\n`);
});

it('writes times of any second as ISO 8601 does', () => {
  const times = [0, 999, 1000, -1, -1000.5, 1_700_000_000_123.9, 1_700_000_000_124, 8.64e15, -8.64e15];
  const flows = times.map((firstMs, i) => ({
    between: ['10.0.0.1', `10.0.0.${i}`] as const,
    octets: 60,
    packets: 1,
    firstMs,
    lastMs: firstMs,
  }));
  const written = text(batchOf(flows))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).firstMs);
  assert.deepEqual(
    written,
    times.map((time) => new Date(time).toISOString()),
  );
});
