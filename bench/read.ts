/** Capture files: packets per second of the whole command on one core, against tshark on the same file. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packet, writePcap } from '../src/wire/index.ts';
import { type Benchmark, type BenchmarkOptions, type Figure, median, pairwise } from './figure.ts';

const CLI = fileURLToPath(new URL('../tunnelscope', import.meta.url));
const MACS = { source: '02:00:00:00:00:01', destination: '02:00:00:00:00:02' };
const ALONE = fileURLToPath(new URL('read-alone.ts', import.meta.url));
/** Octets of a report of all flows, at most. */
const LONGEST_REPORT = 2 ** 28;
/** Octets of the pcap header, which only the first part of a file has. */
const FILE_HEADER = 24;

export const read: Benchmark = {
  name: 'read',
  method:
    'A capture of a million packets, 772 octets on average, half of them in VXLAN, IPv4 and IPv6, TCP and UDP: of 2,000 and of ' +
    '100,000 flows. Wall time of reading alone, and of the whole command from its start to its end (report of all flows), bound to one core, the file ' +
    'in the page cache; tshark 4 in the same rounds, bound likewise, adding up conversations (-n -q -z conv,ip).',
  async run({ quick, progress }: BenchmarkOptions): Promise<readonly Figure[]> {
    const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-read-'));
    try {
      const packets = quick ? 200_000 : 1_000_000;
      const rounds = quick ? 1 : 2;
      const figures: Figure[] = [];
      for (const flows of [2_000, 100_000]) {
        progress(`writing ${packets} packets of ${flows} flows`);
        const path = writeCapture(directory, { packets, flows });
        figures.push(...measure(path, { packets, flows, rounds, progress }));
        rmSync(path);
      }
      return figures;
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
};

function measure(
  path: string,
  of: {
    readonly packets: number;
    readonly flows: number;
    readonly rounds: number;
    readonly progress: (line: string) => void;
  },
): Figure[] {
  const run = (command: string, words: readonly string[]): { readonly ms: number; readonly out: string } => {
    const started = performance.now();
    const { status, stdout, stderr } = spawnSync('taskset', ['-c', '1', command, ...words], {
      encoding: 'utf8',
      maxBuffer: LONGEST_REPORT,
    });
    if (status !== 0) throw new Error(`${command} failed: ${stderr}`);
    return { ms: performance.now() - started, out: stdout };
  };
  const rate = (command: string, words: readonly string[]): number =>
    (1000 * of.packets) / run(command, words).ms;
  const alone: number[] = [];
  const ours: number[] = [];
  const theirs: number[] = [];
  rate(CLI, ['read', path]);
  for (let round = 0; round < of.rounds; round++) {
    of.progress(`${of.flows} flows, round ${round + 1} of ${of.rounds}`);
    alone.push((1000 * of.packets) / Number(run(process.execPath, [ALONE, path]).out));
    ours.push(rate(CLI, ['read', path]));
    theirs.push(rate('tshark', ['-n', '-q', '-r', path, '-z', 'conv,ip']));
  }
  const ratios = pairwise(ours, theirs, (rateOfOurs, rateOfTheirs) => rateOfOurs / rateOfTheirs);
  const name = `${of.flows.toLocaleString('en')} flows`;
  const figure = Math.max(...ours);
  const common = { unit: 'packets/s', figure, median: median(ours), rounds: of.rounds } as const;
  return [
    {
      ...common,
      name: `${name}, into flow batches`,
      figure: Math.max(...alone),
      median: median(alone),
      target: { of: 'figure', atLeast: 1_000_000 },
      note: 'reading alone, without the start of the process and without a report',
    },
    {
      ...common,
      name: `${name}, whole command`,
      floor: Math.max(...theirs),
      ratio: median(ratios),
      target: { of: 'ratio', atLeast: 3 },
      note: 'floor: tshark; ratio: ours to that. The report costs by the flow, not by the packet',
    },
  ];
}

/** All flows in turn, over and over. */
function writeCapture(
  directory: string,
  { packets, flows }: { readonly packets: number; readonly flows: number },
): string {
  const path = join(directory, `${flows}.pcap`);
  const part = writePcap(Array.from({ length: flows }, (_, i) => frame(i)));
  const file = openSync(path, 'wx');
  writeSync(file, part.subarray(0, FILE_HEADER));
  for (let written = 0; written < packets; written += flows) writeSync(file, part.subarray(FILE_HEADER));
  closeSync(file);
  return path;
}

function frame(i: number): Uint8Array {
  const inner4 = { source: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, destination: '10.255.0.1' };
  const inner6 = {
    source: `fd00::${(i >> 16).toString(16)}:${(i & 0xffff).toString(16)}`,
    destination: 'fd00::ffff:1',
  };
  let p = packet().eth(MACS);
  if (i % 2 === 1)
    p = p
      .ipv4({ source: '172.16.1.1', destination: `172.16.2.${i & 15}` })
      .udp({ sourcePort: 40_000 + (i & 4095), destinationPort: 4789 })
      .vxlan(i & 63)
      .eth(MACS);
  p = i % 5 === 0 ? p.ipv6(inner6) : p.ipv4(inner4);
  const ports = { sourcePort: 1024 + (i & 16_383), destinationPort: 80 };
  return (i % 3 === 0 ? p.udp(ports) : p.tcp(ports)).payload(i % 4 === 0 ? 10 : 900).build();
}
