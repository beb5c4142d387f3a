/**
 * Real devices of the kernel: whatever goes through one, the meter says of the device and of the cable under it what
 * the two ends say that they sent. Those that this kernel lacks are skipped; `npm run test:vm` has kernels with all.
 */
import { after, before, test } from 'node:test';
import { writeSettings } from '../src/lab/command.ts';
import { DEVICES } from './devices/devices.ts';
import { exchange, HOSTS, lay } from './devices/exchange.ts';
import { assertExact } from './devices/expectation.ts';
import { Rig } from './devices/rig.ts';

let rig: Rig;

before(async () => {
  const namespaces = Object.values(HOSTS);
  const interfaces = ['under', 'tunnel'];
  rig = await Rig.open({ namespaces, talkers: namespaces, metered: HOSTS[1], interfaces });
  // On a slow machine TCP would probe for losses that are none, and what is sent twice can only be bounded.
  const patient = ['ipv4/tcp_early_retrans', 'ipv4/tcp_recovery'].map((path) => [path, 0] as const);
  for (const name of namespaces) await writeSettings(name, patient);
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
      if (exchanged.retransmitted > 0) t.diagnostic(`TCP sent ${exchanged.retransmitted} segments again`);
    } finally {
      await rig.clear('tunnel', 'service', 'under');
    }
  });
}
