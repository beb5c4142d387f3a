import { streamedView, type View, type ViewQuestion, type ViewSource } from '../query/index.ts';

/** Questions kept between two epochs; more different ones at once are computed each time. */
const KEPT = 64;

/** Whole, or as the event stream carries it. */
export type Form = 'whole' | 'streamed';

/** A view as it goes over the wire. */
export interface Answer {
  readonly epoch: number;
  readonly json: string;
}

/** Asks the source once per question, form and epoch, however many listen. */
export class Answers {
  readonly #source: ViewSource;
  readonly #kept = new Map<string, Answer>();
  readonly #listeners = new Set<() => void>();
  readonly #stop: () => void;

  constructor(source: ViewSource) {
    this.#source = source;
    this.#stop = source.onEpoch(() => {
      this.#kept.clear();
      for (const listener of [...this.#listeners]) listener();
    });
  }

  answer(question: ViewQuestion, form: Form): Answer {
    const key = `${form} ${JSON.stringify(question)}`;
    const kept = this.#kept.get(key);
    if (kept) return kept;
    const view: View = this.#source.view(question);
    const json = JSON.stringify(form === 'whole' ? view : streamedView(view));
    const answer = { epoch: view.epoch, json };
    if (this.#kept.size < KEPT) this.#kept.set(key, answer);
    return answer;
  }

  /** Calls back after each epoch, when {@link answer} gives the new one. */
  onEpoch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#stop();
    this.#listeners.clear();
  }
}
