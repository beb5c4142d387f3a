/**
 * What a journal must remember though its disk is full: a file whose room is taken when it is made. It is written in place,
 * to one of two slots in turn; a slot that was not written to its end is not in force.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { TallySchema } from './tally.ts';

const SLOT_OCTETS = 512 * 1024;
const PREFIX_OCTETS = 8;

const StateSchema = z.object({
  generation: z.number().int().min(0),
  /** Random, of this journal for good. */
  id: z.string().regex(/^[0-9a-f]{16}$/),
  /** The last epoch of each agent that a removed file held, the longest known agent first. */
  known: z.array(z.tuple([z.string().max(64), z.number().int().min(0)])).max(1024),
  /** What was dropped and is in no file yet. */
  tally: TallySchema.nullable(),
  /** Files whose epochs are in the tally: they are to be removed. */
  counted: z.array(z.string()),
});
/** What is remembered. */
export type JournalState = z.infer<typeof StateSchema>;

/** The open file. */
export class StateFile implements Disposable {
  /** Whether there was one that could not be read: it was begun anew, and what it knew is lost. */
  readonly wasDamaged: boolean;
  readonly #fd: number;
  #state: JournalState;

  private constructor(fd: number, state: JournalState, wasDamaged = false) {
    this.#fd = fd;
    this.#state = state;
    this.wasDamaged = wasDamaged;
  }

  /** Opens it, or makes it; one that cannot be read is begun anew. @throws the error of the file system */
  static open(path: string): StateFile {
    const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
    try {
      const states = [0, 1].map((slot) => readSlot(fd, slot)).filter((state) => state !== undefined);
      const newest = states.toSorted((a, b) => b.generation - a.generation)[0];
      if (newest) return new StateFile(fd, newest);
      // One that was never written to its end is all zeros.
      const wasDamaged = [0, 1].some((slot) => hasWords(fd, slot));
      const zeros = new Uint8Array(2 * SLOT_OCTETS);
      for (let at = 0; at < zeros.byteLength; ) at += writeSync(fd, zeros, at, zeros.byteLength - at, at);
      const id = randomBytes(8).toString('hex');
      const fresh = { generation: 0, id, known: [], tally: null, counted: [] };
      const file = new StateFile(fd, fresh, wasDamaged);
      file.write({});
      fsyncSync(fd);
      return file;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  get state(): JournalState {
    return this.#state;
  }

  /** Replaces parts of it in one step. @throws the error of the file system; the one before stays in force */
  write(change: Partial<Omit<JournalState, 'generation' | 'id'>>): void {
    const state = { ...this.#state, ...change, generation: this.#state.generation + 1 };
    const text = Buffer.from(JSON.stringify(state));
    if (text.byteLength > SLOT_OCTETS - PREFIX_OCTETS)
      throw new RangeError(`the state of a journal has ${text.byteLength} octets, of ${SLOT_OCTETS} at most`);
    const bytes = Buffer.alloc(PREFIX_OCTETS + text.byteLength);
    bytes.writeUInt32LE(crc32(text), 0);
    bytes.writeUInt32LE(text.byteLength, 4);
    text.copy(bytes, PREFIX_OCTETS);
    const first = (state.generation % 2) * SLOT_OCTETS;
    for (let at = 0; at < bytes.byteLength; )
      at += writeSync(this.#fd, bytes, at, bytes.byteLength - at, first + at);
    this.#state = state;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

function hasWords(fd: number, slot: number): boolean {
  const prefix = Buffer.alloc(PREFIX_OCTETS);
  return (
    readSync(fd, prefix, 0, PREFIX_OCTETS, slot * SLOT_OCTETS) > 0 && prefix.some((octet) => octet !== 0)
  );
}

function readSlot(fd: number, slot: number): JournalState | undefined {
  const bytes = Buffer.alloc(SLOT_OCTETS);
  if (readSync(fd, bytes, 0, SLOT_OCTETS, slot * SLOT_OCTETS) < PREFIX_OCTETS) return undefined;
  const length = bytes.readUInt32LE(4);
  const text = bytes.subarray(PREFIX_OCTETS, PREFIX_OCTETS + length);
  if (text.byteLength !== length || length === 0 || crc32(text) !== bytes.readUInt32LE(0)) return undefined;
  try {
    return StateSchema.safeParse(JSON.parse(text.toString())).data;
  } catch {
    return undefined;
  }
}
