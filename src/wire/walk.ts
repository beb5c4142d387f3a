/** The model's walk over the layers of a packet: what is known so far, and how it goes over a header. */
import {
  type FIELDS,
  type FieldName,
  NETWORK,
  REMARK,
  TUNNEL,
  TUNNEL_COLUMNS,
  type TunnelPorts,
} from '../flow/index.ts';
import { type Layer, type LayerKind, layerOctets } from './layer.ts';

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
  /** UDP destination ports taken for tunnels. */
  readonly ports: TunnelPorts;
  /** GRE with a key and Ethernet is taken for NVGRE. */
  readonly nvgre: boolean;
  /** The frame as built: for the questions that the octets alone decide, whether a payload is a tunnel or what it seems. */
  readonly frame: Uint8Array;
}

/** Bounds of the meter (bpf/parse.h). */
const MAX_TUNNELS = 4;
export const MAX_OFFSET = 2047;

const NO_ADDRESS = '::';
const NO_MAC = '00:00:00:00:00:00';

const EMPTY: Model = {
  tunnelKind: TUNNEL.none,
  tunnelId: 0,
  tunnelDepth: 0,
  tunnel2Kind: TUNNEL.none,
  tunnel2Id: 0,
  tunnel3Kind: TUNNEL.none,
  tunnel3Id: 0,
  tunnel4Kind: TUNNEL.none,
  tunnel4Id: 0,
  markKind: 0,
  markId: 0,
  outerNetwork: NETWORK.none,
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

/** What stays of the levels outside when another is entered; of the MACs, until there are others. */
const KEPT = [
  ...TUNNEL_COLUMNS.flatMap(({ kind, id }) => [kind, id]),
  'markKind',
  'markId',
  'outerNetwork',
  'outerSource',
  'outerDestination',
  'outerSourcePort',
  'vlan',
  'secondVlan',
  'cast',
  'remark',
  'sourceMac',
  'destinationMac',
] as const satisfies readonly (keyof Model)[];

type Draft = { -readonly [Name in keyof Model]: Model[Name] };

/** Where the walk over the layers stands. */
export interface Walk {
  readonly layers: readonly Layer[];
  readonly options: ModelOptions;
  readonly draft: Draft;
  /** Octets up to where padding begins: what the headers tell of. */
  readonly told: number;
  offset: number;
  left: number;
  level: number;
  tags: number;
  /** Behind a first fragment's header: lengths may point beyond its end. */
  partial: boolean;
}

/** What comes next, at which layer; `type` is the ethertype that announces it. */
export interface Next {
  readonly content:
    | 'ethernet'
    | 'ethertype'
    | 'ipv4'
    | 'ipv6'
    | 'nsh'
    | 'mpls'
    | 'ppp'
    | 'nibble'
    | 'pseudowire'
    | 'nothing';
  readonly at: number;
  readonly type?: number;
}

/** A step's end: what comes next, the ledger's reason, or nothing when the record is whole. */
export type Step = Next | string | undefined;

export function beginWalk(layers: readonly Layer[], options: ModelOptions): Walk {
  const padding = layers.reduce((sum, layer) => sum + (layer.kind === 'padding' ? layer.octets : 0), 0);
  const told = layers.reduce((sum, layer) => sum + layerOctets(layer), 0) - padding;
  const start = { offset: 0, left: options.length, level: 0, tags: 0, partial: false };
  return { layers, options, draft: { ...EMPTY }, told, ...start };
}

/** Says why a header cannot be gone over, or nothing. */
export function lacks(walk: Walk, octets: number, truncated: string): string | undefined {
  if (walk.offset > MAX_OFFSET) return 'header_offset';
  return walk.left < octets ? truncated : undefined;
}

/** Goes over a header, or says why not. */
export function take(walk: Walk, octets: number, truncated: string): string | undefined {
  const reason = lacks(walk, octets, truncated);
  if (reason === undefined) skip(walk, octets);
  return reason;
}

export function skip(walk: Walk, octets: number): void {
  walk.offset += octets;
  walk.left -= octets;
}

/** What is left, as octets. */
export function octetsLeft({ options, offset, left }: Walk): Uint8Array {
  return options.frame.subarray(offset, offset + left);
}

/** The layer of a kind; or why it is not all there. @throws TypeError when something else is there that is long enough */
export function layerOf<Kind extends LayerKind>(
  walk: Walk,
  at: number,
  [kind, octets, truncated]: readonly [Kind, number, string],
): Extract<Layer, { kind: Kind }> | string {
  const reason = lacks(walk, octets, truncated);
  if (reason !== undefined) return reason;
  const layer = walk.layers[at];
  if (layer?.kind !== kind)
    throw new TypeError(`${layer?.kind ?? 'nothing'} stands where ${kind} is announced: no model for that`);
  return layer as Extract<Layer, { kind: Kind }>;
}

/** The record is whole: what is left is payload. */
export function end(walk: Walk): undefined {
  walk.draft.payloadOctets = BigInt(walk.left);
  return undefined;
}

/** The same, of what was announced as a tunnel and is none. */
export function notTunnel(walk: Walk): undefined {
  walk.draft.remark |= REMARK.notTunnel;
  return end(walk);
}

/**
 * The packet walked over so far was a tunnel's: what of it belongs to the record stays, the rest begins anew.
 *
 * @returns the reason when that is one level too many
 */
export function enter(
  walk: Walk,
  kind: keyof typeof TUNNEL,
  { id = 0, sourcePort = 0 }: { readonly id?: number; readonly sourcePort?: number } = {},
): string | undefined {
  const { draft } = walk;
  const columns = TUNNEL_COLUMNS[walk.level];
  if (columns) {
    draft[columns.kind] = TUNNEL[kind];
    draft[columns.id] = id;
  }
  if (draft.outerNetwork === NETWORK.none && draft.network !== NETWORK.none) {
    draft.outerNetwork = draft.network;
    draft.outerSource = draft.source;
    draft.outerDestination = draft.destination;
  }
  if (walk.level === 0) draft.outerSourcePort = sourcePort;
  const kept: Partial<Draft> = {};
  for (const name of KEPT) Object.assign(kept, { [name]: draft[name] });
  Object.assign(draft, EMPTY, kept);
  walk.level++;
  walk.tags = 0;
  return walk.level > MAX_TUNNELS ? 'tunnel_depth' : undefined;
}
