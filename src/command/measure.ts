/** `tunnelscope measure`: rates, goodput and inter-arrival times in the terminal, per flow, tunnel or protocol. */
import type { Command } from 'commander';
import { runAgent } from '../agent.ts';
import {
  ConfigError,
  parseChoice,
  parseCount,
  parseDuration,
  parseMilliseconds,
  parsePattern,
} from '../config/index.ts';
import { DEFAULT_MEASURE, type FlowBatch, type SequenceOptions, type SequenceRule } from '../flow/index.ts';
import { GROUPINGS, type Grouping, Measured, type MeasuredGroup } from '../measure/index.ts';
import { compileFilter } from '../query/index.ts';
import {
  formatMeasured,
  formatProtocols,
  MEASURE_DISPLAYS,
  type MeasureDisplay,
  type MeasureTextOptions,
} from '../terminal/index.ts';
import { addFilterOption, type FilterWords, filterOf } from './filtering.ts';
import { demandMachine } from './monitor.ts';
import { addMeterOptions, type MeterWords, meterConfig } from './options.ts';
import { stopSignal } from './stopping.ts';

/** The words of `measure`. */
interface MeasureWords extends MeterWords, FilterWords {
  readonly interval: string;
  readonly bits?: true;
  readonly nominal: string;
  readonly reset: string;
  readonly by: string;
  readonly show?: string;
  readonly direction: string;
  readonly top: string;
  readonly measured: string;
  readonly sockets: string;
  readonly once?: true;
  readonly json?: true;
  readonly packetLoss?: true;
  readonly offset?: string;
  readonly pattern?: string;
  readonly threshold: string;
  readonly iperf3: string;
  readonly rtp?: string;
}

/** Shown unless told otherwise: what every kernel can. */
const USUAL_DISPLAYS: readonly MeasureDisplay[] = MEASURE_DISPLAYS.filter((name) => name !== 'socket');
const DIRECTION_WORDS = ['ingress', 'egress', 'both'] as const;
/** Clears a terminal: the cursor goes home, and all behind it is erased. */
const CLEAR = '\x1b[H\x1b[J';

/** Adds `measure` to the program. */
export function addMeasureCommand(program: Command): void {
  const command = program
    .command('measure')
    .description('print throughput, goodput and inter-arrival times, once per interval');
  addFilterOption(addMeterOptions(command))
    .option('-t, --interval <duration>', 'length of an interval; the first figures come after one', '1s')
    .option('-b, --bits', 'bits per second (powers of 1000) instead of octets (powers of 1024)')
    .option('-j, --nominal <ms>', "the sender's spacing, subtracted from the mean, milliseconds", '0')
    .option('--reset <duration>', 'a gap this long is a pause: inter-arrival times begin anew', '2s')
    .option('--by <what>', GROUPINGS.join(', '), 'flow')
    .option(
      '--show <list>',
      `what to show, by commas: ${MEASURE_DISPLAYS.join(', ')} (default: all but socket)`,
    )
    .option(
      '--direction <which>',
      `packets received by the interface, or sent: ${DIRECTION_WORDS.join(', ')}`,
      'ingress',
    )
    .option('--packet-loss', 'the same as --show throughput,sequence')
    .option('--offset <octets>', 'sequence numbers of UDP and ICMP: 32 bits at this place of the payload')
    .option('--pattern <hex>', '… counted from where these 32 bits are found in its first 5,000 octets')
    .option('--threshold <count>', 'the largest step from number to number that is a small error', '2')
    .option('--iperf3 <port>', 'UDP port of iperf3, whose numbers are known', '5201')
    .option('--rtp <ports>', 'UDP ports of RTP: FIRST-LAST, even ones; FIRST alone for one port')
    .option('--top <count>', 'rows at most', '40')
    .option('--measured <count>', 'flows (both ways) followed at a time', '16384')
    .option('--sockets <count>', "of the host's own TCP sockets told at a time, with --show socket", '16384')
    .option('--once', 'one interval, then end')
    .option('--json', 'JSON Lines: a line per row and interval')
    .action(measure);
}

