/** For tests: a store of JSON lines. A line is a transaction, on disk when `commit` resolves; what it has it leaves alone. */
import { once } from 'node:events';
import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { decodeRecord, type EpochStore, type FlowBatch } from '../flow/index.ts';

/** An epoch as it stands in a line. */
export interface StoredEpoch {
  readonly agent: string;
  readonly epoch: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly records: readonly Readonly<Record<string, unknown>>[];
  readonly seen: readonly {
    readonly ifindex: number;
    readonly direction: 0 | 1;
    readonly packets: string;
    readonly octets: string;
  }[];
  readonly ledger: readonly { readonly reason: string; readonly packets: string; readonly octets: string }[];
}

/** Reads all transactions that were written to their end. */
export function readLines(path: string): { readonly epochs: StoredEpoch[]; readonly octets: number } {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    return { epochs: [], octets: 0 };
  }
  const octets = bytes.lastIndexOf('\n') + 1;
  const lines = bytes.subarray(0, octets).toString().split('\n').slice(0, -1);
  return { epochs: lines.flatMap((line) => JSON.parse(line) as StoredEpoch[]), octets };
}

/** The store. */
export class JsonLinesStore implements EpochStore {
  readonly name = 'lines';
  readonly #fd: number;
  readonly #known: Set<string>;
  #octets: number;
  /** When set, a commit fails with it, in the midst of its line. */
  failure: Error | undefined;
  /** When set, a commit waits before it writes anything, until it is closed. */
  isStuck = false;
  readonly #closing = new AbortController();

  private constructor(fd: number, known: Set<string>, octets: number) {
    this.#fd = fd;
    this.#known = known;
    this.#octets = octets;
  }

  static open(path: string): JsonLinesStore {
    const { epochs, octets } = readLines(path);
    const fd = openSync(path, 'a');
    ftruncateSync(fd, octets);
    return new JsonLinesStore(fd, new Set(epochs.map(nameOf)), octets);
  }

  async commit(epochs: readonly FlowBatch[]): Promise<void> {
    if (this.isStuck) {
      await once(this.#closing.signal, 'abort');
      throw new Error('it is closed');
    }
    const fresh = epochs.filter((epoch) => !this.#known.has(nameOf(epoch)));
    const line = Buffer.from(
      `${JSON.stringify(fresh.map(storedEpoch), (_, value) => (typeof value === 'bigint' ? String(value) : value))}\n`,
    );
    if (this.failure) {
      writeSync(this.#fd, line, 0, line.byteLength >> 1);
      ftruncateSync(this.#fd, this.#octets);
      throw this.failure;
    }
    for (let at = 0; at < line.byteLength; ) at += writeSync(this.#fd, line, at);
    fsyncSync(this.#fd);
    this.#octets += line.byteLength;
    for (const epoch of fresh) this.#known.add(nameOf(epoch));
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    closeSync(this.#fd);
  }
}

function nameOf({ agent, epoch }: { readonly agent: string; readonly epoch: number }): string {
  return `${agent}/${epoch}`;
}

function storedEpoch({ agent, epoch, startMs, endMs, length, columns, seen, ledger }: FlowBatch): unknown {
  const records = Array.from({ length }, (_, row) => decodeRecord(columns, row));
  return { agent, epoch, startMs, endMs, records, seen, ledger };
}
