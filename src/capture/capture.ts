/** A capture being read: batches of packets out of one buffer that is used again and again. */
import { type Filling, newBatch, type PacketBatch, tally } from './batch.ts';
import type { CaptureCounters, Decoder, Fault, Window } from './decoder.ts';
import { DecompressionError, decompressed } from './decompress.ts';
import { CaptureError, type CapturePlace } from './error.ts';
import { type Compression, compressionOf, decoderFor, MAGIC_OCTETS } from './format.ts';
import type { CaptureInterface } from './interface.ts';
import { isReadLinkType, linkTypeName } from './linktype.ts';
import { type OctetSource, openFile, standardInput, streamed } from './source.ts';

/** Octets read at a time: the buffer stays in a processor's second-level cache. */
const CHUNK_OCTETS = 512 * 1024;

/** How a capture is read. */
export interface CaptureOptions {
  /** Ends the iteration, without an error, at the next step, or in a pending read of standard input. */
  readonly signal?: AbortSignal | undefined;
}

/** How far reading is. */
export interface CaptureProgress {
  /** Octets of the file, compressed as it is, that have been read. */
  readonly consumed: number;
  /** Octets of the file; `undefined` for pipes. */
  readonly total: number | undefined;
}

/** Packets of one link type. */
export interface LinkTypeTally {
  readonly linkType: number;
  /** The registry's name without its prefix. */
  readonly name: string;
  /** Whether its frames can be parsed. */
  readonly isRead: boolean;
  readonly packets: number;
  readonly originalOctets: number;
}

/** A capture file or stream; iterate it once. Whoever opens it disposes it; an iteration that ends has done so. */
export class Capture implements AsyncDisposable {
  /** As it was given. */
  readonly path: string;
  /** What has been found beside packets; grows while batches are read. */
  readonly counters: Readonly<CaptureCounters>;
  readonly #counters: CaptureCounters;
  readonly #interfaces: CaptureInterface[] = [];
  readonly #signal: AbortSignal | undefined;
  readonly #batch: Filling = newBatch();
  readonly #window: Window;
  #source: OctetSource;
  #decoder: Decoder | undefined;
  #compression: Compression | undefined;
  #error: CaptureError | undefined;
  /** Octets of the uncompressed capture before the window's buffer. */
  #base = 0;
  #isStarted = false;
  /** Since it began to close. */
  #closing: Promise<void> | undefined;

  /**
   * Opens a file, or standard input for `-`. Nothing is read yet.
   * @throws CaptureError when it cannot be opened
   */
  static async open(path: string, options: CaptureOptions = {}): Promise<Capture> {
    try {
      return new Capture(path, path === '-' ? standardInput() : await openFile(path), options);
    } catch (cause) {
      throw CaptureError.from(cause, { path, offset: 0, packets: 0 });
    }
  }

  /** Reads a capture from chunks of any size, each lent until the next is asked for; `path` is its name in messages. */
  static of(
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    { path = 'the stream', ...options }: CaptureOptions & { readonly path?: string } = {},
  ): Capture {
    return new Capture(path, streamed(chunks), options);
  }

