/** What commands that print a report share: its options, and from their words to what is printed. */
import { type Command, Option } from 'commander';
import { parseChoice, parseCount } from '../config/index.ts';
import type { LiveView } from '../live/index.ts';
import {
  formatReport,
  REPORT_SORTS,
  type ReportLayer,
  type ReportOptions,
  reportRows,
} from '../terminal/index.ts';

/** The words of the report's options as commander hands them over. */
export interface ReportingWords {
  readonly top?: string;
  readonly sort: string;
  readonly inner?: true;
  readonly outer?: true;
}

/** Adds the options that say what a report shows. */
export function addReportOptions(command: Command): Command {
  return command
    .option('--top <count>', 'print at most so many rows; the rest is summed up')
    .option('--sort <column>', REPORT_SORTS.join(', '), 'bytes')
    .addOption(
      new Option('--inner', 'inner flows with their VNI, outer addresses left out').conflicts('outer'),
    )
    .addOption(new Option('--outer', 'outer flows only, as if tunnels were not opened'));
}

/** How to print all that a view holds, in pieces of whole lines. @throws ConfigError naming the option and the value. */
export function reporting(words: ReportingWords): (view: LiveView) => Iterable<string> {
  const layer: ReportLayer = words.inner ? 'inner' : words.outer ? 'outer' : 'both';
  const options: ReportOptions = {
    sort: parseChoice('--sort', words.sort, REPORT_SORTS),
    ...(words.top === undefined ? {} : { top: parseCount('--top', words.top, { min: 1, max: 1_000_000 }) }),
    colour: process.stdout.isTTY && process.env.NO_COLOR === undefined,
  };
  return (view) => formatReport(reportRows(view, layer), { ...options, exactness: view.exactness() });
}
