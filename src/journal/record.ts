/**
 * An epoch as octets, and back. What is read may be cut, damaged or forged: it is an epoch, or it is said to be none.
 *
 *     magic (4) | CRC-32 of all that follows (4) | octets of the head (4) | octets of the columns (4)
 *     head: JSON, filled up with spaces to a multiple of 8
 *     columns: those that are not all zero, each filled up with zeros to a multiple of 8, so that they are read where they lie
 */
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { createColumns, FIELDS, type FieldName, type FlowBatch, type FlowColumns } from '../flow/index.ts';
import { tunnelMeasures } from '../measure/index.ts';
import { CountersSchema, writtenCounters } from './counters.ts';
import { TunnelsSchema, writtenTunnels } from './tunnels.ts';

/** Octets before the head. */
export const PREFIX_OCTETS = 16;
/** "TSE1", as a machine of our byte order reads it. */
const MAGIC = 0x3145_5354;
/** Of a head: a thousand interfaces and as many lines of a ledger are some hundred thousand octets. */
const MAX_HEAD_OCTETS = 16 * 1024 * 1024;
const MAX_RECORDS = 64 * 1024 * 1024;
const ALIGNMENT = 8;
const NAMES = Object.keys(FIELDS) as FieldName[];

const whole = z.number().int().min(0);
const count = z
  .string()
  .regex(/^\d{1,20}$/)
  .transform(BigInt)
  .refine((value) => value < 2n ** 64n);
const direction = z.union([z.literal(0), z.literal(1)]);
const place = { ifindex: whole, direction };
const sum = { packets: count, octets: count };
const link = z.object({ mtu: whole.max(2 ** 32 - 1), header: whole.max(255) });

const HeadSchema = z.object({
  agent: z.string().min(1).max(64),
  epoch: z.number().int().min(1),
  startMs: z.number(),
  endMs: z.number(),
  length: whole.max(MAX_RECORDS),
  /** Names and octets of those that are not all zero. */
  columns: z.array(z.tuple([z.string(), whole])),
  points: z.array(
    z.object({ ...place, interfaceName: z.string(), primary: z.boolean(), link: link.optional() }),
  ),
  seen: z.array(z.object({ ...place, ...sum })),
  ledger: z.array(
    z.object({
      ...place,
      reason: z.string(),
      level: whole,
      ...sum,
      wire: z.object(sum).optional(),
    }),
  ),
  /** What was measured of tunnels. */
  tunnels: TunnelsSchema.optional(),
  /** What interfaces counted themselves; an epoch of an earlier program has none. */
  counters: CountersSchema.default([]),
  /** Whether it says what was dropped, rather than what was in an epoch. */
  isTally: z.boolean().default(false),
});
/** What is said of an epoch beside its columns. */
export type Head = z.output<typeof HeadSchema>;

