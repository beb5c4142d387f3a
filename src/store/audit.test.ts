/** The audit of the past: that it says what the live one said of the same epochs, and never more than is true. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { batchOf } from '../flow/batch.fixture.ts';
import type { CounterLine, CounterReading, FlowBatch, LedgerLine } from '../flow/index.ts';
import { LiveView } from '../live/index.ts';
import { type PastAudit, type PastAuditPoint, PastAuditSchema } from '../query/index.ts';
import { DuckDbStore } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-store-'));
after(() => rmSync(directory, { recursive: true }));
let files = 0;
const newPath = (): string => join(directory, `${++files}.duckdb`);

const { signal } = new AbortController();
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** Of rows. */
const INTERVAL = 10 * SECOND;
const NOON = Date.UTC(2026, 10, 21, 12);
const options = { clock: () => NOON + 24 * HOUR, listener: { failed: assert.ifError } };

/** Counters just before and just after a moment, in packets of 100 octets. */
function reading(before: number, after = before): CounterReading {
  const at = (packets: number) => ({
    packets: BigInt(packets),
    octets: BigInt(100 * packets),
    dropped: 0n,
    waiting: 0n,
  });
  return { before: at(before), after: at(after) };
}

/** What happens in an epoch at the ingress of eth0. */
interface EpochScene {
  readonly epoch: number;
  readonly startMs: number;
  readonly lengthMs?: number;
  readonly agent?: string;
  readonly seen: number;
  readonly readings?: readonly [begin: CounterReading, end: CounterReading | undefined];
  readonly programs?: CounterLine['programs'];
  readonly ledger?: readonly LedgerLine[];
  /** Packets on the wire, where super-packets were seen. */
  readonly wire?: number;
}

function epochOf(scene: EpochScene): FlowBatch {
  const { epoch, startMs, lengthMs = SECOND, agent = 'agent', seen, readings, ledger, wire = seen } = scene;
  const counters: CounterLine[] = readings
    ? [
        {
          ifindex: 2,
          direction: 0,
          kind: 'bridge',
          begin: readings[0],
          end: readings[1],
          programs: scene.programs,
        },
      ]
    : [];
  const record = {
    between: ['10.0.0.1', '10.0.0.2'],
    packets: seen,
    octets: 114 * seen,
    wirePackets: wire,
    wireOctets: 114 * wire,
  } as const;
  return batchOf([record], {
    epoch,
    agent,
    startMs,
    endMs: startMs + lengthMs,
    counters,
    ledger: ledger ?? [],
  });
}

/** Epochs one after the other, in each of which the hook sees so many packets; `counted` are the readings around them. */
function epochsOf(
  seen: readonly number[],
  counted: readonly CounterReading[],
  { fromMs = NOON, lengthMs = SECOND, agent = 'agent' } = {},
): FlowBatch[] {
  return seen.map((packets, nth) =>
    epochOf({
      epoch: nth + 1,
      startMs: fromMs + nth * lengthMs,
      lengthMs,
      agent,
      seen: packets,
      readings: [counted[nth]!, counted[nth + 1]!],
    }),
  );
}

/** Readings of a counter that counts these, exactly. */
function counting(counts: readonly number[]): CounterReading[] {
  let sum = 0;
  return [
    reading(0),
    ...counts.map((count) => {
      sum += count;
      return reading(sum);
    }),
  ];
}

async function stored(parts: readonly (readonly FlowBatch[])[], more = {}): Promise<DuckDbStore> {
  const store = await DuckDbStore.open({ path: newPath(), ...options, ...more });
  for (const part of parts) {
    await store.commit(part);
    await store.settled();
  }
  return store;
}

async function auditOf(
  store: DuckDbStore,
  span: { fromMs: number; toMs: number } = { fromMs: NOON, toMs: NOON + 20 * HOUR },
): Promise<PastAudit> {
  const audit = await store.audit(span, { signal });
  assert.deepEqual(PastAuditSchema.parse(audit), audit);
  return audit;
}

