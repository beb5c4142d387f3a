/** Where the octets of a capture come from: a file, standard input, or any stream. */
import { fstatSync } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';

/** Octets in order. One reader, one read at a time. */
export interface OctetSource {
  /** Octets given out so far. */
  readonly consumed: number;
  /** Octets there are, where that is known. */
  readonly total: number | undefined;
  /** Fills the beginning of `into`, and says how far; 0 at the end. */
  read(into: Uint8Array<ArrayBuffer>): Promise<number>;
  /** Ends a pending read as well, where that is possible. */
  close(): Promise<void>;
}

/** A file, a pipe or a device by its path. @throws the system's error */
export async function openFile(path: string): Promise<OctetSource> {
  const handle = await open(path, 'r');
  try {
    const stat = await handle.stat();
    if (stat.isDirectory()) throw Object.assign(new Error('is a directory'), { code: 'EISDIR' });
    return new FileSource(handle, stat.isFile() ? stat.size : undefined);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Standard input; its size is known when it is a file. */
export function standardInput(): OctetSource {
  const stat = fstatSync(0);
  return streamed(process.stdin, stat.isFile() ? stat.size : undefined);
}

/** Octets of a file, or of standard input for `-`; 0 of what cannot be found, `undefined` where nobody knows before the end. */
export async function captureOctets(path: string): Promise<number | undefined> {
  try {
    const found = path === '-' ? fstatSync(0) : await stat(path);
    return found.isFile() ? found.size : undefined;
  } catch {
    return 0;
  }
}

/** A stream's chunks of any size, empty ones too. */
export function streamed(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  total?: number,
): OctetSource {
  return new StreamSource(chunks, total);
}

class FileSource implements OctetSource {
  consumed = 0;
  readonly total: number | undefined;
  #handle: FileHandle;

  constructor(handle: FileHandle, total: number | undefined) {
    this.#handle = handle;
    this.total = total;
  }

  async read(into: Uint8Array<ArrayBuffer>): Promise<number> {
    const { bytesRead } = await this.#handle.read(into, 0, into.length, null);
    this.consumed += bytesRead;
    return bytesRead;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

class StreamSource implements OctetSource {
  consumed = 0;
  readonly total: number | undefined;
  #iterable: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  #iterator: AsyncIterator<Uint8Array> | Iterator<Uint8Array> | undefined;
  #rest = new Uint8Array(0);
  #pending = false;

  constructor(iterable: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, total: number | undefined) {
    this.#iterable = iterable;
    this.total = total;
  }

  async read(into: Uint8Array<ArrayBuffer>): Promise<number> {
    this.#iterator ??=
      Symbol.asyncIterator in this.#iterable
        ? this.#iterable[Symbol.asyncIterator]()
        : this.#iterable[Symbol.iterator]();
    while (this.#rest.length === 0) {
      this.#pending = true;
      const next = await this.#iterator.next();
      this.#pending = false;
      if (next.done) return 0;
      this.#rest = next.value as Uint8Array<ArrayBuffer>;
    }
    const length = Math.min(into.length, this.#rest.length);
    into.set(this.#rest.subarray(0, length));
    this.#rest = this.#rest.subarray(length);
    this.consumed += length;
    return length;
  }

  async close(): Promise<void> {
    if ('destroy' in this.#iterable && typeof this.#iterable.destroy === 'function') this.#iterable.destroy();
    // A generator in the midst of a step would answer only after it.
    else if (!this.#pending) await this.#iterator?.return?.();
  }
}
