import type { View, ViewNode } from '../../../src/query/index.ts';
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
  view: Pick<View, 'nodes' | 'links'>,
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

interface Sum {
  readonly a: number;
  readonly b: number;
  forward: number;
  backward: number;
  readonly bands: Map<string, { forward: number; backward: number }>;
}

function joinLinks(links: View['links'], arcOf: readonly number[], arcs: readonly Arc[]): Pair[] {
  const sums = new Map<number, Sum>();
  for (const link of links) {
    const source = arcOf[link.source];
    const target = arcOf[link.target];
    if (source === undefined || target === undefined) continue;
    const forward = source === target || arcs[source]!.id < arcs[target]!.id;
    const [a, b] = forward ? [source, target] : [target, source];
    const key = a * arcs.length + b;
    let sum = sums.get(key);
    if (!sum) {
      sum = { a, b, forward: 0, backward: 0, bands: new Map() };
      sums.set(key, sum);
    }
    const way = forward ? 'forward' : 'backward';
    sum[way] += link.octets;
    for (const part of link.parts) {
      let band = sum.bands.get(part.segment);
      if (!band) {
        band = { forward: 0, backward: 0 };
        sum.bands.set(part.segment, band);
      }
      band[way] += part.octets;
    }
  }
  return [...sums.values()]
    .map((sum) => toPair(sum, arcs))
    .sort((x, y) => size(y) - size(x) || (x.id < y.id ? -1 : 1));
}

function toPair({ a, b, forward, backward, bands }: Sum, arcs: readonly Arc[]): Pair {
  const list = [...bands].map(([segment, ways]) => ({ segment, ...ways }));
  list.sort((x, y) => (x.segment < y.segment ? -1 : 1));
  return { id: pairId(arcs[a]!.id, arcs[b]!.id), a, b, forward, backward, bands: list };
}

function size(pair: Pair): number {
  return pair.forward + pair.backward;
}
