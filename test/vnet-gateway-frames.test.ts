/** Single frames through the gateway's programs, also such as no network card delivers: what becomes of each, and how it counts. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { BpfObject, kernelAtLeast, testRun, testRunAsync } from '../src/bpf/index.ts';
import {
  decodePlace,
  encodeClient,
  encodeSettings,
  encodeWorker,
  indexKey,
  macKey,
} from '../src/vnet/gateway-table.ts';
import { type TagStack, tagsOf, usualTags } from '../src/vnet/gateway-tags.ts';
import { Outcome } from '../src/vnet/gen/gateway.ts';
import { readLedger } from '../src/vnet/ledger.ts';
import { packet } from '../src/wire/index.ts';
import { scaled } from './scale.ts';

const OBJECT = fileURLToPath(new URL('../bpf/vnet/gateway.bpf.o', import.meta.url));
const CLIENT = '02:00:00:00:00:01';
const WORKER = '02:00:00:00:01:01';
/** Where test runs put frames, as trunk and as worker: the loopback interface. */
const LOOPBACK = 1;
/** TC_ACT_SHOT, TC_ACT_REDIRECT of linux/pkt_cls.h. */
const SHOT = 2;
const REDIRECT = 7;
const SKB = { gsoSegs: 164, gsoSize: 176, size: 192 } as const;
const TAG = 4;

let object: BpfObject;

/** Why nothing here can run; false where it can. */
const skip = kernelAtLeast('5.12') ? false : 'needs Linux 5.12 (atomic exchange in BPF programs)';

before(() => {
  if (skip) return;
  object = BpfObject.openFile(OBJECT);
  object.load();
});

after(() => object?.[Symbol.dispose]());

beforeEach(() => {
  if (skip) return;
  say({});
  object.map('places').update(indexKey(0), new Uint8Array(object.map('places').valueBytes));
  object.map('workers').update(indexKey(LOOPBACK), encodeWorker(LOOPBACK, [CLIENT]));
  object
    .map('settings')
    .update(indexKey(0), encodeSettings({ ageingMs: 60_000, moves: { limit: 5, periodMs: 60_000 } }));
});

function say({ tags, allowed }: { tags?: TagStack; allowed?: number[] }): void {
  const row = {
    mac: CLIENT,
    worker: 'lo',
    tags,
    isFixed: tags !== undefined,
    allowed,
    isAdded: false,
    slot: 0,
    workerIndex: LOOPBACK,
    trunkIndex: LOOPBACK,
  };
  object.map('clients').update(macKey(CLIENT), encodeClient(row));
}

const ledger = () => readLedger(object.map('ledger'), Outcome);
const place = () => decodePlace(object.map('places').lookup(indexKey(0))!);

/** Runs a program on a frame: the outcome that it was counted as, its verdict, and the frame that it left. */
function run(
  program: 'ts_phys2virt' | 'ts_virt2phys',
  octets: Uint8Array,
  gso?: { gsoSize: number; gsoSegs: number },
) {
  const before = ledger();
  const context = new Uint8Array(SKB.size);
  const view = new DataView(context.buffer);
  if (gso) {
    view.setUint32(SKB.gsoSegs, gso.gsoSegs, true);
    view.setUint32(SKB.gsoSize, gso.gsoSize, true);
  }
  const result = testRun(object.program(program), {
    packet: octets,
    capacity: octets.byteLength + 2 * TAG,
    ...(gso && { context }),
  });
  const changed = Object.entries(ledger()).flatMap(([name, { packets, octets: sum }]) => {
    const was = before[name as keyof typeof before];
    return packets === was.packets
      ? []
      : [{ name, packets: Number(packets - was.packets), octets: Number(sum - was.octets) }];
  });
  assert.equal(changed.length, 1, 'each frame ends in one line');
  return { ...changed[0]!, verdict: result.retval, left: result.packet! };
}

const macs = { source: CLIENT, destination: WORKER };
const back = { source: WORKER, destination: CLIENT };

