/** What `measure` prints: a table of flows or tunnels, or the text of System D for protocols. */
import type { ArrivalSums, MeasuredGroup, SequenceSums, TcpSums } from '../measure/index.ts';

/** What can be shown of a measured group. */
export const MEASURE_DISPLAYS = ['throughput', 'goodput', 'jitter', 'sequence', 'tcp', 'socket'] as const;
export type MeasureDisplay = (typeof MEASURE_DISPLAYS)[number];

/** How it is printed. */
export interface MeasureTextOptions {
  readonly displays: ReadonlySet<MeasureDisplay>;
  /** Bits per second in powers of 1000, else octets per second in powers of 1024. */
  readonly inBits: boolean;
  /** The sender's spacing, subtracted from means of inter-arrival times, milliseconds. */
  readonly nominalMs: number;
  /** Of the latest epoch. */
  readonly seconds: number;
  readonly interfaces: readonly string[];
  readonly colour: boolean;
  /** Rows at most; the rest is said in a line. */
  readonly top: number;
}

const BOLD = 1;
const DIM = 2;
const PREFIXES = ['', 'K', 'M', 'G', 'T'] as const;

interface Column {
  readonly title: string;
  readonly isNumber: boolean;
  readonly text: (group: MeasuredGroup) => string;
}

