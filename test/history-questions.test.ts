import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import type { FlowBatch } from '../src/flow/index.ts';
import { anyBatch } from '../src/query/filter/filter.fixture.ts';
import {
  DIMENSIONS,
  type Dimension,
  type HistoryQuestion,
  HistoryQuestionSchema,
  type HistoryQuestionText,
  QUANTITIES,
  type ResultTable,
} from '../src/query/index.ts';
import { anyHistoryFilter } from '../src/query/question/question.fixture.ts';
import { DuckDbStore } from '../src/store/index.ts';
import { type Group, NaiveHistory, PERIOD_MS, type Sums, type Value } from './naive-history.ts';

/* What questions mean: the store's answers are those of a list of records that is gone through. */

const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-questions-'));
after(() => rmSync(directory, { recursive: true }));

const { signal } = new AbortController();
const BEGIN_MS = Date.UTC(2026, 10, 21, 11, 59, 30);
const EPOCHS = 90;
const END_MS = BEGIN_MS + EPOCHS * 1000;
const AGENTS = ['first', 'second'] as const;

/** Two agents, a minute and a half, with a gap: every batch is a second of one of them. */
function epochs(): FlowBatch[] {
  const batches = fc.sample(anyBatch, { numRuns: AGENTS.length * EPOCHS, seed: 20_261_121 });
  return batches.flatMap((batch, i) => {
    const epoch = Math.floor(i / AGENTS.length);
    if (epoch >= 40 && epoch < 50) return [];
    const startMs = BEGIN_MS + epoch * 1000;
    return [
      { ...batch, agent: AGENTS[i % AGENTS.length]!, epoch: epoch + 1, startMs, endMs: startMs + 1000 },
    ];
  });
}

let store: DuckDbStore;
let naive: NaiveHistory;

before(async () => {
  const batches = epochs();
  naive = new NaiveHistory(batches);
  store = await DuckDbStore.open({ path: join(directory, 'history.duckdb'), clock: () => END_MS });
  // As the journal hands them over: the epochs of a period together.
  const periods = Map.groupBy(batches, ({ startMs }) => Math.floor(startMs / PERIOD_MS));
  for (const each of periods.values()) await store.commit(each);
});
after(() => store.close());

const span = fc
  .tuple(fc.integer({ min: BEGIN_MS - 20_000, max: END_MS + 20_000 }), fc.integer({ min: 1, max: 120_000 }))
  .map(([fromMs, length]) => ({ fromMs, toMs: fromMs + length }));
const dimensions = (minLength: number, maxLength: number): fc.Arbitrary<Dimension[]> =>
  fc.uniqueArray(fc.constantFrom(...DIMENSIONS), { minLength, maxLength });
const common = fc.record(
  {
    span,
    limit: fc.integer({ min: 1, max: 20 }),
    quantity: fc.constantFrom(...QUANTITIES),
    points: fc.option(fc.constantFrom('once' as const, 'every' as const), { nil: undefined }),
    filter: fc.option(anyHistoryFilter, { nil: undefined, freq: 2 }),
  },
  { requiredKeys: ['span', 'limit', 'quantity'] },
);

/** Asks what is common to all questions, and what is of this one. */
function question(
  { span, limit, quantity, points, filter }: typeof common extends fc.Arbitrary<infer Of> ? Of : never,
  own: object,
): HistoryQuestion {
  return HistoryQuestionSchema.parse({
    ...span,
    limit,
    quantity,
    ...(points && { points }),
    ...(filter !== undefined && { filter }),
    ...own,
  } as HistoryQuestionText);
}

/** Columns behind the dimensions, with what a group has of them. */
const quantities = ({ quantity }: HistoryQuestion): (keyof Sums)[] => [
  'octets',
  'packets',
  ...(quantity === 'payload' || quantity === 'flows' ? [quantity] : []),
];
const rowOf = (asked: HistoryQuestion, { values, sums }: Group): Value[] => [
  ...values,
  ...quantities(asked).map((each) => sums[each]),
];
const nameOf = (values: readonly unknown[]): string => JSON.stringify(values);