test('BUG-B10: one tag within the frame is taken off, and the frame itself is redirected, not a copy', {
  skip,
}, () => {
  const plain = packet().eth(macs).ipv4().udp().payload(100).build();
  const tagged = packet().eth(macs).vlan(5, { priority: 3 }).ipv4().udp().payload(100).build();
  const { name, verdict, left, octets } = run('ts_phys2virt', tagged);
  assert.deepEqual([name, verdict, octets], ['TO_WORKER', REDIRECT, tagged.byteLength]);
  assert.deepEqual(Buffer.from(left), Buffer.from(plain));
  assert.deepEqual(tagsOf(place().tags), [{ vid: 5, pcp: 3, dei: false, protocol: 0x8100 }]);
  assert.deepEqual(place().received, { packets: 1n, octets: BigInt(tagged.byteLength) });
  const answer = run('ts_virt2phys', packet().eth(back).ipv4().udp().payload(100).build());
  assert.deepEqual([answer.name, answer.verdict, answer.octets], ['TO_CLIENT', REDIRECT, plain.byteLength]);
  assert.deepEqual(place().sent, { packets: 1n, octets: BigInt(tagged.byteLength) });
});

test('two tags within the frame are taken off, three are not', { skip }, () => {
  const plain = packet().eth(macs).ipv4().udp().payload(100).build();
  const twice = packet().eth(macs).qinq(100).vlan(5).ipv4().udp().payload(100).build();
  const { name, left } = run('ts_phys2virt', twice);
  assert.equal(name, 'TO_WORKER');
  assert.deepEqual(Buffer.from(left), Buffer.from(plain));
  assert.deepEqual(tagsOf(place().tags), usualTags([100, 5]));
  const thrice = packet().eth(macs).qinq(100).vlan(5).vlan(6).ipv4().udp().payload(100).build();
  const refused = run('ts_phys2virt', thrice);
  assert.deepEqual([refused.name, refused.verdict], ['TOO_MANY_TAGS', SHOT]);
});

test('a super-packet counts as its segments, each with its headers and tags', { skip }, () => {
  const size = 1000;
  const build = (payload: number, tags: boolean): Uint8Array => {
    const begun = packet().eth(tags ? macs : back);
    return (tags ? begun.qinq(100).vlan(5) : begun).ipv4().tcp().payload(payload).build();
  };
  const gso = { gsoSize: size, gsoSegs: 3 };
  const wire = 2 * build(size, true).byteLength + build(500, true).byteLength;
  const { name, packets, octets } = run('ts_phys2virt', build(2500, true), gso);
  assert.deepEqual([name, packets, octets], ['TO_WORKER', 3, wire]);
  assert.deepEqual(place().received, { packets: 3n, octets: BigInt(wire) });
  assert.equal(run('ts_virt2phys', build(2500, false), gso).octets, wire - 3 * 2 * TAG);
  assert.deepEqual(place().sent, { packets: 3n, octets: BigInt(wire) });
});

test('VLANs at the edges: 1 and 4094 are VLANs, 0 is none, 4095 is never allowed', { skip }, () => {
  const frame = (vid: number): Uint8Array => packet().eth(macs).vlan(vid).ipv4().udp().payload(60).build();
  assert.equal(run('ts_phys2virt', frame(1)).name, 'TO_WORKER');
  assert.equal(run('ts_phys2virt', frame(4094)).name, 'TO_WORKER');
  assert.equal(run('ts_phys2virt', frame(0)).name, 'UNTAGGED');
  assert.equal(run('ts_phys2virt', frame(4095)).name, 'VLAN_NOT_ALLOWED');
  say({ allowed: [63, 64, 4094] });
  for (const vid of [63, 64, 4094]) assert.equal(run('ts_phys2virt', frame(vid)).name, 'TO_WORKER', `${vid}`);
  for (const vid of [62, 65, 4093, 1]) assert.equal(run('ts_phys2virt', frame(vid)).name, 'VLAN_NOT_ALLOWED');
});

