/** `tunnelscope report`: the traffic report of the terminal, once per period, until Ctrl-C. */
import type { Command } from 'commander';
import { runAgent } from '../agent.ts';
import { parseDuration } from '../config/index.ts';
import type { FlowBatch } from '../flow/index.ts';
import { LiveView } from '../live/index.ts';
import { compileFilter, type Filter } from '../query/index.ts';
import { formatFlowJson, REPORT_COUNTS } from '../terminal/index.ts';
import {
  addConnectionsOption,
  type ConnectionsWords,
  connectionsPrinter,
  MEASURE_CONNECTIONS,
} from './connections.ts';
import { addFilterOption, demandTimeless, type FilterWords, filterOf } from './filtering.ts';
import { demandMachine } from './monitor.ts';
import { addMeterOptions, type MeterWords, meterConfig } from './options.ts';
import { addReportOptions, type ReportingWords, reporting } from './reporting.ts';
import { RulesFollower } from './ruling.ts';
import { stopSignal } from './stopping.ts';

/** The words of `report`. */
interface ReportWords extends MeterWords, ReportingWords, FilterWords, ConnectionsWords {
  readonly freq: string;
  readonly once?: true;
  readonly json?: true;
  readonly interval?: true;
}

/** Adds `report` to the program. */
export function addReportCommand(program: Command): void {
  const command = program
    .command('report')
    .description('print who talks to whom, once per period')
    .addHelpText('after', `\n${REPORT_COUNTS}`);
  addReportOptions(
    addConnectionsOption(addFilterOption(addMeterOptions(command)))
      .option('-f, --freq <duration>', 'length of a period; the first report comes after one', '5s')
      .option('--once', 'one report, then end')
      .option('--json', "the period's flows as JSON Lines, one flow each with every field"),
  )
    .option('--interval', 'this period only instead of totals since the start')
    .action(report);
}

async function report(words: ReportWords): Promise<void> {
  const config = meterConfig(words, parseDuration('--freq', words.freq));
  const report = reporting(words);
  const filter = filterOf(words);
  if (!words.json && !words.interval && !words.connections) demandTimeless(filter);
  const connections = words.connections ? connectionsPrinter(words, filter) : undefined;
  const print = (batch: FlowBatch, live: LiveView): Iterable<string> =>
    connections
      ? [connections(batch)]
      : words.json
        ? formatFlowJson(batch, compileFilter(filter, batch.points))
        : report(words.interval ? viewOf(batch, filter) : live);
  demandMachine();
  using stopping = stopSignal();
  const done = new AbortController();
  using following = new DisposableStack();
  await runAgent({
    meter: connections ? { ...config, measure: MEASURE_CONNECTIONS } : config,
    filter,
    sinks: [],
    signal: AbortSignal.any([stopping.signal, done.signal]),
    ready: ({ interfaces, setRules }) => {
      following.use(
        new RulesFollower(words, setRules, {
          ruled: (count) => process.stderr.write(`Rules in force: ${count}\n`),
          problem: (error) => process.stderr.write(`Problem: ${error.message}\n`),
        }),
      );
      process.stderr.write(`Metering ${interfaces.map(({ name }) => name).join(', ')}; Ctrl-C ends.\n`);
    },
    epoch: (batch, live) => {
      // After --once has printed, the last drain of the orderly end is nobody's.
      if (done.signal.aborted) return;
      for (const piece of print(batch, live)) process.stdout.write(piece);
      if (words.once) done.abort();
    },
    listener: {
      problem: (error) => process.stderr.write(`Problem: ${error.message}\n`),
      sinkFailed: (sink, error) => process.stderr.write(`Problem: ${sink.name}: ${error.message}\n`),
      sinkDropped: () => undefined,
    },
  });
}

/** One epoch alone. */
function viewOf(batch: FlowBatch, filter: Filter): LiveView {
  const view = new LiveView({ filter });
  view.write(batch);
  return view;
}
