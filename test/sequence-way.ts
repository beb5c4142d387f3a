/** One way's account of sequence numbers: in the kernel by test/sequence.bpf.c, in WebAssembly by test/sequence.wasm.c. */
import { readFileSync } from 'node:fs';
import { attachTc, BpfObject, type TcAttachment, testRun } from '../src/bpf/index.ts';
import { type Account, readAccount, readJitter } from './sequence-account.ts';

/** The part of the JavaScript API that is used: the types of Node leave it to those of browsers. */
declare const WebAssembly: {
  readonly Module: new (octets: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
};

/** `enum sequence_form`. */
const FORMS = { offset: 1, pattern: 2, rtp: 3, iperf3: 4, iperf3Wide: 5, echo: 6 } as const;
type Form = keyof typeof FORMS;

/** `struct sequence_settings`: one rule, for all ports unless said otherwise. */
export interface Settings {
  readonly udp?: Form;
  readonly icmp?: Form;
  readonly ports?: readonly [number, number];
  readonly evenOnly?: boolean;
  readonly offset?: number;
  readonly pattern?: number;
  readonly clockRate?: number;
  /** Of the kernel's way alone: each packet of so many is dropped, as if it had been lost on its way here. */
  readonly dropEvery?: number;
}

/** It as octets. */
export function settingsOctets(settings: Settings): Uint8Array {
  const { udp, icmp, ports = [0, 65_535], evenOnly = false } = settings;
  const octets = new Uint8Array(56);
  const view = new DataView(octets.buffer);
  view.setUint16(0, ports[0], true);
  view.setUint16(2, ports[1], true);
  view.setUint8(4, udp ? FORMS[udp] : 0);
  view.setUint8(5, Number(evenOnly));
  view.setUint32(32, icmp ? FORMS[icmp] : 0, true);
  view.setUint32(36, settings.offset ?? 0, true);
  view.setUint32(40, settings.pattern ?? 0, true);
  view.setInt32(44, 2, true);
  view.setUint32(48, settings.clockRate ?? 90_000, true);
  return octets;
}

/** One way in the kernel. */
export class KernelWay implements Disposable {
  readonly #object: BpfObject;
  static readonly #zero = new Uint8Array(4);

  constructor(path: string, settings: Settings) {
    this.#object = BpfObject.openFile(path);
    this.#object.setConstant('settings', settingsOctets(settings));
    this.#object.setConstant('drop_every', settings.dropEvery ?? 0);
    this.#object.load();
  }

  get verifiedInstructions(): number {
    return this.#object.program('look').describe().verifiedInstructions;
  }

  /** Runs a frame, as a super-packet with segments of `gsoSize` payload octets where that is given; `timeNs` is when it came. */
  run(frame: Uint8Array, { gsoSize = 0, timeNs = 0 } = {}): void {
    if (timeNs) {
      const value = this.#value();
      new DataView(value.buffer).setBigUint64(8, BigInt(timeNs), true);
      this.#object.map('accounts').update(KernelWay.#zero, value);
    }
    const context = new Uint8Array(192);
    const view = new DataView(context.buffer);
    if (gsoSize) {
      view.setUint32(164, 0, true);
      view.setUint32(176, gsoSize, true);
    }
    testRun(this.#object.program('look'), { packet: frame, context });
  }

  /** Looks at what comes in at an interface of this namespace. */
  attach(ifindex: number): TcAttachment {
    return attachTc({ program: this.#object.program('look'), ifindex, direction: 'ingress' });
  }

  /** Packets of which not all could be read at once, and super-packets. */
  seen(): { scattered: number; supers: number } {
    using memory = this.#object.map('.bss').mmap();
    const view = new DataView(memory.buffer);
    const read = (name: string): number => Number(view.getBigUint64(this.#object.locate(name).offset, true));
    return { scattered: read('scattered'), supers: read('super') };
  }

  account(): Account {
    return readAccount(new DataView(this.#value().buffer), 216);
  }

  jitter(): { samples: number; sumNs: number; mostNs: number } {
    return readJitter(new DataView(this.#value().buffer), 216);
  }

  clear(): void {
    this.#object.map('accounts').update(KernelWay.#zero, new Uint8Array(this.#value().length));
  }

  #value(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#object.map('accounts').lookup(KernelWay.#zero)!);
  }

  [Symbol.dispose](): void {
    this.#object[Symbol.dispose]();
  }
}

/** 32-bit numbers in network order. */
export function words(...numbers: readonly number[]): Uint8Array {
  const octets = new Uint8Array(4 * numbers.length);
  const view = new DataView(octets.buffer);
  numbers.forEach((number, i) => {
    view.setUint32(4 * i, number);
  });
  return octets;
}

type Shared = 'counts' | 'state' | 'settings' | 'observed' | 'frame';
/** What the module shares beside its functions. */
export const MODULE_SHARED: readonly Shared[] = ['counts', 'state', 'settings', 'observed', 'frame'];

type Module = { readonly memory: { readonly buffer: ArrayBuffer } } & {
  readonly [name in Shared]: { readonly value: number };
} & {
  clear(): void;
  note(number: number, source: number, isShort: number, threshold: number): void;
  look(octets: number, sourcePort: number, destinationPort: number): void;
};

/** Offsets of what a test sets in `struct observed`. */
const OBSERVED = {
  timeNs: 0,
  packets: 16,
  payload: 20,
  payloadOffset: 24,
  segment: 28,
  stride: 32,
  protocol: 56,
  traits: 59,
} as const;
/** Headers of a frame: Ethernet, IPv4, UDP. */
const HEADERS = 42;

/** One way in a module of its own. */
export class ModuleWay {
  readonly #module: Module;

  constructor(path: string, settings: Settings = {}) {
    this.#module = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(path))).exports as Module;
    new Uint8Array(this.#module.memory.buffer).set(settingsOctets(settings), this.#module.settings.value);
  }

  clear(): void {
    this.#module.clear();
  }

  /** The next packet has this number. */
  note(number: number, { source = 0, bits = 32, threshold = 2 } = {}): void {
    this.#module.note(number, source, Number(bits === 16), threshold);
  }

  /** A frame of UDP in IPv4 of which so many octets were captured. Otherwise as `KernelWay`. */
  run(frame: Uint8Array, { gsoSize = 0, timeNs = 0, captured = frame.length } = {}): void {
    const { memory, observed, frame: place } = this.#module;
    new Uint8Array(memory.buffer).set(frame, place.value);
    const view = new DataView(memory.buffer, observed.value);
    const payload = frame.length - HEADERS;
    const size = gsoSize && payload > gsoSize ? gsoSize : 0;
    view.setBigUint64(OBSERVED.timeNs, BigInt(timeNs), true);
    view.setUint32(OBSERVED.packets, size ? Math.ceil(payload / size) : 1, true);
    view.setUint32(OBSERVED.payload, payload, true);
    view.setUint32(OBSERVED.payloadOffset, HEADERS, true);
    view.setUint32(OBSERVED.segment, size || payload, true);
    view.setUint32(OBSERVED.stride, size, true);
    view.setUint8(OBSERVED.protocol, 17);
    view.setUint8(OBSERVED.traits, 1);
    const ports = new DataView(frame.buffer, frame.byteOffset + 34);
    this.#module.look(captured, ports.getUint16(0), ports.getUint16(2));
  }

  account(): Account {
    return readAccount(new DataView(this.#module.memory.buffer), this.#module.counts.value);
  }

  jitter(): { samples: number; sumNs: number; mostNs: number } {
    return readJitter(new DataView(this.#module.memory.buffer), this.#module.counts.value);
  }

  /** Whether the latest number is not judged yet. */
  get isWaiting(): boolean {
    return new DataView(this.#module.memory.buffer).getUint32(this.#module.state.value + 144, true) !== 0;
  }
}