function ingress({ points }: PastAudit): PastAuditPoint {
  return points.find(({ direction }) => direction === 'ingress') ?? assert.fail('nothing was received');
}

/** A counter as an interface has it, and readings that take their time while it counts on. */
const scenes = fc
  .array(
    fc.record({
      seen: fc.nat(50),
      missed: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(40) }),
      // Of the packets of an epoch: counted while the end of the one before was read.
      early: fc.nat(3),
      lengthMs: fc.constantFrom(SECOND, 5 * SECOND, MINUTE, 10 * MINUTE),
      isLost: fc.oneof(
        { weight: 5, arbitrary: fc.constant(false) },
        { weight: 1, arbitrary: fc.constant(true) },
      ),
    }),
    { minLength: 20, maxLength: 60 },
  )
  .map((steps) => {
    let [sum, startMs, ahead] = [0, NOON, 0];
    let begin = reading(0);
    return steps.map((step, nth) => {
      // True: how many the interface counted while the hook saw those of this epoch.
      const counted = step.seen + step.missed;
      sum += counted;
      const next = steps[nth + 1];
      const early = Math.min(step.early, next ? next.seen + next.missed : 0);
      // The second reading of the beginning came before the first one of the end.
      const late = Math.min(step.early, counted - ahead);
      ahead = early;
      const end = reading(sum - late, sum + early);
      const batch = epochOf({
        epoch: nth + 1,
        startMs,
        lengthMs: step.lengthMs,
        seen: step.seen,
        readings: [begin, end],
      });
      startMs += step.lengthMs;
      begin = end;
      return { batch, ...step };
    });
  });

