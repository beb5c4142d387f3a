/** Connections for `top`: those that the meter follows, with what their sockets know, or the sockets alone. */
import {
  columnWords,
  createColumns,
  type FlowBatch,
  type FlowColumns,
  formatAddress,
  isIpv4Mapped,
  NETWORK,
  type ObservationPoint,
  type SocketBatch,
} from '../flow/index.ts';
import { connectionOf, SocketIndex } from '../measure/index.ts';
import { Sockets } from '../meter/index.ts';
import { compileFilter, parseViewFilter, type RecordTest } from '../query/index.ts';
import type { Connections, HeldConnection } from '../terminal/index.ts';

const TCP = 6;
/** How long a connection is listed that is over, and one that has been silent. */
const ENDED_MS = 60_000;
const SILENT_MS = 300_000;
/** Listed at most; those that were seen last stay. */
const MOST = 5000;
const MAX_SOCKETS = 16_384;

/** A connection and the row that filters ask. */
interface Held {
  readonly connection: HeldConnection;
  readonly flows: FlowColumns;
  readonly row: number;
  readonly seenMs: number;
}

/** Follows the connections of a meter, epoch by epoch. */
export class HeldConnections {
  readonly #held = new Map<string, Held>();
  #points: readonly ObservationPoint[] = [];
  #unmeasured = 0;

  /** Takes an epoch in; what is kept of it is copied. */
  write(batch: FlowBatch): void {
    this.#points = batch.points;
    const { measurements, sockets, endMs } = batch;
    this.#unmeasured = measurements?.unmeasuredPackets ?? 0;
    if (measurements && measurements.connections.length > 0)
      this.#add(measurements.connections, sockets, endMs);
    for (const [key, { seenMs, connection }] of this.#held) {
      const keptMs = connection.state === 'open' ? SILENT_MS : ENDED_MS;
      if (endMs - seenMs > keptMs || this.#held.size > MOST) this.#held.delete(key);
    }
  }

  /** Those that fit. */
  connections(filter: string): Connections {
    const fits = compileFilter(parseViewFilter(filter), this.#points);
    const connections = [...this.#held.values()]
      .filter(({ flows, row }) => fits(flows, row))
      .map(({ connection }) => connection);
    const note =
      this.#unmeasured > 0
        ? `${this.#unmeasured} packets of the last epoch are of no connection: too many at a time`
        : 'with packets in the last five minutes; octets on the wire since they began';
    return { kind: 'list', connections, note };
  }

  #add(
    batch: NonNullable<FlowBatch['measurements']>['connections'],
    sockets: SocketBatch | undefined,
    endMs: number,
  ): void {
    // Lent: the batch goes back when this returns.
    const flows = structuredClone(batch.flows);
    const index = sockets && new SocketIndex(sockets, flows);
    for (let row = 0; row < batch.length; row++) {
      const { ifindex, protocol, source, destination, tunnel, close, octets, answerOctets, ...rest } =
        connectionOf(batch, row);
      // By the clock of who observed: what Unix time that was is computed anew in each epoch.
      const key = [ifindex, protocol, source, destination, tunnel, batch.columns.beganNs[row]].join('|');
      const before = this.#held.get(key)?.connection.socket;
      this.#held.delete(key);
      const connection: HeldConnection = {
        key,
        protocol,
        source,
        destination,
        tunnel,
        state: close,
        startMs: rest.startMs,
        durationMs: rest.durationMs,
        sent: octets,
        received: answerOctets,
        socket: index?.find(row) ?? before,
      };
      this.#held.set(key, { connection, flows, row, seenMs: endMs });
    }
  }
}

/** TCP states by number (net/tcp_states.h), in the words of ss. */
const STATES: Readonly<Record<number, string>> = {
  1: 'established',
  2: 'SYN sent',
  3: 'SYN received',
  4: 'FIN wait 1',
  5: 'FIN wait 2',
  6: 'time wait',
  7: 'closed',
  8: 'close wait',
  9: 'last ACK',
  11: 'closing',
};

/** The TCP sockets of this process's network namespace, read when somebody asks. */
export class HostSockets {
  readonly #namespace: string | null;
  #sockets: Sockets | undefined;

  /** @param namespace that an instance meters; null: this one */
  constructor(namespace: string | null) {
    this.#namespace = namespace;
  }

  /** Those that fit, or why there are none. */
  connections(filter: string): Connections {
    if (this.#namespace !== null)
      return {
        kind: 'none',
        why: `The sockets are in the network namespace ${this.#namespace}: run top --netns ${this.#namespace} to see them.`,
      };
    let batch: SocketBatch;
    try {
      this.#sockets ??= Sockets.open(MAX_SOCKETS);
      batch = this.#sockets.read();
    } catch (error) {
      return { kind: 'none', why: `The sockets of this host cannot be read: ${(error as Error).message}` };
    }
    const flows = flowsOf(batch);
    const fits: RecordTest = compileFilter(parseViewFilter(filter), []);
    const index = new SocketIndex(batch, flows);
    const connections = Array.from({ length: batch.length }, (_, row) => row)
      .filter((row) => fits(flows, row))
      .map((row) => socketConnection(batch, index, row));
    return {
      kind: 'list',
      connections,
      note: 'TCP sockets of this host; octets that TCP carried since they began',
    };
  }
}

function socketConnection({ columns }: SocketBatch, index: SocketIndex, row: number): HeldConnection {
  const end = (octets: Uint8Array, port: number): string => {
    const address = formatAddress(octets, 16 * row);
    return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  };
  const source = end(columns.localAddress, columns.localPort[row]!);
  const destination = end(columns.remoteAddress, columns.remotePort[row]!);
  const isClosed = columns.isClosed[row] === 1;
  return {
    key: `TCP|${source}|${destination}|${isClosed ? 'closed' : ''}`,
    protocol: 'TCP',
    source,
    destination,
    tunnel: '',
    state: isClosed ? 'closed' : (STATES[columns.state[row]!] ?? `state ${columns.state[row]}`),
    startMs: undefined,
    durationMs: undefined,
    sent: Number(columns.ackedOctets[row]!),
    received: Number(columns.receivedOctets[row]!),
    socket: index.find(row),
  };
}

/** Sockets as flows from here to the other end, for filters and for finding them. */
function flowsOf({ columns, length }: SocketBatch): FlowColumns {
  const flows = createColumns(length);
  columnWords(flows.source).set(columnWords(columns.localAddress));
  columnWords(flows.destination).set(columnWords(columns.remoteAddress));
  flows.sourcePort.set(columns.localPort);
  flows.destinationPort.set(columns.remotePort);
  flows.protocol.fill(TCP);
  flows.direction.fill(1);
  for (let row = 0; row < length; row++)
    flows.network[row] = isIpv4Mapped(columns.remoteAddress, 16 * row) ? NETWORK.ipv4 : NETWORK.ipv6;
  return flows;
}
