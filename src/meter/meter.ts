/** The meter: loads the programs, keeps them attached to the chosen interfaces, and yields an epoch per interval. */
import { randomBytes } from 'node:crypto';
import { BpfError } from '../bpf/index.ts';
import { ETHERNET_HEADER, type FlowBatch, type FlowSource, type ObservationPoint } from '../flow/index.ts';
import type { Filter } from '../query/index.ts';
import type { Attachments, MeteredInterface } from './attachments.ts';
import type { Counters } from './counters.ts';
import { parityOf } from './epoch-maps.ts';
import { MeterError } from './error.ts';
import { numberOf } from './former.ts';
import { GivenRules } from './given-rules.ts';
import type { InterfaceNames } from './interface-names.ts';
import {
  type ChosenInterface,
  chooseInterfaces,
  type InterfacePatterns,
  portsOf,
  readInterfaces,
  watchInterfaces,
} from './interfaces.ts';
import { KEEP } from './keep.ts';
import type { LoadedMeter } from './loaded.ts';
import type { MeterCost, MeterListener, MeterOptions, MeterSettings } from './options.ts';
import { type MeterParts, openParts } from './parts.ts';
import type { MeterPins } from './pins.ts';
import type { Sockets } from './sockets.ts';

/** Bound of struct seen_counters' map, two directions each. */
const MAX_INTERFACES = 1024;

/** A loaded meter. Owned by the thread that opened it; disposing it detaches everything, but for what is pinned. */
export class Meter implements FlowSource, Disposable {
  readonly agent: string = newAgent();
  #options: MeterOptions;
  readonly #listener: MeterListener;
  readonly #loaded: LoadedMeter;
  readonly #counters: Counters;
  readonly #sockets: Sockets | undefined;
  /** Taken before the interfaces were read the first time. */
  readonly #names: InterfaceNames;
  readonly #attachments: Attachments;
  readonly #rules: GivenRules;
  /** Every interface that may have records in the epoch under way, present or gone. */
  #named = new Map<number, ChosenInterface>();
  /** `auto` is tcx here. */
  readonly #hook: 'auto' | 'tcx' | 'clsact';
  readonly #pins: MeterPins | undefined;
  /** When all was attached. */
  #beganMs = 0;
  #changed = false;
  /** The numbers of the metered interfaces as the listener knows them. */
  #told = '';
  /** Ends the wait for the end of the epoch under way. */
  #wake: (() => void) | undefined;
  /** All that is to be closed; set when the meter is whole. */
  #opened = new DisposableStack();

  private constructor(options: MeterOptions, listener: MeterListener, parts: MeterParts) {
    this.#options = options;
    this.#listener = listener;
    this.#loaded = parts.loaded;
    this.#counters = parts.counters;
    this.#names = parts.names;
    this.#sockets = parts.sockets;
    this.#attachments = parts.attachments;
    this.#rules = new GivenRules(parts.loaded);
    this.#hook = parts.hook;
    this.#pins = parts.pins;
  }

  /**
   * Loads the programs and attaches them, in place of those of a former meter where there are pins of one.
   *
   * @throws BpfError when the kernel refuses, MeterError when no interface fits.
   */
  static async open(options: MeterOptions, listener: MeterListener = {}): Promise<Meter> {
    using stack = new DisposableStack();
    const meter = new Meter(options, listener, await openParts(options, listener, stack));
    if (options.rules && options.rules.length > 0) await meter.#rules.begin(options.rules);
    try {
      await meter.#begin();
    } catch (error) {
      meter.#giveUp();
      throw error;
    }
    stack.use(
      watchInterfaces(() => {
        meter.#changed = true;
      }),
    );
    meter.#opened = stack.move();
    return meter;
  }

  /** The interfaces metered now. */
  get interfaces(): readonly MeteredInterface[] {
    return this.#attachments.interfaces;
  }

