import { type Status, StatusSchema, type StreamedView, type ViewQuestion } from '../../src/query/index.ts';
import { Misunderstanding, parseView } from './answer.ts';
import { backoffMs, type Newest } from './freshness.ts';
import { writeQuestion } from './question.ts';
import { eventReader } from './sse.ts';

/** The connection to the agent. */
export type Connection =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open' }
  /** Not reachable, or the stream broke: tried again at `retryAtMs`. */
  | { readonly kind: 'lost'; readonly reason: string; readonly retryAtMs: number }
  /** It answers, but not with a view. */
  | { readonly kind: 'refused'; readonly status: number; readonly reason: string; readonly retryAtMs: number }
  /** It answers with something this page does not understand. */
  | { readonly kind: 'broken'; readonly reason: string; readonly retryAtMs: number };

/** What the feed knows now. A new object after each change. */
export interface Feed {
  readonly connection: Connection;
  readonly view: StreamedView | undefined;
  readonly newest: Newest | undefined;
  readonly status: Status | undefined;
}

/** What the feed needs from its surroundings, so that tests can stand in for them. */
export interface Surroundings {
  readonly fetch: typeof fetch;
  readonly nowMs: () => number;
}

/** Without a byte for this long (two heartbeats and a half) the stream counts as broken, milliseconds. */
const SILENCE_MS = 25_000;

/** Keeps one event stream open for the question asked last and finds its way back after any failure. */
export class LiveFeed {
  readonly #around: Surroundings;
  readonly #listeners = new Set<() => void>();
  #feed: Feed = { connection: { kind: 'connecting' }, view: undefined, newest: undefined, status: undefined };
  #question: ViewQuestion | undefined;
  #stream: AbortController | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  readonly snapshot = (): Feed => this.#feed;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Asks anew; the last view stays until the first answer is there. */
  ask(question: ViewQuestion): void {
    this.#question = question;
    this.#attempt = 0;
    this.#open();
  }

  /** Tries at once instead of at the time announced. */
  tryNow(): void {
    this.#attempt = 0;
    this.#open();
  }

  close(): void {
    clearTimeout(this.#retry);
    this.#stream?.abort();
    this.#question = undefined;
  }

  #open(): void {
    clearTimeout(this.#retry);
    this.#stream?.abort();
    const question = this.#question;
    if (!question) return;
    const stream = new AbortController();
    this.#stream = stream;
    void this.#run(question, stream).catch((error: unknown) => {
      if (stream.signal.aborted && this.#stream !== stream) return;
      this.#failed(error);
    });
  }

  async #run(question: ViewQuestion, stream: AbortController): Promise<void> {
    const silence = watchdog(SILENCE_MS, () => stream.abort(new Error('the agent has gone silent')));
    try {
      const { signal } = stream;
      const query = writeQuestion(question);
      const response = await this.#around.fetch(`api/v1/stream${query && `?${query}`}`, {
        signal,
        cache: 'no-store',
      });
      if (!response.ok) throw await refusal(response);
      if (!response.body) throw new Error('the answer has no body');
      void this.#askStatus(signal);
      const serverMs = Date.parse(response.headers.get('date') ?? '');
      const read = eventReader();
      const text = response.body.pipeThrough(new TextDecoderStream());
      let first = true;
      for await (const piece of pieces(text)) {
        silence.feed();
        for (const event of read(piece)) {
          if (event.event !== 'view') continue;
          const view = parseView(event.text);
          this.#take(view, first && Number.isFinite(serverMs) ? serverMs - view.atMs : 0);
          first = false;
        }
      }
      throw new Error('the agent ended the stream');
    } finally {
      silence.stop();
    }
  }

  #take(view: StreamedView, ageOnReceiptMs: number): void {
    this.#attempt = 0;
    const receivedMs = this.#around.nowMs();
    const { atMs, intervalSeconds, isRecorded } = view;
    this.#set({
      connection: { kind: 'open' },
      view,
      newest: { atMs, intervalSeconds, isRecorded, receivedMs, ageOnReceiptMs },
    });
  }

  async #askStatus(signal: AbortSignal): Promise<void> {
    try {
      const response = await this.#around.fetch('api/v1/status', { signal, cache: 'no-store' });
      if (!response.ok) return;
      const parsed = StatusSchema.safeParse(await response.json());
      if (parsed.success) this.#set({ status: parsed.data });
    } catch {
      // The stream says what is wrong; the status only adds names.
    }
  }

  #failed(error: unknown): void {
    const retryMs =
      error instanceof Refusal ? Math.max(5000, backoffMs(this.#attempt)) : backoffMs(this.#attempt);
    this.#attempt++;
    const retryAtMs = this.#around.nowMs() + retryMs;
    this.#retry = setTimeout(() => this.#open(), retryMs);
    const reason = error instanceof Error ? error.message : String(error);
    if (error instanceof Refusal) {
      this.#set({ connection: { kind: 'refused', status: error.status, reason, retryAtMs } });
    } else if (error instanceof Misunderstanding) {
      this.#set({ connection: { kind: 'broken', reason, retryAtMs } });
    } else {
      this.#set({ connection: { kind: 'lost', reason, retryAtMs } });
    }
  }

  #set(change: Partial<Feed>): void {
    this.#feed = { ...this.#feed, ...change };
    for (const listener of this.#listeners) listener();
  }
}

class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

async function refusal(response: Response): Promise<Error> {
  const text = await response.text();
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    if (typeof error === 'string') return new Refusal(response.status, error);
  } catch {
    // Not ours; a proxy in between perhaps.
  }
  return new Refusal(response.status, `the answer was ${response.status} ${response.statusText}`.trim());
}

async function* pieces(stream: ReadableStream<string>): AsyncGenerator<string> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function watchdog(ms: number, bark: () => void): { feed(): void; stop(): void } {
  let timer = setTimeout(bark, ms);
  return {
    feed: () => {
      clearTimeout(timer);
      timer = setTimeout(bark, ms);
    },
    stop: () => clearTimeout(timer),
  };
}
