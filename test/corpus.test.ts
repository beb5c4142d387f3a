/** Every capture of the corpus through the parser: each packet's flow is tshark's, or stands below with the reason. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Capture } from '../src/capture/index.ts';
import type { FlowColumns } from '../src/flow/index.ts';
import { ReplayMeter } from '../src/replay/index.ts';
import { CORPUS_PORTS, corpusFiles, corpusLacks, readTruth, type Truth, wordsOf } from './corpus.ts';

/** Packets whose flow is not tshark's. */
interface Exception {
  readonly file: RegExp;
  /** How many they are. */
  readonly packets: number;
  /** tshark's layers, and our flow. */
  readonly path: RegExp;
  readonly ours: RegExp;
  readonly why: string;
}

const BEYOND_FRAME =
  'an IP length beyond the frame, though the file says that the frame is whole: hosts drop it, tshark reads on';

const EXCEPTIONS: readonly Exception[] = [
  {
    file: /^snabb-tests-sanitized4k_truncated128/,
    packets: 2177,
    path: /^eth\/vlan\/ip/,
    ours: /^ledger ipv[46]_(total|payload)_length at 0$/,
    why: `${BEYOND_FRAME}; it was cut to 128 octets, and its lengths on the wire with it`,
  },
  {
    file: /^ndpi-(fuzz-2006|tls_invalid_reads)/,
    packets: 29,
    path: /^eth\/ip/,
    ours: /^ledger ipv4_total_length at 0$/,
    why: BEYOND_FRAME,
  },
  {
    file: /^yanet-022_nat64stateless_range_ports-003-send/,
    packets: 1,
    path: /^eth\/vlan\/ipv6\/tcp$/,
    ours: /^ledger ipv6_payload_length at 0$/,
    why: BEYOND_FRAME,
  },
  {
    file: /^zeek-gtp-gtp9_unknown_or_too_short_payload/,
    packets: 1,
    path: /gtp\/ip\/tcp$/,
    ours: /^ledger ipv4_total_length at 1$/,
    why: 'the packet in the tunnel claims 1480 octets, the tunnel carries 172',
  },
  {
    file: /^pcapflowlab-mpls_pw-20/,
    packets: 1,
    path: /^eth\/mpls\/mpls\/ipv6/,
    ours: /^ledger ipv6_payload_length at 1$/,
    why: 'a frame whose MAC begins with 6 behind MPLS: both guess IPv6, we see that its length cannot be',
  },
  {
    file: /^ndpi-fuzz-2006|^yanet-022_nat64stateless_range_ports-003-send/,
    packets: 3,
    path: /tcp$/,
    ours: /^ledger tcp_truncated at 0$/,
    why: 'the IP length leaves no room for a TCP header: what tshark shows are ports of a malformed one',
  },
  {
    file: /^ndpi-fuzz-2006-09-29|^pcapflowlab-ah-17/,
    packets: 3,
    path: /tcp$/,
    ours: /^ledger tcp_header_length at 0$/,
    why: 'a TCP header length beyond the packet (of ah-17: AH is shorter than itself, and the ports are octets of it)',
  },
  {
    file: /^arkime-arkime_synthetic/,
    packets: 2,
    path: /^eth\/ipv6\+dstopts\/ip/,
    ours: /^ledger header_offset at 1$/,
    why: 'the second IP header begins behind 2,048 octets of options: beyond our bound, and counted so',
  },
  {
    file: /^libpcap-ipv6_ext_headers|^yanet-023_acl_decaps-006/,
    packets: 2,
    path: /ipv6(\+[a-z]+){9,}/,
    ours: /^ledger ipv6_extension_depth at 0$/,
    why: 'more than eight extension headers: beyond our bound, and counted so',
  },
  {
    file: /^zeek-tunnels-gre-aruba\.pcap/,
    packets: 2407,
    path: /gre\/wlan/,
    ours: /gre 0 \| no IP$/,
    why: "Aruba's GRE carries 802.11 frames, which are not read: the tunnel is right, its inside is not IP to us",
  },
  {
    file: /^zeek-tunnels-(Teredo|teredo_bubble_with_payload)/,
    packets: 4,
    path: /\/teredo\//,
    ours: /^[0-9.]+ 3544 > [0-9.]+ \d+ protocol 17$/,
    why: 'answers of a Teredo server: tunnels are told by their destination port, tshark takes the source port too',
  },
];

/** tshark numbers custom blocks of pcapng as if they were packets. */
function isPacket({ path, flow }: Truth['packets'][number], name: string): boolean {
  return !(name.startsWith('gopacket-test018') && path === '' && flow === 'no IP');
}

