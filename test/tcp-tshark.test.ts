/*
 * What we say of each segment is what tshark says of it: of real transfers over a clean and a bad cable, captured before and
 * behind the loss, of random conversations, and of captures of others.
 *
 * Two differences are meant:
 *
 * - tshark 4.0 keeps "an acknowledgment of what was not captured" as -1 in its unsigned counter of duplicate ACKs, which is
 *   more than two: what follows is a fast retransmission to it, whether anybody asked for it or not.
 * - To tshark the sequence number of a reset moves the highest one. Ends must not believe that number unless it is in their
 *   window (RFC 5961): we do not either, and what comes behind a reset is judged by what came before it.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Workshop } from '../bench/build.ts';
import { packet, writePcap } from '../src/wire/index.ts';
import { attempts } from './attempts.ts';
import { FLAGS, KernelSide, ModuleSide, observedBytes, Row } from './biflow.ts';
import { CORPUS, corpusLacks } from './corpus.ts';
import { randomBits } from './mutation.ts';
import { Cable } from './tcp-transfer.ts';
import { JUDGEMENT_NAMES, type Judged, type Judgement, judge } from './tcp-tshark.ts';
import { hasTshark } from './tshark.ts';

const workshop = new Workshop();
const kernel = KernelSide.load(workshop);
const module = new ModuleSide(workshop, kernel.layouts.row.size);
const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-tcp-'));
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 32);
after(() => {
  kernel[Symbol.dispose]();
  workshop[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});
const skip = hasTshark() ? false : 'there is no tshark';

/** A segment that we call otherwise than tshark does. */
interface Difference {
  readonly frame: number;
  readonly stream: number;
  readonly name: Judgement;
  readonly ours: number;
  readonly theirs: number;
}

interface Comparison {
  /** But those that are meant. */
  readonly differences: readonly Difference[];
  /** Segments that tshark calls fast retransmissions for want of a sign. */
  readonly meant: number;
  /** What tshark counted. */
  readonly totals: Readonly<Record<Judgement, number>>;
  /** What was kept of each connection in the end, by tshark's number. */
  readonly rows: ReadonlyMap<number, Row>;
}

const row = (): Row => new Row(module.row(), kernel.layouts);
const bothWays = (of: Row, name: string): number => of.count(0, name) + of.count(1, name);

/** Gives each connection to the module, segment by segment; the kernel's program gets all of it too. */
function compare(judged: readonly Judged[]): Comparison {
  const differences: Difference[] = [];
  const totals = Object.fromEntries(JUDGEMENT_NAMES.map((name) => [name, 0])) as Record<Judgement, number>;
  const rows = new Map<number, Row>();
  let meant = 0;
  for (const [stream, segments] of Map.groupBy(judged, (each) => each.stream)) {
    module.clear();
    kernel.clear();
    let before = row();
    let hasAcknowledgedUnseen = false;
    for (const { frame, packet: segment, judgements, acknowledgesUnseen } of segments) {
      const bytes = observedBytes(segment);
      module.note(bytes);
      kernel.note(bytes);
      const now = row();
      const asked = bothWays(now, 'fastRetransmissions') - bothWays(before, 'fastRetransmissions');
      hasAcknowledgedUnseen ||= acknowledgesUnseen;
      const isMeant = hasAcknowledgedUnseen && asked === 0 && judgements.has('fastRetransmissions');
      if (isMeant) meant++;
      for (const name of JUDGEMENT_NAMES) {
        const ours = bothWays(now, name) - bothWays(before, name);
        const theirs = judgements.has(name) ? 1 : 0;
        totals[name] += theirs;
        if (ours !== theirs && !isMeant) differences.push({ frame, stream, name, ours, theirs });
      }
      before = now;
    }
    assert.deepEqual(kernel.row(), module.row());
    rows.set(stream, before);
  }
  return { differences, meant, totals, rows };
}

/** The only connection there is. */
function only(rows: ReadonlyMap<number, Row>): Row {
  assert.equal(rows.size, 1);
  return rows.values().next().value!;
}

