/** `tunnelscope report`: the traffic report of the terminal, once per period, until Ctrl-C. */
import { type Command, Option } from 'commander';
import { runAgent } from '../agent.ts';
import { parseChoice, parseCount, parseDuration } from '../config.ts';
import type { FlowBatch } from '../flow/index.ts';
import { LiveView } from '../live/index.ts';
import { ViewQuestionSchema } from '../query/index.ts';
import {
  formatFlowJson,
  formatReport,
  REPORT_COUNTS,
  REPORT_SORTS,
  type ReportLayer,
  type ReportOptions,
  reportRows,
} from '../terminal/index.ts';
import { demandMachine } from './monitor.ts';
import { addMeterOptions, type MeterWords, meterConfig } from './options.ts';
import { stopSignal } from './stopping.ts';

/** The words of `report`. */
interface ReportWords extends MeterWords {
  readonly freq: string;
  readonly once?: true;
  readonly json?: true;
  readonly top?: string;
  readonly sort: string;
  readonly inner?: true;
  readonly outer?: true;
  readonly interval?: true;
}

/** Adds `report` to the program. */
export function addReportCommand(program: Command): void {
  const command = program
    .command('report')
    .description('print who talks to whom, once per period')
    .addHelpText('after', `\n${REPORT_COUNTS}`);
  addMeterOptions(command)
    .option('-f, --freq <duration>', 'length of a period; the first report comes after one', '5s')
    .option('--once', 'one report, then end')
    .option('--json', "the period's flows as JSON Lines, one flow each with every field")
    .option('--top <count>', 'print at most so many rows; the rest is summed up')
    .option('--sort <column>', REPORT_SORTS.join(', '), 'bytes')
    .addOption(
      new Option('--inner', 'inner flows with their VNI, outer addresses left out').conflicts('outer'),
    )
    .addOption(new Option('--outer', 'outer flows only, as if tunnels were not opened'))
    .option('--interval', 'this period only instead of totals since the start')
    .action(report);
}

async function report(words: ReportWords): Promise<void> {
  const config = meterConfig(words, parseDuration('--freq', words.freq));
  const layer: ReportLayer = words.inner ? 'inner' : words.outer ? 'outer' : 'both';
  const options: ReportOptions = {
    sort: parseChoice('--sort', words.sort, REPORT_SORTS),
    ...(words.top === undefined ? {} : { top: parseCount('--top', words.top, { min: 1, max: 1_000_000 }) }),
    colour: process.stdout.isTTY && process.env.NO_COLOR === undefined,
  };
  const print = words.json
    ? (batch: FlowBatch): string => formatFlowJson(batch)
    : (batch: FlowBatch, live: LiveView): string => {
        const shown = words.interval ? viewOf(batch) : live;
        const { exactness } = shown.view(ViewQuestionSchema.parse({}));
        return formatReport(reportRows(shown.uniflows('all'), layer), { ...options, exactness });
      };
  demandMachine();
  using stopping = stopSignal();
  const done = new AbortController();
  await runAgent({
    meter: config,
    sinks: [],
    signal: AbortSignal.any([stopping.signal, done.signal]),
    ready: ({ interfaces }) => {
      process.stderr.write(`Metering ${interfaces.map(({ name }) => name).join(', ')}; Ctrl-C ends.\n`);
    },
    epoch: (batch, live) => {
      // After --once has printed, the last drain of the orderly end is nobody's.
      if (done.signal.aborted) return;
      process.stdout.write(print(batch, live));
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
function viewOf(batch: FlowBatch): LiveView {
  const view = new LiveView();
  view.write(batch);
  return view;
}
