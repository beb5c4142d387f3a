/**
 * Captures of others with tshark's opinion on each packet, and how a record of ours reads in its words. Conventions are the
 * corpus' own: see its README.md.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeRecord, type FlowColumns, type TunnelPorts } from '../src/flow/index.ts';

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

/** Tunnels that have no identifier for tshark. */
const NAMELESS: ReadonlySet<string> = new Set([
  'eoip',
  'ipip',
  'sit',
  'ip4ip6',
  'ip6ip6',
  'teredo',
  'etherip',
]);
/** tshark's kinds by our names. */
const KINDS: Readonly<Record<string, string>> = {
  'pptp-gre': 'pptp',
  mplsoudp: 'mpls',
};
const PORTED: ReadonlySet<number> = new Set([6, 17, 33, 132, 136]);

function truthWords({ tunnels, inner }: TruthFlow): string {
  const stack = tunnels.map(({ kind, id, erspan_type }) => {
    const name = kind === 'erspan' ? `erspan-${erspan_type}` : (KINDS[kind] ?? kind);
    if (NAMELESS.has(name)) return name;
    if (Array.isArray(id)) return `${name} ${name === 'l2tpv3' ? id[1] : id.join('/')}`;
    return `${name} ${id ?? 0}`;
  });
  const outer = tunnels.length > 0 ? `${tunnels[0]!.src ?? '-'} > ${tunnels[0]!.dst ?? '-'}` : '';
  if (!inner) return [outer, ...stack, 'no IP'].filter(Boolean).join(' | ');
  const { src, dst, proto, sport, dport } = inner;
  return [outer, ...stack, `${src} ${sport ?? 0} > ${dst} ${dport ?? 0} protocol ${proto}`]
    .filter(Boolean)
    .join(' | ');
}

/** Our record as the corpus would say it: what lies below IP is no tunnel there, and segment routing is IP in IP. */
export function wordsOf(columns: FlowColumns, row: number): string {
  const record = decodeRecord(columns, row) as unknown as {
    readonly tunnels: readonly { readonly kind: string; readonly id: number | null }[];
    readonly outerSource: string | null;
    readonly outerDestination: string | null;
    readonly network: string;
    readonly source: string;
    readonly destination: string;
    readonly protocol: number;
    readonly sourcePort: number;
    readonly destinationPort: number;
    readonly outerSourcePort: number;
  };
  const stack: string[] = [];
  for (const [level, { kind, id }] of record.tunnels.entries()) {
    if (kind === 'pppoe' || (kind === 'mpls' && (level > 0 || record.outerSourcePort === 0))) continue;
    if (kind === 'srv6') stack.push(record.network === 'ipv4' ? 'ip4ip6' : 'ip6ip6');
    else if (kind === 'l2tp') stack.push(`${kind} ${id! >>> 16}/${id! & 0xffff}`);
    else stack.push(NAMELESS.has(kind) ? kind : `${kind} ${id ?? 0}`);
  }
  const outer = stack.length > 0 ? `${record.outerSource ?? '-'} > ${record.outerDestination ?? '-'}` : '';
  const { network, source, destination, protocol } = record;
  if (network !== 'ipv4' && network !== 'ipv6') return [outer, ...stack, 'no IP'].filter(Boolean).join(' | ');
  const isPorted = PORTED.has(protocol);
  const ports = isPorted ? [record.sourcePort, record.destinationPort] : [0, 0];
  return [outer, ...stack, `${source} ${ports[0]} > ${destination} ${ports[1]} protocol ${protocol}`]
    .filter(Boolean)
    .join(' | ');
}
