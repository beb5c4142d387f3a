/**
 * Exports of a running instance: it writes a file of its own beside its history, and whoever asked fetches that in parts. No name
 * of a file comes from the asker, who may be of a group that is let in but not root.
 */
import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdtemp, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Exported, ExportFormat, HistoryExport, HistorySelection } from '../query/index.ts';

/** Octets of a part. */
const PART_OCTETS = 4 * 1024 * 1024;
/** An export that nobody fetches is removed after this. */
const FORGOTTEN_MS = 60_000;
/** Exports at a time. */
const MOST = 2;
const PREFIX = 'export-';

/** An export that waits to be fetched. */
export interface OfferedExport extends Exported {
  readonly id: string;
  readonly octets: number;
}

interface Offer {
  readonly directory: string;
  readonly file: FileHandle;
  forgotten: NodeJS.Timeout;
}

/** The exports of an instance. Dispose it to remove what is left of them. */
export class OfferedExports implements AsyncDisposable {
  readonly #offers = new Map<string, Offer>();
  #writing = 0;
  #isClean = false;

  /**
   * Writes an export.
   *
   * @param directory where; beside the history, where there is room
   * @throws as `copyTo`; Error when there are enough already
   */
  async offer(
    history: HistoryExport,
    { selection, format }: { readonly selection: HistorySelection; readonly format: ExportFormat },
    { directory: beside, signal }: { readonly directory: string; readonly signal: AbortSignal },
  ): Promise<OfferedExport> {
    if (this.#offers.size + this.#writing >= MOST)
      throw new Error(`${MOST} exports are under way already; try again when they are over`);
    this.#writing++;
    if (!this.#isClean) await removeLeft(beside);
    this.#isClean = true;
    const directory = await mkdtemp(join(beside, PREFIX)).finally(() => this.#writing--);
    try {
      const path = join(directory, 'rows');
      const exported = await history.copyTo(selection, { format, path }, { signal });
      const id = randomBytes(16).toString('hex');
      const { size: octets } = await stat(path);
      this.#offers.set(id, { directory, file: await open(path), forgotten: this.#forgetLater(id) });
      return { ...exported, id, octets };
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  /** Octets from `offset` on, base64; none behind the end. @throws Error for one that is not there */
  async part({ id, offset }: { readonly id: string; readonly offset: number }): Promise<{ data: string }> {
    const offer = this.#offers.get(id);
    if (!offer) throw new Error('there is no such export any more; begin anew');
    clearTimeout(offer.forgotten);
    offer.forgotten = this.#forgetLater(id);
    const { buffer, bytesRead } = await offer.file.read(Buffer.alloc(PART_OCTETS), 0, PART_OCTETS, offset);
    return { data: buffer.subarray(0, bytesRead).toString('base64') };
  }

  /** Removes an export that was fetched. */
  async end({ id }: { readonly id: string }): Promise<void> {
    const offer = this.#offers.get(id);
    if (!offer) return;
    this.#offers.delete(id);
    clearTimeout(offer.forgotten);
    await offer.file.close();
    await rm(offer.directory, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#offers.keys()].map((id) => this.end({ id })));
  }

  #forgetLater(id: string): NodeJS.Timeout {
    return setTimeout(() => void this.end({ id }), FORGOTTEN_MS).unref();
  }
}

/** Removes what an instance that was killed left: who has the history has it alone. */
async function removeLeft(beside: string): Promise<void> {
  for (const name of await readdir(beside))
    if (name.startsWith(PREFIX)) await rm(join(beside, name), { recursive: true, force: true });
}
