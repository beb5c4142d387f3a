/** `tunnelscope query`: a question about the past or about now, and its answer as a table. */
import { type Command, Option } from 'commander';
import {
  ASK_WORDS,
  FilterError,
  isLive,
  parsePastQuestion,
  parseQuestion,
  type Question,
  type ResultTable,
  type SqlTable,
  tableCsv,
} from '../query/index.ts';
import {
  formatBasis,
  formatRise,
  formatTable,
  shownTable,
  type TableTextOptions,
} from '../terminal/index.ts';
import { EXIT, Exit } from './exit.ts';
import { addHistoryOptions, type HistoryWords, openHistory } from './history-source.ts';
import { stopSignal } from './stopping.ts';
import { addTimeZoneOption, type TimeZoneWords, timeZoneOf } from './time-zone.ts';
import { waited } from './waiting.ts';

/** The words of `query`. */
interface QueryWords extends HistoryWords, TimeZoneWords {
  readonly json?: true;
  readonly csv?: true;
  /** What follows `--sql` is the first word of what is asked, if it follows. */
  readonly sql?: string | true;
}

/** Adds `query` to the program. */
export function addQueryCommand(program: Command): void {
  const command = program
    .command('query')
    .description(
      `ask the past, or now (live), e.g.: query 'top 20 src, dst last 1h where vni 5001' (docs/query.md)`,
    )
    .argument('[question...]', `${ASK_WORDS.join(', ')}, …, or a SELECT behind --sql`);
  addHistoryOptions(command)
    .addOption(new Option('--json', 'the answer as JSON').conflicts('csv'))
    .option('--csv', 'as comma-separated values')
    .option('--sql [select]', 'print the SQL of a question; of a SELECT the answer');
  addTimeZoneOption(command).action(query);
}

async function query(named: readonly string[], words: QueryWords): Promise<void> {
  const text = [...(typeof words.sql === 'string' ? [words.sql] : []), ...named].join(' ').trim();
  const timeZone = timeZoneOf(words);
  if (text === '') throw new Exit(EXIT.usage, `query: a question is missing: ${ASK_WORDS.join(', ')}, …`);
  const isQuestion = words.sql === undefined || isAsked(text);
  const question = isQuestion
    ? questionOf(text, { timeZone, isPast: words.history !== undefined || words.sql !== undefined })
    : undefined;
  using stopping = stopSignal();
  await using history = await openHistory(words);
  const { signal } = stopping;
  if (!question) printSql(await waited(history.query(text, { signal })), words, timeZone);
  else if (words.sql === undefined)
    print(question, await waited(history.answer(question, { signal })), { words, timeZone });
  else if (!isLive(question)) process.stdout.write(`${await waited(history.sqlOf(question))}\n`);
}

/** Reads a question of the command line. @throws Exit that points at the mistake */
function questionOf(
  text: string,
  { timeZone, isPast }: { readonly timeZone: string; readonly isPast: boolean },
): Question {
  try {
    const clock = { nowMs: Date.now(), timeZone };
    return isPast ? parsePastQuestion(text, clock) : parseQuestion(text, clock);
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    throw new Exit(EXIT.usage, `query: ${error.message}\n${error.caret()}`);
  }
}

function isAsked(text: string): boolean {
  const first = /^\S*/.exec(text)![0].toLowerCase();
  return ASK_WORDS.some((word) => word === first);
}

function print(
  question: Question,
  answer: ResultTable,
  { words, timeZone }: { readonly words: QueryWords; readonly timeZone: string },
): void {
  if (printedAsData(answer, answer, words)) return;
  const options = textOptions(timeZone);
  process.stdout.write(formatTable(shownTable(question, answer), options));
  process.stdout.write(formatRise(question, answer, options));
  process.stdout.write(formatBasis(answer, options));
}

function printSql(answer: SqlTable, words: QueryWords, timeZone: string): void {
  const table = plainTable(answer);
  if (printedAsData(answer, table, words)) return;
  process.stdout.write(formatTable(table, textOptions(timeZone)));
  if (answer.isCut) process.stdout.write(`the first ${answer.rows.length} rows\n`);
}

/** @returns false where a table is to be printed */
function printedAsData(
  answer: ResultTable | SqlTable,
  table: Pick<ResultTable, 'columns' | 'rows'>,
  { json, csv }: QueryWords,
): boolean {
  if (json) process.stdout.write(`${JSON.stringify(answer)}\n`);
  else if (csv) process.stdout.write(tableCsv(table));
  return json !== undefined || csv !== undefined;
}

function textOptions(timeZone: string): TableTextOptions {
  return { colour: process.stdout.isTTY && process.env.NO_COLOR === undefined, timeZone };
}

/** What SQL found, without units: nobody says what it is of. */
function plainTable({ columns, rows }: SqlTable): Pick<ResultTable, 'columns' | 'rows'> {
  return {
    columns: columns.map(({ name }, i) => ({
      name,
      kind: rows.every((row) => typeof row[i] === 'number' || row[i] === null) ? 'number' : 'text',
    })),
    rows: rows.map((row) => row.map((cell) => (typeof cell === 'boolean' ? String(cell) : cell))),
  };
}
