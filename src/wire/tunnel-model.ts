/** What a correct meter must say of the headers of tunnels; each ends with what the tunnel carries. */
import { MARK, type PortName, REMARK } from '../flow/index.ts';
import { type LayerKind, protocolBehind } from './layer.ts';
import {
  type AhLayer,
  type EoipLayer,
  type EspLayer,
  type GreLayer,
  gtpuOptions,
  l2tpv3Begin,
  type PptpLayer,
  type TunnelLayer,
  tunnelOctets,
} from './tunnel-layer.ts';
import {
  end,
  enter,
  lacks,
  layerOf,
  MAX_OFFSET,
  type Next,
  notTunnel,
  octetsLeft,
  type Step,
  skip,
  take,
  type Walk,
} from './walk.ts';

/** Bounds of the meter (bpf/parse.h). */
const MAX_LABELS = 8;
const MAX_GTP_EXTENSIONS = 8;

/** Octets of WireGuard's messages at least, and where their index stands. */
const WIREGUARD = {
  1: { octets: 148, mark: MARK['wireguard-initiation'] },
  2: { octets: 92, mark: MARK['wireguard-response'] },
  3: { octets: 64, mark: MARK['wireguard-cookie'] },
  4: { octets: 32, mark: MARK['wireguard-data'] },
} as const;

/** The layers that are modelled behind the ports of a tunnel. */
const READ_AS: Readonly<Record<PortName, readonly LayerKind[]>> = {
  vxlan: ['vxlan', 'vxlanGpe'],
  'vxlan-gpe': ['vxlan', 'vxlanGpe'],
  geneve: ['geneve'],
  'gtp-u': ['gtpu'],
  mpls: ['mpls'],
  l2tp: ['l2tp', 'l2tpv3'],
  'esp-udp': ['esp'],
  wireguard: ['wireguard'],
  teredo: ['teredo', 'ipv6'],
  gre: ['gre'],
  lisp: ['lisp'],
  ayiya: ['ayiya'],
};

/** Ethertypes by which an Ethernet header behind L2TPv3 is told. */
const TELLING: ReadonlySet<number> = new Set([
  0x0800, 0x0806, 0x8100, 0x86dd, 0x8847, 0x8848, 0x8864, 0x88a8, 0x894f, 0x9100,
]);
const PSEUDOWIRE_OFFSETS = [0, 4, 8, 12];

/** Behind a UDP header: a tunnel, a mark, or the end. `at` is the layer behind UDP. */
export function stepUdpPayload(
  walk: Walk,
  at: number,
  { sourcePort, port }: { readonly sourcePort: number; readonly port: number },
): Step {
  const kinds = Object.entries(walk.options.ports) as [PortName, readonly number[]][];
  const announced = kinds.find(([, ports]) => ports.includes(port))?.[0];
  if (announced === undefined) return end(walk);
  if (walk.offset > MAX_OFFSET) return 'header_offset';
  const judgement = judge(announced, octetsLeft(walk));
  if (judgement === 'not') return notTunnel(walk);
  if (judgement === 'plain') return end(walk);
  const layer = walk.layers[at];
  const into = (kind: Parameters<typeof enter>[1], id: number, next: Next): Step =>
    enter(walk, kind, { id, sourcePort }) ?? next;
  if (layer && !READ_AS[announced].includes(layer.kind))
    throw new TypeError(`${layer.kind} reads like ${announced}: no model for that`);
  switch (layer?.kind) {
    case 'vxlan':
    case 'vxlanGpe': {
      skip(walk, 8);
      // The same header on either port: the port says whether flags and next protocol are those of GPE.
      const isGpe = announced === 'vxlan-gpe';
      const isFrame = !isGpe || (layer.flags & 4) === 0;
      const next: Next = isFrame ? { content: 'ethernet', at: at + 1 } : byNextProtocol(walk, at + 1);
      return into(isGpe ? 'vxlan-gpe' : 'vxlan', layer.vni, next);
    }
    case 'geneve':
      skip(walk, tunnelOctets(layer));
      if (layer.critical) walk.draft.remark |= REMARK.critical;
      return into('geneve', layer.vni, byEthertype(walk, at + 1, layer.protocol));
    case 'gtpu':
      return gtpuError(walk, layer) ?? into('gtp-u', layer.teid, { content: 'nibble', at: at + 1 });
    case 'mpls':
      return stepMpls(walk, at, sourcePort);
    case 'l2tp':
      return (
        take(walk, tunnelOctets(layer), 'l2tp_truncated') ??
        into('l2tp', ((layer.tunnel << 16) | layer.id) >>> 0, { content: 'ppp', at: at + 1 })
      );
    case 'l2tpv3':
      return (
        take(walk, l2tpv3Begin(layer), 'l2tp_truncated') ??
        into('l2tpv3', layer.id, { content: 'pseudowire', at: at + 1 })
      );
    case 'teredo':
      skip(walk, tunnelOctets(layer));
      return into('teredo', 0, { content: 'ipv6', at: at + 1 });
    case 'ipv6':
      return into('teredo', 0, { content: 'ipv6', at });
    case 'gre':
      return take(walk, tunnelOctets(layer), 'gre_truncated') ?? greContent(walk, at, layer, sourcePort);
    case 'lisp':
      skip(walk, 8);
      return into(
        'lisp',
        layer.instance ?? 0,
        layer.generic ? byNextProtocol(walk, at + 1) : { content: 'nibble', at: at + 1 },
      );
    case 'ayiya':
      skip(walk, tunnelOctets(layer));
      return into('ayiya', 0, {
        content: walk.layers[at + 1]?.kind === 'ipv4' ? 'ipv4' : 'ipv6',
        at: at + 1,
      });
    case 'esp':
      setMark(walk, MARK['esp-udp'], layer.spi);
      return end(walk);
    case 'wireguard':
      setMark(walk, WIREGUARD[layer.type as 1 | 2 | 3 | 4].mark, layer.index);
      return end(walk);
    default:
      throw new TypeError(`${layer?.kind ?? 'nothing'} reads like ${announced}: no model for that`);
  }
}

