/** `tunnelscope measure` from its words to its text, of real datagrams, echoes and a connection. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ADDRESSES, buildLink, RECEIVER, removeLink, SENDER } from './far-side-link.ts';
import { NumberSender, PORTS, type Send } from './numbered-traffic.ts';
import { until } from './until.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const [PLAIN, , IN_TUNNEL] = ADDRESSES;
const OCTETS = 400;
const PATTERN_WORDS = ['--pattern', '0xE7A5C318', '--offset', '4'];

let sender: NumberSender;

before(() => {
  buildLink();
  sender = new NumberSender();
  for (const address of [PLAIN, IN_TUNNEL!]) ping(address, 1, 0.2);
});
after(async () => {
  await sender[Symbol.asyncDispose]();
  removeLink();
});

function ping(address: string, count: number, seconds: number): void {
  const words = ['ping', '-q', '-c', String(count), '-i', String(seconds), '-s', '56', address];
  execFileSync('ip', ['netns', 'exec', SENDER, ...words], { stdio: 'ignore' });
}

/**
 * Runs `measure` at the receiver while something is sent, until what it said is enough.
 *
 * @returns all of standard output
 */
async function measure(
  words: readonly string[],
  send: () => unknown,
  isEnough: (said: string) => boolean,
): Promise<string> {
  const where = ['--netns', RECEIVER, '-i', 'eth0', '-t', '400ms'];
  const child = spawn(process.execPath, [CLI, 'measure', ...where, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [said, complaints] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  const exit = once(child, 'exit');
  try {
    await until(() => complaints.includes('Measuring at eth0'), 'measure has begun', 60_000);
    await send();
    await until(() => isEnough(said), 'all is told');
  } finally {
    child.kill('SIGINT');
    assert.deepEqual(await exit, [0, null], complaints);
  }
  assert.doesNotMatch(complaints, /Problem/);
  return said;
}

/** Numbers together in pairs and more: what the steps count, nothing may come between. */
function numbers(...values: readonly number[]): Send[] {
  return values.map((number) => ({ gapMs: 2, numbers: [number] }));
}

test('by protocol it prints the sequence errors of System D, one below the other (D4.6, D4.7)', async () => {
  // Up to 7 three times is two steps back; then 10 and 13 are big ones, 13 again and 15 small ones.
  const sends = numbers(...Array.from({ length: 24 }, (_, i) => i % 8), 10, 13, 13, 15);
  const said = await measure(
    ['--by', 'protocol', '--packet-loss', ...PATTERN_WORDS],
    () => sender.send({ address: PLAIN, form: 'pattern', octets: OCTETS, sends }),
    (text) => /\tcount: 28\n/.test(text),
  );
  const text = [
    'UDP',
    '\tseq_num: 15',
    '\tcount: 28',
    '\treverse_err: 2',
    '\tsmall_err: 2',
    '\tbig_err: 2',
    '\ttotal_sequence_errors: 6',
    '',
  ].join('\n');
  assert.ok(said.includes(text), said);
  assert.match(said, /^THROUGHPUT measurement on eth0 each 0\.[45] seconds:\n(TCP|UDP|ICMP) bitrate \[/m);
  assert.doesNotMatch(said, /GOODPUT|Jitter/, '--packet-loss is throughput and numbers alone (D6.2)');
});

/** A line of `--json`, as far as it is looked at. */
interface Line {
  readonly protocol: string;
  readonly source: string;
  readonly destination: string;
  readonly tunnel: string;
  readonly packets: number;
  readonly octets: number;
  readonly payloadOctets: number;
  readonly interArrival: { readonly count: number; readonly meanMs: number | null } | null;
  readonly sequence: Readonly<Record<string, number | null>> | null;
}

function linesOf(said: string): Line[] {
  return said
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}

function sumOf(lines: readonly Line[], of: (line: Line) => number): number {
  return lines.reduce((sum, line) => sum + of(line), 0);
}

test('as JSON Lines every interval of every flow adds up to what was sent, also in a tunnel', async () => {
  const sends = numbers(...Array.from({ length: 200 }, (_, i) => i).filter((number) => number % 10 !== 5));
  const count = sends.length;
  const ours = (said: string): Line[] =>
    linesOf(said).filter(({ destination }) => destination === `${IN_TUNNEL}:${PORTS.pattern}`);
  const said = await measure(
    ['--json', '-j', '2', ...PATTERN_WORDS],
    () => sender.send({ address: IN_TUNNEL!, form: 'pattern', octets: OCTETS, sends }),
    (text) => sumOf(ours(text), ({ packets }) => packets) >= count,
  );
  const lines = ours(said);
  const sums = [
    sumOf(lines, ({ packets }) => packets),
    sumOf(lines, ({ octets }) => octets),
    sumOf(lines, ({ payloadOctets }) => payloadOctets),
    sumOf(lines, ({ interArrival }) => interArrival!.count),
  ];
  assert.deepEqual(sums, [count, count * (OCTETS + 2 * 42 + 8), count * OCTETS, count - 1]);
  assert.match(lines[0]!.tunnel, /^VNI 40 10\.87\.0\.1 > 10\.87\.0\.2$/);
  const { expected, received, lost, bigSteps, smallSteps, last } = lines.at(-1)!.sequence!;
  assert.deepEqual(
    { expected, received, lost, bigSteps, smallSteps, last },
    { expected: 200, received: count, lost: 20, bigSteps: 0, smallSteps: 20, last: 199 },
  );
});

test('pings of 56 octets are 98 and 56 octets each in its sums (D2.5)', async () => {
  const count = 30;
  const ours = (said: string): Line[] => linesOf(said).filter(({ protocol }) => protocol === 'ICMP');
  const said = await measure(
    // IPv6 says things by ICMPv6 that nobody asked for, and is the same protocol there.
    ['--json', '--by', 'protocol', '--filter', 'proto = icmp and network = ipv4'],
    () => ping(PLAIN, count, 0.01),
    (text) => sumOf(ours(text), ({ packets }) => packets) >= count,
  );
  const lines = ours(said);
  assert.deepEqual(
    [sumOf(lines, ({ octets }) => octets), sumOf(lines, ({ payloadOctets }) => payloadOctets)],
    [98 * count, 56 * count],
  );
});

test('only what a filter lets through is measured (D7.7)', async () => {
  const both = async (): Promise<void> => {
    ping(PLAIN, 5, 0.01);
    await sender.send({ address: PLAIN, form: 'pattern', octets: OCTETS, sends: numbers(1, 2, 3) });
    await sender.send({ address: PLAIN, form: 'iperf3', octets: OCTETS, sends: numbers(1, 2, 3, 4) });
  };
  const filter = `proto = udp and dst ${PLAIN} and dport ${PORTS.iperf3}`;
  const ours = (said: string): number => sumOf(linesOf(said), ({ packets }) => packets);
  const said = await measure(['--json', '--filter', filter], both, (text) => ours(text) >= 4);
  assert.deepEqual(
    [...new Set(linesOf(said).map(({ protocol, destination }) => `${protocol} ${destination}`))],
    [`UDP ${PLAIN}:${PORTS.iperf3}`],
  );
  assert.equal(ours(said), 4);
});
