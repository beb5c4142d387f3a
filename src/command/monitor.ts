/** `tunnelscope monitor`: the main job. Meters, serves the page, writes JSON files, and says in one line how it goes. */
import type { Command } from 'commander';
import { runAgent } from '../agent.ts';
import { releaseFilePages } from '../bpf/index.ts';
import { parseDuration } from '../config.ts';
import { examine, formatFacts, missing } from '../doctor.ts';
import { JsonFiles } from '../export/index.ts';
import type { FlowSink } from '../flow/index.ts';
import type { MeteredInterface } from '../meter/index.ts';
import { ViewQuestionSchema } from '../query/index.ts';
import { formatStatus } from '../terminal/index.ts';
import { EXIT, Exit } from './exit.ts';
import { addMetricsOptions, type MetricsWords, measuringOf, metricsOf } from './metrics.ts';
import { addMeterOptions, type MeterWords, meterConfig } from './options.ts';
import { RulesFollower } from './ruling.ts';
import { addServeOptions, type ServeWords, servingOf } from './serving.ts';
import { stopSignal } from './stopping.ts';

/** When the start is long over, its pages of programs and libraries are let go of, once: those in use are back at once. */
const RELEASE_MS = 30_000;

/** The words of `monitor`. */
export interface MonitorWords extends MeterWords, ServeWords, MetricsWords {
  readonly interval: string;
  readonly jsonDir?: string;
  readonly jsonPeriod: string;
}

/** Adds the options of `monitor`; `demo` takes them too. */
export function addMonitorOptions(command: Command): Command {
  addMetricsOptions(addServeOptions(addMeterOptions(command)));
  return command
    .option(
      '--interval <duration>',
      'length of an epoch: how often the kernel is drained and the views move',
      '1s',
    )
    .option('--json-dir <directory>', 'write tunnel.json, tunnel-delta.json and flows.json there')
    .option('--json-period <duration>', 'how often the files are written', '5s');
}

/** Every start: all facts in order, or none of the machine is touched. @throws Exit with the facts. */
export function demandMachine(): void {
  const facts = examine();
  if (missing(facts).length === 0) return;
  throw new Exit(EXIT.missing, `This machine lacks what metering needs:\n${formatFacts(facts)}`);
}

/** Runs the monitor until SIGINT, SIGTERM or `stopped`. */
export async function monitor(
  words: MonitorWords,
  extra: { readonly stopped?: AbortSignal; readonly ready?: (url: string) => void } = {},
): Promise<void> {
  const config = {
    ...meterConfig(words, parseDuration('--interval', words.interval)),
    ...measuringOf(words),
  };
  const serving = servingOf(words);
  const metrics = metricsOf(words);
  const jsonPeriodMs = parseDuration('--json-period', words.jsonPeriod);
  demandMachine();
  const sinks: FlowSink[] = [];
  if (words.jsonDir !== undefined) {
    sinks.push(await JsonFiles.open(words.jsonDir, { periodSeconds: jsonPeriodMs / 1000 }));
  }
  using stopping = stopSignal();
  const signal = extra.stopped ? AbortSignal.any([stopping.signal, extra.stopped]) : stopping.signal;
  const line = statusWriter();
  using releasing = setTimeout(releaseFilePages, RELEASE_MS);
  releasing.unref();
  using following = new DisposableStack();
  await runAgent({
    meter: config,
    serve: serving,
    metrics,
    sinks,
    signal,
    ready: ({ url, setRules }) => {
      if (config.rules.length > 0) line.say(describeRules(config.rules.length));
      following.use(
        new RulesFollower(words, setRules, {
          ruled: (count) => line.say(describeRules(count)),
          problem: (error) => line.say(`Problem: ${error.message}`),
        }),
      );
      if (extra.ready) extra.ready(url!);
      else line.say(`Page and API: ${url}`);
      if (serving.generatedToken !== undefined)
        line.say(`Access token, shown this once: ${serving.generatedToken}`);
      if (words.jsonDir !== undefined) line.say(`JSON files: ${words.jsonDir}`);
    },
    epoch: (_batch, live) =>
      line.update((width) =>
        formatStatus(live.view(ViewQuestionSchema.parse({})), {
          flows: live.flowCount,
          width,
          nowMs: Date.now(),
        }),
      ),
    listener: {
      interfaces: (now) => line.say(describeInterfaces(now, config.namespace)),
      problem: (error) => line.say(`Problem: ${error.message}`),
      explained: ({ interfaceName, direction }) =>
        line.say(`All explained again at ${interfaceName} ${direction}`),
      sinkFailed: (sink, error) => line.say(`Problem: ${sink.name}: ${error.message}`),
      sinkDropped: (sink, dropped) =>
        line.say(`Problem: ${sink.name}: too slow, epochs dropped since the start: ${dropped}`),
    },
  });
  line.end();
}

function describeRules(count: number): string {
  if (count === 0) return 'No rules: everything is kept';
  return `Kept is what fits ${count === 1 ? 'the rule' : `one of ${count} rules`}; the rest is counted as excluded`;
}

function describeInterfaces(interfaces: readonly MeteredInterface[], namespace: string | undefined): string {
  const place = namespace === undefined ? '' : ` in namespace ${namespace}`;
  if (interfaces.length === 0) return `Attached to no interface${place}: waiting for one to come`;
  const words = interfaces.map(({ name, reason, hook }) => `${name} (${reason}; ${hook})`);
  return `Attached${place} to ${words.join(', ')}`;
}

/** Lines that stay, and one that is rewritten in place on a terminal (and not written at all elsewhere). */
function statusWriter(): {
  say(line: string): void;
  update(format: (width: number) => string): void;
  end(): void;
} {
  const { stdout } = process;
  let shown = false;
  const clear = (): void => {
    if (shown) stdout.write('\r\x1b[2K');
    shown = false;
  };
  return {
    say(line) {
      clear();
      stdout.write(`${line}\n`);
    },
    update(format) {
      if (!stdout.isTTY) return;
      stdout.write(`\r${format(stdout.columns - 1)}\x1b[K`);
      shown = true;
    },
    end() {
      if (shown) stdout.write('\n');
    },
  };
}
