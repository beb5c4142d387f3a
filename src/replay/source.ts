/** Capture files as a source of flow batches: by the files' own time, as the kernel's epochs are by the clock. */
import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import {
  Capture,
  CaptureError,
  type CaptureInterface,
  captureOctets,
  type LinkTypeTally,
  type PacketBatch,
  packetTimeMs,
} from '../capture/index.ts';
import {
  createColumns,
  type FlowBatch,
  type FlowColumns,
  type FlowSource,
  type ObservationPoint,
} from '../flow/index.ts';
import { type Drained, ReplayMeter, type ReplayOptions } from './meter.ts';

/** Times beyond are no times, as in replay.wasm.c. */
const MOST_MS = 8.64e15;

/** What is read, and how. */
export interface CaptureSourceOptions extends ReplayOptions {
  /** Files in the order they are read; `-` is standard input. */
  readonly paths: readonly string[];
  /** Length of an epoch of the files' time, milliseconds; default: one epoch per file. */
  readonly windowMs?: number | undefined;
  /** Who the epochs are of; default: a name of this reading only. */
  readonly agent?: string;
}

/** How far reading is. */
export interface ReadProgress {
  /** The file that is being read, as it was given, and its number from 1. */
  readonly path: string;
  readonly file: number;
  /** Octets of all files read, and all there are; `undefined` where a pipe is among them. */
  readonly consumed: number;
  readonly total: number | undefined;
  /** Packets of all files so far. */
  readonly packets: number;
}

/**
 * Reads captures one after the other.
 *
 * An epoch holds the packets between two bounds of the files' time, whole multiples of `windowMs` since 1970; stretches
 * without packets have none. A packet that comes late, with a time before its epoch's, counts in the epoch under way;
 * one without a time too. Each interface of a file is an observation point of its own, all of them primary; of cooked
 * captures what the host sent is egress.
 *
 * Where more connections are measured than there are rows, batches without flow records come in the middle of an epoch:
 * they tell of those that are over. What an epoch counts is in its last batch.
 *
 * A file that is broken or missing does not stop the others: what was read of it counts, and `errors` says why.
 */
export class CaptureSource implements FlowSource {
  readonly agent: string;
  /** Why files could not be opened, or ended other than they should. */
  readonly errors: CaptureError[] = [];
  readonly #options: CaptureSourceOptions;
  readonly #meter: ReplayMeter;
  readonly #linkTypes = new Map<number, LinkTypeTally>();
  #points: ObservationPoint[] = [];
  #epoch = 0;
  #packets = 0;
  #interfaces = 0;
  #path = '';
  #file = 0;
  /** Octets of each file, and of those before the one being read. */
  #sizes: readonly (number | undefined)[] = [];
  #before = 0;
  #capture: Capture | undefined;
  #spare: FlowColumns | undefined;

  constructor(options: CaptureSourceOptions) {
    this.#options = options;
    this.agent = options.agent ?? randomBytes(8).toString('hex');
    this.#meter = new ReplayMeter(options);
  }

  get progress(): ReadProgress {
    const consumed = this.#before + (this.#capture?.progress.consumed ?? 0);
    const total = this.#sizes.reduce<number | undefined>(
      (sum, size) => (sum === undefined || size === undefined ? undefined : sum + size),
      0,
    );
    const packets = this.#packets + (this.#capture?.counters.packets ?? 0);
    return { path: this.#path, file: this.#file, consumed, total, packets };
  }

  /** Packets of link types that are not read, of all files so far. */
  get unread(): readonly LinkTypeTally[] {
    return [...this.#linkTypes.values()];
  }

  /** Yields the epochs; on abort one with what was read so far. @throws RangeError when memory is full */
  async *batches({ signal }: { readonly signal: AbortSignal }): AsyncGenerator<FlowBatch, void, undefined> {
    const { paths } = this.#options;
    this.#sizes = await Promise.all(paths.map(captureOctets));
    for (const [i, path] of paths.entries()) {
      if (signal.aborted) return;
      this.#path = path;
      this.#file = i + 1;
      yield* this.#read(path, signal);
      this.#before += this.#sizes[i] ?? 0;
    }
  }

  async *#read(path: string, signal: AbortSignal): AsyncGenerator<FlowBatch, void, undefined> {
    let capture: Capture;
    try {
      capture = await Capture.open(path, { signal });
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
      this.errors.push(error);
      return;
    }
    await using opened = capture;
    this.#capture = opened;
    this.#points = [];
    this.#meter.interfaceBase = this.#interfaces + 1;
    let window: { readonly startMs: number; readonly endMs: number } | undefined;
    for await (const batch of opened) {
      this.#meter.load(batch);
      for (let row = 0; row < batch.count; ) {
        window ??= this.#windowAt(batch, row);
        row = this.#meter.run(row, batch.count, window?.endMs);
        if (this.#meter.isWaiting) {
          yield* this.#overBatch(opened.interfaces, window);
          continue;
        }
        if (row === batch.count) break;
        yield this.#batch(opened.interfaces, window);
        window = undefined;
      }
    }
    yield this.#batch(opened.interfaces, window);
    this.#end(opened);
  }

