import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { FIELDS, type FieldName, type FlowBatch } from '../flow/index.ts';
import {
  type Dimension,
  type HistoryQuestion,
  HistoryQuestionSchema,
  type HistoryQuestionText,
} from '../query/index.ts';
import { anyHistory, NOON } from './conformance.fixture.ts';
import { DuckDbStore, type Retention, StoreError } from './index.ts';
import { writeVersion } from './version.fixture.ts';

const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-store-'));
after(() => rmSync(directory, { recursive: true }));
let files = 0;
const newPath = (): string => join(directory, `${++files}.duckdb`);

const { signal } = new AbortController();
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const clock = (): number => NOON + 3 * HOUR;

/** What totals tell apart. */
const BY = ['proto', 'network', 'segment', 'tunnel', 'vni', 'iface', 'direction', 'agent'] as const;
const FILTERS = [
  undefined,
  'tcp',
  'not tcp',
  'tunnel = none',
  'tunnel = vxlan and vni = 5001',
  'vni 1 or depth >= 1 and udp',
  'outer.network ipv6',
  'network ipv4 and iface eth*',
  'direction egress',
] as const;

/** Within the three hours of a history, and around them. */
const span = fc
  .tuple(fc.integer({ min: -HOUR, max: 3 * HOUR }), fc.integer({ min: 1, max: 5 * HOUR }))
  .map(([from, length]) => ({ fromMs: NOON + from, toMs: NOON + from + length }));
const dimensions = (minLength: number, maxLength: number): fc.Arbitrary<Dimension[]> =>
  fc.uniqueArray(fc.constantFrom(...BY), { minLength, maxLength });
const own = fc.oneof(
  fc.record({
    ask: fc.constant('series' as const),
    by: dimensions(0, 3),
    stepMs: fc.constantFrom(10 * SECOND, MINUTE, 10 * MINUTE, HOUR),
  }),
  fc.record({ ask: fc.constant('top' as const), by: dimensions(1, 4) }),
  fc.record({
    ask: fc.constant('matrix' as const),
    by: dimensions(2, 2) as fc.Arbitrary<[Dimension, Dimension]>,
  }),
  fc.record({ ask: fc.constant('distinct' as const), of: fc.constantFrom(...BY) }),
  fc.record({ ask: fc.constant('compare' as const), by: dimensions(1, 3), before: span }),
);
const anyTotalled: fc.Arbitrary<HistoryQuestion> = fc
  .record(
    {
      span,
      own,
      filter: fc.option(fc.constantFrom(...FILTERS), { nil: undefined }),
      quantity: fc.constantFrom('octets' as const, 'packets' as const, 'payload' as const),
      points: fc.constantFrom('once' as const, 'every' as const),
      limit: fc.integer({ min: 1, max: 20 }),
    },
    { requiredKeys: ['span', 'own', 'quantity', 'limit'] },
  )
  .map(({ span: of, own: asked, filter, ...words }) =>
    HistoryQuestionSchema.parse({ ...asked, ...of, ...words, ...(filter !== undefined && { filter }) }),
  );

/** Has every other record be the one before, seen again on its way out: one of both counts. */
function forwarded(batch: FlowBatch): FlowBatch {
  const { columns, length } = batch;
  for (let row = 1; row < length; row += 2) {
    for (const name of (Object.keys(FIELDS) as FieldName[]).filter((each) => FIELDS[each].key)) {
      const width = columns[name].length / length;
      columns[name].copyWithin(width * row, width * (row - 1), width * row);
    }
    columns.direction[row] = 1 - columns.direction[row - 1]!;
  }
  return batch;
}

const KEEPING: readonly Retention[] = [
  { rawMs: 48 * HOUR, minuteMs: 48 * HOUR, hourMs: 48 * HOUR },
  { rawMs: HOUR, minuteMs: 2 * HOUR, hourMs: 48 * HOUR },
  { rawMs: HOUR / 2, minuteMs: HOUR, hourMs: 2 * HOUR },
];

