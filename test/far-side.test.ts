import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { noTcx } from '../src/bpf/testdata/probe.ts';
import { Capture } from '../src/capture/index.ts';
import { FIELDS, type FieldName, type FlowBatch, formatAddress } from '../src/flow/index.ts';
import { LiveView } from '../src/live/index.ts';
import {
  ADDRESSES,
  at,
  buildLink,
  FarCapture,
  LAST_PORT,
  MIDDLE,
  RECEIVER,
  readFlows,
  removeLink,
  SENDER,
  sendAll,
  setOffloads,
} from './far-side-link.ts';
import { type Metered, meterDuring } from './metering.ts';

/*
 * The wire's truth, taken by others: every packet on the link in the middle is one packet, and dumpcap writes it down.
 * The records of the sender, of the middle and of the receiver, whose devices hand super-packets around, must say the
 * same: flow by flow, packet for packet, octet for octet. And so must the interfaces' own counters, in their units.
 */

const VLAN = 77;
const TCP = 6;
const UDP = 17;
const directory = mkdtempSync(join(tmpdir(), 'far-side-'));
before(buildLink);
after(() => {
  removeLink();
  rmSync(directory, { recursive: true });
});

/** Counts of a uniflow, as far as they are the wire's. */
interface WireCounts {
  packets: bigint;
  octets: bigint;
  payload: bigint;
  longest: number;
  shortest: number;
}

const KEYS = (Object.keys(FIELDS) as FieldName[]).filter(
  (name) => FIELDS[name].key && name !== 'ifindex' && name !== 'direction',
);

/** Key → counts, of the point that `isHere` takes; of traffic between our addresses. */
function uniflows(
  batches: readonly FlowBatch[],
  isHere: (ifindex: number, direction: number) => boolean,
): Map<string, WireCounts> {
  const found = new Map<string, WireCounts>();
  for (const { columns, length } of batches) {
    for (let row = 0; row < length; row++) {
      if (!isHere(columns.ifindex[row]!, columns.direction[row]!) || !isOurs(columns, row)) continue;
      const key = KEYS.map((name) => `${name} ${textOf(columns, name, row)}`).join(', ');
      const counts = found.get(key) ?? { packets: 0n, octets: 0n, payload: 0n, longest: 0, shortest: 65_535 };
      counts.packets += columns.wirePackets[row]!;
      counts.octets += columns.wireOctets[row]!;
      counts.payload += columns.payloadOctets[row]!;
      counts.longest = Math.max(counts.longest, columns.longest[row]!);
      counts.shortest = Math.min(counts.shortest, columns.shortest[row]!);
      found.set(key, counts);
    }
  }
  return found;
}

function textOf(columns: FlowBatch['columns'], name: FieldName, row: number): string {
  const column = columns[name];
  return FIELDS[name].bits === 128 ? formatAddress(column as Uint8Array, 16 * row) : String(column[row]);
}

/** TCP and UDP of the generators; what the kernels say to their neighbours may be said to one side only. */
function isOurs({ protocol, destination, destinationPort }: FlowBatch['columns'], row: number): boolean {
  if ((protocol[row] !== TCP && protocol[row] !== UDP) || destinationPort[row] === LAST_PORT) return false;
  const address = formatAddress(destination, 16 * row);
  return ADDRESSES.some((each) => address === each || address === at(each, 1));
}

interface Seen {
  readonly sender: Metered;
  readonly middle: Metered;
  readonly receiver: Metered;
  readonly captured: readonly FlowBatch[];
}

/** Sends all, metered at three places and captured at one. */
async function seeAll(name: string): Promise<Seen> {
  let middle: Metered | undefined;
  let receiver: Metered | undefined;
  const path = join(directory, `${name}.pcapng`);
  const sender = await meterDuring({ namespace: SENDER }, async () => {
    receiver = await meterDuring({ namespace: RECEIVER }, async () => {
      middle = await meterDuring({ namespace: MIDDLE, interfaces: ['m0', 'm1'] }, async () => {
        const capture = await FarCapture.start(path);
        await sendAll();
        await capture.end();
      });
    });
  });
  const captured = await readFlows(path);
  await assertSingle(path, captured);
  return { sender, middle: middle!, receiver: receiver!, captured };
}

