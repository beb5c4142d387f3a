/** For tests: random filters and random records that meet often. */
import fc from 'fast-check';
import { batchOf, ETH0, type RecordWords } from '../../flow/batch.fixture.ts';
import {
  FIELDS,
  type FieldName,
  type FlowBatch,
  MARK,
  type MarkName,
  type ObservationPoint,
  TUNNEL,
  type TunnelName,
} from '../../flow/index.ts';
import { allOf, anyOf, type Filter, type FilterValue, ORDER_OPERATORS } from './ast.ts';
import { FILTER_FIELD_NAMES, type FilterField, fieldDefinition } from './fields.ts';
import { parseNetwork } from './network.ts';
import { parseValue } from './value.ts';

const ADDRESSES = [
  '10.0.0.1',
  '10.0.0.2',
  '10.1.0.1',
  '172.16.1.100',
  '0.0.0.0',
  '::',
  'fd00::1',
  'fd00:0:0:1::2',
];
const MACS = ['02:00:00:00:00:01', '02:00:00:00:00:02', 'ff:ff:ff:ff:ff:ff'];
const SMALL = [0, 1, 2, 5, 6, 8, 17, 42, 58, 80, 443, 1000, 2048, 4095, 65_535];
const INTERFACES: readonly ObservationPoint[] = [
  ...ETH0,
  ...([0, 1] as const).map((direction) => ({
    ifindex: 3,
    direction,
    interfaceName: 'veth-1',
    primary: false,
  })),
];

const network = fc
  .record({ address: fc.constantFrom(...ADDRESSES), prefix: fc.integer({ min: 0, max: 128 }) })
  .map(({ address, prefix }) => parseNetwork(`${address}/${address.includes(':') ? prefix : prefix % 33}`)!);

const number = fc.constantFrom(...SMALL);
const single = fc.oneof(number, fc.nat({ max: 5000 }));

/** A value as the parser makes it: numbers with names become names. */
function value(field: FilterField): fc.Arbitrary<FilterValue> {
  const { type } = fieldDefinition(field);
  switch (type.kind) {
    case 'address':
      return network;
    case 'mac':
      return fc.constantFrom(...MACS).map((mac) => ({ kind: 'mac', mac }));
    case 'interface':
      return fc
        .oneof(
          fc.constantFrom('eth0', 'veth*', '?eth?1', 'e*0', 'in', 'and', 'a "b" \\ c'),
          fc.string({ minLength: 1 }),
        )
        .map((pattern) => ({ kind: 'pattern', pattern }));
    case 'name':
      return fc.constantFrom(...type.names.keys()).map((name) => parseValue(field, name)!);
    case 'number': {
      const inside = single.map((each) => Math.min(each, type.max));
      const numbers = fc
        .tuple(inside, inside)
        .map(([a, b]) =>
          a < b ? ({ kind: 'range', from: a, to: b } as const) : parseValue(field, unitless(type.unit, a))!,
        );
      return type.names
        ? fc.oneof(
            numbers,
            fc.constantFrom(...type.names.keys()).map((name) => parseValue(field, name)!),
          )
        : numbers;
    }
  }
}

/** A bare number is one of octets and counts, but a duration has a unit. */
function unitless(unit: string | undefined, number: number): string {
  return unit === 'duration' ? `${number}ms` : String(number);
}

const condition: fc.Arbitrary<Filter> = fc
  .constantFrom(...FILTER_FIELD_NAMES)
  .chain((field): fc.Arbitrary<Filter> => {
    const is = fc
      .array(value(field), { minLength: 1, maxLength: 4 })
      .map((values): Filter => ({ kind: 'is', field, values }));
    const { type } = fieldDefinition(field);
    if (type.kind !== 'number') return is;
    const compare = fc.tuple(fc.constantFrom(...ORDER_OPERATORS), single).map(
      ([operator, bound]): Filter => ({
        kind: 'compare',
        field,
        operator,
        number: Math.min(bound, type.max),
      }),
    );
    return fc.oneof(is, compare);
  });

