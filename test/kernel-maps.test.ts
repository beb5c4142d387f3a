/** The meter's maps: what is a flow of its own, what happens when they are full, and when packets were seen. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, afterEach, test } from 'node:test';
import { possibleCpus, testRunAsync } from '../src/bpf/index.ts';
import { REMARK } from '../src/flow/index.ts';
import { type Packet, packet, type Verdict } from '../src/wire/index.ts';
import { scaled } from './scale.ts';
import { Trial } from './trial.ts';

const trial = new Trial();
afterEach(async () => void (await trial.settle()));
after(() => trial[Symbol.dispose]());

const outer4 = packet().eth().ipv4({ source: '192.0.2.1', destination: '192.0.2.2' });
const outer6 = packet().eth().ipv6({ source: '2001:db8::1', destination: '2001:db8::2' });

function vxlan(vni: number, { outer = outer4, port = 4789 } = {}): Packet {
  return outer.udp({ sourcePort: 50_000, destinationPort: port }).vxlan(vni).eth();
}

/** The overflow record of a packet's tunnel: all that remains is the tunnel. */
function overflowOf(each: Packet): Verdict {
  const { record } = each.model();
  assert.ok(record);
  const lost = {
    tunnel2Kind: 0,
    tunnel2Id: 0,
    network: 0,
    source: '::',
    destination: '::',
    protocol: 0,
    ethertype: 0,
  };
  const places = { sourcePort: 0, destinationPort: 0, icmpTypeCode: 0, cast: 0, fragment: 0 };
  const tags = { vlan: 0, secondVlan: 0, innerVlan: 0, innerSecondVlan: 0 };
  const tunnelDepth = Math.min(1, record.tunnelDepth);
  return { record: { ...record, ...lost, ...places, ...tags, tunnelDepth, remark: REMARK.overflow } };
}

function run(...packets: readonly Packet[]): void {
  for (const each of packets) trial.run(each.build(), each.model());
}

test('two tenants with equal inner addresses are two flows by their VNI', async () => {
  run(vxlan(5001).ipv4().tcp().payload(9), vxlan(5002).ipv4().tcp().payload(9));
  const { columns, length } = await trial.settle();
  assert.equal(length, 2);
  assert.deepEqual([...columns.tunnelId].toSorted(), [5001, 5002]);
  assert.deepEqual(columns.source.subarray(0, 16), columns.source.subarray(16));
});

test('the same inner flow between other tunnel endpoints is another flow', async () => {
  const elsewhere = packet().eth().ipv4({ source: '192.0.2.1', destination: '192.0.2.3' });
  run(
    vxlan(5).ipv4().tcp(),
    vxlan(5, { outer: elsewhere }).ipv4().tcp(),
    vxlan(5, { outer: outer6 }).ipv4().tcp(),
  );
  assert.equal((await trial.settle()).length, 3);
});

test('the outer source port is entropy: it makes no flow of its own', async () => {
  for (const sourcePort of [50_000, 50_001]) {
    const each = outer4.udp({ sourcePort, destinationPort: 4789 }).vxlan(5).eth().ipv4().tcp();
    trial.run(each.build(), { record: { ...each.model().record!, outerSourcePort: 50_000 } });
  }
  assert.equal((await trial.settle()).length, 1);
});

test('IPv4 and IPv6 mix inside and outside of tunnels', async () => {
  for (const outer of [outer4, outer6])
    run(vxlan(6, { outer }).ipv4().udp(), vxlan(6, { outer }).ipv6().udp());
  assert.equal((await trial.settle()).length, 4);
});

test('ports 4789 and 8472 carry VXLAN unless told otherwise', () => {
  for (const port of [4789, 8472]) assert.equal(vxlan(8, { port }).arp().model().record?.tunnelId, 8);
  run(vxlan(8, { port: 4789 }).arp(), vxlan(8, { port: 8472 }).arp(), vxlan(8, { port: 4788 }).arp());
});

test('ports of the user carry VXLAN, and then the default ones do not', async () => {
  const vxlanPorts = [1, 2, 3, 4, 5, 6, 7, 65_535];
  using other = new Trial({ ports: { vxlan: vxlanPorts } });
  for (const port of [...vxlanPorts, 4789, 8472, 0]) {
    const each = vxlan(9, { port }).ipv4().tcp();
    const verdict = each.model({ ports: { vxlan: vxlanPorts } });
    assert.equal(verdict.record?.tunnelKind, vxlanPorts.includes(port) ? 1 : 0);
    other.run(each.build(), verdict);
  }
  await other.settle();
});

test('without any port there is no tunnel', async () => {
  using other = new Trial({ ports: { vxlan: [] } });
  for (const port of [4789, 0]) {
    const each = vxlan(9, { port }).ipv4().tcp();
    other.run(each.build(), each.model({ ports: { vxlan: [] } }));
  }
  await other.settle();
});

