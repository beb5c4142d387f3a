/** What could come next on a command line that asks the past: the words of a question, or of a filter. */
import type { Command } from 'commander';
import { type Completion, completeQuestion, type Suggestion } from '../query/index.ts';

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
const LANGUAGES: Readonly<Record<string, (text: string) => Completion>> = {
  query: (text) => completeQuestion(text, text.length, { nowMs: Date.now() }),
  export: (text) => completeQuestion(text, text.length, { nowMs: Date.now(), form: 'selection' }),
};

/** Names of these commands. */
export const ASKING_COMMANDS: readonly string[] = Object.keys(LANGUAGES);

/** What a shell would act on where it is in no quotes. */
const UNSAFE = /[^\w.,:/+-]/;

/** Suggestions for the cursor's place; none where no language is typed there, or an option. */
export function completeLine(program: Command, { line, word }: TypedLine): LineSuggestion[] {
  const [, name, ...typed] = wordsOf(line);
  const command = program.commands.find((each) => each.name() === name?.text);
  const complete = LANGUAGES[name?.text ?? ''];
  const last = typed.at(-1);
  if (!command || !complete || !last || last.text.startsWith('-')) return [];
  const text = argumentsOf(command, typed);
  if (text === undefined) return [];
  const { from, suggestions } = complete(text);
  const behind = word.replace(/^['"]/, '');
  return suggestions
    .map(({ text: suggested, meaning }: Suggestion) => ({
      text: `${behind}${suggested.slice(text.length - from)}`,
      meaning,
    }))
    .filter((each) => last.isQuoted || !UNSAFE.test(each.text));
}

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

/** The arguments among the words, joined as the command joins them; undefined when the last word is the value of an option. */
function argumentsOf(command: Command, words: readonly Word[]): string | undefined {
  const texts: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const { text } = words[at]!;
    const option =
      text.startsWith('-') && command.options.find(({ long, short }) => text === long || text === short);
    if (!option) {
      if (!text.startsWith('-')) texts.push(text);
    } else if (option.required && ++at === words.length - 1) return undefined;
  }
  return texts.join(' ');
}