test('over a clean cable each segment is judged as by tshark, and all octets are counted', {
  skip,
}, async (t) => {
  // A busy machine may lose packets all the same.
  await attempts(async () => {
    using cable = new Cable();
    const octets = 5_000_000;
    for (const path of Object.values(await cable.carry({ octets }, directory))) {
      const judged = judge(path);
      const { differences, totals, rows } = compare(judged);
      assert.deepEqual(differences, []);
      const end = only(rows);
      assert.equal(end.count(0, 'octets') - end.count(0, 'repeatedOctets'), octets);
      assert.ok(totals.retransmissions < judged.length / 100);
      assert.equal(end.get('connection.close'), 1);
      assert.equal(end.get('connection.traits'), 7);
      t.diagnostic(`${judged.length} segments: ${JSON.stringify(totals)}`);
    }
  });
});

test('over a cable that loses two in a hundred each segment is judged as by tshark', { skip }, async (t) => {
  // A busy machine may lose packets of the capture itself.
  await attempts(async () => {
    using cable = new Cable();
    const octets = 5_000_000;
    const loss = workshop.object('test/loss.bpf.c');
    const paths = await cable.carry({ octets, loss }, directory);
    const before = compare(judge(paths.sender));
    const behind = compare(judge(paths.receiver));
    assert.deepEqual([before.differences, behind.differences], [[], []]);
    assert.ok(before.totals.retransmissions > 10 && behind.totals.gaps > 10);
    // Before the loss everything is seen, some of it twice; behind it what was lost comes late.
    const [sent, came] = [only(before.rows), only(behind.rows)];
    const count = (of: Row, name: string): number => of.count(0, name);
    assert.equal(count(sent, 'octets') - count(sent, 'repeatedOctets'), octets);
    assert.equal(count(came, 'octets') - count(came, 'repeatedOctets'), octets);
    assert.equal(count(sent, 'gaps') + count(sent, 'lateOctets') + count(sent, 'unseenNumbers'), 0);
    assert.equal(count(came, 'lateOctets'), count(came, 'gapNumbers'));
    assert.equal(
      count(sent, 'repeatedSegments'),
      count(sent, 'retransmissions') + count(sent, 'repeatedOutOfOrder'),
    );
    t.diagnostic(`before the loss: ${JSON.stringify(before.totals)}`);
    t.diagnostic(`behind it: ${JSON.stringify(behind.totals)}`);
  });
});

test('round trips are those of tshark within 5 %, and both halves of the handshake are the whole', {
  skip,
}, async (t) => {
  using cable = new Cable();
  for (const path of Object.values(await cable.carry({ octets: 0, questions: 300 }, directory))) {
    const judged = judge(path);
    const end = only(compare(judged).rows);
    const first = judged.find(({ firstRoundTripNs }) => firstRoundTripNs !== undefined)!.firstRoundTripNs;
    assert.equal(end.state(0, 'handshakeNs') + end.state(1, 'handshakeNs'), first);
    for (const way of [0, 1] as const) {
      // An answer acknowledges the question of the other way.
      const theirs = judged.flatMap(({ packet: { way: of, flags }, roundTripNs }) =>
        of === way || roundTripNs === undefined || flags! & FLAGS.syn ? [] : [roundTripNs],
      );
      const samples = end.count(way, 'roundTrip.samples');
      const ours = end.count(way, 'roundTrip.sum') / samples;
      assert.ok(samples >= 300);
      // tshark takes the end of the connection too, and who is late with that weighs much: as many as ours, in the extremes.
      const sorted = theirs.toSorted((a, b) => a - b);
      const [least, most] = [mean(sorted.slice(0, samples)), mean(sorted.slice(-samples))];
      assert.ok(
        ours > 0.95 * least && ours < 1.05 * most,
        `ours ${ours} ns, tshark's ${least} … ${most} ns of ${theirs.length}`,
      );
      assert.ok(end.count(way, 'roundTrip.least') - 1 >= Math.min(...theirs));
      assert.ok(end.count(way, 'roundTrip.most') <= Math.max(...theirs));
      t.diagnostic(`way ${way}: ours ${Math.round(ours)} ns, tshark's ${Math.round(mean(theirs))} ns`);
    }
  }
});

function mean(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0) / values.length;
}

const random = randomBits(seed);
const below = (count: number): number => random() % count;
const oneOf = <T>(...values: readonly T[]): T => values[below(values.length)]!;

const TCP_AT = 34;

