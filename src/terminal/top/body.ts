/** What stands between header and footer: a list, one row in all detail, help, or a few words. */
import { type NamesQuestion, SegmentIdSchema } from '../../query/index.ts';
import type { Answers } from './answers.ts';
import { isLeft, type Showing, writeCell, writeFact } from './cells.ts';
import { type PlacedColumn, placeColumns } from './columns.ts';
import { HELP } from './help.ts';
import { isAddress } from './list-hosts.ts';
import { type ListColumn, type Listing, type ListRow, orderOf } from './listing.ts';
import { addressesIn, type Naming, NO_NAMES } from './names.ts';
import type { Sight, Target } from './reduce.ts';
import type { Grid } from './screen.ts';
import { levelOf, type TopState } from './state.ts';
import { BOLD, onGround, segmentStyle, styleOf } from './style.ts';
import { bucketMsOf, trendText } from './trend.ts';
import { cut, widthOf } from './width.ts';

/** Rows of the screen from `top` to just before `bottom`. */
export interface Body {
  readonly top: number;
  readonly bottom: number;
}

/** What was written. */
export interface Written
  extends Pick<Sight, 'rows' | 'index' | 'first' | 'page' | 'rest' | 'columns' | 'targets' | 'named'> {
  /** What of it is in sight, in words. */
  readonly range: string;
}

/** What a list is drawn from. */
export interface Drawn {
  readonly state: TopState;
  readonly answers: Answers;
  readonly isFaded: boolean;
  readonly listing: Listing;
}

const QUIET = styleOf('quiet');
const LINE = styleOf('line');
/** Nothing in sight may have a name. */
export const NO_NAMES_WANTED: NamesQuestion = { addresses: [], segments: [] };
const NOTHING: Written = {
  rows: [],
  index: -1,
  first: 0,
  page: 1,
  rest: 0,
  columns: [],
  targets: [],
  named: NO_NAMES_WANTED,
  range: '',
};

/** Writes a list: a heading and the rows in sight. */
export function writeList(
  grid: Grid,
  body: Body,
  { rows, ...drawn }: Drawn & { readonly rows: readonly ListRow[] },
): Written {
  const { listing, state, answers } = drawn;
  const naming = namingOf(drawn);
  const columns = placeColumns(listing, { from: 1, width: grid.columns - 2, naming });
  const heads = writeHeads(grid, body.top, columns, drawn);
  const hasNote = listing.note !== '';
  const page = body.bottom - body.top - 1 - (hasNote ? 1 : 0);
  if (hasNote)
    grid.write({ row: body.bottom - 1, column: 1 }, cut(listing.note, grid.columns - 2), { style: QUIET });
  const sortable = columns.filter(({ kind }) => kind !== 'trend').map(({ id }) => id);
  if (rows.length === 0) {
    writeWords(grid, { top: body.top + 1, bottom: body.bottom }, emptyWords(drawn));
    return { ...NOTHING, page, columns: sortable, targets: heads };
  }
  const { index, first } = placeIn(rows, levelOf(state), page);
  const targets: Target[] = [...heads];
  const { view, trends } = answers;
  for (let line = 0; line < page && first + line < rows.length; line++) {
    const row = rows[first + line]!;
    const at = body.top + 1 + line;
    const showing: Showing = {
      units: state.units,
      seconds: view?.windowSeconds ?? 0,
      bar: typeof row.cells.segment === 'string' ? segmentStyle(row.cells.segment) : styleOf('plain'),
      isFaded: drawn.isFaded,
      naming,
    };
    for (const { id, kind, from, width } of columns) {
      const value =
        kind === 'trend'
          ? trendText(trends.values(`${listing.list} ${row.key}`, view?.atMs ?? 0, width))
          : (row.cells[id] ?? null);
      if (kind === 'trend') grid.write({ row: at, column: from }, String(value), { style: QUIET });
      else writeCell(grid, { row: at, column: from }, value, { kind, width, showing });
    }
    if (first + line === index) {
      grid.write({ row: at, column: 0 }, '›', { style: styleOf('accent', BOLD) });
      grid.restyle(at, [0, grid.columns], (style) => onGround(style, 'chosen'));
    }
    targets.push({ row: at, from: 0, to: grid.columns, does: { kind: 'row', index: first + line } });
  }
  const last = Math.min(rows.length, first + page);
  const noun = rows.length === 1 ? listing.noun.replace(/s$/, '') : listing.noun;
  const count = `${rows.length}${listing.isCut ? '+' : ''} ${noun}`;
  return {
    rows,
    index,
    first,
    page,
    rest: 0,
    columns: sortable,
    targets,
    named: wantedNames(listing.columns, rows.slice(first, last)),
    range: rows.length > page ? `${first + 1}–${last} of ${count}` : count,
  };
}

