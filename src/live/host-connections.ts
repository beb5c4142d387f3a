/** The host's own TCP connections with their rates, from two readings of the kernel that follow each other. */
import {
  createColumns,
  type FlowColumns,
  formatAddress,
  NETWORK,
  NO_SSTHRESH,
  type SocketBatch,
} from '../flow/index.ts';
import {
  CONNECTION_STATES,
  type ConnectionsQuestion,
  compileFilter,
  type HostConnection,
  type HostConnections,
  parseViewFilter,
} from '../query/index.ts';

/** Who asks within this time of a reading is answered from it: the kernel is not asked for everybody. */
const SHARED_MS = 900;
/** An older reading says nothing of now. */
const LONGEST_MS = 15_000;
const TCP = 6;

/** A reading of the kernel. */
interface Reading {
  readonly atMs: number;
  readonly batch: SocketBatch;
  readonly connections: readonly HostConnection[];
  readonly byEnds: ReadonlyMap<string, HostConnection>;
  readonly rateSeconds: number | null;
}

/** Answers questions about connections. */
export class ConnectionsNow {
  readonly #read: () => Promise<SocketBatch>;
  readonly #nowMs: () => number;
  #last: Reading | undefined;
  #reading: Promise<Reading> | undefined;

  /** @param read of the kernel; what it gives is kept */
  constructor(read: () => Promise<SocketBatch>, nowMs: () => number = Date.now) {
    this.#read = read;
    this.#nowMs = nowMs;
  }

  /** As {@link AskConnections}. @throws FilterError, what reading throws */
  async answer({ limit, filter }: ConnectionsQuestion): Promise<HostConnections> {
    const test = parseViewFilter(filter);
    const { atMs, rateSeconds, batch, connections } = await this.#newest();
    const fits = test.kind === 'any' ? undefined : fitsEitherWay(batch, compileFilter(test, []));
    const chosen = fits ? connections.filter((_, row) => fits(row)) : connections;
    return {
      atMs,
      rateSeconds,
      count: chosen.length,
      untold: batch.untold,
      connections: chosen.toSorted(byActivity).slice(0, limit),
    };
  }

  async #newest(): Promise<Reading> {
    if (this.#last && this.#nowMs() - this.#last.atMs < SHARED_MS) return this.#last;
    this.#reading ??= this.#readAnew().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readAnew(): Promise<Reading> {
    const batch = await this.#read();
    const atMs = this.#nowMs();
    const former = this.#last && atMs - this.#last.atMs <= LONGEST_MS ? this.#last : undefined;
    const rateSeconds = former ? (atMs - former.atMs) / 1000 : null;
    const byEnds = new Map<string, HostConnection>();
    const connections = Array.from({ length: batch.length }, (_, row) => {
      const now = connectionOf(batch, row);
      const ends = endsOf(now);
      const before = former?.byEnds.get(ends);
      const rated = before && rateSeconds ? withRates(before, now, rateSeconds) : now;
      byEnds.set(ends, rated);
      return rated;
    });
    this.#last = { atMs, batch, connections, byEnds, rateSeconds };
    return this.#last;
  }
}

function endsOf({ local, localPort, remote, remotePort }: HostConnection): string {
  return `${local} ${localPort} ${remote} ${remotePort}`;
}

/** Counts that fell are another connection's: it has no rates yet. */
function withRates(before: HostConnection, now: HostConnection, seconds: number): HostConnection {
  const sent = now.sentOctets - before.sentOctets;
  const received = now.receivedOctets - before.receivedOctets;
  const again = now.retransmits - before.retransmits;
  if (sent < 0 || received < 0 || again < 0) return now;
  return {
    ...now,
    sendRate: sent / seconds,
    receiveRate: received / seconds,
    retransmitRate: again / seconds,
  };
}

function connectionOf({ columns }: SocketBatch, row: number): HostConnection {
  const ms = (us: number): number | null => (us === 0 ? null : us / 1000);
  const srttUs = columns.srttUs[row]!;
  const ssthresh = columns.ssthresh[row]!;
  return {
    local: formatAddress(columns.localAddress, 16 * row),
    localPort: columns.localPort[row]!,
    remote: formatAddress(columns.remoteAddress, 16 * row),
    remotePort: columns.remotePort[row]!,
    state: columns.isClosed[row] === 1 ? 'closed' : (CONNECTION_STATES[columns.state[row]! - 1] ?? 'close'),
    sendRate: null,
    receiveRate: null,
    retransmitRate: null,
    sentOctets: Number(columns.sentOctets[row]!),
    ackedOctets: Number(columns.ackedOctets[row]!),
    receivedOctets: Number(columns.receivedOctets[row]!),
    retransmittedOctets: Number(columns.retransmittedOctets[row]!),
    retransmits: columns.retransmits[row]!,
    lost: columns.lost[row]!,
    srttMs: ms(srttUs),
    rttvarMs: srttUs === 0 ? null : columns.rttvarUs[row]! / 1000,
    minRttMs: ms(columns.minRttUs[row]!),
    cwnd: columns.cwnd[row]!,
    ssthresh: ssthresh >= NO_SSTHRESH ? null : ssthresh,
    mss: columns.mss[row]!,
    unacked: columns.unacked[row]!,
  };
}

function byActivity(x: HostConnection, y: HostConnection): number {
  const now = (each: HostConnection): number => (each.sendRate ?? 0) + (each.receiveRate ?? 0);
  const ever = (each: HostConnection): number => each.sentOctets + each.receivedOctets;
  return now(y) - now(x) || ever(y) - ever(x);
}

/** Whether either way of a connection fits, as flows of which nothing is known but their ends. */
function fitsEitherWay(
  { columns, length }: SocketBatch,
  fits: (flows: FlowColumns, row: number) => boolean,
): (row: number) => boolean {
  const flows = createColumns(2 * length);
  const ends = [
    [columns.localAddress, columns.localPort, columns.remoteAddress, columns.remotePort],
    [columns.remoteAddress, columns.remotePort, columns.localAddress, columns.localPort],
  ] as const;
  for (const [way, [source, sourcePort, destination, destinationPort]] of ends.entries()) {
    const at = way * length;
    flows.source.set(source.subarray(0, 16 * length), 16 * at);
    flows.destination.set(destination.subarray(0, 16 * length), 16 * at);
    flows.sourcePort.set(sourcePort.subarray(0, length), at);
    flows.destinationPort.set(destinationPort.subarray(0, length), at);
  }
  for (let row = 0; row < 2 * length; row++) {
    flows.protocol[row] = TCP;
    flows.network[row] = isMapped(flows.source, 16 * row) ? NETWORK.ipv4 : NETWORK.ipv6;
  }
  return (row) => fits(flows, row) || fits(flows, length + row);
}

/** Of ::ffff:0:0/96, which is IPv4 (RFC 4291 section 2.5.5.2). */
function isMapped(address: Uint8Array, at: number): boolean {
  return address.subarray(at, at + 12).every((octet, nth) => octet === (nth < 10 ? 0 : 0xff));
}