describe('the audit of the past', () => {
  it('says of a span what the live audit said of its epochs, at every level', async () => {
    await fc.assert(
      fc.asyncProperty(scenes, fc.nat({ max: 5 }), async (all, parts) => {
        const live = new LiveView();
        for (const { batch } of all) live.write(batch);
        const size = Math.ceil(all.length / (parts + 1));
        const batches = all.map(({ batch }) => batch);
        const store = await stored(
          Array.from({ length: parts + 1 }, (_, nth) => batches.slice(nth * size, (nth + 1) * size)),
        );
        const past = ingress(await auditOf(store));
        const { sinceStart, kind, unit } = live
          .audit()
          .points.find(({ direction }) => direction === 'ingress')!;
        const { outside, ...rest } = past.span;
        assert.deepEqual({ ...rest, seconds: 0, outside: 0 }, { ...sinceStart, seconds: 0, outside: 0 });
        // Its steps may tell more than all of it does.
        assert.ok(
          outside.packets >= sinceStart.outside.packets && outside.octets >= sinceStart.outside.octets,
        );
        assert.ok(outside.packets <= all.reduce((sum, { missed }) => sum + missed, 0));
        assert.deepEqual([past.kind, past.unit, past.comparedSeconds], [kind, unit, sinceStart.seconds]);
        await store.close();
      }),
      { numRuns: 15 },
    );
  });

  it('has bounds that contain the truth in every span and every step, also where epochs were lost', async () => {
    const looked = { compared: 0, lossy: 0 };
    await fc.assert(
      fc.asyncProperty(scenes, fc.nat({ max: 8 }), fc.nat({ max: 8 }), async (all, skipped, left) => {
        const kept = all.filter(({ isLost }) => !isLost);
        const store = await stored([kept.map(({ batch }) => batch)]);
        const fromMs = all[skipped]!.batch.startMs;
        const toMs = all.at(-1 - left)!.batch.endMs;
        const audit = await auditOf(store, { fromMs, toMs });
        const { stepMs } = audit;
        const point = audit.points.find(({ direction }) => direction === 'ingress');
        if (point) {
          // Whole intervals are asked for, and lost epochs leave out minutes that they are of.
          const [begin, end] = [fromMs - (fromMs % INTERVAL), Math.ceil(toMs / INTERVAL) * INTERVAL];
          const within = kept.filter(({ batch: { startMs } }) => {
            const period = startMs - (startMs % INTERVAL);
            return period >= begin && period < end;
          });
          const sum = (of: typeof kept, name: 'missed' | 'seen' | 'lengthMs'): number =>
            of.reduce((all, each) => all + each[name], 0);
          const { outside, counted } = point.span;
          assert.ok(outside.packets >= 0 && outside.packets <= sum(within, 'missed'));
          if (counted && point.comparedSeconds === sum(within, 'lengthMs') / 1000) {
            const truth = sum(within, 'missed') + sum(within, 'seen');
            assert.ok(counted.least.packets <= truth && truth <= counted.most.packets);
            looked.compared++;
          } else looked.lossy++;
          for (const step of point.steps) {
            const own = kept.filter(
              ({ batch: { startMs } }) => Math.floor(startMs / stepMs) * stepMs === step.fromMs,
            );
            assert.ok(step.packets >= 0 && step.packets <= sum(own, 'missed'));
          }
        }
        await store.close();
      }),
      { numRuns: 25 },
    );
    assert.ok(looked.compared > 2 && looked.lossy > 2, JSON.stringify(looked));
  });

  it('says when something was unexplained, and at least how much', async () => {
    const seen = Array.from({ length: 600 }, () => 10);
    const counts = seen.map((count, nth) => count + (nth === 200 || nth === 305 ? 7 : 0));
    const store = await stored([epochsOf(seen, counting(counts))]);
    const audit = await auditOf(store);
    assert.equal(audit.stepMs, 10 * SECOND);
    const point = ingress(audit);
    assert.deepEqual(point.steps, [
      { fromMs: NOON + 200 * SECOND, packets: 7, octets: 700 },
      { fromMs: NOON + 300 * SECOND, packets: 7, octets: 700 },
    ]);
    assert.deepEqual([point.span.outside.packets, point.span.inside.packets], [14, 0]);
    assert.deepEqual(point.unexplained, { packets: 14, octets: 1400 });
    assert.deepEqual(audit.unexplained, { packets: 14, octets: 1400 });
    assert.match(point.hint, /counted by the interface, not seen by the hook/);
    const clean = await auditOf(store, { fromMs: NOON, toMs: NOON + 200 * SECOND });
    assert.deepEqual(clean.unexplained, { packets: 0, octets: 0 });
    assert.equal(ingress(clean).hint, '');
    assert.equal(ingress(clean).comparedSeconds, 200);
    await store.close();
  });

  it('took packets for missing that one step counted and the next one saw', async () => {
    const seen = [10, 10, 10, 10, 10, 10, 10, 10, 10, 5, 15, ...Array.from({ length: 40 }, () => 10)];
    const store = await stored([epochsOf(seen, counting(seen.map(() => 10)))]);
    const point = ingress(await auditOf(store));
    assert.deepEqual(point.steps, []);
    assert.deepEqual(point.unexplained, { packets: 0, octets: 0 });
    await store.close();
  });

  it('finds in a step of few packets what is hidden among the super-packets of the rest', async () => {
    const batches = Array.from({ length: 300 }, (_, nth) => {
      const isQuiet = nth >= 100 && nth < 110;
      const seen = isQuiet ? 1 : 10;
      const counted = seen + (nth === 105 ? 50 : 0);
      return { seen, counted, wire: isQuiet ? seen : 400 };
    });
    const readings = counting(batches.map(({ counted }) => counted));
    const store = await stored([
      batches.map(({ seen, wire }, nth) =>
        epochOf({
          epoch: nth + 1,
          startMs: NOON + nth * SECOND,
          seen,
          wire,
          readings: [readings[nth]!, readings[nth + 1]!],
        }),
      ),
    ]);
    const point = ingress(await auditOf(store));
    const { counted, expected, outside } = point.span;
    assert.ok(counted!.most.packets < expected.most.packets, 'of all of it nothing can be told');
    assert.equal(outside.packets, 50);
    assert.deepEqual(point.steps, [{ fromMs: NOON + 100 * SECOND, packets: 50, octets: 5000 }]);
    assert.deepEqual(point.unexplained, { packets: 50, octets: 5000 });
    await store.close();
  });

  it('compares only epochs whose counters are known: not the last of a killed agent, and none twice', async () => {
    const first = epochsOf([10, 10, 10], counting([10, 10, 10]));
    const unread = epochOf({ epoch: 4, startMs: NOON + 3 * SECOND, seen: 33 });
    const gone = epochOf({
      epoch: 5,
      startMs: NOON + 4 * SECOND,
      seen: 4,
      readings: [reading(30), undefined],
    });
    const next = epochsOf([10, 10], counting([10, 17]), { fromMs: NOON + MINUTE, agent: 'next' });
    const store = await stored([[...first, unread, gone], next, first]);
    const { points, covered } = await auditOf(store);
    assert.equal(points.length, 2, 'both starts of the meter are one interface');
    const point = ingress(await auditOf(store));
    assert.equal(covered.toMs - covered.fromMs, 62 * SECOND);
    assert.deepEqual([point.span.seen.packets, point.comparedSeconds], [87, 5]);
    assert.deepEqual(point.span.expected.least.packets, 50);
    assert.deepEqual(point.span.outside.packets, 7);
    assert.deepEqual(point.span.inside.packets, 0);
    await store.close();
  });

  it('takes a counter that went back for none, and one of another hand for what it can be', async () => {
    const [begin, back] = [reading(1000, 1000), reading(5, 5)];
    const absurd = reading(0, Number.MAX_SAFE_INTEGER);
    const store = await stored([
      [
        epochOf({ epoch: 1, startMs: NOON, seen: 5, readings: [begin, back] }),
        epochOf({ epoch: 2, startMs: NOON + SECOND, seen: 5, readings: [back, reading(10)] }),
        epochOf({ epoch: 3, startMs: NOON + 2 * SECOND, seen: 5, readings: [reading(10), absurd] }),
      ],
    ]);
    const point = ingress(await auditOf(store));
    assert.deepEqual([point.comparedSeconds, point.span.outside.packets], [1, 0]);
    await store.close();
  });

  it('names who ran before and after, and what has no name in the store cannot break a statement', async () => {
    const programs = { before: ["thief's", 'drop"per'], after: ['last'] };
    const store = await stored([
      [
        epochOf({ epoch: 1, startMs: NOON, seen: 5, readings: [reading(0), reading(9)], programs }),
        epochOf({ epoch: 2, startMs: NOON + SECOND, seen: 5, readings: [reading(9), reading(14)] }),
      ],
    ]);
    const point = ingress(await auditOf(store));
    assert.deepEqual(point.programs, programs);
    assert.match(point.hint, /thief's, drop"per runs before it/);
    await store.close();
  });

  it('has the ledger by reason and level, and finds rows that do not add up', async () => {
    const line = { ifindex: 2, direction: 0, reason: 'ipv4_truncated', packets: 1n, octets: 60n } as const;
    const ledger = [
      { ...line, level: 0 },
      { ...line, level: 1, octets: 90n },
    ];
    const store = await stored([
      [epochOf({ epoch: 1, startMs: NOON, seen: 5, readings: [reading(0), reading(7)], ledger })],
    ]);
    const { span } = ingress(await auditOf(store));
    assert.deepEqual(
      span.ledger.map(({ reason, level, packets, octets }) => [reason, level, packets, octets]),
      [
        ['ipv4_truncated', 1, 1, 90],
        ['ipv4_truncated', 0, 1, 60],
      ],
    );
    assert.deepEqual([span.inside.packets, span.inside.octets], [0, 0]);
    assert.deepEqual(span.recorded.packets, 5);
    await store.close();
  });
});