function namingOf({ state, answers }: Pick<Drawn, 'state' | 'answers'>): Naming {
  return state.isNamed ? answers.naming : NO_NAMES;
}

/** What of these rows may have names. */
function wantedNames(columns: readonly ListColumn[], rows: readonly ListRow[]): NamesQuestion {
  const textsOf = (wanted: ListColumn['kind']): string[] =>
    columns.flatMap(({ id, kind }) =>
      kind === wanted ? rows.flatMap(({ cells }) => (cells[id] ? [String(cells[id])] : [])) : [],
    );
  return {
    addresses: textsOf('address').flatMap(addressesIn).filter(isAddress),
    segments: textsOf('segment').filter((id) => SegmentIdSchema.safeParse(id).success),
  };
}

/** Where the chosen row is, and which is the first in sight: as little as possible moves. */
function placeIn(
  rows: readonly ListRow[],
  {
    chosen,
    index: former,
    first: wanted,
  }: { readonly chosen: string | undefined; readonly index: number; readonly first: number },
  page: number,
): { readonly index: number; readonly first: number } {
  const found = chosen === undefined ? 0 : rows.findIndex(({ key }) => key === chosen);
  const index = found >= 0 ? found : Math.min(former, rows.length - 1);
  const most = Math.max(0, rows.length - page);
  const first = Math.max(0, Math.min(most, wanted, index), index - page + 1);
  return { index, first };
}

const ARROWS = { falling: '▾', rising: '▴' } as const;

function writeHeads(
  grid: Grid,
  row: number,
  columns: readonly PlacedColumn[],
  { listing, state, isFaded }: Drawn,
): Target[] {
  const order = orderOf(listing, state.sorts[listing.list]);
  return columns.flatMap(({ id, title, kind, from, width }) => {
    const isOrdered = order?.id === id;
    const word = title === 'RATE' && state.units === 'amount' ? 'OCTETS' : title;
    const text = cut(
      isOrdered ? `${word} ${order.isFalling ? ARROWS.falling : ARROWS.rising}` : word,
      Math.max(width, 1),
    );
    const column = isLeft(kind) ? from : Math.max(0, from + width - widthOf(text));
    const style = isFaded ? LINE : isOrdered ? styleOf('ink', BOLD) : QUIET;
    grid.write({ row, column }, text, { style, limit: from + width });
    if (kind === 'trend') return [];
    return [{ row, from: Math.min(column, from), to: from + width, does: { kind: 'sort', column: id } }];
  });
}

/** What it means that there is nothing, and what makes something. */
function emptyWords({ state, answers, listing }: Drawn): readonly string[] {
  const { view } = answers;
  if (view && view.epoch === 0) return ['Waiting for the first epoch …'];
  const when =
    listing.list === 'connections'
      ? 'lately'
      : { '5s': 'in the last 5 s', '1m': 'in the last minute', all: 'since the start' }[state.window];
  if (state.filter !== '' && listing.list !== 'ledger')
    return [
      `No ${listing.noun} ${when} that fit the filter ${state.filter}.`,
      'Esc drops it, / changes it, w looks at a longer time.',
    ];
  switch (listing.list) {
    case 'connections':
      return [
        'No connection is open, or had packets lately.',
        'A command that opens one: curl http://example.org/',
      ];
    case 'ledger':
      return ['No interface is metered.', 'tunnelscope doctor says what there is; -i names one.'];
    case 'tunnels':
      return view && view.total.octets > 0
        ? [`No tunnelled packet ${when}; what is outside of tunnels is in tabs 2 and 4.`]
        : [`No traffic ${when}.`, 'A command that makes some: ping -c 3 ADDRESS, or tunnelscope lab traffic'];
    default:
      return [
        `No traffic ${when}.`,
        'A command that makes some: ping -c 3 ADDRESS, or tunnelscope lab traffic',
      ];
  }
}