test('with tags for good and no list, the inner tag and the ethertypes count too, priority does not', {
  skip,
}, () => {
  say({ tags: usualTags([100, 5]) });
  const frame = (outer: number, inner: number, tpid = 0x88a8, priority = 0): Uint8Array =>
    packet().eth(macs).vlan(outer, { tpid, priority }).vlan(inner, { priority }).ipv4().udp().build();
  assert.equal(run('ts_phys2virt', frame(100, 5)).name, 'TO_WORKER');
  assert.equal(run('ts_phys2virt', frame(100, 5, 0x88a8, 7)).name, 'TO_WORKER');
  for (const wrong of [frame(100, 6), frame(101, 5), frame(100, 5, 0x8100)])
    assert.equal(run('ts_phys2virt', wrong).name, 'VLAN_NOT_ALLOWED');
  const single = packet().eth(macs).qinq(100).ipv4().udp().build();
  assert.equal(run('ts_phys2virt', single).name, 'VLAN_NOT_ALLOWED');
});

test('so many moves are granted in a period, exactly, also when two CPUs see them at a time', {
  skip,
}, async () => {
  const limit = 7;
  const settings = encodeSettings({ ageingMs: 60_000, moves: { limit, periodMs: 3_600_000 } });
  object.map('settings').update(indexKey(0), settings);
  const frame = (vid: number): Uint8Array => packet().eth(macs).vlan(vid).ipv4().udp().payload(60).build();
  assert.equal(run('ts_phys2virt', frame(4000)).name, 'TO_WORKER');
  const before = ledger();
  const program = object.program('ts_phys2virt');
  const vids = Array.from({ length: scaled(400, 50) }, (_, i) => 1 + i);
  const ofEach = async (parity: number): Promise<void> => {
    for (const vid of vids) if (vid % 2 === parity) await testRunAsync(program, { packet: frame(vid) });
  };
  await Promise.all([ofEach(0), ofEach(1)]);
  assert.equal(Number(place().moves), limit);
  assert.equal(Number(ledger().TO_WORKER.packets - before.TO_WORKER.packets), limit);
  assert.equal(Number(ledger().MOVE_REFUSED.packets - before.MOVE_REFUSED.packets), vids.length - limit);
});

test('whatever comes ends in exactly one line, at both programs', { skip }, () => {
  const octet = fc.integer({ min: 0, max: 255 });
  const head = fc.constantFrom(
    ...[macs, back].map((each) =>
      [each.destination, each.source].flatMap((mac) => [...macKey(mac).subarray(0, 6)]),
    ),
  );
  const type = fc.constantFrom([0x81, 0], [0x88, 0xa8], [8, 0], [0x86, 0xdd], [8, 6], [0, 20]);
  // Behind the Ethernet header of an IP packet the kernel's test run wants the header (net/bpf/test_run.c).
  const frames = fc
    .tuple(
      head,
      fc.array(fc.tuple(type, octet, octet), { maxLength: 4 }),
      type,
      fc.array(octet, { minLength: 40, maxLength: 80 }),
    )
    .map(([addresses, tags, last, rest]) =>
      Uint8Array.from([...addresses, ...tags.flatMap(([t, a, b]) => [...t, a, b]), ...last, ...rest]),
    );
  let losses = 0;
  fc.assert(
    fc.property(
      frames,
      fc.constantFrom('ts_phys2virt' as const, 'ts_virt2phys' as const),
      (octets, program) => {
        const { verdict, packets, octets: counted } = run(program, octets);
        assert.equal(packets, 1);
        assert.equal(counted, octets.byteLength);
        assert.ok(verdict === SHOT || verdict === REDIRECT);
        if (verdict === SHOT) losses++;
      },
    ),
    { numRuns: scaled(2000, 200) },
  );
  assert.ok(losses > 10, 'both were seen');
});
