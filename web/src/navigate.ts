/** Where a click leads. */
import { type Arc, LARGER, OTHERS, type Pair } from './layout/fold.ts';
import type { Picture } from './picture.ts';
import type { Place } from './question.ts';

/** What a click on an arc does, in words; nothing where there is nothing further in. */
export function arcAction(level: Picture['view']['level']): string | undefined {
  if (level === 'hosts') return 'opens its clients';
  if (level === 'clients') return 'shows its peers';
  return undefined;
}

/** An arc: a host opens into its clients, a client shows its flows (or its pairs, when it has several), a fold opens. */
export function placeOfArc(place: Place, { view, matrix, from }: Picture, arc: Arc): Place {
  const here = { ...place, question: view.question };
  if (arc.id === LARGER) return { ...here, from: 0 };
  if (arc.id === OTHERS) return arc.count > 0 ? { ...here, from: from + ownArcs(matrix) } : here;
  if (view.level === 'hosts') {
    return { ...here, from: 0, client: undefined, question: { ...view.question, host: arc.id } };
  }
  if (view.level === 'flows') return here;
  const index = matrix.arcs.findIndex((one) => one.id === arc.id);
  const pairs = matrix.pairs.filter((pair) => pair.a === index || pair.b === index);
  if (pairs.length === 1) return placeOfPair(place, { view, matrix, from }, pairs[0]!);
  return { ...here, client: arc.id, list: 'pairs' };
}

/** A pair: its flows. A pair with a fold opens the fold. */
export function placeOfPair(
  place: Place,
  picture: Pick<Picture, 'view' | 'matrix' | 'from'>,
  pair: Pair,
): Place {
  const { view, matrix, from } = picture;
  const here = { ...place, question: view.question };
  const ends = [matrix.arcs[pair.a]!, matrix.arcs[pair.b]!];
  const others = ends.find((arc) => arc.id === OTHERS);
  if (others) return others.count > 0 ? { ...here, from: from + ownArcs(matrix) } : here;
  if (ends.some((arc) => arc.id === LARGER)) return { ...here, from: 0 };
  if (view.level === 'flows') return here;
  return { ...here, client: undefined, question: { ...view.question, pair: pair.id } };
}

/** How many arcs stand for one node each. */
function ownArcs(matrix: Picture['matrix']): number {
  return matrix.arcs.filter((one) => one.node).length;
}
