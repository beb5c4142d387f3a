/** A running instance: the agent under a name, with a control socket by which it is asked, reloaded and stopped. */
import { release } from 'node:os';
import { meterConfigOf, namesConfigOf, type Resolved, valueAt, valuePaths } from '../config/index.ts';
import {
  type Answerer,
  ControlServer,
  groupId,
  type Identity,
  InstanceLock,
  type InstanceStatus,
  leaveDirectory,
  METERING,
  ownIdentity,
  placeOf,
  type Reload,
  type Rules,
  type Words,
} from '../daemon/index.ts';
import type { FlowBatch } from '../flow/index.ts';
import { KEEP } from '../meter/index.ts';
import { VERSION } from '../version.ts';
import type { ConfigSource } from './configuring.ts';
import { HistoryAnswers, type HistoryRequest, STARTING } from './history-answers.ts';
import type { Level } from './logging.ts';
import { type Running, type RunOptions, runConfigured, type Teller } from './running.ts';
import { stopSignal } from './stopping.ts';
import { tellSystemd } from './systemd.ts';

/** What an instance needs to be told. */
export interface InstanceOptions {
  readonly name: string;
  readonly source: ConfigSource;
  readonly resolved: Resolved;
  readonly teller: Teller & { setLevel?(level: Level): void };
  readonly epoch?: RunOptions['epoch'];
  readonly log: InstanceStatus['log'];
  /** A terminal: when it is closed the instance ends, while elsewhere SIGHUP asks to read the configuration again. */
  readonly isTerminal: boolean;
}

/** Runs until it is stopped, by a signal or over the socket. @throws DaemonError, and what keeps the agent from running */
export async function runInstance(options: InstanceOptions): Promise<void> {
  const { name, resolved, teller } = options;
  const { group } = resolved.configuration.control;
  const gid = group === undefined ? undefined : groupId(group);
  const place = placeOf(name);
  await using stack = new AsyncDisposableStack();
  const lock = InstanceLock.acquire(place, gid);
  stack.defer(() => leaveDirectory(place));
  stack.use(lock);
  const instance = new Instance(options);
  const answers = stack.use(
    new HistoryAnswers(() => {
      const { running } = instance;
      return running && { history: running.history, live: running.agent };
    }),
  );
  const answerer: Answerer<typeof METERING> = Object.assign(instance, answers.byRequest);
  stack.use(await ControlServer.open(place, gid, { dialogue: METERING, answerer }));
  using stopping = stopSignal();
  const onHangUp = (): void => {
    if (options.isTerminal) instance.stop();
    else instance.reloadOnSignal();
  };
  process.on('SIGHUP', onHangUp);
  stack.defer(() => void process.off('SIGHUP', onHangUp));
  await runConfigured(resolved.configuration, {
    name,
    teller,
    signal: AbortSignal.any([stopping.signal, instance.stopped]),
    ready: (running) => {
      const { agent } = running;
      if (agent.url !== undefined) teller.say('info', `Page and API: ${agent.url}`, { url: agent.url });
      teller.say('info', `"${name}" meters`, { pid: process.pid });
      instance.begin(running);
      tellSystemd('metering');
    },
    epoch: (batch, live) => {
      instance.takeIn(batch);
      options.epoch?.(batch, live);
    },
  });
  teller.say('info', `"${name}" has ended in order`);
}

/** Keys of what is metered that a running instance can change. */
const METERED = /^(interval|interfaces|ports)\b/;
/** All keys that it can change; all else waits for a new start. */
const CHANGEABLE = [METERED, /^rules\b/, /^names\b/, /^alerts$/, /^log\.level$/];

class Instance implements Omit<Answerer<typeof METERING>, HistoryRequest> {
  readonly #options: InstanceOptions;
  readonly #stop = new AbortController();
  readonly #ready = Promise.withResolvers<Identity>();
  readonly #startedMs = Date.now();
  /** The values in force: those that wait for a new start are as they were. */
  readonly #inForce: Map<string, string>;
  #running: Running | undefined;
  #rates: InstanceStatus['rates'] = [];
  #epoch = 0;

  constructor(options: InstanceOptions) {
    this.#options = options;
    this.#inForce = valuesOf(options.resolved);
  }

  /** Aborted when it was asked to stop. */
  get stopped(): AbortSignal {
    return this.#stop.signal;
  }

  /** What there is once it meters. */
  get running(): Running | undefined {
    return this.#running;
  }

  begin(running: Running): void {
    this.#running = running;
    this.#ready.resolve(ownIdentity());
  }

