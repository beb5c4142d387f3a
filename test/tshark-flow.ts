/** From the layers that tshark shows to the flow of a packet, by the conventions of flow-words.ts. */
import type { Flow, Kind } from './flow-words.ts';
import type { Layer } from './tshark.ts';

/** How the flow is to be read. */
export interface ReadingOptions {
  /** GRE with a key, without checksum and sequence, and a frame inside is NVGRE: on the wire they look the same. */
  readonly nvgre: boolean;
}

/** A packet's flow, and what joins it with other pieces of its datagram. */
export interface ReadFlow {
  readonly flow: Flow;
  /** Where the innermost IP packet is a piece: its identification, and whether it is not the first. */
  readonly piece: { readonly identification: string; readonly isLater: boolean } | undefined;
}

/** Reads a packet from the outside in, up to the first layer that is neither a network, a tunnel nor a transport. */
export function flowByTshark(layers: readonly Layer[], options: ReadingOptions): ReadFlow {
  const walk = new Walk(options);
  for (const [i, layer] of layers.entries()) if (!walk.step(layer, layers[i + 1])) break;
  return walk;
}

/** Layers that say nothing of a flow. */
const SILENT: ReadonlySet<string> = new Set([
  'geninfo',
  'frame',
  'eth',
  'sll',
  'raw',
  'llc',
  'vlan',
  'ieee8021ad',
  'ppp',
  'udpencap',
]);
const TRANSPORTS: Readonly<Record<string, string>> = {
  tcp: 'tcp',
  udp: 'udp',
  udplite: 'udp',
  sctp: 'sctp',
  dccp: 'dccp',
};
const GRE_FRAME = 0x6558;
const EOIP = 0x6400;
/** Routing header of RFC 8754. */
const SEGMENT_ROUTING = 4;
const G_PDU = 255;
const WIREGUARD = ['initiation', 'response', 'cookie', 'data'] as const;

type Address = NonNullable<Flow['inner']>;

class Walk implements ReadFlow {
  readonly #options: ReadingOptions;
  readonly #tunnels: Kind[] = [];
  #outer: Flow['outer'] = null;
  #mark: Kind | null = null;
  /** The IP packet that was read last, while nothing of another frame was. */
  #inner: Address | null = null;
  #segmentsLeft: number | undefined;
  #last = '';
  piece: ReadFlow['piece'];

  constructor(options: ReadingOptions) {
    this.#options = options;
  }

