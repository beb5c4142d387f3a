/** The agent: opens the meter, hands each epoch to the view and the sinks, and closes all in order. It holds no logic of its own. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type AlertListener, AlertWatch } from './alerts/index.ts';
import type { MeterConfig } from './config/index.ts';
import { type EpochStore, excludedOf, type FlowBatch, type FlowSink, freeBatch } from './flow/index.ts';
import { HistoryWriter } from './journal/index.ts';
import { ConnectionsNow, LiveView, UnexplainedError } from './live/index.ts';
import { type MeteredInterface, type MeterListener, type MeterSettings, MeterThread } from './meter/index.ts';
import {
  type Family,
  LegacyGauges,
  Measures,
  NetworkMetrics,
  ownFamilies,
  Traffic,
  type TrafficOptions,
} from './metrics/index.ts';
import type {
  AlertDefinition,
  Audit,
  AuditPoint,
  Filter,
  LiveQuestion,
  ResultTable,
  Status,
} from './query/index.ts';
import { type ServeOptions, startServer } from './serve/index.ts';
import { type SinkListener, SinkQueue } from './sink-queue.ts';
import { VERSION } from './version.ts';

/** Changes what is kept, see {@link MeterThread.setRules}. */
export type SetRules = (rules: readonly Filter[]) => Promise<void>;

/** What an agent tells beside what meter and sinks do. */
export interface AgentListener {
  /** Of alerts and their webhooks. */
  readonly alerts?: AlertListener;
  /** What was told of an observation point as unexplained is explained again. */
  explained?(point: AuditPoint): void;
  /** What was told of the history as a problem works again. */
  historyRecovered?(what: 'store' | 'journal'): void;
}

/** How what is metered is kept. */
export interface AgentHistory {
  /** Of the history; the journal has one of its own in it. */
  readonly directory: string;
  /** Length of the periods of the store. */
  readonly intervalMs: number;
  /** What may wait for the store on disk. */
  readonly maxSpoolOctets: number;
  /** Opens the store; tried again when it fails. It is the agent's then. */
  readonly openStore: () => Promise<EpochStore>;
}

/** Which metrics are made of the traffic. */
export interface MetricsOptions {
  readonly traffic: TrafficOptions;
  /** Whether the gauges of old are there too. */
  readonly legacy: boolean;
}

/** An agent that meters. */
export interface RunningAgent {
  /** Where it serves, if it does. */
  readonly url: string | undefined;
  readonly interfaces: readonly MeteredInterface[];
  status(): Status;
  audit(): Audit;
  /** Answers a question about now, as the live view does. */
  table(question: LiveQuestion): ResultTable;
  readonly setRules: SetRules;
  /** Watches other alerts from now on; those that ask the same stand as they stood. */
  setAlerts(alerts: readonly AlertDefinition[]): void;
  /** What can change while it meters, as it is now. */
  readonly settings: MeterSettings;
  /** Meters otherwise from now on. */
  change(settings: MeterSettings): void;
}

/** What an agent is to do. */
export interface AgentOptions {
  /** What a person calls it. */
  readonly name?: string;
  readonly meter: MeterConfig;
  /** Each epoch is on disk before the kernel forgets it, and in the store some seconds later. */
  readonly history?: AgentHistory | undefined;
  /** Where to serve the page; without it nothing is served. */
  readonly serve?: Omit<ServeOptions, 'views' | 'live' | 'status' | 'families' | 'alerts'> | undefined;
  /** What `/metrics` tells beside status and audit. */
  readonly metrics?: MetricsOptions;
  /** Asked of the view after each epoch. */
  readonly alerts?: readonly AlertDefinition[];
  /** Flows that the view takes in; default all. */
  readonly filter?: Filter;
  /** Each gets a bounded queue of its own, and is closed at the end. */
  readonly sinks: readonly FlowSink[];
  /** Calls when everything is attached and the page can be opened. */
  readonly ready: (agent: RunningAgent) => void;
  /** Calls after the view took an epoch in; the batch is lent for the call. */
  readonly epoch?: (batch: FlowBatch, live: LiveView) => void;
  readonly listener: MeterListener & SinkListener & AgentListener;
  /** Stops the agent: a last drain, then everything is closed. With the reason `'keep'` the kernel counts on, where there is a history. */
  readonly signal: AbortSignal;
}

const UNHEARD: AlertListener = { changed() {}, failing() {}, recovered() {} };

