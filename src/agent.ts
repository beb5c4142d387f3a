/** The agent: opens the meter, hands each epoch to each sink, and closes all in order. It holds no logic of its own. */
import { hostname } from 'node:os';
import type { MeterConfig } from './config.ts';
import type { FlowBatch, FlowSink } from './flow/index.ts';
import { LiveView } from './live/index.ts';
import { type MeteredInterface, type MeterListener, MeterThread } from './meter/index.ts';
import type { Status } from './query/index.ts';
import { type ServeOptions, startServer } from './serve/index.ts';

/** The version of this program, as in package.json. */
export const VERSION = '0.1.0';

/** What an agent is to do. */
export interface AgentOptions {
  readonly meter: MeterConfig;
  /** Where to serve the page; without it nothing is served. */
  readonly serve?: Pick<ServeOptions, 'listen' | 'auth' | 'allowedHosts' | 'pageDirectory'> | undefined;
  readonly sinks: readonly FlowSink[];
  /** Calls when everything is attached and the page can be opened. */
  readonly ready: (started: {
    readonly url: string | undefined;
    readonly interfaces: readonly MeteredInterface[];
  }) => void;
  /** Calls after each epoch was taken in. */
  readonly epoch?: (batch: FlowBatch, live: LiveView) => void;
  readonly listener: MeterListener & { readonly sinkFailed: (sink: FlowSink, error: Error) => void };
  /** Stops the agent: a last drain, then everything is closed. */
  readonly signal: AbortSignal;
}

/** Runs until the signal. @throws the typed error of what could not be opened, or of the meter when it fails. */
export async function runAgent(options: AgentOptions): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const { meter: config, listener, signal } = options;
  const meter = stack.use(await MeterThread.open(config, listener));
  const live = new LiveView({ intervalSeconds: config.intervalMs / 1000 });
  for (const sink of options.sinks) stack.defer(() => sink.close());
  const startedMs = Date.now();
  let url: string | undefined;
  if (options.serve) {
    const status = (): Status => describe(config, meter, live, startedMs);
    const server = await startServer({ ...options.serve, views: live, status });
    stack.defer(() => server.close());
    url = server.url;
  }
  options.ready({ url, interfaces: meter.interfaces });
  const sinks: readonly FlowSink[] = [live, ...options.sinks];
  for await (const batch of meter.batches({ signal })) {
    await Promise.all(sinks.map((sink) => write(sink, batch, listener.sinkFailed)));
    options.epoch?.(batch, live);
  }
}

/** One sink's failure is its own: it is told, and the others go on. */
async function write(
  sink: FlowSink,
  batch: FlowBatch,
  failed: (sink: FlowSink, error: Error) => void,
): Promise<void> {
  try {
    await sink.write(batch);
  } catch (error) {
    failed(sink, error as Error);
  }
}

function describe(config: MeterConfig, meter: MeterThread, live: LiveView, startedMs: number): Status {
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
    flows: live.flowCount,
    flowCapacity: config.flowCapacity,
  };
}