/** A conversation of `count` segments between two ports of their own: mostly in order, with all that can go wrong. */
function conversation(port: number, count: number): { octets: Uint8Array; timeNs: bigint }[] {
  // Before the numbers run around: tshark takes number 0 for "none".
  const first = [1000 + below(2 ** 30), 1000 + below(2 ** 30)];
  const next = [...first];
  const acknowledged = [...next];
  const windows = [1000, 1000];
  let timeNs = 1_000_000_000n;
  return Array.from({ length: count }, (_, i) => {
    timeNs += BigInt(oneOf(1_000, 50_000, 50_000, 800_000, 4_000_000, 30_000_000));
    const way = i < 2 ? i : below(2);
    let payload = oneOf(0, 0, 1, 1, 10, 100, 100);
    let flags: number = FLAGS.ack;
    // Not beyond the highest: see above.
    if (i > 1 && below(60) === 0) flags |= oneOf(FLAGS.fin, FLAGS.rst);
    if (flags & FLAGS.rst) payload = 0;
    // In order, repeated, beyond a hole, or the one number of a keep-alive.
    const step = oneOf(0, 0, 0, 0, 0, -1, -10, -100, -50, 100, 20);
    const sequence = flags & FLAGS.rst ? first[way]! - 200 : next[way]! + step;
    if (below(4) === 0) windows[way] = oneOf(0, 1000, 2000);
    if (below(2) === 0) acknowledged[way] = next[1 - way]! - oneOf(0, 0, 10, 100);
    const end = sequence + payload + (flags & FLAGS.fin ? 1 : 0);
    next[way] = Math.max(next[way]!, end);
    const ports = way === 0 ? [port, 80] : [80, port];
    const octets = packet()
      .eth()
      .ipv4({ source: `10.0.0.${1 + way}`, destination: `10.0.0.${2 - way}` })
      .tcp({ sourcePort: ports[0]!, destinationPort: ports[1]!, flags, sequence })
      .payload(payload)
      .build()
      .slice();
    const view = new DataView(octets.buffer);
    view.setUint32(TCP_AT + 8, acknowledged[way]!);
    view.setUint16(TCP_AT + 14, windows[way]!);
    return { octets, timeNs };
  });
}

test('each segment of random conversations is judged as by tshark', { skip }, (t) => {
  const frames = Array.from({ length: 400 }, (_, i) => conversation(20_000 + i, 40)).flat();
  const path = join(directory, 'random.pcap');
  writeFileSync(path, writePcap(frames, { nanoseconds: true }));
  const judged = judge(path);
  assert.equal(judged.length, frames.length);
  const { differences, meant, totals } = compare(judged);
  assert.deepEqual(differences.slice(0, 8), [], `${differences.length} differences, SEED=${seed}`);
  assert.ok(meant < totals.retransmissions / 50, `${meant} meant differences`);
  for (const name of JUDGEMENT_NAMES) assert.ok(totals[name] > 0, `${name}: ${totals[name]}`);
  t.diagnostic(`${judged.length} segments, ${meant} meant differences: ${JSON.stringify(totals)}`);
});

/** The captures in which tshark has something to say of TCP. */
const EVENTFUL = [
  'libtrace-vlan.pcap',
  'mercury-geneve.pcap',
  'ndpi-6in4tunnel.pcap',
  'ndpi-capwap_data.pcapng',
  'ndpi-custom_categories.pcapng',
  'ndpi-fuzz-2006-06-26-2594.pcap',
  'ndpi-fuzz-2006-09-29-28586.pcap',
  'ndpi-quickplay.pcap',
  'ndpi-rtsp.pcapng',
  'ndpi-zoom.pcapng',
  'pcapflowlab-showcase-pcap_flow_lab_showcase.pcap',
  'snabb-tests-sanitized4k_truncated128.pcap',
  'suricata-bug-5437-02-input.pcap',
  'zeek-tunnels-gre-aruba.pcap',
  'zeek-vxlan-overlapping-http-get.pcap',
] as const;

const lacks = skip || corpusLacks() || false;

test('each segment of captures of others is judged as by tshark', { skip: lacks }, (t) => {
  const sum = { segments: 0, meant: 0, ...Object.fromEntries(JUDGEMENT_NAMES.map((name) => [name, 0])) };
  for (const name of EVENTFUL) {
    const judged = judge(join(CORPUS, 'pcap', name));
    const { differences, meant, totals } = compare(judged);
    assert.deepEqual(differences, [], name);
    sum.segments += judged.length;
    sum.meant += meant;
    for (const each of JUDGEMENT_NAMES) (sum as Record<string, number>)[each]! += totals[each];
  }
  assert.equal(sum.meant, 1);
  assert.ok(sum.segments > 5000);
  t.diagnostic(JSON.stringify(sum));
});
