/** Questions: so many at a time, a few that wait, each within a time, and none for who has gone. */
import { setImmediate } from 'node:timers/promises';
import type {
  HistoryAudit,
  HistorySpan,
  LiveQuery,
  LiveQuestion,
  PastAudit,
  ResultTable,
} from '../query/index.ts';
import { Refusal } from './problem.ts';

/** Bounds of what questions about the past may cost. */
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

/** What questions about now may cost: each keeps everything else waiting for a moment. */
export const LIVE_LIMITS: QuestionLimits = { questions: 1, questionsWaiting: 32, questionMs: 10_000 };

/** Who answers. */
export interface Answering<Question, Answer = ResultTable> {
  answer(question: Question, options: { readonly signal: AbortSignal }): Promise<Answer>;
}

/** Questions about now, one after the other; between two of them all else has its turn. */
export function liveQuestions(live: LiveQuery): Questions<LiveQuestion> {
  const answering: Answering<LiveQuestion> = {
    answer: async (question, { signal }) => {
      await setImmediate(undefined, { signal });
      return live.table(question);
    },
  };
  return new Questions(answering, LIVE_LIMITS);
}

/** Audits of the past, one after the other: each reads the sums of all flows of its time. */
export function pastAudits(history: HistoryAudit, limits: QuestionLimits): Questions<HistorySpan, PastAudit> {
  const answering: Answering<HistorySpan, PastAudit> = {
    answer: (span, options) => history.audit(span, options),
  };
  return new Questions(answering, { ...limits, questions: 1 });
}

/** Seconds after which it is worth while to ask again. */
const ASK_AGAIN_S = 2;

/** Hands questions on to who answers, within bounds. */
export class Questions<Question, Answer = ResultTable> {
  readonly #answering: Answering<Question, Answer>;
  readonly #limits: QuestionLimits;
  #underWay = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(answering: Answering<Question, Answer>, limits: QuestionLimits) {
    this.#answering = answering;
    this.#limits = limits;
  }

  /**
   * Answers one.
   *
   * @param gone ends it when its asker goes away
   * @throws Refusal 503 where too many wait, 504 where it takes too long; the reason of `gone`; what who answers says
   */
  async answer(question: Question, gone: AbortSignal): Promise<Answer> {
    const { questionMs, questionsWaiting, questions } = this.#limits;
    if (this.#underWay >= questions && this.#waiting.length >= questionsWaiting)
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
    if (this.#underWay < this.#limits.questions) {
      this.#underWay++;
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

  /** The place is free when who answers has let go of the question, which may be later than its asker was told. */
  #ask(question: Question, signal: AbortSignal): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const leave = (): void => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    void (async () => this.#answering.answer(question, { signal }))()
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
    else this.#underWay--;
  }
}

function tooLong(ms: number): Refusal {
  return new Refusal(504, {
    error: `The answer took longer than ${ms / 1000} s.`,
    remedy: 'Ask about a shorter time, by fewer dimensions, or with a filter.',
  });
}
