/** What the cable's records must say of a tunnel that the meter cannot know: datagrams, one for each packet. */
import assert from 'node:assert/strict';
import { type Metered, sumOf } from '../metering.ts';
import { type Device, outerAddress } from './device.ts';
import type { Places } from './exchange.ts';

const UDP_PROTOCOL = 17;
const DIRECTIONS = [
  { direction: 'egress', from: 1 },
  { direction: 'ingress', from: 2 },
] as const;

/** Asserts that the cable carried each packet of the device in a datagram of its own, as long as it and the headers. */
export function assertPlain(device: Device, places: Places, { records }: Metered): void {
  for (const { direction, from } of DIRECTIONS) {
    const at = records.filter((each) => each.direction === direction);
    const inside = sumOf(at, { ifindex: places.tunnel! });
    const outside = at.filter(
      (each) =>
        each.ifindex === places.under &&
        each.network === `ipv${device.outer!}` &&
        each.source === outerAddress(device.outer!, from) &&
        each.destination === outerAddress(device.outer!, 3 - from),
    );
    for (const { protocol, destinationPort, tunnels, mark } of outside) {
      const found = { protocol, destinationPort, tunnels, mark };
      const expected = { protocol: UDP_PROTOCOL, destinationPort: device.plainPort, tunnels: [], mark: null };
      assert.deepEqual(found, expected, direction);
    }
    const { wirePackets, wireOctets } = sumOf(outside, {});
    assert.ok(wirePackets > 0);
    assert.deepEqual(
      { wirePackets, wireOctets },
      {
        wirePackets: inside.wirePackets,
        wireOctets: inside.wireOctets + device.headers * inside.wirePackets,
      },
      `a datagram for each packet ${direction}`,
    );
  }
}