  private constructor(path: string, source: OctetSource, { signal }: CaptureOptions) {
    this.path = path;
    this.#source = source;
    this.#signal = signal;
    const octets = new Uint8Array(CHUNK_OCTETS);
    this.#window = { octets, view: new DataView(octets.buffer), from: 0, to: 0 };
    this.#counters = {
      packets: 0,
      capturedOctets: 0,
      originalOctets: 0,
      raisedLengths: 0,
      undeclaredInterface: 0,
      beyondBlock: 0,
      tooLong: 0,
      skippedBlocks: 0,
      damagedBlocks: 0,
    };
    this.counters = this.#counters;
  }

  /** All interfaces described so far, of all sections; grows while batches are read. */
  get interfaces(): readonly CaptureInterface[] {
    return this.#interfaces;
  }

  /** `undefined` until the first octets are read, and when they are of neither format. */
  get format(): 'pcap' | 'pcapng' | undefined {
    return this.#decoder?.format;
  }

  get compression(): Compression | undefined {
    return this.#compression;
  }

  /** Why the capture ended other than it should; `undefined` while it is read and after its proper end. */
  get error(): CaptureError | undefined {
    return this.#error;
  }

  get progress(): CaptureProgress {
    return { consumed: this.#source.consumed, total: this.#source.total };
  }

  /** Packets delivered so far by link type, most first. */
  linkTypes(): readonly LinkTypeTally[] {
    const tallies = new Map<number, { packets: number; originalOctets: number }>();
    for (const { linkType, packets, originalOctets } of this.#interfaces) {
      const sum = tallies.get(linkType) ?? { packets: 0, originalOctets: 0 };
      sum.packets += packets;
      sum.originalOctets += originalOctets;
      tallies.set(linkType, sum);
    }
    return [...tallies]
      .map(([linkType, sum]) => ({
        linkType,
        name: linkTypeName(linkType),
        isRead: isReadLinkType(linkType),
        ...sum,
      }))
      .toSorted((a, b) => b.packets - a.packets);
  }

  /**
   * The packets in the file's order. Each batch is lent until the next step. Ends normally whatever the file holds:
   * see `error` afterwards.
   * @throws TypeError when it is iterated a second time
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<PacketBatch, void, undefined> {
    if (this.#isStarted) throw new TypeError('a capture is iterated once; open it again');
    this.#isStarted = true;
    const batch = this.#batch;
    const window = this.#window;
    const abort = () => void this[Symbol.asyncDispose]();
    this.#signal?.addEventListener('abort', abort);
    try {
      const decoder = await this.#begin();
      while (decoder && !this.#isOver()) {
        const step = decoder.decode(window, batch);
        if (batch.count > 0) {
          this.#count(batch);
          yield batch;
          batch.before += batch.count;
          batch.count = 0;
          batch.raised = 0;
        }
        if (step === 'more') {
          if (!(await this.#fill(decoder.wanted, decoder.awaited))) return;
        } else if (step !== 'full') {
          this.#fail(step);
          return;
        }
      }
    } finally {
      this.#signal?.removeEventListener('abort', abort);
      await this[Symbol.asyncDispose]();
    }
  }

  /** Closes the file; an iteration under way ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing was written: a failure to close takes nothing away.
    this.#closing ??= this.#source.close().catch(() => undefined);
    await this.#closing;
  }

  #isOver(): boolean {
    return this.#closing !== undefined || this.#signal?.aborted === true;
  }

  /** Finds out compression and format. */
  async #begin(): Promise<Decoder | undefined> {
    if (this.#isOver() || !(await this.#read(MAGIC_OCTETS))) return undefined;
    const window = this.#window;
    this.#compression = compressionOf(window.octets.subarray(0, window.to));
    if (this.#compression) {
      this.#source = decompressed(this.#source, window.octets.slice(0, window.to), this.#compression);
      window.to = 0;
      if (!(await this.#read(MAGIC_OCTETS))) return undefined;
    }
    const found = { interfaces: this.#interfaces, counters: this.#counters };
    const decoder = decoderFor(window.octets.subarray(0, window.to), found);
    if ('code' in decoder) {
      this.#fail(decoder);
      return undefined;
    }
    this.#decoder = decoder;
    return decoder;
  }

  /** Reads on until the window holds `wanted` octets. @returns false at the capture's end. */
  async #fill(wanted: number, awaited: string): Promise<boolean> {
    const window = this.#window;
    if (!(await this.#read(wanted))) return false;
    const held = window.to - window.from;
    if (held >= wanted) return true;
    if (held > 0) {
      const reason = `it ends ${held} octets into a ${awaited} of ${wanted} or more`;
      this.#fail({ code: 'CAPTURE_TRUNCATED', reason });
    }
    return false;
  }

  /** Reads until the window holds `wanted` octets, or all there are. @returns false when reading failed or is over. */
  async #read(wanted: number): Promise<boolean> {
    const window = this.#window;
    this.#makeRoom(wanted);
    try {
      while (window.to - window.from < wanted) {
        const length = await this.#source.read(window.octets.subarray(window.to));
        if (this.#isOver()) return false;
        if (length === 0) return true;
        window.to += length;
      }
      return true;
    } catch (cause) {
      if (this.#isOver()) return false;
      this.#error =
        cause instanceof DecompressionError
          ? new CaptureError('CAPTURE_COMPRESSION', cause.message, { ...this.#place(), cause })
          : CaptureError.from(cause, this.#place());
      return false;
    }
  }

  /** Moves what is left to the buffer's beginning when that is due, and takes a larger one for a record that needs it. */
  #makeRoom(wanted: number): void {
    const window = this.#window;
    const { octets, from, to } = window;
    // With half the buffer used up a move pays for itself; earlier only when the record would not fit.
    if (from <= octets.length / 2 && octets.length - from >= wanted) return;
    if (wanted > octets.length) {
      window.octets = new Uint8Array(2 ** Math.ceil(Math.log2(wanted)));
      window.view = new DataView(window.octets.buffer);
      window.octets.set(octets.subarray(from, to));
    } else octets.copyWithin(0, from, to);
    this.#base += from;
    window.to = to - from;
    window.from = 0;
  }

  #count(batch: Filling): void {
    const counters = this.#counters;
    batch.octets = this.#window.octets;
    const { captured, original } = tally(batch, this.#interfaces);
    counters.packets += batch.count;
    counters.capturedOctets += captured;
    counters.originalOctets += original;
    counters.raisedLengths += batch.raised;
  }

  #fail({ code, reason }: Fault): void {
    this.#error = new CaptureError(code, reason, this.#place());
  }

  #place(): CapturePlace {
    return { path: this.path, offset: this.#base + this.#window.from, packets: this.#counters.packets };
  }
}
