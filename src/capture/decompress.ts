/** Compressed captures, decompressed on the way. */
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { Compression } from './format.ts';
import type { OctetSource } from './source.ts';

/**
 * Octets of a compressed stream that are fed and taken at a time. When the stream is damaged, zlib gives away nothing
 * of the piece at hand: so much at most is lost before the damage, and with zstd a block of 128 KiB as well.
 */
const PIECE_OCTETS = 1 << 16;

/** A compressed stream is damaged, or ends before its end. */
export class DecompressionError extends Error {
  override readonly name = 'DecompressionError';
}

/** The octets that `raw` holds compressed; `head` has been read from it already. Owns `raw`. */
export function decompressed(raw: OctetSource, head: Uint8Array, compression: Compression): OctetSource {
  return new Decompressed(raw, head, compression);
}

type Decompressor = ReturnType<typeof createGunzip> | ReturnType<typeof createZstdDecompress>;

class Decompressed implements OctetSource {
  #raw: OctetSource;
  #compression: Compression;
  #decompressor: Decompressor;
  /** Resolves when the decompressor has given away all it will. */
  #finished: Promise<void> = Promise.resolve();
  #feeding: Promise<void> | undefined;
  #head: Uint8Array;
  #ready: Uint8Array[] = [];
  #failure: { readonly error: unknown } | undefined;
  #ended = false;
  #isWaiting = false;
  #wake: () => void = () => {};

  constructor(raw: OctetSource, head: Uint8Array, compression: Compression) {
    this.#raw = raw;
    this.#head = head;
    this.#compression = compression;
    this.#decompressor = this.#start();
  }

  get consumed(): number {
    return this.#raw.consumed;
  }

  get total(): number | undefined {
    return this.#raw.total;
  }

  async read(into: Uint8Array<ArrayBuffer>): Promise<number> {
    this.#feeding ??= this.#feed();
    for (;;) {
      const first = this.#ready[0];
      if (first) {
        const length = Math.min(into.length, first.length);
        into.set(first.subarray(0, length));
        if (length < first.length) this.#ready[0] = first.subarray(length);
        else this.#ready.shift();
        return length;
      }
      if (this.#failure) throw this.#failure.error;
      if (this.#ended) return 0;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      this.#isWaiting = true;
      this.#decompressor.resume();
      await promise;
      this.#isWaiting = false;
    }
  }

  async close(): Promise<void> {
    this.#ended = true;
    this.#decompressor.destroy();
    this.#wake();
    await this.#raw.close();
  }

  #start(): Decompressor {
    // With the lowest water mark nothing waits inside the stream, where an error behind it would destroy it.
    const options = { chunkSize: PIECE_OCTETS, readableHighWaterMark: 1 };
    const decompressor = this.#compression === 'gzip' ? createGunzip(options) : createZstdDecompress(options);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#finished = promise;
    decompressor.on('end', resolve);
    decompressor.on('close', resolve);
    decompressor.on('error', (cause) => this.#fail(this.#damage(cause)));
    decompressor.on('data', (octets: Uint8Array) => {
      this.#ready.push(octets);
      decompressor.pause();
      this.#wake();
    });
    if (!this.#isWaiting) decompressor.pause();
    return decompressor;
  }

  /** Writes all of `raw` to the decompressor, one piece after the other. Never rejects. */
  async #feed(): Promise<void> {
    const piece = new Uint8Array(PIECE_OCTETS);
    try {
      let isMore = await this.#writeAll(this.#head);
      while (isMore) {
        const length = await this.#raw.read(piece);
        if (length === 0) break;
        isMore = await this.#writeAll(piece.subarray(0, length));
      }
      if (!this.#ended) this.#decompressor.end();
      await this.#finished;
      this.#ended = true;
      this.#wake();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** @returns false when the stream has ended and what is left is padding, or when nobody reads any more */
  async #writeAll(octets: Uint8Array): Promise<boolean> {
    let left = octets;
    while (!this.#ended) {
      const used = await this.#write(left);
      left = left.subarray(used);
      if (left.length === 0) return true;
      if (used === 0) throw new DecompressionError(`${this.#compression}: it cannot be decompressed further`);
      // zlib goes on with the next member by itself, but leaves zeros behind the last, as gzip does.
      if (this.#compression === 'gzip') return false;
      // A zstd frame ends before its piece: another one follows (RFC 8878, 3).
      await this.#finished;
      this.#decompressor.destroy();
      this.#decompressor = this.#start();
    }
    return false;
  }

  /** Returns when so many octets have been used up; fewer than given when the decompressor has come to an end. */
  #write(octets: Uint8Array): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const decompressor = this.#decompressor;
    const before = decompressor.bytesWritten;
    decompressor.write(octets, (cause) => {
      if (cause) reject(this.#damage(cause));
      else resolve(decompressor.bytesWritten - before);
    });
    return promise;
  }

  #damage(cause: Error): DecompressionError {
    return new DecompressionError(`${this.#compression}: ${cause.message}`, { cause });
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake();
  }
}
