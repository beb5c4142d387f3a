/** Filters as conditions of SQL, each with exactly the meaning that `compileFilter` gives it. */
import { hasTunnelId, NETWORK, TUNNEL, TUNNEL_COLUMNS, type TunnelName } from '../flow/index.ts';
import {
  codesOfName,
  type Filter,
  type FilterField,
  type FilterValue,
  fieldDefinition,
  type HistoryLevel,
  matchesPattern,
  networkStart,
} from '../query/index.ts';
import type { PointRow } from './catalogue.ts';
import { FIELD_COLUMNS } from './columns.ts';
import { FIRST_EPHEMERAL_PORT } from './levels.ts';
import { whole } from './sql.ts';
import { HAS_PORTS, IS_ICMP, IS_IP } from './transport.ts';

/** A value of a field: where a row has it, and what it is. Codes that are no number have conditions of their own. */
interface Reading {
  readonly when?: string;
  readonly value: string;
  readonly codes?: Readonly<Record<number, string>>;
}

/** How a field is read from a row: as in src/query/filter/read.ts. No condition is ever NULL. */
type FieldSql =
  | { readonly kind: 'numbers'; readonly read: readonly Reading[] }
  | { readonly kind: 'bits'; readonly value: string }
  | { readonly kind: 'addresses'; readonly columns: readonly string[]; readonly when: string }
  /** What points have, not rows. */
  | { readonly kind: 'points'; readonly fits: (point: PointRow, value: FilterValue) => boolean };

const numbers = (...read: Reading[]): FieldSql => ({ kind: 'numbers', read });
const plain = (value: string): FieldSql => numbers({ value });
const both = (...conditions: (string | undefined)[]): string =>
  conditions.filter((each) => each !== undefined).join(' AND ');
const inTunnel = ({ when, value, codes }: Reading): Reading => ({
  when: both('tunnel_depth > 0', when),
  value,
  ...(codes && {
    codes: Object.fromEntries(
      Object.entries(codes).map(([code, condition]) => [code, both('tunnel_depth > 0', condition)]),
    ),
  }),
});

const WITHOUT_ID = (Object.keys(TUNNEL) as TunnelName[])
  .filter((name) => !hasTunnelId(name))
  .map((name) => TUNNEL[name]);

const sport: Reading = { when: HAS_PORTS, value: 'source_port' };
const dport: Reading = { when: HAS_PORTS, value: 'destination_port' };
/** As the filter language numbers `arp` and `none`. */
const [ARP_CODE] = codesOfName('proto', 'arp');
const [NONE_CODE] = codesOfName('vlan', 'none');
const proto: Reading = {
  when: IS_IP,
  value: 'protocol',
  codes: { [ARP_CODE!]: `network = ${NETWORK.arp}` },
};
const tag = (column: string, isOptional: boolean): Reading => ({
  when: `${column} >= 32768`,
  value: `(${column} & 4095)`,
  ...(isOptional && { codes: { [NONE_CODE!]: `${column} < 32768` } }),
});
const icmpType: Reading = { when: IS_ICMP, value: '(icmp_type_code >> 8)' };
const icmpCode: Reading = { when: IS_ICMP, value: '(icmp_type_code & 255)' };
const tunnels = TUNNEL_COLUMNS.map(({ kind, id }, level) => ({
  depth: `tunnel_depth > ${level}`,
  kind: FIELD_COLUMNS[kind][0].name,
  id: FIELD_COLUMNS[id][0].name,
}));
const addresses = (when: string, ...columns: string[]): FieldSql => ({ kind: 'addresses', columns, when });

const HAS_INNER = 'network <> 0';
const HAS_OUTER = 'outer_network <> 0';
const HAS_TUNNELLED = 'tunnel_depth > 0 AND network <> 0';

