/** What each of the newest epochs carried: altogether, or in its segments or kinds of tunnels. */
import { type Dimension, type LiveQuestion, OTHER } from '../../query/index.ts';
import { type HistoryEpoch, minus, type Parts, plus, type Sum } from '../history.ts';
import type { Segments } from '../nodes.ts';
import { type Cell, LIVE_READINGS } from './dimensions.ts';
import type { LiveTable } from './groups.ts';
import { sumColumns } from './selection.ts';

type Series = Extract<LiveQuestion, { ask: 'series' }>;
type By = Series['by'][number];

/** What is kept of an epoch by segment and by kind of tunnel, and how that reads. */
const PARTS: Readonly<Record<By, (epoch: HistoryEpoch) => Parts>> = {
  segment: ({ segments }) => segments,
  tunnel: ({ kinds }) => kinds,
};

/** Which of equally large ones comes first, as a store sorts them. */
const ORDER: Readonly<Record<By, (segments: Segments) => (a: number, b: number) => number>> = {
  segment:
    ({ list }) =>
    (a, b) =>
      list[a]!.tunnelKind - list[b]!.tunnelKind || list[a]!.tunnelId - list[b]!.tunnelId,
  tunnel: () => (a, b) => a - b,
};

/** The epochs of a window, in the columns of a store; an epoch in which nothing was has no row. */
export function seriesTable(
  epochs: readonly HistoryEpoch[],
  { by, quantity, limit }: Series,
  segments: Segments,
): LiveTable {
  const total = epochs.reduce<Sum>((sum, epoch) => plus(sum, epoch.total), { octets: 0, packets: 0 });
  const [dimension] = by;
  const rows = dimension
    ? groupedRows(epochs, { dimension, quantity, limit }, segments)
    : epochs.map((epoch) => rowOf(epoch, [], epoch.total));
  const there = rows.filter((row) => row.slice(-2).some((sum) => sum !== 0));
  return {
    columns: [
      { name: 'time', kind: 'time' },
      ...by.map((name) => ({ name, kind: LIVE_READINGS[name].kind })),
      ...sumColumns(quantity),
    ],
    rows: there,
    total: { ...total },
    isCut: dimension !== undefined && there.some((row) => row[1] === OTHER),
  };
}

function groupedRows(
  epochs: readonly HistoryEpoch[],
  {
    dimension,
    quantity,
    limit,
  }: { readonly dimension: By; readonly quantity: keyof Sum; readonly limit: number },
  segments: Segments,
): Cell[][] {
  const partsOf = PARTS[dimension];
  const order = ORDER[dimension](segments);
  const sums = new Map<number, Sum>();
  for (const epoch of epochs)
    for (const [part, sum] of partsOf(epoch)) sums.set(part, plus(sums.get(part), sum));
  const largest = [...sums]
    .sort(([a, one], [b, other]) => other[quantity] - one[quantity] || order(a, b))
    .slice(0, limit)
    .map(([part]) => part);
  return epochs.flatMap((epoch) => {
    const parts = partsOf(epoch);
    let rest = epoch.total;
    const rows = largest.map((part) => {
      const sum = parts.get(part) ?? { octets: 0, packets: 0 };
      rest = minus(rest, sum);
      return rowOf(epoch, [textOf(dimension, part, segments)], sum);
    });
    return [...rows, rowOf(epoch, [OTHER], rest)];
  });
}

function rowOf({ startMs }: HistoryEpoch, group: readonly Cell[], { octets, packets }: Sum): Cell[] {
  return [startMs, ...group, octets, packets];
}

function textOf(dimension: Dimension & By, part: number, { list }: Segments): Cell {
  if (dimension === 'segment') return list[part]!.id;
  return LIVE_READINGS.tunnel.read(Uint32Array.of(1, part), 0);
}
