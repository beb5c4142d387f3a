/** A history without a store: every record of every epoch in a list, and questions answered by going through it. */
import {
  DIRECTIONS,
  FIELDS,
  type FieldName,
  type FlowBatch,
  formatAddress,
  hasPorts,
  hasTunnelId,
  isIcmp,
  NETWORK,
  tunnelName,
} from '../src/flow/index.ts';
import {
  codeText,
  compileFilter,
  type Dimension,
  fieldsOf,
  type HistoryQuantity,
  type HistoryQuestion,
  parseHistoryFilter,
  type RecordTest,
} from '../src/query/index.ts';

/** Length of the store's periods, ms. */
export const PERIOD_MS = 10_000;

/** A value of a dimension; null: the flow has none. */
export type Value = string | number | null;

/** One record of one epoch. */
interface Entry {
  readonly batch: FlowBatch;
  readonly row: number;
  readonly periodMs: number;
  readonly uniflow: string;
  readonly octets: number;
  readonly packets: number;
  readonly payload: number;
  /** Whether its point counts where packets count once. */
  readonly counts: boolean;
}

/** Sums of some records. */
export interface Sums {
  readonly octets: number;
  readonly packets: number;
  readonly payload: number;
  readonly flows: number;
}

/** A group of records and its sums. */
export interface Group {
  readonly values: readonly Value[];
  readonly sums: Sums;
}

/** What was metered, in a list. */
export class NaiveHistory {
  readonly #entries: readonly Entry[];

  constructor(batches: readonly FlowBatch[]) {
    const entries = batches.flatMap((batch) =>
      Array.from({ length: batch.length }, (_, row) => entryOf(batch, row)),
    );
    const agents = Map.groupBy(
      entries,
      ({ batch, periodMs, uniflow }) => `${batch.agent} ${periodMs} ${uniflow}`,
    );
    this.#entries = [...agents.values()].flatMap(counted);
  }

  /** The groups of a question in a span, in no order. */
  groups(
    question: HistoryQuestion,
    by: readonly Dimension[],
    span: { fromMs: number; toMs: number },
  ): Group[] {
    const groups = Map.groupBy(this.#chosen(question, by, span), (entry) =>
      JSON.stringify(valuesOf(entry, by)),
    );
    return [...groups.values()].map((entries) => ({
      values: valuesOf(entries[0]!, by),
      sums: sumsOf(entries),
    }));
  }

  /** The same per step of time. */
  steps(
    question: HistoryQuestion,
    by: readonly Dimension[],
    { fromMs, toMs, stepMs }: { fromMs: number; toMs: number; stepMs: number },
  ): Map<number, Group[]> {
    const chosen = this.#chosen(question, by, { fromMs, toMs });
    const steps = Map.groupBy(chosen, ({ periodMs }) => Math.floor(periodMs / stepMs) * stepMs);
    return new Map(
      [...steps].map(([step, entries]) => {
        const groups = Map.groupBy(entries, (entry) => JSON.stringify(valuesOf(entry, by)));
        return [
          step,
          [...groups.values()].map((each) => ({ values: valuesOf(each[0]!, by), sums: sumsOf(each) })),
        ];
      }),
    );
  }

