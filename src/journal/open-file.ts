/** A file of the journal that epochs are being written to. */
import { type FileHandle, open } from 'node:fs/promises';
import { JournalError } from './error.ts';

/** Parts that one call of `writev` takes. */
const PARTS_AT_ONCE = 512;

/** Open until `close`. */
export class OpenFile {
  readonly number: number;
  /** What its epochs begin in. */
  readonly interval: number;
  readonly #path: string;
  readonly #handle: FileHandle;
  #octets = 0;

  private constructor(handle: FileHandle, path: string, { number, interval }: OpenFilePlace) {
    this.#handle = handle;
    this.#path = path;
    this.number = number;
    this.interval = interval;
  }

  /** Makes it. @throws JournalError `JOURNAL_WRITE` */
  static async make(path: string, place: OpenFilePlace): Promise<OpenFile> {
    try {
      return new OpenFile(await open(path, 'ax', 0o640), path, place);
    } catch (cause) {
      throw new JournalError(
        'JOURNAL_WRITE',
        `making the file ${path} failed (${(cause as Error).message})`,
        { cause, remedy: 'make room on the disk, and let this user write to the directory' },
      );
    }
  }

  /** What is written. */
  get octets(): number {
    return this.#octets;
  }

  /** Appends all of it, or none. @throws JournalError `JOURNAL_WRITE` */
  async write(parts: readonly Uint8Array[]): Promise<void> {
    try {
      await writeAll(this.#handle, parts);
    } catch (cause) {
      await this.#handle.truncate(this.#octets);
      throw new JournalError(
        'JOURNAL_WRITE',
        `writing an epoch to ${this.#path} failed (${(cause as Error).message})`,
        { cause, remedy: 'make room on the disk; what cannot be written is counted as history_dropped' },
      );
    }
    this.#octets += octetsOf(parts);
  }

  /** Has it written to the disk and closed. Nobody waits for it: what it saves from is the end of the machine, not of the process. */
  close(): void {
    const handle = this.#handle;
    void handle
      .datasync()
      .catch(() => undefined)
      .finally(() => handle.close());
  }
}

/** Which file it is. */
export interface OpenFilePlace {
  readonly number: number;
  readonly interval: number;
}

/** Octets of all parts together. */
export function octetsOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

async function writeAll(handle: FileHandle, parts: readonly Uint8Array[]): Promise<void> {
  let left = parts.filter(({ byteLength }) => byteLength > 0);
  while (left.length > 0) {
    let { bytesWritten: written } = await handle.writev(left.slice(0, PARTS_AT_ONCE));
    while (left.length > 0 && written >= left[0]!.byteLength) {
      written -= left[0]!.byteLength;
      left = left.slice(1);
    }
    if (written > 0) left = [left[0]!.subarray(written), ...left.slice(1)];
  }
}
