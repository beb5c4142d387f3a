import { setTimeout as pause } from 'node:timers/promises';
import type { Duty } from './duty.ts';
import { LabError } from './error.ts';
import { GeneratorProcess } from './generator-process.ts';
import { emptyTally, ledgerOf, type Tally, type TrafficLedger } from './ledger.ts';
import { PingProcess } from './ping-process.ts';
import { markOf, signalProcess } from './process.ts';
import { checkProfile, type TrafficProfile, type TrafficStream } from './profile.ts';
import {
  checkedPrefix,
  namespacesOf,
  readRecord,
  readTraffic,
  removeTraffic,
  writeTraffic,
} from './record.ts';
import { type NoisyClient, type RoutedStream, route, SLOTS } from './route.ts';
import { namespaceOf } from './steps.ts';
import type { Topology } from './topology.ts';

/** How to start traffic in a lab that is up. */
export interface TrafficOptions {
  readonly prefix?: string | undefined;
  /** Aborting stops the traffic in order; `finished` then resolves with the exact ledger. */
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((line: string) => void) | undefined;
  /** Adds a client that sends much more than all others. */
  readonly noisy?: NoisyClient | undefined;
}

/** Traffic that runs. */
export interface Traffic extends AsyncDisposable {
  readonly streams: readonly RoutedStream[];
  /** Streams of the profile between clients that this topology does not have. */
  readonly skipped: readonly TrafficStream[];
  /** The ledger so far: about a second old, each end for itself, so not yet in balance. */
  sent(): TrafficLedger;
  /** Asks every stream to stop, waits for what is under way, and gives the exact ledger. */
  stop(): Promise<TrafficLedger>;
  /**
   * The exact ledger, when all bounded streams are through or the traffic was stopped. Rejects with LabError
   * (`LAB_TRAFFIC`) when a generator broke; then nothing runs any more either.
   */
  readonly finished: Promise<TrafficLedger>;
}

/** After the last datagram was sent, receivers are read until they have all of it or nothing came for this long. */
const QUIET_MS = 300;
const OPEN_LIMIT_MS = 20_000;

/**
 * Starts a profile in a lab: one generator per namespace with streams, one ping per ping stream. Resolves when every
 * socket is open and all of it has begun. Throws LabError (`LAB_NOT_UP`, `LAB_PROFILE`, `LAB_TRAFFIC`).
 */
export async function startTraffic(
  topology: Topology,
  profile: TrafficProfile,
  options: TrafficOptions = {},
): Promise<Traffic> {
  const prefix = checkedPrefix(options.prefix);
  const { signal, progress = () => {}, noisy } = options;
  signal?.throwIfAborted();
  checkStanding(prefix, topology);
  const slot = freeSlot(prefix);
  const routing = route(topology, checkProfile(profile.title, profile), { slot, noisy });
  if (routing.skipped.length > 0) {
    const total = routing.skipped.length + routing.streams.length;
    progress(
      `Left out ${routing.skipped.length} of ${total} streams: topology ${topology.name} has no such clients`,
    );
  }
  const namespace = (routed: RoutedStream): string => namespaceOf(prefix, routed.source.namespace);
  const generators = [...dutiesByNamespace(routing.streams)].map(([name, duties]) =>
    GeneratorProcess.open(namespaceOf(prefix, name), duties),
  );
  try {
    await within(OPEN_LIMIT_MS, Promise.all(generators.map((generator) => generator.ready)));
    signal?.throwIfAborted();
  } catch (error) {
    for (const generator of generators) generator.kill();
    await Promise.allSettled(generators.map((generator) => generator.ended));
    throw error;
  }
  const pings = new Map<number, PingProcess>();
  for (const routed of routing.streams) {
    if (routed.stream.kind !== 'ping') continue;
    pings.set(
      routed.id,
      PingProcess.open(namespace(routed), routed.stream, routed.source.address, routed.destination.address),
    );
  }
  for (const generator of generators) generator.tell({ order: 'start' });
  const runner = markOf(process.pid);
  if (runner !== undefined) {
    const processes = [
      ...generators.map(({ mark, namespace }) => ({ mark, namespace, role: 'generator' })),
      ...[...pings.values()].map(({ mark, namespace }) => ({ mark, namespace, role: 'ping' })),
    ].flatMap(({ mark, namespace, role }) => (mark === undefined ? [] : [{ ...mark, namespace, role }]));
    writeTraffic(prefix, { slot, profile: profile.title, runner, processes });
  }
  progress(`Traffic "${profile.title}": ${routing.streams.length} streams run`);

  const ledger = (): TrafficLedger => ledgerNow(prefix, routing.streams, generators, pings);
  const halt = (): void => {
    for (const generator of generators) generator.tell({ order: 'stop' });
    for (const ping of pings.values()) ping.stop();
  };
  signal?.addEventListener('abort', halt, { once: true });
  const finished = (async (): Promise<TrafficLedger> => {
    try {
      await Promise.all([
        ...generators.map((generator) => generator.done),
        ...[...pings.values()].map((ping) => ping.ended),
      ]);
      await settle(generators, ledger);
      for (const generator of generators) generator.tell({ order: 'finish' });
      await Promise.all(generators.map((generator) => generator.ended));
      return ledger();
    } catch (error) {
      halt();
      for (const generator of generators) generator.kill();
      throw error;
    } finally {
      signal?.removeEventListener('abort', halt);
      removeTraffic(prefix, slot);
    }
  })();
  finished.catch(() => {}); // a caller that only stops hears it from stop()
  const stop = (): Promise<TrafficLedger> => {
    halt();
    return finished;
  };
  if (signal?.aborted) halt();
  return {
    streams: routing.streams,
    skipped: routing.skipped,
    sent: ledger,
    stop,
    finished,
    [Symbol.asyncDispose]: async () => {
      await stop().catch(() => {});
    },
  };
}

