import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  FilterError,
  parsePastQuestion,
  parseQuestion,
  parseSelection,
  printQuestion,
  QuestionSchema,
} from '../index.ts';
import { anyQuestion } from './question.fixture.ts';

const BERLIN = { nowMs: Date.parse('2026-11-21T14:30:00+01:00'), timeZone: 'Europe/Berlin' } as const;

/** A question in its one form, asked in Berlin on a Saturday afternoon. */
const canonical = (text: string, clock: { nowMs: number; timeZone: string } = BERLIN): string =>
  printQuestion(parseQuestion(text, clock));

const failure = (text: string): FilterError => {
  try {
    parseQuestion(text, BERLIN);
  } catch (error) {
    assert.ok(error instanceof FilterError, String(error));
    return error;
  }
  return assert.fail(`${text} was read`);
};

describe('a question as text', () => {
  it('is plain data', () => {
    assert.deepEqual(
      parseQuestion('top 5 src, dst by packets last 1h points once where vni 5001 and not port 22', BERLIN),
      {
        ask: 'top',
        by: ['src', 'dst'],
        limit: 5,
        quantity: 'packets',
        fromMs: BERLIN.nowMs - 3_600_000,
        toMs: BERLIN.nowMs,
        points: 'once',
        filter: 'vni = 5001 and port != 22',
      },
    );
    assert.deepEqual(parseQuestion('compare outer.src today', BERLIN), {
      ask: 'compare',
      by: ['outer.src'],
      limit: 20,
      quantity: 'octets',
      fromMs: Date.parse('2026-11-21T00:00:00+01:00'),
      toMs: BERLIN.nowMs,
      before: {
        fromMs: Date.parse('2026-11-20T09:30:00+01:00'),
        toMs: Date.parse('2026-11-21T00:00:00+01:00'),
      },
    });
  });

  const LAST_HOUR = 'from 2026-11-21T12:30Z to 2026-11-21T13:30Z';
  const FORMS: readonly (readonly [string, readonly string[]])[] = [
    [
      `top src ${LAST_HOUR}`,
      ['top src', 'TOP 20 SRC last 60m', 'top source last 1h by octets', 'top src where any'],
    ],
    [`top 5 src, dst by flows ${LAST_HOUR}`, ['top 5 src,dst by flows', 'top 5 src , dst last 1h by flows']],
    [
      `series segment from 2026-11-20T13:30Z to 2026-11-21T13:30Z step 5m where vni = 5001`,
      ['series segment last 1d step 300s where vni 5001', 'series segment step 5m last 24h where (vni 5001)'],
    ],
    [`series ${LAST_HOUR}`, ['series', 'series 10 since 13:30', 'series since 60m ago']],
    [
      `matrix ${LAST_HOUR}`,
      ['matrix', 'matrix outer.src, outer.dst', 'matrix 5000 outersource, outerdestination'],
    ],
    ['top src live', ['top src live 5s', 'TOP 20 src LIVE by octets', 'top source live where any']],
    ['series segment live', ['series segment live all', 'series segment by octets live']],
    ['series by packets live 1m', ['series live 1m by packets']],
    ['tunnels by flows live 1m where vni = 5001', ['tunnels 100 live 1m by flows where vni 5001']],
    [`tunnels ${LAST_HOUR}`, ['tunnels', 'tunnels last 1h']],
    ['matrix live 1m where vni = 5001', ['matrix outer.src, outer.dst live 1m where vni 5001']],
    ['distinct vni by packets live all', ['distinct vni live all by packets']],
    [`distinct vni ${LAST_HOUR} points every`, ['distinct id points every']],
    [
      `flows ${LAST_HOUR} where src = 10.0.0.1`,
      ['flows where src 10.0.0.1', 'flows 100 last 1h where src=10.0.0.1/32'],
    ],
    [
      `compare dport ${LAST_HOUR} with from 2026-11-20T12:30Z to 2026-11-20T13:30Z`,
      [
        'compare dport with yesterday',
        'compare dport last 1h with 1d ago',
        'compare dport with 24h ago last 1h',
        'compare dport with from 2026-11-20T13:30 to 14:30',
      ],
    ],
    [
      `compare dport ${LAST_HOUR} with from 2026-11-21T11:30Z to 2026-11-21T12:30Z`,
      ['compare dport', 'compare dport with previous last 1h', 'compare dport with from 12:30 to 13:30'],
    ],
  ];
  for (const [written, typed] of FORMS)
    it(`writes ${written} for all that asks the same`, () => {
      for (const text of [...typed, written]) assert.equal(canonical(text), written, text);
    });

  const SPANS: readonly (readonly [string, string, string])[] = [
    ['today', '2026-11-20T23:00Z', '2026-11-21T13:30Z'],
    ['yesterday', '2026-11-19T23:00Z', '2026-11-20T23:00Z'],
    ['on 2026-11-01', '2026-10-31T23:00Z', '2026-11-01T23:00Z'],
    ['last 1m30s', '2026-11-21T13:28:30Z', '2026-11-21T13:30Z'],
    ['since 10:00', '2026-11-21T09:00Z', '2026-11-21T13:30Z'],
    ['since 22:00', '2026-11-20T21:00Z', '2026-11-21T13:30Z'],
    ['since yesterday', '2026-11-19T23:00Z', '2026-11-21T13:30Z'],
    ['since 2026-11-21T10:00Z', '2026-11-21T10:00Z', '2026-11-21T13:30Z'],
    ['from 22:00 to 06:00', '2026-11-20T21:00Z', '2026-11-21T05:00Z'],
    ['from 10:00 to 10:30', '2026-11-21T09:00Z', '2026-11-21T09:30Z'],
    ['from 10:00 to 18:00', '2026-11-20T09:00Z', '2026-11-20T17:00Z'],
    ['from 2026-11-20T10:00 to 10:30', '2026-11-20T09:00Z', '2026-11-20T09:30Z'],
    ['from 2026-11-20 22:00 to 06:00', '2026-11-20T21:00Z', '2026-11-21T05:00Z'],
    ['from yesterday 22:00 to today 24:00', '2026-11-20T21:00Z', '2026-11-21T23:00Z'],
    ['from yesterday to now', '2026-11-19T23:00Z', '2026-11-21T13:30Z'],
    ['from 2h ago to 1h ago', '2026-11-21T11:30Z', '2026-11-21T12:30Z'],
    [
      'from 2026-11-21T10:00:00.5+05:30 to 2026-11-21T10:00:01-0100',
      '2026-11-21T04:30:00.500Z',
      '2026-11-21T11:00:01Z',
    ],
  ];
  for (const [typed, from, to] of SPANS)
    it(`knows when "${typed}" is`, () => {
      assert.equal(canonical(`flows ${typed}`), `flows from ${from} to ${to}`);
    });

  it('follows the clocks of the time zone through the changes of the year', () => {
    const on = (at: string, text: string): string =>
      canonical(text, { nowMs: Date.parse(at), timeZone: 'Europe/Berlin' });
    // Forward at 02:00 on 2026-03-29, back at 03:00 on 2026-10-25: days of 23 and of 25 hours.
    assert.equal(
      on('2026-03-30T10:00Z', 'flows yesterday'),
      'flows from 2026-03-28T23:00Z to 2026-03-29T22:00Z',
    );
    assert.equal(
      on('2026-10-26T10:00Z', 'flows yesterday'),
      'flows from 2026-10-24T22:00Z to 2026-10-25T23:00Z',
    );
    // 02:30 is not there in March and there twice in October.
    assert.equal(
      on('2026-03-29T10:00Z', 'flows since 02:30'),
      'flows from 2026-03-29T01:30Z to 2026-03-29T10:00Z',
    );
    assert.equal(
      on('2026-10-25T10:00Z', 'flows since 02:30'),
      'flows from 2026-10-25T00:30Z to 2026-10-25T10:00Z',
    );
    // The same times of the day before are 23 hours before.
    assert.equal(
      on('2026-03-30T10:00Z', 'compare src from 2026-03-29 08:00 to 09:00 with yesterday'),
      'compare src from 2026-03-29T06:00Z to 2026-03-29T07:00Z with from 2026-03-28T07:00Z to 2026-03-28T08:00Z',
    );
    assert.equal(
      canonical('flows today', { nowMs: Date.parse('2026-11-21T01:00Z'), timeZone: 'America/Los_Angeles' }),
      'flows from 2026-11-20T08:00Z to 2026-11-21T01:00Z',
    );
  });

  const MISTAKES: readonly (readonly [string, number, string])[] = [
    ['', 1, 'expected a question: top, series, matrix, distinct, flows, tunnels or compare, found the end'],
    [
      'tpo src',
      1,
      'expected a question: top, series, matrix, distinct, flows, tunnels or compare, found "tpo"; did you mean "top"?',
    ],
    ['top', 4, 'expected a dimension such as src, vni or segment, found the end'],
    ['top 5 srcc', 7, 'expected a dimension such as src, vni or segment, found "srcc"; did you mean "src"?'],
    ['top src,', 9, 'expected a dimension such as src, vni or segment, found the end'],
    ['top 0 src', 5, 'rows: at least 1'],
    ['top 20000 src', 5, 'rows: at most 10000 here'],
    ['series 51 src', 8, 'rows: at most 50 here'],
    ['top 1.5 src', 5, 'expected a number of rows, found "1.5"'],
    ['series src, dst, sport, dport', 8, 'dimensions: at most 3 here'],
    ['matrix src', 11, 'expected "," and a second dimension, found the end'],
    ['matrix src, dst, vni', 18, '"matrix" takes 2 of them'],
    ['distinct src, dst', 15, '"distinct" takes 1 of them'],
    ['top by octets', 5, 'expected a dimension such as src, vni or segment, found "by"'],
    [
      'series by segment',
      11,
      'expected what is summed: octets, packets, payload or flows, found "segment"; did you mean "series segment"?',
    ],
    ['top src by bits', 12, 'expected what is summed: octets, packets, payload or flows, found "bits"'],
    [
      'top src lsat 1h',
      9,
      'expected last, since, from, today, yesterday, on, live, by, points, where or the end, found "lsat"; did you mean "last"?',
    ],
    [
      'top src dst',
      9,
      'expected last, since, from, today, yesterday, on, live, by, points, where or the end, found "dst"; did you mean ", dst"?',
    ],
    [
      'top src vni 5001',
      9,
      'expected last, since, from, today, yesterday, on, live, by, points, where or the end, found "vni"; did you mean "where vni"?',
    ],
    ['flows last', 11, 'expected a length of time such as 15m, 1h30m or 7d, found the end'],
    ['flows last 5', 12, 'expected a length of time such as 15m, 1h30m or 7d, found "5"'],
    ['flows last 0s', 12, 'expected a length of time such as 15m, 1h30m or 7d, found "0s"'],
    ['flows last 1h today', 15, 'the time is said already'],
    ['flows from 10:00', 17, 'expected "to", found the end'],
    [
      'flows from 25:00 to 26:00',
      12,
      'expected a moment such as 10:00, 2026-11-21T10:00, yesterday 22:00 or 2h ago, found "25:00"',
    ],
    [
      'flows since 2026-02-30',
      13,
      'expected a moment such as 10:00, 2026-11-21T10:00, yesterday 22:00 or 2h ago, found "2026-02-30"',
    ],
    ['flows since 10:00Z', 13, 'expected a day before a time with a zone, found "10:00Z"'],
    ['flows since 5m', 15, 'expected "ago" behind "5m", found the end'],
    ['flows from 2026-11-21 to 2026-11-20', 12, 'this ends before it begins'],
    ['flows since 2026-11-22', 13, 'this is not over yet'],
    ['flows last 3000w', 12, 'this is before 1970'],
    ['top src step 5m', 9, '"step" is of "series", not of "top"'],
    ['series step 5ms', 13, 'a step: at least 1s'],
    [
      'compare src with tomorrow',
      18,
      'expected previous, yesterday, a length of time and "ago", or "from", found "tomorrow"',
    ],
    ['compare src with 1d', 20, 'expected "ago", found the end'],
    ['flows points twice', 14, 'expected how often packets count: once or every, found "twice"'],
    ['flows where', 12, 'expected a condition, found the end'],
    ['flows where scr = 10.0.0.1', 13, 'unknown field "scr"; did you mean "src"?'],
    [
      'flows where octets > 5',
      13,
      '"octets" grows with time, and what is stored is of periods of several lengths',
    ],
    ['flows where tcp last 1h', 17, 'expected "and", "or" or the end, found "last"'],
    [
      'top iface live',
      5,
      'dimensions: "iface" is of one observation point, and the live view joins them; ask the past where a history is kept, as in last 5m',
    ],
    ['series live where tcp', 13, '"where" is of the past, and this asks for what is live'],
    ['series by flows live', 11, 'quantity: a live series is of octets or packets'],
    ['series live by flows', 16, 'expected what is summed: octets or packets, found "flows"'],
    ['series src live', 8, 'dimensions: a live series is by segment or tunnel, or by nothing'],
    ['tunnels by payload', 12, 'expected what is summed: octets, packets or flows, found "payload"'],
    ['compare src live', 13, '"live" says nothing of "compare"'],
    ['top src live 1h', 14, 'expected 5s, 1m, all, by, where or the end, found "1h"; did you mean "1m"?'],
    ['top src live 1m 5s', 17, 'expected by, where or the end, found "5s"'],
    ['top src last 1m live', 17, 'the time is said already'],
    ['top src live last 1m', 14, 'the time is said already'],
    ['top src live live', 14, 'the time is said already'],
    ['top src points every live', 22, '"points" is of the past, and "live" is not'],
    ['top src live points every', 14, '"points" is of the past, and this asks for what is live'],
    ['top src live where iface = eth0', 20, '"iface" is of one observation point, and a view joins them'],
    [
      'top host',
      5,
      'flows can be chosen by "host", but not told apart by it: it is one of src, dst, sport, dport, proto, network, segment, tunnel, vni, outer.src, outer.dst, vlan, inner.vlan, ethertype, icmp.type, icmp.code, dscp, mark, cast, iface, direction, agent',
    ],
  ];
  for (const [text, column, problem] of MISTAKES)
    it(`says of "${text}" what is wrong and where`, () => {
      const { message, column: at } = failure(text);
      assert.deepEqual([at, message], [column, `column ${column}: ${problem}`]);
    });

  it('is of the past alone where nobody meters', () => {
    assert.equal(parsePastQuestion('top src', BERLIN).toMs, BERLIN.nowMs);
    assert.throws(() => parsePastQuestion('top src live 1m where tcp', BERLIN), {
      name: 'FilterError',
      column: 9,
      message: /^column 9: "live" asks a running agent/,
    });
  });

  it('points at the mistake in the whole text', () => {
    assert.equal(
      failure('top src where tcp and prot = 6').caret(),
      '  top src where tcp and prot = 6\n                        ^^^^',
    );
  });

  it('says by its clauses alone which rows are meant', () => {
    const rows = (text: string): unknown => parseSelection(text, BERLIN);
    assert.deepEqual(rows(''), { fromMs: BERLIN.nowMs - 3_600_000, toMs: BERLIN.nowMs });
    assert.deepEqual(rows('points every last 1m where tcp'), {
      fromMs: BERLIN.nowMs - 60_000,
      toMs: BERLIN.nowMs,
      points: 'every',
      filter: 'proto = tcp',
    });
    const wrong = {
      message:
        'column 1: expected last, since, from, today, yesterday, on, points, where or the end, found "vni"; did you mean "where vni"?',
    };
    assert.throws(() => rows('vni 5001'), wrong);
    assert.throws(() => rows('last 1h by packets'), { message: 'column 9: "by" says nothing here' });
    assert.throws(() => rows('live where tcp'), { message: 'column 1: "live" says nothing here' });
  });

  it('reads what it wrote', () => {
    fc.assert(
      fc.property(anyQuestion, (question) => {
        const text = printQuestion(question);
        assert.deepEqual(parseQuestion(text, BERLIN), question, text);
      }),
      { numRuns: 500 },
    );
  });

  it('takes a filter that is too long in its one form as it was written', () => {
    const written = `port in [${Array.from({ length: 390 }, (_, i) => 1000 + i).join(',')}]`;
    const question = parsePastQuestion(`flows where ${written}`, BERLIN);
    assert.equal(question.filter, written);
    assert.deepEqual(parseQuestion(printQuestion(question), BERLIN), question);
    assert.match(
      failure(`flows where ${'tcp or '.repeat(300)}tcp`).message,
      /^column 2013: a filter longer than 2000/,
    );
  });

  it('throws nothing but its own error, with a place in the text, whatever it is given', () => {
    const pieces = fc.constantFrom(
      ...[
        'top',
        'series',
        'matrix',
        'distinct',
        'flows',
        'compare',
        'src',
        'dst',
        'vni',
        ',',
        'by',
        'octets',
        '5',
      ],
      ...[
        'last',
        'since',
        'from',
        'to',
        'today',
        'yesterday',
        'on',
        'with',
        'previous',
        'ago',
        'now',
        '1h',
        '9999w',
      ],
      ...[
        '10:00',
        '24:00',
        '2026-11-21',
        '2026-11-21T10:00Z',
        '+275760-09-13',
        '+275760-09-13T00:00',
        '0000-01-01',
      ],
      ...[
        'step',
        'points',
        'live',
        '1m',
        'once',
        'where',
        'tcp',
        'and',
        '=',
        '(',
        '"',
        '\0',
        '𝄞',
        '__proto__',
        '-',
        '9007199254740991',
      ],
    );
    const soup = fc.array(pieces, { maxLength: 14 }).map((words) => words.join(' '));
    const begun = fc
      .tuple(fc.constantFrom('top src', 'series', 'compare dst', 'flows'), soup)
      .map((words) => words.join(' '));
    const texts = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), soup, begun);
    let [mistakes, read] = [0, 0];
    fc.assert(
      fc.property(texts, (text) => {
        try {
          const question = parseQuestion(text, BERLIN);
          assert.deepEqual(QuestionSchema.parse(question), question);
          read++;
        } catch (error) {
          assert.ok(error instanceof FilterError, String((error as Error).stack));
          const { from, to } = error.span;
          assert.ok(0 <= from && from <= to && to <= text.length, JSON.stringify(error.span));
          assert.equal(error.caret().split('\n').length, 2);
          mistakes++;
        }
      }),
      { numRuns: 3000 },
    );
    assert.ok(mistakes > 1000 && read > 20, `${mistakes} ${read}`);
  });
});
