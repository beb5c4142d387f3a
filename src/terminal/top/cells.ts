/** Writes a value into its place on the screen. */
import { segmentName } from '../../query/index.ts';
import {
  barText,
  clockText,
  countText,
  durationText,
  exactText,
  type Figure,
  latencyFigure,
  octetFigure,
  packetFigure,
  partText,
  sizeFigure,
} from './figures.ts';
import type { Cell, CellKind } from './listing.ts';
import { type Naming, namedText, textAndNames } from './names.ts';
import type { Grid, Spot } from './screen.ts';
import type { Units } from './state.ts';
import { BOLD, type Style, segmentStyle, styleOf } from './style.ts';
import { cut, widthOf } from './width.ts';

/** How values are shown. */
export interface Showing {
  readonly units: Units;
  /** What the window covers, seconds. */
  readonly seconds: number;
  /** Colour of bars: that of the row's segment. */
  readonly bar: Style;
  /** Nothing has a meaning by its colour: the figures are old. */
  readonly isFaded: boolean;
  /** By whom addresses and segments are called. */
  readonly naming: Naming;
}

const LEFT: ReadonlySet<CellKind> = new Set(['text', 'address', 'segment', 'trend']);
/** What stands where nothing is known. */
const NOTHING = '–';
/** A percentage behind a bar. */
const SHARE_WIDTH = 6;

/** Whether values of a kind begin at the left. */
export function isLeft(kind: CellKind): boolean {
  return LEFT.has(kind);
}

/** Writes a cell into `width` characters. */
export function writeCell(
  grid: Grid,
  spot: Spot,
  value: Cell,
  { kind, width, showing }: { readonly kind: CellKind; readonly width: number; readonly showing: Showing },
): void {
  const pieces = piecesOf(value, kind, { width, showing });
  const length = pieces.reduce((sum, [text]) => sum + widthOf(text), 0);
  let column = spot.column + (isLeft(kind) ? 0 : Math.max(0, width - length));
  for (const [text, style] of pieces)
    column = grid.write({ row: spot.row, column }, text, {
      style: showing.isFaded ? styleOf('quiet') : style,
      limit: spot.column + width,
    });
}

/** Writes a value from the left, as texts begin; at most `width` characters. */
export function writeFact(
  grid: Grid,
  spot: Spot,
  value: Cell,
  { kind, width, showing }: { readonly kind: CellKind; readonly width: number; readonly showing: Showing },
): void {
  let { column } = spot;
  const told = kind === 'address' && typeof value === 'string' ? textAndNames(value, showing.naming) : value;
  const as = kind === 'address' ? 'text' : kind;
  for (const [i, [text, style]] of piecesOf(told, as, { width, showing }).entries())
    column = grid.write({ row: spot.row, column }, i === 0 ? text.trimStart() : text.replace(/^ +/, ' '), {
      style: showing.isFaded ? QUIET : style,
      limit: spot.column + width,
    });
}

type Piece = readonly [text: string, style: Style];

const INK = styleOf('ink');
const QUIET = styleOf('quiet');
const LINE = styleOf('line');

function piecesOf(
  value: Cell,
  kind: CellKind,
  { width, showing }: { readonly width: number; readonly showing: Showing },
): Piece[] {
  if (value === null || value === '') return [[NOTHING, LINE]];
  if (typeof value === 'string')
    return kind === 'segment'
      ? [
          ['■', segmentStyle(value)],
          [' ', INK],
          [cut(segmentWords(value, showing.naming), width - 2), INK],
        ]
      : [[cut(kind === 'address' ? namedText(value, showing.naming) : value, width), INK]];
  if (kind === 'room') return roomPieces(value);
  if (kind === 'share') return sharePieces(value, width, showing.bar);
  const found = figureOf(value, kind, showing);
  if (typeof found === 'string') return [[cut(found, width), value === 0 ? LINE : INK]];
  return [
    [found.number, value === 0 ? LINE : INK],
    [found.unit, value === 0 ? LINE : QUIET],
  ];
}

function figureOf(value: number, kind: CellKind, { units, seconds }: Showing): Figure | string {
  switch (kind) {
    case 'octets':
      return octetFigure(value, units, seconds);
    case 'packets':
      return packetFigure(value, units, seconds);
    case 'size':
      return sizeFigure(value);
    case 'count':
      return countText(value);
    case 'bits':
      return { number: value.toFixed(1), unit: ' bit' };
    case 'part':
      return partText(value);
    case 'latency':
      return latencyFigure(value);
    case 'duration':
      return durationText(value);
    case 'moment':
      return clockText(value);
    case 'exact':
      return exactText(value);
    default:
      return String(value);
  }
}

function segmentWords(id: string, naming: Naming): string {
  return naming.segment(id)?.name ?? (id === 'none' ? 'plain' : segmentName(id));
}

/** What does not fit has a sign: the colour alone would not say it. */
function roomPieces(octets: number): Piece[] {
  return octets < 0
    ? [
        [`▲ −${exactText(-octets)}`, styleOf('warn', BOLD)],
        [' B', QUIET],
      ]
    : [
        [exactText(octets), INK],
        [' B', QUIET],
      ];
}

/** A bar from the left and the percentage at the right. */
function sharePieces(share: number, width: number, style: Style): Piece[] {
  const percent = 100 * share;
  const text =
    percent > 0 && percent < 1 ? '< 1 %' : `${percent >= 9.95 ? Math.round(percent) : percent.toFixed(1)} %`;
  const length = Math.max(0, width - SHARE_WIDTH);
  const bar = length > 0 ? barText(share, length) : '';
  return [
    [bar.padEnd(length), style],
    [text.padStart(SHARE_WIDTH), share === 0 ? LINE : INK],
  ];
}
