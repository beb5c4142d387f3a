/** What `top` shows of this host where it meters by itself. */
import { type RunningAgent, runAgent } from '../agent.ts';
import type { MeterConfig } from '../config/index.ts';
import type { Measurable } from '../flow/index.ts';
import type { LiveView } from '../live/index.ts';
import { Names } from '../names/index.ts';
import type { TopSource } from '../terminal/index.ts';
import { demandMachine } from './monitor.ts';
import { HeldConnections } from './top-connections.ts';

/** A problem is shown for so long after it was told last. */
const SHOWN_MS = 15_000;
/** Where names are looked for that nobody has to write down for us. */
const HOSTS = '/etc/hosts';
/** Of the host's own sockets, told at a time. */
const SOCKETS = 16_384;

/** What is metered and told beside that. */
export interface TopMeter {
  readonly config: MeterConfig;
  /** What is measured beside connections. */
  readonly measured: readonly Measurable[];
  /** File with the user's own names; that of the hosts is read anyway. */
  readonly labels: string | undefined;
}

/**
 * Meters while something is shown.
 *
 * @param show ends when its user has seen enough; the meter is closed then
 * @throws what keeps the meter from running
 */
export async function withMeter(
  { config, measured, labels }: TopMeter,
  signal: AbortSignal,
  show: (source: TopSource) => Promise<void>,
): Promise<void> {
  demandMachine();
  const done = new AbortController();
  const ready = Promise.withResolvers<RunningAgent>();
  const first = Promise.withResolvers<LiveView>();
  const held = new HeldConnections();
  const listeners = new Set<() => void>();
  let told: { readonly message: string; readonly atMs: number } | undefined;
  const problem = (error: Error): void => {
    told = { message: error.message, atMs: Date.now() };
  };
  using names = await Names.open(
    { hosts: HOSTS, labels, dns: false },
    { problem, recovered: () => undefined },
  );
  const metering = runAgent({
    meter: {
      ...config,
      measure: { measurements: ['connections', ...measured], sockets: SOCKETS },
    },
    sinks: [],
    signal: AbortSignal.any([signal, done.signal]),
    ready: ready.resolve,
    epoch: (batch, live) => {
      held.write(batch);
      first.resolve(live);
      for (const listener of listeners) listener();
    },
    listener: {
      problem,
      sinkFailed: (sink, error) => problem(new Error(`${sink.name}: ${error.message}`)),
      sinkDropped: () => undefined,
    },
  });
  const source: TopSource = {
    name: 'this host',
    view: async (question) => (await first.promise).view(question),
    audit: async () => (await first.promise).audit(),
    status: async () => (await ready.promise).status(),
    table: async (question) => (await first.promise).table(question),
    names: (question) => names.names(question),
    connections: async (filter) => held.connections(filter),
    onEpoch: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    problem: () => (told && Date.now() - told.atMs < SHOWN_MS ? told.message : undefined),
  };
  try {
    await Promise.race([ready.promise, metering]);
    await Promise.race([show(source), metering]);
  } finally {
    done.abort();
    await metering;
  }
}
