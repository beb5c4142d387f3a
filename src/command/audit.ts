/** `tunnelscope audit`: meters for a while and says whether the numbers can be trusted, point by point. */
import type { Command } from 'commander';
import { runAgent } from '../agent.ts';
import { parseDuration } from '../config.ts';
import type { Audit } from '../query/index.ts';
import { formatAudit } from '../terminal/index.ts';
import { EXIT } from './exit.ts';
import { demandMachine } from './monitor.ts';
import { addMeterOptions, type MeterWords, meterConfig } from './options.ts';
import { stopSignal } from './stopping.ts';

/** The words of `audit`. */
interface AuditWords extends MeterWords {
  readonly for?: string;
  readonly interval: string;
  readonly json?: true;
}

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
    .option('--json', 'as JSON, as /api/audit gives it')
    .action(audit);
}

async function audit(words: AuditWords): Promise<void> {
  const config = meterConfig(words, parseDuration('--interval', words.interval));
  const forMs = words.for === undefined ? undefined : parseDuration('--for', words.for);
  demandMachine();
  using stopping = stopSignal();
  const over = new AbortController();
  let last: Audit | undefined;
  await runAgent({
    meter: config,
    sinks: [],
    signal: AbortSignal.any([stopping.signal, over.signal]),
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
  if (!last) return;
  process.stdout.write(words.json ? `${JSON.stringify(last)}\n` : formatAudit(last));
  if (!isExplained(last)) process.exitCode = EXIT.failed;
}

/** By what has stood for several epochs; in a run too short for that, by what stands at its end. */
function isExplained({ epoch, persistentEpochs, persistent, points }: Audit): boolean {
  if (epoch >= persistentEpochs) return persistent.packets === 0 && persistent.octets === 0;
  return points.every(({ sinceStart: { inside, outside } }) =>
    [inside, outside].every(({ packets, octets }) => packets === 0 && octets === 0),
  );
}