async function measure(words: MeasureWords): Promise<void> {
  const config = meterConfig(words, parseDuration('--interval', words.interval));
  const by = parseChoice<Grouping>('--by', words.by, GROUPINGS);
  const direction = parseChoice('--direction', words.direction, DIRECTION_WORDS);
  const nominalMs = parseMilliseconds('--nominal', words.nominal);
  const top = parseCount('--top', words.top, { min: 1, max: 1_000_000 });
  const filter = filterOf(words);
  const displays = displaysOf(words);
  const sequence = sequenceOptions(words);
  const measured = new Measured({
    by,
    fits: ({ points }) => {
      const test = compileFilter(filter, points);
      return (flows, row) =>
        (direction === 'both' || flows.direction[row] === DIRECTION_WORDS.indexOf(direction)) &&
        test(flows, row);
    },
  });
  if (displays.has('socket') && by !== 'flow')
    throw new ConfigError('--show', 'socket', `only with --by flow (a ${by} has no socket of its own)`);
  const sockets = parseCount('--sockets', words.sockets, { min: 1, max: 1_048_576 });
  demandMachine();
  const isTerminal = process.stdout.isTTY && !words.once;
  const interfaces: string[] = [];
  using stopping = stopSignal();
  const done = new AbortController();
  await runAgent({
    meter: {
      ...config,
      measure: {
        measurements: ['arrivals', 'sequence', 'tcp'],
        sequence,
        capacity: parseCount('--measured', words.measured, { min: 16, max: 1_048_576 }),
        resetMs: parseDuration('--reset', words.reset),
        sockets: displays.has('socket') ? sockets : 0,
      },
    },
    sinks: [],
    signal: AbortSignal.any([stopping.signal, done.signal]),
    ready: (started) => {
      interfaces.push(...started.interfaces.map(({ name }) => name));
      process.stderr.write(`Measuring at ${interfaces.join(', ')}; Ctrl-C ends.\n`);
    },
    epoch: (batch) => {
      // The last drain of the orderly end is shorter than an interval.
      if (done.signal.aborted || stopping.signal.aborted) return;
      measured.write(batch);
      const options: MeasureTextOptions = {
        displays,
        inBits: words.bits ?? false,
        nominalMs,
        seconds: measured.seconds,
        interfaces,
        colour: process.stdout.isTTY && process.env.NO_COLOR === undefined,
        top,
      };
      if (words.json)
        process.stdout.write(measured.active.map((group) => jsonLine(group, batch, options)).join(''));
      else {
        const text = (by === 'protocol' ? formatProtocols : formatMeasured)(measured.active, options);
        process.stdout.write(`${isTerminal ? CLEAR : ''}${text}${shortfallLines(measured)}`);
      }
      if (words.once) done.abort();
    },
    listener: {
      problem: (error) => process.stderr.write(`Problem: ${error.message}\n`),
      sinkFailed: (sink, error) => process.stderr.write(`Problem: ${sink.name}: ${error.message}\n`),
      sinkDropped: () => undefined,
    },
  });
}

function displaysOf({ show, packetLoss }: MeasureWords): ReadonlySet<MeasureDisplay> {
  const list = show ?? (packetLoss ? 'throughput,sequence' : undefined);
  if (list === undefined) return new Set(USUAL_DISPLAYS);
  return new Set(list.split(',').map((word) => parseChoice('--show', word.trim(), MEASURE_DISPLAYS)));
}

