/**
 * What a correct meter must say of a packet, told by whoever built it: the layers are known. It follows the RFCs and
 * docstrings of the fields, and says for a packet cut short at which header it ends. Octets are read only where they
 * alone decide: whether a payload on a tunnel's port is that tunnel, and where what follows must be guessed.
 */
import { formatAddress, MARK, NETWORK, parseAddress } from '../flow/index.ts';
import {
  EXTENSION,
  extensionOctets,
  type Ipv4Layer,
  type Ipv6Layer,
  type Layer,
  layerOctets,
  PROTOCOL,
  protocolBehind,
  type SnapLayer,
  type TcpLayer,
} from './layer.ts';
import {
  addMark,
  stepEsp,
  stepEtherip,
  stepGre,
  stepL2tpv3,
  stepMpls,
  stepNibble,
  stepNsh,
  stepPpp,
  stepPppoe,
  stepPseudowire,
  stepUdpPayload,
  takeAh,
} from './tunnel-model.ts';
import {
  beginWalk,
  end,
  enter,
  lacks,
  layerOf,
  MAX_OFFSET,
  type ModelOptions,
  type Next,
  type Step,
  skip,
  take,
  type Verdict,
  type Walk,
} from './walk.ts';

/** Bounds of the meter (bpf/parse.h). */
const MAX_VLAN_TAGS = 4;
const MAX_EXTENSIONS = 8;

/** Ethertypes behind which a header is read: a payload there would have to be one. */
const READ: ReadonlySet<number> = new Set([
  0x0800, 0x0806, 0x86dd, 0x8100, 0x8847, 0x8848, 0x8864, 0x88a8, 0x894f, 0x9100,
]);

/** IP in IP, by the version outside and the layer inside. */
const IN_IP = { '4ipv4': 'ipip', '4ipv6': 'sit', '6ipv4': 'ip4ip6', '6ipv6': 'ip6ip6' } as const;

/** The least octets of the headers of tunnels behind IP protocols, and the reason when there are fewer. */
const LEAST: Readonly<
  Record<number, { readonly octets: number; readonly truncated: string; readonly tunnel?: 'ipv4' | 'ipv6' }>
> = {
  4: { octets: 20, truncated: 'ipv4_truncated', tunnel: 'ipv4' },
  41: { octets: 40, truncated: 'ipv6_truncated', tunnel: 'ipv6' },
  51: { octets: 8, truncated: 'ah_truncated' },
  97: { octets: 2, truncated: 'etherip_truncated' },
  115: { octets: 4, truncated: 'l2tp_truncated' },
  137: { octets: 4, truncated: 'mpls_truncated' },
};

/** The verdict on a packet of these layers. */
export function modelOf(layers: readonly Layer[], options: ModelOptions): Verdict {
  const walk = beginWalk(layers, options);
  const first = layers[0]?.kind;
  const content = first === 'ipv4' || first === 'ipv6' ? first : 'ethernet';
  let next: Next = { content, at: 0 };
  for (;;) {
    const result = step(walk, next);
    if (typeof result === 'string') return { reason: result, level: walk.level };
    if (result === undefined) {
      walk.draft.tunnelDepth = walk.level;
      return { record: walk.draft };
    }
    next = result;
  }
}

/** One header further. */
function step(walk: Walk, { content, at, type = 0 }: Next): Step {
  switch (content) {
    case 'ethernet':
      return stepEthernet(walk, at);
    case 'ethertype':
      return stepEthertype(walk, at, type);
    case 'ipv4':
      return stepIpv4(walk, at);
    case 'ipv6':
      return stepIpv6(walk, at);
    case 'nsh':
      return stepNsh(walk, at);
    case 'mpls':
      return stepMpls(walk, at);
    case 'ppp':
      return stepPpp(walk, at);
    case 'nibble':
      return stepNibble(walk, at);
    case 'pseudowire':
      return stepPseudowire(walk, at);
    case 'nothing':
      walk.draft.ethertype = type;
      return undefined;
  }
}

function stepEthernet(walk: Walk, at: number): Step {
  const layer = layerOf(walk, at, ['eth', 14, 'ethernet_truncated']);
  if (typeof layer === 'string') return layer;
  skip(walk, 14);
  walk.draft.sourceMac = layer.source;
  walk.draft.destinationMac = layer.destination;
  if (walk.level === 0) walk.draft.cast = castOf(layer.destination);
  return { content: 'ethertype', at: at + 1, type: layer.type };
}

