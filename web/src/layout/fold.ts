import { LINK_STRIDE, type LinkRows, type StreamedView, type ViewNode } from '../../../src/query/index.ts';
import { stableOrder } from './order.ts';

/** Arcs drawn one by one; what is beyond is folded. */
export const ARC_LIMIT = 60;

/**
 * Identity of the arc that stands for the smaller ones, and of that for the larger ones when the former was opened.
 * An answer too large comes with its smallest nodes folded already, under the same name as here.
 */
export const OTHERS = '(others)';
export const LARGER = '(larger)';

/** One arc: a node of the view, or the fold of several. */
export interface Arc {
  readonly id: string;
  /** Absent in a fold. */
  readonly node: ViewNode | undefined;
  /** How many nodes of the answer it stands for; they can be opened. */
  readonly count: number;
  /** Whether it also stands for nodes that the answer does not name. */
  readonly hasMore: boolean;
  readonly sent: number;
  readonly received: number;
}

/** What two arcs sent to each other in one segment, octets. */
export interface Band {
  readonly segment: string;
  /** From the pair's `a` to its `b`. */
  readonly forward: number;
  readonly backward: number;
}

/** What two arcs sent to each other. `a` and `b` are indices of arcs; equal in a loop, whose octets are all `forward`. */
export interface Pair {
  readonly id: string;
  readonly a: number;
  readonly b: number;
  readonly forward: number;
  readonly backward: number;
  readonly bands: readonly Band[];
}

/** The matrix of the chord, sparse. Every octet of the view's links is in it once. */
export interface Matrix {
  readonly arcs: readonly Arc[];
  readonly pairs: readonly Pair[];
}

/** Identity of a pair of nodes, whichever is named first. */
export function pairId(a: string, b: string): string {
  return a < b ? `${a}~${b}` : `${b}~${a}`;
}

/**
 * Takes the nodes ranked `from` … `from` + 58 as arcs of their own and folds the others.
 *
 * @param previous ids of the arcs drawn last, in order, so that nothing moves without need
 */
export function foldView(
  view: Pick<StreamedView, 'nodes' | 'links'>,
  {
    from = 0,
    limit = ARC_LIMIT,
    previous = [],
  }: { from?: number; limit?: number; previous?: readonly string[] } = {},
): Matrix {
  const { nodes } = view;
  const named = nodes.filter((node) => node.id !== OTHERS);
  const unnamed = nodes.filter((node) => node.id === OTHERS);
  const start = from < named.length ? from : 0;
  const room = limit - (start > 0 ? 1 : 0) - unnamed.length;
  const end = named.length - start > room ? start + limit - (start > 0 ? 2 : 1) : named.length;

  const shown = new Map(named.slice(start, end).map((node) => [node.id, node]));
  const order = stableOrder(
    [...shown.values()].map((node) => ({ id: node.id, size: node.sent.octets })),
    previous,
  );
  const arcs: Arc[] = order.map((id) => nodeArc(shown.get(id)!));
  const folded = named.slice(end);
  const hasOthers = folded.length + unnamed.length > 0;
  const others = hasOthers ? arcs.push(foldArc(OTHERS, folded, unnamed)) - 1 : -1;
  const larger = start > 0 ? arcs.push(foldArc(LARGER, named.slice(0, start), [])) - 1 : -1;
  const arcById = new Map(order.map((id, index) => [id, index]));
  for (const node of named.slice(0, start)) arcById.set(node.id, larger);
  const arcOf = nodes.map((node) => arcById.get(node.id) ?? others);
  return { arcs, pairs: joinLinks(view.links, arcOf, arcs) };
}

function nodeArc(node: ViewNode): Arc {
  return {
    id: node.id,
    node,
    count: 1,
    hasMore: false,
    sent: node.sent.octets,
    received: node.received.octets,
  };
}

function foldArc(id: string, named: readonly ViewNode[], unnamed: readonly ViewNode[]): Arc {
  let sent = 0;
  let received = 0;
  for (const node of [...named, ...unnamed]) {
    sent += node.sent.octets;
    received += node.received.octets;
  }
  return { id, node: undefined, count: named.length, hasMore: unnamed.length > 0, sent, received };
}

/** A band that grows. */
interface Sum {
  readonly segment: string;
  forward: number;
  backward: number;
}

/** Both directions of two arcs become one pair, all rows of a segment in it one band. */
function joinLinks({ segments, rows }: LinkRows, arcOf: readonly number[], arcs: readonly Arc[]): Pair[] {
  if (rows.length === 0) return [];
  const rankOfArc = ranks(arcs.map((arc) => arc.id));
  const placeOf = places(arcs.length ** 2 * segments.length);
  const bands: Sum[] = [];
  const pairs = new Map<number, Sum[]>();
  for (let at = 0; at < rows.length; at += LINK_STRIDE) {
    const source = arcOf[rows[at]!]!;
    const target = arcOf[rows[at + 1]!]!;
    const segment = rows[at + 2]!;
    const forward = source === target || rankOfArc[source]! < rankOfArc[target]!;
    const pair = forward ? source * arcs.length + target : target * arcs.length + source;
    const place = placeOf(pair * segments.length + segment);
    let band = bands[place];
    if (!band) {
      band = { segment: segments[segment]!, forward: 0, backward: 0 };
      bands.push(band);
      const list = pairs.get(pair);
      if (list) list.push(band);
      else pairs.set(pair, [band]);
    }
    if (forward) band.forward += rows[at + 3]!;
    else band.backward += rows[at + 3]!;
  }
  return [...pairs].map(([key, list]) => toPair(key, list, arcs)).sort(bySize);
}

/** Keys below this are looked up in an array: an update of many links has no time for a table of keys. */
const FEW_KEYS = 1 << 20;

/** Numbers keys from 0 on, in the order in which they come; each gets its own again. */
function places(keys: number): (key: number) => number {
  let next = 0;
  if (keys > FEW_KEYS) {
    const known = new Map<number, number>();
    return (key) => {
      const place = known.get(key) ?? next++;
      known.set(key, place);
      return place;
    };
  }
  const known = new Int32Array(keys);
  return (key) => {
    if (known[key] === 0) known[key] = ++next;
    return known[key]! - 1;
  };
}

/** Place of each in the order of all. */
function ranks(ids: readonly string[]): number[] {
  const rank = ids.map(() => 0);
  const order = ids.map((_, index) => index).sort((x, y) => (ids[x]! < ids[y]! ? -1 : 1));
  for (const [place, index] of order.entries()) rank[index] = place;
  return rank;
}

function toPair(key: number, bands: Sum[], arcs: readonly Arc[]): Pair {
  const a = Math.floor(key / arcs.length);
  const b = key % arcs.length;
  let forward = 0;
  let backward = 0;
  for (const band of bands) {
    forward += band.forward;
    backward += band.backward;
  }
  if (bands.length > 1) bands.sort((x, y) => (x.segment < y.segment ? -1 : 1));
  return { id: pairId(arcs[a]!.id, arcs[b]!.id), a, b, forward, backward, bands };
}

function bySize(x: Pair, y: Pair): number {
  return y.forward + y.backward - x.forward - x.backward || (x.id < y.id ? -1 : 1);
}
