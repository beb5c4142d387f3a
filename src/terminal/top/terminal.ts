/** A terminal that is ours for a while: raw keys, a second screen, the mouse; and as it was when it is given back. */
import { write, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { ReadStream } from 'node:tty';
import { asciiOf } from './ascii.ts';
import { ASK_GROUND, KeyReader } from './keys.ts';
import type { TopInput } from './reduce.ts';
import { difference, type Grid, type Spot } from './screen.ts';
import type { Style } from './style.ts';

/** Second screen, no wrapping, pressed buttons and the wheel as SGR, bracketed paste, no cursor. */
const TAKE = '\x1b[?1049h\x1b[?7l\x1b[?1000h\x1b[?1006h\x1b[?2004h\x1b[?25l';
/** The same backwards. */
const GIVE_BACK = '\x1b[?2026l\x1b[0m\x1b[?2004l\x1b[?1006l\x1b[?1000l\x1b[?7h\x1b[?25h\x1b[?1049l';
/** An escape that nothing follows for so long was the key. */
const ESCAPE_MS = 50;
/** A stop takes effect within this. */
const RESUME_MS = 100;
/** A terminal that does not block is tried again after this. */
const AGAIN_MS = 20;
/** What is being written when the terminal is given back has this long to come to its end. */
const LAST_MS = 2000;

/** Where it reads and writes. */
export interface TerminalPlace {
  readonly input: ReadStream;
  readonly output: typeof process.stdout;
  /** By TERM: whether it may be asked for its ground. */
  readonly isAsked: boolean;
  /** Whether it shows more than ASCII. */
  readonly isUnicode: boolean;
}

/** Owns the terminal until disposed; then, and whenever the process ends otherwise, it is as it was. */
export class Terminal implements AsyncDisposable {
  readonly #place: TerminalPlace;
  readonly #reader = new KeyReader();
  readonly #listener: (input: TopInput) => void;
  #shown: Grid | undefined;
  #cursor: Spot | undefined;
  /** While it is being given back nothing new is written. */
  #owner: 'us' | 'nobody' | 'others' = 'others';
  /** Something is on its way; resolves when it has gone out. */
  #writing: PromiseWithResolvers<void> | undefined;
  /** What is not written yet, in order. */
  #waiting: Buffer[] = [];
  #isGone = false;
  #escape: NodeJS.Timeout | undefined;

  /** Takes the terminal. @param listener is told of each key, and of each new size */
  constructor(place: TerminalPlace, listener: (input: TopInput) => void) {
    this.#place = place;
    this.#listener = listener;
    place.input.on('data', this.#read);
    place.output.on('resize', this.#resize);
    process.on('SIGCONT', this.#resume);
    process.on('exit', this.#giveBackNow);
    this.#take();
  }

  get size(): { readonly columns: number; readonly rows: number } {
    const { columns, rows } = this.#place.output;
    // A terminal that does not say how large it is (some serial lines) has the size of old.
    return { columns: columns || 80, rows: rows || 24 };
  }

  /** Whether what was written last is still on its way: on a slow line frames in between are left out. */
  get isBusy(): boolean {
    return this.#writing !== undefined;
  }

  /** Shows a frame: what differs from the one before. @param sgr the sequence of a style */
  show(grid: Grid, cursor: Spot | undefined, sgr: (style: Style) => string): void {
    if (this.#owner !== 'us' || this.isBusy) return;
    const changes = difference(this.#shown, grid, sgr);
    const place = cursor === undefined ? '' : `\x1b[${cursor.row + 1};${cursor.column + 1}H`;
    const isElsewhere =
      changes !== '' || cursor?.row !== this.#cursor?.row || cursor?.column !== this.#cursor?.column;
    const visible =
      (cursor === undefined) === (this.#cursor === undefined)
        ? ''
        : cursor === undefined
          ? '\x1b[?25l'
          : '\x1b[?25h';
    const text = `${changes}${isElsewhere ? place : ''}${visible}`;
    this.#shown = grid;
    this.#cursor = cursor;
    if (text !== '') this.#write(text);
  }

  /** The next frame is drawn whole: somebody else may have written. */
  forget(): void {
    this.#shown = undefined;
  }

  /** Gives the terminal to the shell and stops this process; continued, it takes it again. */
  async suspend(): Promise<void> {
    await this.#rest();
    if (this.#isGone) return;
    this.#giveBack();
    // The whole job stops, as by Ctrl-Z where nobody reads keys.
    process.kill(0, 'SIGTSTP');
    // Where no shell would continue it, the kernel does not stop it either (an orphaned process group).
    setTimeout(this.#resume, RESUME_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isGone = true;
    clearTimeout(this.#escape);
    const { input, output } = this.#place;
    input.off('data', this.#read);
    output.off('resize', this.#resize);
    process.off('SIGCONT', this.#resume);
    await this.#rest();
    process.off('exit', this.#giveBackNow);
    this.#giveBackNow();
    input.pause();
  }

  #take(): void {
    const { input, isAsked } = this.#place;
    input.setRawMode(true);
    input.resume();
    this.#owner = 'us';
    this.#shown = undefined;
    this.#cursor = undefined;
    this.#waiting = [];
    this.#write(`${TAKE}${isAsked ? ASK_GROUND : ''}`);
  }

  /** Begins nothing more, and waits for what is on its way: it would be seen behind what gives the terminal back. */
  async #rest(): Promise<void> {
    if (this.#owner === 'us') this.#owner = 'nobody';
    const timer = new AbortController();
    const late = delay(LAST_MS, undefined, { signal: timer.signal }).catch(() => undefined);
    await Promise.race([this.#writing?.promise, late]);
    timer.abort();
  }

  #giveBack(): void {
    if (this.#owner === 'others') return;
    this.#owner = 'others';
    const { input, output } = this.#place;
    // Not behind what waits in a stream: the process may stop, or end, before that is written.
    try {
      writeSync(output.fd, GIVE_BACK);
    } catch {
      output.write(GIVE_BACK);
    }
    if (!input.destroyed) input.setRawMode(false);
  }

  readonly #giveBackNow = (): void => {
    try {
      this.#giveBack();
    } catch {
      // The terminal is gone; there is nothing to give back.
    }
  };

  readonly #resume = (): void => {
    if (this.#isGone || this.#owner !== 'others') return;
    this.#take();
    this.#listener({ kind: 'resize', ...this.size });
  };

  readonly #resize = (): void => {
    this.forget();
    this.#listener({ kind: 'resize', ...this.size });
  };

  readonly #read = (octets: Buffer): void => {
    clearTimeout(this.#escape);
    for (const input of this.#reader.read(octets)) this.#listener(input);
    if (this.#reader.isWaiting)
      this.#escape = setTimeout(() => {
        for (const input of this.#reader.flush()) this.#listener(input);
      }, ESCAPE_MS);
  };

  #write(text: string): void {
    const { isUnicode } = this.#place;
    this.#waiting.push(Buffer.from(isUnicode ? text : asciiOf(text)));
    if (!this.isBusy) this.#flush();
  }

  /** In a thread of the pool: a terminal that takes nothing would stop this one, signals and the meter's epochs with it. */
  #flush(): void {
    const next = this.#waiting[0];
    if (next === undefined || this.#owner !== 'us') {
      this.#writing?.resolve();
      this.#writing = undefined;
      if (this.#owner === 'us') this.#listener({ kind: 'drained' });
      return;
    }
    this.#writing ??= Promise.withResolvers();
    write(this.#place.output.fd, next, (error, written) => {
      if (error && error.code !== 'EAGAIN') return; // It is gone: nothing more is written, and who runs this is told by SIGHUP.
      // Taken anew meanwhile, it has something else to show.
      if (next === this.#waiting[0] && !error) {
        this.#waiting.shift();
        if (written < next.length) this.#waiting.unshift(next.subarray(written));
      }
      if (error) setTimeout(() => this.#flush(), AGAIN_MS);
      else this.#flush();
    });
  }
}
