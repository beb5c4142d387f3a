/** `--time-zone` of the commands that ask the past. */
import type { Command } from 'commander';
import { ConfigError } from '../config/index.ts';
import { isTimeZone, localTimeZone } from '../query/index.ts';

/** The words of the option as commander hands them over. */
export interface TimeZoneWords {
  readonly timeZone?: string;
}

/** Adds the option. */
export function addTimeZoneOption(command: Command): Command {
  return command.option(
    '--time-zone <name>',
    "whose clocks are meant, e.g. Europe/Berlin (default: this machine's)",
  );
}

/** The time zone. @throws ConfigError */
export function timeZoneOf({ timeZone }: TimeZoneWords): string {
  if (timeZone === undefined) return localTimeZone();
  if (isTimeZone(timeZone)) return timeZone;
  throw new ConfigError('--time-zone', timeZone, 'a time zone such as Europe/Berlin or UTC');
}
