/** Hosts as network namespaces, a generator in those that talk, and a meter in one that stays while devices come and go. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { Workshop } from '../../bench/build.ts';
import { decodeRecord, type FlowBatch } from '../../src/flow/index.ts';
import { run } from '../../src/lab/command.ts';
import { type MeteredInterface, MeterThread } from '../../src/meter/index.ts';
import { assertConserved, type Metered } from '../metering.ts';
import { until } from '../until.ts';
import { Generator } from './generator.ts';

/** What a rig is made of. */
export interface RigOptions {
  readonly namespaces: readonly string[];
  /** Those of them that send and receive. */
  readonly talkers: readonly string[];
  /** The one with the meter. */
  readonly metered: string;
  /** Names of the devices that are metered when they come. */
  readonly interfaces: readonly string[];
}

const INTERVAL_MS = 200;
const FLOWS = 4096;
/** There before any device is: a meter must have something to meter. */
const ANCHOR = 'lo';

/** What a kernel without a kind of device, route or qdisc says, through iproute2. */
const LACKING = /Unknown device type|lwt encapsulation type not supported|qdisc kind is unknown/;

/** Whether making something failed because this kernel does not have it. */
export function isLacking(error: unknown): boolean {
  return error instanceof Error && LACKING.test(error.message);
}

/** Of a kernel without a generic netlink family iproute2 says no more than that something is not there. */
export function throwLackingFamily(error: Error): never {
  if (!error.message.includes('No such file or directory')) throw error;
  throw new Error('Unknown device type: its generic netlink family is not there', { cause: error });
}

/** The rig, until disposed; then its namespaces are gone with all that is in them. */
export class Rig implements AsyncDisposable {
  readonly #options: RigOptions;
  readonly #meter: MeterThread;
  readonly #generators: ReadonlyMap<string, Generator>;
  readonly #batches: FlowBatch[] = [];
  readonly #stopping = new AbortController();
  readonly #collecting: Promise<void>;
  readonly #workshop = new Workshop();
  /** Source → built program. */
  readonly #programs = new Map<string, string>();
  /** Programs that carry packets now. */
  readonly #carriers = new Set<ChildProcess>();
  #first = 0;

  static async open(options: RigOptions): Promise<Rig> {
    remove(options.namespaces);
    for (const name of options.namespaces) {
      execFileSync('ip', ['netns', 'add', name]);
      execFileSync('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
    }
    const meter = await MeterThread.open({
      interfaces: [ANCHOR, ...options.interfaces],
      intervalMs: INTERVAL_MS,
      flowCapacity: FLOWS,
      hook: 'auto',
      namespace: options.metered,
    });
    return new Rig(options, meter);
  }

  private constructor(options: RigOptions, meter: MeterThread) {
    this.#options = options;
    this.#meter = meter;
    this.#generators = new Map(options.talkers.map((name) => [name, new Generator(name)]));
    this.#collecting = (async () => {
      for await (const batch of meter.batches({ signal: this.#stopping.signal })) this.#batches.push(batch);
    })();
  }

  /** The generator of a talker. */
  generator(namespace: string): Generator {
    return this.#generators.get(namespace)!;
  }

  /** Waits until these and no others are metered, beside the loopback; what is seen from then on counts. */
  async metering(...names: readonly string[]): Promise<readonly MeteredInterface[]> {
    const wanted = [ANCHOR, ...names].toSorted().join();
    const now = (): string =>
      this.#meter.interfaces
        .map(({ name }) => name)
        .toSorted()
        .join();
    await until(() => now() === wanted, `${wanted} are metered`);
    this.#first = this.#batches.length;
    return this.#meter.interfaces.filter(({ name }) => name !== ANCHOR);
  }

  /** Waits until the epoch of this moment has ended. */
  async epochEnded(): Promise<void> {
    const now = this.#batches.length;
    await until(() => this.#batches.length > now, 'an epoch has ended');
  }

  /** What was seen since {@link metering}: the epoch of this moment and the one after it are waited for. */
  async settled(): Promise<Metered> {
    const wanted = this.#batches.length + 2;
    await until(() => this.#batches.length >= wanted, 'two more epochs');
    const batches = this.#batches.slice(this.#first);
    for (const batch of batches) assertConserved(batch);
    return {
      batches,
      records: batches.flatMap((batch) =>
        Array.from({ length: batch.length }, (_, row) => decodeRecord(batch.columns, row)),
      ),
      ledger: batches.flatMap((batch) => batch.ledger),
    };
  }

  /** Starts a C program in a namespace; it runs until {@link clear}. */
  async carry(
    namespace: string,
    { source, words }: { readonly source: string; readonly words: readonly string[] },
  ): Promise<void> {
    const program = this.#programs.get(source) ?? this.#workshop.program(source);
    this.#programs.set(source, program);
    const child = spawn('ip', ['netns', 'exec', namespace, program, ...words], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#carriers.add(child);
    const [said] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [unknown];
    if (String(said) !== 'ready\n') throw new Error(`${source} ended with ${said}`);
  }

  /** Runs lines of `ip -batch` of which some may fail. */
  async force(namespace: string, lines: readonly string[]): Promise<void> {
    await run('ip', ['-n', namespace, '-force', '-batch', '-'], `${lines.join('\n')}\n`);
  }

  /** Takes devices away, where they are, with what carries them, and waits until the meter let them go. */
  async clear(...names: readonly string[]): Promise<void> {
    for (const child of this.#carriers) {
      const ended = once(child, 'exit');
      child.stdin!.end();
      if (child.exitCode === null) await ended;
    }
    this.#carriers.clear();
    const lines = names.map((name) => `link del ${name}`);
    for (const namespace of this.#options.namespaces) await this.force(namespace, lines);
    await this.metering();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#collecting;
    for (const generator of this.#generators.values()) await generator[Symbol.asyncDispose]();
    await this.#meter[Symbol.asyncDispose]();
    this.#workshop[Symbol.dispose]();
    remove(this.#options.namespaces);
  }
}

function remove(namespaces: readonly string[]): void {
  for (const name of namespaces)
    if (existsSync(`/run/netns/${name}`)) execFileSync('ip', ['netns', 'del', name]);
}
