/**
 * A cable that loses, repeats and reorders: what the hook in front of its queue counted, what the queue says it did, and
 * what the hook behind the cable counted add up to the packet. The cable lies between two bridges, with a host at each.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { ipBatch, writeSettings } from '../src/lab/command.ts';
import type { Duty } from '../src/lab/duty.ts';
import { isLacking, Rig } from './devices/rig.ts';
import { type Metered, sumOf } from './metering.ts';
import { scaled } from './scale.ts';

const MIDDLE = 'tsnetem-m';
const SENDER = 'tsnetem-a';
const RECEIVER = 'tsnetem-b';
const ADDRESS = { [SENDER]: '10.6.0.1', [RECEIVER]: '10.6.0.2' } as const;
const PORT = 7300;
const SIZE = 400;
/** So many that a queue which keeps its percentage cannot do nothing. */
const DATAGRAMS = scaled(2000, 400);
const PER_SECOND = 1000;
const NEAR = 'near';
const FAR = 'far';
const VNI = 6001;

/** The part of `tc -s -j qdisc` that is used. */
interface Queue {
  readonly kind: string;
  readonly packets: number;
  readonly bytes: number;
  readonly drops: number;
  readonly qlen: number;
}

let rig: Rig;

before(async () => {
  const namespaces = [MIDDLE, SENDER, RECEIVER];
  const talkers = [SENDER, RECEIVER];
  rig = await Rig.open({ namespaces, talkers, metered: MIDDLE, interfaces: [NEAR, FAR] });
  const withoutIpv6 = ['all', 'default'].map((each) => [`ipv6/conf/${each}/disable_ipv6`, 1] as const);
  for (const name of namespaces) await writeSettings(name, withoutIpv6);
  await makeHost(SENDER, { port: 'a', here: 1, there: 2 });
  await makeHost(RECEIVER, { port: 'b', here: 2, there: 1 });
});
after(() => rig[Symbol.asyncDispose]());

/**
 * A host behind a bridge of its own, with an end of the tunnel. Neighbours are known from the beginning: their questions
 * might get lost too.
 */
async function makeHost(
  name: string,
  { port, here, there }: { readonly port: string; readonly here: number; readonly there: number },
): Promise<void> {
  const mac = (network: number, host: number): string => `02:00:00:00:0${network}:0${host}`;
  const neighbour = (network: number, device: string): string =>
    `neigh add 10.${network}.0.${there} lladdr ${mac(network, there)} dev ${device} nud permanent`;
  const ends = `local 10.5.0.${here} remote 10.5.0.${there}`;
  await ipBatch(MIDDLE, [
    `link add name ${port} type veth peer name eth0 address ${mac(5, here)} netns ${name}`,
    `link add name br-${port} type bridge mcast_snooping 0`,
    `link set dev ${port} master br-${port} up`,
    `link set dev br-${port} up`,
  ]);
  await ipBatch(name, [
    `addr add 10.5.0.${here}/24 dev eth0`,
    'link set eth0 up',
    neighbour(5, 'eth0'),
    `link add vx address ${mac(6, here)} type vxlan id ${VNI} dstport 4789 ${ends}`,
    `addr add 10.6.0.${here}/24 dev vx`,
    'link set vx mtu 1400 up',
    neighbour(6, 'vx'),
  ]);
}

/** Lays the cable with a queue at its near end; from the first packet on it is there and metered. */
async function layCable(...netem: readonly string[]): Promise<void> {
  await ipBatch(MIDDLE, [
    `link add ${NEAR} type veth peer name ${FAR}`,
    `link set ${NEAR} master br-a`,
    `link set ${FAR} master br-b`,
  ]);
  const words = ['-n', MIDDLE, 'qdisc', 'add', 'dev', NEAR, 'root', 'netem', 'limit', '10000', ...netem];
  execFileSync('tc', words, { stdio: 'pipe' });
  await rig.metering(NEAR, FAR);
  await ipBatch(MIDDLE, [`link set ${FAR} up`, `link set ${NEAR} up`]);
}