/** What was captured is on the wire as it is: no packet is longer than the link takes, and all of them are in the flows. */
async function assertSingle(path: string, captured: readonly FlowBatch[]): Promise<void> {
  await using capture = await Capture.open(path);
  let longest = 0;
  for await (const { originalLengths, count } of capture)
    longest = Math.max(longest, ...originalLengths.subarray(0, count));
  assert.ok(longest <= 1518, `a packet of ${longest} octets was captured`);
  const inFlows = { packets: 0, octets: 0 };
  for (const { columns, length } of captured) {
    for (let row = 0; row < length; row++) {
      inFlows.packets += Number(columns.wirePackets[row]);
      inFlows.octets += Number(columns.wireOctets[row]);
    }
  }
  const { packets, originalOctets: octets } = capture.counters;
  assert.deepEqual(inFlows, { packets, octets });
}

/** Number of an interface of a metered namespace, by its name. */
function numberOf({ batches }: Metered, name: string): number {
  return batches[0]!.points.find(({ interfaceName }) => interfaceName === name)!.ifindex;
}

/** Uniflows of both directions pass all of these on their way. */
const POINTS = [
  { at: 'sender', name: 'eth0' },
  { at: 'middle', name: 'm0' },
  { at: 'middle', name: 'm1' },
  { at: 'receiver', name: 'eth0' },
] as const;

/** At every point, in both directions: the same flows with the same counts as in the capture. */
function assertEqualEverywhere(seen: Seen, points: readonly (typeof POINTS)[number][] = POINTS): void {
  const wanted = uniflows(seen.captured, () => true);
  assert.ok(wanted.size >= 3 * ADDRESSES.length, `${wanted.size} uniflows`);
  for (const { at: place, name } of points) {
    const number = numberOf(seen[place], name);
    const found = uniflows(seen[place].batches, (ifindex) => ifindex === number);
    assert.deepEqual(found, wanted, `${place} ${name}`);
  }
}

/** What the interfaces counted themselves is what was seen, in their own unit. */
function assertAudited({ sender, middle, receiver }: Seen): void {
  for (const { batches } of [sender, middle, receiver]) {
    const live = new LiveView();
    for (const batch of batches) live.write(batch);
    for (const { interfaceName, direction, sinceStart } of live.audit().points) {
      assert.ok(sinceStart.counted && sinceStart.counted.least.packets > 0, `${interfaceName} counted`);
      const { packets, octets } = sinceStart.outside;
      assert.deepEqual({ packets, octets }, { packets: 0, octets: 0 }, `${interfaceName} ${direction}`);
    }
  }
}

/** How many packets the stack held as one, at a point. */
function joined(metered: Metered, name: string, direction: 0 | 1, protocol: number): number {
  const number = numberOf(metered, name);
  let more = 0;
  for (const { columns, length } of metered.batches)
    for (let row = 0; row < length; row++)
      if (
        columns.ifindex[row] === number &&
        columns.direction[row] === direction &&
        columns.protocol[row] === protocol
      )
        more += Number(columns.wirePackets[row]! - columns.packets[row]!);
  return more;
}

const PLAIN = { segmentation: false, gro: false } as const;

