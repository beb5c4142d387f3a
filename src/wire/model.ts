/**
 * What a correct meter must say of a packet, told by whoever built it: the layers are known, nothing is read from
 * octets. It follows the RFCs and docstrings of the fields, and says for a packet cut short at which header it ends.
 */
import {
  type FIELDS,
  type FieldName,
  formatAddress,
  NETWORK,
  parseAddress,
  REMARK,
  TUNNEL,
} from '../flow/index.ts';
import { protocolBehind } from './frame.ts';
import {
  EXTENSION,
  extensionOctets,
  type Ipv4Layer,
  type Ipv6Layer,
  type Layer,
  layerOctets,
  PROTOCOL,
  type TcpLayer,
} from './layer.ts';

type Counted =
  | 'octets'
  | 'packets'
  | 'wireOctets'
  | 'wirePackets'
  | 'shortest'
  | 'longest'
  | 'firstMs'
  | 'lastMs';
type Place = 'ifindex' | 'direction';
type Text = 'outerSource' | 'outerDestination' | 'source' | 'destination' | 'sourceMac' | 'destinationMac';

/** Every field of a flow record that the packet alone decides; addresses and MACs as text, `::` where there is none. */
export type Model = {
  readonly [Name in Exclude<FieldName, Counted | Place>]: Name extends Text
    ? string
    : (typeof FIELDS)[Name]['bits'] extends 64
      ? bigint
      : number;
};

/** The packet is in a record, or in the ledger for a reason (the kernel's, in lower case) at a depth of tunnels. */
export type Verdict =
  | { readonly record: Model; readonly reason?: undefined }
  | { readonly record?: undefined; readonly reason: string; readonly level: number };

/** What is known besides the layers. */
export interface ModelOptions {
  /** Octets of the frame that are left; default all. */
  readonly length: number;
  readonly lengthsUnsaid: boolean;
  /** UDP destination ports taken for VXLAN. */
  readonly vxlanPorts: readonly number[];
}

/** Bounds of the meter (bpf/parse.h). */
const MAX_TUNNELS = 4;
const MAX_VLAN_TAGS = 4;
const MAX_EXTENSIONS = 8;
const MAX_OFFSET = 2047;

const NO_ADDRESS = '::';
const NO_MAC = '00:00:00:00:00:00';

const EMPTY: Model = {
  tunnelKind: TUNNEL.none,
  tunnelId: 0,
  tunnelDepth: 0,
  nestedTunnelId: 0,
  outerNetwork: 0,
  outerSource: NO_ADDRESS,
  outerDestination: NO_ADDRESS,
  network: NETWORK.none,
  source: NO_ADDRESS,
  destination: NO_ADDRESS,
  protocol: 0,
  sourcePort: 0,
  destinationPort: 0,
  icmpTypeCode: 0,
  ethertype: 0,
  vlan: 0,
  secondVlan: 0,
  innerVlan: 0,
  innerSecondVlan: 0,
  cast: 0,
  fragment: 0,
  remark: 0,
  payloadOctets: 0n,
  tcpFlags: 0,
  dscp: 0,
  outerSourcePort: 0,
  sourceMac: NO_MAC,
  destinationMac: NO_MAC,
};

type Draft = { -readonly [Name in keyof Model]: Model[Name] };

/** Where the walk over the layers stands. */
interface Walk {
  readonly layers: readonly Layer[];
  readonly options: ModelOptions;
  readonly draft: Draft;
  /** Octets behind each layer that the headers tell of: a layer's end to the start of padding. */
  readonly told: number;
  offset: number;
  left: number;
  level: number;
  tags: number;
  /** Behind a first fragment's header: lengths may point beyond its end. */
  partial: boolean;
}

