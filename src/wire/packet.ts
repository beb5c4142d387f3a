/** Packets as readable expressions: `packet().eth().ipv4({ … }).udp({ … }).vxlan(42).eth() … .payload(100)`. */
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
  TcpLayer,
  VlanLayer,
} from './layer.ts';
import { layerOctets } from './layer.ts';
import { type ModelOptions, modelOf, type Verdict } from './model.ts';

/** What can be said of a header; what is not said has a default. */
type Said<L> = Partial<Omit<L, 'kind'>>;

const DEFAULT_VXLAN_PORTS = [4789, 8472];
const MACS = { source: '02:00:00:00:00:01', destination: '02:00:00:00:00:02' } as const;
const PORTS = { sourcePort: 40000, destinationPort: 9 } as const;

/** An empty packet; the methods add headers from the outside in. */
export function packet(): Packet {
  return new Packet([], false);
}

/** A packet under construction. Immutable: every method returns a new one, so that beginnings can be reused. */
export class Packet {
  readonly layers: readonly Layer[];
  readonly #lengthsUnsaid: boolean;

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
    return this.#add({ kind: 'tcp', ...PORTS, flags: 0x10, sequence: 1, options: 0, ...said });
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
  model(options: Partial<Pick<ModelOptions, 'length' | 'vxlanPorts'>> = {}): Verdict {
    return modelOf(this.layers, {
      length: this.length,
      vxlanPorts: DEFAULT_VXLAN_PORTS,
      ...options,
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
