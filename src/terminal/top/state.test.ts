import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseViewFilter } from '../../query/index.ts';
import { reduce, type TopInput } from './reduce.ts';
import { type Frame, render } from './render.ts';
import { beginning, LISTS, levelOf, listOf, TABS, type TopStart, type TopState } from './state.ts';
import { answersOf, liveOf, NOW_MS } from './top.fixture.ts';
import { widthOf } from './width.ts';

const LIVE = liveOf(30);
const FEWER = liveOf(3);

/** Somebody at the keys: each key meets the screen that the one before has made. */
class User {
  state: TopState;
  live = LIVE;

  constructor(start: Partial<TopStart> = {}) {
    this.state = beginning({ columns: 80, rows: 24, ...start });
  }

  get frame(): Frame {
    return render(this.state, answersOf(this.state, this.live), NOW_MS + 200);
  }

  give(input: TopInput): this {
    this.state = reduce(this.state, input, this.frame.sight, NOW_MS);
    return this;
  }

  press(...keys: readonly string[]): this {
    for (const key of keys) this.give({ kind: 'key', key });
    return this;
  }

  type(text: string): this {
    return this.press(...text);
  }

  /** What stands on the screen. */
  get lines(): string[] {
    const { grid } = this.frame;
    return Array.from({ length: grid.rows }, (_, row) => grid.line(row));
  }

  get chosenRow(): string | undefined {
    const { rows, index } = this.frame.sight;
    return rows[index]?.words;
  }
}

const KEYS = [
  ...'12345sSr/fwutd?hjkgGq <>é',
  ...['enter', 'escape', 'backspace', 'tab', 'backtab', 'up', 'down', 'left', 'right', 'home', 'end'],
  ...['pageup', 'pagedown', 'delete', 'ctrl-u', 'ctrl-w', 'ctrl-l', 'ctrl-z', 'ctrl-n', 'alt-x', 'nothing'],
];
const input: fc.Arbitrary<TopInput> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...KEYS).map((key) => ({ kind: 'key' as const, key })) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('mouse' as const),
      action: fc.constantFrom(
        'press' as const,
        'release' as const,
        'wheel-up' as const,
        'wheel-down' as const,
      ),
      row: fc.nat(50),
      column: fc.nat(200),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('resize' as const),
      columns: fc.integer({ min: 1, max: 200 }),
      rows: fc.integer({ min: 1, max: 60 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('tcp and ', 'vni 10001', ')', 'src 10.0.0.1 or', '𝕏\n')
      .map((text) => ({ kind: 'pasted' as const, text })),
  },
  { weight: 1, arbitrary: fc.boolean().map((isDark) => ({ kind: 'ground' as const, isDark })) },
);

function assertValid(state: TopState, { grid, sight, cursor }: Frame): void {
  assert.equal(grid.columns, state.columns);
  assert.equal(grid.rows, state.rows);
  for (let row = 0; row < grid.rows; row++)
    assert.equal(widthOf(grid.line(row)), grid.columns, grid.line(row));
  assert.ok(TABS.includes(state.tab) && LISTS.includes(listOf(state)));
  for (const tab of TABS) {
    assert.equal(state.levels[tab][0]?.at.kind, 'all');
    assert.ok(state.levels[tab].length <= 4, JSON.stringify(state.levels[tab]));
  }
  assert.doesNotThrow(() => parseViewFilter(state.filter));
  const { index, first, rows, page } = sight;
  if (rows.length === 0) assert.equal(index, -1);
  else
    assert.ok(index >= first && index < first + page && index < rows.length, `${index} of ${first}+${page}`);
  assert.ok(first >= 0);
  for (const { row, from, to } of sight.targets)
    assert.ok(row >= 0 && row < state.rows && from >= 0 && from <= to, JSON.stringify({ row, from, to }));
  if (cursor) assert.ok(cursor.row < state.rows && cursor.column < state.columns);
  const { field } = state;
  if (field) assert.ok(field.cursor >= 0 && field.cursor <= field.text.length && field.text.length <= 2000);
}