test('a ping of N octets inside VXLAN is N + 92 octets, and so is an ARP packet with N = 0', async () => {
  for (const octets of [0, 56, 1000, 1358]) {
    const ping = vxlan(10).ipv4().icmp({ identifier: 99 }).payload(octets);
    run(ping);
    const { columns } = await trial.settle();
    assert.equal(columns.octets[0], BigInt(octets + 92));
    assert.equal(columns.payloadOctets[0], BigInt(octets));
    assert.equal(columns.sourcePort[0], 99);
  }
  run(vxlan(10).arp());
  assert.equal((await trial.settle()).columns.octets[0], 92n);
});

test('broadcast and multicast of the outermost frame are flows of their own', async () => {
  const casts: Record<string, number> = {
    '02:00:00:00:00:02': 0,
    '01:00:5e:00:00:01': 1,
    '33:33:00:00:00:01': 1,
    'ff:ff:ff:ff:ff:fe': 1,
    'ff:ff:ff:ff:ff:ff': 2,
  };
  for (const [destination, cast] of Object.entries(casts)) {
    const each = packet()
      .eth({ destination })
      .ipv4()
      .udp({ destinationPort: 1 + cast });
    assert.equal(each.model().record?.cast, cast);
    trial.run(each.build(), { record: { ...each.model().record!, destinationMac: firstOf(casts, cast) } });
  }
  assert.equal((await trial.settle()).length, 3);
  const inner = outer4
    .udp({ destinationPort: 4789 })
    .vxlan(1)
    .eth({ destination: 'ff:ff:ff:ff:ff:ff' })
    .arp();
  assert.equal(inner.model().record?.cast, 0);
  run(inner);
});

function firstOf(casts: Record<string, number>, cast: number): string {
  return Object.entries(casts).find(([, value]) => value === cast)![0];
}

test('directions and interfaces are points of their own', async (t) => {
  const each = packet().eth().ipv4().udp();
  const frame = each.build();
  trial.run(frame, each.model());
  trial.run(frame, each.model(), { egress: true });
  const ifindex = readdirSync('/sys/class/net')
    .flatMap((name) => {
      const path = `/sys/class/net/${name}/ifindex`;
      return name === 'bonding_masters' ? [] : [Number(readFileSync(path, 'utf8'))];
    })
    .find((index) => index > 1);
  if (ifindex === undefined) t.diagnostic('there is no interface but loopback: interfaces were not compared');
  else trial.run(frame, each.model(), { skb: { ifindex } });
  assert.equal((await trial.settle()).length, ifindex === undefined ? 2 : 3);
});

test('when the flow cache is full, all octets of a tunnel stay in its overflow record', async () => {
  const flows = 8;
  for (const [capacities, beginnings] of [
    [{ narrow: flows }, [vxlan(21), vxlan(22), packet().eth(), packet().eth().vlan(7), vxlan(23).vlan(7)]],
    [{ wide: flows }, [vxlan(21, { outer: outer6 }), vxlan(22, { outer: outer6 })]],
    [
      { wide: flows },
      [
        vxlan(21).ipv4().udp({ destinationPort: 4789 }).vxlan(31).eth(),
        vxlan(22).ipv6().udp({ destinationPort: 4789 }).vxlan(32).eth(),
      ],
    ],
  ] as const) {
    using tiny = new Trial({ capacities, cachePlaces: 0 });
    for (let round = 0; round < 3; round++) {
      let number = 0;
      for (const beginning of beginnings) {
        for (let i = 0; i < 6; i++) {
          const each = beginning
            .ipv4()
            .udp({ sourcePort: 1000 + i })
            .payload(i * 10);
          const verdict = number++ < flows ? each.model() : overflowOf(each);
          for (let times = 0; times <= round; times++) tiny.run(each.build(), verdict);
        }
      }
      await tiny.settle();
    }
  }
});

test('when the overflow records are full too, the ledger says so', async () => {
  using tiny = new Trial({ capacities: { narrow: 1, wide: 1, overflow: 1 }, cachePlaces: 0 });
  const first = vxlan(41).ipv4().udp();
  tiny.run(first.build(), first.model());
  const second = vxlan(42).ipv4().udp();
  tiny.run(second.build(), overflowOf(second));
  const third = vxlan(43).ipv4().udp();
  for (let i = 0; i < 5; i++) tiny.run(third.build(), { reason: 'overflow_full', level: 1 });
  tiny.run(packet().eth().ipv4().tcp().build(), { reason: 'overflow_full', level: 0 });
  tiny.run(second.build(), overflowOf(second));
  tiny.run(first.build(), first.model());
  await tiny.settle();
  tiny.run(third.build(), third.model());
  await tiny.settle();
});

test('a flow that had a record before the cache was full keeps it', async () => {
  using tiny = new Trial({ capacities: { narrow: 2 }, cachePlaces: 0 });
  const flows = [1, 2, 3].map((sourcePort) => packet().eth().ipv4().udp({ sourcePort }));
  for (const i of [0, 1, 2, 0, 1, 2])
    tiny.run(flows[i]!.build(), i < 2 ? flows[i]!.model() : overflowOf(flows[i]!));
  await tiny.settle();
});