/** Every field. */
const FIELD_SQL = {
  src: addresses(HAS_INNER, 'source'),
  dst: addresses(HAS_INNER, 'destination'),
  host: addresses(HAS_INNER, 'source', 'destination'),
  sport: numbers(sport),
  dport: numbers(dport),
  port: numbers(sport, dport),
  proto: numbers(proto),
  network: plain('network'),
  tunnel: numbers(
    ...tunnels.map(({ depth, kind }, level) => ({ ...(level > 0 && { when: depth }), value: kind })),
  ),
  vni: numbers(
    ...tunnels.map(({ depth, kind, id }) => ({
      when: `${depth} AND ${kind} NOT IN (${WITHOUT_ID.join(', ')})`,
      value: id,
    })),
  ),
  depth: plain('tunnel_depth'),
  'outer.src': addresses(HAS_OUTER, 'outer_source'),
  'outer.dst': addresses(HAS_OUTER, 'outer_destination'),
  'outer.host': addresses(HAS_OUTER, 'outer_source', 'outer_destination'),
  'outer.network': plain('outer_network'),
  'outer.sport': numbers({ when: 'outer_source_port <> 0', value: 'outer_source_port' }),
  'inner.src': addresses(HAS_TUNNELLED, 'source'),
  'inner.dst': addresses(HAS_TUNNELLED, 'destination'),
  'inner.host': addresses(HAS_TUNNELLED, 'source', 'destination'),
  'inner.sport': numbers(inTunnel(sport)),
  'inner.dport': numbers(inTunnel(dport)),
  'inner.port': numbers(inTunnel(sport), inTunnel(dport)),
  'inner.proto': numbers(inTunnel(proto)),
  vlan: numbers(tag('vlan', true), tag('second_vlan', false)),
  'inner.vlan': numbers(inTunnel(tag('inner_vlan', true)), inTunnel(tag('inner_second_vlan', false))),
  iface: {
    kind: 'points',
    fits: ({ interfaceName }, value) =>
      value.kind === 'pattern' && interfaceName !== undefined && matchesPattern(interfaceName, value.pattern),
  },
  direction: {
    kind: 'points',
    fits: ({ direction }, value) =>
      value.kind === 'name' && codesOfName('direction', value.name).includes(direction),
  },
  ethertype: plain('ethertype'),
  'icmp.type': numbers(icmpType),
  'icmp.code': numbers(icmpCode),
  'src.mac': plain('source_mac'),
  'dst.mac': plain('destination_mac'),
  mac: numbers({ value: 'source_mac' }, { value: 'destination_mac' }),
  dscp: numbers({ when: IS_IP, value: 'dscp' }),
  mark: plain('mark_kind'),
  'mark.id': numbers({ when: 'mark_kind <> 0', value: 'mark_id' }),
  fragment: plain('fragment'),
  cast: plain('destination_cast'),
  remark: { kind: 'bits', value: 'remark' },
  octets: plain('wire_octets'),
  packets: plain('wire_packets'),
  payload: plain('payload_octets'),
  shortest: plain('shortest'),
  longest: plain('longest'),
  duration: plain('(epoch_ms(last_seen) - epoch_ms(first_seen))'),
  'tcp.flags': { kind: 'bits', value: 'tcp_flags' },
} as const satisfies Record<FilterField, FieldSql>;

/**
 * A filter as a condition on stored rows.
 *
 * @param points all there are: names of interfaces become numbers of points, so that no text of a question is ever SQL
 */
export function filterSql(filter: Filter, points: readonly PointRow[]): string {
  switch (filter.kind) {
    case 'any':
      return 'TRUE';
    case 'not':
      return `NOT (${filterSql(filter.filter, points)})`;
    case 'and':
    case 'or':
      return filter.filters
        .map((each) => `(${filterSql(each, points)})`)
        .join(filter.kind === 'and' ? ' AND ' : ' OR ');
    case 'compare': {
      const field: FieldSql = FIELD_SQL[filter.field];
      if (field.kind !== 'numbers') throw new RangeError(`"${filter.field}" is no number`);
      return anyOf(
        field.read.map(({ when, value }) =>
          both(when, `${value} ${filter.operator} ${whole(filter.number)}`),
        ),
      );
    }
    case 'is':
      return isSql(filter.field, filter.values, points);
  }
}

/** The coarsest level whose rows tell whether they fit. */
export function coarsestLevel(filter: Filter): HistoryLevel {
  switch (filter.kind) {
    case 'any':
      return 'hour';
    case 'not':
      return coarsestLevel(filter.filter);
    case 'and':
    case 'or':
      return finest(filter.filters.map(coarsestLevel));
    case 'is':
    case 'compare': {
      if (fieldDefinition(filter.field).isOfPeriod) return 'raw';
      if (filter.field === 'outer.sport') return 'minute';
      return /port$/.test(filter.field) && partsEphemeral(filter) ? 'minute' : 'hour';
    }
  }
}

/** The finest of some levels; without any the coarsest there is. */
export function finest(levels: readonly HistoryLevel[]): HistoryLevel {
  if (levels.includes('raw')) return 'raw';
  return levels.includes('minute') ? 'minute' : 'hour';
}

/** Whether some of the ports that the hour level has joined fit, and others do not. */
function partsEphemeral(filter: Extract<Filter, { kind: 'is' | 'compare' }>): boolean {
  const parts = (bound: number): boolean => bound > FIRST_EPHEMERAL_PORT && bound <= 0xffff;
  // The first port behind what `<=` or a range takes is where it parts.
  if (filter.kind === 'compare')
    return parts(filter.number + (filter.operator === '<=' || filter.operator === '>' ? 1 : 0));
  return filter.values.some((value) => {
    const [from, to] = intervalsOf(filter.field, value)[0] ?? [0, 0];
    return parts(from) || parts(to + 1);
  });
}