/** One line per group, the fastest first, in columns as wide as they need to be. */
export function formatMeasured(groups: readonly MeasuredGroup[], options: MeasureTextOptions): string {
  const sorted = groups.toSorted((a, b) => b.octets - a.octets);
  const shown = sorted.slice(0, options.top);
  const columns = columnsOf(shown, options);
  const cells = shown.map((group) => columns.map(({ text }) => text(group)));
  const widths = columns.map(({ title }, i) => Math.max(title.length, ...cells.map((row) => row[i]!.length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (columns[i]!.isNumber ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  const lines = [paint(line(columns.map(({ title }) => title)), BOLD, options), ...cells.map(line)];
  if (options.displays.has('jitter') && shown.some(({ arrivals }) => (arrivals?.coarse ?? 0) > 0))
    lines.push(
      paint('~ some packets came as one super-packet (GRO): nobody saw when each came', DIM, options),
    );
  if (shown.length < sorted.length)
    lines.push(paint(`and ${sorted.length - shown.length} more (--top)`, DIM, options));
  return `${lines.join('\n')}\n`;
}

function columnsOf(groups: readonly MeasuredGroup[], options: MeasureTextOptions): Column[] {
  const { displays, seconds } = options;
  const word = (title: string, text: (group: MeasuredGroup) => string): Column[] =>
    groups.some((group) => text(group) !== '') ? [{ title, isNumber: false, text }] : [];
  const rate = (title: string, octets: (group: MeasuredGroup) => number): Column => ({
    title,
    isNumber: true,
    text: (group) => rateText(octets(group), options),
  });
  const time = (title: string, ms: (group: MeasuredGroup) => number | undefined): Column => ({
    title,
    isNumber: true,
    text: (group) => millisecondsText(ms(group)),
  });
  const gap = (title: string, ms: (arrivals: ArrivalSums) => number | undefined): Column => ({
    title,
    isNumber: true,
    text: ({ arrivals }) => {
      const text = millisecondsText(arrivals && ms(arrivals));
      return arrivals && arrivals.coarse > 0 && text !== '-' ? `~${text}` : text;
    },
  });
  const count = (title: string, number: (group: MeasuredGroup) => number | undefined): Column => ({
    title,
    isNumber: true,
    text: (group) => number(group)?.toString() ?? '-',
  });
  return [
    ...word('PROTOCOL', ({ words }) => words.protocol),
    ...word('SOURCE', ({ words }) => words.source),
    ...word('DESTINATION', ({ words }) => words.destination),
    ...word('TUNNEL', ({ words }) => words.tunnel),
    {
      title: 'PKT/S',
      isNumber: true,
      text: ({ packets }) => (seconds > 0 ? packets / seconds : 0).toFixed(1),
    },
    ...(displays.has('throughput') ? [rate('THROUGHPUT', ({ octets }) => octets)] : []),
    ...(displays.has('goodput') ? [rate('GOODPUT', ({ payloadOctets }) => payloadOctets)] : []),
    ...(displays.has('jitter')
      ? [
          gap('MEAN', (arrivals) => arrivals.meanMs(options.nominalMs)),
          gap('JITTER', (arrivals) => arrivals.deviationMs),
          gap('P99', (arrivals) => arrivals.percentileMs(0.99)),
          gap('LONGEST', (arrivals) => arrivals.mostMs),
        ]
      : []),
    ...(displays.has('sequence') && groups.some(({ sequence }) => sequence)
      ? worthShowing(SEQUENCE_COLUMNS, groups)
      : []),
    ...(displays.has('tcp') && groups.some(({ tcp }) => tcp) ? worthShowing(TCP_COLUMNS, groups) : []),
    ...(displays.has('socket')
      ? [
          time('SRTT', ({ socket }) => socket?.srttMs),
          count('CWND', ({ socket }) => socket?.cwnd),
          count('RETRANS', ({ socket }) => socket?.retransmits),
        ]
      : []),
  ];
}

function count(title: string, of: (sequence: SequenceSums) => number | undefined): Column {
  return {
    title,
    isNumber: true,
    text: ({ sequence }) => (sequence && of(sequence) !== undefined ? String(of(sequence)) : '-'),
  };
}

/** The first three columns, and of the others those that are not 0 of all groups. */
function worthShowing(columns: readonly Column[], groups: readonly MeasuredGroup[]): Column[] {
  return columns.filter(({ text }, i) => i < 3 || groups.some((group) => !/^[0-]$/.test(text(group))));
}

/** Since the start; the jitter is that of what says when it was sent. */
const SEQUENCE_COLUMNS: readonly Column[] = [
  count('EXPECTED', ({ expected }) => expected),
  count('LOST', ({ lost }) => lost),
  {
    title: 'LOSS',
    isNumber: true,
    text: ({ sequence }) =>
      sequence && sequence.expected > 0 ? `${((100 * sequence.lost) / sequence.expected).toFixed(3)} %` : '-',
  },
  count('RUN', ({ longestRun }) => longestRun),
  count('TWICE', ({ duplicates }) => duplicates),
  count('REORDERED', ({ reordered }) => reordered),
  count('BY', ({ mostExtent }) => mostExtent),
  count('LATE', ({ late }) => late),
  count('NO NUMBER', ({ noSequence }) => noSequence),
  {
    title: 'RFC 3550',
    isNumber: true,
    text: ({ sequence }) => millisecondsText(sequence?.jitterMs),
  },
];

function tcpCount(title: string, of: (tcp: TcpSums) => number): Column {
  return { title, isNumber: true, text: ({ tcp }) => (tcp ? String(of(tcp)) : '-') };
}

/** Since the start; RTT is the mean to the receiver and back, from where it was measured. */
const TCP_COLUMNS: readonly Column[] = [
  { title: 'RTT', isNumber: true, text: ({ tcp }) => millisecondsText(tcp?.roundTripMs) },
  { title: 'LEAST', isNumber: true, text: ({ tcp }) => millisecondsText(tcp?.leastRoundTripMs) },
  tcpCount('RETRANSMITTED', ({ retransmitted }) => retransmitted),
  tcpCount('OVERTAKEN', ({ overtaken }) => overtaken),
  tcpCount('GAPS', ({ counts }) => counts.gaps),
  tcpCount('DUP ACKS', ({ counts }) => counts.duplicateAcks),
  tcpCount('ZERO WINDOWS', ({ counts }) => counts.zeroWindows),
];

/** The same of protocols as System D prints it: `TCP bitrate [MiB/s]:  11.5944`, and so on. */
export function formatProtocols(groups: readonly MeasuredGroup[], options: MeasureTextOptions): string {
  const { displays, interfaces, seconds, inBits } = options;
  const on = `on ${interfaces.join(', ')} each ${seconds.toFixed(1)} seconds:`;
  const protocols = PROTOCOLS.map((name) => ({
    name,
    group: groups.find(({ words }) => words.protocol === name),
  }));
  const rates = (title: string, octets: (group: MeasuredGroup) => number): string[] => [
    `${title} measurement ${on}`,
    ...protocols.map(({ name, group }) => {
      const [number, unit] = scaledRate(group ? octets(group) : 0, options);
      return `${name} bitrate [${unit}${inBits ? 'bit' : 'B'}/s]:  ${number.toFixed(4)}`;
    }),
    '',
  ];
  const lines: string[] = [];
  if (displays.has('jitter')) {
    for (const { name, group } of protocols) {
      lines.push(`Jitter[STDDEV] ${name}: ${fourDigits(group?.arrivals?.deviationMs)}`);
      lines.push(`Average ${name}: ${fourDigits(group?.arrivals?.meanMs(options.nominalMs))}`, '');
    }
  }
  if (displays.has('throughput')) lines.push(...rates('THROUGHPUT', ({ octets }) => octets));
  if (displays.has('goodput')) lines.push(...rates('GOODPUT', ({ payloadOctets }) => payloadOctets));
  if (displays.has('sequence'))
    for (const { name, group } of protocols) lines.push(...sequenceLines(name, group));
  return `${lines.join('\n')}\n`;
}

/** D4.6: of protocols whose numbers were seen. */
function sequenceLines(name: string, group: MeasuredGroup | undefined): string[] {
  const { sequence, tcp } = group ?? {};
  if (tcp) return [name, ...valueLines(tcpValues(tcp)), ''];
  if (!sequence) return [];
  const values = {
    seq_num: sequence.last ?? '-',
    count: sequence.received,
    reverse_err: sequence.reverseSteps,
    small_err: sequence.smallSteps,
    big_err: sequence.bigSteps,
    total_sequence_errors: sequence.steps,
  };
  return [name, ...valueLines(values), ''];
}

/** TCP numbers octets, not packets: what is an error follows from what was to come next (BUG-D3). */
function tcpValues({ counts, retransmitted, overtaken }: TcpSums): Readonly<Record<string, number>> {
  return {
    count: counts.segments,
    retransmitted,
    out_of_order: overtaken,
    gaps: counts.gaps,
    total_sequence_errors: retransmitted + overtaken + counts.gaps,
  };
}

function valueLines(values: Readonly<Record<string, number | string>>): string[] {
  return Object.entries(values).map(([key, value]) => `\t${key}: ${value}`);
}

/** The protocols of System D. */
const PROTOCOLS = ['TCP', 'UDP', 'ICMP'] as const;

/** What is not known is not 0 (BUG-D10). */
function fourDigits(ms: number | undefined): string {
  return ms === undefined ? '-' : `${ms.toFixed(4)} ms`;
}

/** Octets of the epoch as a rate, scaled, and its prefix. */
function scaledRate(octets: number, { seconds, inBits }: MeasureTextOptions): [number, string] {
  const base = inBits ? 1000 : 1024;
  let rate = seconds > 0 ? ((inBits ? 8 : 1) * octets) / seconds : 0;
  let step = 0;
  while (rate >= base && step < PREFIXES.length - 1) {
    rate /= base;
    step++;
  }
  const prefix = PREFIXES[step]!;
  return [rate, prefix === '' ? '' : inBits ? (prefix === 'K' ? 'k' : prefix) : `${prefix}i`];
}

function rateText(octets: number, options: MeasureTextOptions): string {
  const [number, prefix] = scaledRate(octets, options);
  return `${number.toFixed(2)} ${prefix}${options.inBits ? 'bit' : 'B'}/s`;
}

function millisecondsText(ms: number | undefined): string {
  if (ms === undefined) return '-';
  return `${Math.abs(ms) < 1 ? ms.toFixed(4) : ms.toFixed(3)} ms`;
}

function paint(text: string, code: number, { colour }: MeasureTextOptions): string {
  return colour ? `\x1b[${code}m${text}\x1b[0m` : text;
}
