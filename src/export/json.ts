/** JSON files for those who read files: the tunnel totals and deltas of the reference, and the newest epoch's flows. */
import { access, constants, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  copyBatch,
  counterValue,
  type FlowBatch,
  type FlowSink,
  type LedgerLine,
  recordJson,
  type SeenLine,
} from '../flow/index.ts';
import { ExportError } from './error.ts';
import { TunnelTotals } from './tunnels.ts';

/** How the files are written; all have defaults. */
export interface JsonFilesOptions {
  /** Seconds between writes. Default 5. */
  readonly periodSeconds?: number;
  /** Unix time, milliseconds. Default `Date.now`. */
  readonly clock?: () => number;
  /** Rows of the tunnel totals kept apart; see {@link TunnelTotals}. Default 200 000. */
  readonly maxRows?: number;
}

/** Names of the files, in the order they are replaced. */
const FILES = ['tunnel.json', 'tunnel-delta.json', 'flows.json'] as const;

/**
 * A sink that keeps three files in a directory, each replaced as a whole by renaming `<name>.new` over it:
 *
 * - `tunnel.json`: an array of tunnel rows, totals since the start;
 * - `tunnel-delta.json`: the same since the previous write, only rows whose packets changed; the first equals the totals;
 * - `flows.json`: the newest epoch alone, every field of every record, with its bounds, seen lines and ledger.
 *   Epochs between two writes are in the totals and deltas, not here.
 *
 * It writes with the first epoch, then whenever the period has elapsed, and once more at close. A failed write rejects
 * with {@link ExportError}, leaves the last good files in place and loses no count.
 */
export class JsonFiles implements FlowSink {
  readonly name = 'json';
  readonly #directory: string;
  readonly #periodMs: number;
  readonly #clock: () => number;
  readonly #totals: TunnelTotals;
  #newest: Pick<FlowBatch, 'agent' | 'epoch'> | undefined;
  /** The newest epoch, for the write at close; in the files already when nothing is unwritten. */
  #kept: FlowBatch | undefined;
  #isUnwritten = false;
  #dueMs = Number.NEGATIVE_INFINITY;

  private constructor(directory: string, options: JsonFilesOptions) {
    this.#directory = directory;
    this.#periodMs = (options.periodSeconds ?? 5) * 1000;
    this.#clock = options.clock ?? Date.now;
    this.#totals = new TunnelTotals(options.maxRows ?? 200_000);
  }

  /** Checks that the directory can be written to. @throws ExportError */
  static async open(directory: string, options: JsonFilesOptions = {}): Promise<JsonFiles> {
    try {
      const found = await stat(directory);
      if (!found.isDirectory()) throw new ExportError('EXPORT_NOT_A_DIRECTORY', directory);
      await access(directory, constants.W_OK | constants.X_OK);
    } catch (error) {
      throw error instanceof ExportError ? error : ExportError.from(error, directory);
    }
    return new JsonFiles(directory, options);
  }

  /** Counts an epoch, and writes the files when they are due. @throws ExportError */
  async write(batch: FlowBatch): Promise<void> {
    const newest = this.#newest;
    if (newest?.agent === batch.agent && batch.epoch <= newest.epoch) return;
    this.#totals.add(batch);
    this.#newest = { agent: batch.agent, epoch: batch.epoch };
    this.#isUnwritten = true;
    const now = this.#clock();
    // Epochs come a few milliseconds early or late: a tenth of a period early is due, so that no epoch is waited for.
    const isClockBack = this.#dueMs - now > this.#periodMs;
    const isDue = now >= this.#dueMs - this.#periodMs / 10 || isClockBack;
    try {
      if (!isDue) return;
      this.#dueMs = nextDue(this.#dueMs, now, this.#periodMs);
      await this.#writeFiles(batch, now);
    } finally {
      // Not due or not written: it may be the last.
      if (this.#isUnwritten) this.#kept = copyBatch(batch, this.#kept);
    }
  }

  /** Writes once more if anything was counted since. @throws ExportError */
  async close(): Promise<void> {
    if (this.#isUnwritten) await this.#writeFiles(this.#kept!, this.#clock());
  }

  async #writeFiles(newest: FlowBatch, now: number): Promise<void> {
    const contents: Record<(typeof FILES)[number], string> = {
      'tunnel.json': rowsText(this.#totals.totals(counterValue)),
      'tunnel-delta.json': rowsText(this.#totals.deltas(counterValue)),
      'flows.json': flowsText(newest, now),
    };
    const written: string[] = [];
    try {
      for (const file of FILES) {
        const path = join(this.#directory, `${file}.new`);
        written.push(path);
        await writeFile(path, contents[file]).catch((error: unknown) => {
          throw ExportError.from(error, path);
        });
      }
      // All three are complete on disk before the first is replaced: a full disk leaves the last good ones.
      for (const file of FILES) {
        const path = join(this.#directory, file);
        await rename(`${path}.new`, path).catch((error: unknown) => {
          throw ExportError.from(error, path);
        });
      }
    } catch (error) {
      await Promise.all(written.map((path) => rm(path, { force: true }).catch(() => undefined)));
      throw error;
    }
    this.#totals.settle();
    this.#isUnwritten = false;
  }
}

/** The schedule does not drift (BUG-A21): the next time on the grid of the first write, after a gap on a new one. */
function nextDue(due: number, now: number, period: number): number {
  const next = due + period;
  return next > now && next <= now + 1.1 * period ? next : now + period;
}

/** One row per line: still one JSON document, but readable and quick to compare. */
function rowsText(rows: readonly object[]): string {
  return linesText(rows.map((row) => JSON.stringify(row)));
}

function linesText(lines: readonly string[]): string {
  return lines.length === 0 ? '[]\n' : `[\n${lines.join(',\n')}\n]\n`;
}

function flowsText(batch: FlowBatch, now: number): string {
  const { agent, epoch, startMs, endMs } = batch;
  const head = JSON.stringify({ agent, epoch, startMs, endMs, writtenAt: new Date(now).toISOString() });
  const counts = ({ packets, octets }: { readonly packets: bigint; readonly octets: bigint }): object => ({
    packets: counterValue(packets),
    octets: counterValue(octets),
  });
  const counted = (line: SeenLine | LedgerLine): object => ({
    ...line,
    ...counts(line),
    ...('wire' in line && line.wire && { wire: counts(line.wire) }),
  });
  const flows = Array.from({ length: batch.length }, (_, row) => recordJson(batch.columns, row));
  const tail = `"seen":${rowsText(batch.seen.map(counted))},"ledger":${rowsText(batch.ledger.map(counted))}`;
  return `${head.slice(0, -1)},"flows":${linesText(flows)},${tail}}\n`;
}
