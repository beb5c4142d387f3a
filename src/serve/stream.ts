import type { ServerResponse } from 'node:http';
import type { ViewQuestion } from '../query/index.ts';
import type { Answers } from './answers.ts';
import { Tally } from './tally.ts';

/** Limits of the open streams. */
export interface StreamLimits {
  /** Streams at once; one more is refused. */
  readonly streams: number;
  /** Of them from one address, so that it leaves some to others. */
  readonly streamsPerAddress: number;
  /** A comment is sent when nothing else was for this long, milliseconds. */
  readonly heartbeatMs: number;
  /** A client that takes nothing for this long is disconnected, milliseconds. */
  readonly stalledMs: number;
}

type Log = (line: string) => void;

/** Defaults of {@link StreamLimits}. */
export const STREAM_LIMITS: StreamLimits = {
  streams: 256,
  streamsPerAddress: 128,
  heartbeatMs: 10_000,
  stalledMs: 60_000,
};

/**
 * All open event streams. Nothing is queued: when a client is ready for more it gets the newest answer, so a slow one
 * skips epochs and holds at most one answer in memory.
 */
export class ViewStreams {
  readonly #answers: Answers;
  readonly #limits: StreamLimits;
  readonly #log: Log;
  readonly #open = new Set<ViewStream>();
  readonly #perClient = new Tally();

  constructor(answers: Answers, limits: StreamLimits, log: Log) {
    this.#answers = answers;
    this.#limits = limits;
    this.#log = log;
  }

  /** Opens a stream over a response, or gives `undefined` when there are too many. */
  open(
    question: ViewQuestion,
    { response, client }: { readonly response: ServerResponse; readonly client: string },
  ): ReadableStream<Uint8Array> | undefined {
    const { streams, streamsPerAddress } = this.#limits;
    if (this.#open.size >= streams || this.#perClient.of(client) >= streamsPerAddress) return undefined;
    const stream = new ViewStream(question, this.#answers, this.#limits);
    this.#open.add(stream);
    this.#perClient.add(client);
    stream.onStalled = () => {
      this.#log(`A page took nothing for ${this.#limits.stalledMs / 1000} s and was disconnected.`);
      response.destroy();
    };
    response.once('close', () => {
      stream.end();
      this.#open.delete(stream);
      this.#perClient.remove(client);
    });
    return stream.readable;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Ends all streams; their clients see a regular end and may come again. */
  close(): void {
    for (const stream of this.#open) stream.end();
  }
}

const encoder = new TextEncoder();

class ViewStream {
  readonly readable: ReadableStream<Uint8Array>;
  onStalled: () => void = () => {};
  readonly #question: ViewQuestion;
  readonly #answers: Answers;
  readonly #stalledMs: number;
  readonly #stopEpochs: () => void;
  readonly #timer: NodeJS.Timeout;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #sentEpoch: number | undefined;
  /** Resolves the pull that waits for something to send; absent while the client is still busy with the last piece. */
  #wake: (() => void) | undefined;
  #heartbeatDue = false;
  #busySince = performance.now();

  constructor(question: ViewQuestion, answers: Answers, limits: StreamLimits) {
    this.#question = question;
    this.#answers = answers;
    this.#stalledMs = limits.stalledMs;
    this.#stopEpochs = answers.onEpoch(() => this.#wake?.());
    this.#timer = setInterval(() => this.#beat(), limits.heartbeatMs);
    this.#timer.unref();
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#pull(),
        cancel: () => this.end(),
      },
      { highWaterMark: 0 },
    );
  }

  end(): void {
    const controller = this.#controller;
    if (!controller) return;
    this.#controller = undefined;
    this.#stopEpochs();
    clearInterval(this.#timer);
    try {
      controller.close();
    } catch {
      // Cancelled by its reader: already closed.
    }
    this.#wake?.();
  }

  async #pull(): Promise<void> {
    while (this.#controller) {
      const answer = this.#answers.answer(this.#question, 'streamed');
      if (answer.epoch !== this.#sentEpoch) {
        this.#sentEpoch = answer.epoch;
        return this.#send(`id: ${answer.epoch}\nevent: view\ndata: ${answer.json}\n\n`);
      }
      if (this.#heartbeatDue) return this.#send(': still here\n\n');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }

  #send(text: string): void {
    this.#heartbeatDue = false;
    this.#busySince = performance.now();
    this.#controller?.enqueue(encoder.encode(text));
  }

  #beat(): void {
    if (this.#wake) {
      this.#heartbeatDue = true;
      this.#wake();
    } else if (performance.now() - this.#busySince > this.#stalledMs) {
      this.onStalled();
    }
  }
}
