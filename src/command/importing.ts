/** `read --history`: captures into a history, each once. */
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { ConfigError } from '../config/index.ts';
import { formatMoment } from '../query/index.ts';
import type { CaptureSource, CaptureSourceOptions } from '../replay/index.ts';
import { historyFile } from './history-source.ts';

/** Epochs are as long as the store's periods: one is a transaction, and each packet counts once within it. */
const EPOCH_MS = 10_000;
/** Captures are old as they come: what is imported stays until somebody removes it. */
const FOR_GOOD = {
  rawMs: Number.POSITIVE_INFINITY,
  minuteMs: Number.POSITIVE_INFINITY,
  hourMs: Number.POSITIVE_INFINITY,
} as const;
const DIGEST_DIGITS = 16;

/** What is imported, and how. */
export interface ImportOptions {
  readonly paths: readonly string[];
  readonly directory: string;
  readonly signal: AbortSignal;
  /** Opens a capture; disposing of it ends what shows how far it is. */
  readonly open: (
    options: Pick<CaptureSourceOptions, 'paths' | 'windowMs' | 'agent'>,
  ) => CaptureSource & Disposable;
}

/**
 * Imports captures. A file is an agent of its own, named by its content: what is there already is left as it is, also after an
 * import that was interrupted.
 *
 * @returns the time from the first packet on to the last, and the sources that were read
 * @throws ConfigError for what is no file; StoreError
 */
export async function importCaptures({ paths, directory, signal, open }: ImportOptions): Promise<Imported> {
  for (const path of paths) await demandFile(path);
  mkdirSync(directory, { recursive: true });
  const { DuckDbStore } = await import('../store/index.ts');
  await using stack = new AsyncDisposableStack();
  const store = stack.adopt(
    await DuckDbStore.open({ path: historyFile(directory), intervalMs: EPOCH_MS, retention: FOR_GOOD }),
    async (each) => {
      // Nobody opens it to write again: all that is to be joined is joined now.
      await each.settled();
      await each.close();
    },
  );
  const sources: CaptureSource[] = [];
  let [fromMs, toMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const path of paths) {
    if (signal.aborted) break;
    const agent = await agentOf(path, signal);
    using source = open({ paths: [path], windowMs: EPOCH_MS, agent });
    sources.push(source);
    for await (const batch of source.batches({ signal })) {
      // The last one of a reading that was interrupted is not whole.
      if (signal.aborted) break;
      await store.commit([batch]);
      if (batch.length === 0) continue;
      fromMs = Math.min(fromMs, batch.startMs);
      toMs = Math.max(toMs, batch.endMs);
    }
  }
  return { sources, span: fromMs < toMs ? { fromMs, toMs } : undefined };
}

/** What was imported. */
export interface Imported {
  readonly sources: readonly CaptureSource[];
  /** Undefined: no packet. */
  readonly span: { readonly fromMs: number; readonly toMs: number } | undefined;
}

/** A line on what there is now, and how to ask about it. */
export function describeImport({ span }: Imported, directory: string): string {
  if (!span) return `Nothing to keep in ${directory}`;
  const time = `from ${formatMoment(span.fromMs)} to ${formatMoment(span.toMs)}`;
  return `Kept in ${directory}; ask e.g.: tunnelscope query --history ${directory} top src, dst ${time}`;
}

async function demandFile(path: string): Promise<void> {
  const found = path === '-' ? undefined : await stat(path).catch(() => undefined);
  // What is not there is told when it is opened, as without a history.
  if (path !== '-' && (!found || found.isFile())) return;
  throw new ConfigError('--history', path, 'a capture file, which can be read twice to know it again');
}

/** The name of a file's content. */
async function agentOf(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path, { signal })) hash.update(chunk as Buffer);
  } catch {
    // Opening it says why it cannot be read.
  }
  return `capture-${hash.digest('hex').slice(0, DIGEST_DIGITS)}`;
}
