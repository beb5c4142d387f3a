/** `tunnelscope audit`: says whether the numbers can be trusted, point by point: metering for a while, or asking an agent. */
import { type Command, Option } from 'commander';
import { runAgent } from '../agent.ts';
import { parseDuration } from '../config/index.ts';
import { type Audit, AuditSchema } from '../query/index.ts';
import { formatAudit, isExplained } from '../terminal/index.ts';
import { askAgent, parseAgentUrl } from './asking.ts';
import { EXIT } from './exit.ts';
import { demandMachine } from './monitor.ts';
import { addMeterOptions, type MeterWords, meterConfig } from './options.ts';
import { readToken } from './serving.ts';
import { stopSignal } from './stopping.ts';

/** The words of `audit`. */
interface AuditWords extends MeterWords {
  readonly for?: string;
  readonly interval: string;
  readonly json?: true;
  readonly agent?: string | true;
  readonly tokenFile?: string;
}

const DEFAULT_AGENT = '127.0.0.1:8080';

/** Adds `audit` to the program. */
export function addAuditCommand(program: Command): void {
  const command = program
    .command('audit')
    .description(
      'meter for a while, compare with the counters of the interfaces, and say what is unexplained; exit code 1 when something is',
    );
  addMeterOptions(command)
    .option('--for <duration>', 'how long (default: until Ctrl-C)')
    .option('--interval <duration>', 'length of an epoch', '500ms')
    .addOption(
      new Option(
        '--agent [address]',
        `do not meter, ask a running agent, since its start (${DEFAULT_AGENT}); needs no root`,
      ).conflicts(['for', 'iface', 'netns', 'tunnelPorts']),
    )
    .option('--token-file <file>', 'file with the access token of that agent')
    .option('--json', 'as JSON, as /api/v1/audit gives it')
    .action(audit);
}

async function audit(words: AuditWords): Promise<void> {
  using stopping = stopSignal();
  const found = words.agent === undefined ? await meter(words, stopping) : await ask(words, stopping);
  if (!found) return;
  process.stdout.write(
    words.json ? `${JSON.stringify(found)}\n` : formatAudit(found, process.stdout.columns),
  );
  if (!isExplained(found)) process.exitCode = EXIT.failed;
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
