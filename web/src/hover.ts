import type { Arc, Matrix, Pair } from './layout/fold.ts';
import { LARGER, OTHERS, pairId } from './layout/fold.ts';

/** What is pointed at, or has the focus. The rest of the picture steps back. */
export type Hover =
  | { readonly kind: 'node'; readonly id: string; readonly by: 'picture' | 'table' }
  | { readonly kind: 'pair'; readonly id: string; readonly by: 'picture' | 'table' }
  | { readonly kind: 'segment'; readonly id: string };

/** Whether two mean the same, from the same side. */
export function isSameHover(x: Hover | undefined, y: Hover | undefined): boolean {
  const side = (hover: Hover): string => (hover.kind === 'segment' ? '' : hover.by);
  return x === y || (x?.kind === y?.kind && x?.id === y?.id && x && y ? side(x) === side(y) : false);
}

/** What of the picture stays lit. */
export interface Lit {
  arc(arc: Arc): boolean;
  pair(pair: Pair): boolean;
  band(segment: string): boolean;
}

/** Works out what a hover lights; `undefined` when everything is. Nodes that are folded light their fold. */
export function litBy(hover: Hover | undefined, { arcs, pairs }: Matrix): Lit | undefined {
  if (!hover) return undefined;
  if (hover.kind === 'segment') {
    const touched = new Set<number>();
    for (const pair of pairs) {
      if (!pair.bands.some((band) => band.segment === hover.id)) continue;
      touched.add(pair.a).add(pair.b);
    }
    const lit = new Set([...touched].map((index) => arcs[index]));
    return { arc: (arc) => lit.has(arc), pair: () => true, band: (segment) => segment === hover.id };
  }
  const shown = new Set(arcs.map((arc) => arc.id));
  const fold = shown.has(OTHERS) ? OTHERS : LARGER;
  const drawn = (id: string): string => (shown.has(id) ? id : fold);
  if (hover.kind === 'node') {
    const id = drawn(hover.id);
    const touches = (pair: Pair): boolean => arcs[pair.a]!.id === id || arcs[pair.b]!.id === id;
    const lit = new Set([id]);
    for (const pair of pairs) if (touches(pair)) lit.add(arcs[pair.a]!.id).add(arcs[pair.b]!.id);
    return { arc: (arc) => lit.has(arc.id), pair: touches, band: () => true };
  }
  const [a = '', b = ''] = hover.id.split('~').map(drawn);
  const id = pairId(a, b);
  return { arc: (arc) => arc.id === a || arc.id === b, pair: (pair) => pair.id === id, band: () => true };
}
