/** Who talks: segments and nodes, interned to numbers so that the views add up arrays and format text once. */
import { columnWords, formatAddress, formatMac, KeyTable, parseAddress, tunnelName } from '../flow/index.ts';

/** `none`, or the tunnel's type and identifier: `vxlan:5001`. */
export function segmentId(tunnelKind: number, tunnelId: number): string {
  return tunnelKind === 0 ? 'none' : `${tunnelName(tunnelKind)}:${tunnelId}`;
}

/** A segment as the live view keeps it; never forgotten, so that idle ones stay listed. */
export interface LiveSegment {
  /** `none`, or tunnel type and id. */
  readonly id: string;
  readonly tunnelKind: number;
  readonly tunnelId: number;
  lastSeenMs: number;
}

/** All segments seen since the start. */
export class Segments {
  readonly list: LiveSegment[] = [];
  readonly #numbers = new Map<number, number>();
  readonly #names = new Map<string, number>();

  /** Number of a segment, new or known. */
  intern(tunnelKind: number, tunnelId: number): number {
    const key = tunnelKind * 2 ** 32 + tunnelId;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const id = segmentId(tunnelKind, tunnelId);
    const number = this.list.push({ id, tunnelKind, tunnelId, lastSeenMs: 0 }) - 1;
    this.#numbers.set(key, number);
    this.#names.set(id, number);
    return number;
  }

  /** Number of the segment with this id, or −1. */
  find(id: string): number {
    return this.#names.get(id) ?? -1;
  }
}

/** Scope of a node at the hosts level; at the clients level the scope is the segment's number. */
export const HOST_SCOPE = 0xffffffff;

/** What the four address words of a node hold. */
export const NODE_KIND = { address: 0, mac: 1, special: 2 } as const;

/** Nodes that stand for many: detail lost in a full flow cache, and flows folded here to save memory. */
export const SPECIAL = { overflow: 0, folded: 1 } as const;
const SPECIAL_TEXT = ['(overflow)', '(folded)'] as const;

/** Words that {@link NodeTable.writeOrder} writes. */
export const ORDER_WORDS = 5;
/** By the numbers of NODE_KIND and SPECIAL: addresses first, `(folded)` before `(overflow)`, MACs last. */
const KIND_ORDER = [0, 2, 1] as const;
const SPECIAL_ORDER = [1, 0] as const;
const IS_LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** A word of an address in memory order as the number it is in network order. */
export function fromMemory(word: number): number {
  if (!IS_LITTLE_ENDIAN) return word;
  return ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}