describe('records say what is on the wire, as a capture on the far side has it', () => {
  before(() => setOffloads(MIDDLE, 'm1', { ...PLAIN, vlan: false }));

  test('super-packets of the sender: TCP and UDP, plain and in VXLAN over IPv4 and IPv6', async (t) => {
    setOffloads(SENDER, 'eth0', { segmentation: true, gro: false });
    setOffloads(MIDDLE, 'm0', PLAIN);
    setOffloads(RECEIVER, 'eth0', PLAIN);
    const seen = await seeAll('segmentation');
    assertEqualEverywhere(seen);
    for (const protocol of [TCP, UDP]) {
      assert.ok(joined(seen.sender, 'eth0', 1, protocol) > 100, 'the sender had super-packets');
      assert.ok(joined(seen.middle, 'm0', 0, protocol) > 100, 'and they arrived as such');
      assert.equal(joined(seen.receiver, 'eth0', 0, protocol), 0, 'but not at the end');
    }
    assertAudited(seen);
    t.diagnostic(summary(seen));
  });

  test('packets that the receiver joins', async (t) => {
    setOffloads(SENDER, 'eth0', PLAIN);
    setOffloads(MIDDLE, 'm0', PLAIN);
    setOffloads(RECEIVER, 'eth0', { segmentation: true, gro: true });
    const seen = await seeAll('gro');
    assertEqualEverywhere(seen);
    assert.ok(joined(seen.receiver, 'eth0', 0, TCP) > 100, 'the receiver joined TCP');
    assertAudited(seen);
    t.diagnostic(summary(seen));
  });

  test('packets that the middle joins and cuts again', async (t) => {
    setOffloads(SENDER, 'eth0', PLAIN);
    setOffloads(MIDDLE, 'm0', { segmentation: true, gro: true });
    setOffloads(RECEIVER, 'eth0', PLAIN);
    const seen = await seeAll('forwarded');
    assertEqualEverywhere(seen);
    for (const protocol of [TCP, UDP])
      assert.ok(joined(seen.middle, 'm0', 0, protocol) > 100, 'the middle joined packets');
    assertAudited(seen);
    t.diagnostic(summary(seen));
  });

  test('VLAN tags that stand beside the packet, on super-packets too', { skip: noTcx }, async (t) => {
    setOffloads(SENDER, 'eth0', { segmentation: true, gro: false });
    setOffloads(MIDDLE, 'm0', PLAIN);
    setOffloads(RECEIVER, 'eth0', { segmentation: true, gro: false });
    await using taggers = new AsyncDisposableStack();
    for (const name of [SENDER, RECEIVER]) await startTagger(taggers, name);
    const seen = await seeAll('vlan');
    // Of the ends only what arrives is tagged: at egress the tag is put on behind the meter.
    assertEqualEverywhere(
      seen,
      POINTS.filter(({ at: place }) => place === 'middle'),
    );
    const wanted = uniflows(seen.captured, () => true);
    const arriving = new Map(
      [...wanted].filter(([key]) =>
        [...ADDRESSES].some((address) => key.includes(`destination ${address},`)),
      ),
    );
    const number = numberOf(seen.receiver, 'eth0');
    assert.deepEqual(
      uniflows(seen.receiver.batches, (ifindex, direction) => ifindex === number && direction === 0),
      arriving,
    );
    assert.ok(
      [...wanted.keys()].every((key) => key.includes(`, vlan ${0x8000 | VLAN},`)),
      'all are tagged',
    );
    assert.ok(joined(seen.middle, 'm0', 0, TCP) > 100, 'super-packets were tagged');
    assertAudited(seen);
    t.diagnostic(summary(seen));
  });
});

async function startTagger(stack: AsyncDisposableStack, namespace: string): Promise<void> {
  const words = [fileURLToPath(new URL('tagger.ts', import.meta.url)), namespace, 'eth0', String(VLAN)];
  const tagger = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  stack.defer(async () => {
    const ended = once(tagger, 'exit');
    tagger.stdin.end();
    await ended;
  });
  await once(tagger.stdout, 'data', { signal: AbortSignal.timeout(20_000) });
}

function summary({ captured }: Seen): string {
  const counts = [...uniflows(captured, () => true).values()];
  const sum = (of: (each: WireCounts) => bigint): bigint => counts.reduce((all, each) => all + of(each), 0n);
  return `${counts.length} uniflows, ${sum(({ packets }) => packets)} packets, ${sum(({ octets }) => octets)} octets equal`;
}