  /** Sums of the records of a step that are of none of these groups. */
  rest(
    question: HistoryQuestion,
    by: readonly Dimension[],
    { fromMs, toMs, without }: { fromMs: number; toMs: number; without: ReadonlySet<string> },
  ): Sums | undefined {
    const entries = this.#chosen(question, by, { fromMs, toMs }).filter(
      (entry) => !without.has(JSON.stringify(valuesOf(entry, by))),
    );
    return entries.length === 0 ? undefined : sumsOf(entries);
  }

  /** Uniflows with their sums. */
  uniflows(question: HistoryQuestion, span: { fromMs: number; toMs: number }): Sums[] {
    const uniflows = Map.groupBy(this.#chosen(question, [], span), ({ uniflow }) => uniflow);
    return [...uniflows.values()].map(sumsOf);
  }

  #chosen(
    { filter: text, points }: HistoryQuestion,
    by: readonly Dimension[],
    { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  ): Entry[] {
    const filter = parseHistoryFilter(text ?? '');
    const fields = fieldsOf(filter);
    const isOfPoints = by.some(isOfPoint) || fields.has('iface') || fields.has('direction');
    const isEvery = (points ?? (isOfPoints ? 'every' : 'once')) === 'every';
    const tests = new Map<FlowBatch, RecordTest>();
    const fits = ({ batch, row }: Entry): boolean => {
      const test = tests.get(batch) ?? compileFilter(filter, batch.points);
      tests.set(batch, test);
      return test(batch.columns, row);
    };
    // As rows are of periods, so is what is asked.
    const from = Math.floor(fromMs / PERIOD_MS) * PERIOD_MS;
    return this.#entries.filter(
      (entry) => entry.periodMs >= from && entry.periodMs < toMs && (isEvery || entry.counts) && fits(entry),
    );
  }
}

function isOfPoint(dimension: Dimension): boolean {
  return dimension === 'iface' || dimension === 'direction';
}

/** Key columns of uniflows: all that make a flow, but where it was seen. */
const UNIFLOW_KEY = (Object.keys(FIELDS) as FieldName[]).filter(
  (name) => FIELDS[name].key && name !== 'ifindex' && name !== 'direction',
);

function entryOf(batch: FlowBatch, row: number): Omit<Entry, 'counts'> {
  const { columns, startMs } = batch;
  return {
    batch,
    row,
    periodMs: Math.floor(startMs / PERIOD_MS) * PERIOD_MS,
    uniflow: UNIFLOW_KEY.map((name) => {
      const width = FIELDS[name].bits === 128 ? 16 : 1;
      return columns[name].slice(width * row, width * (row + 1)).join('.');
    }).join(' '),
    octets: Number(columns.wireOctets[row]),
    packets: Number(columns.wirePackets[row]),
    payload: Number(columns.payloadOctets[row]),
  };
}

/** Invariant 5: of the primary points, or else of all, the direction that saw more of the uniflow. */
function counted(entries: readonly Omit<Entry, 'counts'>[]): Entry[] {
  const pointOf = ({ batch, row }: Omit<Entry, 'counts'>): { primary: boolean; direction: number } => {
    const { ifindex, direction } = batch.columns;
    const point = batch.points.find(
      (each) => each.ifindex === ifindex[row] && each.direction === direction[row],
    );
    return { primary: point?.primary ?? false, direction: direction[row]! };
  };
  const isAnyPrimary = entries.some((entry) => pointOf(entry).primary);
  const chosen = entries.filter((entry) => pointOf(entry).primary === isAnyPrimary);
  const of = (direction: number): readonly [octets: number, packets: number] => {
    const seen = chosen.filter((entry) => pointOf(entry).direction === direction);
    return [
      seen.reduce((sum, { octets }) => sum + octets, 0),
      seen.reduce((sum, { packets }) => sum + packets, 0),
    ];
  };
  const [ingress, egress] = [of(0), of(1)];
  const isSeen = (direction: number): boolean =>
    chosen.some((entry) => pointOf(entry).direction === direction);
  let larger = egress[0] > ingress[0] || (egress[0] === ingress[0] && egress[1] > ingress[1]) ? 1 : 0;
  if (!isSeen(larger)) larger = 1 - larger;
  return entries.map((entry) => ({
    ...entry,
    counts: chosen.includes(entry) && pointOf(entry).direction === larger,
  }));
}

function sumsOf(entries: readonly Entry[]): Sums {
  const sum = (quantity: Exclude<HistoryQuantity, 'flows'>): number =>
    entries.reduce((sum, entry) => sum + entry[quantity], 0);
  return {
    octets: sum('octets'),
    packets: sum('packets'),
    payload: sum('payload'),
    flows: new Set(entries.map(({ uniflow }) => uniflow)).size,
  };
}

