/** From layers to the octets of a frame: every length and checksum as a sender would fill them in. */
import { parseAddress } from '../flow/index.ts';
import { addWords, crc32c, internetChecksum } from './checksum.ts';
import {
  EXTENSION,
  type Extension,
  ethertypeOf,
  extensionOctets,
  type Ipv4Layer,
  type Ipv6Layer,
  type Layer,
  type LayerKind,
  layerOctets,
  PROTOCOL,
  protocolBehind,
} from './layer.ts';
import { writeTunnel } from './tunnel-header.ts';

/** What stands behind UDP without a checksum over IPv4. */
const UNCHECKED: ReadonlySet<LayerKind> = new Set<LayerKind>([
  'vxlan',
  'vxlanGpe',
  'geneve',
  'gtpu',
  'mpls',
  'l2tp',
  'l2tpv3',
  'esp',
]);

/** How the frame is written. */
export interface FrameOptions {
  /** IP and UDP length fields say 0, as in super-packets of more than 65,535 octets. */
  readonly lengthsUnsaid: boolean;
}

/** A layer with its place in the frame. */
interface Placed {
  readonly layer: Layer;
  readonly at: number;
  readonly next: Layer | undefined;
  /** Ethertype of its frame where no header that has one of its own follows. */
  readonly type: number;
  /** The network layer that carries it. */
  readonly network: { readonly layer: Ipv4Layer | Ipv6Layer; readonly at: number } | undefined;
}

/** Builds the frame. @throws TypeError for an address or a MAC that is none. */
export function buildFrame(layers: readonly Layer[], options: FrameOptions): Uint8Array<ArrayBuffer> {
  const placed = place(layers);
  const octets = new Uint8Array(layers.reduce((sum, layer) => sum + layerOctets(layer), 0));
  const told = octets.length - layers.reduce((sum, l) => sum + (l.kind === 'padding' ? l.octets : 0), 0);
  // From the inside out: a checksum covers what lies behind its header.
  for (const each of placed.toReversed()) write(octets, each, told, options);
  return octets;
}

/** An address as 4 or 16 octets. */
export function addressOctets(text: string, version: 4 | 6): Uint8Array {
  const octets = parseAddress(text);
  if (octets === undefined || text.includes(':') !== (version === 6))
    throw new TypeError(`"${text}" is no IPv${version} address`);
  return version === 4 ? octets.subarray(12) : octets;
}

/** A MAC address as 6 octets. */
export function macOctets(text: string): Uint8Array {
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text)) throw new TypeError(`"${text}" is no MAC address`);
  return Uint8Array.from(text.split(':'), (part) => Number.parseInt(part, 16));
}

function place(layers: readonly Layer[]): Placed[] {
  const placed: Placed[] = [];
  let at = 0;
  let type = 0;
  let network: Placed['network'];
  for (const [i, layer] of layers.entries()) {
    if (layer.kind === 'eth') type = layer.type;
    placed.push({ layer, at, next: layers[i + 1], type, network });
    if (layer.kind === 'ipv4' || layer.kind === 'ipv6') network = { layer, at };
    at += layerOctets(layer);
  }
  return placed;
}

