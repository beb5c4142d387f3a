/**
 * What a decision about a packet can be made by: numbers that follow from its flow's key, one of a kind. The fields of the
 * filter language are conditions on these.
 */
import { hasTunnelId, NETWORK, REMARK, TUNNEL, type TunnelName } from '../../flow/index.ts';
import type { FilterValue, OrderOperator } from './ast.ts';
import { type FilterField, fieldDefinition } from './fields.ts';
import { MAPPED_BITS, networkStart } from './network.ts';
import { matchesPattern } from './pattern.ts';
import { complement, type ValueSet, type ValueSpan, valueSet } from './value-set.ts';
import { ARP_CODE, codesOf, NONE_CODE } from './value-type.ts';

/** Every field of a decision, each a number. How they are made of a packet says bpf/rules/fields.h. */
export const DECISION_FIELDS = [
  'source',
  'destination',
  'outerSource',
  'outerDestination',
  'sourcePort',
  'destinationPort',
  'icmp',
  'protocol',
  'outerNetwork',
  'ethertype',
  'tunnel0',
  'tunnel1',
  'tunnel2',
  'tunnel3',
  'tunnelId0',
  'tunnelId1',
  'tunnelId2',
  'tunnelId3',
  'depth',
  'vlan',
  'secondVlan',
  'innerVlan',
  'innerSecondVlan',
  'mark',
  'markId',
  'fragment',
  'cast',
  'remark',
  'interface',
  'direction',
] as const;
export type DecisionField = (typeof DECISION_FIELDS)[number];

/** Conditions that must all hold; a field that is not named may be anything. None at all: every flow. */
export type Conjunction = ReadonlyMap<DecisionField, ValueSet>;

/** An interface by its number and name. */
export interface NamedInterface {
  readonly ifindex: number;
  readonly interfaceName: string;
}

/** The highest address. */
export const ADDRESS_MOST: bigint = 2n ** 128n - 1n;
const NUMBER_MOST = 2n ** 60n - 1n;
/** The IPv4 addresses among those of 128 bits. */
export const MAPPED: ValueSpan = [0xffff_0000_0000n, 0xffff_ffff_ffffn];

/** Whether a field's values are addresses. */
export function isAddress(field: DecisionField): boolean {
  return mostOf(field) === ADDRESS_MOST;
}

/** The highest value of a field's domain. */
export function mostOf(field: DecisionField): bigint {
  switch (field) {
    case 'source':
    case 'destination':
    case 'outerSource':
    case 'outerDestination':
      return ADDRESS_MOST;
    default:
      return NUMBER_MOST;
  }
}

/** Bits by number of the kind, of tunnels that have an identifier. */
export const KINDS_WITH_ID: number = Object.entries(TUNNEL)
  .filter(([name]) => hasTunnelId(name as TunnelName))
  .reduce((bits, [, kind]) => bits | (1 << kind), 0);

/** What a condition of the filter language compares with: values, or a number by its order. */
export type Operand =
  | { readonly kind: 'is'; readonly values: readonly FilterValue[] }
  | { readonly kind: 'compare'; readonly operator: OrderOperator; readonly number: number };

type Plan = (field: FilterField, operand: Operand, interfaces: readonly NamedInterface[]) => Conjunction[];

/**
 * The conjunctions of which one must hold for a condition to hold.
 *
 * @returns undefined where the field says more than a flow's key
 */
export function decisionOf(
  field: FilterField,
  operand: Operand,
  interfaces: readonly NamedInterface[],
): Conjunction[] | undefined {
  return PLANS[field]?.(field, operand, interfaces);
}

/** Whether a decision can be made by a field. */
export function isDecidable(field: FilterField): boolean {
  return PLANS[field] !== undefined;
}

const one = (field: DecisionField, set: ValueSet): Conjunction => new Map([[field, set]]);

/** Numbers of the operand as the field's codes, names included; `compare` means numbers only. */
function codeSpans(field: FilterField, operand: Operand): [from: number, to: number][] {
  const { type } = fieldDefinition(field);
  if (operand.kind === 'compare') {
    const most = type.kind === 'number' ? type.max : Number.MAX_SAFE_INTEGER;
    const { operator, number } = operand;
    if (operator === '<') return number > 0 ? [[0, number - 1]] : [];
    if (operator === '<=') return [[0, number]];
    const from = operator === '>' ? number + 1 : number;
    return from <= most ? [[from, most]] : [];
  }
  return operand.values.flatMap((value): [number, number][] => {
    switch (value.kind) {
      case 'number':
        return [[value.number, value.number]];
      case 'range':
        return [[value.from, value.to]];
      case 'name':
        return codesOf(type, value.name)!.map((code) => [code, code]);
      default:
        throw new RangeError(`"${field}" has no values of kind ${value.kind}`);
    }
  });
}

/** The numbers as they are, each moved into its place: `shift` higher, with room for `more` below. */
function placed(spans: readonly (readonly [number, number])[], base = 0, room = 1): ValueSet {
  return valueSet(
    spans
      .filter(([from]) => from >= 0)
      .map(
        ([from, to]): ValueSpan => [
          BigInt(base) + BigInt(from) * BigInt(room),
          BigInt(base) + BigInt(to) * BigInt(room) + BigInt(room) - 1n,
        ],
      ),
  );
}

const numbers =
  (...fields: readonly DecisionField[]): Plan =>
  (field, operand) => {
    const set = placed(codeSpans(field, operand));
    return fields.map((each) => one(each, set));
  };