/** Filters as the parser makes them. */
export const anyFilter: fc.Arbitrary<Filter> = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'small' },
    condition,
    fc.constant<Filter>({ kind: 'any' }),
    tie('filter').map((filter): Filter => ({ kind: 'not', filter })),
    fc.array(tie('filter'), { minLength: 2, maxLength: 4 }).map(allOf),
    fc.array(tie('filter'), { minLength: 2, maxLength: 4 }).map(anyOf),
  ),
})).filter;

const pair = fc.tuple(fc.constantFrom(...ADDRESSES), fc.constantFrom(...ADDRESSES));
const tunnels = fc.array(
  fc.tuple(fc.constantFrom(...(Object.keys(TUNNEL) as TunnelName[]).slice(1)), number),
  { minLength: 1, maxLength: 4 },
);

const record: fc.Arbitrary<RecordWords> = fc.record(
  {
    octets: fc.constant(100),
    packets: fc.constant(1),
    ifindex: fc.constantFrom(2, 3),
    direction: fc.constantFrom(0 as const, 1 as const),
    tunnels,
    mark: fc.tuple(fc.constantFrom(...(Object.keys(MARK) as MarkName[]).slice(1)), number),
    between: pair,
    ports: fc.tuple(number, number),
    protocol: fc.constantFrom(0, 1, 4, 6, 17, 41, 58, 94, 132),
    arp: fc.boolean(),
    ethertype: fc.constantFrom(0, 0x0800, 0x86dd, 0x88cc, 0x8848),
    macs: fc.tuple(fc.constantFrom(...MACS), fc.constantFrom(...MACS)),
    icmp: fc.tuple(fc.constantFrom(0, 5, 8, 128), fc.constantFrom(0, 1)),
    vlan: fc.constantFrom(0, 1, 5, 4095),
    cast: fc.constantFrom(0, 1, 2),
    fragment: fc.constantFrom(0, 1, 2),
    remark: fc.constantFrom(0, 1, 2, 12),
  },
  { requiredKeys: ['octets', 'packets'] },
);

/** Columns that the words of a record do not reach, each with what it may hold. */
const MORE: readonly (readonly [FieldName, fc.Arbitrary<number>])[] = [
  ['secondVlan', fc.constantFrom(0, 0x8000, 0x8005)],
  ['innerVlan', fc.constantFrom(0, 0x8005, 0x8fff)],
  ['innerSecondVlan', fc.constantFrom(0, 0x8001)],
  ['tcpFlags', fc.constantFrom(0, 2, 18, 0x101)],
  ['dscp', fc.constantFrom(0, 1, 46, 63)],
  ['outerSourcePort', number],
  ['shortest', number],
  ['longest', number],
  ['wireOctets', fc.oneof(number, fc.nat({ max: 2 ** 40 }))],
  ['wirePackets', number],
  ['payloadOctets', number],
  ['firstMs', fc.constant(1_700_000_000_000)],
  ['lastMs', single.map((after) => 1_700_000_000_000 + after)],
];

/** Batches of some records. */
export const anyBatch: fc.Arbitrary<FlowBatch> = fc
  .array(
    fc.record({
      words: record,
      outer: fc.option(pair),
      more: fc.tuple(...MORE.map(([, numbers]) => numbers)),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((records) => {
    const batch = batchOf(
      records.map(({ words, outer }) => ({
        ...words,
        // Outer addresses are of tunnels; the number is not used where `tunnels` says all of them.
        ...(words.tunnels && outer && { tunnel: [outer[0], outer[1], 0] as const }),
        ...(words.between?.[0].includes(':') && { arp: false }),
      })),
      { points: INTERFACES },
    );
    for (const [row, { more }] of records.entries())
      for (const [i, [name]] of MORE.entries()) {
        const is64 = FIELDS[name].bits === 64 && !name.endsWith('Ms');
        batch.columns[name][row] = (is64 ? BigInt(more[i]!) : more[i]!) as never;
      }
    return batch;
  });
