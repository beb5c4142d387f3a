/** For tests: random questions, as the schema takes them. */
import fc from 'fast-check';
import { anyFilter } from '../filter/filter.fixture.ts';
import { parseHistoryFilter } from '../filter/history.ts';
import { printFilter } from '../filter/print.ts';
import { parseViewFilter } from '../filter/uniflow.ts';
import {
  DIMENSIONS,
  type Dimension,
  HistoryQuestionSchema,
  type HistoryQuestionText,
  QUANTITIES,
  TUNNEL_QUANTITIES,
} from '../history.ts';
import {
  LIVE_DIMENSIONS,
  type LiveDimension,
  LiveQuestionSchema,
  type LiveQuestionText,
  type Question,
} from '../live.ts';
import { WINDOWS } from '../view.ts';

const LAST_MS = 8.64e15;

const moments = fc.oneof(
  fc.constantFrom(0, 1, 1_795_255_200_000, 1_795_255_260_000, 253_402_300_800_000, LAST_MS),
  fc.integer({ min: 0, max: 4e12 }),
  fc.integer({ min: 0, max: LAST_MS }),
);

/** Spans of all lengths, wherever a clock can be. */
export const anySpan: fc.Arbitrary<{ fromMs: number; toMs: number }> = fc
  .tuple(moments, moments)
  .filter(([a, b]) => a !== b)
  .map(([a, b]) => ({ fromMs: Math.min(a, b), toMs: Math.max(a, b) }));

/** Filters that a language takes, in canonical form. */
function filtersOf(parse: typeof parseHistoryFilter): fc.Arbitrary<string> {
  return anyFilter.map(printFilter).filter((text) => {
    try {
      return parse(text).kind !== 'any';
    } catch {
      return false;
    }
  });
}

/** Filters that stored rows can be asked for. */
export const anyHistoryFilter: fc.Arbitrary<string> = filtersOf(parseHistoryFilter);
/** Filters that the live view can be asked for. */
export const anyLiveFilter: fc.Arbitrary<string> = filtersOf(parseViewFilter);

const dimension = fc.constantFrom(...DIMENSIONS);
const dimensions = (minLength: number, maxLength: number): fc.Arbitrary<Dimension[]> =>
  fc.uniqueArray(dimension, { minLength, maxLength });
const optional = <T>(key: string, of: fc.Arbitrary<T>): fc.Arbitrary<object> =>
  fc.option(of, { nil: undefined }).map((value) => (value === undefined ? {} : { [key]: value }));
const limit = (most: number): fc.Arbitrary<object> => optional('limit', fc.integer({ min: 1, max: most }));

const quantities = optional('quantity', fc.constantFrom(...QUANTITIES));
const tunnelQuantities = optional('quantity', fc.constantFrom(...TUNNEL_QUANTITIES));

/** What is its own of each kind of question. */
const asks: readonly fc.Arbitrary<readonly object[]>[] = [
  fc.tuple(
    fc.constant({ ask: 'top' }),
    dimensions(1, 6).map((by) => ({ by })),
    limit(10_000),
    quantities,
  ),
  fc.tuple(
    fc.constant({ ask: 'series' }),
    optional('by', dimensions(0, 3)),
    limit(50),
    optional('stepMs', fc.integer({ min: 1000, max: 1e9 })),
    quantities,
  ),
  fc.tuple(fc.constant({ ask: 'matrix' }), optional('by', dimensions(2, 2)), limit(10_000), quantities),
  fc.tuple(
    fc.constant({ ask: 'distinct' }),
    dimension.map((of) => ({ of })),
    limit(10_000),
    quantities,
  ),
  fc.tuple(fc.constant({ ask: 'flows' }), limit(10_000), quantities),
  fc.tuple(fc.constant({ ask: 'tunnels' }), limit(10_000), tunnelQuantities),
  fc.tuple(
    fc.constant({ ask: 'compare' }),
    dimensions(1, 6).map((by) => ({ by })),
    limit(10_000),
    anySpan.map((before) => ({ before })),
    quantities,
  ),
];

const anyPastQuestion: fc.Arbitrary<Question> = fc
  .tuple(
    fc.oneof(...asks),
    anySpan,
    optional('points', fc.constantFrom('once', 'every')),
    optional('filter', anyHistoryFilter),
  )
  .map(([own, ...parts]) =>
    HistoryQuestionSchema.parse(Object.assign({}, ...own, ...parts) as HistoryQuestionText),
  );

const liveDimensions = (minLength: number, maxLength: number): fc.Arbitrary<LiveDimension[]> =>
  fc.uniqueArray(fc.constantFrom(...LIVE_DIMENSIONS), { minLength, maxLength });
const filters = optional('filter', anyLiveFilter);

/** What is its own of each kind of question about now. */
const liveAsks: readonly fc.Arbitrary<readonly object[]>[] = [
  fc.tuple(
    fc.constant({ ask: 'top' }),
    liveDimensions(1, 6).map((by) => ({ by })),
    limit(10_000),
    quantities,
    filters,
  ),
  fc.tuple(
    fc.constant({ ask: 'matrix' }),
    optional('by', liveDimensions(2, 2)),
    limit(10_000),
    quantities,
    filters,
  ),
  fc.tuple(
    fc.constantFrom(...LIVE_DIMENSIONS).map((of) => ({ ask: 'distinct', of })),
    limit(10_000),
    quantities,
    filters,
  ),
  fc.tuple(fc.constant({ ask: 'flows' }), limit(10_000), quantities, filters),
  fc.tuple(fc.constant({ ask: 'tunnels' }), limit(10_000), tunnelQuantities, filters),
  fc.tuple(
    fc.constantFrom({}, { by: ['segment'] }, { by: ['tunnel'] }),
    fc.constant({ ask: 'series' }),
    limit(50),
    optional('quantity', fc.constantFrom('octets', 'packets')),
  ),
];

const anyLiveQuestion: fc.Arbitrary<Question> = fc
  .tuple(fc.oneof(...liveAsks), fc.constantFrom(...WINDOWS))
  .map(([own, window]) =>
    LiveQuestionSchema.parse(Object.assign({}, ...own, { window }) as LiveQuestionText),
  );

/** Questions of both kinds with their defaults filled in. */
export const anyQuestion: fc.Arbitrary<Question> = fc.oneof(anyPastQuestion, anyLiveQuestion);
