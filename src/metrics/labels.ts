/**
 * What traffic can be told apart by: groups of labels, in the words of the filter language. A record's values are some
 * words of a key, which are compared for each record, and text, which is made once per series.
 */
import {
  columnWords,
  type FlowBatch,
  formatAddress,
  NETWORK,
  REMARK,
  transportName,
  tunnelIdText,
  tunnelName,
} from '../flow/index.ts';

/** Numbers for texts that come again: equal texts must be one series, whatever fields they were made of. */
export class Names {
  readonly #numbers = new Map<string, number>();
  #next = 0;

  /** Names that have a number. */
  get length(): number {
    return this.#numbers.size;
  }

  number(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#numbers.set(name, this.#next);
    return this.#next++;
  }

  /** Forgets the names of all other numbers, which are not given again. */
  retain(numbers: ReadonlySet<number>): void {
    for (const [name, number] of this.#numbers) if (!numbers.has(number)) this.#numbers.delete(name);
  }
}

/** A group's values in one batch. */
interface BoundGroup {
  /** Writes the record's words into a key from `at` on. */
  key(row: number, key: Uint32Array, at: number): void;
  /** The values of its labels, in their order. */
  values(row: number): readonly string[];
}

/** Records and where they were seen: all that labels are made of. */
export type LabelSource = Pick<FlowBatch, 'columns' | 'points'>;

interface Group {
  readonly labels: readonly string[];
  /** Words of its key. */
  readonly width: number;
  /** Says where a packet was seen, not what it was: there are few values, and they stay when detail finds no room. */
  readonly isPlace: boolean;
  /** The word of its key is a number of {@link Names}. */
  readonly isNamed: boolean;
  readonly bind: (records: LabelSource, names: Names) => BoundGroup;
}

/** The groups, in the order of their labels. */
export const LABEL_GROUPS = {
  interface: {
    labels: ['interface', 'primary'],
    width: 1,
    isPlace: true,
    isNamed: true,
    bind: bindInterface,
  },
  direction: { labels: ['direction'], width: 1, isPlace: true, isNamed: false, bind: bindDirection },
  protocol: { labels: ['protocol'], width: 1, isPlace: false, isNamed: true, bind: bindProtocol },
  tunnel: { labels: ['tunnel'], width: 1, isPlace: false, isNamed: false, bind: bindTunnel },
  vni: { labels: ['vni'], width: 1, isPlace: false, isNamed: false, bind: bindIdentifier },
  hosts: {
    labels: ['source_host', 'destination_host'],
    width: 9,
    isPlace: false,
    isNamed: false,
    bind: bindHosts,
  },
  flows: {
    labels: ['src', 'dst', 'sport', 'dport'],
    width: 10,
    isPlace: false,
    isNamed: false,
    bind: bindFlows,
  },
} as const satisfies Record<string, Group>;

/** Name of a group of labels. */
export type LabelGroup = keyof typeof LABEL_GROUPS;

/** Names of all groups. */
export const LABEL_GROUP_NAMES = Object.keys(LABEL_GROUPS) as readonly LabelGroup[];

/** What is told apart unless asked otherwise: as many series as there are interfaces, protocols and segments. */
export const DEFAULT_LABELS: readonly LabelGroup[] = ['interface', 'direction', 'protocol', 'tunnel', 'vni'];

/** Protocol of records whose flow the kernel's table had no room for. */
const OVERFLOW = 'overflow';

function bindInterface({ points, columns }: LabelSource, names: Names): BoundGroup {
  const found = new Map(
    points.map(({ ifindex, interfaceName, primary }) => {
      const values = [interfaceName, String(primary)];
      return [ifindex, { number: names.number(values.join(' ')), values }];
    }),
  );
  const unknown = { number: names.number(' false'), values: ['', 'false'] };
  let [lastIfindex, last] = [-1, unknown];
  const of = (row: number) => {
    const ifindex = columns.ifindex[row]!;
    if (ifindex !== lastIfindex) [lastIfindex, last] = [ifindex, found.get(ifindex) ?? unknown];
    return last;
  };
  return {
    key(row, key, at) {
      key[at] = of(row).number;
    },
    values: (row) => of(row).values,
  };
}

function bindDirection({ columns }: LabelSource): BoundGroup {
  return {
    key(row, key, at) {
      key[at] = columns.direction[row]!;
    },
    values: (row) => [columns.direction[row] === 0 ? 'ingress' : 'egress'],
  };
}

function bindProtocol({ columns: c }: LabelSource, names: Names): BoundGroup {
  const name = (row: number): string =>
    c.remark[row]! & REMARK.overflow
      ? OVERFLOW
      : transportName(c.network[row]!, c.protocol[row]!, c.ethertype[row]!);
  // Of the fields only: the same few combinations come a hundred thousand times.
  const numbers = new Map<number, number>();
  return {
    key(row, key, at) {
      const isOverflow = c.remark[row]! & REMARK.overflow;
      const fields =
        isOverflow | (c.network[row]! << 4) | (c.protocol[row]! << 8) | (c.ethertype[row]! << 16);
      let number = numbers.get(fields);
      if (number === undefined) {
        number = names.number(name(row));
        numbers.set(fields, number);
      }
      key[at] = number;
    },
    values: (row) => [name(row)],
  };
}

function bindTunnel({ columns }: LabelSource): BoundGroup {
  return {
    key(row, key, at) {
      key[at] = columns.tunnelKind[row]!;
    },
    values: (row) => [tunnelName(columns.tunnelKind[row]!)],
  };
}

function bindIdentifier({ columns: c }: LabelSource): BoundGroup {
  return {
    key(row, key, at) {
      key[at] = c.tunnelId[row]!;
    },
    values: (row) => [tunnelIdText(tunnelName(c.tunnelKind[row]!), c.tunnelId[row]!)],
  };
}

/** Outer addresses; of traffic that no network layer carries in a tunnel the addresses of who speaks. */
function bindHosts({ columns: c }: LabelSource): BoundGroup {
  const outer = [columnWords(c.outerSource), columnWords(c.outerDestination)] as const;
  const inner = [columnWords(c.source), columnWords(c.destination)] as const;
  const isOuter = (row: number): boolean => c.outerNetwork[row] !== NETWORK.none;
  const hasAny = (row: number): boolean => isOuter(row) || c.network[row] !== NETWORK.none;
  return {
    key(row, key, at) {
      const has = hasAny(row);
      key[at + 8] = Number(has);
      putPair(key, at, isOuter(row) ? outer : inner, has ? row : -1);
    },
    values: (row) => {
      if (!hasAny(row)) return ['', ''];
      const [source, destination] = isOuter(row)
        ? [c.outerSource, c.outerDestination]
        : [c.source, c.destination];
      return [formatAddress(source, 16 * row), formatAddress(destination, 16 * row)];
    },
  };
}

function bindFlows({ columns: c }: LabelSource): BoundGroup {
  const words = [columnWords(c.source), columnWords(c.destination)] as const;
  const has = (row: number): boolean => c.network[row] !== NETWORK.none;
  return {
    key(row, key, at) {
      putPair(key, at, words, has(row) ? row : -1);
      key[at + 8] = Number(has(row));
      key[at + 9] = (c.sourcePort[row]! << 16) | c.destinationPort[row]!;
    },
    values: (row) => [
      has(row) ? formatAddress(c.source, 16 * row) : '',
      has(row) ? formatAddress(c.destination, 16 * row) : '',
      String(c.sourcePort[row]!),
      String(c.destinationPort[row]!),
    ],
  };
}

/** Two addresses, eight words; zeros for row −1. */
function putPair(
  key: Uint32Array,
  at: number,
  [source, destination]: readonly [Uint32Array, Uint32Array],
  row: number,
): void {
  for (let i = 0; i < 4; i++) {
    key[at + i] = row < 0 ? 0 : source[4 * row + i]!;
    key[at + 4 + i] = row < 0 ? 0 : destination[4 * row + i]!;
  }
}
