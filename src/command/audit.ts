/**
 * `tunnelscope audit`: says whether the numbers can be trusted, point by point: metering for a while, asking an agent, or of a time
 * that a history has.
 */
import { type Command, Option } from 'commander';
import { runAgent } from '../agent.ts';
import { parseDuration } from '../config/index.ts';
import { type Audit, AuditSchema, FilterError, type HistorySpan, parseSpan } from '../query/index.ts';
import { formatAudit, formatPastAudit, isExplained, isPastExplained } from '../terminal/index.ts';
import { askAgent, parseAgentUrl } from './asking.ts';
import { EXIT, Exit } from './exit.ts';
import { addHistoryOptions, type HistoryWords, openHistory } from './history-source.ts';
import { demandMachine } from './monitor.ts';
import { addMeterOptions, type MeterWords, meterConfig } from './options.ts';
import { readToken } from './serving.ts';
import { stopSignal } from './stopping.ts';
import { addTimeZoneOption, type TimeZoneWords, timeZoneOf } from './time-zone.ts';
import { waited } from './waiting.ts';

/** The words of `audit`. */
interface AuditWords extends MeterWords, HistoryWords, TimeZoneWords {
  readonly for?: string;
  readonly interval: string;
  readonly json?: true;
  readonly agent?: string | true;
}

/** What says how now is looked at. */
const METERING = ['for', 'iface', 'netns', 'tunnelPorts', 'agent'] as const;

const DEFAULT_AGENT = '127.0.0.1:8080';

/** Adds `audit` to the program. */
export function addAuditCommand(program: Command): void {
  const command = program
    .command('audit')
    .description(
      'meter for a while, compare with the counters of the interfaces, and say what is unexplained; exit code 1 when something is',
    );
  addMeterOptions(command)
    .argument(
      '[when...]',
      'a time of a history, as of a question: last 24h, from 22:00 to 06:00, on 2026-11-21',
    )
    .option('--for <duration>', 'how long (default: until Ctrl-C)')
    .option('--interval <duration>', 'length of an epoch', '500ms')
    .addOption(
      new Option(
        '--agent [address]',
        `do not meter, ask a running agent, since its start (${DEFAULT_AGENT}); needs no root`,
      ).conflicts(METERING.filter((option) => option !== 'agent')),
    )
    .option('--json', 'as JSON, as /api/v1/audit gives it, of the past /api/v1/audit/past');
  addTimeZoneOption(addHistoryOptions(command)).action(audit);
}

async function audit(when: readonly string[], words: AuditWords): Promise<void> {
  using stopping = stopSignal();
  if (when.length > 0 || isOfHistory(words)) return auditPast(when.join(' '), words, stopping);
  const found = words.agent === undefined ? await meter(words, stopping) : await ask(words, stopping);
  if (!found) return;
  process.stdout.write(
    words.json ? `${JSON.stringify(found)}\n` : formatAudit(found, process.stdout.columns),
  );
  if (!isExplained(found)) process.exitCode = EXIT.failed;
}

/** Whose history is said; without a time it is the last hour. */
function isOfHistory({ history, name, connect }: HistoryWords): boolean {
  return history !== undefined || name !== undefined || connect !== undefined;
}

async function auditPast(
  when: string,
  words: AuditWords,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const other = METERING.find((option) => words[option] !== undefined);
  if (other !== undefined)
    throw new Exit(
      EXIT.usage,
      `audit: --${kebab(other)} is of now, and "${when || 'a history'}" of the past`,
    );
  const timeZone = timeZoneOf(words);
  const span = spanOf(when, timeZone);
  await using history = await openHistory(words);
  const found = await waited(history.audit(span, { signal }));
  process.stdout.write(
    words.json
      ? `${JSON.stringify(found)}\n`
      : formatPastAudit(found, { timeZone, width: process.stdout.columns ?? Number.POSITIVE_INFINITY }),
  );
  if (!isPastExplained(found)) process.exitCode = EXIT.failed;
}

function kebab(option: string): string {
  return option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** @throws Exit that points at the mistake */
function spanOf(when: string, timeZone: string): HistorySpan {
  try {
    return parseSpan(when, { nowMs: Date.now(), timeZone });
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    throw new Exit(EXIT.usage, `audit: ${error.message}\n${error.caret()}`);
  }
}

function ask(words: AuditWords, { signal }: { readonly signal: AbortSignal }): Promise<Audit> {
  const address = typeof words.agent === 'string' ? words.agent : DEFAULT_AGENT;
  const url = parseAgentUrl('--agent', address);
  const token = words.tokenFile === undefined ? undefined : readToken(words.tokenFile);
  return askAgent({ url, token }, 'api/v1/audit', { read: (answer) => AuditSchema.parse(answer), signal });
}

/** @returns undefined when it was ended before the first epoch */
async function meter(
  words: AuditWords,
  { signal }: { readonly signal: AbortSignal },
): Promise<Audit | undefined> {
  const config = meterConfig(words, parseDuration('--interval', words.interval));
  const forMs = words.for === undefined ? undefined : parseDuration('--for', words.for);
  demandMachine();
  const over = new AbortController();
  let last: Audit | undefined;
  await runAgent({
    meter: config,
    sinks: [],
    signal: AbortSignal.any([signal, over.signal]),
    ready: ({ interfaces }) => {
      const names = interfaces.map(({ name }) => name).join(', ');
      const end = words.for === undefined ? 'Ctrl-C ends and prints' : `for ${words.for}`;
      process.stderr.write(`Auditing ${names}; ${end}.\n`);
      if (forMs !== undefined) setTimeout(() => over.abort(), forMs).unref();
    },
    epoch: (_batch, live) => {
      last = live.audit();
    },
    listener: {
      problem: (error) => process.stderr.write(`Problem: ${error.message}\n`),
      sinkFailed: (sink, error) => process.stderr.write(`Problem: ${sink.name}: ${error.message}\n`),
      sinkDropped: () => undefined,
    },
  });
  return last;
}