/** The verdict on a packet of these layers. */
export function modelOf(layers: readonly Layer[], options: ModelOptions): Verdict {
  const padding = layers.reduce((sum, layer) => sum + (layer.kind === 'padding' ? layer.octets : 0), 0);
  const all = layers.reduce((sum, layer) => sum + layerOctets(layer), 0);
  const walk: Walk = {
    layers,
    options,
    draft: { ...EMPTY },
    told: all - padding,
    offset: 0,
    left: options.length,
    level: 0,
    tags: 0,
    partial: false,
  };
  for (let i = 0; ; i++) {
    const reason = step(walk, i);
    if (reason === 'go on') continue;
    if (reason !== undefined) return { reason, level: walk.level };
    walk.draft.tunnelDepth = walk.level;
    return { record: walk.draft };
  }
}

/** One layer further. A reason, `go on`, or nothing when the record is whole. */
function step(walk: Walk, i: number): string | undefined {
  const layer = walk.layers[i];
  switch (layer?.kind) {
    case 'eth': {
      const short = take(walk, 14, 'ethernet_truncated');
      if (short) return short;
      walk.draft.sourceMac = layer.source;
      walk.draft.destinationMac = layer.destination;
      walk.draft.ethertype = layer.type;
      if (walk.level === 0) walk.draft.cast = castOf(layer.destination);
      return 'go on';
    }
    case 'vlan':
      return stepVlan(walk, layer.vid);
    case 'arp':
      return stepArp(walk, layer.operation, layer.source, layer.destination);
    case 'ipv4':
      return stepIpv4(walk, i, layer);
    case 'ipv6':
      return stepIpv6(walk, i, layer);
    default:
      if (walk.draft.sourceMac === NO_MAC) {
        if (walk.left < 14) return 'ethernet_truncated';
        throw new TypeError('a frame begins with eth(): what follows the tunnel header does not');
      }
      // Nothing we name behind Ethernet and its tags: the ethertype is the record.
      return undefined;
  }
}

/** Goes over a header, or says why not. */
function take(walk: Walk, octets: number, truncated: string): string | undefined {
  if (walk.offset > MAX_OFFSET) return 'header_offset';
  if (walk.left < octets) return truncated;
  skip(walk, octets);
  return undefined;
}

function skip(walk: Walk, octets: number): void {
  walk.offset += octets;
  walk.left -= octets;
}

function castOf(mac: string): number {
  if (mac === 'ff:ff:ff:ff:ff:ff') return 2;
  return Number.parseInt(mac.slice(0, 2), 16) & 1;
}

