import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { batchOf } from '../flow/batch.fixture.ts';
import type { FlowBatch } from '../flow/index.ts';
import { HistoryQuestionSchema, type HistoryQuestionText } from '../query/index.ts';
import { DuckDbStore } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-store-'));
after(() => rmSync(directory, { recursive: true }));
let files = 0;
const newPath = (): string => join(directory, `${++files}.duckdb`);

const { signal } = new AbortController();
const ask = (store: DuckDbStore, question: HistoryQuestionText) =>
  store.answer(HistoryQuestionSchema.parse(question), { signal });

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOON = Date.UTC(2026, 10, 21, 12);

/** An epoch of a second: two uniflows, one of them with a new client port each time, and a ledger line. */
function epochAt(epoch: number, startMs: number, agent = 'agent'): FlowBatch {
  return batchOf(
    [
      {
        between: ['10.0.0.1', '10.0.0.2'],
        ports: [443, 40_000 + (epoch % 1000)],
        protocol: 6,
        octets: 100,
        packets: 2,
      },
      { between: ['10.0.0.3', '10.0.0.2'], ports: [5000, 53], octets: 10, packets: 1, direction: 1 },
    ],
    {
      epoch,
      agent,
      startMs,
      ledger: [{ ifindex: 2, direction: 0, reason: 'ipv4_truncated', level: 0, packets: 1n, octets: 7n }],
    },
  );
}

const epochs = (count: number, everyMs: number, fromMs = NOON, agent = 'agent'): FlowBatch[] =>
  Array.from({ length: count }, (_, nth) => epochAt(nth + 1, fromMs + nth * everyMs, agent));