/** The values that tell a record's group from others. */
function valuesOf({ batch, row }: Entry, by: readonly Dimension[]): Value[] {
  return by.map((dimension) => VALUES[dimension](batch, row));
}

type Read = (batch: FlowBatch, row: number) => Value;

const TAGGED = 0x8000;
const LATER_FRAGMENT = 2;
const isIp: (...of: Parameters<Read>) => boolean = ({ columns }, row) =>
  columns.network[row] === NETWORK.ipv4 || columns.network[row] === NETWORK.ipv6;
const showsTransport: typeof isIp = (batch, row) =>
  isIp(batch, row) && batch.columns.fragment[row] !== LATER_FRAGMENT;
const port =
  (name: 'sourcePort' | 'destinationPort'): Read =>
  (batch, row) =>
    showsTransport(batch, row) && hasPorts(batch.columns.protocol[row]!) ? batch.columns[name][row]! : null;
const icmp =
  (of: (typeCode: number) => number): Read =>
  (batch, row) =>
    showsTransport(batch, row) && isIcmp(batch.columns.protocol[row]!)
      ? of(batch.columns.icmpTypeCode[row]!)
      : null;
const pointOf = ({ columns, points }: FlowBatch, row: number) =>
  points.find(
    ({ ifindex, direction }) => ifindex === columns.ifindex[row] && direction === columns.direction[row],
  );

/** What a record has of each dimension. */
const VALUES: Readonly<Record<Dimension, Read>> = {
  src: ({ columns }, row) => (columns.network[row] ? formatAddress(columns.source, 16 * row) : null),
  dst: ({ columns }, row) => (columns.network[row] ? formatAddress(columns.destination, 16 * row) : null),
  sport: port('sourcePort'),
  dport: port('destinationPort'),
  proto: (batch, row) => {
    if (isIp(batch, row)) return codeText('proto', batch.columns.protocol[row]!);
    return batch.columns.network[row] === NETWORK.arp ? 'arp' : null;
  },
  network: ({ columns }, row) => codeText('network', columns.network[row]!),
  segment: ({ columns }, row) =>
    columns.tunnelKind[row] === 0
      ? 'none'
      : `${tunnelName(columns.tunnelKind[row]!)}:${columns.tunnelId[row]}`,
  tunnel: ({ columns }, row) => tunnelName(columns.tunnelKind[row]!),
  vni: ({ columns }, row) =>
    hasTunnelId(tunnelName(columns.tunnelKind[row]!)) ? columns.tunnelId[row]! : null,
  'outer.src': ({ columns }, row) =>
    columns.outerNetwork[row] ? formatAddress(columns.outerSource, 16 * row) : null,
  'outer.dst': ({ columns }, row) =>
    columns.outerNetwork[row] ? formatAddress(columns.outerDestination, 16 * row) : null,
  vlan: ({ columns }, row) => (columns.vlan[row]! & TAGGED ? columns.vlan[row]! & 0xfff : null),
  'inner.vlan': ({ columns }, row) =>
    columns.tunnelDepth[row] && columns.innerVlan[row]! & TAGGED ? columns.innerVlan[row]! & 0xfff : null,
  ethertype: ({ columns }, row) => codeText('ethertype', columns.ethertype[row]!),
  'icmp.type': icmp((typeCode) => typeCode >> 8),
  'icmp.code': icmp((typeCode) => typeCode & 0xff),
  dscp: (batch, row) => (isIp(batch, row) ? codeText('dscp', batch.columns.dscp[row]!) : null),
  mark: ({ columns }, row) => codeText('mark', columns.markKind[row]!),
  cast: ({ columns }, row) => codeText('cast', columns.cast[row]!),
  iface: (batch, row) => pointOf(batch, row)?.interfaceName ?? null,
  direction: ({ columns }, row) => DIRECTIONS[columns.direction[row]!]!,
  agent: ({ agent }) => agent,
};