/** Behind an ethertype; `type` counts where the layer has none of its own. */
function stepEthertype(walk: Walk, at: number, type: number): Step {
  const layer = walk.layers[at];
  switch (layer?.kind) {
    case 'vlan':
      return stepVlan(walk, layer.vid) ?? { content: 'ethertype', at: at + 1, type };
    case 'snap':
      return stepSnap(walk, at, layer);
    case 'arp':
      return stepArp(walk, layer.operation, layer.source, layer.destination);
    case 'pppoe':
      return stepPppoe(walk, at);
    case 'ipv4':
    case 'ipv6':
    case 'mpls':
    case 'nsh':
      return { content: layer.kind, at };
    default:
      if (READ.has(type)) throw new TypeError(`a payload behind ethertype ${type}: no model for that`);
      // Nothing we name: the ethertype is the record.
      return { content: 'nothing', at, type };
  }
}

/** Behind a length in place of an ethertype. What is no SNAP, or not all there, has no ethertype. */
function stepSnap(walk: Walk, at: number, layer: SnapLayer): Step {
  const length = layer.length ?? walk.told - walk.offset;
  const isSnap = layer.llc === 0xaaaa03 && layer.organisation === 0;
  if (walk.offset > MAX_OFFSET || !isSnap || length < 8 || length > walk.left)
    return { content: 'nothing', at };
  walk.left = length;
  skip(walk, 8);
  return { content: 'ethertype', at: at + 1, type: layer.type };
}

function castOf(mac: string): number {
  if (mac === 'ff:ff:ff:ff:ff:ff') return 2;
  return Number.parseInt(mac.slice(0, 2), 16) & 1;
}

function stepVlan(walk: Walk, vid: number): string | undefined {
  if (walk.tags === MAX_VLAN_TAGS) return 'vlan_depth';
  const short = take(walk, 4, 'vlan_truncated');
  if (short) return short;
  const inner = walk.level > 0;
  if (walk.tags === 0) walk.draft[inner ? 'innerVlan' : 'vlan'] = vid | 0x8000;
  if (walk.tags === 1) walk.draft[inner ? 'innerSecondVlan' : 'secondVlan'] = vid | 0x8000;
  walk.tags++;
  return undefined;
}

function stepArp(walk: Walk, operation: number, source: string, destination: string): string | undefined {
  const { draft } = walk;
  draft.ethertype = 0x0806;
  const short = take(walk, 28, 'arp_truncated');
  if (short) return short;
  draft.network = NETWORK.arp;
  draft.protocol = operation;
  draft.source = source;
  draft.destination = destination;
  return undefined;
}

/** What a length field claims: at most what is there, unless the packet is a fragment. */
function claim(walk: Walk, octets: number): boolean {
  if (walk.options.lengthsUnsaid) return true;
  if (octets > walk.left) return walk.partial;
  walk.left = octets;
  return true;
}

function stepIpv4(walk: Walk, i: number): Step {
  const layer = layerOf(walk, i, ['ipv4', 20, 'ipv4_truncated']);
  if (typeof layer === 'string') return layer;
  const header = layerOctets(layer);
  if (!claim(walk, walk.told - layerStart(walk.layers, i))) return 'ipv4_total_length';
  if (walk.left < header) return 'ipv4_truncated';
  addNetwork(walk, layer, NETWORK.ipv4, 0x0800);
  walk.draft.protocol = protocolBehind(walk.layers[i + 1], layer.protocol);
  addFragment(walk, layer.offset, layer.more);
  skip(walk, header);
  return stepTransport(walk, i + 1);
}

function stepIpv6(walk: Walk, i: number): Step {
  const layer = layerOf(walk, i, ['ipv6', 40, 'ipv6_truncated']);
  if (typeof layer === 'string') return layer;
  if (!claim(walk, walk.told - layerStart(walk.layers, i))) return 'ipv6_payload_length';
  addNetwork(walk, layer, NETWORK.ipv6, 0x86dd);
  skip(walk, 40);
  let segmentsLeft: number | undefined;
  for (const [number, extension] of layer.extensions.entries()) {
    if (number === MAX_EXTENSIONS) return 'ipv6_extension_depth';
    const octets = extensionOctets(extension);
    const short = lacks(walk, octets, 'ipv6_extension_truncated');
    if (short) return short;
    if (extension.kind === 'authentication') addMark(walk, MARK.ah, extension.spi ?? 0);
    if (extension.kind === 'segmentRouting') segmentsLeft = extension.segmentsLeft ?? 0;
    if (extension.kind === 'fragment') addFragment(walk, extension.offset ?? 0, extension.more ?? false);
    skip(walk, octets);
    if (walk.draft.fragment === 2) {
      const next = layer.extensions[number + 1];
      walk.draft.protocol = next ? EXTENSION[next.kind] : protocolBehind(walk.layers[i + 1], layer.protocol);
      break;
    }
  }
  if (walk.draft.fragment !== 2) walk.draft.protocol = protocolBehind(walk.layers[i + 1], layer.protocol);
  return segmentsLeft === undefined ? stepTransport(walk, i + 1) : stepRouted(walk, i + 1, segmentsLeft);
}