function queue(): Queue {
  const words = ['-n', MIDDLE, '-s', '-j', 'qdisc', 'show', 'dev', NEAR];
  const all = JSON.parse(execFileSync('tc', words, { encoding: 'utf8' })) as Queue[];
  return all.find(({ kind }) => kind === 'netem')!;
}

/** Sends datagrams through the tunnel over the cable. */
async function send(): Promise<number> {
  const rate = { size: SIZE, perSecond: PER_SECOND, count: DATAGRAMS };
  const stream = { kind: 'udp', from: 'host0', to: 'host1', ...rate } as const;
  const here = { address: ADDRESS[SENDER], port: PORT };
  const there = { address: ADDRESS[RECEIVER], port: PORT };
  const sending: Duty = { id: 1, role: 'send', local: here, remote: there, stream };
  await rig.generator(RECEIVER).open([{ ...sending, role: 'receive', local: there, remote: here }]);
  await rig.generator(SENDER).open([sending]);
  const { tallies } = await rig.generator(SENDER).run();
  return tallies.get(1)!.sentMessages;
}

/** Waits until nothing passes any more; says what the hooks and the queue have counted by then. */
async function settled(): Promise<{ readonly metered: Metered; readonly queue: Queue }> {
  for (;;) {
    const before = queue();
    const metered = await rig.settled();
    if (before.qlen === 0 && isDeepStrictEqual(queue(), before)) return { metered, queue: before };
  }
}

/** What the hooks at both ends of the cable saw of everything, and of the datagrams alone. */
function seenAt({ batches, records }: Metered) {
  const points = batches.flatMap(({ points }) => points);
  const at = (name: string, direction: 0 | 1) => {
    const ifindex = points.find(({ interfaceName }) => interfaceName === name)!.ifindex;
    const lines = batches
      .flatMap(({ seen }) => seen)
      .filter((line) => line.ifindex === ifindex && line.direction === direction);
    const sum = (counter: 'packets' | 'octets'): number =>
      lines.reduce((total, line) => total + Number(line[counter]), 0);
    const datagrams = records.filter(
      (record) =>
        record.ifindex === ifindex &&
        record.direction === (direction ? 'egress' : 'ingress') &&
        record.source === ADDRESS[SENDER] &&
        record.destinationPort === PORT,
    );
    return { packets: sum('packets'), octets: sum('octets'), datagrams: sumOf(datagrams, {}).packets };
  };
  return { near: at(NEAR, 1), far: at(FAR, 0) };
}

/** What netem is told, and what it may do then: how many it may drop and repeat of so many. */
const CASES = [
  { name: 'netem: loss of 10 %', netem: ['loss', '10%'], drops: true, repeats: false },
  { name: 'netem: duplication of 10 %', netem: ['duplicate', '10%'], drops: false, repeats: true },
  {
    name: 'netem: reordering of 25 %',
    netem: ['delay', '5ms', 'reorder', '25%', '50%'],
    drops: false,
    repeats: false,
  },
] as const;

for (const { name, netem, drops, repeats } of CASES) {
  test(name, async (t) => {
    try {
      await layCable(...netem);
      const sent = await send();
      const { metered, queue: counted } = await settled();
      const { near, far } = seenAt(metered);
      const repeated = counted.packets + counted.drops - near.packets;
      t.diagnostic(`${near.packets} in, ${counted.drops} dropped, ${repeated} repeated, ${far.packets} out`);
      assert.deepEqual([counted.drops > 0, repeated > 0, repeated < 0], [drops, repeats, false]);
      assert.deepEqual(
        [far.packets, far.octets],
        [counted.packets, counted.bytes],
        'all that left the queue',
      );
      const { tallies } = await rig.generator(RECEIVER).run(far.datagrams);
      const received = tallies.get(1)!.receivedMessages;
      assert.deepEqual([sent, near.datagrams, received], [DATAGRAMS, DATAGRAMS, far.datagrams]);
      assert.deepEqual([received < sent, received > sent], [drops, repeats]);
    } catch (error) {
      if (isLacking(error)) return t.skip('this kernel has no netem');
      throw error;
    } finally {
      await rig.clear(NEAR);
    }
  });
}
