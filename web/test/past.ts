/** A real history before the page: epochs of made-up streams in a real store, the same whenever it is made. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { batchOf } from '../../src/flow/batch.fixture.ts';
import type { FlowBatch } from '../../src/flow/index.ts';
import {
  type HistoryQuestionText,
  type ResultTable,
  ResultTableSchema,
  type Status,
} from '../../src/query/index.ts';
import { DuckDbStore } from '../../src/store/index.ts';
import type { Bench, BenchOptions } from './browser.ts';
import { labStreams, recordOf, ScriptedSource, type Stream } from './source.ts';

const MINUTE_MS = 60_000;
/** Of an epoch, and of what the store keeps apart. */
const EPOCH_MS = 10_000;
const EPOCHS_AT_A_TIME = 90;

/** What happens, in minutes before the end: the lab pings, nobody meters for ten minutes, then one client fills the uplink. */
export const STORY = { begin: 120, gap: [60, 50], noise: [30, 10] } as const;

/** A store that is closed and removed with the test. */
export interface Past extends AsyncDisposable {
  readonly store: DuckDbStore;
  /** Begin of the first epoch and end of the last. */
  readonly fromMs: number;
  readonly toMs: number;
  /** For the options of a server: says that a history is kept. */
  withHistory(status: Status): Status;
}

/**
 * Fills a store with the two hours of {@link STORY}.
 *
 * @param endMs end of the last epoch, a whole minute; by default the last but one, for what is asked until now
 */
export async function openPast(
  endMs: number = (Math.floor(Date.now() / MINUTE_MS) - 1) * MINUTE_MS,
): Promise<Past> {
  const directory = await mkdtemp(join(tmpdir(), 'tunnelscope-past-'));
  const store = await DuckDbStore.open({ path: join(directory, 'history.duckdb'), intervalMs: EPOCH_MS });
  const fromMs = endMs - STORY.begin * MINUTE_MS;
  let waiting: FlowBatch[] = [];
  for (let at = fromMs, epoch = 1; at < endMs; at += EPOCH_MS, epoch++) {
    const streams = streamsAt((endMs - at) / MINUTE_MS, epoch);
    if (!streams) continue;
    waiting.push(
      batchOf(streams.map(recordOf), { epoch, startMs: at, endMs: at + EPOCH_MS, ledger: LEDGER }),
    );
    if (waiting.length < EPOCHS_AT_A_TIME) continue;
    await store.commit(waiting);
    waiting = [];
  }
  await store.commit(waiting);
  await store.settled();
  return {
    store,
    fromMs,
    toMs: endMs,
    withHistory: (status) => ({
      ...status,
      history: {
        directory,
        storedUpToMs: endMs,
        spoolOctets: 0,
        maxSpoolOctets: 2 ** 30,
        dropped: { octets: 0, packets: 0, epochs: 0 },
        failing: null,
      },
    }),
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Options of a bench before a history. @param rest what else stands in them */
export function beforePast(past: Past, rest: BenchOptions = {}): BenchOptions {
  return {
    ...rest,
    serve: {
      history: past.store,
      status: () => past.withHistory(new ScriptedSource().status()),
      ...rest.serve,
    },
  };
}

/** Asks the API of a bench as the page does. */
export async function asked(
  { url }: Pick<Bench, 'url'>,
  question: HistoryQuestionText,
): Promise<ResultTable> {
  const response = await fetch(`${url}api/v1/query`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(question),
  });
  return ResultTableSchema.parse(await response.json());
}

/** One packet of each epoch that is in no flow. */
const LEDGER: FlowBatch['ledger'] = [
  { ifindex: 2, direction: 0, level: 0, reason: 'ethernet_truncated', packets: 1n, octets: 14n },
];

/** What flows at so many minutes before the end; undefined where nobody meters. */
function streamsAt(minutes: number, epoch: number): Stream[] | undefined {
  if (minutes <= STORY.gap[0] && minutes > STORY.gap[1]) return undefined;
  const noisy = minutes <= STORY.noise[0] && minutes > STORY.noise[1];
  return labStreams({ noisy }).map((stream, index) => ({
    ...stream,
    octets: Math.round(10 * stream.octets * (1 + 0.25 * Math.sin(epoch / 9 + index))),
    packets: 10 * stream.packets,
  }));
}
