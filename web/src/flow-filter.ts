/** What a row of an answer means as a filter: its flows, and nothing else. */
import { type FilterField, isViewField, type ResultTable } from '../../src/query/index.ts';
import type { Cell, ResultRow } from './result.ts';
import { both, segmentFilter } from './selection.ts';

/** Columns that tell what a flow is, as far as a filter of a view can ask for them. */
const ASKED = [
  'segment',
  'outer.src',
  'outer.dst',
  'src',
  'dst',
  'proto',
  'sport',
  'dport',
  'tunnel',
  'vni',
  'network',
  'vlan',
  'inner.vlan',
  'ethertype',
  'icmp.type',
  'icmp.code',
  'mark',
  'cast',
] as const;
/** What is enough for a single flow: the rest follows from it, or is of few. */
const OF_A_FLOW: ReadonlySet<string> = new Set(ASKED.slice(0, 8));

/** A row's cell by the name of its column; null for what it has not. */
export function cellOf(columns: ResultTable['columns'], row: ResultRow, name: string): Cell {
  return row[columns.findIndex((column) => column.name === name)] ?? null;
}

/** The flows of a group; undefined where nothing of it can be asked for. */
export function groupFilter(columns: ResultTable['columns'], row: ResultRow): string | undefined {
  return both(...ASKED.map((name) => condition(name, cellOf(columns, row, name))));
}

/** A single flow. */
export function flowFilter(columns: ResultTable['columns'], row: ResultRow): string | undefined {
  return groupFilter(
    columns.map((column) => (OF_A_FLOW.has(column.name) ? column : { ...column, name: '' })),
    row,
  );
}

function condition(name: (typeof ASKED)[number], value: Cell): string | undefined {
  if (value === null) return undefined;
  if (name === 'segment') return segmentFilter(String(value));
  const field: FilterField = name;
  return isViewField(field) ? `${field} = ${value}` : undefined;
}
