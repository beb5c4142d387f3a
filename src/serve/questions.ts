/** Questions about the past: so many at a time, a few that wait, each within a time, and none for who has gone. */
import type { FlowQuery, HistoryQuestion, ResultTable } from '../query/index.ts';
import { Refusal } from './problem.ts';

/** Bounds of what questions may cost. */
export interface QuestionLimits {
  /** Answered at a time. */
  readonly questions: number;
  /** Waiting beside those; one more is refused. */
  readonly questionsWaiting: number;
  /** Longest an asker waits, in the queue and for the answer, milliseconds. */
  readonly questionMs: number;
}

/** Defaults of {@link QuestionLimits}. */
export const QUESTION_LIMITS: QuestionLimits = { questions: 2, questionsWaiting: 4, questionMs: 30_000 };

/** Seconds after which it is worth while to ask again. */
const ASK_AGAIN_S = 2;

/** Hands questions on to a history, within bounds. */
export class Questions {
  readonly #history: FlowQuery;
  readonly #limits: QuestionLimits;
  #answering = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(history: FlowQuery, limits: QuestionLimits) {
    this.#history = history;
    this.#limits = limits;
  }

  /**
   * Answers one.
   *
   * @param gone ends it when its asker goes away
   * @throws Refusal 503 where too many wait, 504 where it takes too long; the reason of `gone`; what the history says
   */
  async answer(question: HistoryQuestion, gone: AbortSignal): Promise<ResultTable> {
    const { questionMs, questionsWaiting, questions } = this.#limits;
    if (this.#answering >= questions && this.#waiting.length >= questionsWaiting)
      throw new Refusal(
        503,
        `Already ${questions} questions are being answered and ${questionsWaiting} wait; ask again in a moment.`,
        { 'Retry-After': String(ASK_AGAIN_S) },
      );
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(tooLong(questionMs)), questionMs);
    const signal = AbortSignal.any([gone, late.signal]);
    try {
      await this.#turn(signal);
      return await this.#ask(question, signal);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits for a place. @throws the reason of the signal; then it has none */
  async #turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#answering < this.#limits.questions) {
      this.#answering++;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = (): void => {
      const place = this.#waiting.indexOf(resolve);
      if (place < 0) return;
      this.#waiting.splice(place, 1);
      reject(signal.reason);
    };
    this.#waiting.push(resolve);
    signal.addEventListener('abort', leave, { once: true });
    await promise.finally(() => signal.removeEventListener('abort', leave));
  }

  /** The place is free when the history has let go of the question, which may be later than its asker was told. */
  #ask(question: HistoryQuestion, signal: AbortSignal): Promise<ResultTable> {
    const { promise, resolve, reject } = Promise.withResolvers<ResultTable>();
    const leave = (): void => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    void (async () => this.#history.answer(question, { signal }))()
      .then(resolve, (error: unknown) => reject(signal.aborted ? signal.reason : error))
      .finally(() => {
        signal.removeEventListener('abort', leave);
        this.#handOn();
      });
    return promise;
  }

  /** The place goes to who waits longest. */
  #handOn(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#answering--;
  }
}

function tooLong(ms: number): Refusal {
  return new Refusal(504, {
    error: `The answer took longer than ${ms / 1000} s.`,
    remedy: 'Ask about a shorter time, by fewer dimensions, or with a filter.',
  });
}
