/** Two pictures beside each other: who sent in either, and what grew. */
import { foldView, type Pair } from './layout/fold.ts';
import type { ShownView } from './past-view.ts';
import type { List } from './question.ts';

/** Someone, or a pair, in two spans. */
export interface ComparedRow {
  readonly id: string;
  /** Both ends, the first by name; of a node just that. */
  readonly ends: readonly string[];
  readonly segments: readonly string[];
  /** Sent by a node; between a pair both ways. */
  readonly now: number;
  readonly before: number;
  /** Growth in octets per second that were metered. */
  readonly growth: number;
}

/** Everyone who sent in one of the two, what grew most first. */
export function comparedRows(now: ShownView, before: ShownView, list: List): ComparedRow[] {
  const rows = new Map<string, Omit<ComparedRow, 'growth'>>();
  for (const row of rowsOf(now, list)) rows.set(row.id, { ...row, now: row.octets, before: 0 });
  for (const row of rowsOf(before, list)) {
    const known = rows.get(row.id);
    rows.set(row.id, known ? { ...known, before: row.octets } : { ...row, now: 0, before: row.octets });
  }
  const rate = (octets: number, { windowSeconds }: ShownView): number =>
    windowSeconds > 0 ? octets / windowSeconds : 0;
  return [...rows.values()]
    .map(({ id, ends, segments, now: octets, before: was }) => ({
      id,
      ends,
      segments,
      now: octets,
      before: was,
      growth: rate(octets, now) - rate(was, before),
    }))
    .sort((x, y) => y.growth - x.growth || (x.id < y.id ? -1 : 1));
}

type Row = Pick<ComparedRow, 'id' | 'ends' | 'segments'> & { readonly octets: number };

function rowsOf(view: ShownView, list: List): Row[] {
  if (list === 'nodes')
    return view.nodes.map(({ id, address, segment, sent }) => ({
      id,
      ends: [address],
      segments: segment === null ? [] : [segment],
      octets: sent.octets,
    }));
  const { arcs, pairs } = foldView(view, { limit: Infinity });
  const nameOf = (index: Pair['a']): string => arcs[index]!.node?.address ?? arcs[index]!.id;
  return pairs.map(({ id, a, b, forward, backward, bands }) => ({
    id,
    ends: [nameOf(a), nameOf(b)],
    segments: bands.map(({ segment }) => segment),
    octets: forward + backward,
  }));
}