function write(frame: Uint8Array<ArrayBuffer>, placed: Placed, told: number, options: FrameOptions): void {
  const { layer, at, next, type } = placed;
  const view = new DataView(frame.buffer, at);
  const length = told - at;
  const saidLength = options.lengthsUnsaid ? 0 : length & 0xffff;
  switch (layer.kind) {
    case 'eth':
      frame.set(macOctets(layer.destination), at);
      frame.set(macOctets(layer.source), at + 6);
      view.setUint16(12, llcLength(next, length - 14) ?? ethertypeOf(next) ?? type);
      return;
    case 'vlan':
      view.setUint16(0, (layer.priority << 13) | layer.vid);
      view.setUint16(2, llcLength(next, length - 4) ?? ethertypeOf(next) ?? type);
      return;
    case 'snap':
      view.setUint32(0, ((layer.llc << 8) | (layer.organisation >> 16)) >>> 0);
      view.setUint16(4, layer.organisation);
      view.setUint16(6, ethertypeOf(next) ?? layer.type);
      return;
    case 'ipv4':
      writeIpv4(frame, placed, layer, saidLength);
      return;
    case 'ipv6':
      writeIpv6(frame, placed, layer, options.lengthsUnsaid ? 0 : length - 40);
      return;
    case 'arp':
      frame.set([0, 1, 8, 0, 6, 4], at);
      view.setUint16(6, layer.operation);
      frame.set(macOctets(layer.sourceMac), at + 8);
      frame.set(addressOctets(layer.source, 4), at + 14);
      frame.set(macOctets(layer.destinationMac), at + 18);
      frame.set(addressOctets(layer.destination, 4), at + 24);
      return;
    case 'payload':
      frame.set(layer.octets, at);
      return;
    case 'padding':
      return;
    case 'tcp':
    case 'udp':
    case 'udpLite':
    case 'sctp':
    case 'dccp':
    case 'icmp':
    case 'icmpv6':
      writeTransport(frame, placed, told, saidLength);
      return;
    default:
      writeTunnel(frame, layer, { at, end: told, next });
  }
}

/** What stands in place of the ethertype before LLC. */
function llcLength(next: Layer | undefined, behind: number): number | undefined {
  return next?.kind === 'snap' ? (next.length ?? behind) : undefined;
}

function writeIpv4(
  frame: Uint8Array<ArrayBuffer>,
  { at, next }: Placed,
  layer: Ipv4Layer,
  total: number,
): void {
  const view = new DataView(frame.buffer, at);
  const header = layerOctets(layer);
  view.setUint8(0, 0x40 | (header / 4));
  view.setUint8(1, layer.dscp << 2);
  view.setUint16(2, total);
  view.setUint16(4, layer.identification);
  view.setUint16(6, (layer.more ? 0x2000 : 0) | (layer.offset >> 3));
  view.setUint8(8, layer.ttl);
  view.setUint8(9, protocolBehind(next, layer.protocol));
  frame.set(addressOctets(layer.source, 4), at + 12);
  frame.set(addressOctets(layer.destination, 4), at + 16);
  frame.fill(1, at + 20, at + header); // "no operation" options
  view.setUint16(10, internetChecksum(addWords(0, frame.subarray(at, at + header))));
}

function writeIpv6(
  frame: Uint8Array<ArrayBuffer>,
  { at, next }: Placed,
  layer: Ipv6Layer,
  payload: number,
): void {
  const view = new DataView(frame.buffer, at);
  view.setUint32(0, ((6 << 28) | (layer.dscp << 22) | layer.flowLabel) >>> 0);
  view.setUint16(4, payload);
  view.setUint8(7, layer.hopLimit);
  frame.set(addressOctets(layer.source, 6), at + 8);
  frame.set(addressOctets(layer.destination, 6), at + 24);
  let nextAt = at + 6;
  let extensionAt = at + 40;
  for (const extension of layer.extensions) {
    const octets = extensionOctets(extension);
    frame[nextAt] = EXTENSION[extension.kind];
    nextAt = extensionAt;
    const tail = frame.subarray(extensionAt, extensionAt + octets);
    tail[1] = extension.kind === 'authentication' ? octets / 4 - 2 : octets / 8 - 1;
    if (extension.kind === 'fragment') {
      tail[1] = 0;
      new DataView(frame.buffer, extensionAt).setUint16(
        2,
        (extension.offset ?? 0) | (extension.more ? 1 : 0),
      );
      tail[7] = 1;
    } else if (extension.kind === 'authentication') {
      new DataView(frame.buffer, extensionAt).setUint32(4, extension.spi ?? 0);
    } else if (extension.kind === 'segmentRouting') {
      writeSegments(tail, extension);
    } else if (extension.kind === 'hopByHop' || extension.kind === 'destinationOptions') {
      padOptions(tail.subarray(2));
    }
    extensionAt += octets;
  }
  frame[nextAt] = protocolBehind(next, layer.protocol);
}