/** Whether the payload on a tunnel's port is that tunnel, is that protocol but carries nothing, or is not. */
function judge(announced: PortName, octets: Uint8Array): 'tunnel' | 'plain' | 'not' {
  const { length } = octets;
  const [first = 0, second = 0] = octets;
  const isTunnel = (is: boolean): 'tunnel' | 'not' => (is ? 'tunnel' : 'not');
  switch (announced) {
    case 'vxlan':
      return isTunnel(length >= 8 && (first & 8) !== 0);
    case 'vxlan-gpe':
      return isTunnel(length >= 8 && (first & 0x38) === 8);
    case 'geneve':
      return isTunnel(length >= 8 && first >> 6 === 0 && length >= 8 + 4 * (first & 0x3f));
    case 'gtp-u':
      if (length < 8 || first >> 4 !== 3) return 'not';
      return second === 255 ? 'tunnel' : 'plain';
    case 'mpls':
      return isTunnel(length >= 4);
    case 'l2tp': {
      const version = second & 0x0f;
      if (length < 6 || (version !== 2 && version !== 3)) return 'not';
      return first & 0x80 ? 'plain' : 'tunnel';
    }
    case 'esp-udp':
      if (length === 1 && first === 0xff) return 'plain';
      if (length < 8) return 'not';
      return octets.subarray(0, 4).every((octet) => octet === 0) ? 'plain' : 'tunnel';
    case 'wireguard': {
      const message = WIREGUARD[first as 1 | 2 | 3 | 4] as { octets: number } | undefined;
      return isTunnel(
        message !== undefined &&
          octets.subarray(1, 4).every((octet) => octet === 0) &&
          length >= message.octets,
      );
    }
    case 'teredo': {
      let at = 0;
      if (first === 0 && second === 1) at = 13 + (octets[2] ?? 0) + (octets[3] ?? 0);
      if (octets[at] === 0 && octets[at + 1] === 0) at += 8;
      return isTunnel(at < length && octets[at]! >> 4 === 6);
    }
    case 'gre':
      return isTunnel(length >= 4 && (first & 0x40) === 0 && (second & 7) === 0);
    case 'lisp':
      return isTunnel(length >= 9 && ((first & 4) !== 0 || isIp(octets.subarray(8))));
    case 'ayiya': {
      const [, , opcode = 0, next = 0] = octets;
      if (length < 8) return 'not';
      if ((opcode & 15) !== 1 || (next !== 4 && next !== 41)) return 'plain';
      return isTunnel(length >= 8 + 2 ** (first >> 4) + 4 * (second >> 4));
    }
  }
}

/** IP protocol 47: GRE, and what only looks like it. */
export function stepGre(walk: Walk, at: number): Step {
  const short = lacks(walk, 4, 'gre_truncated');
  if (short) return short;
  const layer = walk.layers[at];
  switch (layer?.kind) {
    case 'eoip':
      return (
        take(walk, 8, 'gre_truncated') ??
        enter(walk, 'eoip', { id: layer.id }) ?? {
          content: isEmpty(walk, layer) ? 'nothing' : 'ethernet',
          at: at + 1,
        }
      );
    case 'pptp':
      return (
        take(walk, tunnelOctets(layer), 'gre_truncated') ??
        enter(walk, 'pptp', { id: layer.call }) ?? {
          content: isEmpty(walk, layer) ? 'nothing' : 'ppp',
          at: at + 1,
        }
      );
    case 'gre':
      if (layer.routing || layer.version !== 0) return notTunnel(walk);
      return take(walk, tunnelOctets(layer), 'gre_truncated') ?? greContent(walk, at, layer);
    default: {
      const [first = 0, second = 0] = octetsLeft(walk);
      if (first & 0x40 || second & 7) return notTunnel(walk);
      throw new TypeError('a payload that reads like GRE: no model for that');
    }
  }
}