test('flows that push each other out of the per-CPU cache are counted as without it', async () => {
  for (const cachePlaces of [0, 2, 16, 2048]) {
    using crowded = new Trial({ cachePlaces });
    for (let epoch = 0; epoch < 3; epoch++) {
      for (let i = 0; i < 600; i++) {
        // Hot and cold ones, of both shapes and of changing lengths, in an order that changes.
        const flow = (i * i + epoch) % 47;
        const beginning = flow % 3 === 0 ? vxlan(flow, { outer: outer6 }) : vxlan(flow);
        const each = beginning
          .ipv4()
          .udp({ sourcePort: 1000 + flow })
          .payload((i * 7) % 90);
        crowded.run(each.build(), each.model());
      }
      await crowded.settle();
    }
  }
});

test('a cached record in the way that finds no row in the table stays, and the newcomer goes to overflow', async () => {
  using tiny = new Trial({ capacities: { narrow: 1 }, cachePlaces: 2 });
  for (let i = 0; i < 200; i++)
    tiny.run(
      vxlan(7)
        .ipv4()
        .udp({ sourcePort: 1 + (i % 20) })
        .build(),
      undefined,
    );
  const { length } = await tiny.drain();
  const most = 1 + 2 * possibleCpus() + 1;
  assert.ok(length <= most, `${length} records: of the table one, of each CPU two, of overflow one`);
});

test('what finds no place in the ledger is counted as such', async () => {
  using tiny = new Trial({ capacities: { ledger: 1 } });
  tiny.run(vxlan(1).build().subarray(0, 60), { reason: 'ipv4_total_length', level: 0 });
  for (let i = 0; i < 3; i++)
    tiny.run(vxlan(1).build().subarray(0, 59), { reason: 'ipv4_total_length', level: 0 });
  for (let i = 0; i < 3; i++) {
    tiny.run(packet().eth().vlan(1).build().subarray(0, 14), { reason: 'ledger_full', level: 0 });
  }
  await tiny.settle();
});

test('first and last packet are stamped when they were seen', async () => {
  const each = packet().eth().ipv4().udp();
  const frame = each.build();
  const startMs = Date.now();
  let count = 0;
  while (Date.now() - startMs < 300) {
    trial.run(frame, each.model());
    count++;
  }
  const endMs = Date.now();
  const { columns } = await trial.settle();
  assert.equal(columns.packets[0], BigInt(count));
  // A stamp is a tick of jiffies, at most 10 ms long, and ticks begin anywhere.
  const slackMs = 20;
  assert.ok(
    Math.abs(columns.firstMs[0]! - startMs) <= slackMs,
    `first ${columns.firstMs[0]! - startMs} ms off`,
  );
  assert.ok(Math.abs(columns.lastMs[0]! - endMs) <= slackMs, `last ${columns.lastMs[0]! - endMs} ms off`);
});

for (const cachePlaces of [undefined, 2, 0]) {
  const cache = cachePlaces === undefined ? 'with caches' : `with ${cachePlaces} places of a cache`;
  test(`two CPUs count the same flows while epochs change, and no packet is lost or counted twice, ${cache}`, async () => {
    using busy = new Trial(cachePlaces === undefined ? {} : { cachePlaces });
    const frame = vxlan(50).ipv6().tcp().payload(7).build();
    const repeat = scaled(3_000_000);
    const sum = { seen: 0n, records: 0n, octets: 0n, epochs: 0 };
    let running = 2;
    const runs = [busy.meter.ingress, busy.meter.ingress].map(async (program) => {
      await testRunAsync(program, { packet: frame, repeat });
      running--;
    });
    for (let isLast = false; !isLast; ) {
      isLast = running === 0;
      const parity = await busy.meter.flip();
      const { seen, ledger, columns, length } = busy.meter.read(parity, Date.now());
      busy.meter.clear(parity);
      assert.deepEqual(ledger, []);
      // Without a cache each CPU may make a row at the same moment.
      assert.ok(length <= (cachePlaces === 0 ? possibleCpus() : 1), `${length} records of one flow`);
      for (const line of seen) sum.seen += line.packets;
      for (let row = 0; row < length; row++) {
        sum.records += columns.packets[row]!;
        sum.octets += columns.octets[row]!;
      }
      if (length > 0) sum.epochs++;
    }
    await Promise.all(runs);
    const all = BigInt(2 * repeat);
    assert.deepEqual(
      { ...sum, epochs: sum.epochs > 1 },
      { seen: all, records: all, octets: all * BigInt(frame.byteLength), epochs: true },
    );
  });
}

test('an epoch without packets is empty', async () => {
  const epoch = await trial.settle();
  assert.deepEqual([epoch.length, epoch.seen.length, epoch.ledger.length], [0, 0, 0]);
});
