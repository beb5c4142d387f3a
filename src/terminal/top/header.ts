/** The lines above a list: where and how it meters, how fast it is, the tabs, the way to where the user is. */
import { bitRateQuantity, formatQuantity, packetRateQuantity } from '../../flow/index.ts';
import { finePercent, trust, type View } from '../../query/index.ts';
import { formatUptime } from '../instance.ts';
import { type Answers, isStale } from './answers.ts';
import { clockText, octetFigure } from './figures.ts';
import type { Target } from './reduce.ts';
import type { Grid } from './screen.ts';
import { listOf, type Place, TABS, type Tab, type TopState } from './state.ts';
import { BOLD, REVERSE, type Style, styleOf, UNDERLINE } from './style.ts';
import { bucketed, bucketMsOf, trendText } from './trend.ts';
import { cut, widthOf } from './width.ts';

/** Lines that {@link writeHeader} takes. */
export const HEADER_ROWS = 4;

const TAB_WORDS: Readonly<Record<Tab, string>> = {
  tunnels: 'Tunnels',
  flows: 'Flows',
  connections: 'Connections',
  hosts: 'Hosts',
  ledger: 'Ledger',
};
const TRUST_SIGNS = { exact: '●', coarse: '◐', wrong: '▲' } as const;
const TRUST_STYLES = { exact: styleOf('good'), coarse: styleOf('warn'), wrong: styleOf('alarm', BOLD) };
const QUIET = styleOf('quiet');
const INK = styleOf('ink');

/** A text in its style. */
type Piece = readonly [text: string, style: Style];

/** Writes the header. @param range which rows are in sight, in words @returns what does something when pressed */
export function writeHeader(
  grid: Grid,
  {
    state,
    answers,
    nowMs,
    range,
  }: {
    readonly state: TopState;
    readonly answers: Answers;
    readonly nowMs: number;
    readonly range: string;
  },
): Target[] {
  const end = grid.columns - 1;
  const right = [...trustOf(answers), ...livenessOf(state, answers, nowMs)];
  const from = writeRight(grid, 0, right, end);
  writePieces(grid, 0, placeOf(answers), { from: 1, to: from - 2 });
  if (answers.view) writeRates(grid, answers.view, { from: 1, to: end });
  const tabs = writeTabs(grid, 2, state);
  writeRight(grid, 2, [[windowWords(state, answers), QUIET]], end, tabs.to + 1);
  if (state.field) return tabs.targets;
  const before = writeRight(grid, 3, [[range, QUIET]], end, 1);
  const crumbs = writePath(grid, 3, state, { to: before - 2, answers });
  return [...tabs.targets, ...crumbs];
}

function placeOf({ status, source }: Answers): Piece[] {
  const names = status?.interfaces.map(({ name }) => name) ?? [];
  const where = status === undefined ? source : status.hostname;
  const at = [
    ...(status?.namespace ? [`in ${status.namespace}`] : []),
    ...(status ? [names.length > 0 ? names.join(', ') : 'no interface'] : []),
  ];
  return [
    ['tunnelscope', styleOf('ink', BOLD)],
    [`  ${where}`, INK],
    [at.map((each) => ` · ${each}`).join(''), QUIET],
  ];
}

function trustOf({ view }: Answers): Piece[] {
  if (!view || view.epoch === 0) return [];
  const { state, words } = trust(view.exactness);
  return [
    [`${TRUST_SIGNS[state]} `, TRUST_STYLES[state]],
    [words, state === 'exact' ? INK : TRUST_STYLES[state]],
    ['  ', INK],
  ];
}

/** Whether what is shown is of now; only what is not is coloured. */
function livenessOf({ frozenMs }: TopState, answers: Answers, nowMs: number): Piece[] {
  const { lost, view, receivedMs } = answers;
  if (frozenMs !== undefined) {
    const words = `frozen since ${clockText(frozenMs)}, ${formatUptime(nowMs - frozenMs)}`;
    return [[` ${words} `, styleOf('warn', REVERSE)]];
  }
  if (lost) return [[` no answer for ${formatUptime(nowMs - lost.sinceMs)} `, styleOf('alarm', REVERSE)]];
  if (!view) return [['no epoch yet', QUIET]];
  if (isStale(answers, nowMs))
    return [[` stale for ${formatUptime(nowMs - receivedMs)} `, styleOf('warn', REVERSE)]];
  return [[view.epoch === 0 ? 'no epoch yet' : view.isRecorded ? 'recorded' : 'live', QUIET]];
}

/** How fast all of it is, whatever the list below shows, and how it went in the last minutes. */
function writeRates(
  grid: Grid,
  view: View,
  { from, to }: { readonly from: number; readonly to: number },
): void {
  const rate = (isTunnelled: boolean): string => {
    const octets = view.segments
      .filter(({ id }) => (id !== 'none') === isTunnelled)
      .reduce((sum, { octetRate }) => sum + octetRate, 0);
    return formatQuantity(bitRateQuantity(octets)).padStart(11);
  };
  const packets = view.segments.reduce((sum, { packetRate }) => sum + packetRate, 0);
  const pieces: Piece[] = [
    ['in tunnels', QUIET],
    [` ${rate(true)}`, INK],
    ['   outside', QUIET],
    [` ${rate(false)}`, INK],
    ...(to - from > 58
      ? [[`  ${formatQuantity(packetRateQuantity(packets)).padStart(12)}`, INK] as const]
      : []),
  ];
  const at = writePieces(grid, 1, pieces, { from, to }) + 3;
  const room = Math.min(60, to - at);
  if (room < 5) return;
  const moments = view.history.map(({ atMs, octetRate }) => ({ atMs, value: octetRate }));
  const values = bucketed(moments, room, bucketMsOf(view.intervalSeconds));
  grid.write({ row: 1, column: to - room }, trendText(values), { style: styleOf('accent') });
}

