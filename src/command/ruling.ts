/** `--rule` and `--rules-file` of the commands that meter: what is kept, and how the file is followed. */
import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Command } from 'commander';
import type { SetRules } from '../agent.ts';
import { ConfigError } from '../config/index.ts';
import { type Filter, RuleError, type RulesInForce, readRule, readRules } from '../query/index.ts';
import { EXIT, Exit } from './exit.ts';

/** The words of the options as commander hands them over. */
export interface RuleWords {
  readonly rule?: string[];
  readonly rulesFile?: string;
}

/** What is told of a file that is followed. */
export interface RulesListener {
  /** So many rules hold from now on. */
  ruled(count: number): void;
  /** They could not be changed; those before hold. */
  problem(error: Error): void;
}

/** A file is written in steps: it is read when it has been left alone for so long. */
const SETTLE_MS = 100;

/** Adds the options. */
export function addRuleOptions(command: Command): Command {
  return command
    .option(
      '--rule <rule>',
      `keep only flows that fit a rule, in five fields or as a filter, e.g. '- - - 22 TCP' or 'vni = 42 and host in 10.0.0.0/8' (docs/rules.md); several by repeating`,
      (word: string, before: string[] = []) => [...before, word],
    )
    .option('--rules-file <file>', 'file of rules, one a line; read again when it changes and on SIGHUP');
}

/** The rules of the options. @throws Exit that points at the mistake; ConfigError when there is no such file */
export function rulesOf(words: RuleWords): Filter[] {
  try {
    return readAll(words);
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    throw new Exit(EXIT.usage, [error.message, ...(error.caret ? [error.caret] : [])].join('\n'));
  }
}

function readAll({ rule = [], rulesFile }: RuleWords): Filter[] {
  const given = rule.map((text, i) => readRule(text, rule.length > 1 ? `--rule ${i + 1}` : '--rule'));
  return rulesFile === undefined ? given : [...given, ...readRules(readFile(rulesFile), rulesFile)];
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError('--rules-file', path, `a readable file (${(error as Error).message})`);
  }
}

/** Follows the file of rules until disposed: when it changes, and on SIGHUP. Without a file it does nothing. */
export class RulesFollower implements Disposable {
  #words: RuleWords;
  readonly #set: SetRules;
  readonly #listener: RulesListener;
  #watcher: FSWatcher | undefined;
  #settling: NodeJS.Timeout | undefined;
  /** What the file held when it was read last. */
  #known = '';
  /** One change after the other. */
  #changing: Promise<void> = Promise.resolve();
  readonly #hangup = (): void => this.#change();

  constructor(words: RuleWords, set: SetRules, listener: RulesListener) {
    this.#words = words;
    this.#set = set;
    this.#listener = listener;
    const { rulesFile } = words;
    if (rulesFile === undefined) return;
    this.#known = readFile(rulesFile);
    process.on('SIGHUP', this.#hangup);
    try {
      // Its directory: editors put another file in its place.
      this.#watcher = watch(dirname(rulesFile), { persistent: false }, (_kind, name) => {
        if (name === null || name === basename(rulesFile)) this.#settle(rulesFile);
      });
      this.#watcher.on('error', (error) => listener.problem(unwatched(rulesFile, error)));
    } catch (error) {
      listener.problem(unwatched(rulesFile, error as Error));
    }
  }

  /** The rules in force as they were written, and the file of further ones. */
  get rules(): RulesInForce {
    return { rules: [...(this.#words.rule ?? [])], file: this.#words.rulesFile ?? null };
  }

  [Symbol.dispose](): void {
    process.off('SIGHUP', this.#hangup);
    clearTimeout(this.#settling);
    this.#watcher?.close();
  }

  /**
   * Has other rules hold from the next epoch on, beside those of the file. Rejects when they cannot; then all stays as it was.
   *
   * @param rule in either form
   */
  change(rule: readonly string[]): Promise<void> {
    const words = { ...this.#words, rule: [...rule] };
    const changed = this.#changing.then(() => this.#apply(words));
    this.#changing = changed.catch(() => undefined);
    return changed;
  }

  #settle(rulesFile: string): void {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => {
      try {
        if (readFile(rulesFile) === this.#known) return;
      } catch {
        // #change() says it.
      }
      this.#change();
    }, SETTLE_MS);
    this.#settling.unref();
  }

  #change(): void {
    this.#changing = this.#changing.then(async () => {
      try {
        await this.#apply(this.#words);
      } catch (error) {
        this.#listener.problem(new Error(`${(error as Error).message}; the rules stay as they were`));
      }
    });
  }

  async #apply(words: RuleWords): Promise<void> {
    if (words.rulesFile !== undefined) this.#known = readFile(words.rulesFile);
    const rules = readAll(words);
    await this.#set(rules);
    this.#words = words;
    this.#listener.ruled(rules.length);
  }
}

function unwatched(path: string, error: Error): Error {
  return new Error(`${path} cannot be watched (${error.message}); send SIGHUP to have it read again`);
}