/** Runs until the signal. @throws the typed error of what could not be opened, or of the meter when it fails. */
export async function runAgent(options: AgentOptions): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const { listener, signal } = options;
  let config = options.meter;
  const history = options.history && openHistory(options.history, listener);
  stack.defer(() => history?.close());
  const pins = history && { name: history.id, label: options.name ?? '', known: history.known };
  const meter = stack.use(await MeterThread.open({ ...config, pins }, listener));
  const live = new LiveView({
    intervalSeconds: config.intervalMs / 1000,
    ...(options.filter && { filter: options.filter }),
    unexplained: (point) => listener.problem?.(new UnexplainedError(point)),
    explained: (point) => listener.explained?.(point),
  });
  const measured = options.serve && options.metrics ? metricSinks(options.metrics, config) : [];
  const queues = [...options.sinks, ...measured].map((sink) => new SinkQueue(sink, listener));
  for (const queue of queues) stack.defer(() => queue.close());
  const alerts = stack.use(
    new AlertWatch({
      definitions: options.alerts ?? [],
      origin: { name: options.name ?? '', hostname: hostname() },
      listener: listener.alerts ?? UNHEARD,
    }),
  );
  const startedMs = Date.now();
  const setRules: SetRules = async (rules) => {
    await meter.setRules(rules);
    config = { ...config, rules };
  };
  let lagSeconds: number | undefined;
  let url: string | undefined;
  const status = (): Status => describe({ config, meter, live, queues, startedMs, history, options });
  if (options.serve) {
    const { networks } = options.serve;
    const networkMetrics = new NetworkMetrics(options.metrics?.traffic.maxSeries);
    const families = async (): Promise<Family[]> => [
      ...measured.flatMap((sink) => sink.families()),
      ...alerts.families(),
      ...ownFamilies({ ...meter.cost, lagSeconds, ...processCost() }),
      ...(networks ? networkMetrics.families(await networks()) : []),
    ];
    const now = new ConnectionsNow(() => meter.sockets());
    const connections: ServeOptions['connections'] = (question) => now.answer(question);
    const server = await startServer({
      ...options.serve,
      views: live,
      live,
      status,
      families,
      connections,
      alerts: () => alerts.status(),
    });
    stack.defer(() => server.close());
    url = server.url;
  }
  options.ready({
    url,
    interfaces: meter.interfaces,
    status,
    audit: () => live.audit(),
    table: (question) => live.table(question),
    setRules,
    setAlerts: (definitions) => alerts.change(definitions),
    get settings() {
      const { interfaces, intervalMs, ports } = config;
      return { interfaces, intervalMs, ports };
    },
    change(settings) {
      config = { ...config, ...settings };
      live.setInterval(config.intervalMs / 1000);
      meter.change(settings);
    },
  });
  for await (const batch of meter.batches({ signal })) {
    const kept = history?.write(batch);
    // Of a former agent: of a time that is not now.
    if (batch.agent !== meter.agent) {
      await kept;
      freeBatch(batch);
      continue;
    }
    try {
      live.write(batch);
      alerts.evaluate(live, batch.endMs);
    } catch (error) {
      listener.sinkFailed(live, error as Error);
    }
    lagSeconds = (Date.now() - batch.endMs) / 1000;
    const queued = queues.map((queue) => queue.write(batch));
    options.epoch?.(batch, live);
    void Promise.all([kept, ...queued]).then(() => freeBatch(batch));
    // When the next epoch is asked for, the kernel forgets this one.
    await kept;
  }
}

function metricSinks(
  { traffic, legacy }: MetricsOptions,
  { measure }: MeterConfig,
): (Traffic | Measures | LegacyGauges)[] {
  const sinks: (Traffic | Measures | LegacyGauges)[] = [new Traffic(traffic)];
  if (measure) sinks.push(new Measures(traffic));
  if (legacy) sinks.push(new LegacyGauges());
  return sinks;
}

/** CPU time of all threads since the start, and resident memory. */
function processCost(): { readonly cpuSeconds: number; readonly residentOctets: number } {
  const { user, system } = process.cpuUsage();
  return { cpuSeconds: (user + system) / 1e6, residentOctets: process.memoryUsage.rss() };
}

function openHistory(
  { directory, maxSpoolOctets, ...options }: AgentHistory,
  listener: AgentOptions['listener'],
): HistoryWriter<EpochStore> {
  return HistoryWriter.open({
    ...options,
    directory: join(directory, 'journal'),
    maxOctets: maxSpoolOctets,
    listener: {
      problem: (error) => listener.problem?.(error),
      recovered: (what) => listener.historyRecovered?.(what),
    },
  });
}

/** Who is described. */
interface Described {
  readonly config: MeterConfig;
  readonly meter: MeterThread;
  readonly live: LiveView;
  readonly queues: readonly SinkQueue[];
  readonly startedMs: number;
  readonly history: HistoryWriter<EpochStore> | undefined;
  readonly options: AgentOptions;
}

function describe({ config, meter, live, queues, startedMs, history, options }: Described): Status {
  return {
    version: VERSION,
    agent: meter.agent,
    hostname: hostname(),
    startedMs,
    nowMs: Date.now(),
    intervalSeconds: config.intervalMs / 1000,
    namespace: config.namespace ?? null,
    interfaces: meter.interfaces.map(({ name, ifindex, hook, reason, primary }) => ({
      name,
      ifindex,
      hook,
      reason,
      primary,
    })),
    unexplained: live
      .audit()
      .points.filter(({ hint }) => hint !== '')
      .map(({ interfaceName, direction, persistent, hint }) => ({
        interfaceName,
        direction,
        ...persistent,
        hint,
      })),
    flows: live.flowCount,
    records: live.recordCount,
    flowCapacity: config.flowCapacity,
    rules:
      config.rules.length === 0
        ? null
        : { count: config.rules.length, excluded: excludedOf(live.exactness().ledger) },
    history: history ? historyStatus(history, options.history!.directory) : null,
    sinks: queues.map((queue) => queue.counts),
  };
}

function historyStatus(history: HistoryWriter<EpochStore>, directory: string): Status['history'] {
  const { storedUpToMs, failing, ...counts } = history.counts;
  return { directory, ...counts, storedUpToMs: storedUpToMs ?? null, failing: failing ?? null };
}