/** All groups there are, of which the largest are to be listed, largest first. */
function assertLargest(asked: HistoryQuestion, answer: ResultTable, by: readonly Dimension[]): void {
  const groups = naive.groups(asked, by, asked);
  const byName = new Map(groups.map((group) => [nameOf(group.values), group]));
  for (const row of answer.rows) {
    const group = byName.get(nameOf(row.slice(0, by.length)));
    assert.ok(group, `${nameOf(row)} is a group`);
    assert.deepEqual(row, rowOf(asked, group));
  }
  const sizes = groups.map(({ sums }) => sums[asked.quantity]).toSorted((a, b) => b - a);
  const column = by.length + quantities(asked).indexOf(asked.quantity);
  assert.deepEqual(
    answer.rows.map((row) => row[column]),
    sizes.slice(0, asked.limit),
    'the largest ones, largest first',
  );
  assert.equal(answer.isCut, groups.length > asked.limit);
  const total = (of: 'octets' | 'packets'): number => groups.reduce((sum, { sums }) => sum + sums[of], 0);
  assert.deepEqual(answer.total, { octets: total('octets'), packets: total('packets') });
}

const RUNS = { numRuns: 60 } as const;

test('the largest groups are those of the list, by every dimension and quantity', async () => {
  await fc.assert(
    fc.asyncProperty(common, dimensions(1, 4), async (words, by) => {
      const asked = question(words, { ask: 'top', by });
      assertLargest(asked, await store.answer(asked, { signal }), by);
    }),
    RUNS,
  );
});

test('who to whom and the values of a dimension as well', async () => {
  await fc.assert(
    fc.asyncProperty(common, dimensions(2, 2), async (words, by) => {
      const matrix = question(words, { ask: 'matrix', by });
      assertLargest(matrix, await store.answer(matrix, { signal }), by);
      const [of] = by;
      const distinct = question(words, { ask: 'distinct', of });
      assertLargest(distinct, await store.answer(distinct, { signal }), [of!]);
    }),
    RUNS,
  );
});

/** A series has the groups of the list, step by step. */
async function assertSeries(asked: HistoryQuestion & { ask: 'series' }): Promise<void> {
  const { by, stepMs = 0 } = asked;
  const answer = await store.answer(asked, { signal });
  const others = nameOf(by.map(() => 'other'));
  const listed = new Set(answer.rows.map((row) => nameOf(row.slice(1, 1 + by.length))));
  if (by.length > 0) listed.delete(others);
  const groups = naive.groups(asked, by, asked);
  // The listed ones are the largest: none that is not is larger than one that is.
  const sizes = (isListed: boolean): number[] =>
    groups
      .filter(({ values }) => listed.has(nameOf(values)) === isListed)
      .map(({ sums }) => sums[asked.quantity]);
  assert.equal(
    listed.size,
    by.length === 0 ? Math.min(1, groups.length) : Math.min(asked.limit, groups.length),
  );
  assert.ok(Math.max(...sizes(false), 0) <= Math.min(...sizes(true), Number.POSITIVE_INFINITY));
  const expected = [...naive.steps(asked, by, { ...asked, stepMs })].flatMap(([step, inStep]) => {
    const ofStep = { fromMs: Math.max(step, asked.fromMs), toMs: Math.min(step + stepMs, asked.toMs) };
    const rest = by.length > 0 ? naive.rest(asked, by, { ...ofStep, without: listed }) : undefined;
    return [
      ...inStep
        .filter(({ values }) => listed.has(nameOf(values)))
        .map((each) => [step, ...rowOf(asked, each)]),
      ...(rest ? [[step, ...rowOf(asked, { values: by.map(() => 'other'), sums: rest })]] : []),
    ];
  });
  assert.deepEqual(answer.rows.map(nameOf).toSorted(), expected.map(nameOf).toSorted());
  const times = answer.rows.map(([time]) => Number(time));
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
}

const STEPS = fc.constantFrom(10_000, 20_000, 30_000, 60_000);
const asSeries = (asked: HistoryQuestion): HistoryQuestion & { ask: 'series' } => {
  assert.ok(asked.ask === 'series');
  return asked;
};

