/** `tunnelscope export`: stored rows as a file for other programs. */
import { randomBytes } from 'node:crypto';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { type ExportFormat, FilterError, parseSelection } from '../query/index.ts';
import { formatExported } from '../terminal/index.ts';
import { EXIT, Exit } from './exit.ts';
import { addHistoryOptions, type HistoryWords, openHistory } from './history-source.ts';
import { stopSignal } from './stopping.ts';
import { addTimeZoneOption, type TimeZoneWords, timeZoneOf } from './time-zone.ts';
import { waited } from './waiting.ts';

/** The words of `export`. */
interface ExportWords extends HistoryWords, TimeZoneWords {
  readonly parquet?: string;
  readonly csv?: string;
  readonly json?: string;
  readonly force?: true;
}

/** Adds `export` to the program. */
export function addExportCommand(program: Command): void {
  const command = program
    .command('export')
    .description(
      `write stored flows to a file, e.g.: export --parquet night.parquet from 22:00 to 06:00 where vni 5001`,
    )
    .argument(
      '[clauses...]',
      'as of a question: when, "points every", "where" and a filter; default: the last hour',
    )
    .addOption(new Option('--parquet <file>', 'as Parquet').conflicts(['csv', 'json']))
    .addOption(new Option('--csv <file>', 'as comma-separated values').conflicts('json'))
    .option('--json <file>', 'as JSON Lines: an object per line')
    .option('--force', 'replace the file if it is there');
  addTimeZoneOption(addHistoryOptions(command)).action(exportRows);
}

async function exportRows(clauses: readonly string[], words: ExportWords): Promise<void> {
  const timeZone = timeZoneOf(words);
  const selection = selectionOf(clauses.join(' '), timeZone);
  const { format, path } = targetOf(words);
  if (!words.force && existsSync(path))
    throw new Exit(EXIT.usage, `--${format}: ${path} is there already; --force replaces it`);
  using stopping = stopSignal();
  const { signal } = stopping;
  await using history = await openHistory(words);
  const unfinished = `${path}.${randomBytes(4).toString('hex')}.part`;
  try {
    const exported = await waited(history.copyTo(selection, { format, path: unfinished }, { signal }));
    signal.throwIfAborted();
    renameSync(unfinished, path);
    process.stdout.write(formatExported(exported, { path, timeZone }));
  } finally {
    rmSync(unfinished, { force: true });
  }
}

/** @throws Exit that points at the mistake */
function selectionOf(text: string, timeZone: string): ReturnType<typeof parseSelection> {
  try {
    return parseSelection(text, { nowMs: Date.now(), timeZone });
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    throw new Exit(EXIT.usage, `export: ${error.message}\n${error.caret()}`);
  }
}

function targetOf({ parquet, csv, json }: ExportWords): {
  readonly format: ExportFormat;
  readonly path: string;
} {
  if (parquet !== undefined) return { format: 'parquet', path: parquet };
  if (csv !== undefined) return { format: 'csv', path: csv };
  if (json !== undefined) return { format: 'json', path: json };
  throw new Exit(EXIT.usage, 'export: which file? Say --parquet FILE, --csv FILE or --json FILE');
}
