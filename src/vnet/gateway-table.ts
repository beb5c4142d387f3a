/** Rows of a gateway's kernel tables, to and from bytes (`bpf/vnet/gateway/learning.h`). */
import { formatMac } from '../flow/index.ts';
import { CLIENTS_OF_WORKER, type GatewayClient, type GatewayConfig } from './gateway-config.ts';
import { LAST_VID, tagsOf, tagWord } from './gateway-tags.ts';
import { Client, ClientFlag, Place, Settings, Worker } from './gen/gateway.ts';
import { type Line, lineAt } from './ledger.ts';

/** A client with what only the kernel's table has of it. */
export interface ClientRow extends GatewayClient {
  /** While the gateway ran, not from its file. */
  readonly isAdded: boolean;
  /** Its place in `places`. */
  readonly slot: number;
  /** Number of the worker's interface; 0: it is not there. */
  readonly workerIndex: number;
  /** Of the trunk's, likewise. */
  readonly trunkIndex: number;
}

/** What the kernel has learned and counted of a client. */
export interface PlaceRow {
  /** Word of tags; 0: none. */
  readonly tags: bigint;
  /** CLOCK_MONOTONIC; 0: never. */
  readonly seenNs: bigint;
  readonly moves: bigint;
  readonly received: Line;
  readonly sent: Line;
}

const MAC_OCTETS = 6;
const NS_PER_MS = 1_000_000n;

/** The key of a MAC address: its octets, and two of 0. */
export function macKey(mac: string): Uint8Array {
  const key = new Uint8Array(8);
  key.set(mac.split(':').map((octet) => Number.parseInt(octet, 16)));
  return key;
}

/** The MAC address of a key, or of the key's octets within something else. */
export function macOf(bytes: Uint8Array, offset = 0): string {
  return formatMac(bytes.subarray(offset, offset + MAC_OCTETS));
}

/** A 32-bit key. */
export function indexKey(index: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(index).buffer);
}

/** Where the tags are said for good and VLANs are not, frames must have those very tags. */
function isExact({ isFixed, allowed }: GatewayClient): boolean {
  return isFixed && allowed === undefined;
}

export function encodeClient(row: ClientRow): Uint8Array {
  const bytes = new Uint8Array(Client.size);
  const view = new DataView(bytes.buffer);
  const { offsets } = Client;
  view.setUint32(offsets.worker, row.workerIndex, true);
  view.setUint32(offsets.trunk, row.trunkIndex, true);
  view.setUint32(offsets.slot, row.slot, true);
  view.setUint32(
    offsets.flags,
    (row.isFixed ? ClientFlag.CLIENT_FIXED : 0) |
      (isExact(row) ? ClientFlag.CLIENT_EXACT : 0) |
      (row.allowed === undefined ? ClientFlag.CLIENT_ANY : 0) |
      (row.isAdded ? ClientFlag.CLIENT_ADDED : 0),
    true,
  );
  view.setBigUint64(offsets.tags, tagWord(row.tags ?? []), true);
  const vids = row.allowed ?? Array.from({ length: LAST_VID }, (_, i) => i + 1);
  // A bit of a 64-bit word in little-endian order is the same bit of an octet.
  for (const vid of vids) bytes[offsets.allowed + (vid >> 3)]! |= 1 << (vid & 7);
  new TextEncoder().encodeInto(row.worker, bytes.subarray(offsets.workerName));
  return bytes;
}

/** A client as a former process left it. */
export function decodeClient(key: Uint8Array, bytes: Uint8Array): ClientRow {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { offsets } = Client;
  const flags = view.getUint32(offsets.flags, true);
  const allowed: number[] = [];
  for (let vid = 1; vid <= LAST_VID; vid++)
    if (bytes[offsets.allowed + (vid >> 3)]! & (1 << (vid & 7))) allowed.push(vid);
  const name = new TextDecoder().decode(bytes.subarray(offsets.workerName)).replace(/\0.*/, '');
  return {
    mac: macOf(key),
    worker: name,
    tags: tagsOf(view.getBigUint64(offsets.tags, true)),
    isFixed: (flags & ClientFlag.CLIENT_FIXED) !== 0,
    allowed: (flags & ClientFlag.CLIENT_ANY) === 0 ? allowed : undefined,
    isAdded: (flags & ClientFlag.CLIENT_ADDED) !== 0,
    slot: view.getUint32(offsets.slot, true),
    workerIndex: view.getUint32(offsets.worker, true),
    trunkIndex: view.getUint32(offsets.trunk, true),
  };
}

export function encodeWorker(trunkIndex: number, macs: readonly string[]): Uint8Array {
  if (macs.length > CLIENTS_OF_WORKER) throw new RangeError(`a worker has ${macs.length} clients`);
  const bytes = new Uint8Array(Worker.size);
  const view = new DataView(bytes.buffer);
  view.setUint32(Worker.offsets.trunk, trunkIndex, true);
  view.setUint32(Worker.offsets.count, macs.length, true);
  for (const [i, mac] of macs.entries()) bytes.set(macKey(mac), Worker.offsets.macs + 8 * i);
  return bytes;
}

export function encodeSettings({ ageingMs, moves }: Pick<GatewayConfig, 'ageingMs' | 'moves'>): Uint8Array {
  const bytes = new Uint8Array(Settings.size);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(Settings.offsets.ageingNs, BigInt(Math.round(ageingMs)) * NS_PER_MS, true);
  view.setBigUint64(Settings.offsets.periodMs, BigInt(Math.round(moves.periodMs)), true);
  view.setUint32(Settings.offsets.moveLimit, moves.limit, true);
  return bytes;
}

export function decodePlace(bytes: Uint8Array): PlaceRow {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { offsets } = Place;
  return {
    tags: view.getBigUint64(offsets.tags, true),
    seenNs: view.getBigUint64(offsets.seenNs, true),
    moves: view.getBigUint64(offsets.moves, true),
    received: lineAt(bytes, offsets.received),
    sent: lineAt(bytes, offsets.sent),
  };
}