/** Writes a few words where a list would be. */
export function writeWords(grid: Grid, { top, bottom }: Body, words: readonly string[]): Written {
  const lines = words.flatMap((each) => wrapped(each, grid.columns - 6));
  const from = top + Math.max(1, Math.min(3, Math.floor((bottom - top - lines.length) / 3)));
  for (const [i, line] of lines.entries())
    if (from + i < bottom)
      grid.write({ row: from + i, column: 3 }, line, { style: i === 0 ? styleOf('ink') : QUIET });
  return NOTHING;
}

/** Writes all that is known of one row. */
export function writeFacts(
  grid: Grid,
  { top, bottom }: Body,
  { listing, key, state, answers, isFaded }: Drawn & { readonly key: string },
): Written {
  const row = listing.rows.find((each) => each.key === key);
  if (!row)
    return writeWords(grid, { top, bottom }, [
      'It had no packets in this window, or is not among the largest any more.',
      'w looks at a longer time, Esc goes back.',
    ]);
  const { view, trends } = answers;
  const hasTrend = listing.columns.some(({ kind }) => kind === 'trend');
  const naming = namingOf({ state, answers });
  const facts = row.facts();
  const label = Math.min(
    Math.floor(grid.columns / 2) - 2,
    facts.reduce((most, [name]) => Math.max(most, widthOf(name)), 5),
  );
  const from = 3 + label + 2;
  const page = bottom - top - (hasTrend ? 2 : 0);
  if (hasTrend && view) {
    const width = Math.max(1, Math.min(60, grid.columns - from - 2));
    const values = trends.values(`${listing.list} ${key}`, view.atMs, width);
    const minutes = (width * bucketMsOf(view.intervalSeconds)) / 60_000;
    grid.write({ row: top, column: 3 }, 'trend'.padStart(label), { style: QUIET });
    grid.write({ row: top, column: from }, trendText(values), { style: styleOf('accent') });
    const words = `of the last ${minutes < 1.5 ? `${Math.round(60 * minutes)} s` : `${minutes.toFixed(0)} min`}`;
    grid.write({ row: top, column: from + width + 2 }, words, { style: LINE });
  }
  const rest = Math.max(0, facts.length - page);
  const first = Math.min(levelOf(state).first, rest);
  for (const [i, [name, kind, value]] of facts.slice(first, first + page).entries()) {
    const at = bottom - page + i;
    grid.write({ row: at, column: 3 }, cut(name, label).padStart(label), { style: QUIET });
    const showing: Showing = {
      units: state.units,
      seconds: view?.windowSeconds ?? 0,
      bar: QUIET,
      isFaded,
      naming,
    };
    writeFact(grid, { row: at, column: from }, value, { kind, width: grid.columns - from - 1, showing });
  }
  const last = Math.min(facts.length, first + page);
  return {
    ...NOTHING,
    first,
    page,
    rest,
    named: wantedNames(listing.columns, [row]),
    range: rest > 0 ? `${first + 1}–${last} of ${facts.length} facts` : '',
  };
}

/** Writes the help from a line on. */
export function writeHelp(grid: Grid, { top, bottom }: Body, first: number): Written {
  const key = Math.min(30, Math.floor(grid.columns / 3));
  const lines = HELP.flatMap(([name, meaning]): readonly (readonly [string, string])[] => {
    if (name === '')
      return [
        ['', ''],
        [meaning, ''],
      ];
    return wrapped(meaning, grid.columns - key - 6).map((line, i) => [i === 0 ? name : '', line]);
  }).slice(1);
  const page = bottom - top;
  const rest = Math.max(0, lines.length - page);
  const from = Math.min(first, rest);
  for (const [i, [name, meaning]] of lines.slice(from, from + page).entries()) {
    const row = top + i;
    grid.write({ row, column: 2 }, cut(name, key), { style: styleOf('ink', meaning === '' ? BOLD : 0) });
    grid.write({ row, column: 2 + key + 2 }, meaning, { style: QUIET });
  }
  return { ...NOTHING, page, rest };
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && widthOf(last) + 1 + widthOf(word) <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(cut(word, Math.max(1, width)));
  }
  return lines;
}
