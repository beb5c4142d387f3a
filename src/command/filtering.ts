/** `--filter` of the commands that print flows. */
import type { Command } from 'commander';
import {
  type Filter,
  FilterError,
  fieldDefinition,
  fieldsOf,
  parseFilter,
  parseViewFilter,
} from '../query/index.ts';
import { EXIT, Exit } from './exit.ts';

/** The words of the option as commander hands them over. */
export interface FilterWords {
  readonly filter?: string;
}

/** Name of the option; completion knows its words. */
export const FILTER_OPTION = '--filter';

/** Adds the option. */
export function addFilterOption(command: Command): Command {
  return command.option(
    `${FILTER_OPTION} <expression>`,
    `only flows that fit, e.g. 'tunnel = vxlan and src in 10.0.0.0/8' (docs/filter.md)`,
  );
}

/** The filter; without the option every flow. @throws Exit that points at the mistake */
export function filterOf(words: FilterWords): Filter {
  return parsed(words, parseFilter);
}

/** The same of the page, which joins points and periods. @throws Exit that points at the mistake */
export function viewFilterOf(words: FilterWords): Filter {
  return parsed(words, parseViewFilter);
}

function parsed({ filter: text = '' }: FilterWords, parse: (text: string) => Filter): Filter {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    throw new Exit(EXIT.usage, `${FILTER_OPTION}: ${error.message}\n${error.caret()}`);
  }
}

/**
 * Refuses a filter that cannot be right for totals over several periods: a flow of 1 MB in each of twenty would never
 * have more than 10 MB.
 *
 * @throws Exit that names the field
 */
export function demandTimeless(filter: Filter): void {
  for (const field of fieldsOf(filter))
    if (fieldDefinition(field).isOfPeriod)
      throw new Exit(
        EXIT.usage,
        `${FILTER_OPTION}: "${field}" is of one period, not of totals since the start: add --interval or --json`,
      );
}
