/** Flows and tunnels, as a live table has them. */
import { segmentName, type View } from '../../query/index.ts';
import { isAddress, segmentFilter } from './list-hosts.ts';
import type { Cell, CellKind, Fact, ListColumn, Listing, ListRow } from './listing.ts';
import type { LiveTable } from './source.ts';
import type { Place } from './state.ts';

type ColumnKind = LiveTable['columns'][number]['kind'];

const RATE: ListColumn = { id: 'octets', title: 'RATE', kind: 'octets', least: 11, most: 11, rank: 0 };
const PACKETS: ListColumn = {
  id: 'packets',
  title: 'PACKETS',
  kind: 'packets',
  least: 11,
  most: 11,
  rank: 5,
};
const SHARE: ListColumn = { id: 'share', title: 'SHARE', kind: 'share', least: 6, most: 20, rank: 3 };
const TREND: ListColumn = { id: 'trend', title: 'TREND', kind: 'trend', least: 5, most: 36, rank: 2 };
const SEGMENT: ListColumn = { id: 'segment', title: 'SEGMENT', kind: 'segment', least: 9, most: 22, rank: 1 };

const FLOW_COLUMNS: readonly ListColumn[] = [
  { id: 'proto', title: 'PROTO', kind: 'text', least: 5, most: 9, rank: 0 },
  { id: 'source', title: 'SOURCE', kind: 'address', least: 17, most: 47, rank: 0 },
  { id: 'destination', title: 'DESTINATION', kind: 'address', least: 17, most: 47, rank: 0 },
  SEGMENT,
  { id: 'outer', title: 'TUNNEL', kind: 'address', least: 23, most: 48, rank: 6 },
  RATE,
  PACKETS,
  SHARE,
  TREND,
];

const TUNNEL_COLUMNS: readonly ListColumn[] = [
  SEGMENT,
  { id: 'outer.src', title: 'FROM', kind: 'address', least: 15, most: 39, rank: 0 },
  { id: 'outer.dst', title: 'TO', kind: 'address', least: 15, most: 39, rank: 0 },
  RATE,
  PACKETS,
  { id: 'headroom', title: 'HEADROOM', kind: 'room', least: 9, most: 12, rank: 2 },
  { id: 'loss', title: 'LOSS', kind: 'part', least: 7, most: 7, rank: 2 },
  { id: 'resent', title: 'RESENT', kind: 'count', least: 6, most: 6, rank: 5 },
  { id: 'round.trip', title: 'RTT', kind: 'latency', least: 7, most: 7, rank: 6 },
  { id: 'flows', title: 'FLOWS', kind: 'count', least: 6, most: 6, rank: 7 },
  { id: 'overhead', title: 'OVERHEAD', kind: 'part', least: 8, most: 8, rank: 7 },
  { id: 'longest', title: 'LONGEST', kind: 'size', least: 8, most: 8, rank: 8 },
  { id: 'entropy', title: 'ENTROPY', kind: 'bits', least: 8, most: 8, rank: 9 },
  { id: 'fragments', title: 'FRAGMENTS', kind: 'count', least: 9, most: 9, rank: 10 },
  SHARE,
  { ...TREND, rank: 4 },
];

/** How columns of an answer are shown among the facts of a row; those that are not named, by their kind. */
const FACT_KINDS: Readonly<Partial<Record<ColumnKind, CellKind>>> = {
  address: 'address',
  octets: 'octets',
  packets: 'packets',
  flows: 'count',
  number: 'text',
  share: 'part',
  bits: 'bits',
  time: 'moment',
  duration: 'duration',
};
/** Those of their own kind: octets of one packet are no rate, nor is what was lost. */
const OWN_KINDS: Readonly<Record<string, CellKind>> = {
  longest: 'exact',
  shortest: 'exact',
  mtu: 'exact',
  headroom: 'room',
  lost: 'count',
  duplicates: 'count',
  reordered: 'count',
  resent: 'count',
  jitter: 'latency',
  'round.trip': 'latency',
  'round.trip.p99': 'latency',
};

/** A table's rows by the names of its columns. */
class Records {
  readonly #columns: LiveTable['columns'];
  readonly #places: ReadonlyMap<string, number>;

  constructor({ columns }: LiveTable) {
    this.#columns = columns;
    this.#places = new Map(columns.map(({ name }, i) => [name, i]));
  }

  cell(row: readonly Cell[], name: string): Cell {
    const place = this.#places.get(name);
    return place === undefined ? null : (row[place] ?? null);
  }

  text(row: readonly Cell[], name: string): string {
    return String(this.cell(row, name) ?? '');
  }

  number(row: readonly Cell[], name: string): number {
    return Number(this.cell(row, name) ?? 0);
  }

  has(name: string): boolean {
    return this.#places.has(name);
  }

  facts(row: readonly Cell[]): Fact[] {
    return this.#columns.flatMap(({ name, kind }, i) => {
      const value = row[i] ?? null;
      if (value === null || value === '') return [];
      const shown = OWN_KINDS[name] ?? FACT_KINDS[kind] ?? 'text';
      return [[name, shown, name === 'segment' ? segmentName(String(value)) : value] as const];
    });
  }
}