/** Whether the payload length of EoIP or PPTP's GRE, just gone over, says that nothing follows. */
function isEmpty(walk: Walk, { length }: EoipLayer | PptpLayer): boolean {
  return length === undefined ? walk.offset === walk.told : length === 0;
}

function greContent(
  walk: Walk,
  at: number,
  { key, sequence, checksum, protocol }: GreLayer,
  sourcePort = 0,
): Step {
  const next = walk.layers[at + 1];
  const id = { id: key ?? 0, sourcePort };
  if (next?.kind === 'eth') {
    const isNvgre = walk.options.nvgre && key !== undefined && sequence === undefined && !checksum;
    const reason = isNvgre ? enter(walk, 'nvgre', { ...id, id: key >>> 8 }) : enter(walk, 'gretap', id);
    return reason ?? { content: 'ethernet', at: at + 1 };
  }
  if (next?.kind === 'erspan') {
    if ((next.version === 1) !== (sequence === undefined) && next.version !== 3)
      throw new TypeError('ERSPAN II stands behind GRE with a sequence number, I without');
    const name = ({ 1: 'erspan-1', 2: 'erspan-2', 3: 'erspan-3' } as const)[next.version];
    return (
      take(walk, tunnelOctets(next), 'erspan_truncated') ??
      enter(walk, name, { ...id, id: next.version === 1 ? 0 : next.id }) ?? {
        content: 'ethernet',
        at: at + 2,
      }
    );
  }
  const reason = enter(walk, 'gre', id);
  if (reason) return reason;
  return next?.kind === 'ppp' ? { content: 'ppp', at: at + 1 } : byEthertype(walk, at + 1, protocol);
}

/** A stack of labels, up to the bottom. */
export function stepMpls(walk: Walk, at: number, sourcePort = 0): Step {
  const layer = layerOf(walk, at, ['mpls', 4, 'mpls_truncated']);
  if (typeof layer === 'string') return layer;
  const { labels } = layer;
  for (let number = 0; number < labels.length; number++) {
    if (number === MAX_LABELS) return 'mpls_depth';
    const short = take(walk, 4, 'mpls_truncated');
    if (short) return short;
  }
  const reason = enter(walk, 'mpls', { id: labels[0]!, sourcePort });
  if (reason) return reason;
  const last = labels.at(-1);
  if (last === 0) return { content: 'ipv4', at: at + 1 };
  if (last === 2) return { content: 'ipv6', at: at + 1 };
  if (isIp(octetsLeft(walk))) walk.draft.remark |= REMARK.guessed;
  return { content: 'nibble', at: at + 1 };
}

/** IP or not, by the first four bits; then nothing more is known of it. */
export function stepNibble(walk: Walk, at: number): Step {
  const octets = octetsLeft(walk);
  if (!isIp(octets)) return { content: 'nothing', at };
  return { content: octets[0]! >> 4 === 4 ? 'ipv4' : 'ipv6', at };
}

function isIp([first = 0]: Uint8Array): boolean {
  return first >> 4 === 4 || first >> 4 === 6;
}

export function stepNsh(walk: Walk, at: number): Step {
  const layer = layerOf(walk, at, ['nsh', 8, 'nsh_truncated']);
  if (typeof layer === 'string') return layer;
  const octets = layer.length === undefined ? tunnelOctets(layer) : 4 * layer.length;
  if (layer.version !== 0 || octets < 8 || octets > walk.left) return 'nsh_length';
  skip(walk, octets);
  return enter(walk, 'nsh', { id: layer.path }) ?? byNextProtocol(walk, at + 1);
}

export function stepPppoe(walk: Walk, at: number): Step {
  const layer = layerOf(walk, at, ['pppoe', 6, 'pppoe_truncated']);
  if (typeof layer === 'string') return layer;
  if (layer.version !== 0x11 || layer.code !== 0) {
    walk.draft.remark |= REMARK.notTunnel;
    return { content: 'nothing', at, type: 0x8864 };
  }
  skip(walk, 6);
  const length = layer.length ?? walk.told - walk.offset;
  if (length > walk.left && !walk.partial) return 'pppoe_length';
  walk.left = Math.min(length, walk.left);
  return enter(walk, 'pppoe', { id: layer.id }) ?? { content: 'ppp', at: at + 1 };
}