/** What is answered but for how long it took, or why it cannot be. */
async function outcome(store: DuckDbStore, question: HistoryQuestion): Promise<object> {
  try {
    return { ...(await store.answer(question, { signal })), tookMs: undefined };
  } catch (error) {
    assert.ok(error instanceof StoreError);
    return { code: error.code, message: error.message };
  }
}

/** Whatever is kept. */
const EVER = { fromMs: NOON + 3 * HOUR, toMs: NOON + 30 * HOUR, stepMs: HOUR };
const isOfTotals = (sql: string): boolean => /\btotal_(raw|minute|hour)\b/.test(sql);

/** A history of some parts, kept for so long, at a path. */
async function write(parts: readonly FlowBatch[][], retention: Retention): Promise<string> {
  const path = newPath();
  const store = await DuckDbStore.open({ path, clock, retention, listener: { failed: assert.ifError } });
  for (const part of parts) {
    await store.commit(part);
    await store.settled();
  }
  await store.close();
  return path;
}

describe('totals', () => {
  it('answer what the rows of flows do, at every level, whatever came late or is given up', async () => {
    let answered = 0;
    await fc.assert(
      fc.asyncProperty(
        anyHistory.map((parts) => parts.map((part) => part.map(forwarded))),
        fc.constantFrom(...KEEPING),
        fc.array(anyTotalled, { minLength: 16, maxLength: 16 }),
        async (parts, retention, questions) => {
          const path = await write(parts, retention);
          const before = newPath();
          await writeVersion(1, path, before);
          const totals = await DuckDbStore.open({ path, readOnly: true });
          const rows = await DuckDbStore.open({ path: before, readOnly: true });
          for (const question of questions) {
            const answer = await outcome(totals, question);
            assert.deepEqual(answer, await outcome(rows, question));
            if (!('rows' in answer)) continue;
            answered++;
          }
          const [first] = questions as [HistoryQuestion];
          assert.ok(isOfTotals(await totals.sqlOf({ ...first, ...EVER })));
          assert.ok(!isOfTotals(await rows.sqlOf({ ...first, ...EVER })));
          await Promise.all([totals.close(), rows.close()]);
        },
      ),
      // Shrinking would take minutes; the seed is told.
      { numRuns: 3, endOnFailure: true },
    );
    assert.ok(answered > 5, String(answered));
  });

  it('are asked only what they tell', async () => {
    const store = await DuckDbStore.open({ path: newPath() });
    const time = { fromMs: NOON, toMs: NOON + HOUR };
    const asked: readonly (readonly [HistoryQuestionText, boolean])[] = [
      [{ ask: 'series', ...time }, true],
      [{ ask: 'series', by: ['segment'], filter: '(tunnel = vxlan and vni = 7)', ...time }, true],
      [{ ask: 'top', by: ['segment'], quantity: 'payload', ...time }, true],
      [{ ask: 'top', by: ['iface', 'direction', 'agent'], ...time }, true],
      [{ ask: 'series', by: ['src'], ...time }, false],
      [{ ask: 'series', filter: 'host 10.0.0.1', ...time }, false],
      [{ ask: 'series', filter: 'dport 443', ...time }, false],
      [{ ask: 'series', filter: 'tcp and dscp 46', ...time }, false],
      [{ ask: 'series', by: ['vlan'], ...time }, false],
      [{ ask: 'series', quantity: 'flows', ...time }, false],
      [{ ask: 'compare', by: ['outer.src'], before: time, ...time }, false],
      [{ ask: 'tunnels', ...time }, false],
      [{ ask: 'flows', ...time }, false],
    ];
    for (const [question, isTotalled] of asked) {
      const sql = await store.sqlOf(HistoryQuestionSchema.parse(question));
      assert.equal(isOfTotals(sql), isTotalled, JSON.stringify(question));
    }
    await store.close();
  });
});
