/** From tunnel layers to the octets of their headers. */
import { addWords, internetChecksum } from './checksum.ts';
import { ethertypeOf, type Layer, type LayerKind, protocolBehind } from './layer.ts';
import {
  type GeneveLayer,
  type GtpuLayer,
  gtpuOptions,
  type TunnelLayer,
  tunnelOctets,
} from './tunnel-layer.ts';

/** Next protocol of NSH and VXLAN-GPE (RFC 8300 section 2.2). */
const NEXT_PROTOCOL: Readonly<Partial<Record<LayerKind, number>>> = {
  ipv4: 1,
  ipv6: 2,
  eth: 3,
  nsh: 4,
  mpls: 5,
};
/** Experimental option class (RFC 8926 section 7), and the C bit of an option's type. */
const OPTION_CLASS = 0xffff;
const OPTION_CRITICAL = 0x80;
/** Octets of a Geneve option at most: its header of 4 and 31 words. */
const OPTION_MAX = 128;
/** An extension header that anyone may skip: a container of a PDCP number's kind. */
const GTP_EXTENSION = 0xc0;

/**
 * Writes a header into its frame, where all behind it stands already.
 *
 * @param at where the header begins
 * @param end where the octets end that headers tell of
 */
export function writeTunnel(
  frame: Uint8Array<ArrayBuffer>,
  layer: TunnelLayer,
  { at, end, next }: { readonly at: number; readonly end: number; readonly next: Layer | undefined },
): void {
  const view = new DataView(frame.buffer, at);
  const header = tunnelOctets(layer);
  const behind = end - at - header;
  switch (layer.kind) {
    case 'vxlan':
    case 'vxlanGpe':
      view.setUint8(0, layer.flags);
      if (layer.kind === 'vxlanGpe') view.setUint8(3, nextProtocol(next, layer.protocol));
      view.setUint32(4, (layer.vni << 8) >>> 0);
      return;
    case 'nsh':
      view.setUint16(0, (layer.version << 14) | (63 << 6) | (layer.length ?? header / 4));
      // Metadata of fixed length is 16 octets; everything else is a list, here of octets nobody reads.
      view.setUint8(2, layer.metadata === 16 ? 1 : 2);
      view.setUint8(3, nextProtocol(next, layer.protocol));
      view.setUint32(4, ((layer.path << 8) | layer.index) >>> 0);
      if (layer.metadata > 16 || layer.metadata % 16 !== 0) {
        view.setUint16(8, OPTION_CLASS);
        view.setUint8(11, layer.metadata - 4);
      }
      return;
    case 'geneve':
      writeGeneve(view, layer, next);
      return;
    case 'ppp': {
      const protocol = pppProtocol(next) ?? layer.protocol;
      if (layer.framed) view.setUint16(0, 0xff03);
      if (layer.compressed) view.setUint8(header - 1, protocol);
      else view.setUint16(header - 2, protocol);
      return;
    }
    case 'gtpu':
      writeGtpu(view, layer, end - at - 8);
      return;
    case 'mpls':
      for (const [i, label] of layer.labels.entries()) {
        const bottom = i === layer.labels.length - 1 ? 0x100 : 0;
        view.setUint32(4 * i, ((label << 12) | bottom | 64) >>> 0);
      }
      return;
    case 'etherip':
      view.setUint16(0, layer.version);
      return;
    case 'lisp':
      view.setUint8(0, (layer.instance === undefined ? 0 : 8) | (layer.generic ? 4 : 0));
      if (layer.generic) view.setUint8(3, nextProtocol(next, layer.protocol));
      view.setUint32(4, ((layer.instance ?? 0) << 8) >>> 0);
      return;
    case 'ayiya':
      view.setUint8(0, (layer.identity << 4) | 1);
      view.setUint8(1, (layer.signature << 4) | 2);
      view.setUint8(2, 0x10 | layer.opcode);
      view.setUint8(3, protocolBehind(next, layer.protocol));
      return;
    case 'pppoe':
      view.setUint8(0, layer.version);
      view.setUint8(1, layer.code);
      view.setUint16(2, layer.id);
      view.setUint16(4, layer.length ?? behind);
      return;
    case 'ah':
      view.setUint8(0, protocolBehind(next, layer.protocol));
      view.setUint8(1, header / 4 - 2);
      view.setUint32(4, layer.spi);
      view.setUint32(8, 1);
      return;
    case 'esp':
      view.setUint32(0, layer.spi);
      view.setUint32(4, layer.sequence);
      return;
    case 'wireguard':
      view.setUint8(0, layer.type);
      view.setUint16(1, layer.reserved >> 8);
      view.setUint8(3, layer.reserved);
      view.setUint32(layer.type === 2 ? 8 : 4, layer.index, true);
      return;
    case 'teredo':
      writeTeredo(view, layer);
      return;
    case 'l2tp':
    case 'l2tpv3':
      writeL2tp(view, layer, end - at);
      return;
    default:
      writeGre(frame.subarray(at, end), view, { layer, next, behind });
  }
}

