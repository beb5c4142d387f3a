/** Packets as readable expressions: `packet().eth().ipv4({ … }).udp({ … }).vxlan(42).eth() … .payload(100)`. */
import { DEFAULT_PORTS, type TunnelPorts } from '../flow/index.ts';
import { buildFrame } from './frame.ts';
import type {
  ArpLayer,
  EthLayer,
  IcmpLayer,
  Ipv4Layer,
  Ipv6Layer,
  Layer,
  LayerKind,
  PortsLayer,
  SnapLayer,
  TcpLayer,
  VlanLayer,
} from './layer.ts';
import { layerOctets } from './layer.ts';
import { modelOf } from './model.ts';
import type {
  AhLayer,
  AyiyaLayer,
  EoipLayer,
  EspLayer,
  EtheripLayer,
  GeneveLayer,
  GreLayer,
  GtpuLayer,
  L2tpLayer,
  L2tpv3Layer,
  LispLayer,
  NshLayer,
  PppLayer,
  PppoeLayer,
  PptpLayer,
  TeredoLayer,
  VxlanGpeLayer,
  WireguardLayer,
} from './tunnel-layer.ts';
import type { ModelOptions, Verdict } from './walk.ts';

/** What can be said of a header; what is not said has a default. */
type Said<L> = Partial<Omit<L, 'kind'>>;

/** What may be said of how the meter is set up, besides what is left of the frame. */
export type PacketModelOptions = Partial<Pick<ModelOptions, 'length' | 'nvgre'>> & {
  /** UDP destination ports, where they are not the default ones. */
  readonly ports?: Partial<TunnelPorts>;
};

const MACS = { source: '02:00:00:00:00:01', destination: '02:00:00:00:00:02' } as const;
const PORTS = { sourcePort: 40000, destinationPort: 9 } as const;

/** An empty packet; the methods add headers from the outside in. Where IP is the first there is no link layer (tun). */
export function packet(): Packet {
  return new Packet([], false);
}

/** A packet under construction. Immutable: every method returns a new one, so that beginnings can be reused. */
export class Packet {
  readonly layers: readonly Layer[];
  readonly #lengthsUnsaid: boolean;
  #frame: Uint8Array | undefined;

  constructor(layers: readonly Layer[], lengthsUnsaid: boolean) {
    this.layers = layers;
    this.#lengthsUnsaid = lengthsUnsaid;
  }

  /** Ethernet. `type` counts only where no header that has an ethertype of its own follows. */
  eth(said: Said<EthLayer> = {}): Packet {
    return this.#add({ kind: 'eth', ...MACS, type: 0x88b5, ...said });
  }

  /** IEEE 802.1Q tag. */
  vlan(vid: number, said: Said<VlanLayer> = {}): Packet {
    return this.#add({ kind: 'vlan', priority: 0, tpid: 0x8100, ...said, vid });
  }

  /** IEEE 802.1ad service tag, the outer one of two. */
  qinq(vid: number): Packet {
    return this.vlan(vid, { tpid: 0x88a8 });
  }

  /** LLC and SNAP behind eth() or vlan(), which say the length then. */
  snap(said: Said<SnapLayer> = {}): Packet {
    return this.#add({ kind: 'snap', llc: 0xaaaa03, organisation: 0, type: 0x88b5, ...said });
  }

