/** For tests: what a filter means, slow and obvious, over records as they are shown. */
import { type DecodedRecord, decodeRecord, type FlowBatch, type Named } from '../../flow/index.ts';
import type { Filter, FilterValue } from './ast.ts';
import type { FilterField } from './fields.ts';
import { matchesPattern } from './pattern.ts';
import { VALUE_TYPES } from './value-type.ts';

/** Whether record `row` fits. */
export function fits(filter: Filter, batch: FlowBatch, row: number): boolean {
  switch (filter.kind) {
    case 'any':
      return true;
    case 'not':
      return !fits(filter.filter, batch, row);
    case 'and':
      return filter.filters.every((each) => fits(each, batch, row));
    case 'or':
      return filter.filters.some((each) => fits(each, batch, row));
    case 'is':
      return shown(filter.field, batch, row).some((each) =>
        filter.values.some((value) => equals(each, value)),
      );
    case 'compare':
      return shown(filter.field, batch, row).some((each) => {
        if (typeof each !== 'number') return false;
        const { operator, number } = filter;
        if (operator === '<') return each < number;
        if (operator === '<=') return each <= number;
        return operator === '>' ? each > number : each >= number;
      });
  }
}

/** A number, or a word: of an address, a MAC, an interface, or a name in lower case. */
type Shown = number | string;

function equals(shown: Shown, value: FilterValue): boolean {
  switch (value.kind) {
    case 'number':
      return shown === value.number;
    case 'range':
      return typeof shown === 'number' && shown >= value.from && shown <= value.to;
    case 'name':
      return shown === value.name || (typeof shown === 'number' && numbersOf(value.name).includes(shown));
    case 'mac':
      return shown === value.mac;
    case 'pattern':
      return matchesPattern(String(shown), value.pattern);
    case 'network':
      return bitsOf(String(shown)).startsWith(bitsOf(value.address).slice(0, value.prefix + 1));
  }
}

/** Numbers that words stand for, where records show numbers. */
function numbersOf(name: string): readonly number[] {
  const known = [VALUE_TYPES.protocol, VALUE_TYPES.ethertype, VALUE_TYPES.dscp] as const;
  return known.flatMap(({ names }) => names.get(name) ?? []);
}

/** An address as a letter for its family and its bits. */
function bitsOf(address: string): string {
  if (!address.includes(':'))
    return `4${address
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('')}`;
  const [head = '', tail] = address.split('::');
  const groups = (half: string): string[] => (half === '' ? [] : half.split(':'));
  const before = groups(head);
  const behind = tail === undefined ? [] : groups(tail);
  const zeros = Array<string>(8 - before.length - behind.length).fill('0');
  const bits = [...before, ...zeros, ...behind].map((group) =>
    Number.parseInt(group, 16).toString(2).padStart(16, '0'),
  );
  return `6${bits.join('')}`;
}

/** The values of a field; none where the flow lacks it. */
function shown(field: FilterField, batch: FlowBatch, row: number): Shown[] {
  const record = decodeRecord(batch.columns, row);
  const tunnels = record.tunnels as readonly Named[];
  if (field.startsWith('inner.') && tunnels.length === 0) return [];
  const mark = record.mark as Named | null;
  const isIp = record.network === 'ipv4' || record.network === 'ipv6';
  const hasPorts =
    isIp &&
    [6, 17, 33, 132, 136].includes(record.protocol as number) &&
    record.fragment !== 'fragmentWithoutPorts';
  const words = (...names: (keyof DecodedRecord)[]): Shown[] =>
    names.map((name) => record[name]).filter((each) => each !== null) as Shown[];
  const tags = (first: keyof DecodedRecord, second: keyof DecodedRecord): Shown[] =>
    [record[first] ?? 'none', record[second]].filter((each) => each !== null) as Shown[];
  const icmp = record.icmpTypeCode as { type: number; code: number } | null;
  const values: Record<string, () => Shown[]> = {
    src: () => words('source'),
    dst: () => words('destination'),
    host: () => words('source', 'destination'),
    sport: () => (hasPorts ? words('sourcePort') : []),
    dport: () => (hasPorts ? words('destinationPort') : []),
    port: () => (hasPorts ? words('sourcePort', 'destinationPort') : []),
    proto: () => (record.network === 'arp' ? ['arp'] : isIp ? words('protocol') : []),
    network: () => words('network'),
    tunnel: () => (tunnels.length === 0 ? ['none'] : tunnels.map(({ kind }) => kind)),
    vni: () => tunnels.flatMap(({ id }) => id ?? []),
    depth: () => [tunnels.length],
    'outer.src': () => words('outerSource'),
    'outer.dst': () => words('outerDestination'),
    'outer.host': () => words('outerSource', 'outerDestination'),
    'outer.network': () => words('outerNetwork'),
    'outer.sport': () => (record.outerSourcePort === 0 ? [] : words('outerSourcePort')),
    vlan: () => tags('vlan', 'secondVlan'),
    'inner.vlan': () => tags('innerVlan', 'innerSecondVlan'),
    iface: () => [batch.points.find(({ ifindex }) => ifindex === record.ifindex)!.interfaceName],
    direction: () => words('direction'),
    ethertype: () => words('ethertype'),
    'icmp.type': () => (icmp ? [icmp.type] : []),
    'icmp.code': () => (icmp ? [icmp.code] : []),
    'src.mac': () => words('sourceMac'),
    'dst.mac': () => words('destinationMac'),
    mac: () => words('sourceMac', 'destinationMac'),
    dscp: () => (isIp ? words('dscp') : []),
    mark: () => [mark?.kind ?? 'none'],
    'mark.id': () => (mark ? [mark.id!] : []),
    fragment: () => words('fragment'),
    cast: () => words('cast'),
    remark: () => record.remark as string[],
    octets: () => words('wireOctets'),
    packets: () => words('wirePackets'),
    payload: () => words('payloadOctets'),
    shortest: () => words('shortest'),
    longest: () => words('longest'),
    duration: () => [Date.parse(String(record.lastMs)) - Date.parse(String(record.firstMs))],
    'tcp.flags': () =>
      [...VALUE_TYPES.tcpFlags.names].flatMap(([name, [bit]]) =>
        (record.tcpFlags as number) & bit! ? [name] : [],
      ),
  };
  return (values[field] ?? values[field.replace(/^inner\./, '')])!();
}
