/** Folding: many uniflows into one row, so that memory stays bounded and totals since the start stay exact. */
import { NETWORK } from '../flow/index.ts';
import { NO_TALLY } from './counters.ts';
import { HOST_SCOPE, SPECIAL } from './nodes.ts';
import { FOLDED, KEY, UniflowTable } from './uniflows.ts';

/**
 * A smaller table: uniflows chosen by `folds` become rows that only know their pair of hosts and their segment. Of a
 * folded uniflow the tally that counts since the start is kept, so every total since the start stays exact.
 *
 * @param maxFoldedRows beyond this many the pairs of hosts fold too, into one row per segment
 * @returns the table, and for each old tally its new number or {@link NO_TALLY}
 */
export function compact(
  old: UniflowTable,
  folds: (uniflow: number) => boolean,
  maxFoldedRows: number,
): { readonly table: UniflowTable; readonly map: Uint32Array } {
  let kept = 0;
  for (let u = 0; u < old.length; u++) if (!folds(u)) kept++;
  const table = new UniflowTable(old.segments, Math.max(1024, kept + Math.min(kept >> 2, 4096)));
  const map = new Uint32Array(old.tallyCount).fill(NO_TALLY);
  for (let u = 0; u < old.length; u++) {
    if (old.isFolded(u) || folds(u)) {
      const tally = old.counted(u, old.counters.all);
      if (tally < 0) continue;
      const row = foldedRow(table, old, u, maxFoldedRows);
      map[tally] = moveTally(table, row, 0, old, tally);
    } else copyUniflow(table, old, u, map);
  }
  return { table, map };
}

function copyUniflow(table: UniflowTable, old: UniflowTable, from: number, map: Uint32Array): void {
  table.keys.load(old.keys, from);
  const uniflow = table.keys.intern();
  table.reserve();
  table.segment[uniflow] = old.segment[from]!;
  table.firstMs[uniflow] = old.firstMs[from]!;
  table.lastMs[uniflow] = old.lastMs[from]!;
  table.details.copy(uniflow, old.details, from);
  table.hostSource[uniflow] = table.nodes.copy(old.nodes, old.hostSource[from]!);
  table.hostDestination[uniflow] = table.nodes.copy(old.nodes, old.hostDestination[from]!);
  table.clientSource[uniflow] = table.nodes.copy(old.nodes, old.clientSource[from]!);
  table.clientDestination[uniflow] = table.nodes.copy(old.nodes, old.clientDestination[from]!);
  for (let point = 0; point < 4; point++) {
    const tally = old.tallies[4 * from + point]! - 1;
    if (tally >= 0) map[tally] = moveTally(table, uniflow, point, old, tally);
  }
}

function moveTally(
  table: UniflowTable,
  uniflow: number,
  point: number,
  old: UniflowTable,
  from: number,
): number {
  const tally = table.tally(uniflow, point);
  table.seenIn[tally] = Math.max(table.seenIn[tally]!, old.seenIn[from]!);
  for (const window of ['5s', '1m', 'all'] as const)
    table.counters[window].addTally(tally, old.counters[window], from);
  return tally;
}

function foldedRow(table: UniflowTable, old: UniflowTable, from: number, maxFoldedRows: number): number {
  const { nodes, keys } = table;
  const segment = old.segment[from]!;
  const { tunnelKind, tunnelId } = table.segments.list[segment]!;
  const outerNetwork = (old.keys.word(from, KEY.layers) >>> 16) & 0xff;
  const pair = [
    nodes.copy(old.nodes, old.hostSource[from]!),
    nodes.copy(old.nodes, old.hostDestination[from]!),
  ] as [number, number];
  const fillKey = (): void => {
    keys.probe.fill(0);
    keys.probe.set(pair);
    keys.probe[KEY.tunnelId] = tunnelId;
    keys.probe[KEY.layers] = tunnelKind | (outerNetwork << 16);
    keys.probe[KEY.form] = FOLDED << 24;
  };
  fillKey();
  if (table.foldedRows >= maxFoldedRows && keys.find() < 0) {
    pair.fill(nodes.special(HOST_SCOPE, SPECIAL.folded));
    fillKey();
  }
  const known = keys.length;
  const row = keys.intern();
  if (row === known) {
    table.reserve();
    table.foldedRows++;
    table.segment[row] = segment;
    [table.hostSource[row], table.hostDestination[row]] = pair;
    const client = (host: number): number =>
      outerNetwork === NETWORK.none
        ? nodes.copy(nodes, host, segment)
        : nodes.special(segment, SPECIAL.folded);
    table.clientSource[row] = client(pair[0]);
    table.clientDestination[row] = client(pair[1]);
    table.firstMs[row] = old.firstMs[from]!;
    table.lastMs[row] = old.lastMs[from]!;
  } else {
    table.firstMs[row] = Math.min(table.firstMs[row]!, old.firstMs[from]!);
    table.lastMs[row] = Math.max(table.lastMs[row]!, old.lastMs[from]!);
  }
  return row;
}