export function stepPpp(walk: Walk, at: number): Step {
  const layer = layerOf(walk, at, ['ppp', 1, 'ppp_truncated']);
  if (typeof layer === 'string') return layer;
  const short = take(walk, tunnelOctets(layer), 'ppp_truncated');
  if (short) return short;
  const next = walk.layers[at + 1]?.kind;
  const content = next === 'ipv4' || next === 'ipv6' || next === 'mpls' ? next : 'nothing';
  return { content, at: at + 1 };
}

/** IP protocol 97. */
export function stepEtherip(walk: Walk, at: number): Step {
  const layer = layerOf(walk, at, ['etherip', 2, 'etherip_truncated']);
  if (typeof layer === 'string') return layer;
  if (layer.version !== 0x3000) return notTunnel(walk);
  skip(walk, 2);
  return enter(walk, 'etherip') ?? { content: 'ethernet', at: at + 1 };
}

/** IP protocol 115. */
export function stepL2tpv3(walk: Walk, at: number): Step {
  const layer = layerOf(walk, at, ['l2tpv3', 4, 'l2tp_truncated']);
  if (typeof layer === 'string') return layer;
  if (layer.id === 0) return end(walk);
  skip(walk, 4);
  return enter(walk, 'l2tpv3', { id: layer.id }) ?? { content: 'pseudowire', at: at + 1 };
}

/** An Ethernet header behind cookie and sublayer, both of a length nobody says: found by its ethertype. */
export function stepPseudowire(walk: Walk, at: number): Step {
  const octets = octetsLeft(walk);
  const found = PSEUDOWIRE_OFFSETS.find(
    (offset) =>
      octets.length >= offset + 14 && TELLING.has((octets[offset + 12]! << 8) | octets[offset + 13]!),
  );
  if (found === undefined) return { content: 'nothing', at };
  const begin = walk.layers[at - 1];
  if (begin?.kind !== 'l2tpv3' || found !== tunnelOctets(begin) - l2tpv3Begin(begin))
    throw new TypeError('what stands before the Ethernet header reads like one: no model for that');
  skip(walk, found);
  walk.draft.remark |= REMARK.guessed;
  return { content: 'ethernet', at };
}

/** Authentication in IPv4: a mark, and what it protects. @returns a reason, or nothing when gone over */
export function takeAh(walk: Walk, at: number, layer: AhLayer): string | undefined {
  const short = take(walk, layer.octets, 'ah_truncated');
  if (short) return short;
  addMark(walk, MARK.ah, layer.spi);
  walk.draft.protocol = protocolBehind(walk.layers[at + 1], layer.protocol);
  return undefined;
}

/** IP protocol 50: whatever follows is encrypted. */
export function stepEsp(walk: Walk, layer: EspLayer): undefined {
  if (walk.left >= 8) setMark(walk, MARK.esp, layer.spi);
  return end(walk);
}

/** Marks the flow unless something has. */
export function addMark(walk: Walk, kind: number, id: number): void {
  if (walk.draft.markKind === MARK.none) setMark(walk, kind, id);
}

function setMark({ draft }: Walk, kind: number, id: number): void {
  draft.markKind = kind;
  draft.markId = id;
}

function gtpuError(walk: Walk, layer: Extract<TunnelLayer, { kind: 'gtpu' }>): string | undefined {
  skip(walk, 8);
  if (gtpuOptions(layer) === 0) return undefined;
  const short = take(walk, 4, 'gtp_extension');
  if (short) return short;
  for (const [number, octets] of layer.extensions.entries()) {
    if (number === MAX_GTP_EXTENSIONS || octets === 0) return 'gtp_extension';
    const cut = take(walk, octets, 'gtp_extension');
    if (cut) return cut;
  }
  return undefined;
}

/** What follows a next protocol of NSH and VXLAN-GPE. */
function byNextProtocol(walk: Walk, at: number): Next {
  const kind = walk.layers[at]?.kind;
  if (kind === 'eth') return { content: 'ethernet', at };
  const isNamed = kind === 'ipv4' || kind === 'ipv6' || kind === 'nsh' || kind === 'mpls';
  return { content: isNamed ? kind : 'nothing', at };
}

/** What follows a protocol type; `said` counts where the layer has none of its own. */
function byEthertype(walk: Walk, at: number, said: number): Next {
  if (walk.layers[at]?.kind === 'eth') return { content: 'ethernet', at };
  return { content: 'ethertype', at, type: said };
}