const addresses =
  (...fields: readonly DecisionField[]): Plan =>
  (_field, operand) => {
    const set = valueSet(operand.kind === 'is' ? operand.values.flatMap(networkSpans) : []);
    return fields.map((each) => one(each, set));
  };

/** A short IPv6 prefix spans the mapped IPv4 addresses and does not mean them. */
function networkSpans(value: FilterValue): ValueSpan[] {
  if (value.kind !== 'network') return [];
  const { octets, bits } = networkStart(value);
  const view = new DataView(octets.buffer, octets.byteOffset);
  const from = (view.getBigUint64(0) << 64n) | view.getBigUint64(8);
  const to = from + 2n ** BigInt(128 - bits) - 1n;
  const [mappedFrom, mappedTo] = MAPPED;
  if (bits >= MAPPED_BITS || from > mappedTo || to < mappedFrom) return [[from, to]];
  const parts: ValueSpan[] = [
    [from, mappedFrom - 1n],
    [mappedTo + 1n, to],
  ];
  return parts.filter(([low, high]) => low <= high);
}

/** The same of flows in a tunnel. */
const TUNNELLED = complement(valueSet([[0n, 0n]], true), NUMBER_MOST);
const inner =
  (plan: Plan): Plan =>
  (...words) =>
    plan(...words).map((each) => new Map([...each, ['depth', TUNNELLED]]));

const PROTOCOLS = 0x100;
const network: Plan = (field, operand) => [one('protocol', placed(codeSpans(field, operand), 0, PROTOCOLS))];

const proto: Plan = (field, operand) => {
  const spans = codeSpans(field, operand);
  const ip = [NETWORK.ipv4, NETWORK.ipv6].map((layer) => placed(spans, layer * PROTOCOLS));
  const isArp = spans.some(([from]) => from === ARP_CODE);
  const arp = isArp ? placed([[NETWORK.arp, NETWORK.arp]], 0, PROTOCOLS) : valueSet([]);
  return [one('protocol', valueSet([...ip, arp].flatMap((each) => each.spans)))];
};

const TAGGED = 0x8000;
const vlan =
  (first: DecisionField, second: DecisionField): Plan =>
  (field, operand) => {
    const spans = codeSpans(field, operand);
    const tagged = placed(spans, TAGGED);
    const isNone = spans.some(([from]) => from === NONE_CODE);
    const untagged: ValueSpan[] = isNone ? [[0n, 0n]] : [];
    return [one(first, valueSet([...tagged.spans, ...untagged])), one(second, tagged)];
  };

const iface: Plan = (_field, operand, interfaces) => {
  const patterns = operand.kind === 'is' ? operand.values : [];
  const chosen = interfaces.filter(({ interfaceName }) =>
    patterns.some((value) => value.kind === 'pattern' && matchesPattern(interfaceName, value.pattern)),
  );
  return [one('interface', placed(chosen.map(({ ifindex }) => [ifindex, ifindex] as const)))];
};

const TYPES = 0x100;
const icmpType: Plan = (field, operand) => [one('icmp', placed(codeSpans(field, operand), 0, TYPES))];
const icmpCode: Plan = (field, operand) => {
  const spans = codeSpans(field, operand);
  const all = Array.from({ length: TYPES }, (_, type) => placed(spans, type * TYPES).spans);
  return [one('icmp', valueSet(all.flat()))];
};

/** Any number that has one of the bits. */
const remark: Plan = (field, operand) => {
  const mask = codeSpans(field, operand).reduce((bits, [bit]) => bits | bit, 0);
  const all = Object.values(REMARK).reduce((bits, bit) => bits | bit, 0);
  const fitting = Array.from({ length: all + 1 }, (_, bits) => bits).filter((bits) => bits & mask);
  return [one('remark', placed(fitting.map((bits) => [bits, bits] as const)))];
};

const src = addresses('source');
const dst = addresses('destination');
const host = addresses('source', 'destination');
const sport = numbers('sourcePort');
const dport = numbers('destinationPort');
const port = numbers('sourcePort', 'destinationPort');

const PLANS: Readonly<Partial<Record<FilterField, Plan>>> = {
  src,
  dst,
  host,
  sport,
  dport,
  port,
  proto,
  network,
  tunnel: numbers('tunnel0', 'tunnel1', 'tunnel2', 'tunnel3'),
  vni: numbers('tunnelId0', 'tunnelId1', 'tunnelId2', 'tunnelId3'),
  depth: numbers('depth'),
  'outer.src': addresses('outerSource'),
  'outer.dst': addresses('outerDestination'),
  'outer.host': addresses('outerSource', 'outerDestination'),
  'outer.network': numbers('outerNetwork'),
  'inner.src': inner(src),
  'inner.dst': inner(dst),
  'inner.host': inner(host),
  'inner.sport': inner(sport),
  'inner.dport': inner(dport),
  'inner.port': inner(port),
  'inner.proto': inner(proto),
  vlan: vlan('vlan', 'secondVlan'),
  'inner.vlan': inner(vlan('innerVlan', 'innerSecondVlan')),
  iface,
  direction: numbers('direction'),
  ethertype: numbers('ethertype'),
  'icmp.type': icmpType,
  'icmp.code': icmpCode,
  mark: numbers('mark'),
  'mark.id': numbers('markId'),
  fragment: numbers('fragment'),
  cast: numbers('cast'),
  remark,
};