function anyOf(conditions: readonly string[]): string {
  const [only] = conditions;
  if (only === undefined) return 'FALSE';
  return conditions.length === 1 ? only : conditions.map((each) => `(${each})`).join(' OR ');
}

function isSql(field: FilterField, values: readonly FilterValue[], points: readonly PointRow[]): string {
  const sql: FieldSql = FIELD_SQL[field];
  switch (sql.kind) {
    case 'points': {
      const ids = points.filter((point) => values.some((value) => sql.fits(point, value)));
      return ids.length === 0 ? 'FALSE' : `point IN (${ids.map(({ id }) => whole(id)).join(', ')})`;
    }
    case 'addresses': {
      const networks = values.filter((value) => value.kind === 'network').map(rangeOf);
      return `${sql.when} AND (${anyOf(sql.columns.flatMap((column) => networksSql(column, networks)))})`;
    }
    case 'bits': {
      const mask = values
        .flatMap((value) => intervalsOf(field, value))
        .reduce((bits, [bit]) => bits | bit, 0);
      return `(${sql.value} & ${whole(mask)}) <> 0`;
    }
    case 'numbers': {
      const intervals = values.flatMap((value) => intervalsOf(field, value));
      return anyOf(sql.read.flatMap((reading) => readingSql(reading, intervals)));
    }
  }
}

type Interval = readonly [from: number, to: number];

function intervalsOf(field: FilterField, value: FilterValue): Interval[] {
  switch (value.kind) {
    case 'number':
      return [[value.number, value.number]];
    case 'range':
      return [[value.from, value.to]];
    case 'mac': {
      const mac = Number.parseInt(value.mac.replaceAll(':', ''), 16);
      return [[mac, mac]];
    }
    case 'name':
      return codesOfName(field, value.name).map((code) => [code, code]);
    default:
      throw new RangeError(`"${field}" is no number`);
  }
}

function readingSql({ when, value, codes }: Reading, intervals: readonly Interval[]): string[] {
  const singles = intervals.filter(([from, to]) => from === to && from >= 0).map(([from]) => whole(from));
  const ranges = intervals.filter(([from, to]) => from !== to);
  const fits = [
    ...(singles.length === 1 ? [`${value} = ${singles[0]}`] : []),
    ...(singles.length > 1 ? [`${value} IN (${singles.join(', ')})`] : []),
    ...ranges.map(([from, to]) => `${value} BETWEEN ${whole(from)} AND ${whole(to)}`),
  ];
  const special = intervals.flatMap(([code]) => (code < 0 ? (codes?.[code] ?? []) : []));
  if (fits.length === 0) return special;
  return [both(when, fits.length === 1 ? fits[0] : `(${anyOf(fits)})`), ...special];
}

/** First and last address of a network, as numbers of 128 bits. */
type Range = readonly [first: bigint, last: bigint];

const HALF = 64n;
const LOW = (1n << HALF) - 1n;
/** IPv4 addresses in their mapped form: `::ffff:0:0/96`. */
const MAPPED: Range = [0xffff_0000_0000n, 0xffff_ffff_ffffn];

function rangeOf(network: Extract<FilterValue, { kind: 'network' }>): Range {
  const { octets, bits } = networkStart(network);
  const first = BigInt(`0x${Buffer.from(octets).toString('hex')}`);
  return [first, first | ((1n << BigInt(128 - bits)) - 1n)];
}

function networksSql(column: string, ranges: readonly Range[]): string[] {
  const [hi, lo] = [`${column}_hi`, `${column}_lo`];
  const single = new Map<bigint, bigint[]>();
  const conditions: string[] = [];
  for (const [first, last] of ranges) {
    const [firstHi, lastHi] = [first >> HALF, last >> HALF];
    if (first === last) single.set(firstHi, [...(single.get(firstHi) ?? []), first & LOW]);
    else if (firstHi === lastHi) {
      const isShort = first <= MAPPED[0] && last >= MAPPED[1] && first !== last - (MAPPED[1] - MAPPED[0]);
      const within = `${hi} = ${firstHi} AND ${lo} BETWEEN ${first & LOW} AND ${last & LOW}`;
      conditions.push(isShort ? `${within} AND ${notMapped(lo)}` : within);
    } else {
      const within = `${hi} BETWEEN ${firstHi} AND ${lastHi}`;
      // Networks of IPv6 that span the mapped addresses do not mean them.
      conditions.push(firstHi === 0n ? `${within} AND (${hi} <> 0 OR ${notMapped(lo)})` : within);
    }
  }
  for (const [half, addresses] of single) {
    const list = addresses.join(', ');
    conditions.push(`${hi} = ${half} AND ${lo} ${addresses.length === 1 ? `= ${list}` : `IN (${list})`}`);
  }
  return conditions;
}

function notMapped(lo: string): string {
  return `${lo} NOT BETWEEN ${MAPPED[0]} AND ${MAPPED[1]}`;
}
