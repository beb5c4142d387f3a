/** The meter in a thread of its own: system calls that wait, batches and decoding never hold up whoever serves. */
import { getCompileCacheDir } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { FlowBatch, FlowSource, SocketBatch } from '../flow/index.ts';
import type { Filter } from '../query/index.ts';
import type { MeteredInterface } from './attachments.ts';
import { MeterError } from './error.ts';
import { KEEP } from './keep.ts';
import type { MeterCost, MeterListener, MeterOptions, MeterSettings } from './options.ts';

/** An error as it crosses the border between threads. */
export interface ThreadFailure {
  readonly name: string;
  readonly message: string;
  readonly code: string;
}

/** What the metering thread says. */
export type ThreadMessage =
  | { readonly type: 'ready'; readonly agent: string; readonly interfaces: readonly MeteredInterface[] }
  | { readonly type: 'interfaces'; readonly interfaces: readonly MeteredInterface[] }
  | { readonly type: 'problem'; readonly failure: ThreadFailure }
  | { readonly type: 'batch'; readonly batch: FlowBatch; readonly cost: MeterCost }
  /** The answer to a change of rules; without a failure they rule from now on. */
  | { readonly type: 'rules'; readonly number: number; readonly failure: ThreadFailure | undefined }
  /** The answer to the question for sockets. */
  | { readonly type: 'sockets'; readonly number: number; readonly batch: SocketBatch }
  | { readonly type: 'no sockets'; readonly number: number; readonly failure: ThreadFailure }
  | { readonly type: 'ended' }
  | { readonly type: 'failed'; readonly failure: ThreadFailure };

/** What the thread is started with; `compileCache` is where this process keeps compiled sources, if it does. */
export interface ThreadStart {
  readonly options: MeterOptions;
  readonly compileCache: string | undefined;
}

/**
 * What it is told: the batch was taken (the maps may be cleared), stop after a last drain (`keep`: programs count on), meter
 * otherwise, other rules, read the host's sockets.
 */
export type ThreadCommand =
  | 'taken'
  | 'stop'
  | 'keep'
  | { readonly type: 'settings'; readonly settings: MeterSettings }
  | { readonly type: 'rules'; readonly number: number; readonly rules: readonly Filter[] }
  | { readonly type: 'sockets'; readonly number: number };

/** A metering failure told by the thread; `code` is that of the original error. */
export class MeterThreadError extends Error {
  readonly code: string;

  constructor(failure: ThreadFailure) {
    super(failure.message);
    this.name = failure.name;
    this.code = failure.code;
  }
}

/** A meter in a worker thread. Dispose it after its batches ended. */
export class MeterThread implements FlowSource, AsyncDisposable {
  #agent = '';
  #interfaces: readonly MeteredInterface[] = [];
  #cost: MeterCost = { tables: [], programs: undefined };
  readonly #worker: Worker;
  readonly #listener: MeterListener;
  readonly #inbox: ThreadMessage[] = [];
  #wake: (() => void) | undefined;
  /** Who waits for rules, by the number of the change. */
  readonly #ruling = new Map<number, PromiseWithResolvers<void>>();
  #changes = 0;
  /** Who waits for sockets, by the number of the question. */
  readonly #reading = new Map<number, PromiseWithResolvers<SocketBatch>>();

