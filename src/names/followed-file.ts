/** A file that is read again, by who asks, after it has changed. */
import { type BigIntStats, constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { NamesError } from './error.ts';

/** A file is looked at so often at most, milliseconds. */
const LOOK_MS = 1000;
/** Larger files are refused, octets. */
const LARGEST = 8 * 2 ** 20;

/** How a file is followed. */
export interface Following<Content> {
  /** @throws NamesError where the text cannot be used */
  readonly parse: (text: string, path: string) => Content;
  /** What a file says that is not there, or cannot be used, which is told; without it the file has to be there. */
  readonly absent?: Content;
  /** Told once of each state of the file that cannot be used: what it said before holds on. */
  readonly problem: (error: Error) => void;
  /** Milliseconds, only forward. */
  readonly clock?: () => number;
}

/** A state of the file, and what it says in it; without both when it is the state that is known. */
interface Read<Content> {
  readonly state: string;
  readonly content?: Content;
  readonly error?: NamesError;
}

/** What the file says. Nothing watches it: who asks has it looked at, at most once a second. */
export class FollowedFile<Content> {
  readonly #path: string;
  readonly #options: Following<Content>;
  readonly #clock: () => number;
  #content: Content;
  /** Which state of the file was read last. */
  #state: string;
  #lookedMs: number;
  #looking: Promise<void> | undefined;

  private constructor(path: string, options: Following<Content>, first: Read<Content>) {
    this.#path = path;
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
    this.#content = first.content!;
    this.#state = first.state;
    this.#lookedMs = this.#clock();
  }

  /** Reads the file. @throws NamesError when it cannot be used */
  static async open<Content>(path: string, options: Following<Content>): Promise<FollowedFile<Content>> {
    const { state, content = options.absent, error } = await read(path, options);
    if (error && content === undefined) throw error;
    if (error) options.problem(error);
    return new FollowedFile(path, options, { state, content: content as Content });
  }

  /** What it says, as of a second ago at most. */
  async content(): Promise<Content> {
    if (this.#clock() - this.#lookedMs >= LOOK_MS)
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined;
      });
    await this.#looking;
    return this.#content;
  }

  async #look(): Promise<void> {
    const { state, content, error } = await read(this.#path, this.#options, this.#state);
    this.#lookedMs = this.#clock();
    if (state === this.#state) return;
    this.#state = state;
    if (error) this.#options.problem(new Error(`${error.message}; names stay as they were`));
    else this.#content = content!;
  }
}

async function read<Content>(
  path: string,
  { parse, absent }: Following<Content>,
  known?: string,
): Promise<Read<Content>> {
  let state = 'absent';
  try {
    // Something else than a file may have nothing to read for ever.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await file.stat({ bigint: true });
    state = stateOf(stat);
    if (state === known) return { state };
    if (!stat.isFile())
      throw new NamesError('NAMES_FILE', `reading names from ${path} failed: it is no file`);
    if (stat.size > LARGEST)
      throw new NamesError(
        'NAMES_FILE',
        `reading names from ${path} failed: it has ${stat.size} octets, and ${LARGEST} are read at most`,
      );
    return { state, content: parse(await file.readFile('utf8'), path) };
  } catch (error) {
    if (error instanceof NamesError) return { state, error };
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && absent !== undefined) return { state, content: absent };
    return {
      state: `${state} ${code}`,
      error: new NamesError('NAMES_FILE', `reading names from ${path} failed: ${message}`, { cause: error }),
    };
  }
}

function stateOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}