/** Nodes of the chord at both levels. Key words: scope, kind, four address words in memory order. */
export class NodeTable {
  readonly keys: KeyTable;
  readonly #segments: Segments;
  readonly #texts: (string | undefined)[] = [];
  #words: Uint32Array<ArrayBuffer> | undefined;
  #octets: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  constructor(segments: Segments, capacity = 64) {
    this.keys = new KeyTable(6, capacity);
    this.#segments = segments;
  }

  /** A node that is an address: four words of a column from `offset`. */
  address(scope: number, words: Uint32Array, offset: number): number {
    const { probe } = this.keys;
    probe[0] = scope;
    probe[1] = NODE_KIND.address;
    for (let i = 0; i < 4; i++) probe[2 + i] = words[offset + i]!;
    return this.keys.intern();
  }

  /** A node that has no address but a MAC. */
  mac(scope: number, octets: Uint8Array, offset: number): number {
    const { probe } = this.keys;
    probe[0] = scope;
    probe[1] = NODE_KIND.mac;
    probe[2] = (octets[offset]! << 8) | octets[offset + 1]!;
    probe[3] =
      (octets[offset + 2]! << 24) |
      (octets[offset + 3]! << 16) |
      (octets[offset + 4]! << 8) |
      octets[offset + 5]!;
    probe[4] = probe[5] = 0;
    return this.keys.intern();
  }

  /** A node that stands for many. */
  special(scope: number, which: number): number {
    this.keys.probe.set([scope, NODE_KIND.special, which, 0, 0, 0]);
    return this.keys.intern();
  }

  /** The same node in another scope, or taken over from another table. */
  copy(from: NodeTable, node: number, scope: number = from.keys.words[6 * node]!): number {
    const { words } = from.keys;
    const { probe } = this.keys;
    for (let i = 1; i < 6; i++) probe[i] = words[6 * node + i]!;
    probe[0] = scope;
    return this.keys.intern();
  }

  /** Whether the node is an address. */
  isAddress(node: number): boolean {
    return this.keys.words[6 * node + 1] === NODE_KIND.address;
  }

  /** Writes the four words of a node that is an address, as a column has them. */
  writeAddress(node: number, into: Uint32Array): void {
    for (let i = 0; i < 4; i++) into[i] = this.keys.words[6 * node + 2 + i]!;
  }

  /**
   * Writes words that compare as lists sort nodes: addresses as numbers, then those that stand for many, then MACs. They
   * are equal where the texts are, in whatever scope.
   *
   * @param into room for {@link ORDER_WORDS} from `at` on
   */
  writeOrder(node: number, into: Uint32Array, at: number): void {
    const { words } = this.keys;
    const kind = words[6 * node + 1]!;
    into[at] = KIND_ORDER[kind]!;
    for (let i = 0; i < 4; i++) {
      const word = words[6 * node + 2 + i]!;
      into[at + 1 + i] = kind === NODE_KIND.address ? fromMemory(word) : word;
    }
    if (kind === NODE_KIND.special) into[at + 1] = SPECIAL_ORDER[words[6 * node + 2]!]!;
  }

  /** Whether the node stands for many rather than for one endpoint. */
  isSpecial(node: number): boolean {
    return this.keys.words[6 * node + 1] === NODE_KIND.special;
  }

  /** Id of the node's segment; `null` at the hosts level. */
  segment(node: number): string | null {
    const scope = this.keys.words[6 * node]!;
    return scope === HOST_SCOPE ? null : this.#segments.list[scope]!.id;
  }

  /** The address (or MAC) as text; kept, because views ask for the same ones epoch after epoch. */
  text(node: number): string {
    let text = this.#texts[node];
    if (text === undefined) {
      text = this.format(node);
      this.#texts[node] = text;
    }
    return text;
  }

  /** Identity in questions and answers: the text, at the clients level behind `segment/`. */
  id(node: number): string {
    const segment = this.segment(node);
    return segment === null ? this.text(node) : `${segment}/${this.text(node)}`;
  }

  /** The node with this identity, or −1. */
  find(id: string): number {
    const slash = id.indexOf('/');
    const scope = slash < 0 ? HOST_SCOPE : this.#segments.find(id.slice(0, slash));
    if (scope < 0) return -1;
    const text = id.slice(slash + 1);
    const { probe } = this.keys;
    probe.fill(0);
    probe[0] = scope;
    const special = (SPECIAL_TEXT as readonly string[]).indexOf(text);
    const address = parseAddress(text);
    if (special >= 0) {
      probe[1] = NODE_KIND.special;
      probe[2] = special;
    } else if (/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(text)) {
      const digits = text.replaceAll(':', '');
      probe[1] = NODE_KIND.mac;
      probe[2] = Number.parseInt(digits.slice(0, 4), 16);
      probe[3] = Number.parseInt(digits.slice(4), 16);
    } else if (address) {
      probe[1] = NODE_KIND.address;
      probe.set(columnWords(address as Uint8Array<ArrayBuffer>), 2);
    } else return -1;
    return this.keys.find();
  }

  /** The same, made anew: for those who ask once. */
  format(node: number): string {
    const { words } = this.keys;
    const kind = words[6 * node + 1];
    if (kind === NODE_KIND.special) return SPECIAL_TEXT[words[6 * node + 2]!]!;
    if (kind === NODE_KIND.address) return formatAddress(this.#octetsOf(words), 4 * (6 * node + 2));
    const mac = new Uint8Array(6);
    const view = new DataView(mac.buffer);
    view.setUint16(0, words[6 * node + 2]!);
    view.setUint32(2, words[6 * node + 3]!);
    return formatMac(mac);
  }

  /** The keys' memory as octets: a view made once per memory. */
  #octetsOf(words: Uint32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    if (this.#words !== words) {
      this.#words = words;
      this.#octets = new Uint8Array(words.buffer);
    }
    return this.#octets;
  }
}
