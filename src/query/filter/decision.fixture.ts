/** For tests: the numbers of a record that decisions are made by, as bpf/rules/fields.h makes them of a packet. */
import { type FlowBatch, hasPorts, isIcmp, NETWORK, TUNNEL_COLUMNS } from '../../flow/index.ts';
import { type DecisionField, KINDS_WITH_ID } from './decision.ts';

/** The values of a record; what it lacks is not there. */
export function decisionValues({ columns }: FlowBatch, row: number): Map<DecisionField, bigint> {
  const values = new Map<DecisionField, bigint>();
  const set = (field: DecisionField, value: number): void => void values.set(field, BigInt(value));
  const address = (field: 'source' | 'destination' | 'outerSource' | 'outerDestination'): void => {
    const octets = columns[field].subarray(16 * row, 16 * row + 16);
    values.set(
      field,
      octets.reduce((sum, octet) => (sum << 8n) | BigInt(octet), 0n),
    );
  };
  const network = columns.network[row]!;
  const protocol = columns.protocol[row]!;
  const isIp = network === NETWORK.ipv4 || network === NETWORK.ipv6;
  if (network !== 0) address('source');
  if (network !== 0) address('destination');
  if (columns.outerNetwork[row] !== 0) address('outerSource');
  if (columns.outerNetwork[row] !== 0) address('outerDestination');
  if (isIp && columns.fragment[row] !== 2) {
    if (hasPorts(protocol)) set('sourcePort', columns.sourcePort[row]!);
    if (hasPorts(protocol)) set('destinationPort', columns.destinationPort[row]!);
    if (isIcmp(protocol)) set('icmp', columns.icmpTypeCode[row]!);
  }
  set('protocol', 256 * network + protocol);
  set('outerNetwork', columns.outerNetwork[row]!);
  set('ethertype', columns.ethertype[row]!);
  const depth = columns.tunnelDepth[row]!;
  for (const level of [0, 1, 2, 3] as const) {
    const { kind, id } = TUNNEL_COLUMNS[level]!;
    if (level === 0 || level < depth) set(`tunnel${level}`, columns[kind][row]!);
    if (level < depth && (KINDS_WITH_ID >>> columns[kind][row]!) & 1)
      set(`tunnelId${level}`, columns[id][row]!);
  }
  set('depth', depth);
  for (const field of ['vlan', 'secondVlan', 'innerVlan', 'innerSecondVlan'] as const)
    set(field, columns[field][row]! & 0x8fff);
  set('mark', columns.markKind[row]!);
  if (columns.markKind[row] !== 0) set('markId', columns.markId[row]!);
  for (const field of ['fragment', 'cast', 'remark', 'direction'] as const) set(field, columns[field][row]!);
  set('interface', columns.ifindex[row]!);
  return values;
}
