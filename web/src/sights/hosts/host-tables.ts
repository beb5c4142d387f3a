/** Tables of addresses, made of what groups of flows sent: one row for what an address sent and received. */
import type { ResultTable } from '../../../../src/query/index.ts';
import { cellOf } from '../../flow-filter.ts';
import type { Cell, ResultRow } from '../../result.ts';

/** A table as views show one. */
export type SmallTable = Pick<ResultTable, 'columns' | 'rows'>;
type Columns = ResultTable['columns'];

/** What an address, or whatever a row is of, sent and received. */
interface Both {
  readonly key: readonly Cell[];
  sent: number;
  received: number;
  packetsSent: number;
  packetsReceived: number;
}

const SUMS: Columns = [
  { name: 'sent', kind: 'octets' },
  { name: 'received', kind: 'octets' },
  { name: 'octets', kind: 'octets' },
  { name: 'packets.sent', kind: 'packets' },
  { name: 'packets.received', kind: 'packets' },
];

class Account {
  readonly #rows = new Map<string, Both>();

  of(key: readonly Cell[]): Both {
    const name = JSON.stringify(key);
    let both = this.#rows.get(name);
    if (!both) {
      both = { key, sent: 0, received: 0, packetsSent: 0, packetsReceived: 0 };
      this.#rows.set(name, both);
    }
    return both;
  }

  /** By octets both ways, most first. */
  rows(): ResultRow[] {
    return [...this.#rows.values()]
      .toSorted((x, y) => y.sent + y.received - x.sent - x.received)
      .map(({ key, sent, received, packetsSent, packetsReceived }) => [
        ...key,
        sent,
        received,
        sent + received,
        packetsSent,
        packetsReceived,
      ]);
  }
}

/**
 * Who sent and received how much, of an answer about who sent and one about who received.
 *
 */
export function sentAndReceived(sent: SmallTable, received: SmallTable): SmallTable {
  const account = new Account();
  const width = sent.columns.findIndex(({ name }) => name === 'octets');
  const take = ({ columns, rows }: SmallTable, isSent: boolean): void => {
    for (const row of rows) {
      // Frames without addresses are of nobody.
      if (row[0] === null) continue;
      const both = account.of(row.slice(0, width));
      const octets = Number(cellOf(columns, row, 'octets'));
      const packets = Number(cellOf(columns, row, 'packets'));
      both[isSent ? 'sent' : 'received'] += octets;
      both[isSent ? 'packetsSent' : 'packetsReceived'] += packets;
    }
  };
  take(sent, true);
  take(received, false);
  const [, ...rest] = sent.columns.slice(0, width);
  return { columns: [{ name: 'address', kind: 'address' }, ...rest, ...SUMS], rows: account.rows() };
}

/** With whom an address talked, of an answer by source and destination; to itself counts as sent. */
export function peersOf({ columns, rows }: SmallTable, address: string): SmallTable {
  const account = new Account();
  const [from, to] = [0, 1].map((at) => columns[at]!.name);
  for (const row of rows) {
    const isSent = cellOf(columns, row, from!) === address;
    const both = account.of([cellOf(columns, row, isSent ? to! : from!)]);
    both[isSent ? 'sent' : 'received'] += Number(cellOf(columns, row, 'octets'));
    both[isSent ? 'packetsSent' : 'packetsReceived'] += Number(cellOf(columns, row, 'packets'));
  }
  return { columns: [{ name: 'peer', kind: 'address' }, ...SUMS], rows: account.rows() };
}

/** What is sent and received in all rows. */
export function totalsOf({ columns, rows }: SmallTable): {
  readonly sent: number;
  readonly received: number;
} {
  const sum = (name: string): number =>
    rows.reduce((total, row) => total + Number(cellOf(columns, row, name)), 0);
  return { sent: sum('sent'), received: sum('received') };
}

/** When the first and the last packet of all rows was; undefined without rows. */
export function seenOf({
  columns,
  rows,
}: SmallTable): { readonly firstMs: number; readonly lastMs: number } | undefined {
  let [firstMs, lastMs] = [Number.POSITIVE_INFINITY, 0];
  for (const row of rows) {
    firstMs = Math.min(firstMs, Number(cellOf(columns, row, 'first')));
    lastMs = Math.max(lastMs, Number(cellOf(columns, row, 'last')));
  }
  return rows.length === 0 ? undefined : { firstMs, lastMs };
}
