import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Duty, Order, Report } from './duty.ts';
import { LabError } from './error.ts';
import { emptyTally, type Tally } from './ledger.ts';
import { markOf, type ProcessMark } from './process.ts';

const PROGRAM = fileURLToPath(new URL('./generator.ts', import.meta.url));

/** The generator at work in one namespace, as the process that started it sees it. Ends when its stdin is closed. */
export class GeneratorProcess {
  readonly namespace: string;
  readonly mark: ProcessMark | undefined;
  /** Resolves when every socket is open. */
  readonly ready: Promise<void>;
  /** Resolves when its senders have sent all they had to. */
  readonly done: Promise<void>;
  /** Resolves when it has ended after its last count; rejects with LabError (`LAB_TRAFFIC`) when it broke. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcessWithoutNullStreams;
  #tallies: ReadonlyMap<number, Tally> = new Map();
  #drops = 0;
  #counts = 0;

  /** Starts the program in a namespace and has it open the sockets of its duties. */
  static open(namespace: string, duties: readonly Duty[]): GeneratorProcess {
    const { NODE_OPTIONS: _, ...environment } = process.env;
    const child = spawn('ip', ['netns', 'exec', namespace, process.execPath, PROGRAM], {
      detached: true,
      stdio: 'pipe',
      env: environment,
    });
    return new GeneratorProcess(namespace, child, duties);
  }

  private constructor(namespace: string, child: ChildProcessWithoutNullStreams, duties: readonly Duty[]) {
    this.namespace = namespace;
    this.#child = child;
    this.mark = child.pid === undefined ? undefined : markOf(child.pid);
    const ready = Promise.withResolvers<void>();
    const done = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    this.ready = ready.promise;
    this.done = done.promise;
    this.ended = ended.promise;
    let failure: string | undefined;
    let complaint = '';
    let finished = false;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-2000);
    });
    child.stdin.on('error', () => {}); // it ended; `close` below says how
    child.on('error', (error) => {
      failure = error.message;
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      // Written by our own generator.ts.
      const report = JSON.parse(line) as Report;
      if (report.report === 'ready') ready.resolve();
      else if (report.report === 'done') done.resolve();
      else if (report.report === 'failed') failure = report.message;
      else if (report.report === 'counted' || report.report === 'finished') {
        this.#tallies = new Map(report.tallies);
        this.#drops = report.drops;
        this.#counts += 1;
        finished = report.report === 'finished';
      }
    });
    child.on('close', (status, signal) => {
      const error = new LabError(
        'LAB_TRAFFIC',
        `Making traffic in namespace ${namespace}: the generator ended with ${signal ?? `status ${status}`}${failure || complaint ? `, "${failure ?? complaint.trim()}"` : ''}; wanted it to finish`,
        'Stop other traffic in the same lab that may hold the port, or take the lab down and up again.',
      );
      ready.reject(error);
      done.reject(error);
      if (finished) ended.resolve();
      else ended.reject(error);
    });
    for (const promise of [this.ready, this.done, this.ended]) promise.catch(() => {}); // each is awaited somewhere, later
    this.tell({ order: 'open', duties });
  }

  /** The newest count of a stream's end here. */
  tally(id: number): Tally {
    return this.#tallies.get(id) ?? emptyTally();
  }

  /** Datagrams thrown away in this namespace since the start, for want of buffer. */
  get drops(): number {
    return this.#drops;
  }

  /** How many counts have come; a caller that asked for one waits for this to move. */
  get counts(): number {
    return this.#counts;
  }

  /** Sends an order; one that has ended does not hear it. */
  tell(order: Order): void {
    if (this.#child.stdin.writable) this.#child.stdin.write(`${JSON.stringify(order)}\n`);
  }

  /** Ends it at once, without a last count. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