  private constructor(worker: Worker, listener: MeterListener) {
    this.#worker = worker;
    this.#listener = listener;
    worker.on('message', (message: ThreadMessage) => this.#receive(message));
    worker.on('error', (error: Error) => {
      this.#receive({
        type: 'failed',
        failure: { name: error.name, message: error.message, code: 'METER_THREAD' },
      });
    });
  }

  /** Starts the thread and waits until the programs are attached. @throws MeterThreadError with the code of the cause. */
  static async open(options: MeterOptions, listener: MeterListener = {}): Promise<MeterThread> {
    const start: ThreadStart = { options, compileCache: getCompileCacheDir() };
    const worker = new Worker(new URL('./thread-main.ts', import.meta.url), { workerData: start });
    const thread = new MeterThread(worker, listener);
    const first = await thread.#next();
    if (first.type === 'ready') {
      thread.#agent = first.agent;
      thread.#interfaces = first.interfaces;
      return thread;
    }
    await worker.terminate();
    if (first.type === 'failed') throw new MeterThreadError(first.failure);
    throw new MeterError('METER_THREAD', `the metering thread began with "${first.type}"`, {
      remedy: 'this is a bug, please report it',
    });
  }

  /** Random per start: (agent, epoch) names an epoch for good. */
  get agent(): string {
    return this.#agent;
  }

  /** The interfaces metered now. */
  get interfaces(): readonly MeteredInterface[] {
    return this.#interfaces;
  }

  /** As {@link Meter.setRules}. @throws MeterThreadError with the code of the cause; the rules before stay */
  async setRules(rules: readonly Filter[]): Promise<void> {
    const number = ++this.#changes;
    const ruling = Promise.withResolvers<void>();
    this.#ruling.set(number, ruling);
    this.#tell({ type: 'rules', number, rules });
    return ruling.promise;
  }

  /**
   * The TCP sockets of the metered namespace now, and those that closed since the call before if that was lately. The
   * programs for it are loaded while somebody asks.
   *
   * @throws MeterThreadError with the code of the cause
   */
  async sockets(): Promise<SocketBatch> {
    const number = ++this.#changes;
    const reading = Promise.withResolvers<SocketBatch>();
    this.#reading.set(number, reading);
    this.#tell({ type: 'sockets', number });
    return reading.promise;
  }

  /** What metering takes in the kernel, as of the epoch that was yielded last. */
  get cost(): MeterCost {
    return this.#cost;
  }

  /** Meters otherwise from now on, as {@link Meter.change}. Interfaces that refuse are told to the listener. */
  change(settings: MeterSettings): void {
    this.#tell({ type: 'settings', settings });
  }

  /** As {@link FlowSource}; the thread clears an epoch from the kernel only when the next one is asked for. */
  async *batches({ signal }: { readonly signal: AbortSignal }): AsyncGenerator<FlowBatch, void, undefined> {
    const stop = (): void => this.#tell(signal.reason === KEEP ? 'keep' : 'stop');
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
    try {
      for (;;) {
        const message = await this.#next();
        if (message.type === 'ended') return;
        if (message.type === 'failed') throw new MeterThreadError(message.failure);
        if (message.type !== 'batch') continue;
        this.#cost = message.cost;
        yield message.batch;
        this.#tell('taken');
      }
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#tell('stop');
    await this.#worker.terminate();
  }

  /** The thread answers no more. */
  #endWaiting(): void {
    for (const { reject } of this.#ruling.values())
      reject(
        new MeterError('METER_RULES', 'the meter ended before the rules changed', {
          remedy: 'start it again',
        }),
      );
    this.#ruling.clear();
    for (const { reject } of this.#reading.values())
      reject(
        new MeterError('METER_SOCKETS', 'the meter ended before it read the sockets', {
          remedy: 'start it again',
        }),
      );
    this.#reading.clear();
  }

  #tell(command: ThreadCommand): void {
    this.#worker.postMessage(command);
  }

  #receive(message: ThreadMessage): void {
    if (message.type === 'interfaces') {
      this.#interfaces = message.interfaces;
      this.#listener.interfaces?.(message.interfaces);
    } else if (message.type === 'problem') {
      this.#listener.problem?.(new MeterThreadError(message.failure));
    } else if (message.type === 'rules') {
      const ruling = this.#ruling.get(message.number);
      this.#ruling.delete(message.number);
      if (message.failure) ruling?.reject(new MeterThreadError(message.failure));
      else ruling?.resolve();
    } else if (message.type === 'sockets' || message.type === 'no sockets') {
      const reading = this.#reading.get(message.number);
      this.#reading.delete(message.number);
      if (message.type === 'sockets') reading?.resolve(message.batch);
      else reading?.reject(new MeterThreadError(message.failure));
    } else {
      if (message.type !== 'batch' && message.type !== 'ready') this.#endWaiting();
      this.#inbox.push(message);
      this.#wake?.();
    }
  }

  async #next(): Promise<ThreadMessage> {
    for (;;) {
      const message = this.#inbox.shift();
      if (message) return message;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }
}
