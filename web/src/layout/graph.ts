/**
 * Where the cards of a virtual network stand, and how its links run. It follows from what there is and from the room alone:
 * traffic moves nothing, and the same network gives the same picture.
 *
 * Hosts that are linked stand on an ellipse, in order; multicast groups in its middle, or a single one that is described,
 * among others that are not.
 * Where that is too narrow they stand in two columns. The rest stands on a shelf below.
 */
import { around, type Box, isInside, type Size, touchesAny } from './box.ts';
import type { Point } from './curve.ts';
import { type LinkShape, type PlacedLink, placeLinks } from './links.ts';

/** What of a card its place follows from. */
export interface CardShape {
  readonly id: string;
  readonly kind: 'host' | 'peer' | 'group';
  readonly lines: readonly { readonly kind: string }[];
}

/** How much the cards say. */
export type Detail = 'lines' | 'marks' | 'plates';

/** Everything in its place. */
export interface GraphLayout {
  readonly width: number;
  readonly height: number;
  /**
   * `lines`: cards list their segments in words; `marks`: as marks only, for there are many; `plates`: there are no links, and the
   * cards are large.
   */
  readonly detail: Detail;
  readonly cards: ReadonlyMap<string, Box>;
  readonly links: readonly PlacedLink[];
}

/** Lines of a card in words before the rest is only counted. */
export const MOST_LINES = 12;
/** Marks in a row of a card. */
export const MARKS_A_ROW = 8;

const GAP = 16;
const EDGE = 6;
/** `wide`: of lines that have something at both ends and a rate between. */
const CARD_WIDTH = { lines: 176, marks: 124, wide: 236 } as const;
/** A ring is not squeezed more than this by what stands below it. */
const RING_LEAST = { two: 160, more: 340 } as const;
const HEAD_HEIGHT = 48;
const LINE_HEIGHT = 19;
const MARK_HEIGHT = 15;
/** Of a card that has the picture for itself. */
const PLATE = { width: 520, line: 36 } as const;
/** Links run towards the middle where there are many, so that they do not hide behind cards; in columns more so. */
const BEND = { ellipse: 0.35, columns: 1.5 } as const;

/** Lays a network out. Where the room is too low for all the picture is higher, and is scrolled. */
export function layoutGraph(
  { cards, links }: { readonly cards: readonly CardShape[]; readonly links: readonly LinkShape[] },
  room: Size,
): GraphLayout {
  const linked = new Set(links.flatMap(({ a, b }) => [a, b]));
  const ring = cards.filter(({ id }) => linked.has(id));
  const shelf = cards.filter(({ id }) => !linked.has(id));
  const plates = ring.length === 0 ? placePlates(shelf, room) : undefined;
  if (plates) return { ...wholeOf(plates, room), detail: 'plates', cards: plates, links: [] };
  let isRound = true;
  const plan = (detail: Detail, most: number): Map<string, Box> | undefined => {
    const placed = new Map<string, Box>();
    const low = placeShelf(shelf, detail, { width: room.width, placed });
    const below = low + (shelf.length > 0 && ring.length > 0 ? GAP : 0);
    if (ring.length === 0) return low <= most || detail === 'marks' ? placed : undefined;
    const ellipse = placeRing(ring, detail, {
      width: room.width,
      least: Math.max(room.height - below, RING_LEAST[ring.length > 2 ? 'more' : 'two']),
      most: most - below,
    });
    if (!ellipse && detail === 'lines') return undefined;
    isRound = ellipse !== undefined;
    const found = ellipse ?? boxesInColumns(ring, detail, room.width);
    const bottom = Math.max(
      room.height - below,
      ...[...found.values()].map((box) => box.y + box.height + EDGE),
    );
    for (const [id, box] of placed) placed.set(id, { ...box, y: box.y + bottom + GAP });
    for (const [id, box] of found) placed.set(id, box);
    return placed;
  };
  const inWords = plan('lines', room.height);
  const boxes = inWords ?? plan('marks', 1.5 * Math.max(room.height, room.width))!;
  const whole = wholeOf(boxes, room);
  // What all are linked with in the middle alone needs no bend.
  const isStraight = hubOf(ring)?.kind === 'host' || ring.length < 5;
  const bend = isRound ? (isStraight ? 0 : BEND.ellipse) : BEND.columns;
  return {
    ...whole,
    detail: inWords ? 'lines' : 'marks',
    cards: boxes,
    links: placeLinks(links, boxes, { room: whole, bend }),
  };
}