function writeGre(
  all: Uint8Array,
  view: DataView,
  {
    layer,
    next,
    behind,
  }: { readonly layer: TunnelLayer; readonly next: Layer | undefined; readonly behind: number },
): void {
  switch (layer.kind) {
    case 'gre': {
      const { checksum, routing, key, sequence } = layer;
      const flags = [
        checksum && 0x8000,
        routing && 0x4000,
        key !== undefined && 0x2000,
        sequence !== undefined && 0x1000,
      ];
      view.setUint16(
        0,
        flags.reduce<number>((sum, flag) => sum | Number(flag), layer.version),
      );
      view.setUint16(2, ethertypeOf(next) ?? (next?.kind === 'eth' ? 0x6558 : layer.protocol));
      let at = checksum || routing ? 8 : 4;
      if (key !== undefined) view.setUint32(at, key);
      if (key !== undefined) at += 4;
      if (sequence !== undefined) view.setUint32(at, sequence);
      if (checksum) view.setUint16(4, internetChecksum(addWords(0, all)));
      return;
    }
    case 'eoip':
      view.setUint32(0, 0x2001_6400);
      view.setUint16(4, layer.length ?? behind);
      view.setUint16(6, layer.id, true);
      return;
    case 'pptp': {
      const { sequence, acknowledgment } = layer;
      view.setUint16(
        0,
        0x2001 | (sequence === undefined ? 0 : 0x1000) | (acknowledgment === undefined ? 0 : 0x80),
      );
      view.setUint16(2, 0x880b);
      view.setUint16(4, layer.length ?? behind);
      view.setUint16(6, layer.call);
      if (sequence !== undefined) view.setUint32(8, sequence);
      if (acknowledgment !== undefined) view.setUint32(sequence === undefined ? 8 : 12, acknowledgment);
      return;
    }
    case 'erspan':
      if (layer.version === 1) return;
      view.setUint16(0, (layer.version - 1) << 12);
      view.setUint16(2, layer.id);
      if (layer.version === 3) view.setUint8(11, layer.platform ? 1 : 0);
      return;
  }
}

function nextProtocol(next: Layer | undefined, said: number): number {
  return (next && NEXT_PROTOCOL[next.kind]) ?? said;
}

function pppProtocol(next: Layer | undefined): number | undefined {
  if (next?.kind === 'ipv4') return 0x0021;
  if (next?.kind === 'ipv6') return 0x0057;
  if (next?.kind === 'mpls') return next.multicast ? 0x0283 : 0x0281;
  return undefined;
}

function writeGeneve(view: DataView, layer: GeneveLayer, next: Layer | undefined): void {
  view.setUint8(0, (layer.version << 6) | (layer.length ?? layer.options / 4));
  view.setUint8(1, layer.critical ? 0x40 : 0);
  view.setUint16(2, ethertypeOf(next) ?? (next?.kind === 'eth' ? 0x6558 : layer.protocol));
  view.setUint32(4, (layer.vni << 8) >>> 0);
  for (let at = 8; at < 8 + layer.options; ) {
    const octets = Math.min(OPTION_MAX, 8 + layer.options - at);
    view.setUint16(at, OPTION_CLASS);
    view.setUint8(at + 2, layer.critical ? OPTION_CRITICAL | 1 : 1);
    view.setUint8(at + 3, octets / 4 - 1);
    at += octets;
  }
}

function writeGtpu(view: DataView, layer: GtpuLayer, length: number): void {
  const options = gtpuOptions(layer);
  view.setUint8(0, (layer.version << 5) | (layer.type << 4) | options);
  view.setUint8(1, layer.message);
  view.setUint16(2, length);
  view.setUint32(4, layer.teid);
  if (options === 0) return;
  view.setUint16(8, layer.sequence ?? 0);
  view.setUint8(10, layer.npdu ?? 0);
  let typeAt = 11;
  let at = 12;
  for (const octets of layer.extensions) {
    view.setUint8(typeAt, GTP_EXTENSION);
    view.setUint8(at, octets / 4);
    typeAt = at + Math.max(4, octets) - 1;
    at = typeAt + 1;
  }
}

function writeL2tp(
  view: DataView,
  layer: Extract<TunnelLayer, { kind: 'l2tp' | 'l2tpv3' }>,
  length: number,
): void {
  if (layer.kind === 'l2tpv3') {
    if (layer.overUdp) view.setUint16(0, 3 | (layer.control ? 0x8000 : 0));
    view.setUint32(layer.overUdp ? 4 : 0, layer.id);
    return;
  }
  const { lengthy, sequenced, offset, control } = layer;
  const flags = [control && 0x8000, lengthy && 0x4000, sequenced && 0x0800, offset !== undefined && 0x0200];
  view.setUint16(
    0,
    flags.reduce<number>((sum, flag) => sum | Number(flag), layer.version),
  );
  let at = 2;
  if (lengthy) view.setUint16(at, length);
  if (lengthy) at += 2;
  view.setUint16(at, layer.tunnel);
  view.setUint16(at + 2, layer.id);
  if (offset !== undefined) view.setUint16(at + (sequenced ? 8 : 4), offset);
}

function writeTeredo(
  view: DataView,
  { authentication, origin }: Extract<TunnelLayer, { kind: 'teredo' }>,
): void {
  let at = 0;
  if (authentication) {
    view.setUint16(0, 1);
    view.setUint8(2, authentication[0]);
    view.setUint8(3, authentication[1]);
    at = 13 + authentication[0] + authentication[1];
  }
  // The origin is written inverted: 192.0.2.45 and port 40000.
  if (origin) view.setUint16(at + 2, 40_000 ^ 0xffff);
  if (origin) view.setUint32(at + 4, ~0xc000_022d >>> 0);
}