/** The octets of an epoch, in parts to be written one behind the other; columns are the batch's own memory. */
export function encodeEpoch(batch: FlowBatch, isTally = false): Uint8Array[] {
  const columns: Uint8Array[] = [];
  const names: [string, number][] = [];
  let octets = 0;
  for (const name of NAMES) {
    const { buffer, byteOffset, byteLength } = batch.columns[name];
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    if (isAllZero(bytes)) continue;
    names.push([name, byteLength]);
    columns.push(bytes, new Uint8Array(paddingOf(byteLength)));
    octets += aligned(byteLength);
  }
  const { agent, epoch, startMs, length, points, seen, ledger } = batch;
  // The clock may have been set back.
  const endMs = Math.max(startMs, batch.endMs);
  const measured = tunnelMeasures(batch);
  const tunnels = measured && writtenTunnels(measured);
  const text = JSON.stringify(
    {
      ...{ agent, epoch, startMs, endMs, length, columns: names, points, seen, ledger, tunnels, isTally },
      counters: writtenCounters(batch.counters),
    },
    (_, value) => (typeof value === 'bigint' ? String(value) : value),
  );
  const head = Buffer.from(text);
  const prefix = new Uint8Array(PREFIX_OCTETS);
  const parts = [prefix, head, Buffer.alloc(paddingOf(head.byteLength), ' '), ...columns];
  const view = new DataView(prefix.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(8, aligned(head.byteLength), true);
  view.setUint32(12, octets, true);
  const checked = [prefix.subarray(8), ...parts.slice(1)];
  view.setUint32(
    4,
    checked.reduce((crc, part) => crc32(part, crc), 0),
    true,
  );
  return parts;
}

/** What the first octets of a record say of its size; undefined when they are none. */
export function sizesOf(prefix: Uint8Array): { readonly head: number; readonly columns: number } | undefined {
  if (prefix.byteLength < PREFIX_OCTETS) return undefined;
  const view = new DataView(prefix.buffer, prefix.byteOffset, PREFIX_OCTETS);
  const head = view.getUint32(8, true);
  const columns = view.getUint32(12, true);
  const isRecord =
    view.getUint32(0, true) === MAGIC && head <= MAX_HEAD_OCTETS && (head | columns) % ALIGNMENT === 0;
  return isRecord ? { head, columns } : undefined;
}

/** Checks that nothing of a record has changed since it was written, piece by piece. */
export class RecordCheck {
  readonly #stated: number;
  #crc: number;

  constructor(prefix: Uint8Array) {
    this.#stated = new DataView(prefix.buffer, prefix.byteOffset, PREFIX_OCTETS).getUint32(4, true);
    this.#crc = crc32(prefix.subarray(8, PREFIX_OCTETS));
  }

  /** Takes the next octets behind the prefix. */
  add(bytes: Uint8Array): void {
    this.#crc = crc32(bytes, this.#crc);
  }

  /** To be asked when all octets are there. */
  get isIntact(): boolean {
    return this.#crc === this.#stated;
  }
}

/** Reads a head; undefined for octets that are none. */
export function decodeHead(bytes: Uint8Array): Head | undefined {
  try {
    return HeadSchema.safeParse(JSON.parse(Buffer.from(bytes).toString())).data;
  } catch {
    return undefined;
  }
}

/**
 * The epoch of a head, whose columns are read when they are asked for: a transaction of many epochs holds those of one.
 *
 * @param read gives the columns each time they are asked for
 */
export function epochOf(head: Head, read: () => FlowColumns): FlowBatch {
  const { columns: _, isTally: __, points, seen, ledger, counters, tunnels, ...rest } = head;
  return {
    ...rest,
    get columns(): FlowColumns {
      return read();
    },
    points,
    seen,
    ledger: ledger.map(({ wire, ...line }) => (wire ? { ...line, wire } : line)),
    counters: counters.map(({ end, programs, ...line }) => ({ ...line, end, programs })),
    ...(tunnels && { tunnels }),
  };
}

/** Whether the columns that a head speaks of have so many octets, and each is as long as it must be. */
export function fits(head: Head, octets: number): boolean {
  const isWide = head.columns.every(
    ([name, size]) => !isField(name) || size === (head.length * FIELDS[name].bits) / 8,
  );
  return isWide && head.columns.reduce((sum, [, size]) => sum + aligned(size), 0) === octets;
}

/**
 * The columns of a head that {@link fits}. One that this version does not know is left out.
 *
 * @param buffer the octets behind the head
 */
export function columnsOf(head: Head, buffer: ArrayBuffer): FlowColumns {
  const columns: Record<string, ArrayBufferView> = {};
  const empty = createColumns(0);
  let at = 0;
  for (const [name, octets] of head.columns) {
    if (isField(name)) columns[name] = viewOf(empty, name, { buffer, at, octets });
    at += aligned(octets);
  }
  for (const name of NAMES) {
    const octets = (head.length * FIELDS[name].bits) / 8;
    columns[name] ??= viewOf(empty, name, { buffer: new ArrayBuffer(octets), at: 0, octets });
  }
  return columns as unknown as FlowColumns;
}

function isField(name: string): name is FieldName {
  return name in FIELDS;
}

function viewOf(
  empty: FlowColumns,
  name: FieldName,
  { buffer, at, octets }: { readonly buffer: ArrayBuffer; readonly at: number; readonly octets: number },
): ArrayBufferView {
  const column = empty[name].constructor as Uint8ArrayConstructor;
  return new column(buffer, at, octets / column.BYTES_PER_ELEMENT);
}

function isAllZero(bytes: Uint8Array): boolean {
  const words = bytes.byteOffset % 4 === 0 ? bytes.byteLength >> 2 : 0;
  const view = new Uint32Array(bytes.buffer, words > 0 ? bytes.byteOffset : 0, words);
  for (let word = 0; word < words; word++) if (view[word] !== 0) return false;
  for (let at = 4 * words; at < bytes.byteLength; at++) if (bytes[at] !== 0) return false;
  return true;
}

function aligned(octets: number): number {
  return octets + paddingOf(octets);
}

function paddingOf(octets: number): number {
  return -octets & (ALIGNMENT - 1);
}