/** Behind a segment routing header: what it encapsulates, or a packet that it only routes. */
function stepRouted(walk: Walk, i: number, segmentsLeft: number): Step {
  const next = walk.layers[i];
  const isEncapsulated = next?.kind === 'ipv4' || next?.kind === 'ipv6' || next?.kind === 'eth';
  if (isEncapsulated && walk.draft.fragment !== 2)
    return (
      enter(walk, 'srv6', { id: segmentsLeft }) ?? {
        content: next.kind === 'eth' ? 'ethernet' : next.kind,
        at: i,
      }
    );
  addMark(walk, MARK['segment-routing'], segmentsLeft);
  return stepTransport(walk, i);
}

function layerStart(layers: readonly Layer[], i: number): number {
  return layers.slice(0, i).reduce((sum, layer) => sum + layerOctets(layer), 0);
}

function addNetwork(walk: Walk, layer: Ipv4Layer | Ipv6Layer, network: number, ethertype: number): void {
  const { draft } = walk;
  draft.network = network;
  draft.ethertype = ethertype;
  draft.source = formatAddress(parseAddress(layer.source)!);
  draft.destination = formatAddress(parseAddress(layer.destination)!);
  draft.dscp = layer.dscp;
}

function addFragment(walk: Walk, offset: number, more: boolean): void {
  if (offset > 0) walk.draft.fragment = 2;
  else if (more) {
    walk.draft.fragment = 1;
    walk.partial = true;
  }
}

function stepTransport(walk: Walk, i: number): Step {
  const layer = walk.layers[i];
  const { draft } = walk;
  if (draft.fragment === 2) return end(walk);
  // A payload behind protocol 47 says itself whether it is GRE.
  if (draft.protocol === PROTOCOL.gre) return stepGre(walk, i);
  if (!layer || PROTOCOL[layer.kind] === undefined) return stepUnnamed(walk);
  switch (layer.kind) {
    case 'ipv4':
    case 'ipv6':
      return (
        enter(walk, IN_IP[`${draft.network === NETWORK.ipv4 ? 4 : 6}${layer.kind}`]) ?? {
          content: layer.kind,
          at: i,
        }
      );
    case 'mpls':
      return stepMpls(walk, i);
    case 'etherip':
      return stepEtherip(walk, i);
    case 'l2tpv3':
      return stepL2tpv3(walk, i);
    case 'ah':
      return takeAh(walk, i, layer) ?? stepTransport(walk, i + 1);
    case 'esp':
      return stepEsp(walk, layer);
    case 'tcp':
      return stepTcp(walk, layer);
    case 'icmp':
    case 'icmpv6': {
      const short = take(walk, 8, 'icmp_truncated');
      if (short) return short;
      draft.icmpTypeCode = (layer.type << 8) | layer.code;
      const isEcho = layer.kind === 'icmp' ? layer.type === 8 || layer.type === 0 : layer.type >> 1 === 64;
      if (isEcho) draft.sourcePort = layer.identifier;
      return end(walk);
    }
    case 'udp':
    case 'udpLite':
    case 'sctp':
    case 'dccp': {
      const truncated = layer.kind === 'udp' || layer.kind === 'sctp' ? layer.kind : 'ports';
      if (layer.kind === 'udp' && lacks(walk, 8, 'short') === undefined) {
        const length = walk.told - layerStart(walk.layers, i);
        if (!walk.options.lengthsUnsaid && length > walk.left && !walk.partial) return 'udp_length';
      }
      const short = take(walk, layerOctets(layer), `${truncated}_truncated`);
      if (short) return short;
      draft.sourcePort = layer.sourcePort;
      draft.destinationPort = layer.destinationPort;
      if (layer.kind !== 'udp') return end(walk);
      return stepUdpPayload(walk, i + 1, { sourcePort: layer.sourcePort, port: layer.destinationPort });
    }
    default:
      return end(walk);
  }
}

/** A payload behind a protocol: of a tunnel it is that header's beginning at most. */
function stepUnnamed(walk: Walk): Step {
  const { protocol, network } = walk.draft;
  const header = LEAST[protocol];
  if (!header || (protocol === PROTOCOL.ah && network === NETWORK.ipv6)) return end(walk);
  if (header.tunnel) {
    const reason = enter(walk, IN_IP[`${network === NETWORK.ipv4 ? 4 : 6}${header.tunnel}`]);
    if (reason) return reason;
  }
  const short = lacks(walk, header.octets, header.truncated);
  if (short) return short;
  throw new TypeError(`a payload behind protocol ${protocol}: no model for that`);
}

function stepTcp(walk: Walk, layer: TcpLayer): string | undefined {
  const short = lacks(walk, 20, 'tcp_truncated');
  if (short) return short;
  const header = layerOctets(layer);
  if (header > walk.left && !walk.partial) return 'tcp_header_length';
  walk.draft.sourcePort = layer.sourcePort;
  walk.draft.destinationPort = layer.destinationPort;
  walk.draft.tcpFlags = layer.flags;
  skip(walk, Math.min(header, walk.left));
  return end(walk);
}