/** Flows of a table. @param segment those of others are left out: conditions on a tunnel fit nested ones too */
export function flowListing(table: LiveTable, segment: string | undefined): Listing {
  const records = new Records(table);
  const rows = table.rows
    .filter((row) => segment === undefined || records.text(row, 'segment') === segment)
    .map((row) => flowRow(row, records, table));
  return {
    list: 'flows',
    columns: FLOW_COLUMNS.filter(({ id }) => id !== 'outer' || records.has('outer.src')),
    rows: unique(rows),
    usual: 'octets',
    noun: 'flows',
    isCut: table.isCut,
    note: '',
  };
}

/** What makes a flow that flow, beside its ends. */
const MARKS = [
  'network',
  'vlan',
  'inner.vlan',
  'ethertype',
  'icmp.type',
  'icmp.code',
  'mark',
  'cast',
] as const;

function flowRow(row: readonly Cell[], records: Records, { total }: LiveTable): ListRow {
  const text = (name: string): string => records.text(row, name);
  const octets = records.number(row, 'octets');
  const source = endText(text('src'), text('sport'));
  const destination = endText(text('dst'), text('dport'));
  const outer = text('outer.src') === '' ? '' : `${text('outer.src')} › ${text('outer.dst')}`;
  const proto = (text('proto') || text('ethertype') || text('network') || '*').toUpperCase();
  const segment = text('segment');
  return {
    key: [
      segment,
      outer,
      proto,
      source,
      destination,
      ...MARKS.map(text),
      text('mark.id'),
      text('remark'),
    ].join('|'),
    cells: {
      proto,
      source,
      destination,
      segment,
      outer,
      octets,
      packets: records.number(row, 'packets'),
      share: total.octets > 0 ? octets / total.octets : 0,
    },
    octets,
    opens: undefined,
    words: `${proto} ${source} › ${destination}`,
    facts: () => records.facts(row),
  };
}

function endText(address: string, port: string): string {
  if (address === '') return '*';
  if (port === '') return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Tunnels of a table. */
export function tunnelListing(table: LiveTable): Listing {
  const records = new Records(table);
  const rows = table.rows.map((row) => tunnelRow(row, records, table));
  return {
    list: 'tunnels',
    columns: TUNNEL_COLUMNS.filter(({ id, kind }) => records.has(id) || kind === 'trend' || kind === 'share'),
    rows: unique(rows),
    usual: 'octets',
    noun: 'tunnels',
    isCut: table.isCut,
    note: '',
  };
}

/** The same as far as a view of hosts tells it, for agents that do not answer questions about tunnels. */
export function tunnelsOfView({ nodes, links, total }: View): LiveTable {
  const rows = links.flatMap(({ source, target, parts }) =>
    parts
      .filter(({ segment }) => segment !== 'none')
      .map(({ segment, octets, packets }): Cell[] => [
        segment,
        nodes[source]!.address,
        nodes[target]!.address,
        octets,
        packets,
      ]),
  );
  return {
    columns: [
      { name: 'segment', kind: 'text' },
      { name: 'outer.src', kind: 'address' },
      { name: 'outer.dst', kind: 'address' },
      { name: 'octets', kind: 'octets' },
      { name: 'packets', kind: 'packets' },
    ],
    rows,
    total,
    isCut: nodes.some(({ id }) => id === '(others)'),
  };
}

function tunnelRow(row: readonly Cell[], records: Records, { total }: LiveTable): ListRow {
  const [segment, from, to] = ['segment', 'outer.src', 'outer.dst'].map((name) => records.text(row, name));
  const octets = records.number(row, 'octets');
  const names = [
    ...['headroom', 'loss', 'resent', 'round.trip'],
    ...['flows', 'overhead', 'longest', 'entropy', 'fragments'],
  ];
  const place: Place = {
    kind: 'flows',
    words: `flows in ${segmentName(segment!)}, ${from} and ${to}`,
    filter: [
      ...segmentFilter(segment!),
      ...[from!, to!].filter(isAddress).map((address) => `outer.host = ${address}`),
    ].join(' and '),
    segment: segment!,
  };
  return {
    key: [segment, from, to].join('|'),
    cells: {
      segment: segment!,
      'outer.src': from!,
      'outer.dst': to!,
      octets,
      packets: records.number(row, 'packets'),
      share: total.octets > 0 ? octets / total.octets : 0,
      ...Object.fromEntries(names.map((name) => [name, records.cell(row, name)])),
    },
    octets,
    opens: place,
    words: `${segmentName(segment!)} ${from} › ${to}`,
    facts: () => records.facts(row),
  };
}

/** Rows that nothing shown tells apart keep their own keys. */
function unique(rows: readonly ListRow[]): ListRow[] {
  const seen = new Map<string, number>();
  return rows.map((row) => {
    const count = seen.get(row.key) ?? 0;
    seen.set(row.key, count + 1);
    return count === 0 ? row : { ...row, key: `${row.key}#${count}` };
  });
}