  /** What metering takes in the kernel. */
  get cost(): MeterCost {
    const programs = this.#options.runStatistics ? this.#loaded.runs : undefined;
    return { tables: this.#loaded.fill, programs };
  }

  /**
   * Changes what is kept: from the next epoch on flows that fit one of these rules, without any all. No packet is judged by
   * a mixture of old and new ones, and no epoch.
   *
   * @returns when that epoch has begun
   * @throws MeterError `METER_RULES` or BpfError when they cannot be; those before stay
   */
  setRules(rules: readonly Filter[]): Promise<void> {
    return this.#rules.set(rules);
  }

  /** Meters otherwise from now on: the epoch under way ends at once, and is none the less exact. */
  change(settings: MeterSettings): void {
    this.#options = { ...this.#options, ...settings };
    this.#changed = true;
    this.#wake?.();
  }

  /**
   * Yields an epoch per interval; on abort detaches and yields a last one, so that nothing counted is lost. What an
   * epoch held is cleared when the next is asked for.
   *
   * With pins the epochs of former meters come first, by their agents. An abort with the reason {@link KEEP} leaves the
   * programs where they are, and they count on.
   */
  async *batches({ signal }: { readonly signal: AbortSignal }): AsyncGenerator<FlowBatch, void, undefined> {
    yield* this.#formerEpochs();
    let startMs = this.#beganMs;
    let due = performance.now();
    for (let isLast = false; !isLast; ) {
      due = Math.max(due + this.#options.intervalMs, performance.now());
      await this.#rest(due - performance.now(), signal);
      due = Math.min(due, performance.now());
      if (this.#names.haveChanged() || this.#changed) {
        this.#changed = false;
        const refused = await this.#followInterfaces().catch((error: Error) => [error]);
        for (const error of refused) this.#listener.problem?.(error);
      }
      this.#checkAttachments();
      // Asked once: an abort from here on is for the next round, which then drains what came meanwhile.
      isLast = signal.aborted;
      const isKept = this.#pins !== undefined && signal.reason === KEEP;
      this.#counters.beforeEnd();
      if (isLast && !isKept) this.#attachments.detachAll();
      this.#markBegin(Date.now(), 1n);
      const parity = await this.#loaded.flip();
      const counters = this.#counters.afterEnd();
      const endMs = Date.now();
      this.#markBegin(endMs);
      const sockets = this.#sockets?.read();
      const retired = this.#loaded.read(parity, endMs);
      const epoch = numberOf(this.#loaded.retired);
      const points = this.#points();
      yield { epoch, agent: this.agent, startMs, endMs, points, ...retired, counters, sockets };
      this.#pins?.markTaken(epoch);
      this.#loaded.clear(parity);
      if (isLast && !isKept) this.#pins?.removeOwn();
      startMs = endMs;
    }
  }

  /** What former meters counted that nobody has; then their pins go. */
  async *#formerEpochs(): AsyncGenerator<FlowBatch, void, undefined> {
    const pins = this.#pins;
    for (const former of pins?.formers ?? []) {
      const known = this.#options.pins!.known.get(former.agent) ?? 0;
      const clock = this.#loaded.readClock();
      try {
        yield* former.epochs({ clock, nowMs: this.#beganMs, known });
      } catch (error) {
        this.#listener.problem?.(error as Error);
      }
      pins!.removeFormer(former);
    }
  }

  [Symbol.dispose](): void {
    this.#opened.dispose();
  }

  /** Pins first, then attaches: whatever is counted from now on, the next one can read. */
  async #begin(): Promise<void> {
    this.#markBegin(Date.now());
    this.#pins?.keep(this.agent, this.#loaded);
    const [refused] = await this.#followInterfaces();
    if (refused) throw refused;
    if (this.#attachments.size === 0) throw await noInterface(this.#options.interfaces);
    this.#pins?.settle(({ ifindex }) => this.#attachments.has(ifindex));
    if (this.#pins && this.#pins.formers.length > 0) await this.#loaded.waitForPrograms();
    this.#beganMs = Date.now();
    this.#markBegin(this.#beganMs);
  }

  /** When the epoch under way, or one after it, began. */
  #markBegin(ms: number, after = 0n): void {
    this.#pins?.markBegin(parityOf(this.#loaded.current + after), ms);
  }

  /** Beginning failed. Where it took something over, that is left to the next one, as after a crash. */
  #giveUp(): void {
    const pins = this.#pins;
    if (!pins || (pins.formers.length > 0 && this.#attachments.size > 0)) return;
    this.#attachments.detachAll();
    pins.removeOwn();
  }

  /** Waits for the end of an epoch: its time, an abort, or a change. */
  #rest(forMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(end, Math.max(0, forMs));
      signal.addEventListener('abort', end);
      this.#wake = end;
      if (signal.aborted) end();
    });
  }

  #points(): ObservationPoint[] {
    const points: ObservationPoint[] = [];
    for (const { ifindex, name, primary, mtu, isBare } of this.#named.values()) {
      const link = mtu === undefined ? undefined : { mtu, header: isBare ? 0 : ETHERNET_HEADER };
      for (const direction of [0, 1] as const)
        points.push({ ifindex, direction, interfaceName: name, primary, ...(link && { link }) });
    }
    this.#named = new Map(this.interfaces.map((each) => [each.ifindex, each]));
    return points;
  }

  /** Attaches to what came and fits, forgets what went. Returns why interfaces that are there are not metered. */
  async #followInterfaces(): Promise<Error[]> {
    const all = await readInterfaces();
    this.#loaded.setPorts(portsOf(all, this.#options.ports ?? {}));
    const chosen = chooseInterfaces(all, this.#options.interfaces).slice(0, MAX_INTERFACES);
    const wanted = new Map(chosen.map((each) => [each.ifindex, each]));
    const refused: Error[] = [];
    await this.#rules.rename().catch((error: Error) => refused.push(error));
    this.#describe(chosen);
    for (const { ifindex } of this.interfaces) {
      if (wanted.has(ifindex)) continue;
      this.#attachments.detach(ifindex);
      this.#counters.leave(ifindex);
    }
    for (const each of chosen) {
      if (this.#attachments.has(each.ifindex)) {
        this.#attachments.setMtu(each.ifindex, each.mtu);
        continue;
      }
      try {
        this.#attachments.attach(each);
        this.#named.set(each.ifindex, each);
      } catch (error) {
        if (!isGone(error)) refused.push(error as Error);
      }
    }
    this.#tellInterfaces();
    return refused;
  }

  /** Writes down for the next meter what records may name from now on. */
  #describe(chosen: readonly ChosenInterface[]): void {
    if (!this.#pins) return;
    const hook = this.#hook === 'clsact' ? 'clsact' : 'tcx';
    const all = new Map([...this.#named.values(), ...chosen].map((each) => [each.ifindex, each]));
    this.#pins.describe({
      label: this.#options.pins!.label,
      namespace: this.#options.namespace ?? null,
      points: Array.from(all.values(), ({ ifindex, name, primary }) => ({ ifindex, name, primary, hook })),
      loaded: this.#loaded,
    });
  }

  #tellInterfaces(): void {
    const now = this.interfaces.map(({ ifindex }) => ifindex).join();
    if (now === this.#told) return;
    this.#told = now;
    this.#listener.interfaces?.(this.interfaces);
  }

  /** Others may take our programs off; then attach again and say so. */
  #checkAttachments(): void {
    for (const lost of this.#attachments.check()) {
      this.#changed = true;
      this.#listener.problem?.(lost);
    }
  }
}

/** Whether attaching failed because the interface went away between being read and being attached to. */
function isGone(error: unknown): boolean {
  return error instanceof BpfError && error.errnoName === 'ENODEV';
}

/** Random per start: (agent, epoch) names an epoch for good. */
function newAgent(): string {
  return randomBytes(8).toString('hex');
}

async function noInterface(patterns: InterfacePatterns): Promise<MeterError> {
  const names = (await readInterfaces()).map((each) => each.name).join(', ');
  const asked =
    patterns.length > 0
      ? `no interface fits ${patterns.join(' ')}`
      : 'no interface has a driver or the default route';
  return new MeterError('METER_NO_INTERFACE', `${asked} (there are: ${names})`, {
    remedy: 'choose with --iface NAME, e.g. --iface eth0 or --iface "veth*"',
  });
}
