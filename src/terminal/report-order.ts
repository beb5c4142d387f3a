/** The order of the rows of a report. */
import { ORDER_WORDS } from '../live/index.ts';
import { type ReportRows, ROW } from './report-rows.ts';

/** Columns a report can be sorted by. */
export const REPORT_SORTS = ['bytes', 'packets', 'source', 'destination', 'protocol', 'tunnel'] as const;
export type ReportSort = (typeof REPORT_SORTS)[number];

/** Compares two rows by their numbers. */
type Compare = (a: number, b: number) => number;

/**
 * The numbers of all rows in a total order: whatever is asked for first, then bytes, packets and every word, so ties never
 * shuffle. Counts go down, words up, addresses as numbers.
 */
export function sortRows(rows: ReportRows, sort: ReportSort): Uint32Array<ArrayBuffer> {
  const { counts } = rows;
  const { words } = rows.keys;
  const tunnels = ranks(rows.tunnels);
  const protocols = ranks(rows.protocols);
  const port = (row: number, shift: number): number =>
    (words[ROW.width * row + ROW.ports]! >>> shift) & 0xffff;
  const by: Record<ReportSort, Compare> = {
    bytes: (a, b) => counts.compare(0, b, a),
    packets: (a, b) => counts.compare(1, b, a),
    source: (a, b) => compareEnds(words, ROW.source, a, b) || port(a, 16) - port(b, 16),
    destination: (a, b) => compareEnds(words, ROW.destination, a, b) || port(a, 0) - port(b, 0),
    protocol: (a, b) =>
      protocols[words[ROW.width * a + ROW.protocol]!]! - protocols[words[ROW.width * b + ROW.protocol]!]!,
    tunnel: (a, b) =>
      tunnels[words[ROW.width * a + ROW.tunnel]!]! - tunnels[words[ROW.width * b + ROW.tunnel]!]!,
  };
  const order = [sort, ...REPORT_SORTS.filter((name) => name !== sort)].map((name) => by[name]);
  return Uint32Array.from({ length: rows.length }, (_, row) => row).sort((a, b) => {
    for (const compare of order) {
      const difference = compare(a, b);
      if (difference !== 0) return difference;
    }
    return 0;
  });
}

function compareEnds(words: Uint32Array, end: number, a: number, b: number): number {
  for (let at = end; at < end + ORDER_WORDS; at++) {
    const difference = words[ROW.width * a + at]! - words[ROW.width * b + at]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** For each word its place among them sorted. */
function ranks(words: readonly string[]): Uint32Array {
  const sorted = [...words.keys()].sort((a, b) => (words[a]! < words[b]! ? -1 : 1));
  const places = new Uint32Array(words.length);
  for (const [place, word] of sorted.entries()) places[word] = place;
  return places;
}
