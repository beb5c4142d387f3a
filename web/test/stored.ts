/** A history for tests of views: made up from a seed, stored by the store itself. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { batchOf, ETH0, type RecordWords } from '../../src/flow/batch.fixture.ts';
import type { LedgerLine } from '../../src/flow/index.ts';
import { type MeasuredWords, withMeasurements } from '../../src/flow/measurement.fixture.ts';
import type { ResultTable, Status } from '../../src/query/index.ts';
import { DuckDbStore } from '../../src/store/index.ts';
import { MadeCounters, type TakenPackets } from '../../test/made-counters.ts';
import { type Bench, type BenchOptions, bench } from './browser.ts';
import { labStreams, type Stream } from './source.ts';

/** Length of a period of the store, and of an epoch. */
const PERIOD_MS = 10_000;
/** When the made-up history begins: a minute that is whole. */
export const BEGIN_MS: number = Date.UTC(2026, 10, 21, 10);
const PERIODS = 30;
/** In no flow, in every period. */
export const LOST: LedgerLine = {
  ifindex: 2,
  direction: 0,
  reason: 'ethernet_truncated',
  level: 0,
  packets: 2n,
  octets: 28n,
};
/** When it ends. */
export const END_MS: number = BEGIN_MS + PERIODS * PERIOD_MS;
/** All of it, as it stands in an address. */
export const ALL_OF_IT = 'time=2026-11-21T10:00:00Z/2026-11-21T10:05:00Z';

const PROTOCOLS: Readonly<Record<string, number>> = { ICMP: 1, TCP: 6, UDP: 17 };

/** A store in a directory of its own, which goes with it. */
export interface StoredHistory extends AsyncDisposable {
  readonly store: DuckDbStore;
}

/** How streams are stored. */
export interface StoringOptions {
  readonly streams?: readonly Stream[];
  /** Whether the MTU is known, and echoes and TCP are measured: of each flow in each period one is lost, or sent again. */
  readonly isMeasured?: boolean;
  /** Whether it is known what the interface counted, and when that was more than the hook saw. */
  readonly taken?: TakenPackets;
}

/** Stores streams: in each period a little more of each, so that a series rises. A gap of three periods is in it. */
export async function storeStreams({
  streams = labStreams({ noisy: true }),
  isMeasured = false,
  taken,
}: StoringOptions = {}): Promise<StoredHistory> {
  const directory = mkdtempSync(join(tmpdir(), 'ts-views-'));
  const store = await DuckDbStore.open({
    path: join(directory, 'history.duckdb'),
    intervalMs: PERIOD_MS,
    clock: () => END_MS,
  });
  const counters = taken && new MadeCounters(taken);
  for (let period = 0; period < PERIODS; period++) {
    if (period >= 12 && period < 15) continue;
    const startMs = BEGIN_MS + period * PERIOD_MS;
    const records = streams.map((stream) => recordOf(stream, 1 + period));
    const endMs = startMs + PERIOD_MS;
    const batch = batchOf(records, {
      ...{ epoch: 1 + period, startMs, endMs, ledger: [LOST] },
      ...(isMeasured && { points: ETH0.map((point) => ({ ...point, link: LINK })) }),
    });
    for (let row = 0; row < batch.length; row++) batch.columns.longest[row] = LONGEST;
    const measured = isMeasured ? withMeasurements(batch, records.map(measureOf)) : batch;
    await store.commit([counters?.counted(measured) ?? measured]);
  }
  await store.settled();
  return {
    store,
    [Symbol.asyncDispose]: async () => {
      await store.close();
      rmSync(directory, { recursive: true });
    },
  };
}

/** Packets of the longest take all but 36 octets of it. */
const LINK = { mtu: 1400, header: 14 };
const LONGEST = 1378;

function measureOf({ protocol, packets }: RecordWords): MeasuredWords {
  const all = Number(packets);
  if (protocol === 1) return { sequence: { expected: all + 1, unique: all } };
  return { tcp: { segments: all, retransmissions: 1, roundTrips: all, roundTripSumNs: 1e6 * all } };
}

function recordOf(
  { segment, outer, inner, protocol = 'TCP', ports, ...counts }: Stream,
  times: number,
): RecordWords {
  return {
    between: inner,
    protocol: PROTOCOLS[protocol]!,
    octets: counts.octets * times,
    packets: counts.packets * times,
    payloadOctets: Math.max(0, counts.octets - 92 * counts.packets) * times,
    ...(protocol === 'ICMP' && { icmp: [8, 0] as const }),
    ...(ports && { ports }),
    ...(outer && { tunnel: [...outer, Number(segment.split(':')[1])] as const }),
  };
}

/** A page before a server that has this history, and says so. */
export async function benchOver(
  browser: Parameters<typeof bench>[0],
  { store }: StoredHistory,
  options: BenchOptions = {},
): Promise<Bench> {
  return bench(browser, {
    ...options,
    prepare: (source) => {
      const status = source.status.bind(source);
      source.status = (): Status => ({ ...status(), history: historyStatus() });
      options.prepare?.(source);
    },
    serve: { history: store, ...options.serve },
  });
}

function historyStatus(): NonNullable<Status['history']> {
  return {
    directory: '/var/lib/tunnelscope',
    storedUpToMs: END_MS,
    spoolOctets: 0,
    maxSpoolOctets: 1e9,
    dropped: { epochs: 0, packets: 0, octets: 0 },
    failing: null,
  };
}

/** What the API answers to a question. */
export async function asked(url: string, question: object): Promise<ResultTable> {
  const response = await fetch(`${url}api/v1/query`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(question),
  });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as ResultTable;
}
