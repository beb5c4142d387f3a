/** The host's own connections, asked for while somebody looks at them. */
import { useEffect, useState } from 'react';
import { type HostConnections, HostConnectionsSchema, type ResultTable } from '../../src/query/index.ts';
import type { AnswerProblem } from './asking.ts';
import type { Cell } from './result.ts';

/** What is known of them now. */
export interface KnownConnections {
  /** The newest answer; it stays when asking fails. */
  readonly answer: HostConnections | undefined;
  readonly problem: AnswerProblem | undefined;
}

/** Between an answer and the next question. */
const PAUSE_MS = 1000;
const NOTHING: KnownConnections = { answer: undefined, problem: undefined };

/** Asks every second as long as `isOn`, and the page is not hidden behind others. */
export function useConnections(
  isOn: boolean,
  { filter, limit }: { readonly filter: string | undefined; readonly limit: number },
): KnownConnections {
  const [known, setKnown] = useState(NOTHING);
  const query = new URLSearchParams({
    limit: String(limit),
    ...(filter !== undefined && { filter }),
  }).toString();
  useEffect(() => {
    if (!isOn) return;
    const gone = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const turn = async (): Promise<void> => {
      clearTimeout(timer);
      if (document.hidden) return;
      const next = await ask(query, gone.signal);
      if (gone.signal.aborted) return;
      setKnown((last) => ({ answer: last.answer, problem: undefined, ...next }));
      timer = setTimeout(turn, PAUSE_MS);
    };
    const onSeen = (): void => {
      if (!document.hidden) void turn();
    };
    document.addEventListener('visibilitychange', onSeen);
    void turn();
    return () => {
      gone.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onSeen);
    };
  }, [isOn, query]);
  return known;
}

/** Asks once; it never rejects. */
async function ask(query: string, signal: AbortSignal): Promise<Partial<KnownConnections>> {
  try {
    const response = await fetch(`api/v1/connections?${query}`, { signal, cache: 'no-store' });
    const answer: unknown = await response.json();
    if (response.ok) return { answer: HostConnectionsSchema.parse(answer), problem: undefined };
    const { error = response.statusText, remedy } = answer as Partial<Record<'error' | 'remedy', string>>;
    return { problem: { status: response.status, message: error, remedy } };
  } catch (error) {
    return { problem: { status: 0, message: (error as Error).message, remedy: undefined } };
  }
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
