/* The week that views and exercises are tried on: as large as it is to be, the same each time, and kept as any history is. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { HistoryQuestionSchema, type HistoryQuestionText, type ResultTable } from '../src/query/index.ts';
import { planWeek, type StoredWeek, storeWeek, weekEpochs } from './week.ts';

const END_MS = Date.UTC(2026, 10, 22, 6, 30);
const DAY_MS = 86_400_000;

let week: StoredWeek;
before(async () => {
  week = await storeWeek(END_MS);
});
after(() => week?.[Symbol.asyncDispose]());

function ask(question: HistoryQuestionText): Promise<ResultTable> {
  return week.store.answer(HistoryQuestionSchema.parse(question), { signal: new AbortController().signal });
}

const whole = () => ({ fromMs: week.fromMs, toMs: week.toMs });

test('it has some 250,000 records, and the store as many octets as they have', async () => {
  assert.ok(week.records > 230_000 && week.records < 270_000, `${week.records} records`);
  let octets = 0n;
  for (const { columns, length } of weekEpochs(planWeek(END_MS)))
    for (let row = 0; row < length; row++) octets += columns.wireOctets[row]!;
  const { total } = await ask({ ask: 'top', by: ['segment'], ...whole() });
  assert.equal(total.octets, Number(octets));
});

test('what is older than two days is kept by the minute, all of it by the hour', async () => {
  const { rows } = await week.store.query(
    `SELECT (SELECT min(epoch_ms(period)) FROM flow_raw), (SELECT min(epoch_ms(period)) FROM flow_minute),
            (SELECT min(epoch_ms(period)) FROM flow_hour)`,
    { signal: new AbortController().signal },
  );
  const [raw, minute, hour] = rows[0]!.map(Number) as [number, number, number];
  assert.ok(raw >= END_MS - 2 * DAY_MS - 3_600_000, new Date(raw).toISOString());
  assert.equal(minute, week.fromMs);
  assert.equal(hour, Math.floor(week.fromMs / 3_600_000) * 3_600_000);
});

test('two tenants have the address of the culprit, and one of them is it', async () => {
  const { address, segment, sinceMs } = week.culprit;
  const filter = `src = ${address}`;
  const before = await ask({ ask: 'top', by: ['segment'], filter, fromMs: week.fromMs, toMs: sinceMs });
  assert.equal(before.rows.length, 2);
  const after = await ask({ ask: 'top', by: ['segment'], filter, fromMs: sinceMs, toMs: week.toMs });
  assert.equal(after.rows[0]![0], segment);
  assert.ok(
    Number(after.rows[0]![1]) >
      0.8 * (await ask({ ask: 'top', by: ['src'], fromMs: sinceMs, toMs: week.toMs })).total.octets,
  );
});

test('packets that are in no flow are of one night, and nobody metered for a while', async () => {
  const { ledger, gaps } = await ask({ ask: 'distinct', of: 'network', ...whole() });
  assert.deepEqual(gaps, [week.gap]);
  assert.deepEqual(
    ledger.toSorted((a, b) => b.packets - a.packets).map(({ reason, packets }) => [reason, packets]),
    [
      ['ethernet_truncated', 2400],
      ['ipv4_truncated', 180],
    ],
  );
  assert.deepEqual((await ask({ ask: 'distinct', of: 'network', ...week.lost })).ledger, ledger);
});