function sizeOf({ kind, lines }: CardShape, detail: Detail): Size {
  if (kind !== 'host') return { width: CARD_WIDTH.marks, height: HEAD_HEIGHT };
  const isMarks = detail === 'marks' && lines.every((line) => line.kind === 'segment');
  const rows = isMarks
    ? Math.ceil(lines.length / MARKS_A_ROW) * MARK_HEIGHT
    : Math.min(lines.length, MOST_LINES) * LINE_HEIGHT + (lines.length > MOST_LINES ? LINE_HEIGHT : 0);
  const isWide = lines.some((line) => line.kind !== 'segment');
  const width = CARD_WIDTH[isMarks ? 'marks' : isWide ? 'wide' : 'lines'];
  return { width, height: HEAD_HEIGHT + (rows > 0 ? rows + 6 : 0) };
}

/** The room, or more of it where the cards need that. */
function wholeOf(boxes: ReadonlyMap<string, Box>, room: Size): Size {
  const bottoms = [...boxes.values()].map((box) => box.y + box.height + EDGE);
  return { width: room.width, height: Math.max(room.height, ...bottoms) };
}

/** The groups that all send to; else the one that is described, where the others are only known by their addresses. */
function hubOf(ring: readonly CardShape[]): CardShape | undefined {
  const groups = ring.find(({ kind }) => kind === 'group');
  if (groups && ring.length > 2) return groups;
  const hosts = ring.filter(({ kind }) => kind === 'host');
  return hosts.length === 1 && ring.length > 2 ? hosts[0] : undefined;
}

/** One below the other, in the middle; undefined where there is no room for that. */
function placePlates(cards: readonly CardShape[], room: Size): Map<string, Box> | undefined {
  const width = Math.min(PLATE.width, room.width - 2 * EDGE);
  const heights = cards.map(({ lines }) => {
    const shown = Math.min(lines.length, MOST_LINES) + (lines.length > MOST_LINES ? 1 : 0);
    return HEAD_HEIGHT + shown * PLATE.line + (shown > 0 ? 6 : 0);
  });
  const whole = heights.reduce((sum, height) => sum + height, 0) + GAP * (cards.length - 1) + 2 * EDGE;
  // Where only one stands beside another anyway, lower cards save no room worth having.
  if (whole > room.height && room.width >= 2 * CARD_WIDTH.wide) return undefined;
  const x = Math.round((room.width - width) / 2);
  let y = Math.max(0, Math.round((room.height - whole) / 2)) + EDGE;
  return new Map(
    cards.map(({ id }, i) => {
      const box = { x, y, width, height: heights[i]! };
      y += box.height + GAP;
      return [id, box];
    }),
  );
}

/** Rows from the left, from y = 0 on. @returns how high they are together */
function placeShelf(
  shelf: readonly CardShape[],
  detail: Detail,
  { width, placed }: { readonly width: number; readonly placed: Map<string, Box> },
): number {
  let [x, y, rowHeight] = [EDGE, EDGE, 0];
  for (const card of shelf) {
    const size = sizeOf(card, detail);
    if (x > EDGE && x + size.width > width - EDGE) [x, y, rowHeight] = [EDGE, y + rowHeight + GAP, 0];
    placed.set(card.id, { x, y, ...size });
    x += size.width + GAP;
    rowHeight = Math.max(rowHeight, size.height);
  }
  return shelf.length === 0 ? 0 : y + rowHeight + EDGE;
}

interface RingRoom {
  readonly width: number;
  /** Heights from the one that there is to the most that may be. */
  readonly least: number;
  readonly most: number;
}