/** `last 5 s`, `since the start, 3 min`: what the figures really cover. Ledger and connections have times of their own. */
function windowWords(state: TopState, { view }: Answers): string {
  const { window } = state;
  const list = listOf(state);
  if (list === 'ledger' || list === 'connections') return '';
  const seconds = view && view.epoch > 0 ? view.windowSeconds : undefined;
  const whole = Math.round(seconds ?? (window === '1m' ? 60 : 5));
  const span = whole === 60 ? '1 min' : formatUptime(1000 * whole);
  return window === 'all' ? `since the start, ${span}` : `last ${span}`;
}

function writeTabs(grid: Grid, row: number, { tab }: TopState): { targets: Target[]; to: number } {
  const isWide = grid.columns >= 72;
  let column = 0;
  const targets: Target[] = [];
  for (const [i, each] of TABS.entries()) {
    const isHere = each === tab;
    const from = column;
    column = grid.write({ row, column }, ` ${i + 1}`, { style: isHere ? styleOf('accent', BOLD) : QUIET });
    if (isWide || isHere)
      column = grid.write({ row, column: column + 1 }, TAB_WORDS[each], {
        style: isHere ? styleOf('accent', BOLD | UNDERLINE) : INK,
      });
    targets.push({ row, from, to: column + 1, does: { kind: 'tab', tab: each } });
    column++;
  }
  return { targets, to: column };
}

function wordsOf(at: Place, tab: Tab): string {
  switch (at.kind) {
    case 'all':
      return tab === 'ledger' ? 'Ledger since the start' : `All ${tab}`;
    case 'host':
      return `clients of ${at.host}`;
    default:
      return at.words;
  }
}

/** `All hosts › clients of 172.16.1.100 › flows of 10.0.0.1  where tcp`; what is left goes from the beginning. */
function writePath(
  grid: Grid,
  row: number,
  state: TopState,
  { to, answers }: { readonly to: number; readonly answers: Answers },
): Target[] {
  const levels = state.levels[state.tab];
  const words = levels.map(({ at }) => wordsOf(at, state.tab));
  const filter = filterPieces(state, answers);
  const filterWidth = filter.reduce((sum, [text]) => sum + widthOf(text), 0);
  const least = Math.min(filterWidth, Math.floor(to / 2));
  let hidden = 0;
  const shownWidth = (): number =>
    words.slice(hidden).reduce((sum, each) => sum + widthOf(each) + 3, hidden > 0 ? 1 : -3);
  while (hidden < words.length - 1 && 1 + shownWidth() + least > to) hidden++;
  let column = 1;
  const targets: Target[] = [];
  if (hidden > 0) column = grid.write({ row, column }, '… › ', { style: QUIET, limit: to });
  for (const [i, each] of words.entries()) {
    if (i < hidden) continue;
    const from = column;
    const isLast = i === words.length - 1;
    const room = to - column - (isLast ? least : 0);
    column = grid.write({ row, column }, cut(each, room), { style: isLast ? INK : QUIET, limit: to });
    if (!isLast) {
      targets.push({ row, from, to: column, does: { kind: 'up', depth: i } });
      column = grid.write({ row, column }, ' › ', { style: QUIET, limit: to });
    }
  }
  writePieces(grid, row, filter, { from: column, to });
  return targets;
}

function filterPieces({ filter, ...state }: TopState, { view }: Answers): Piece[] {
  if (filter === '' || listOf({ filter, ...state }) === 'ledger') return [];
  const filtered = view?.filter;
  const leftOut =
    filtered && view.question.filter === filter && listOf({ filter, ...state }) !== 'connections'
      ? `, ${finePercent(filtered.leftOut.octets, filtered.leftOut.octets + view.total.octets)} left out`
      : '';
  return [
    ['  where ', QUIET],
    [filter, styleOf('accent')],
    [leftOut, QUIET],
  ];
}

function writePieces(
  grid: Grid,
  row: number,
  pieces: readonly Piece[],
  { from, to }: { readonly from: number; readonly to: number },
): number {
  let column = from;
  for (const [text, style] of pieces) {
    if (column >= to) break;
    column = grid.write({ row, column }, cut(text, to - column), { style, limit: to });
  }
  return column;
}

/** @param least nothing stands before it @returns where they begin */
function writeRight(grid: Grid, row: number, pieces: readonly Piece[], end: number, least = 1): number {
  const width = pieces.reduce((sum, [text]) => sum + widthOf(text), 0);
  const from = Math.max(least, end - width);
  writePieces(grid, row, pieces, { from, to: end });
  return from;
}

/** The total of what is listed, for a line below it. */
export function totalWords(view: View, state: TopState): string {
  const { number, unit } = octetFigure(view.total.octets, state.units, view.windowSeconds);
  return `${number.trim()} ${unit.trim()}`;
}
