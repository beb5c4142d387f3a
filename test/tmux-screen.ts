/** A program on the screen of a real tmux, with a server of its own. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './until.ts';

/** Why tests of the screen are left out; CI has tmux, and fails without it. */
export const WITHOUT_TMUX: string | false =
  existsSync('/usr/bin/tmux') || process.env.CI ? false : 'tmux is not installed';

/** Everything waits for programs to start, on machines with other work. */
const PATIENCE_MS = 120_000;

/** Its screen. */
export class TmuxScreen implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'tstop-tmux-'));

  /** @param command for the shell @param options.environment beside this process's own */
  constructor(
    command: string,
    {
      columns = 80,
      rows = 24,
      environment = {},
    }: {
      readonly columns?: number;
      readonly rows?: number;
      readonly environment?: Readonly<Record<string, string>>;
    } = {},
  ) {
    const { NO_COLOR: _, COLORTERM: __, ...inherited } = process.env;
    const words = ['-f', '/dev/null', 'new-session', '-d', '-x', String(columns), '-y', String(rows), 'sh'];
    execFileSync('tmux', ['-S', this.#socket, ...words], {
      env: { ...inherited, LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', ...environment },
    });
    // Typed, so that what is there before and after it can be seen.
    const names = ['TERM', 'NO_COLOR', 'COLORTERM', 'LC_ALL'].filter(
      (name) => environment[name] !== undefined,
    );
    const setting = names.map((name) => `${name}='${environment[name]}' `).join('');
    this.keys('-l', `PS1='$ '; clear; echo before; ${setting}${command}; echo "ended $?"`);
    this.keys('Enter');
  }

  get #socket(): string {
    return join(this.#directory, 'socket');
  }

  /** Presses keys, in the names of tmux; behind `-l` a text. */
  keys(...keys: readonly string[]): void {
    this.#tmux('send-keys', ...keys);
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** What stands there. */
  get lines(): string[] {
    return this.#tmux('capture-pane', '-p').split('\n');
  }

  /** The same with escapes. */
  get coloured(): string {
    return this.#tmux('capture-pane', '-p', '-e');
  }

  /** Where the cursor is, whether it shows, whether the second screen and the mouse are in use. */
  get modes(): string {
    return this.#tmux('display-message', '-p', '#{cursor_flag} #{alternate_on} #{mouse_any_flag}').trim();
  }

  /** Process of the pane's shell. */
  get shell(): number {
    return Number(this.#tmux('display-message', '-p', '#{pane_pid}'));
  }

  /** Waits until something stands there. @returns the line */
  async sees(pattern: RegExp): Promise<string> {
    let found: string | undefined;
    await until(
      () => {
        found = this.lines.find((line) => pattern.test(line));
        return found !== undefined;
      },
      `the screen has ${pattern}`,
      PATIENCE_MS,
    ).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.lines.join('\n')}`);
    });
    return found!;
  }

  /** Octets that the program writes until `done` is. */
  async written(done: () => Promise<void>): Promise<number> {
    const file = join(this.#directory, 'written');
    rmSync(file, { force: true });
    this.#tmux('pipe-pane', '-o', `cat > ${file}`);
    await done();
    this.#tmux('pipe-pane');
    return existsSync(file) ? statSync(file).size : 0;
  }

  [Symbol.dispose](): void {
    spawnSync('tmux', ['-S', this.#socket, 'kill-server'], { stdio: 'ignore' });
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #tmux(...words: readonly string[]): string {
    return execFileSync('tmux', ['-S', this.#socket, ...words], { encoding: 'utf8' });
  }
}