  ipv4(said: Said<Ipv4Layer> = {}): Packet {
    return this.#add({
      kind: 'ipv4',
      source: '10.0.0.1',
      destination: '10.0.0.2',
      dscp: 0,
      ttl: 64,
      identification: 1,
      options: 0,
      offset: 0,
      more: false,
      protocol: 253,
      ...said,
    });
  }

  ipv6(said: Said<Ipv6Layer> = {}): Packet {
    return this.#add({
      kind: 'ipv6',
      source: 'fd00::1',
      destination: 'fd00::2',
      dscp: 0,
      hopLimit: 64,
      flowLabel: 0,
      extensions: [],
      protocol: 253,
      ...said,
    });
  }

  /** Flags default to ACK. */
  tcp(said: Said<TcpLayer> = {}): Packet {
    const usual = { flags: 0x10, sequence: 1, acknowledgment: 0, window: 0xffff, options: 0 };
    return this.#add({ kind: 'tcp', ...PORTS, ...usual, ...said });
  }

  udp(said: Said<PortsLayer> = {}): Packet {
    return this.#add({ kind: 'udp', ...PORTS, ...said });
  }

  /** RFC 3828, the checksum covers everything. */
  udpLite(said: Said<PortsLayer> = {}): Packet {
    return this.#add({ kind: 'udpLite', ...PORTS, ...said });
  }

  /** RFC 9260: the common header; chunks are payload. */
  sctp(said: Said<PortsLayer> = {}): Packet {
    return this.#add({ kind: 'sctp', ...PORTS, ...said });
  }

  /** RFC 4340: a DCCP-Data header with a sequence number of 24 bits. */
  dccp(said: Said<PortsLayer> = {}): Packet {
    return this.#add({ kind: 'dccp', ...PORTS, ...said });
  }

  /** Default: an echo request. */
  icmp(said: Said<IcmpLayer> = {}): Packet {
    return this.#add({ kind: 'icmp', type: 8, code: 0, identifier: 1, sequence: 1, ...said });
  }

  /** Default: an echo request. */
  icmpv6(said: Said<IcmpLayer> = {}): Packet {
    return this.#add({ kind: 'icmpv6', type: 128, code: 0, identifier: 1, sequence: 1, ...said });
  }

  /** Default: a request. */
  arp(said: Said<ArpLayer> = {}): Packet {
    const addresses = { source: '10.0.0.1', destination: '10.0.0.2' };
    const macs = { sourceMac: MACS.source, destinationMac: '00:00:00:00:00:00' };
    return this.#add({ kind: 'arp', operation: 1, ...addresses, ...macs, ...said });
  }

  /** RFC 7348, to stand behind udp() with destination port 4789. */
  vxlan(vni: number, { flags = 8 }: { flags?: number } = {}): Packet {
    return this.#add({ kind: 'vxlan', vni, flags });
  }

  /** VXLAN-GPE, behind udp() with destination port 4790. */
  vxlanGpe(vni: number, said: Said<VxlanGpeLayer> = {}): Packet {
    return this.#add({ kind: 'vxlanGpe', flags: 0x0c, protocol: 0, ...said, vni });
  }

  /** RFC 8300, behind eth() or a header with a next protocol. */
  nsh(path: number, said: Said<NshLayer> = {}): Packet {
    return this.#add({ kind: 'nsh', index: 255, metadata: 0, version: 0, protocol: 0xfe, ...said, path });
  }

  /** RFC 8926, behind udp() with destination port 6081. */
  geneve(vni: number, said: Said<GeneveLayer> = {}): Packet {
    const fields = { options: 0, critical: false, version: 0, protocol: 0x88b5 };
    return this.#add({ kind: 'geneve', ...fields, ...said, vni });
  }

  /** RFC 2784, behind IP; Ethernet behind it makes it GRETAP. */
  gre(said: Said<GreLayer> = {}): Packet {
    const fields = { checksum: false, routing: false, version: 0, protocol: 0x88b5 };
    return this.#add({ kind: 'gre', ...fields, ...said });
  }

  /** RFC 7637: GRE with a key of VSID and flow identifier. */
  nvgre(vsid: number, flow = 0): Packet {
    return this.gre({ key: ((vsid << 8) | flow) >>> 0 });
  }

  /** GRE and the ERSPAN header of a type: I has none, II and III need GRE's sequence number. */
  erspan(version: 1 | 2 | 3, id = 0, { platform = false }: { platform?: boolean } = {}): Packet {
    const carrier = version === 1 ? this.gre() : this.gre({ sequence: 1 });
    return carrier.#add({ kind: 'erspan', version, id, platform });
  }

  /** MikroTik's EoIP, behind IP. */
  eoip(id: number, said: Said<EoipLayer> = {}): Packet {
    return this.#add({ kind: 'eoip', ...said, id });
  }

  /** RFC 2637, behind IP; ppp() follows. */
  pptp(call: number, said: Said<PptpLayer> = {}): Packet {
    return this.#add({ kind: 'pptp', ...said, call });
  }

  /** RFC 1661; by default without address and control and with a protocol field of two octets. */
  ppp(said: Said<PppLayer> = {}): Packet {
    return this.#add({ kind: 'ppp', framed: false, compressed: false, protocol: 0xc021, ...said });
  }

  /** GTP-U, behind udp() with destination port 2152; by default a G-PDU. */
  gtpu(teid: number, said: Said<GtpuLayer> = {}): Packet {
    return this.#add({ kind: 'gtpu', message: 255, version: 1, type: 1, extensions: [], ...said, teid });
  }

  /** RFC 3032: a stack of labels, the last with the bottom bit. */
  mpls(labels: readonly number[], { multicast = false }: { multicast?: boolean } = {}): Packet {
    return this.#add({ kind: 'mpls', labels, multicast });
  }

  /** RFC 2661, behind udp() with destination port 1701; ppp() follows. */
  l2tp(tunnel: number, id: number, said: Said<L2tpLayer> = {}): Packet {
    const fields = { control: false, version: 2, lengthy: false, sequenced: false };
    return this.#add({ kind: 'l2tp', ...fields, ...said, tunnel, id });
  }

  /** RFC 3931, behind IP or udp(). */
  l2tpv3(id: number, said: Said<Omit<L2tpv3Layer, 'overUdp'>> = {}): Packet {
    const overUdp = this.layers.at(-1)?.kind === 'udp';
    return this.#add({ kind: 'l2tpv3', cookie: 0, sublayer: false, control: false, ...said, overUdp, id });
  }

  /** RFC 3378, behind IP. */
  etherip(said: Said<EtheripLayer> = {}): Packet {
    return this.#add({ kind: 'etherip', version: 0x3000, ...said });
  }

  /** RFC 4380, behind udp(); IPv6 follows. */
  teredo(said: Said<TeredoLayer> = {}): Packet {
    return this.#add({ kind: 'teredo', origin: false, ...said });
  }

  /** RFC 9300, behind udp() with destination port 4341; `generic` says what follows (RFC 9305), else it is IP. */
  lisp(said: Said<LispLayer> = {}): Packet {
    return this.#add({ kind: 'lisp', generic: false, protocol: 0, ...said });
  }

  /** AYIYA, behind udp() with destination port 5072; IP follows. */
  ayiya(said: Said<AyiyaLayer> = {}): Packet {
    return this.#add({ kind: 'ayiya', identity: 4, signature: 5, opcode: 1, protocol: 59, ...said });
  }

  /** RFC 2516, behind eth(); ppp() follows. */
  pppoe(id: number, said: Said<PppoeLayer> = {}): Packet {
    return this.#add({ kind: 'pppoe', version: 0x11, code: 0, ...said, id });
  }

  /** RFC 4302; behind IPv6 it is one of its extension headers. */
  ah(spi: number, said: Said<AhLayer> = {}): Packet {
    const last = this.layers.at(-1);
    if (last?.kind !== 'ipv6') return this.#add({ kind: 'ah', octets: 24, protocol: 253, ...said, spi });
    const extension = { kind: 'authentication', octets: said.octets ?? 24, spi } as const;
    const extended: Layer = { ...last, extensions: [...last.extensions, extension] };
    return new Packet([...this.layers.slice(0, -1), extended], this.#lengthsUnsaid);
  }

  /** RFC 4303, behind IP or udp() with destination port 4500; what follows is told nobody. */
  esp(spi: number, said: Said<EspLayer> = {}): Packet {
    return this.#add({ kind: 'esp', sequence: 1, ...said, spi });
  }

  /** A WireGuard message of a type (1 initiation, 2 response, 3 cookie reply, 4 data), behind udp(). */
  wireguard(type: number, index: number, said: Said<WireguardLayer> = {}): Packet {
    return this.#add({ kind: 'wireguard', reserved: 0, ...said, type, index });
  }

  /** So many octets (0, 1, 2, … and again from 0), or these. */
  payload(octets: number | Uint8Array): Packet {
    const bytes = typeof octets === 'number' ? Uint8Array.from({ length: octets }, (_, i) => i) : octets;
    return this.#add({ kind: 'payload', octets: bytes });
  }

  /** Fills the frame up to so many octets, behind all that the headers tell of. */
  pad(frameOctets: number): Packet {
    return this.#add({ kind: 'padding', octets: Math.max(0, frameOctets - this.length) });
  }

  /** IP and UDP length fields say 0, as in super-packets of more than 65,535 octets. */
  withoutLengths(): Packet {
    return new Packet(this.layers, true);
  }

  /** All layers of `inner` behind those of this packet. */
  carry(inner: Packet): Packet {
    return new Packet([...this.layers, ...inner.layers], this.#lengthsUnsaid || inner.#lengthsUnsaid);
  }

  /** Octets of the frame. */
  get length(): number {
    return this.layers.reduce((sum, layer) => sum + layerOctets(layer), 0);
  }

  /** Where a header begins: the `number`th of its kind from the outside in. @throws RangeError when there is none. */
  at(kind: LayerKind, number = 0): number {
    let offset = 0;
    let seen = 0;
    for (const layer of this.layers) {
      if (layer.kind === kind && seen++ === number) return offset;
      offset += layerOctets(layer);
    }
    throw new RangeError(`this packet has ${seen} ${kind} headers, number ${number} was asked for`);
  }

  /** The frame; the caller's own. @throws TypeError for an address or a MAC that is none. */
  build(): Uint8Array<ArrayBuffer> {
    return buildFrame(this.layers, { lengthsUnsaid: this.#lengthsUnsaid });
  }

  /** What a correct meter must say of the packet, or of its first `length` octets. */
  model(options: PacketModelOptions = {}): Verdict {
    this.#frame ??= this.build();
    return modelOf(this.layers, {
      length: this.length,
      nvgre: false,
      ...options,
      ports: { ...DEFAULT_PORTS, ...options.ports },
      frame: this.#frame,
      lengthsUnsaid: this.#lengthsUnsaid,
    });
  }

  /** In words, for messages: `eth vlan ipv4 udp vxlan eth arp`. */
  toString(): string {
    const words = this.layers.map((layer) =>
      layer.kind === 'ipv6' && layer.extensions.length > 0
        ? `ipv6(${layer.extensions.map(({ kind }) => kind).join(' ')})`
        : layer.kind,
    );
    return `${words.join(' ')}${this.#lengthsUnsaid ? ' without lengths' : ''}`;
  }

  #add(layer: Layer): Packet {
    return new Packet([...this.layers, layer], this.#lengthsUnsaid);
  }
}
