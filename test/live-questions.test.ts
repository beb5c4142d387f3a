import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import type { FlowBatch } from '../src/flow/index.ts';
import { LiveView } from '../src/live/index.ts';
import { anyBatch } from '../src/query/filter/filter.fixture.ts';
import {
  HistoryQuestionSchema,
  LIVE_DIMENSIONS,
  type LiveDimension,
  type LiveQuestion,
  LiveQuestionSchema,
  QUANTITIES,
  type ResultTable,
} from '../src/query/index.ts';
import { anyLiveFilter } from '../src/query/question/question.fixture.ts';
import { DuckDbStore } from '../src/store/index.ts';

/* Now and then have one language: of the same epochs the live view gives the table that a store gives. */

const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-live-'));
after(() => rmSync(directory, { recursive: true }));

const { signal } = new AbortController();
/** Epochs of one period of the store: in each of them what counts of a uniflow is chosen anew. */
const BEGIN_MS = Date.UTC(2026, 10, 22, 0, 0, 0);
const EPOCHS = 10;
const END_MS = BEGIN_MS + EPOCHS * 1000;

/** Each record has a packet: of a flow without any nothing is kept. */
function epochs(): FlowBatch[] {
  return fc.sample(anyBatch, { numRuns: EPOCHS, seed: 20_261_122 }).map((batch, i) => {
    for (let row = 0; row < batch.length; row++)
      if (batch.columns.wirePackets[row] === 0n) batch.columns.wirePackets[row] = 1n;
    const startMs = BEGIN_MS + i * 1000;
    const ledger = batch.points.map(({ ifindex, direction }) => ({
      ifindex,
      direction,
      reason: i % 2 === 0 ? 'ipv4_truncated' : 'excluded',
      level: i % 3,
      packets: 2n,
      octets: 120n,
      ...(i % 2 === 1 && { wire: { packets: 4n, octets: 200n } }),
    }));
    return { ...batch, ledger, agent: 'agent', epoch: i + 1, startMs, endMs: startMs + 1000 };
  });
}

let store: DuckDbStore;
const live = new LiveView();

before(async () => {
  const batches = epochs();
  store = await DuckDbStore.open({ path: join(directory, 'history.duckdb'), clock: () => END_MS });
  for (const batch of batches) live.write(batch);
  await store.commit(batches);
});
after(() => store.close());

const dimensions = (minLength: number, maxLength: number): fc.Arbitrary<LiveDimension[]> =>
  fc.uniqueArray(fc.constantFrom(...LIVE_DIMENSIONS), { minLength, maxLength });
const common = fc.record(
  {
    limit: fc.integer({ min: 1, max: 20 }),
    quantity: fc.constantFrom(...QUANTITIES),
    filter: fc.option(anyLiveFilter, { nil: undefined, freq: 2 }),
  },
  { requiredKeys: ['limit', 'quantity'] },
);
const RUNS = { numRuns: 60 } as const;

/** What both say to the same question. */
async function both(own: object): Promise<readonly [now: ResultTable, then: ResultTable]> {
  const asked = JSON.parse(JSON.stringify(own)) as object;
  const now: LiveQuestion = LiveQuestionSchema.parse({ ...asked, window: 'all' });
  const then = HistoryQuestionSchema.parse({ ...asked, fromMs: BEGIN_MS, toMs: END_MS });
  return [live.table(now), await store.answer(then, { signal })];
}

/** All but the level and the time it took. */
function assertSame([now, then]: readonly [now: ResultTable, then: ResultTable]): void {
  const { covered, tookMs: _, ...rest } = then;
  assert.deepEqual({ ...now, tookMs: 0 }, { ...rest, covered: { ...covered, level: 'live' }, tookMs: 0 });
}

test('the largest groups, the matrix and the values are those of a store, in its order', async () => {
  await fc.assert(
    fc.asyncProperty(common, dimensions(2, 6), async (words, by) => {
      assertSame(await both({ ...words, ask: 'top', by }));
      assertSame(await both({ ...words, ask: 'matrix', by: by.slice(0, 2) }));
      assertSame(await both({ ...words, ask: 'distinct', of: by[0] }));
    }),
    RUNS,
  );
});
