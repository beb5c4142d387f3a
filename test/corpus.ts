/**
 * Captures of others with tshark's opinion on each packet, and how a record of ours reads in its words. Conventions are the
 * corpus' own: see its README.md.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeRecord, type FlowColumns, type TunnelPorts } from '../src/flow/index.ts';
import { type Flow, flowOf, flowText, type Kind } from './flow-words.ts';

/** Where the corpus is: beside the repository, or where CORPUS says. */
export const CORPUS: string =
  process.env.CORPUS ?? fileURLToPath(new URL('../../shared/corpus', import.meta.url));

/** Why the corpus cannot be used; `undefined` when it is there. */
export function corpusLacks(): string | undefined {
  return existsSync(join(CORPUS, 'manifest.json')) ? undefined : `the corpus is not at ${CORPUS}`;
}

interface TruthTunnel {
  readonly kind: string;
  readonly id: number | null | readonly (number | null)[];
  readonly src: string | null;
  readonly dst: string | null;
  readonly erspan_type?: number;
}

interface TruthFlow {
  readonly tunnels: readonly TruthTunnel[];
  readonly inner: {
    readonly src: string;
    readonly dst: string;
    readonly proto: number;
    readonly sport: number | null;
    readonly dport: number | null;
  } | null;
  readonly packets: number;
  readonly bytes: number;
  readonly low_confidence_packets: number;
}

/** What tshark says of a file. */
export interface Truth {
  readonly name: string;
  /** Path of the capture. */
  readonly path: string;
  /** Of each packet, in order. */
  readonly packets: readonly {
    readonly frame: number;
    readonly octets: number;
    /** Its flow in words, as {@link wordsOf} writes them. */
    readonly flow: string;
    /** The layers walked, without their identifiers. */
    readonly path: string;
    /** tshark itself is not sure. */
    readonly isDoubtful: boolean;
  }[];
}

/** Names of all files. */
export function corpusFiles(): string[] {
  return readdirSync(join(CORPUS, 'pcap')).sort();
}

/** Ports as the corpus' tshark had them, which knows those of tunnels that are off unless asked for. */
export const CORPUS_PORTS: Partial<TunnelPorts> = { teredo: [3544], ayiya: [5072] };

/** Anomalies that make a packet's truth doubtful. */
const DOUBTS: ReadonlySet<string> = new Set([
  'malformed',
  'short',
  'unreassembled',
  'bad_ip_header',
  'eth_short',
  'mpls_short',
  'l4_short',
  'gre_short',
  'vxlan_short',
  'geneve_short',
  'ports_unknown',
  'pw_heuristic',
  'vxlan_I_unset',
  'geneve_version',
  'gtp_version',
  'gre_version',
  'gre_routing',
  'port_by_source',
  'port_not_default',
  'wire_len',
]);

export function readTruth(name: string): Truth {
  const { flows } = JSON.parse(readFileSync(join(CORPUS, 'flows', `${name}.json`), 'utf8')) as {
    flows: readonly TruthFlow[];
  };
  const [header, ...lines] = readFileSync(join(CORPUS, 'truth', `${name}.tsv`), 'utf8')
    .trimEnd()
    .split('\n');
  const columns = header!.split('\t');
  const words = flows.map(truthWords);
  const packets = lines.map((line) => {
    const cells = line.split('\t');
    const cell = (column: string): string => cells[columns.indexOf(column)] ?? '';
    const anomalies = cell('anomalies').split(/[,;\s]+/);
    return {
      frame: Number(cell('frame.number')),
      octets: Number(cell('frame.len')),
      flow: words[Number(cell('flow'))]!,
      path: cell('path').replaceAll(/:[^/+]*/g, ''),
      isDoubtful: anomalies.some((anomaly) => DOUBTS.has(anomaly)),
    };
  });
  return { name, path: join(CORPUS, 'pcap', name), packets };
}

/** tshark's kinds by our names. */
const KINDS: Readonly<Record<string, string>> = {
  'pptp-gre': 'pptp',
  mplsoudp: 'mpls',
};

function truthWords({ tunnels, inner }: TruthFlow): string {
  const [first] = tunnels;
  return flowText({
    tunnels: tunnels.map(({ kind, id, erspan_type }) => ({
      kind: kind === 'erspan' ? `erspan-${erspan_type}` : (KINDS[kind] ?? kind),
      id: numberOf(kind, id),
    })),
    outer: first?.src && first.dst ? { source: first.src, destination: first.dst } : null,
    mark: null,
    inner: inner && {
      source: inner.src,
      destination: inner.dst,
      protocol: inner.proto,
      sourcePort: inner.sport ?? 0,
      destinationPort: inner.dport ?? 0,
    },
  });
}

/** Of L2TP tunnel and session as our identifier has them, of L2TPv3 the session. */
function numberOf(kind: string, id: TruthTunnel['id']): number | null {
  if (typeof id === 'number' || id === null) return id;
  const [tunnel, session] = id;
  return kind === 'l2tpv3' ? (session ?? 0) : (((tunnel ?? 0) << 16) | (session ?? 0)) >>> 0;
}

/**
 * Our record as the corpus would say it: what lies below IP is no tunnel there, segment routing is IP in IP, EoIP has no
 * identifier, and marks are not told.
 */
export function wordsOf(columns: FlowColumns, row: number): string {
  const flow = flowOf(decodeRecord(columns, row));
  const isOverUdp = columns.outerSourcePort[row] !== 0;
  const tunnels = flow.tunnels.flatMap((tunnel, level): Kind[] => {
    if (tunnel.kind === 'pppoe' || (tunnel.kind === 'mpls' && (level > 0 || !isOverUdp))) return [];
    if (tunnel.kind === 'eoip') return [{ ...tunnel, id: null }];
    return tunnel.kind === 'srv6' ? [ipInIp6(flow)] : [tunnel];
  });
  return flowText({ ...flow, tunnels, mark: null });
}

function ipInIp6({ inner }: Flow): Kind {
  return { kind: inner && !inner.source.includes(':') ? 'ip4ip6' : 'ip6ip6', id: null };
}
