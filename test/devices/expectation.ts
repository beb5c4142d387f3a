/** What the records of a device and of the cable under it must say of what went through. */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { DecodedRecord } from '../../src/flow/index.ts';
import { LiveView } from '../../src/live/index.ts';
import { type Metered, sumOf } from '../metering.ts';
import { type Device, IP, innerAddress, outerAddress } from './device.ts';
import { assertEncrypted } from './encryption.ts';
import { type Exchange, isOpaque, type Places, type Sent } from './exchange.ts';
import { assertPlain } from './plain.ts';

type Labels = Readonly<Record<string, unknown>>;

const PROTOCOLS = { ping: { 4: 1, 6: 58 }, udp: { 4: 17, 6: 17 }, tcp: { 4: 6, 6: 6 } } as const;
/** Of UDP, and of ICMP echo messages. */
const MESSAGE_HEADER = 8;
/** TCP without options, which both ends have off. Only the first segment has one that cannot be off, the longest segment. */
const SEGMENT_HEADER = 20;
const FIRST_SEGMENT_MORE = 4;
/** Echo requests go one way, replies the other; neighbours are sought by the same protocol in IPv6. */
const ECHO = { 4: [8, 0], 6: [128, 129] } as const;
/** Ethernet and the cable's 1500. */
const LONGEST_FRAME = 1514;

/** The labels of packets in no tunnel. */
const PLAIN: Labels = {
  tunnels: [],
  mark: null,
  outerNetwork: 'none',
  outerSource: null,
  outerDestination: null,
  vlan: null,
  secondVlan: null,
  innerVlan: null,
  innerSecondVlan: null,
  cast: 'unicast',
  fragment: 'whole',
  remark: [],
};

/**
 * Asserts that the devices' own counters leave nothing unexplained, in the units that they are known to count in. Not in
 * the epoch of their making: what is sent before the other end is up passes the hook, and ends in a queue that drops all
 * and counts nothing (noop).
 */
export function assertAudited({ tunnel, under }: Places, { batches }: Metered): void {
  const live = new LiveView();
  for (const batch of batches.slice(1)) live.write(batch);
  const points = live.audit().points.filter(({ ifindex }) => ifindex === tunnel || ifindex === under);
  assert.equal(points.length, tunnel === undefined ? 2 : 4);
  for (const { interfaceName, direction, unit, sinceStart } of points) {
    const { counted, expected, outside } = sinceStart;
    const where = `${interfaceName} ${direction} (${unit}): ${JSON.stringify({ counted, expected })}`;
    assert.ok(counted, `${where}: it tells what it counted`);
    assert.deepEqual([outside.packets, outside.octets], [0, 0], where);
  }
}

/** Asserts that the records say exactly what was sent, at the device and on the cable, and that the ledger is empty. */
export function assertExact(device: Device, places: Places, metered: Metered, exchange: Exchange): void {
  assert.deepEqual(metered.ledger, [], 'nothing is left unexplained by a flow');
  const { tunnel, under } = places;
  if (device.isEncrypted) assertEncrypted(device, places, metered);
  else if (device.plainPort !== undefined) assertPlain(device, places, metered);
  for (const sent of exchange.sent) {
    const segments: number[] = [];
    if (tunnel !== undefined) {
      const headers = device.ownHeaders!;
      segments.push(assertAt(metered, { ifindex: tunnel, sent, headers, labels: PLAIN, exchange }));
    }
    if (!isOpaque(device)) {
      const { headers, beside } = device;
      const labels = labelsOf(device, sent);
      segments.push(assertAt(metered, { ifindex: under, sent, headers, labels, beside, exchange }));
    }
    assert.equal(new Set(segments).size, 1, `as many packets of ${inWords(sent)} at the device as below it`);
  }
}

function labelsOf({ tunnels, labels, outer }: Device, { from }: Sent): Labels {
  return {
    ...PLAIN,
    tunnels,
    ...(outer !== undefined && {
      outerNetwork: `ipv${outer}`,
      outerSource: outerAddress(outer, from),
      outerDestination: outerAddress(outer, 3 - from),
    }),
    ...labels,
  };
}

interface Expected {
  readonly ifindex: number;
  readonly sent: Sent;
  /** Octets in front of the IP header. */
  readonly headers: number;
  readonly labels: Labels;
  readonly beside?: number | undefined;
  readonly exchange: Exchange;
}

/** Asserts the records of one direction of a stream at one place; returns how many packets there were on the wire. */
function assertAt(
  metered: Metered,
  { ifindex, sent, headers, labels, beside = 0, exchange }: Expected,
): number {
  const records = recordsOf(metered.records, ifindex, sent);
  const where = `${inWords(sent)} at interface ${ifindex}`;
  assert.ok(records.length > 0, `there are records of ${where}`);
  for (const record of records) {
    const found = Object.fromEntries(Object.keys(labels).map((name) => [name, labelOf(record, name)]));
    assert.deepEqual(found, labels, where);
  }
  const { packets, octets, wirePackets, wireOctets, payloadOctets } = sumOf(records, {});
  const all = headers + IP[sent.version];
  if (sent.kind !== 'tcp') {
    const messages = sent.messages!;
    const expected = messages * (all + MESSAGE_HEADER) + sent.octets;
    assert.deepEqual(
      { packets, octets, wirePackets, wireOctets, payloadOctets },
      {
        packets: messages,
        octets: expected - beside * messages,
        wirePackets: messages,
        wireOctets: expected,
        payloadOctets: sent.octets,
      },
      where,
    );
    return wirePackets;
  }
  const again = payloadOctets - sent.octets;
  const isAgain = exchange.retransmitted > 0;
  assert.ok(isAgain ? again >= 0 : again === 0, `payload of ${where}: ${again} octets more than sent`);
  const segments = wirePackets * (all + SEGMENT_HEADER) + payloadOctets;
  const first = (wireOctets - segments) / FIRST_SEGMENT_MORE;
  // A first segment may have been sent again too.
  const most = 1 + exchange.retransmitted;
  assert.ok(
    Number.isInteger(first) && first >= 1 && first <= most,
    `every segment of ${where} with its headers: ${wireOctets - segments} octets more`,
  );
  for (const { longest } of records)
    assert.ok(Number(longest) <= LONGEST_FRAME, `${longest} octets of ${where}`);
  return wirePackets;
}

/** The records of exactly that direction of that stream. */
function recordsOf(records: readonly DecodedRecord[], ifindex: number, sent: Sent): DecodedRecord[] {
  const { kind, version, from, sourcePort, destinationPort } = sent;
  const direction = from === 1 ? 'egress' : 'ingress';
  return records.filter(
    (record) =>
      record.ifindex === ifindex &&
      record.direction === direction &&
      record.network === `ipv${version}` &&
      record.source === innerAddress(version, from) &&
      record.destination === innerAddress(version, 3 - from) &&
      record.protocol === PROTOCOLS[kind][version] &&
      (kind !== 'ping' ||
        isDeepStrictEqual(record.icmpTypeCode, { type: ECHO[version][from - 1], code: 0 })) &&
      (sourcePort === undefined || record.sourcePort === sourcePort) &&
      (destinationPort === undefined || record.destinationPort === destinationPort),
  );
}

function labelOf(record: DecodedRecord, name: string): unknown {
  return record[name as keyof DecodedRecord];
}

function inWords({ kind, version, from }: Sent): string {
  return `${kind} over IPv${version} from end ${from}`;
}