  /** The epoch of the next packet that has a time. */
  #windowAt(
    batch: PacketBatch,
    row: number,
  ): { readonly startMs: number; readonly endMs: number } | undefined {
    const { windowMs } = this.#options;
    if (windowMs === undefined) return undefined;
    for (let at = row; at < batch.count; at++) {
      const timeMs = packetTimeMs(batch, at);
      if (!(Math.abs(timeMs) <= MOST_MS)) continue;
      const startMs = Math.floor(timeMs / windowMs) * windowMs;
      return { startMs, endMs: startMs + windowMs };
    }
    return undefined;
  }

  #batch(
    interfaces: readonly CaptureInterface[],
    window: { readonly startMs: number; readonly endMs: number } | undefined,
  ): FlowBatch {
    const { firstMs, lastMs, ...drained }: Drained = this.#meter.drain(this.#spare);
    this.#spare = drained.columns;
    return { ...this.#frame(interfaces, window ?? spanOf({ firstMs, lastMs })), ...drained };
  }

  /** In the middle of an epoch, what was measured of flows that are over, to make room; their counts come at its end. */
  *#overBatch(
    interfaces: readonly CaptureInterface[],
    window: { readonly startMs: number; readonly endMs: number } | undefined,
  ): Generator<FlowBatch, void, undefined> {
    const measurements = this.#meter.endOver();
    if (!measurements) return;
    const nothing = { length: 0, columns: createColumns(0), seen: [], ledger: [] };
    yield { ...this.#frame(interfaces, window ?? spanOf(this.#meter.times)), ...nothing, measurements };
  }

  /** What every batch has: who says it, of when and where. */
  #frame(
    interfaces: readonly CaptureInterface[],
    { startMs, endMs }: { readonly startMs: number; readonly endMs: number },
  ): Pick<FlowBatch, 'epoch' | 'agent' | 'startMs' | 'endMs' | 'counters' | 'points'> {
    for (let known = this.#points.length / 2; known < interfaces.length; known++) {
      const interfaceName = this.#nameOf(interfaces, known);
      const ifindex = this.#interfaces + 1 + known;
      this.#points.push(
        { ifindex, direction: 0, interfaceName, primary: true },
        { ifindex, direction: 1, interfaceName, primary: true },
      );
    }
    return {
      epoch: ++this.#epoch,
      agent: this.agent,
      startMs,
      endMs,
      // A capture has no counters of its own to compare with.
      counters: [],
      points: [...this.#points],
    };
  }

  /** `eth0`; with several files, or without a name in it, the file's name comes first. */
  #nameOf(interfaces: readonly CaptureInterface[], at: number): string {
    const file = this.#path === '-' ? 'stdin' : basename(this.#path);
    const said = interfaces[at]!.name;
    if (said !== undefined && this.#options.paths.length === 1) return said;
    return said === undefined && interfaces.length === 1 ? file : `${file}:${said ?? at}`;
  }

  #end(capture: Capture): void {
    for (const tally of capture.linkTypes()) {
      if (tally.isRead) continue;
      const known = this.#linkTypes.get(tally.linkType);
      const packets = tally.packets + (known?.packets ?? 0);
      const originalOctets = tally.originalOctets + (known?.originalOctets ?? 0);
      this.#linkTypes.set(tally.linkType, { ...tally, packets, originalOctets });
    }
    if (capture.error) this.errors.push(capture.error);
    this.#packets += capture.counters.packets;
    this.#interfaces += capture.interfaces.length;
    // The next file's interfaces are others.
    this.#meter.forgetBiflows();
    this.#capture = undefined;
  }
}

/** From the first packet to the last; of packets without times nobody knows. */
function spanOf({ firstMs, lastMs }: { readonly firstMs: number; readonly lastMs: number }): {
  readonly startMs: number;
  readonly endMs: number;
} {
  return Number.isFinite(firstMs) ? { startMs: firstMs, endMs: lastMs } : { startMs: 0, endMs: 0 };
}