/** Where numbers stand: where the user says, else where protocols have a place for them. */
function sequenceOptions(words: MeasureWords): SequenceOptions {
  const threshold = parseCount('--threshold', words.threshold, { min: 0, max: 1_000_000 });
  const place = { ...DEFAULT_MEASURE.sequence, threshold };
  if (words.offset !== undefined || words.pattern !== undefined) {
    const form = words.pattern === undefined ? 'offset' : 'pattern';
    return {
      ...place,
      udp: [{ firstPort: 0, lastPort: 65_535, form }],
      icmp: form,
      offset: parseCount('--offset', words.offset ?? '0', { min: 0, max: 65_000 }),
      pattern: words.pattern === undefined ? 0 : parsePattern('--pattern', words.pattern),
    };
  }
  const port = parseCount('--iperf3', words.iperf3, { min: 1, max: 65_535 });
  const udp: SequenceRule[] = [{ firstPort: port, lastPort: port, form: 'iperf3' }];
  if (words.rtp !== undefined) {
    const [first = '', last = first] = words.rtp.split('-');
    const bounds = { min: 1, max: 65_535 };
    const [firstPort, lastPort] = [parseCount('--rtp', first, bounds), parseCount('--rtp', last, bounds)];
    udp.push({ firstPort, lastPort, form: 'rtp', evenOnly: firstPort !== lastPort });
  }
  return { ...place, udp };
}

function shortfallLines({ unmeasuredPackets, untoldSockets }: Measured): string {
  const packets =
    unmeasuredPackets > 0
      ? `${unmeasuredPackets} packets not measured: too many flows at a time (--measured)\n`
      : '';
  return untoldSockets > 0
    ? `${packets}${untoldSockets} sockets not told: too many at a time (--sockets)\n`
    : packets;
}

/** A row as JSON; what is not known is `null`. */
function jsonLine(
  group: MeasuredGroup,
  { endMs }: FlowBatch,
  { seconds, nominalMs, displays }: MeasureTextOptions,
): string {
  const { words, flows, packets, octets, payloadOctets, arrivals } = group;
  const gaps = arrivals && {
    count: arrivals.gaps,
    meanMs: arrivals.meanMs(nominalMs) ?? null,
    deviationMs: arrivals.deviationMs ?? null,
    leastMs: arrivals.leastMs ?? null,
    mostMs: arrivals.mostMs ?? null,
    p50Ms: arrivals.percentileMs(0.5) ?? null,
    p99Ms: arrivals.percentileMs(0.99) ?? null,
    pauses: arrivals.pauses,
    coarsePackets: arrivals.coarse,
  };
  const time = new Date(endMs).toISOString();
  return `${JSON.stringify({ time, seconds, ...words, flows, packets, octets, payloadOctets, interArrival: gaps ?? null, sequence: sequenceValues(group), tcp: tcpValues(group), ...(displays.has('socket') && { socket: socketValues(group) }) })}\n`;
}

/** All since the start. */
function sequenceValues({ sequence }: MeasuredGroup): object | null {
  if (!sequence) return null;
  const { expected, received, lost, duplicates, reordered, late, strays, restarts, noSequence } = sequence;
  return {
    ...{ expected, received, lost, duplicates, reordered, late, strays, restarts, noSequence },
    last: sequence.last ?? null,
    longestRun: sequence.longestRun,
    mostExtent: sequence.mostExtent,
    meanExtent: sequence.meanExtent ?? null,
    reverseSteps: sequence.reverseSteps,
    smallSteps: sequence.smallSteps,
    bigSteps: sequence.bigSteps,
    jitterMs: sequence.jitterMs ?? null,
    meanJitterMs: sequence.meanJitterMs ?? null,
    mostJitterMs: sequence.mostJitterMs ?? null,
  };
}

/** All since the start. */
function tcpValues({ tcp }: MeasuredGroup): object | null {
  if (!tcp) return null;
  return {
    ...tcp.counts,
    retransmitted: tcp.retransmitted,
    overtaken: tcp.overtaken,
    handshakeMs: tcp.handshakeMs ?? null,
    roundTripMs: tcp.roundTripMs ?? null,
    leastRoundTripMs: tcp.leastRoundTripMs ?? null,
    mostRoundTripMs: tcp.mostRoundTripMs ?? null,
    p99RoundTripMs: tcp.percentileMs(0.99) ?? null,
  };
}

/** Of the end of the interval. */
function socketValues({ socket }: MeasuredGroup): object | null {
  if (!socket) return null;
  return Object.fromEntries(Object.entries(socket).map(([name, value]) => [name, value ?? null]));
}
