/** A flow in the words in which truths of captures are compared: tunnels, addresses, ports, and what marks it. */
import type { DecodedRecord } from '../src/flow/index.ts';

/** Two addresses. */
export interface Ends {
  readonly source: string;
  readonly destination: string;
}

/** A kind and its identifier, `null` where it has none. */
export interface Kind {
  readonly kind: string;
  readonly id: number | null;
}

/** What a packet says it belongs to. */
export interface Flow {
  /** Outermost first. */
  readonly tunnels: readonly Kind[];
  /** Of the first packet that carries a tunnel in IP; `null` where none does. */
  readonly outer: Ends | null;
  readonly mark: Kind | null;
  /** The innermost IP packet; ports are 0 where there are none. `null`: what is innermost is not IP. */
  readonly inner:
    | (Ends & { readonly protocol: number; readonly sourcePort: number; readonly destinationPort: number })
    | null;
}

/** Protocols with ports: TCP, UDP, DCCP, SCTP, UDP-Lite. */
const PORTED: ReadonlySet<number> = new Set([6, 17, 33, 132, 136]);

/** `192.0.2.1 > 198.51.100.1 | vxlan 42 | 10.0.0.1 1000 > 10.0.0.2 80 protocol 6`: equal where the flows are. */
export function flowText({ tunnels, outer, mark, inner }: Flow): string {
  const parts = tunnels.map(kindText);
  if (tunnels.length > 0) parts.unshift(`${outer?.source ?? '-'} > ${outer?.destination ?? '-'}`);
  if (mark) parts.push(kindText(mark));
  parts.push(
    inner
      ? `${inner.source} ${inner.sourcePort} > ${inner.destination} ${inner.destinationPort} protocol ${inner.protocol}`
      : 'no IP',
  );
  return parts.join(' | ');
}

function kindText({ kind, id }: Kind): string {
  return `${kind} ${id ?? 0}`;
}

/** The flow of a record of ours, decoded. */
export function flowOf(decoded: DecodedRecord): Flow {
  const record = decoded as unknown as {
    readonly tunnels: readonly Kind[];
    readonly mark: Kind | null;
    readonly outerSource: string | null;
    readonly outerDestination: string | null;
    readonly network: string;
    readonly source: string;
    readonly destination: string;
    readonly protocol: number;
    readonly sourcePort: number;
    readonly destinationPort: number;
  };
  const { tunnels, mark, outerSource, outerDestination, network, source, destination, protocol } = record;
  const isPorted = PORTED.has(protocol);
  return {
    tunnels,
    outer:
      outerSource === null || outerDestination === null
        ? null
        : { source: outerSource, destination: outerDestination },
    mark,
    inner:
      network === 'ipv4' || network === 'ipv6'
        ? {
            source,
            destination,
            protocol,
            sourcePort: isPorted ? record.sourcePort : 0,
            destinationPort: isPorted ? record.destinationPort : 0,
          }
        : null,
  };
}
