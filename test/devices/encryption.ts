/** What the cable's records must say under WireGuard, where nothing of what is inside can be read. */
import assert from 'node:assert/strict';
import type { DecodedRecord, Named } from '../../src/flow/index.ts';
import { type Metered, sumOf } from '../metering.ts';
import { type Device, ETHERNET, IP, outerAddress, UDP } from './device.ts';
import type { Places } from './exchange.ts';

const UDP_PROTOCOL = 17;
/** What is inside is filled up to a multiple of this. */
const PADDING = 16;
/** Lengths of the messages of a handshake: initiation, response. */
const HANDSHAKE = { 'wireguard-initiation': 148, 'wireguard-response': 92 } as const;
/** Empty messages of data, which WireGuard sends where it otherwise had nothing to answer. */
const MOST_KEEPALIVES = 2;

const DIRECTIONS = [
  { direction: 'egress', from: 1, handshake: 'wireguard-initiation' },
  { direction: 'ingress', from: 2, handshake: 'wireguard-response' },
] as const;

/** Asserts that the cable carried one message for each packet of the device, and the handshake, and names them. */
export function assertEncrypted(device: Device, places: Places, { records }: Metered): void {
  const outer = device.outer!;
  const ids = DIRECTIONS.map(({ direction, from, handshake }) => {
    const inside = records.filter((each) => each.ifindex === places.tunnel && each.direction === direction);
    const outside = records.filter(
      (each) =>
        each.ifindex === places.under &&
        each.direction === direction &&
        each.protocol === UDP_PROTOCOL &&
        each.source === outerAddress(outer, from) &&
        each.destination === outerAddress(outer, 3 - from),
    );
    const kinds = (kind: string): DecodedRecord[] => outside.filter((each) => markOf(each)?.kind === kind);
    const greeting = sumOf(kinds(handshake), {});
    assert.ok(greeting.wirePackets > 0, `there is a ${handshake}`);
    const greetingOctets = ETHERNET + IP[outer] + UDP + HANDSHAKE[handshake];
    assert.equal(greeting.wireOctets, greeting.wirePackets * greetingOctets, handshake);

    const messages = sumOf(kinds('wireguard-data'), {});
    const keepalives = messages.wirePackets - sumOf(inside, {}).wirePackets;
    assert.ok(
      keepalives >= 0 && keepalives <= MOST_KEEPALIVES,
      `a message for each packet: ${keepalives} more`,
    );
    const filled = inside.reduce((sum, each) => sum + filledOctets(each), 0);
    const expected = messages.wirePackets * device.headers + filled;
    assert.equal(messages.wireOctets, expected, `every message ${direction}, filled up, with its headers`);

    const named = kinds(handshake).length + kinds('wireguard-data').length;
    assert.equal(named, outside.length, 'nothing but the handshake and messages');
    return { greeting: markOf(kinds(handshake)[0]!)!.id, data: markOf(kinds('wireguard-data')[0]!)!.id };
  });
  // The number that the first end chose comes back in what the other sends it.
  const [sent, received] = ids;
  assert.deepEqual(received, { greeting: sent!.greeting, data: sent!.greeting });
}

function markOf({ mark }: DecodedRecord): Named | null {
  return mark as Named | null;
}

/** Octets of a flow's packets when each is filled up; they are all of one length. */
function filledOctets({ shortest, longest, wirePackets }: DecodedRecord): number {
  assert.equal(shortest, longest, 'one length in a flow');
  return Number(wirePackets) * Math.ceil(Number(longest) / PADDING) * PADDING;
}
