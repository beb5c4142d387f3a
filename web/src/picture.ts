import { chordAngles } from './layout/chord.ts';
import { foldView, type Matrix, type Pair } from './layout/fold.ts';
import { ownRibbons } from './layout/ribbons.ts';
import type { Gate } from './layout/tween.ts';
import type { ShownView } from './past-view.ts';
import { writeQuestion } from './question.ts';

/** A view made ready to draw, and what it follows from. */
export interface Picture {
  readonly view: ShownView;
  readonly from: number;
  /** The question as text: the same as long as only time goes by. */
  readonly key: string;
  readonly matrix: Matrix;
  /** The pairs with ribbons of their own, the lowest first. */
  readonly ribbons: readonly Pair[];
  /** Where the change from the last picture opens or closes. */
  readonly gate: Gate;
}

const NO_GATE: Gate = {};

/** The next picture: arcs keep their places as long as the question is the same; going into a host opens its arc. */
export function nextPicture(last: Picture | undefined, view: ShownView, from: number): Picture {
  const key = `${writeQuestion(view.question)} ${from}`;
  const idsOf = (list: readonly { readonly id: string }[] = []): string[] =>
    last?.key === key ? list.map((one) => one.id) : [];
  const matrix = foldView(view, { from, previous: idsOf(last?.matrix.arcs) });
  const ribbons = ownRibbons(matrix.pairs, idsOf(last?.ribbons));
  return { view, from, key, matrix, ribbons, gate: last ? gateBetween(last, { view, matrix }) : NO_GATE };
}

function gateBetween(last: Picture, next: Pick<Picture, 'view' | 'matrix'>): Gate {
  const [was, is] = [last.view.question, next.view.question];
  const spanOf = (matrix: Matrix, id: string) => chordAngles(matrix).arcs.find((arc) => arc.id === id)?.span;
  if (was.host === undefined && is.host !== undefined) return { opening: spanOf(last.matrix, is.host) };
  if (was.host !== undefined && is.host === undefined) return { closing: spanOf(next.matrix, was.host) };
  return NO_GATE;
}
