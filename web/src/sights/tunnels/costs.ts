/** What tunnels cost and suffer, in words; and what nobody knows of it, with what would tell it. */
import type { ResultTable } from '../../../../src/query/index.ts';
import { cellOf } from '../../flow-filter.ts';
import type { ResultRow } from '../../result.ts';
import { exactly } from '../../words.ts';

type Columns = ResultTable['columns'];

/** How many tunnels have packets that are longer than the MTU. */
export function tooLong({ columns, rows }: Pick<ResultTable, 'columns' | 'rows'>): number {
  const at = columns.findIndex(({ name }) => name === 'headroom');
  return at < 0 ? 0 : rows.filter((row) => row[at] !== null && Number(row[at]) < 0).length;
}

/** What the longest packet takes of the MTU; undefined where nobody knows. */
export function roomWords(columns: Columns, row: ResultRow): string | undefined {
  const [mtu, headroom] = ['mtu', 'headroom'].map((name) => cellOf(columns, row, name));
  if (typeof mtu !== 'number' || typeof headroom !== 'number') return undefined;
  const takes = `The longest packet takes ${exactly(mtu - headroom)} of the ${exactly(mtu)} octets that the underlay takes as one`;
  if (headroom < 0)
    return `${takes}: ${exactly(-headroom)} too many. Such packets are dropped, or go in fragments. A smaller MTU inside, or a larger one of the underlay, makes them fit.`;
  return `${takes}: ${headroom === 0 ? 'none is' : `${exactly(headroom)} ${headroom === 1 ? 'is' : 'are'}`} free.`;
}

const MEASURED = [
  { column: 'lost', what: 'sequence', words: 'loss, reordering and jitter' },
  { column: 'resent', what: 'tcp', words: 'resent segments and round trips' },
] as const;

/** What the answer has no columns for, and why. @param filter which flows are shown */
export function unknownWords(
  { columns, rows, covered }: Pick<ResultTable, 'columns' | 'rows' | 'covered'>,
  filter: string | undefined,
): string {
  const has = (name: string): boolean => columns.some((column) => column.name === name);
  const missing = MEASURED.filter(({ column }) => !has(column));
  const words = missing.map((each) => each.words).join(', ');
  const how = `--measure ${missing.map(({ what }) => what).join(',')}`;
  if (covered.level === 'live') {
    if (!has('mtu')) return 'Of captures nobody knows the MTU.';
    if (missing.length > 0) return `Not measured: ${words}. The agent measures them with ${how}.`;
  } else {
    if (rows.length === 0) return '';
    if (!has('mtu'))
      return `Of this time nobody knows ${['headroom', ...missing.map((each) => each.words)].join(', ')}: it is of captures, or an earlier version stored it.`;
    if (missing.length > 0) return `Not measured then: ${words}. An agent measures them with ${how}.`;
  }
  const measured = columns.flatMap(({ name }, at) => (name === 'loss' || name === 'resent' ? [at] : []));
  const isPart = filter !== undefined && rows.every((row) => measured.every((at) => row[at] === null));
  return isPart && rows.length > 0
    ? 'Loss, resent segments and round trips are measured of whole tunnels: of a part of their flows nobody knows them.'
    : '';
}