describe('upkeep of the store', () => {
  it('joins rows to minutes and hours, and answers from the coarsest that tell what is asked', async () => {
    const store = await DuckDbStore.open({ path: newPath(), clock: () => NOON + DAY });
    const count = 2 * 360 + 20;
    for (const part of [epochs(count, 10 * SECOND).slice(0, 400), epochs(count, 10 * SECOND).slice(400)]) {
      await store.commit(part);
      await store.settled();
    }
    const span = { fromMs: NOON, toMs: NOON + 3 * HOUR };
    const answer = await ask(store, { ask: 'top', by: ['src'], ...span });
    assert.deepEqual(answer.rows, [
      ['10.0.0.1', 100 * count, 2 * count],
      ['10.0.0.3', 10 * count, count],
    ]);
    assert.equal(answer.covered.level, 'hour');
    assert.deepEqual(answer.ledger, [{ reason: 'ipv4_truncated', octets: 7 * count, packets: count }]);
    // The hour level does not tell ports that clients were given; the minute level does.
    const byPort = await ask(store, { ask: 'top', by: ['dport'], limit: 3, ...span });
    assert.equal(byPort.covered.level, 'minute');
    assert.equal(byPort.total.octets, 110 * count);
    const perStep = await ask(store, { ask: 'series', stepMs: 10 * SECOND, ...span });
    assert.equal(perStep.covered.level, 'raw');
    assert.equal(perStep.rows.length, count);
    const rows = await store.query(
      'SELECT (SELECT count(*) FROM flow_raw), (SELECT count(*) FROM flow_minute), (SELECT count(*) FROM flow_hour)',
      { signal },
    );
    // Per minute six client ports and one flow that stays; the last 20 intervals are 3 minutes and a bit, joined to 3.
    assert.deepEqual(rows.rows, [[2 * count, 7 * 123, 2 * 2]]);
    await store.close();
  });

  it('takes epochs that come late into all levels, also after it was closed', async () => {
    const path = newPath();
    const clock = () => NOON + DAY;
    const all = epochs(2 * 360 + 20, 10 * SECOND);
    const late = new Set([3, 4, 5, 200, 361, 362, 700]);
    const store = await DuckDbStore.open({ path, clock });
    await store.commit(all.filter(({ epoch }) => !late.has(epoch)));
    await store.close();
    const again = await DuckDbStore.open({ path, clock });
    await again.commit(all.filter(({ epoch }) => late.has(epoch)));
    await again.commit(epochs(3, MINUTE, NOON - 2 * HOUR, 'former'));
    await again.settled();
    const around = { fromMs: NOON - 3 * HOUR, toMs: NOON + 3 * HOUR };
    const questions: HistoryQuestionText[] = [
      { ask: 'top', by: ['src'], ...around },
      { ask: 'top', by: ['sport'], ...around },
      { ask: 'series', stepMs: 20 * SECOND, ...around },
    ];
    for (const question of questions) {
      const answer = await ask(again, question);
      assert.deepEqual(
        answer.total,
        { octets: 110 * (all.length + 3), packets: 3 * (all.length + 3) },
        question.ask,
      );
    }
    for (const level of ['raw', 'minute', 'hour']) {
      const { rows } = await again.query(
        `SELECT point, sum(seen), sum(recorded), sum(lost) FROM (
           SELECT point, octets AS seen, 0 AS recorded, 0 AS lost FROM seen_${level}
           UNION ALL SELECT point, 0, octets, 0 FROM flow_${level}
           UNION ALL SELECT point, 0, 0, octets FROM ledger_${level}) GROUP BY point ORDER BY point`,
        { signal },
      );
      assert.equal(rows.length, 4, level);
      for (const [point, seen, recorded, lost] of rows)
        assert.equal(Number(seen), Number(recorded) + Number(lost), `${level}, point ${point}`);
    }
    const answer = await ask(again, { ask: 'top', by: ['src'], fromMs: NOON, toMs: NOON + 2 * HOUR });
    assert.equal(answer.total.octets, 110 * 720);
    assert.equal(answer.covered.level, 'hour');
    await again.close();
  });

  it('tells of tunnels what the rows of a level still do', async () => {
    let nowMs = NOON + 6 * HOUR;
    const store = await DuckDbStore.open({
      path: newPath(),
      clock: () => nowMs,
      retention: { rawMs: HOUR, minuteMs: 2 * HOUR, hourMs: 10 * DAY },
    });
    const epochOf = (epoch: number): FlowBatch => {
      const startMs = NOON + 10 * epoch * MINUTE;
      const batch = batchOf(
        [1, 2].map((client) => ({
          tunnel: ['172.16.0.1', '172.16.0.2', 7] as const,
          between: [`10.0.0.${client}`, '10.0.0.9'] as const,
          protocol: 6,
          ports: [50_000 + client, 443] as const,
          octets: 1000,
          packets: 4,
        })),
        { epoch, startMs, endMs: startMs + SECOND },
      );
      batch.columns.outerSourcePort.set([40_001, 40_002]);
      batch.columns.longest.set([1500, 700]);
      return batch;
    };
    await store.commit(Array.from({ length: 36 }, (_, i) => epochOf(i + 1)));
    await store.settled();
    nowMs += MINUTE;
    const tunnels = async (fromMs: number): Promise<object> => {
      const { columns, rows, covered } = await ask(store, { ask: 'tunnels', fromMs, toMs: nowMs });
      assert.equal(rows.length, 1);
      const cells = Object.fromEntries(columns.map(({ name }, i) => [name, rounded(rows[0]![i])]));
      return { ...cells, first: undefined, last: undefined, level: covered.level };
    };
    const same = {
      segment: 'vxlan:7',
      'outer.src': '172.16.0.1',
      'outer.dst': '172.16.0.2',
      overhead: (4 * 50) / 1000,
      longest: 1450,
      fragments: 0,
      first: undefined,
      last: undefined,
    };
    const sums = (epochs: number) => ({ octets: 2000 * epochs, packets: 8 * epochs });
    assert.deepEqual(await tunnels(NOON + 5.5 * HOUR), {
      ...same,
      ...sums(4),
      flows: 2,
      ports: 2,
      entropy: 1,
      'entropy.possible': 1,
      level: 'minute',
    });
    const none = { flows: null, ports: null, entropy: null, 'entropy.possible': null };
    assert.deepEqual(await tunnels(NOON), { ...same, ...sums(36), ...none, level: 'hour' });
    await assert.rejects(ask(store, { ask: 'tunnels', quantity: 'flows', fromMs: NOON, toMs: nowMs }), {
      code: 'STORE_TOO_COARSE',
    });
    await store.close();
  });

  it('keeps a month of rolling days: levels by their age, the file as large as it was', async () => {
    const path = newPath();
    let nowMs = NOON;
    const given: string[] = [];
    const store = await DuckDbStore.open({
      path,
      clock: () => nowMs,
      retention: { rawMs: 6 * HOUR, minuteMs: 2 * DAY, hourMs: 10 * DAY },
      listener: { gaveUp: (level) => given.push(level), failed: assert.ifError },
    });
    const everyMs = 10 * MINUTE;
    const perDay = DAY / everyMs;
    const sizes: number[] = [];
    for (let day = 0; day < 31; day++) {
      for (let part = 0; part < 4; part++) {
        const first = day * perDay + (part * perDay) / 4;
        nowMs = NOON + (first + perDay / 4) * everyMs;
        await store.commit(
          Array.from({ length: perDay / 4 }, (_, nth) =>
            epochAt(first + nth + 1, NOON + (first + nth) * everyMs),
          ),
        );
        await store.settled();
      }
      sizes.push(statSync(path).size);
    }
    const endMs = NOON + 31 * DAY;
    const all = await ask(store, { ask: 'top', by: ['src'], fromMs: NOON, toMs: endMs });
    assert.equal(all.covered.level, 'hour');
    assert.ok(
      all.covered.fromMs >= endMs - 11 * DAY && all.covered.fromMs <= endMs - 10 * DAY,
      String(all.covered.fromMs),
    );
    assert.equal(all.total.octets, (110 * (endMs - all.covered.fromMs)) / everyMs);
    await assert.rejects(ask(store, { ask: 'top', by: ['sport'], fromMs: NOON, toMs: endMs }), {
      code: 'STORE_TOO_COARSE',
    });
    const early = { fromMs: endMs - 8 * DAY, toMs: endMs - 8 * DAY + 2 * HOUR };
    const steps = await ask(store, { ask: 'series', ...early });
    assert.deepEqual(
      steps.rows.map(([time]) => time),
      [early.fromMs, early.fromMs + HOUR],
    );
    await assert.rejects(ask(store, { ask: 'series', stepMs: MINUTE, ...early }), {
      code: 'STORE_TOO_COARSE',
    });
    const late = await ask(store, { ask: 'top', by: ['sport'], fromMs: endMs - DAY, toMs: endMs });
    assert.equal(late.total.octets, 110 * perDay);
    for (const level of ['raw', 'minute', 'hour']) assert.ok(given.includes(level), level);
    assert.ok(Math.max(...sizes.slice(20)) <= 1.25 * Math.max(...sizes.slice(11, 20)), sizes.join(' '));
    await store.close();
  });

  it('gives up the oldest rows, of the finest level first, when the file is larger than it may be', async () => {
    let nowMs = NOON;
    const given: [string, string][] = [];
    const maxOctets = 8 * 2 ** 20;
    const store = await DuckDbStore.open({
      path: newPath(),
      maxOctets,
      clock: () => nowMs,
      listener: { gaveUp: (level, _, why) => given.push([level, why]), failed: assert.ifError },
    });
    const [count, rows, everyMs] = [24, 10_000, 10 * MINUTE];
    for (let epoch = 1; epoch <= count; epoch++) {
      nowMs = NOON + epoch * everyMs;
      await store.commit([crowdAt(epoch, NOON + (epoch - 1) * everyMs, rows)]);
      await store.settled();
    }
    assert.deepEqual(given[0], ['raw', 'size']);
    const used =
      'SELECT used_blocks * block_size FROM pragma_database_size() WHERE database_name = current_database()';
    const [[octets]] = (await store.query(used, { signal })).rows as [[number]];
    assert.ok(octets <= maxOctets, String(octets));
    const last = await ask(store, { ask: 'top', by: ['sport'], fromMs: nowMs - HOUR, toMs: nowMs });
    assert.equal(last.total.packets, 6 * rows);
    assert.equal(last.covered.fromMs, nowMs - HOUR);
    await store.close();
  });
});

/** An epoch of many uniflows that differ in everything, the same ones each time: rows of hours take little room. */
function crowdAt(epoch: number, startMs: number, count: number): FlowBatch {
  return batchOf(
    Array.from({ length: count }, (_, nth) => {
      const mixed = Math.imul(nth + 1, 0x9e3779b1) >>> 0;
      return {
        between: [`10.${mixed >>> 24}.${(mixed >>> 16) & 255}.${nth & 255}`, '10.0.0.1'] as const,
        ports: [mixed & 0xffff, 443] as const,
        protocol: 6,
        octets: (mixed >>> 3) + epoch,
        packets: 1,
      };
    }),
    { epoch, startMs },
  );
}

/** Logarithms are not exact. */
function rounded(cell: unknown): unknown {
  return typeof cell === 'number' ? Number(cell.toPrecision(9)) : cell;
}
