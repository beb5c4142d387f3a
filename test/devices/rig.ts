/** Hosts as network namespaces, a generator in those that talk, and a meter in one that stays while devices come and go. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
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

/** The rig, until disposed; then its namespaces are gone with all that is in them. */
export class Rig implements AsyncDisposable {
  readonly #options: RigOptions;
  readonly #meter: MeterThread;
  readonly #generators: ReadonlyMap<string, Generator>;
  readonly #batches: FlowBatch[] = [];
  readonly #stopping = new AbortController();
  readonly #collecting: Promise<void>;
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

  /** Takes devices away, where they are, and waits until the meter let them go. */
  async clear(...names: readonly string[]): Promise<void> {
    const lines = names.map((name) => `link del ${name}\n`).join('');
    for (const namespace of this.#options.namespaces)
      await run('ip', ['-n', namespace, '-force', '-batch', '-'], lines);
    await this.metering();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#collecting;
    for (const generator of this.#generators.values()) await generator[Symbol.asyncDispose]();
    await this.#meter[Symbol.asyncDispose]();
    remove(this.#options.namespaces);
  }
}

function remove(namespaces: readonly string[]): void {
  for (const name of namespaces)
    if (existsSync(`/run/netns/${name}`)) execFileSync('ip', ['netns', 'del', name]);
}
