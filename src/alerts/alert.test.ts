import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { GroupSums } from '../live/index.ts';
import { type AlertDefinition, AlertsSchema, MAX_ALERT_GROUPS } from '../query/index.ts';
import { Alert, type AlertChange } from './alert.ts';
import { AlertWatch } from './watch.ts';

const DEFINITION: AlertDefinition = {
  name: 'a',
  filterText: '',
  filter: { kind: 'any' },
  quantity: 'packets',
  by: undefined,
  bound: 'above',
  threshold: 10,
  forMs: 3000,
  webhook: undefined,
};

/** What the live view would say of these groups. */
function sums(values: Readonly<Record<string, number>>, { most, also, above }: Alert['question']): GroupSums {
  const all = Object.entries(values).filter(([, value]) => value > 0);
  const largest = all.toSorted(([, a], [, b]) => b - a).slice(0, most);
  return {
    total: all.reduce((sum, [, value]) => sum + value, 0),
    groups: new Map([...largest, ...all.filter(([name]) => also.includes(name))]),
    count: all.length,
    countAbove: all.filter(([, value]) => value > above).length,
  };
}

/** An alert, and a way to let a second pass in which its groups come to so much. */
function watched(change: Partial<AlertDefinition> = {}): {
  readonly alert: Alert;
  readonly second: (values: Readonly<Record<string, number>>) => AlertChange[];
} {
  const alert = new Alert({ ...DEFINITION, ...change }, 0);
  let atMs = 0;
  return {
    alert,
    second: (values) => {
      atMs += 1000;
      return alert.take(sums(values, alert.question), { atMs, steadyMs: atMs });
    },
  };
}

test('it is pending while it is beyond, fires after so long, is resolved when it is not, and ok five minutes later', () => {
  const { alert, second } = watched();
  const states: string[] = [];
  const told: AlertChange[] = [];
  const pass = (...values: number[]): void => {
    for (const value of values) {
      told.push(...second({ all: value }));
      const { state, sinceMs } = alert.status();
      states.push(`${state} ${sinceMs}`);
    }
  };
  pass(5, 11, 11, 10, 11, 11, 11, 12, 50, 9, 9);
  assert.deepEqual(states, [
    ...['ok 0', 'pending 2000', 'pending 2000', 'ok 4000'],
    ...['pending 5000', 'pending 5000', 'pending 5000', 'firing 8000', 'firing 8000'],
    ...['resolved 10000', 'resolved 10000'],
  ]);
  assert.deepEqual(
    told.map(({ state, group, value, atMs, beyondSinceMs }) => ({
      state,
      group,
      value,
      atMs,
      beyondSinceMs,
    })),
    [
      { state: 'firing', group: null, value: 12, atMs: 8000, beyondSinceMs: 5000 },
      { state: 'resolved', group: null, value: 9, atMs: 10_000, beyondSinceMs: 5000 },
    ],
  );
  for (let i = 0; i < 298; i++) second({ all: 1 });
  assert.equal(alert.status().state, 'resolved');
  second({ all: 1 });
  const { state, sinceMs, value } = alert.status();
  assert.deepEqual({ state, sinceMs, value }, { state: 'ok', sinceMs: 310_000, value: 1 });
});

test('it never fires before so long, always then, and tells each firing and its end once', () => {
  const step = fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 1, max: 2500 }));
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.constantFrom('above', 'below'),
      fc.integer({ min: 100, max: 6000 }),
      (steps, bound, forMs) => {
        const alert = new Alert({ ...DEFINITION, bound, forMs }, 0);
        let steadyMs = 0;
        let beyondMs: number | undefined;
        let fires = false;
        for (const [value, elapsedMs] of steps) {
          steadyMs += elapsedMs;
          // Whoever sets the clock of the wall: durations are of the other one.
          const now = { atMs: 1e12 - 7 * steadyMs, steadyMs };
          const changes = alert.take(sums({ all: value }, alert.question), now).map(({ state }) => state);
          const isBeyond = bound === 'above' ? value > 10 : value < 10;
          beyondMs = isBeyond ? (beyondMs ?? steadyMs) : undefined;
          const shouldFire: boolean = beyondMs !== undefined && (fires || steadyMs - beyondMs >= forMs);
          const wanted: string[] = shouldFire === fires ? [] : [shouldFire ? 'firing' : 'resolved'];
          assert.deepEqual(changes, wanted);
          fires = shouldFire;
          assert.equal(alert.status().state === 'firing', fires);
          assert.equal(alert.firing, fires ? 1 : 0);
        }
      },
    ),
  );
});

