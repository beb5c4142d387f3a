/** Running the agent as a configuration says, for `monitor` and `start`: sinks, page, and what is told meanwhile. */
import { type RunningAgent, runAgent } from '../agent.ts';
import { releaseFilePages } from '../bpf/index.ts';
import { type Configuration, historyConfigOf, meterConfigOf, namesConfigOf } from '../config/index.ts';
import { DataLog, JsonFiles } from '../export/index.ts';
import type { FlowBatch, FlowSink } from '../flow/index.ts';
import type { LiveView } from '../live/index.ts';
import type { MeteredInterface } from '../meter/index.ts';
import type { Names } from '../names/index.ts';
import { alertListener } from './alerting.ts';
import { agentControl, type Metered } from './controlling.ts';
import { type AskedHistory, questionsOf } from './history-answers.ts';
import { keepingOf } from './keeping.ts';
import { metricsOf } from './metrics.ts';
import { openNames } from './naming.ts';
import { leftInKernel } from './purging.ts';
import { RulesFollower, type RuleWords, rulesOf } from './ruling.ts';
import { servingOf } from './serving.ts';
import { NetworksSource } from './vnet-asking.ts';

/** When the start is long over, its pages of programs and libraries are let go of, once: those in use are back at once. */
const RELEASE_MS = 30_000;

/** How bad it is. */
export type Severity = 'info' | 'warn' | 'error';

/** Who is told how it goes: a terminal, or a log. */
export interface Teller {
  /** @param fields what a program would want of the line, e.g. the code of an error */
  say(severity: Severity, line: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** What there is while it meters. */
export interface Running {
  readonly agent: RunningAgent;
  /** They can be changed. */
  readonly rules: RulesFollower;
  /** Undefined: it keeps none. */
  readonly history: AskedHistory | undefined;
  readonly names: Names;
}

/** How to run it. */
export interface RunOptions {
  /** What a person calls it; by default as the configuration does. */
  readonly name?: string;
  readonly teller: Teller;
  /** Ends it, after a last drain. */
  readonly signal: AbortSignal;
  /** It meters. Instead of it the page's address is told when this is left out. */
  readonly ready?: (running: Running) => void;
  readonly epoch?: (batch: FlowBatch, live: LiveView) => void;
}

/** Runs until the signal. @throws what keeps it from starting, or from going on */
export async function runConfigured(configuration: Configuration, options: RunOptions): Promise<void> {
  const { teller, signal } = options;
  const { serve, json, log, measure, namespace } = configuration;
  const rules = rulesOf(ruleWordsOf(configuration));
  const { listen } = serve;
  const { tokenFile, adminTokenFile } = serve;
  const serving = listen === 'none' ? undefined : servingOf({ ...serve, listen, tokenFile, adminTokenFile });
  const metered = Promise.withResolvers<Metered>();
  const sinks: FlowSink[] = [];
  if (json.directory !== undefined)
    sinks.push(await JsonFiles.open(json.directory, { periodSeconds: json.period / 1000 }));
  if (log.data.file !== undefined)
    sinks.push(
      DataLog.open(
        log.data.file,
        { maxOctets: log.data.size, files: log.data.count },
        { displays: measure.display, nominalMs: measure.gaps.nominal },
      ),
    );
  const kept = historyConfigOf(configuration);
  const history = kept && keepingOf(kept, teller);
  using names = await openNames(namesConfigOf(configuration), teller);
  using releasing = setTimeout(releaseFilePages, RELEASE_MS);
  releasing.unref();
  using following = new DisposableStack();
  await runAgent({
    name: options.name ?? configuration.name,
    history: history?.agent,
    meter: { ...meterConfigOf(configuration), rules },
    serve: serving && {
      ...serving,
      networks: new NetworksSource().networks,
      names,
      history: history && questionsOf(history),
      control: agentControl(metered.promise, teller),
      log: (line) => teller.say('warn', `Problem: ${line}`),
    },
    metrics: metricsOf(configuration),
    alerts: configuration.alerts,
    sinks,
    signal,
    ready: (agent) => {
      if (rules.length > 0) teller.say('info', describeRules(rules.length), { rules: rules.length });
      const follower = following.use(
        new RulesFollower(ruleWordsOf(configuration), agent.setRules, {
          ruled: (count) => teller.say('info', describeRules(count), { rules: count }),
          problem: (error) => teller.say('warn', `Problem: ${error.message}`),
        }),
      );
      metered.resolve({ agent, rules: follower });
      options.ready?.({ agent, rules: follower, history, names });
      if (!options.ready && agent.url !== undefined)
        teller.say('info', `Page and API: ${agent.url}`, { url: agent.url });
      if (serving?.generatedToken !== undefined)
        teller.say('info', `Access token, shown this once: ${serving.generatedToken}`);
      if (kept) teller.say('info', `History: ${kept.directory}`);
      void tellLeft(options.name ?? configuration.name, teller);
      if (json.directory !== undefined) teller.say('info', `JSON files: ${json.directory}`);
      if (log.data.file !== undefined) teller.say('info', `Values of each interval: ${log.data.file}`);
    },
    ...(options.epoch && { epoch: options.epoch }),
    listener: {
      alerts: alertListener(teller),
      interfaces: (now) =>
        teller.say('info', describeInterfaces(now, namespace), { interfaces: now.map(({ name }) => name) }),
      problem: (error) => teller.say('warn', `Problem: ${error.message}`, { code: codeOf(error) }),
      explained: ({ interfaceName, direction }) =>
        teller.say('info', `All explained again at ${interfaceName} ${direction}`),
      historyRecovered: (what) => teller.say('info', `The ${what} of the history works again`),
      sinkFailed: (sink, error) =>
        teller.say('warn', `Problem: ${sink.name}: ${error.message}`, {
          sink: sink.name,
          code: codeOf(error),
        }),
      sinkDropped: (sink, dropped) =>
        teller.say('warn', `Problem: ${sink.name}: too slow, epochs dropped since the start: ${dropped}`, {
          sink: sink.name,
          dropped,
        }),
    },
  });
}

/** Another history's meter of this name may have been killed, or kept, and then never started again. */
async function tellLeft(name: string, teller: Teller): Promise<void> {
  const left = (await leftInKernel()).filter(({ label }) => label === name);
  if (left.length > 0)
    teller.say(
      'warn',
      `The kernel still counts for another history of "${name}"; start that again, or take it away: tunnelscope stop ${name} --purge`,
    );
}

/** The rules of a configuration and of the file that it names. */
function ruleWordsOf({ rules, rulesFile }: Configuration): RuleWords {
  return { rule: rules.map(({ text }) => text), ...(rulesFile !== undefined && { rulesFile }) };
}

function codeOf(error: Error): unknown {
  return (error as { readonly code?: unknown }).code;
}

/** What the rules mean for what is told. */
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
