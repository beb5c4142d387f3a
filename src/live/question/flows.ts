/** Single uniflows with all that is known of them, in the columns of a store. */
import { formatMac } from '../../flow/index.ts';
import { bitsText, codeText, type HistoryQuantity, LIVE_DIMENSIONS } from '../../query/index.ts';
import { KEY, type UniflowTable } from '../uniflows.ts';
import { type Cell, type ColumnKind, LIVE_READINGS, remembered } from './dimensions.ts';
import type { LiveTable } from './groups.ts';
import { largest } from './largest.ts';
import { type Selection, totalOf } from './selection.ts';

/** A column: what it says of a uniflow, by its number and that of its tally. */
interface FlowColumn {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly read: (selection: Selection, uniflow: number, tally: number) => Cell;
}

/** Said of a row for many that had no room. */
const FOLDED = 'folded';

const probe = new Uint32Array(Math.max(...Object.values(LIVE_READINGS).map(({ width }) => width)));

/** What folding gave up: null where it did. */
const detail = (
  name: string,
  kind: ColumnKind,
  read: (table: UniflowTable, uniflow: number) => Cell,
): FlowColumn => ({
  name,
  kind,
  read: ({ table }, uniflow) => (table.isFolded(uniflow) ? null : read(table, uniflow)),
});

const octet = ({ keys }: UniflowTable, uniflow: number, word: number, shift: number): number =>
  (keys.word(uniflow, word) >>> shift) & 0xff;

const mac = (name: string, end: 0 | 1): FlowColumn =>
  detail(name, 'mac', ({ details }, uniflow) => formatMac(details.macs, details.macsAt(uniflow)[end]));

const fragmentText = remembered((code) => codeText('fragment', code));
const remarkText = remembered((bits) => bitsText('remark', bits));
const flagsText = remembered((bits) => bitsText('tcp.flags', bits));
const dscpText = remembered((code) => codeText('dscp', code));

const FLOW_COLUMNS: readonly FlowColumn[] = [
  ...LIVE_DIMENSIONS.map((name): FlowColumn => {
    const { kind, write, read } = LIVE_READINGS[name];
    return {
      name,
      kind,
      read: ({ table }, uniflow) => {
        write(table, uniflow, probe, 0);
        return read(probe, 0);
      },
    };
  }),
  detail('mark.id', 'number', (table, u) =>
    octet(table, u, KEY.kinds, 24) === 0 ? null : table.keys.word(u, KEY.markId),
  ),
  detail('fragment', 'text', (table, u) => fragmentText(octet(table, u, KEY.form, 16))),
  {
    name: 'remark',
    kind: 'text',
    read: ({ table }, u) => (table.isFolded(u) ? FOLDED : remarkText(octet(table, u, KEY.form, 24))),
  },
  { name: 'octets', kind: 'octets', read: ({ counters }, _, tally) => counters.octets(tally) },
  { name: 'packets', kind: 'packets', read: ({ counters }, _, tally) => counters.packets(tally) },
  { name: 'payload', kind: 'octets', read: ({ counters }, _, tally) => counters.payload(tally) },
  { name: 'first', kind: 'time', read: ({ table }, u) => Math.trunc(table.firstMs[u]!) },
  { name: 'last', kind: 'time', read: ({ table }, u) => Math.trunc(table.lastMs[u]!) },
  detail('tcp.flags', 'text', ({ details }, u) => flagsText(details.tcpFlags[u]!)),
  detail('dscp', 'text', ({ details }, u) => dscpText(details.dscp[u]!)),
  detail('outer.sport', 'number', ({ details }, u) => details.outerSourcePort[u] || null),
  detail('shortest', 'octets', ({ details }, u) => details.shortest[u]!),
  detail('longest', 'octets', ({ details }, u) => details.longest[u]!),
  mac('src.mac', 0),
  mac('dst.mac', 1),
];

/** The largest uniflows; of equal ones first those seen first. */
export function flowsTable(
  selection: Selection,
  { quantity, limit }: { readonly quantity: HistoryQuantity; readonly limit: number },
): LiveTable {
  const { counters, uniflows, tallies, length } = selection;
  const sizeOf = (at: number): number => {
    const tally = tallies[at]!;
    if (quantity === 'packets') return counters.packets(tally);
    return quantity === 'payload' ? counters.payload(tally) : counters.octets(tally);
  };
  const found = largest(length, limit, (a, b) => sizeOf(a) > sizeOf(b));
  return {
    columns: FLOW_COLUMNS.map(({ name, kind }) => ({ name, kind })),
    rows: found.map((at) => FLOW_COLUMNS.map(({ read }) => read(selection, uniflows[at]!, tallies[at]!))),
    total: totalOf(selection),
    isCut: length > found.length,
    count: length,
  };
}