test('each group stands by itself, as an alert of its own would', () => {
  const names = ['a', 'b', 'c', 'd'];
  const row = fc.tuple(...names.map(() => fc.integer({ min: 0, max: 20 })));
  fc.assert(
    fc.property(fc.array(row, { maxLength: 30 }), (rows) => {
      const all = watched({ by: 'segment' });
      const single = names.map(() => watched());
      for (const values of rows) {
        const changes = all.second(Object.fromEntries(names.map((name, i) => [name, values[i]!])));
        const wanted = names.flatMap((name, i) =>
          single[i]!.second({ all: values[i]! }).map(({ state }) => `${name} ${state}`),
        );
        assert.deepEqual(
          changes.map(({ group, state }) => `${group} ${state}`).toSorted(),
          wanted.toSorted(),
        );
        const stand = new Map(all.alert.status().groups.map(({ group, state }) => [group, state]));
        for (const [i, name] of names.entries())
          assert.equal(stand.get(name) ?? 'ok', single[i]!.alert.status().state);
      }
    }),
  );
});

test('groups that are to stay above are watched from when they are, and one that is gone has nothing', () => {
  const { alert, second } = watched({ by: 'src', bound: 'below' });
  second({ small: 1, large: 20 });
  assert.deepEqual([alert.status().state, alert.status().value], ['ok', 20]);
  second({ small: 1 });
  assert.deepEqual(alert.status().groups, [{ group: 'large', state: 'pending', sinceMs: 2000, value: 0 }]);
  assert.deepEqual(
    [second({}), second({}), second({})].flat().map(({ group, state }) => `${group} ${state}`),
    ['large firing'],
  );
  assert.deepEqual(
    second({ large: 30 }).map(({ group, state, value }) => `${group} ${state} ${value}`),
    ['large resolved 30'],
  );
});

test('so many groups are watched, the largest, and it is said how many are left out', () => {
  for (const bound of ['above', 'below'] as const) {
    const { alert, second } = watched({ by: 'src', bound });
    const crowd = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`g${i}`, 11 + i]));
    for (let i = 0; i < 4; i++) second(crowd);
    assert.equal(alert.status().groupsLeftOut, 900, bound);
    const changes =
      bound === 'above' ? second({ ...crowd, g0: 5000 }) : [0, 1, 2, 3].flatMap(() => second({}));
    assert.equal(alert.firing, MAX_ALERT_GROUPS);
    if (bound === 'above') assert.deepEqual(changes, [], 'g0 finds no room');
    else assert.equal(changes.length, MAX_ALERT_GROUPS);
    assert.equal(alert.status().groups.length, MAX_ALERT_GROUPS);
    assert.ok(alert.status().groups.some(({ group }) => group === 'g999'));
    // What is over makes room.
    if (bound === 'above') {
      second({ g0: 5000 });
      for (let i = 0; i < 3; i++) second({ g0: 5000 });
      assert.equal(alert.status().groups[0]!.group, 'g0');
      assert.equal(alert.status().groups[0]!.state, 'firing');
    }
  }
});

test('other alerts leave those that ask the same as they stand; what is watched no more is over', () => {
  const lines: string[] = [];
  let steadyMs = 0;
  const watch = new AlertWatch({
    definitions: [DEFINITION, { ...DEFINITION, name: 'b' }],
    origin: { name: 'n', hostname: 'h' },
    listener: { changed: (line) => lines.push(line), failing: assert.fail, recovered: assert.fail },
    clock: () => steadyMs,
    steadyClock: () => steadyMs,
  });
  const second = (value: number): void => {
    steadyMs += 1000;
    const groupSums = (questions: readonly Alert['question'][]): GroupSums[] =>
      questions.map((question) => sums({ all: value }, question));
    watch.evaluate({ groupSums }, steadyMs);
  };
  const states = (): string[] => {
    const status = watch.status();
    assert.deepEqual(AlertsSchema.parse(status), status);
    return status.alerts.map(({ name, state, sinceMs }) => `${name} ${state} ${sinceMs}`);
  };
  for (let i = 0; i < 4; i++) second(1200);
  assert.deepEqual(states(), ['a firing 4000', 'b firing 4000']);
  assert.deepEqual(watch.families()[0]!.samples, [
    { labels: 'alert="a"', value: 1 },
    { labels: 'alert="b"', value: 1 },
  ]);
  watch.change([
    { ...DEFINITION, name: 'c' },
    { ...DEFINITION, filter: { kind: 'any' } },
  ]);
  assert.deepEqual(states(), ['c ok 4000', 'a firing 4000']);
  second(1200);
  assert.deepEqual(states(), ['c pending 5000', 'a firing 4000']);
  watch.change([{ ...DEFINITION, threshold: 2000 }]);
  second(1200);
  assert.deepEqual(states(), ['a ok 5000']);
  assert.deepEqual(lines, [
    'Alert "a" fires: 1.20 kpkt/s, above 10 pkt/s for 3 s',
    'Alert "b" fires: 1.20 kpkt/s, above 10 pkt/s for 3 s',
    'Alert "b" is over: it is not watched any more; it was above 10 pkt/s for 3 s',
    'Alert "a" is over: it is not watched any more; it was above 10 pkt/s for 4 s',
  ]);
  watch[Symbol.dispose]();
});
