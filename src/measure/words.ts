/** Who a measured flow is, in words. */
import {
  type FlowColumns,
  formatAddress,
  hasPorts,
  isIcmp,
  TUNNEL_COLUMNS,
  transportName,
  tunnelWords,
} from '../flow/index.ts';

/** A flow as a line names it. */
export interface FlowWords {
  /** `TCP`, `UDP`, `ICMP`, … */
  readonly protocol: string;
  /** `10.0.0.1:80`, `[fd00::1]:80`; of what has no ports the address alone. */
  readonly source: string;
  readonly destination: string;
  /** `vxlan 42 172.16.0.1 > 172.16.0.2`, nested ones behind; empty for plain traffic. */
  readonly tunnel: string;
}

/** The words of a record. */
export function flowWords(columns: FlowColumns, row: number): FlowWords {
  const protocol = columns.protocol[row]!;
  const name = transportName(columns.network[row]!, protocol, columns.ethertype[row]!);
  const identifier = columns.sourcePort[row]!;
  const withPort = (octets: Uint8Array, port: number): string => {
    const address = formatAddress(octets, 16 * row);
    if (!hasPorts(protocol)) return address;
    return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  };
  return {
    protocol: isIcmp(protocol) && identifier !== 0 ? `${name} id ${identifier}` : name,
    source: withPort(columns.source, identifier),
    destination: withPort(columns.destination, columns.destinationPort[row]!),
    tunnel: tunnelText(columns, row),
  };
}

/** As {@link FlowWords.tunnel}. */
export function tunnelText(columns: FlowColumns, row: number): string {
  const depth = columns.tunnelDepth[row]!;
  const levels = TUNNEL_COLUMNS.slice(0, depth).map(({ kind, id }) =>
    tunnelWords(columns[kind][row]!, columns[id][row]!),
  );
  if (levels.length === 0) return '';
  if (columns.outerNetwork[row] !== 0) {
    const ends = [columns.outerSource, columns.outerDestination].map((octets) =>
      formatAddress(octets, 16 * row),
    );
    levels[0] += ` ${ends.join(' > ')}`;
  }
  return levels.join(', ');
}
