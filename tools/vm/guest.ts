/**
 * Runs test files in the guest, one after the other, in one process: each in a thread of its own, so that it has its own
 * modules, hooks and network namespace, without the second or two that starting a process costs under emulation.
 *
 *     node tools/vm/guest.ts RESULTS FILE…
 *
 * A line of JSON per file goes to RESULTS, a file or device.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** How a test ended; `reason` is why it was skipped or the error's first line. */
export interface TestResult {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly reason: string;
  readonly durationMs: number;
}

/** What a file's tests gave. `error`: the file ended before its tests did. */
export interface FileResult {
  readonly file: string;
  readonly durationMs: number;
  readonly tests: readonly TestResult[];
  /** What tests said by `t.diagnostic`. */
  readonly notes: readonly string[];
  readonly error?: string;
}

/** Longest that a file may take. */
const FILE_TIMEOUT_MS = Number(process.env.FILE_TIMEOUT_MS ?? 600_000);

/** node:test's own closing words are diagnostics too. */
const CLOSING_WORDS = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}

/** In the file's thread: runs its tests, prints them, tells each result. */
async function runHere(file: string): Promise<void> {
  const stream = run({ files: [file], isolation: 'none', concurrency: false });
  const tell = (told: TestResult | string): void => parentPort!.postMessage(told);
  stream.on('test:pass', ({ name, skip, details }) => {
    if (details.type === 'suite') return;
    const durationMs = details.duration_ms;
    if (skip === undefined) tell({ name, outcome: 'passed', reason: '', durationMs });
    else tell({ name, outcome: 'skipped', reason: skip === true ? '' : String(skip), durationMs });
  });
  stream.on('test:diagnostic', ({ message }) => {
    if (!CLOSING_WORDS.test(message)) tell(message);
  });
  stream.on('test:fail', ({ name, details }) => {
    const { cause, message, failureType } = details.error as Error & { failureType?: string };
    // A suite that failed only because a test in it did.
    if (failureType === 'subtestsFailed') return;
    const reason = firstLine(cause instanceof Error ? cause.message : String(cause ?? message));
    // The reporter tells at the end of the file, which a run that is cut short does not see.
    process.stdout.write(`${name}: ${reason}\n`);
    tell({ name, outcome: 'failed', reason, durationMs: details.duration_ms });
  });
  for await (const text of stream.compose(spec)) process.stdout.write(text);
}

/** Starts the file's thread and gathers what it tells. */
async function runFile(file: string): Promise<FileResult> {
  const startMs = performance.now();
  const tests: TestResult[] = [];
  const worker = new Worker(new URL(import.meta.url), { workerData: resolve(file) });
  const notes: string[] = [];
  worker.on('message', (told: TestResult | string) => {
    if (typeof told === 'string') notes.push(told);
    else tests.push(told);
  });
  const error = await new Promise<string | undefined>((ended) => {
    const timer = setTimeout(() => {
      ended(`it took longer than ${FILE_TIMEOUT_MS / 1000} s`);
      void worker.terminate();
    }, FILE_TIMEOUT_MS);
    worker.on('error', (cause) => ended(firstLine(String(cause))));
    worker.on('exit', () => {
      clearTimeout(timer);
      ended(tests.length === 0 ? 'it ended without a test' : undefined);
    });
  });
  const durationMs = Math.round(performance.now() - startMs);
  return { file, durationMs, tests, notes, ...(error !== undefined && { error }) };
}

if (!isMainThread) {
  await runHere(workerData as string);
} else if (import.meta.main) {
  const [path, ...files] = process.argv.slice(2);
  const out = openSync(path!, 'a');
  for (const file of files) {
    console.log(`${file}:`);
    const result = await runFile(file);
    if (result.error) console.log(`${file}: ${result.error}`);
    // At once, so that it survives a panic in the next file.
    writeSync(out, `${JSON.stringify(result)}\n`);
    if (result.error || result.tests.some(({ outcome }) => outcome === 'failed')) process.exitCode = 1;
  }
  closeSync(out);
}