/** The lowest ellipse on which no two cards touch. Where there is no room in its middle, who belongs there joins the round. */
function placeRing(ring: readonly CardShape[], detail: Detail, room: RingRoom): Map<string, Box> | undefined {
  return placeAround(ring, detail, { ...room, hub: hubOf(ring) }) ?? placeAround(ring, detail, room);
}

function placeAround(
  ring: readonly CardShape[],
  detail: Detail,
  { width, least, most, hub }: RingRoom & { readonly hub?: CardShape | undefined },
): Map<string, Box> | undefined {
  const round = ring.filter((card) => card !== hub);
  for (let height = Math.max(least, 120); height <= Math.max(most, least); height += 24) {
    const boxes = boxesOnEllipse(round, detail, { width, height });
    if (hub) boxes.set(hub.id, around({ x: width / 2, y: height / 2 }, sizeOf(hub, detail)));
    const all = [...boxes.values()];
    const fits = all.every(
      (box, i) => isInside(box, { width, height }) && !touchesAny(box, all.slice(0, i), GAP),
    );
    if (fits) return boxes;
  }
  return undefined;
}

function boxesOnEllipse(cards: readonly CardShape[], detail: Detail, room: Size): Map<string, Box> {
  const sizes = cards.map((card) => sizeOf(card, detail));
  const middle = { x: room.width / 2, y: room.height / 2 };
  if (cards.length === 1) return new Map([[cards[0]!.id, around(middle, sizes[0]!)]]);
  const widest = Math.max(...sizes.map((size) => size.width));
  const highest = Math.max(...sizes.map((size) => size.height));
  // Few stand nearer to each other than the room would let them: their links are short, and their words near.
  const few = cards.length < 5;
  const a = Math.min((room.width - widest) / 2 - EDGE, few ? 290 : Number.POSITIVE_INFINITY);
  const b = Math.min((room.height - highest) / 2 - EDGE, few ? 240 : Number.POSITIVE_INFINITY);
  const points = onEllipse(cards.length, Math.max(0, a), Math.max(0, b));
  // Of three, two stand below and one above: their middle is not that of the ellipse.
  const top = Math.min(...points.map(({ y }, i) => y - sizes[i]!.height / 2));
  const bottom = Math.max(...points.map(({ y }, i) => y + sizes[i]!.height / 2));
  const down = middle.y - (top + bottom) / 2;
  return new Map(
    cards.map((card, i) => {
      const at = { x: middle.x + points[i]!.x, y: down + points[i]!.y };
      return [card.id, around(at, sizes[i]!)] as const;
    }),
  );
}

/** Row by row, one to the left, one to the right. */
function boxesInColumns(cards: readonly CardShape[], detail: Detail, width: number): Map<string, Box> {
  const boxes = new Map<string, Box>();
  let [y, rowHeight] = [EDGE, 0];
  for (const [i, card] of cards.entries()) {
    const size = sizeOf(card, detail);
    const isLeft = i % 2 === 0;
    if (isLeft && i > 0) [y, rowHeight] = [y + rowHeight + 2 * GAP, 0];
    boxes.set(card.id, { x: isLeft ? EDGE : width - EDGE - size.width, y, ...size });
    rowHeight = Math.max(rowHeight, size.height);
  }
  return boxes;
}

const STEPS = 720;

/** Points equally far apart along an ellipse, clockwise from its top; two at its far ends. */
function onEllipse(count: number, a: number, b: number): Point[] {
  const start = count === 2 && a >= b ? Math.PI : -Math.PI / 2;
  const at = (step: number): Point => {
    const angle = start + (2 * Math.PI * step) / STEPS;
    return { x: a * Math.cos(angle), y: b * Math.sin(angle) };
  };
  const lengths = [0];
  for (let step = 1; step <= STEPS; step++) {
    const [from, to] = [at(step - 1), at(step)];
    lengths.push(lengths[step - 1]! + Math.hypot(to.x - from.x, to.y - from.y));
  }
  const whole = lengths[STEPS]!;
  return Array.from({ length: count }, (_, i) =>
    at(lengths.findIndex((length) => length >= (whole * i) / count)),
  );
}