describe('the state', () => {
  it('stays valid, and can be drawn, whatever is pressed while rows come and go', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(input, fc.boolean()), { maxLength: 60 }), (inputs) => {
        const user = new User();
        for (const [each, isFewer] of inputs) {
          user.live = isFewer ? FEWER : LIVE;
          user.give(each);
          assertValid(user.state, user.frame);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('leads from a host to its clients, their flows and one of them, and back the same way', () => {
    const user = new User().press('4');
    assert.equal(listOf(user.state), 'hosts');
    user.press('down');
    const host = user.chosenRow;
    assert.equal(host, '172.16.1.101');
    user.press('enter');
    assert.match(user.lines[3]!, /All hosts › clients of 172\.16\.1\.101 +1–18 of 32 clients/);
    user.press('down', 'down', 'enter');
    assert.match(user.lines[3]!, /› flows of 192\.168\.0\.1 +1 flow $/);
    user.press('enter');
    assert.equal(levelOf(user.state).at.kind, 'row');
    assert.ok(
      user.lines.some((line) => /^ +dport +443 *$/.test(line)),
      user.lines.join('\n'),
    );
    user.press('escape', 'escape', 'backspace');
    assert.equal(user.chosenRow, host);
  });

  it('leads from a tunnel to its flows, of its segment only', () => {
    const user = new User().press('1', 'enter');
    assert.match(
      user.lines[3]!,
      /All tunnels › flows in VNI 10000, 172\.16\.1\.100 and 172\.16\.1\.101 +15 flows/,
    );
  });

  it('follows a chosen row, but stays at the top for whoever looks at the largest', () => {
    const user = new User({ tab: 'flows' }).press('down', 'down');
    const chosen = user.chosenRow;
    user.press('r');
    assert.equal(user.chosenRow, chosen);
    user.press('home', 'r');
    assert.match(user.chosenRow!, /^TCP 192\.168\.0\.1:40000/);
    user.press('s');
    assert.equal(user.frame.sight.index, 0);
  });

  it('keeps its place when the chosen row goes', () => {
    const user = new User({ tab: 'flows' }).press('end');
    assert.equal(user.frame.sight.index, 30);
    user.live = FEWER;
    assert.equal(user.frame.sight.index, 3);
  });

  it('takes a filter with completion, and points at what is wrong with one', () => {
    const user = new User({ tab: 'flows' }).press('/').type('vn').press('tab').type('10001x').press('enter');
    assert.match(user.lines[3]!, /filter vni 10001x/);
    assert.match(user.lines[4]!, /^ {12}\^{6} *$/);
    assert.match(user.lines[5]!, /"10001x" is not a number/);
    user.press('backspace', 'enter');
    assert.equal(user.state.filter, 'vni = 10001');
    assert.match(user.lines[3]!, /All flows {2}where vni = 10001, \d\d % left out +15 flows/);
    user.press('escape');
    assert.equal(user.state.filter, '');
  });

  it('leaves a filter as it was when the field is left', () => {
    const user = new User({ filter: 'tcp' }).press('/').type(' and vni 7').press('escape');
    assert.equal(user.state.filter, 'tcp');
    assert.equal(user.state.field, undefined);
  });

  it('completes with values in sight, chosen by arrows', () => {
    const user = new User({ tab: 'flows' }).press('/').type('sport ');
    user.press('down', 'down', 'enter');
    assert.equal(user.state.field?.text, 'sport 40001 ');
  });

  it('lets Escape go back, then go on, then drop the filter', () => {
    const user = new User({ tab: 'flows', filter: 'tcp' }).press('f', 'enter');
    assert.equal(user.state.frozenMs, NOW_MS);
    assert.match(user.lines[0]!, / frozen since \d\d:\d\d:\d\d, 0 s /);
    user.press('escape');
    assert.equal(levelOf(user.state).at.kind, 'all');
    user.press('escape');
    assert.equal(user.state.frozenMs, undefined);
    user.press('escape');
    assert.equal(user.state.filter, '');
  });

  it('does with the mouse what keys do', () => {
    const user = new User({ tab: 'hosts' });
    const press = (row: number, column: number): User =>
      user.give({ kind: 'mouse', action: 'press', row, column });
    press(2, user.lines[2]!.indexOf('Flows'));
    assert.equal(user.state.tab, 'flows');
    press(4, user.lines[4]!.indexOf('SOURCE'));
    assert.equal(user.frame.sight.ordered, 'source');
    press(7, 5);
    assert.equal(user.frame.sight.index, 2);
    press(7, 5);
    assert.equal(levelOf(user.state).at.kind, 'row');
    press(3, 3);
    assert.equal(levelOf(user.state).at.kind, 'all');
    user.give({ kind: 'mouse', action: 'wheel-down', row: 9, column: 9 });
    assert.equal(user.frame.sight.index, 5);
  });

  it('takes the ground that the terminal has, unless a theme was chosen', () => {
    const user = new User().give({ kind: 'ground', isDark: false });
    assert.equal(user.state.theme, 'light');
    user.press('t').give({ kind: 'ground', isDark: true });
    assert.equal(user.state.theme, 'plain');
  });
});

describe('a frame', () => {
  it('says that a screen is too small', () => {
    const user = new User({ columns: 39, rows: 10 });
    assert.ok(user.lines.some((line) => line.includes('too small: 40×10 is needed')));
    assert.ok(!new User({ columns: 40, rows: 10 }).lines.some((line) => line.includes('too small')));
  });

  it('does not move a column when numbers change', () => {
    const first = new User({ tab: 'flows', columns: 120 });
    const heads = first.lines[4];
    first.live = liveOf(31);
    assert.equal(first.lines[4], heads);
  });

  it('leaves columns out by their worth: names and rates stay at 40 columns', () => {
    for (const columns of [40, 60, 80, 120, 200]) {
      const heads = new User({ tab: 'flows', columns }).lines[4]!;
      for (const title of ['PROTO', 'SOURCE', 'RATE'])
        assert.ok(heads.includes(title), `${columns}: ${heads}`);
      assert.equal(heads.includes('TREND'), columns >= 80, heads);
    }
  });

  it('says what is wrong where the agent does not answer, since when, and when it is asked again', () => {
    const state = beginning({ columns: 80, rows: 24 });
    const lost = {
      sinceMs: NOW_MS,
      nextMs: NOW_MS + 14_000,
      reason: 'No agent answers: nothing listens there',
    };
    const { grid } = render(state, { ...answersOf(state, LIVE), lost }, NOW_MS + 12_000);
    assert.match(grid.line(0), / no answer for 12 s +$/);
    assert.match(grid.line(23), /No agent answers: nothing listens there; asking again in 2 s /);
  });

  it('says that figures are stale, and that there are none', () => {
    const state = beginning({ columns: 80, rows: 24 });
    const { grid } = render(state, answersOf(state, LIVE), NOW_MS + 9000);
    assert.match(grid.line(0), / stale for 9 s /);
    const user = new User({ tab: 'flows', filter: 'udp and port 9' });
    assert.ok(user.lines.some((line) => line.includes('No flows in the last 5 s that fit the filter')));
  });

  it('has all of the help within reach', () => {
    const user = new User({ columns: 60, rows: 12 }).press('?');
    const seen = new Set(user.lines);
    for (let i = 0; i < 100; i++) for (const line of user.press('down').lines) seen.add(line);
    const all = [...seen].join('\n');
    for (const word of ['Backspace, Esc', 'Ctrl-Z', '▲ unexplained', 'stale, no answer'])
      assert.ok(all.includes(word), word);
    user.press('x');
    assert.equal(user.state.isHelp, false);
  });
});