test('a series has the same groups in each step, and all others as one', async () => {
  await fc.assert(
    fc.asyncProperty(common, dimensions(0, 3), STEPS, (words, by, stepMs) =>
      assertSeries(asSeries(question(words, { ask: 'series', by, stepMs }))),
    ),
    RUNS,
  );
});

/** What totals tell. */
const OF_TOTALS = {
  by: ['proto', 'network', 'segment', 'tunnel', 'vni', 'iface', 'direction', 'agent'] as const,
  filters: ['', 'tcp', 'not tunnel = none', 'vni 1..100', 'depth >= 2 or udp', 'direction ingress'] as const,
};

test('so has one that totals answer', async () => {
  await fc.assert(
    fc.asyncProperty(
      common,
      fc.uniqueArray(fc.constantFrom(...OF_TOTALS.by), { maxLength: 3 }),
      fc.constantFrom(...OF_TOTALS.filters),
      STEPS,
      async (words, by, filter, stepMs) => {
        const quantity = words.quantity === 'flows' ? 'octets' : words.quantity;
        const asked = asSeries(question({ ...words, filter, quantity }, { ask: 'series', by, stepMs }));
        assert.match(await store.sqlOf(asked), /\btotal_(raw|minute)\b/);
        await assertSeries(asked);
      },
    ),
    RUNS,
  );
});

test('of two spans what grew most comes first, also what is in one of them only', async () => {
  await fc.assert(
    fc.asyncProperty(common, span, dimensions(1, 3), async (words, base, by) => {
      const asked = question(words, { ask: 'compare', by, before: base });
      const answer = await store.answer(asked, { signal });
      const [now, then] = [asked, base].map(
        (each) => new Map(naive.groups(asked, by, each).map(({ values, sums }) => [nameOf(values), sums])),
      );
      const nothing: Sums = { octets: 0, packets: 0, payload: 0, flows: 0 };
      const names = new Set([...now!.keys(), ...then!.keys()]);
      const growth = (name: string): number =>
        (now!.get(name) ?? nothing)[asked.quantity] / (asked.toMs - asked.fromMs) -
        (then!.get(name) ?? nothing)[asked.quantity] / (base.toMs - base.fromMs);
      for (const row of answer.rows) {
        const name = nameOf(row.slice(0, by.length));
        assert.ok(names.has(name), name);
        const sums = [now!.get(name) ?? nothing, then!.get(name) ?? nothing];
        assert.deepEqual(
          row.slice(by.length),
          sums.flatMap((each) => quantities(asked).map((quantity) => each[quantity])),
        );
      }
      assert.equal(answer.rows.length, Math.min(asked.limit, names.size));
      const grown = [...names].map(growth).toSorted((a, b) => b - a);
      for (const [i, row] of answer.rows.entries()) {
        const apart = Math.abs(growth(nameOf(row.slice(0, by.length))) - grown[i]!);
        assert.ok(apart <= 1e-9 * Math.abs(grown[i]!), `row ${i}`);
      }
    }),
    RUNS,
  );
});

test('single flows are the uniflows of the list with their sums', async () => {
  await fc.assert(
    fc.asyncProperty(common, async (words) => {
      const asked = question(words, { ask: 'flows' });
      const answer = await store.answer(asked, { signal });
      const uniflows = naive.uniflows(asked, asked);
      const by = asked.quantity === 'flows' ? 'octets' : asked.quantity;
      const column = (name: string): number => answer.columns.findIndex((each) => each.name === name);
      assert.deepEqual(
        answer.rows.map((row) => row[column(by)]),
        uniflows
          .map((each) => each[by])
          .toSorted((a, b) => b - a)
          .slice(0, asked.limit),
      );
      const known = uniflows.map(({ octets, packets, payload }) => nameOf([octets, packets, payload]));
      for (const row of answer.rows)
        assert.ok(known.includes(nameOf(['octets', 'packets', 'payload'].map((name) => row[column(name)]))));
      assert.equal(answer.isCut, uniflows.length > asked.limit);
    }),
    RUNS,
  );
});
