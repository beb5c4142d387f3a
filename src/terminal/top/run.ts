/** `top` as it runs: keys and answers come in, frames go out. */
import { Asker } from './asker.ts';
import { type Depth, paletteOf } from './palette.ts';
import { reduce, type TopInput } from './reduce.ts';
import { type Frame, render } from './render.ts';
import type { TopSource } from './source.ts';
import { askedOf, beginning, type TopStart, type TopState } from './state.ts';
import { Terminal, type TerminalPlace } from './terminal.ts';

/** How it runs. */
export interface TopOptions {
  readonly source: TopSource;
  readonly place: TerminalPlace;
  readonly depth: Depth;
  readonly start: Omit<TopStart, 'columns' | 'rows'>;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Ages are in seconds. */
const TICK_MS = 1000;
/** What comes within this is waited for before there is something else to see, and before keys that refer to it count. */
const PATIENCE_MS = 300;

/** Shows what the source tells until its user, or the signal, ends it. The terminal is then as it was before. */
export async function runTop(options: TopOptions): Promise<void> {
  const ending = Promise.withResolvers<void>();
  const { signal } = options;
  const end = (): void => ending.resolve();
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  await using _top = new Top(options, ending);
  await ending.promise.finally(() => signal.removeEventListener('abort', end));
}

/** Who is told of the end. */
type Ending = Pick<PromiseWithResolvers<void>, 'resolve' | 'reject'>;

/** Owns terminal, asker and timers until disposed. */
class Top implements AsyncDisposable {
  readonly #depth: Depth;
  readonly #ending: Ending;
  readonly #terminal: Terminal;
  readonly #asker: Asker;
  readonly #ticker: NodeJS.Timeout;
  #state: TopState;
  #frame: Frame;
  /** Keys behind one whose answer is on its way: they are meant for what that shows. */
  #held: TopInput[] = [];
  /** Runs while an answer is waited for before there is something else to see. */
  #patience: NodeJS.Timeout | undefined;

  constructor({ source, place, depth, start }: TopOptions, ending: Ending) {
    this.#depth = depth;
    this.#ending = ending;
    this.#terminal = new Terminal(place, (input) => this.#guard(() => this.#take(input)));
    this.#state = beginning({ ...start, ...this.#terminal.size });
    this.#asker = new Asker({
      source,
      asked: () => askedOf(this.#state),
      isFrozen: () => this.#state.frozenMs !== undefined,
      changed: () => this.#guard(() => this.#answered()),
      named: () => this.#guard(() => this.#draw()),
    });
    this.#frame = render(this.#state, this.#asker.answers, Date.now());
    this.#ticker = setInterval(() => this.#guard(() => this.#draw()), TICK_MS);
    this.#draw();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#ticker);
    clearTimeout(this.#patience);
    this.#asker[Symbol.dispose]();
    await this.#terminal[Symbol.asyncDispose]();
  }

  /** What goes wrong in here ends it in order, with the terminal given back. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#ending.reject(error);
    }
  }

  #take(input: TopInput): void {
    if (this.#patience !== undefined && input.kind !== 'drained') this.#held.push(input);
    else this.#apply(input);
  }

  #apply(input: TopInput): void {
    const before = this.#state;
    this.#state = reduce(before, input, this.#frame.sight, Date.now());
    const { isDone, redraws, suspensions, frozenMs } = this.#state;
    if (isDone) {
      this.#ending.resolve();
      return;
    }
    if (redraws !== before.redraws) this.#terminal.forget();
    if (suspensions !== before.suspensions) void this.#terminal.suspend();
    if (frozenMs === undefined && before.frozenMs !== undefined) this.#asker.ask();
    if (askedOf(this.#state).key !== askedOf(before).key) {
      this.#asker.ask();
      this.#frame = render(this.#state, this.#asker.answers, Date.now());
      this.#patience = setTimeout(() => this.#guard(() => this.#answered()), PATIENCE_MS);
    } else this.#draw();
  }

  /** There is something else to show, or it was waited for long enough. */
  #answered(): void {
    if (this.#patience !== undefined) {
      clearTimeout(this.#patience);
      this.#patience = undefined;
    }
    this.#draw();
    const held = this.#held;
    this.#held = [];
    for (const input of held) this.#take(input);
  }

  #draw(): void {
    if (this.#patience !== undefined) return;
    this.#frame = render(this.#state, this.#asker.answers, Date.now());
    const { grid, cursor } = this.#frame;
    this.#terminal.show(grid, cursor, paletteOf(this.#depth, this.#state.theme));
    if (this.#state.isNamed) void this.#asker.name(this.#frame.sight.named);
  }
}