  /** Takes the rates of an epoch, over its real length. */
  takeIn({ epoch, seen, points, startMs, endMs }: FlowBatch): void {
    const seconds = (endMs - startMs) / 1000;
    this.#epoch = epoch;
    if (seconds <= 0) return;
    this.#rates = points.map(({ ifindex, direction, interfaceName }) => {
      const line = seen.find((each) => each.ifindex === ifindex && each.direction === direction);
      return {
        interfaceName,
        direction: direction === 0 ? 'ingress' : 'egress',
        packetRate: Number(line?.packets ?? 0n) / seconds,
        octetRate: Number(line?.octets ?? 0n) / seconds,
      };
    });
  }

  ready(): Promise<Identity> {
    return this.#ready.promise;
  }

  stop(words?: Words<typeof METERING, 'stop'>): Identity {
    const { teller, resolved } = this.#options;
    const isKept = words?.keep === true;
    if (isKept && resolved.configuration.history.directory === undefined)
      throw new Error(
        'it keeps no history, and nobody would read what is counted on; stop it without --keep',
      );
    teller.say(
      'info',
      isKept
        ? 'Stopping: a last drain, then the kernel counts on alone'
        : 'Stopping: a last drain, then all is closed',
    );
    this.#stop.abort(isKept ? KEEP : undefined);
    return ownIdentity();
  }

  status(): InstanceStatus {
    const { name, source, log, resolved } = this.#options;
    const { agent, rules } = this.#running ?? {};
    const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    const audit = this.#epoch === 0 ? undefined : agent?.audit();
    return {
      name,
      ...ownIdentity(),
      state: this.#stop.signal.aborted ? 'stopping' : agent ? 'metering' : 'starting',
      startedMs: this.#startedMs,
      nowMs: Date.now(),
      versions: { tunnelscope: VERSION, node: process.version, kernel: release() },
      memory: { resident: rss, heap: heapUsed, buffers: arrayBuffers },
      cpuSeconds: (user + system) / 1e6,
      configuration: source.path ?? null,
      rules: rules?.rules.rules ?? resolved.configuration.rules.map(({ text }) => text),
      log,
      dataLog: resolved.configuration.log.data.file ?? null,
      url: agent?.url ?? null,
      agent: agent?.status() ?? null,
      audit: audit ? { epoch: audit.epoch, points: audit.points.length, persistent: audit.persistent } : null,
      rates: this.#rates,
    };
  }

  /** The rules in force; other ones from the next epoch on, until the configuration's change or a new start. */
  async rules({ rules: next }: { readonly rules?: string[] | undefined }): Promise<Rules> {
    if (!this.#running) throw new Error(STARTING);
    const follower = this.#running.rules;
    if (next) await follower.change(next);
    return follower.rules;
  }

  /** Reads the file again. What can change changes; when it cannot be read everything stays. */
  reload(): Reload {
    const { source, teller } = this.#options;
    if (source.path === undefined)
      throw new Error(
        'it was started without --config: there is nothing to read; start it anew with other flags',
      );
    if (!this.#running) throw new Error(STARTING);
    let next: Resolved;
    try {
      next = source.read();
    } catch (error) {
      teller.say('error', `Reloading failed, the old configuration stays: ${(error as Error).message}`);
      throw error;
    }
    const outcome = this.#change(next, this.#running);
    const words = [
      outcome.changed.length > 0 ? `changed: ${outcome.changed.join(', ')}` : 'nothing changed',
      ...(outcome.waiting.length > 0 ? [`in force after a new start: ${outcome.waiting.join(', ')}`] : []),
    ];
    teller.say('info', `Configuration read again; ${words.join('; ')}`, { ...outcome });
    return outcome;
  }

  reloadOnSignal(): void {
    try {
      this.reload();
    } catch {
      // Told in the log; nobody waits for an answer.
    }
  }

  #change(next: Resolved, { agent, names }: Running): Reload {
    const values = valuesOf(next);
    const keys = [...new Set([...values.keys(), ...this.#inForce.keys()])];
    const different = keys.filter((key) => values.get(key) !== this.#inForce.get(key));
    const isChangeable = (key: string): boolean => CHANGEABLE.some((pattern) => pattern.test(key));
    const changed = different.filter(isChangeable);
    for (const key of changed) {
      const value = values.get(key);
      if (value === undefined) this.#inForce.delete(key);
      else this.#inForce.set(key, value);
    }
    // Not the rest of it: that waits for a new start.
    const { interfaces, intervalMs, ports } = meterConfigOf(next.configuration);
    const isOf = (section: RegExp): boolean => changed.some((key) => section.test(key));
    const told = (changing: Promise<unknown>): void =>
      void changing.catch((error: Error) => this.#options.teller.say('warn', `Problem: ${error.message}`));
    if (isOf(METERED)) agent.change({ interfaces, intervalMs, ports });
    if (isOf(/^rules\b/)) told(this.rules({ rules: next.configuration.rules.map(({ text }) => text) }));
    if (isOf(/^alerts$/)) agent.setAlerts(next.configuration.alerts);
    if (isOf(/^names\b/)) told(names.change(namesConfigOf(next.configuration)));
    this.#options.teller.setLevel?.(next.configuration.log.level);
    return { changed, waiting: different.filter((key) => !isChangeable(key)) };
  }
}

/** Each value by its key, as text to compare. */
function valuesOf(resolved: Resolved): Map<string, string> {
  return new Map(
    valuePaths(resolved).map((path) => [path.join('.'), JSON.stringify(valueAt(resolved.text, path))]),
  );
}
