/**
 * Real devices of the kernel: whatever goes through one, the meter says of the device and of the cable under it what
 * the two ends say that they sent. Those that this kernel lacks are skipped; `npm run test:vm` has kernels with all.
 */
import { after, before, test } from 'node:test';
import { writeSettings } from '../src/lab/command.ts';
import { DEVICES } from './devices/devices.ts';
import { exchange, HOSTS, lay, takeAway } from './devices/exchange.ts';
import { assertAudited, assertExact } from './devices/expectation.ts';
import { Rig } from './devices/rig.ts';

/**
 * On a slow machine packets overtake each other, and TCP takes that for losses. What it then sends again could only be
 * bounded. And no options: which of its segments have how many is its own choice (one that resets has none).
 */
const PATIENT_TCP = [
  ['ipv4/tcp_early_retrans', 0],
  ['ipv4/tcp_recovery', 0],
  ['ipv4/tcp_reordering', 200],
  ['ipv4/tcp_sack', 0],
  ['ipv4/tcp_timestamps', 0],
  ['ipv4/tcp_window_scaling', 0],
] as const;

let rig: Rig;

before(async () => {
  const namespaces = Object.values(HOSTS);
  const interfaces = ['under', 'tunnel'];
  rig = await Rig.open({ namespaces, talkers: namespaces, metered: HOSTS[1], interfaces });
  for (const name of namespaces) await writeSettings(name, PATIENT_TCP);
});
after(() => rig[Symbol.asyncDispose]());

for (const device of DEVICES) {
  test(device.name, async (t) => {
    try {
      const places = await lay(rig, device);
      if (typeof places === 'string') return t.skip(places);
      const exchanged = await exchange(rig, device);
      const metered = await rig.settled();
      assertExact(device, places, metered, exchanged);
      assertAudited(places, metered);
      if (exchanged.retransmitted > 0) t.diagnostic(`TCP sent ${exchanged.retransmitted} segments again`);
    } finally {
      await takeAway(rig, device);
    }
  });
}
