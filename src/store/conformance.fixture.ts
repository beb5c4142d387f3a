/**
 * For tests: what every store of epochs must do, whichever database is behind it. A store's own test calls
 * {@link describeStore} with a way to open one.
 *
 * The reference is a naive scan of the committed epochs, record by record, by `compileFilter`.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { batchOf, type RecordWords } from '../flow/batch.fixture.ts';
import { type EpochStore, type FlowBatch, formatAddress, NETWORK } from '../flow/index.ts';
import {
  compileFilter,
  type FlowQuery,
  HistoryQuestionSchema,
  type HistoryQuestionText,
  parseHistoryFilter,
  type ResultTable,
} from '../query/index.ts';

/** A store under test. */
export type StoreUnderTest = EpochStore &
  FlowQuery & {
    /** Resolves when what it does by itself is done. */
    settled(): Promise<void>;
  };

/** How stores are made for the tests. */
export interface StoreMaker {
  /** Opens the store of a name; the same name again opens what is there, after it was closed. Rows are of 10 s. */
  open(name: string, clock: () => number): Promise<StoreUnderTest>;
}

export const NOON: number = Date.UTC(2026, 10, 21, 12);
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const { signal } = new AbortController();

/** Asks as commands and the API do. */
export function ask(store: FlowQuery, question: HistoryQuestionText): Promise<ResultTable> {
  return store.answer(HistoryQuestionSchema.parse(question), { signal });
}

const ADDRESSES = ['10.0.0.1', '10.0.0.2', '10.1.0.1', 'fd00::1', 'fd00:0:0:1::2'];
const record: fc.Arbitrary<RecordWords> = fc.record(
  {
    octets: fc.integer({ min: 1, max: 100_000 }),
    packets: fc.integer({ min: 1, max: 100 }),
    payloadOctets: fc.integer({ min: 0, max: 50_000 }),
    ifindex: fc.constantFrom(2, 3),
    direction: fc.constantFrom(0 as const, 1 as const),
    tunnel: fc
      .tuple(
        fc.constantFrom('192.0.2.1', '192.0.2.2'),
        fc.constantFrom('192.0.2.1', '2001:db8::1'),
        fc.constantFrom(1, 5001),
      )
      .map((words) => words as readonly [string, string, number]),
    between: fc.tuple(fc.constantFrom(...ADDRESSES), fc.constantFrom(...ADDRESSES)),
    ports: fc.tuple(
      fc.constantFrom(53, 443, 32_768, 40_000, 65_535),
      fc.constantFrom(53, 443, 32_768, 50_001),
    ),
    protocol: fc.constantFrom(1, 6, 17),
    vlan: fc.constantFrom(1, 7),
  },
  { requiredKeys: ['octets', 'packets', 'payloadOctets', 'ifindex', 'direction'] },
);

const POINTS = [2, 3].flatMap((ifindex) =>
  ([0, 1] as const).map((direction) => ({
    ifindex,
    direction,
    interfaceName: ifindex === 2 ? 'eth0' : 'veth1',
    primary: ifindex === 2,
  })),
);