/** The segment routing header behind its first two octets (RFC 8754 section 2). */
function writeSegments(header: Uint8Array, { segments = [], segmentsLeft = 0 }: Extension): void {
  header[2] = 4;
  header[3] = segmentsLeft;
  header[4] = Math.max(0, segments.length - 1);
  for (const [i, segment] of segments.entries()) header.set(addressOctets(segment, 6), 8 + 16 * i);
}

/** Fills an area of IPv6 options with PadN (RFC 8200 section 4.2). */
function padOptions(area: Uint8Array): void {
  for (let at = 0; at < area.length; ) {
    const body = Math.min(area.length - at - 2, 255);
    area[at] = 1;
    area[at + 1] = body;
    at += body + 2;
    // A single octet left over would be no room for PadN: Pad1.
    if (area.length - at === 1) area[at++] = 0;
  }
}

function writeTransport(
  frame: Uint8Array<ArrayBuffer>,
  placed: Placed,
  told: number,
  saidLength: number,
): void {
  const { layer, at, next, network } = placed;
  const view = new DataView(frame.buffer, at);
  const all = frame.subarray(at, told);
  if (layer.kind === 'icmp' || layer.kind === 'icmpv6') {
    view.setUint8(0, layer.type);
    view.setUint8(1, layer.code);
    view.setUint16(4, layer.identifier);
    view.setUint16(6, layer.sequence);
    view.setUint16(
      2,
      internetChecksum(addWords(layer.kind === 'icmp' ? 0 : pseudoSum(placed, all.length), all)),
    );
    return;
  }
  if (!('sourcePort' in layer)) return;
  view.setUint16(0, layer.sourcePort);
  view.setUint16(2, layer.destinationPort);
  const sum = (): number => internetChecksum(addWords(pseudoSum(placed, all.length), all));
  switch (layer.kind) {
    case 'tcp': {
      const header = layerOctets(layer);
      view.setUint32(4, layer.sequence);
      view.setUint32(8, layer.acknowledgment);
      view.setUint16(12, ((header / 4) << 12) | layer.flags);
      view.setUint16(14, layer.window);
      frame.fill(1, at + 20, at + header); // "no operation" options
      view.setUint16(16, sum());
      return;
    }
    case 'udp':
      view.setUint16(4, saidLength);
      // Linux leaves out the checksum of a tunnel packet over IPv4 and fills it in over IPv6.
      if (!(next && UNCHECKED.has(next.kind)) || network?.layer.kind === 'ipv6')
        view.setUint16(6, sum() || 0xffff);
      return;
    case 'udpLite':
      view.setUint16(4, 0); // the checksum covers all of it
      view.setUint16(6, sum() || 0xffff);
      return;
    case 'dccp':
      view.setUint8(4, 3); // data offset in words
      view.setUint8(8, 2 << 1); // type DCCP-Data, 24-bit sequence numbers
      view.setUint16(6, sum());
      return;
    case 'sctp':
      view.setUint32(4, 1);
      view.setUint32(8, crc32c(all), true);
      return;
  }
}

/** The pseudo header of RFC 9293 section 3.1 and RFC 8200 section 8.1, as a sum of words. */
function pseudoSum({ layer, network }: Placed, octets: number): number {
  if (!network) return 0;
  const version = network.layer.kind === 'ipv4' ? 4 : 6;
  let sum = addWords(0, addressOctets(network.layer.source, version));
  sum = addWords(sum, addressOctets(finalDestination(network.layer), version));
  return sum + PROTOCOL[layer.kind]! + octets;
}

/** Where the packet is sent in the end: the last segment while segments are left (RFC 8200 section 8.1). */
function finalDestination(layer: Ipv4Layer | Ipv6Layer): string {
  if (layer.kind === 'ipv4') return layer.destination;
  const routing = layer.extensions.find(({ kind }) => kind === 'segmentRouting');
  return (routing?.segmentsLeft ? routing.segments?.[0] : undefined) ?? layer.destination;
}