/**
 * Stops all traffic of a lab, whoever runs it: asks the recorded processes to stop, so that their runner still gets its
 * ledger and ends by itself. Nothing runs: nothing is done.
 */
export function stopTraffic(options: { readonly prefix?: string | undefined } = {}): void {
  for (const record of readTraffic(checkedPrefix(options.prefix))) {
    for (const process of record.processes)
      signalProcess(process, process.role === 'ping' ? 'SIGINT' : 'SIGTERM');
  }
}

function checkStanding(prefix: string, topology: Topology): void {
  const record = readRecord(prefix);
  const there = new Set(namespacesOf(prefix));
  const missing = [...topology.hosts, ...topology.clients]
    .map((end) => namespaceOf(prefix, end.namespace))
    .filter((name) => !there.has(name));
  if (record?.phase === 'up' && missing.length === 0) return;
  const found =
    record?.phase === 'up'
      ? `has no namespace ${missing[0]}`
      : `is ${record === undefined ? 'not there' : 'half made'}`;
  throw new LabError(
    'LAB_NOT_UP',
    `Starting traffic: the lab "${prefix}" ${found}; wanted topology ${topology.name} standing`,
    'Bring it up first: tunnelscope lab up.',
  );
}

function freeSlot(prefix: string): number {
  const taken = new Set(readTraffic(prefix).map((record) => record.slot));
  const slot = Array.from({ length: SLOTS }, (_, index) => index).find((index) => !taken.has(index));
  if (slot !== undefined) return slot;
  throw new LabError(
    'LAB_TRAFFIC',
    `Starting traffic: ${SLOTS} runs are under way in the lab "${prefix}"; wanted fewer`,
    'Stop one.',
  );
}

function dutiesByNamespace(streams: readonly RoutedStream[]): Map<string, Duty[]> {
  const duties = new Map<string, Duty[]>();
  const add = (namespace: string, duty: Duty): void => {
    duties.set(namespace, [...(duties.get(namespace) ?? []), duty]);
  };
  for (const { id, stream, source, destination, sourcePort = 0, destinationPort = 0 } of streams) {
    if (stream.kind === 'ping') continue;
    const here = { address: source.address, port: sourcePort };
    const there = { address: destination.address, port: destinationPort };
    add(destination.namespace, { id: receiverId(id), role: 'receive', local: there, remote: here, stream });
    add(source.namespace, { id, role: 'send', local: here, remote: there, stream });
  }
  return duties;
}

/** Both ends of a stream may be in one namespace, so they need two numbers. */
function receiverId(id: number): number {
  return -1 - id;
}

function ledgerNow(
  prefix: string,
  streams: readonly RoutedStream[],
  generators: readonly GeneratorProcess[],
  pings: ReadonlyMap<number, PingProcess>,
): TrafficLedger {
  const at = (namespace: string, id: number): Tally =>
    generators.find((generator) => generator.namespace === namespaceOf(prefix, namespace))?.tally(id) ??
    emptyTally();
  return {
    streams: streams.map((routed) => {
      const ping = pings.get(routed.id);
      if (ping === undefined) {
        return ledgerOf(
          routed,
          at(routed.source.namespace, routed.id),
          at(routed.destination.namespace, receiverId(routed.id)),
        );
      }
      const tally = ping.tally;
      return ledgerOf(routed, tally, {
        ...emptyTally(),
        sentMessages: tally.receivedMessages,
        sentOctets: tally.receivedOctets,
        receivedMessages: tally.receivedMessages,
        receivedOctets: tally.receivedOctets,
      });
    }),
    receiveDrops: generators.reduce((sum, generator) => sum + generator.drops, 0),
  };
}

/** Waits until everything sent has been received, or nothing has come for a while: then the rest is lost. */
async function settle(generators: readonly GeneratorProcess[], ledger: () => TrafficLedger): Promise<void> {
  let before = -1;
  let changed = performance.now();
  while (performance.now() - changed < QUIET_MS) {
    const counts = generators.map((generator) => generator.counts);
    for (const generator of generators) generator.tell({ order: 'count' });
    const asked = performance.now();
    while (
      generators.some((generator, i) => generator.counts === counts[i]) &&
      performance.now() - asked < 1000
    )
      await pause(5);
    const { streams } = ledger();
    if (
      streams.every(
        ({ forward }) =>
          forward.received.octets >= forward.sent.octets &&
          forward.received.messages >= forward.sent.messages,
      )
    )
      return;
    const received = streams.reduce(
      (sum, { forward }) => sum + forward.received.messages + forward.received.octets,
      0,
    );
    if (received !== before) changed = performance.now();
    before = received;
    await pause(20);
  }
}

async function within(limitMs: number, work: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(
      new LabError(
        'LAB_TRAFFIC',
        `Opening sockets: not ready after ${limitMs} ms`,
        'Try again on a less busy machine, or with fewer streams.',
      ),
    );
  }, limitMs);
  try {
    await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