function stepVlan(walk: Walk, vid: number): string {
  if (walk.tags === MAX_VLAN_TAGS) return 'vlan_depth';
  const short = take(walk, 4, 'vlan_truncated');
  if (short) return short;
  const inner = walk.level > 0;
  if (walk.tags === 0) walk.draft[inner ? 'innerVlan' : 'vlan'] = vid | 0x8000;
  if (walk.tags === 1) walk.draft[inner ? 'innerSecondVlan' : 'secondVlan'] = vid | 0x8000;
  walk.tags++;
  return 'go on';
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

function stepIpv4(walk: Walk, i: number, layer: Ipv4Layer): string | undefined {
  const header = layerOctets(layer);
  if (walk.offset > MAX_OFFSET) return 'header_offset';
  if (walk.left < 20) return 'ipv4_truncated';
  if (!claim(walk, walk.told - layerStart(walk.layers, i))) return 'ipv4_total_length';
  if (walk.left < header) return 'ipv4_truncated';
  addNetwork(walk, layer, NETWORK.ipv4, 0x0800);
  walk.draft.protocol = protocolBehind(walk.layers[i + 1], layer.protocol);
  addFragment(walk, layer.offset, layer.more);
  skip(walk, header);
  return stepTransport(walk, i + 1);
}

function stepIpv6(walk: Walk, i: number, layer: Ipv6Layer): string | undefined {
  if (walk.offset > MAX_OFFSET) return 'header_offset';
  if (walk.left < 40) return 'ipv6_truncated';
  if (!claim(walk, walk.told - layerStart(walk.layers, i))) return 'ipv6_payload_length';
  addNetwork(walk, layer, NETWORK.ipv6, 0x86dd);
  skip(walk, 40);
  for (const [number, extension] of layer.extensions.entries()) {
    if (number === MAX_EXTENSIONS) return 'ipv6_extension_depth';
    if (walk.offset > MAX_OFFSET) return 'header_offset';
    const octets = extensionOctets(extension);
    if (walk.left < octets) return 'ipv6_extension_truncated';
    if (extension.kind === 'fragment') addFragment(walk, extension.offset ?? 0, extension.more ?? false);
    skip(walk, octets);
    if (walk.draft.fragment === 2) {
      const next = layer.extensions[number + 1];
      walk.draft.protocol = next ? EXTENSION[next.kind] : protocolBehind(walk.layers[i + 1], layer.protocol);
      return end(walk);
    }
  }
  walk.draft.protocol = protocolBehind(walk.layers[i + 1], layer.protocol);
  return stepTransport(walk, i + 1);
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

function end(walk: Walk): undefined {
  walk.draft.payloadOctets = BigInt(walk.left);
  return undefined;
}

function stepTransport(walk: Walk, i: number): string | undefined {
  const layer = walk.layers[i];
  const { draft } = walk;
  if (draft.fragment === 2 || !layer || PROTOCOL[layer.kind] === undefined) return end(walk);
  switch (layer.kind) {
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
      if (walk.offset <= MAX_OFFSET && layer.kind === 'udp' && walk.left >= 8) {
        const length = walk.told - layerStart(walk.layers, i);
        if (!walk.options.lengthsUnsaid && length > walk.left && !walk.partial) return 'udp_length';
      }
      const short = take(walk, layerOctets(layer), `${truncated}_truncated`);
      if (short) return short;
      draft.sourcePort = layer.sourcePort;
      draft.destinationPort = layer.destinationPort;
      return layer.kind === 'udp' ? stepTunnel(walk, i, layer.sourcePort, layer.destinationPort) : end(walk);
    }
    default:
      return end(walk);
  }
}

function stepTcp(walk: Walk, layer: TcpLayer): string | undefined {
  if (walk.offset > MAX_OFFSET) return 'header_offset';
  if (walk.left < 20) return 'tcp_truncated';
  const header = layerOctets(layer);
  if (header > walk.left && !walk.partial) return 'tcp_header_length';
  walk.draft.sourcePort = layer.sourcePort;
  walk.draft.destinationPort = layer.destinationPort;
  walk.draft.tcpFlags = layer.flags;
  skip(walk, Math.min(header, walk.left));
  return end(walk);
}

/** Behind a UDP header: a tunnel, or the end. */
function stepTunnel(walk: Walk, i: number, sourcePort: number, port: number): string | undefined {
  if (!walk.options.vxlanPorts.includes(port)) return end(walk);
  const layer = walk.layers[i + 1];
  const readable = walk.left >= 8;
  if (layer?.kind !== 'vxlan' || !(layer.flags & 8) || !readable) {
    walk.draft.remark = REMARK.notTunnel;
    return end(walk);
  }
  skip(walk, 8);
  enter(walk, layer.vni, sourcePort);
  if (walk.level > MAX_TUNNELS) return 'tunnel_depth';
  for (let next = i + 2; ; next++) {
    const reason = step(walk, next);
    if (reason !== 'go on') return reason;
  }
}

/** The frame walked over so far was a tunnel's: what of it belongs to the record stays, the rest begins anew. */
function enter(walk: Walk, vni: number, sourcePort: number): void {
  const { draft } = walk;
  if (walk.level === 0) {
    draft.tunnelKind = TUNNEL.vxlan;
    draft.tunnelId = vni;
    draft.outerNetwork = draft.network;
    draft.outerSource = draft.source;
    draft.outerDestination = draft.destination;
    draft.outerSourcePort = sourcePort;
  } else {
    draft.nestedTunnelId = vni;
  }
  const { tunnelKind, tunnelId, nestedTunnelId, outerNetwork, outerSource, outerDestination } = draft;
  const { outerSourcePort, vlan, secondVlan, cast } = draft;
  const kept = { tunnelKind, tunnelId, nestedTunnelId, outerNetwork, outerSource, outerDestination };
  Object.assign(draft, EMPTY, kept, { outerSourcePort, vlan, secondVlan, cast });
  walk.level++;
  walk.tags = 0;
}
