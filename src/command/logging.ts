/** The log of an instance: JSON lines by pino, to a file that is rotated or to standard output. */
import type { Configuration } from '../config/index.ts';
import { RotatingFile } from '../export/index.ts';
import type { Severity, Teller } from './running.ts';

/** A level of the configuration. */
export type Level = Configuration['log']['level'];

/** A log, and what is in it from now on. */
export interface LogTeller extends Teller, Disposable {
  setLevel(level: Level): void;
}

/** What a line of the log holds beside its own fields. */
export interface LogLine {
  readonly level: Severity | 'debug';
  /** ISO 8601. */
  readonly time: string;
  readonly msg: string;
}

/** Opens the log. @param path of the file; undefined for standard output. @throws ExportError */
export async function openLog(
  path: string | undefined,
  { name, log }: { readonly name: string; readonly log: Configuration['log'] },
): Promise<LogTeller> {
  const file =
    path === undefined ? undefined : RotatingFile.open(path, { maxOctets: log.size, files: log.count });
  // Loaded only here: the other commands do without.
  const { pino, stdTimeFunctions } = await import('pino');
  const logger = pino(
    {
      level: log.level,
      base: { instance: name },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: file ? toFile(file) : (line: string) => void process.stdout.write(line) },
  );
  return {
    say: (severity, line, fields = {}) => logger[severity](fields, line),
    setLevel: (level) => {
      logger.level = level;
    },
    [Symbol.dispose]: () => file?.[Symbol.dispose](),
  };
}

/** A disk that is full must not end the metering: lines are lost then, and counted in the next that is not. */
function toFile(file: RotatingFile): (line: string) => void {
  let lost = 0;
  return (line) => {
    try {
      file.write(lost === 0 ? line : line.replace(/\}\n$/, `,"linesLostBefore":${lost}}\n`));
      lost = 0;
    } catch {
      lost++;
    }
  };
}

/** Reads a line of the log; undefined for one that is none, such as the trace of a crash. */
export function parseLogLine(text: string): LogLine | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const line = JSON.parse(text) as Partial<LogLine>;
    return typeof line.msg === 'string' && typeof line.time === 'string' && typeof line.level === 'string'
      ? (line as LogLine)
      : undefined;
  } catch {
    return undefined;
  }
}
