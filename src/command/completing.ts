/** What could come next on a command line that asks the past: the words of a question, or of a filter. */
import type { Command } from 'commander';
import {
  type Completion,
  completeQuestion,
  type Dimension,
  HistoryQuestionSchema,
  type KnownValues,
  type Suggestion,
  wantedOfQuestion,
} from '../query/index.ts';
import { type HistoryWords, openHistory } from './history-source.ts';

/** A line as far as it is typed. */
export interface TypedLine {
  /** All of it, up to the cursor. */
  readonly line: string;
  /** The word at the cursor as the shell cuts words; it may cut a word of ours in two, as at a colon. */
  readonly word: string;
}

/** A word for the shell, and what it means. */
export interface LineSuggestion {
  /** What stands in place of the word at the cursor. */
  readonly text: string;
  readonly meaning: string;
}

/** Commands whose arguments are a language, and how it is completed. */
const LANGUAGES: Readonly<Record<string, (text: string, known: KnownValues) => Completion>> = {
  query: (text, known) => completeQuestion(text, text.length, { nowMs: Date.now(), known }),
  export: (text, known) =>
    completeQuestion(text, text.length, { nowMs: Date.now(), known, form: 'selection' }),
  audit: (text, known) => completeQuestion(text, text.length, { nowMs: Date.now(), known, form: 'span' }),
};

/** Names of these commands. */
export const ASKING_COMMANDS: readonly string[] = Object.keys(LANGUAGES);

/** Somebody waits at a prompt. */
const PATIENCE_MS = 1000;
const LATELY_MS = 86_400_000;
const MOST_VALUES = 50;

/** What a shell would act on where it is in no quotes. */
const UNSAFE = /[^\w.,:/+-]/;

/** Values seen lately of a dimension, in the history that options name. */
export type SeenLately = (dimension: Dimension, words: HistoryWords) => Promise<readonly string[]>;

/** Suggestions for the cursor's place; none where no language is typed there, or an option. */
export async function completeLine(
  program: Command,
  { line, word }: TypedLine,
  seen: SeenLately,
): Promise<LineSuggestion[]> {
  const [, name, ...typed] = wordsOf(line);
  const command = program.commands.find((each) => each.name() === name?.text);
  const complete = LANGUAGES[name?.text ?? ''];
  const last = typed.at(-1);
  if (!command || !complete || !last || last.text.startsWith('-')) return [];
  const parts = partsOf(command, typed);
  if (!parts) return [];
  const { text, options } = parts;
  const wanted = wantedOfQuestion(text);
  const known = wanted ? { [wanted.field]: await seen(wanted.dimension, options) } : {};
  const { from, suggestions } = complete(text, known);
  const behind = word.replace(/^['"]/, '');
  return suggestions
    .map(({ text: suggested, meaning }: Suggestion) => ({
      text: `${behind}${suggested.slice(text.length - from)}`,
      meaning,
    }))
    .filter((each) => last.isQuoted || !UNSAFE.test(each.text));
}

/** Asks the history itself; nothing where that takes long, or there is none. */
export const askSeen: SeenLately = async (of, words) => {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  try {
    await using history = await openHistory(words);
    const toMs = Date.now();
    const question = HistoryQuestionSchema.parse({
      ask: 'distinct',
      of,
      fromMs: toMs - LATELY_MS,
      toMs,
      limit: MOST_VALUES,
    });
    const { rows } = await history.answer(question, { signal });
    return rows.flatMap(([value]) => (value === null || value === undefined ? [] : [String(value)]));
  } catch {
    // Nobody at a prompt wants to read why there are no more suggestions.
    return [];
  }
};

/** A word of a line: its text without quotes, and whether a quote was still open, or had been. */
interface Word {
  readonly text: string;
  readonly isQuoted: boolean;
}

/** Cuts a line as a shell does, roughly: blanks, quotes, backslashes. The last word is the one at the cursor, maybe empty. */
function wordsOf(line: string): Word[] {
  const words: Word[] = [];
  let text = '';
  let quote = '';
  let isQuoted = false;
  for (let at = 0; at < line.length; at++) {
    const character = line[at]!;
    if (quote !== '') {
      if (character === quote) quote = '';
      else text += character;
    } else if (character === '"' || character === "'") {
      quote = character;
      isQuoted = true;
    } else if (character === '\\') text += line[++at] ?? '';
    else if (/\s/.test(character)) {
      if (text !== '' || isQuoted) words.push({ text, isQuoted });
      text = '';
      isQuoted = false;
    } else text += character;
  }
  return [...words, { text, isQuoted }];
}

/** The arguments among the words, joined as the command joins them, and its options; undefined at the value of an option. */
function partsOf(
  command: Command,
  words: readonly Word[],
): { readonly text: string; readonly options: HistoryWords } | undefined {
  const texts: string[] = [];
  const options: Record<string, string> = {};
  for (let at = 0; at < words.length; at++) {
    const { text } = words[at]!;
    const option =
      text.startsWith('-') && command.options.find(({ long, short }) => text === long || text === short);
    if (!option) {
      if (!text.startsWith('-')) texts.push(text);
    } else if (option.required) {
      if (++at === words.length - 1) return undefined;
      options[option.attributeName()] = words[at]?.text ?? '';
    }
  }
  return { text: texts.join(' '), options };
}