interface Difference {
  readonly frame: number;
  readonly ours: string;
  readonly theirs: string;
  readonly path: string;
}

type Sums = Map<string, { packets: number; octets: number }>;

function add(sums: Sums, flow: string, packets: number, octets: number): void {
  const sum = sums.get(flow) ?? { packets: 0, octets: 0 };
  sum.packets += packets;
  sum.octets += octets;
  sums.set(flow, sum);
}

function addRecords(sums: Sums, columns: FlowColumns, length: number): void {
  for (let row = 0; row < length; row++)
    add(sums, wordsOf(columns, row), Number(columns.packets[row]), Number(columns.octets[row]));
}

/** Packets one by one against tshark, then all of the file at once against the sum of them. */
async function compare(truth: Truth): Promise<{ differences: Difference[]; sure: number; doubtful: number }> {
  // To the corpus a later fragment has no ports.
  const options = { ports: CORPUS_PORTS, attributeFragments: false };
  const single = new ReplayMeter(options);
  const whole = new ReplayMeter(options);
  const expected = truth.packets.filter((each) => isPacket(each, truth.name));
  const differences: Difference[] = [];
  const sums: Sums = new Map();
  const counted = { sure: 0, doubtful: 0 };
  let at = 0;
  await using capture = await Capture.open(truth.path);
  for await (const batch of capture) {
    whole.load(batch);
    assert.equal(whole.run(0, batch.count), batch.count);
    single.load(batch);
    for (let row = 0; row < batch.count; row++, at++) {
      single.run(row, row + 1);
      const { columns, length, ledger, seen } = single.drain();
      const { frame, flow, path, octets, isDoubtful } = expected[at]!;
      const ours = length > 0 ? wordsOf(columns, 0) : `ledger ${ledger[0]!.reason} at ${ledger[0]!.level}`;
      if (length > 0) addRecords(sums, columns, length);
      else add(sums, ours, 1, Number(seen[0]!.octets));
      assert.deepEqual([length + ledger.length, seen[0]!.packets], [1, 1n], `${truth.name} frame ${frame}`);
      if (!isDoubtful)
        assert.equal(Number(seen[0]!.octets), octets, `octets of ${truth.name} frame ${frame}`);
      counted[isDoubtful ? 'doubtful' : 'sure']++;
      if (!isDoubtful && ours !== flow) differences.push({ frame, ours, theirs: flow, path });
    }
  }
  assert.equal(at, expected.length, `packets of ${truth.name}`);
  const { columns, length, ledger } = whole.drain();
  const together: Sums = new Map();
  addRecords(together, columns, length);
  for (const { reason, level, packets, octets } of ledger)
    add(together, `ledger ${reason} at ${level}`, Number(packets), Number(octets));
  assert.deepEqual(together, sums, `flows of ${truth.name} are the sums of its packets`);
  return { differences, ...counted };
}

test('every packet of every capture is of the flow that tshark says', async (t) => {
  const lacks = corpusLacks();
  if (lacks) return t.skip(lacks);
  const met = new Map<Exception, number>();
  const unlisted: string[] = [];
  const files = { passed: 0, listed: 0, failed: 0 };
  const packets = { sure: 0, doubtful: 0, listed: 0 };
  for (const name of corpusFiles()) {
    const { differences, sure, doubtful } = await compare(readTruth(name));
    packets.sure += sure;
    packets.doubtful += doubtful;
    const wrong = differences.filter(({ path, ours }) => {
      const exception = EXCEPTIONS.find(
        (each) => each.file.test(name) && each.path.test(path) && each.ours.test(ours),
      );
      if (exception) met.set(exception, (met.get(exception) ?? 0) + 1);
      return !exception;
    });
    packets.listed += differences.length - wrong.length;
    files[differences.length === 0 ? 'passed' : wrong.length === 0 ? 'listed' : 'failed']++;
    for (const { frame, ours, theirs, path } of wrong)
      unlisted.push(`${name} frame ${frame} (${path}): ${ours}, tshark ${theirs}`);
  }
  t.diagnostic(`files: ${files.passed} passed, ${files.listed} listed, ${files.failed} failed`);
  t.diagnostic(
    `packets: ${packets.sure} compared, ${packets.listed} of them listed; ${packets.doubtful} doubtful to tshark`,
  );
  assert.deepEqual(unlisted.slice(0, 20), []);
  const counts = (of: (exception: Exception) => number): string[] =>
    EXCEPTIONS.map((exception) => `${of(exception)} packets: ${exception.why}`);
  assert.deepEqual(
    counts((exception) => met.get(exception) ?? 0),
    counts(({ packets: expected }) => expected),
  );
});
