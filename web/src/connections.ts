/** The host's own connections, asked for while somebody looks at them. */
import { type HostConnections, HostConnectionsSchema, type ResultTable } from '../../src/query/index.ts';
import { type Polled, usePolled } from './polled.ts';
import type { Cell } from './result.ts';

/** Between an answer and the next question, milliseconds. */
const pauseMs = (): number => 1000;

/** Asks every second as long as `isOn`. */
export function useConnections(
  isOn: boolean,
  { filter, limit }: { readonly filter: string | undefined; readonly limit: number },
): Polled<HostConnections> {
  const query = new URLSearchParams({
    limit: String(limit),
    ...(filter !== undefined && { filter }),
  });
  return usePolled(isOn ? `api/v1/connections?${query}` : undefined, HostConnectionsSchema, pauseMs);
}

const COLUMNS = [
  { name: 'local', kind: 'address' },
  { name: 'localPort', kind: 'number' },
  { name: 'remote', kind: 'address' },
  { name: 'remotePort', kind: 'number' },
  { name: 'state', kind: 'text' },
  { name: 'sendRate', kind: 'octets' },
  { name: 'receiveRate', kind: 'octets' },
  { name: 'srttMs', kind: 'duration' },
  { name: 'rttvarMs', kind: 'duration' },
  { name: 'minRttMs', kind: 'duration' },
  { name: 'retransmits', kind: 'number' },
  { name: 'retransmitRate', kind: 'number' },
  { name: 'lost', kind: 'number' },
  { name: 'unacked', kind: 'number' },
  { name: 'cwnd', kind: 'number' },
  { name: 'ssthresh', kind: 'number' },
  { name: 'mss', kind: 'octets' },
  { name: 'sentOctets', kind: 'octets' },
  { name: 'ackedOctets', kind: 'octets' },
  { name: 'receivedOctets', kind: 'octets' },
  { name: 'retransmittedOctets', kind: 'octets' },
] as const satisfies ResultTable['columns'];

/** Columns that say which connection it is. */
export const ENDS: ReadonlySet<string> = new Set(['local', 'localPort', 'remote', 'remotePort']);

/** An answer as a table, so that it is shown as others are. */
export function connectionsTable({ connections, count, atMs }: HostConnections): ResultTable {
  return {
    columns: [...COLUMNS],
    rows: connections.map((each) => COLUMNS.map(({ name }): Cell => each[name])),
    total: { octets: 0, packets: 0 },
    isCut: count > connections.length,
    count,
    covered: { fromMs: atMs, toMs: atMs, level: 'raw' },
    gaps: [],
    ledger: [],
    tookMs: 0,
  };
}
