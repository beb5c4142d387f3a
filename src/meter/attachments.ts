/** Where the programs are: at both sides of the metered interfaces, for as long as these are there and wanted. */
import { attachTc, type TcAttachment, type TcOptions } from '../bpf/index.ts';
import type { Counters } from './counters.ts';
import { MeterError } from './error.ts';
import type { ChosenInterface } from './interfaces.ts';
import type { LoadedMeter } from './loaded.ts';
import { CLSACT_PLACE, type MeterPins } from './pins.ts';

/** An interface the programs are attached to. */
export interface MeteredInterface extends ChosenInterface {
  readonly hook: 'tcx' | 'clsact';
}

interface Attached {
  readonly chosen: ChosenInterface;
  readonly ingress: TcAttachment;
  readonly egress: TcAttachment;
}

/** What is attached how. */
export interface AttachmentOptions {
  readonly loaded: LoadedMeter;
  readonly counters: Counters;
  readonly hook: 'auto' | 'tcx' | 'clsact';
  /** Where what is attached outlives the process. */
  readonly pins: MeterPins | undefined;
}

/** The attachments of a meter. Disposing them takes them off, but for what is pinned: that stays as after a crash. */
export class Attachments implements Disposable {
  readonly #options: AttachmentOptions;
  readonly #attached = new Map<number, Attached>();

  constructor(options: AttachmentOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#attached.size;
  }

  has(ifindex: number): boolean {
    return this.#attached.has(ifindex);
  }

  /** The interfaces, in the order they came. */
  get interfaces(): MeteredInterface[] {
    return [...this.#attached.values()].map(({ chosen, ingress }) => ({ ...chosen, hook: ingress.kind }));
  }

  /** Attaches to both sides, or to none. @throws BpfError */
  attach(chosen: ChosenInterface): void {
    const { loaded, counters, hook, pins } = this.#options;
    const place = {
      ifindex: chosen.ifindex,
      mode: hook,
      // First: a program of others that ends the chain must not hide packets from the meter.
      position: 'first',
      handle: CLSACT_PLACE,
      priority: CLSACT_PLACE,
    } as const;
    using stack = new DisposableStack();
    const programs = chosen.isBare
      ? { ingress: loaded.bareIngress, egress: loaded.bareEgress }
      : { ingress: loaded.ingress, egress: loaded.egress };
    const before = counters.read(chosen.ifindex);
    const attach = (options: TcOptions): TcAttachment => (pins ? pins.attach(options) : attachTc(options));
    const ingress = attach({ ...place, program: programs.ingress, direction: 'ingress' });
    stack.defer(() => this.#takeOff(ingress));
    const egress = attach({ ...place, program: programs.egress, direction: 'egress' });
    stack.move();
    const attached = [
      { attachment: ingress, programId: programs.ingress.id },
      { attachment: egress, programId: programs.egress.id },
    ] as const;
    counters.add(chosen.ifindex, { kind: chosen.kind, programs: attached }, before);
    this.#attached.set(chosen.ifindex, { chosen, ingress, egress });
  }

  /** The interface has another MTU from now on. */
  setMtu(ifindex: number, mtu: number | undefined): void {
    const attached = this.#attached.get(ifindex)!;
    if (attached.chosen.mtu === mtu) return;
    this.#attached.set(ifindex, { ...attached, chosen: { ...attached.chosen, mtu } });
  }

  detach(ifindex: number): void {
    const { ingress, egress } = this.#attached.get(ifindex)!;
    this.#attached.delete(ifindex);
    this.#takeOff(ingress);
    this.#takeOff(egress);
  }

  detachAll(): void {
    // From here on nothing is seen at all, rather than nothing counted.
    this.#options.pins?.markEnd();
    for (const ifindex of [...this.#attached.keys()]) this.detach(ifindex);
  }

  /** Others may take our programs off. @returns why each of those is gone, which are no attachments any more */
  check(): MeterError[] {
    const lost: MeterError[] = [];
    for (const [ifindex, { chosen, ingress, egress }] of this.#attached) {
      if (ingress.isAttached() && egress.isAttached()) continue;
      this.detach(ifindex);
      lost.push(
        new MeterError(
          'METER_INTERFACES',
          `the programs at ${chosen.name} were taken off by someone else or with the interface`,
          { remedy: 'they are attached again where the interface is still there' },
        ),
      );
    }
    return lost;
  }

  [Symbol.dispose](): void {
    if (!this.#options.pins) this.detachAll();
    // A filter would be taken off by its disposal.
    for (const { ingress, egress } of this.#attached.values())
      for (const attachment of [ingress, egress]) if (attachment.kind === 'tcx') attachment[Symbol.dispose]();
    this.#attached.clear();
  }

  #takeOff(attachment: TcAttachment): void {
    const { pins } = this.#options;
    if (pins) pins.detach(attachment);
    else attachment[Symbol.dispose]();
  }
}