/** Epochs of one or two agents over three hours, in any order and in any parts. */
export const anyHistory: fc.Arbitrary<FlowBatch[][]> = fc
  .array(
    fc.record({
      agent: fc.constantFrom('first', 'second'),
      seconds: fc.oneof(
        fc.integer({ min: 0, max: 3 * 3600 }),
        fc.constantFrom(0, 9, 10, 59, 60, 3599, 3600, 3601, 7199),
      ),
      records: fc.array(record, { minLength: 1, maxLength: 5 }),
      lost: fc.integer({ min: 0, max: 3 }),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((all) =>
    all.map(({ agent, seconds, records, lost }, nth) =>
      batchOf(records, {
        agent,
        epoch: nth + 1,
        startMs: NOON + seconds * SECOND,
        points: POINTS,
        ledger:
          lost > 0
            ? [
                {
                  ifindex: 2,
                  direction: 0,
                  reason: 'ipv4_truncated',
                  level: 0,
                  packets: BigInt(lost),
                  octets: BigInt(60 * lost),
                },
              ]
            : [],
      }),
    ),
  )
  .chain((epochs) =>
    fc.array(fc.nat({ max: epochs.length }), { maxLength: 5 }).map((cuts) => {
      const ends = [...new Set([0, ...cuts, epochs.length])].toSorted((a, b) => a - b);
      return ends.slice(1).map((end, nth) => epochs.slice(ends[nth], end));
    }),
  );

const FILTERS = [
  undefined,
  'tcp',
  'src 10.0.0.0/16',
  'host fd00::/16 or vni 5001',
  'not dport 443 and not dport >= 32768',
  'dport 40000..65535',
  'vlan none and inner.src 10.0.0.1',
  'outer.src 192.0.2.0/24',
] as const;

/** The tests. */
export function describeStore(name: string, { open }: StoreMaker): void {
  const clock = (): number => NOON + 24 * HOUR;
  describe(`${name} as a store of epochs`, () => {
    it('sums what a scan of the epochs sums, at every level of detail and however they came', async () => {
      let run = 0;
      await fc.assert(
        fc.asyncProperty(
          anyHistory,
          fc.constantFrom(...FILTERS),
          fc.constantFrom(0, 10, 17, 60, 3600, 5000),
          async (parts, filter, skip) => {
            const store = await open(`property-${++run}`, clock);
            for (const part of parts) {
              await store.commit(part);
              await store.settled();
            }
            const fromMs = NOON + Math.floor(skip / 10) * 10 * SECOND;
            const toMs = NOON + 4 * HOUR;
            const span = { fromMs, toMs, points: 'every' } as const;
            for (const each of FILTERS) {
              const expected = scan(parts.flat(), { fromMs, toMs, filter: each });
              const by = ['src', 'dst', 'proto'] as const;
              const top = await ask(store, {
                ask: 'top',
                by: [...by],
                limit: 10_000,
                ...span,
                ...(each && { filter: each }),
              });
              assert.deepEqual(sorted(top.rows), sorted(expected.rows), each);
              assert.deepEqual(top.total, expected.total, each);
            }
            const question = { ...span, ...(filter && { filter }) };
            const expected = scan(parts.flat(), { fromMs, toMs, filter });
            for (const stepMs of [10 * SECOND, MINUTE, HOUR]) {
              const series = await ask(store, { ask: 'series', stepMs, ...question });
              assert.deepEqual(series.total, expected.total, `steps of ${stepMs} ms`);
              for (const [time] of series.rows) assert.equal(Number(time) % stepMs, 0);
              assert.deepEqual(series.ledgerSteps, scanLedger(parts.flat(), { fromMs, toMs, stepMs }));
            }
            await store.close();
          },
        ),
        { numRuns: 20 },
      );
    });

    it('counts each packet once, of a uniflow the primary points, the direction with more octets', async () => {
      const store = await open('once', clock);
      const flow = { between: ['10.0.0.1', '10.0.0.2'] as const, protocol: 6, ports: [40_000, 443] as const };
      const local = { ...flow, between: ['10.0.0.5', '10.0.0.6'] as const };
      const at = (epoch: number, records: RecordWords[]): FlowBatch =>
        batchOf(records, { epoch, startMs: NOON + epoch * SECOND, points: POINTS });
      await store.commit([
        at(1, [
          { ...flow, ifindex: 2, direction: 0, octets: 100, packets: 1 },
          { ...flow, ifindex: 2, direction: 1, octets: 160, packets: 2 },
          { ...flow, ifindex: 3, direction: 1, octets: 999, packets: 9 },
          { ...local, ifindex: 3, direction: 0, octets: 70, packets: 1 },
          { ...local, ifindex: 3, direction: 1, octets: 70, packets: 1 },
        ]),
      ]);
      const once = await ask(store, { ask: 'top', by: ['src'], fromMs: NOON, toMs: NOON + MINUTE });
      assert.deepEqual(once.rows, [
        ['10.0.0.1', 160, 2],
        ['10.0.0.5', 70, 1],
      ]);
      const every = await ask(store, {
        ask: 'top',
        by: ['iface', 'direction'],
        fromMs: NOON,
        toMs: NOON + MINUTE,
      });
      assert.deepEqual(every.rows, [
        ['veth1', 'egress', 1069, 10],
        ['eth0', 'egress', 160, 2],
        ['eth0', 'ingress', 100, 1],
        ['veth1', 'ingress', 70, 1],
      ]);
      await store.close();
    });

    it('has all epochs of a commit or none, each once, and has them when it is opened again', async () => {
      const store = await open('again', clock);
      const epochs = [1, 2, 3].map((epoch) =>
        batchOf([{ between: ['10.0.0.1', '10.0.0.2'], octets: 100, packets: 1 }], {
          epoch,
          startMs: NOON + epoch * SECOND,
        }),
      );
      const total = async (of: FlowQuery): Promise<number> =>
        (await ask(of, { ask: 'top', by: ['src'], fromMs: NOON, toMs: NOON + MINUTE })).total.octets;
      const wrong = { ...epochs[2]!, endMs: Number.NaN };
      await assert.rejects(
        store.commit([epochs[0]!, epochs[1]!, wrong]),
        (error: { code?: string; remedy?: string }) => {
          assert.equal(typeof error.code, 'string');
          assert.equal(typeof error.remedy, 'string');
          return true;
        },
      );
      assert.equal(await total(store), 0);
      const taken = new Set<FlowBatch>();
      await store.commit([epochs[1]!, epochs[0]!], (epoch) => taken.add(epoch));
      assert.deepEqual(taken, new Set([epochs[0], epochs[1]]));
      await store.commit(epochs);
      await store.commit([epochs[0]!]);
      assert.equal(await total(store), 300);
      await store.close();
      const again = await open('again', clock);
      await again.commit(epochs);
      assert.equal(await total(again), 300);
      await again.close();
      await again.close();
    });

    it('says what an answer is of: the span there is, where nobody metered, what is in no flow', async () => {
      const store = await open('gaps', clock);
      const at = (agent: string, epoch: number, seconds: number): FlowBatch =>
        batchOf([{ between: ['10.0.0.1', '10.0.0.2'], octets: 100, packets: 1 }], {
          agent,
          epoch,
          startMs: NOON + seconds * SECOND,
          ledger: [
            { ifindex: 2, direction: 0, reason: 'history_dropped', level: 0, packets: 2n, octets: 50n },
          ],
        });
      await store.commit([at('first', 1, 0), at('first', 2, 1), at('first', 4, 3), at('second', 1, 65)]);
      const answer = await ask(store, { ask: 'top', by: ['src'], fromMs: NOON - HOUR, toMs: NOON + HOUR });
      assert.deepEqual(
        { fromMs: answer.covered.fromMs - NOON, toMs: answer.covered.toMs - NOON },
        { fromMs: 0, toMs: 66 * SECOND },
      );
      assert.deepEqual(
        answer.gaps.map(({ fromMs, toMs }) => [fromMs - NOON, toMs - NOON]),
        [
          [2 * SECOND, 3 * SECOND],
          [4 * SECOND, 65 * SECOND],
        ],
      );
      assert.deepEqual(answer.ledger, [{ reason: 'history_dropped', octets: 200, packets: 8 }]);
      const nothing = await ask(store, {
        ask: 'top',
        by: ['src'],
        fromMs: NOON + 2 * HOUR,
        toMs: NOON + 3 * HOUR,
      });
      assert.deepEqual([nothing.rows, nothing.total], [[], { octets: 0, packets: 0 }]);
      await store.close();
    });

    it('ends a question that nobody waits for', async () => {
      const store = await open('abort', clock);
      const question = HistoryQuestionSchema.parse({ ask: 'top', by: ['src'], fromMs: 0, toMs: NOON });
      await assert.rejects(store.answer(question, { signal: AbortSignal.abort(new Error('gone')) }), {
        message: 'gone',
      });
      await store.close();
    });
  });
}

/** What of the epochs of a span is in no flow, by step and reason. */
function scanLedger(
  epochs: readonly FlowBatch[],
  { fromMs, toMs, stepMs }: { readonly fromMs: number; readonly toMs: number; readonly stepMs: number },
): ResultTable['ledgerSteps'] {
  const lines = epochs
    .filter(({ startMs }) => startMs >= fromMs && startMs < toMs)
    .flatMap(({ startMs, ledger }) =>
      ledger.map((line) => ({ ...line, fromMs: Math.floor(startMs / stepMs) * stepMs })),
    );
  return [...Map.groupBy(lines, (line) => `${line.fromMs} ${line.reason}`).values()]
    .map((same) => ({
      fromMs: same[0]!.fromMs,
      reason: same[0]!.reason,
      octets: same.reduce((sum, { octets }) => sum + Number(octets), 0),
      packets: same.reduce((sum, { packets }) => sum + Number(packets), 0),
    }))
    .toSorted((a, b) => a.fromMs - b.fromMs || (a.reason < b.reason ? -1 : 1));
}

/** Sums by source, destination and protocol over the epochs of a span, record by record, at every point. */
function scan(
  epochs: readonly FlowBatch[],
  {
    fromMs,
    toMs,
    filter,
  }: { readonly fromMs: number; readonly toMs: number; readonly filter: string | undefined },
): { rows: ResultTable['rows']; total: { octets: number; packets: number } } {
  const sums = new Map<string, { group: (string | null)[]; octets: number; packets: number }>();
  const total = { octets: 0, packets: 0 };
  for (const batch of epochs) {
    if (batch.startMs < fromMs || batch.startMs >= toMs) continue;
    const test = compileFilter(
      filter === undefined ? { kind: 'any' } : parseHistoryFilter(filter),
      batch.points,
    );
    const { columns } = batch;
    for (let row = 0; row < batch.length; row++) {
      if (!test(columns, row)) continue;
      const isIp = columns.network[row] !== NETWORK.none;
      const group = [
        isIp ? formatAddress(columns.source, 16 * row) : null,
        isIp ? formatAddress(columns.destination, 16 * row) : null,
        isIp ? { 1: 'icmp', 6: 'tcp', 17: 'udp' }[columns.protocol[row] as number]! : null,
      ];
      const sum = sums.get(group.join()) ?? { group, octets: 0, packets: 0 };
      sums.set(group.join(), sum);
      for (const into of [sum, total]) {
        into.octets += Number(columns.wireOctets[row]);
        into.packets += Number(columns.wirePackets[row]);
      }
    }
  }
  return { rows: [...sums.values()].map(({ group, octets, packets }) => [...group, octets, packets]), total };
}

function sorted(rows: ResultTable['rows']): string[] {
  return rows.map((row) => JSON.stringify(row)).toSorted();
}