  get flow(): Flow {
    const isRouted = this.#mark === null && this.#segmentsLeft !== undefined;
    const mark = isRouted ? { kind: 'segment-routing', id: this.#segmentsLeft! } : this.#mark;
    return { tunnels: this.#tunnels, outer: this.#outer, mark, inner: this.#inner };
  }

  /** Takes a layer in. @returns whether to go on */
  step({ name, fields }: Layer, next: Layer | undefined): boolean {
    const number = (field: string): number => Number(fields.get(field)?.[0]);
    const last = this.#last;
    this.#last = name;
    if (name === 'eth' && this.#inner && (last === 'ip' || last === 'ipv6')) this.#enterFrame();
    if (SILENT.has(name)) return true;
    const transport = TRANSPORTS[name];
    if (transport) {
      if (!this.#inner) return false;
      const ports = {
        sourcePort: number(`${transport}.srcport`),
        destinationPort: number(`${transport}.dstport`),
      };
      this.#inner = { ...this.#inner, ...ports };
      return true;
    }
    switch (name) {
      case 'ip':
      case 'ipv6':
        return this.#network(name, fields, /^(ip|ipv6|ah)$/.test(last));
      case 'vxlan':
        return this.#enter(fields.has('vxlan.next_proto') ? 'vxlan-gpe' : 'vxlan', number('vxlan.vni'));
      case 'nsh':
        return this.#enter('nsh', number('nsh.spi'));
      case 'geneve':
        return this.#enter('geneve', number('geneve.vni'));
      case 'gre':
        return this.#gre(fields, next);
      case 'erspan': {
        const type = fields.has('erspan.version') ? number('erspan.version') + 1 : 1;
        return this.#enter(`erspan-${type}`, type === 1 ? null : number('erspan.spanid'));
      }
      case 'gtp':
        return number('gtp.message') === G_PDU && this.#enter('gtp-u', number('gtp.teid'));
      case 'mpls':
        // A layer for each label: the first of a stack names it.
        return last === 'mpls' || this.#enter('mpls', number('mpls.label'));
      case 'l2tp':
        if (number('l2tp.type') === 1) return false;
        if (fields.has('l2tp.sid')) return this.#enter('l2tpv3', number('l2tp.sid'));
        return this.#enter('l2tp', ((number('l2tp.tunnel') << 16) | number('l2tp.session')) >>> 0);
      case 'lisp-data':
        return this.#enter('lisp', fields.has('lisp-data.iid') ? number('lisp-data.iid') : 0);
      case 'ayiya':
      case 'etherip':
      case 'teredo':
        return this.#enter(name, null);
      case 'pppoes':
        return this.#enter('pppoe', number('pppoe.session_id'));
      case 'ah':
        this.#mark = { kind: 'ah', id: number('ah.spi') };
        return this.#pass(number('ah.next_header'));
      case 'esp':
        this.#mark = { kind: last === 'udpencap' ? 'esp-udp' : 'esp', id: number('esp.spi') };
        return false;
      case 'wg': {
        const type = number('wg.type');
        const id = number(type === 1 ? 'wg.sender' : 'wg.receiver');
        this.#mark = { kind: `wireguard-${WIREGUARD[type - 1]}`, id };
        return false;
      }
      default:
        return false;
    }
  }

  #network(name: 'ip' | 'ipv6', fields: Layer['fields'], isDirect: boolean): boolean {
    const last = (field: string): string => fields.get(field)?.at(-1) ?? '';
    // A header that is cut: no addresses.
    if (last(`${name}.dst`) === '') return false;
    if (isDirect && this.#inner) {
      const isSix = this.#inner.source.includes(':');
      const [over4, over6] = name === 'ip' ? ['ipip', 'ip4ip6'] : ['sit', 'ip6ip6'];
      if (this.#segmentsLeft === undefined) this.#enter(isSix ? over6! : over4!, null);
      else this.#enter('srv6', this.#segmentsLeft);
    }
    const addresses = { source: last(`${name}.src`), destination: fields.get(`${name}.dst`)![0]! };
    this.#segmentsLeft =
      Number(fields.get('ipv6.routing.type')?.[0]) === SEGMENT_ROUTING
        ? Number(last('ipv6.routing.segleft'))
        : undefined;
    const ah = fields.get('ah.spi')?.[0];
    if (ah !== undefined) this.#mark = { kind: 'ah', id: Number(ah) };
    const protocol = name === 'ip' ? Number(last('ip.proto')) : protocolBehind(fields);
    this.#inner = { ...addresses, protocol, sourcePort: 0, destinationPort: 0 };
    this.piece = pieceOf(name, fields);
    return true;
  }

  #gre(fields: Layer['fields'], next: Layer | undefined): boolean {
    const number = (field: string): number => Number(fields.get(field)?.[0]);
    if (next?.name === 'erspan') return true;
    // tshark has no name for EoIP: to it the length and the identifier, low octet first, are a key.
    if (number('gre.proto') === EOIP) {
      const id = number('gre.key') & 0xffff;
      return this.#enter('eoip', ((id & 0xff) << 8) | (id >> 8));
    }
    if (fields.has('gre.key.call_id')) return this.#enter('pptp', number('gre.key.call_id'));
    const key = fields.get('gre.key')?.[0];
    if (number('gre.proto') !== GRE_FRAME) return this.#enter('gre', Number(key ?? 0));
    const isPlain = !fields.has('gre.checksum') && !fields.has('gre.sequence_number');
    if (this.#options.nvgre && key !== undefined && isPlain) return this.#enter('nvgre', Number(key) >>> 8);
    return this.#enter('gretap', Number(key ?? 0));
  }

  /** A frame behind segment routing (protocol 143). */
  #enterFrame(): void {
    if (this.#segmentsLeft !== undefined) this.#enter('srv6', this.#segmentsLeft);
  }

  /** @returns false where tshark could not read the identifier: then it is no tunnel */
  #enter(kind: string, id: number | null): boolean {
    if (Number.isNaN(id)) return false;
    if (this.#inner) this.#outer ??= { source: this.#inner.source, destination: this.#inner.destination };
    this.#tunnels.push({ kind, id });
    this.#inner = null;
    this.#segmentsLeft = undefined;
    this.piece = undefined;
    return true;
  }

  /** A header that only says another protocol. */
  #pass(protocol: number): true {
    if (this.#inner) this.#inner = { ...this.#inner, protocol };
    return true;
  }
}

/** The last next header of the chain; of a later piece that of its fragment header. */
function protocolBehind(fields: Layer['fields']): number {
  const names = ['ipv6.nxt', 'ipv6.hopopts.nxt', 'ipv6.routing.nxt', 'ipv6.dstopts.nxt', 'ipv6.fraghdr.nxt'];
  const said = [...names, 'ah.next_header'].flatMap((name) => fields.get(name) ?? []);
  // Each header of the chain is named by the one before it: what no header answers is behind the last.
  const headers = new Map([
    ['ipv6.hopopts.nxt', 0],
    ['ipv6.routing.nxt', 43],
    ['ipv6.fraghdr.nxt', 44],
    ['ah.next_header', 51],
    ['ipv6.dstopts.nxt', 60],
  ]);
  const rest = said.map(Number);
  for (const [name, protocol] of headers)
    for (let i = 0; i < (fields.get(name)?.length ?? 0); i++) rest.splice(rest.indexOf(protocol), 1);
  return rest[0]!;
}

function pieceOf(name: 'ip' | 'ipv6', fields: Layer['fields']): ReadFlow['piece'] {
  const one = (field: string): string => fields.get(field)?.[0] ?? '0';
  const [offset, more, identification] =
    name === 'ip'
      ? [one('ip.frag_offset'), one('ip.flags.mf'), one('ip.id')]
      : [one('ipv6.fraghdr.offset'), one('ipv6.fraghdr.more'), one('ipv6.fraghdr.ident')];
  const isLater = Number(offset) !== 0;
  const isPiece = isLater || /^(1|true)$/i.test(more);
  return isPiece ? { identification, isLater } : undefined;
}
