/**
 * The kernel's part of a network function, kept under a directory of the BPF file system: it goes on forwarding when the
 * process that set it up is killed, and the next one takes it over without a packet lost.
 */
import { join } from 'node:path';
import {
  assertLayout,
  attachTc,
  BpfError,
  BpfMap,
  BpfObject,
  type BpfProgram,
  type Layout,
  linkPin,
  linkPinsIn,
  namesIn,
  openLinkPin,
  openPinnedTc,
  removeIfEmpty,
  type TcAttachment,
  type TcPlace,
  unpin,
} from '../bpf/index.ts';

/** Where network functions keep what outlives their processes. */
const PIN_ROOT = '/sys/fs/bpf/tunnelscope/vnet';

/** What is opened. */
export interface PinnedOptions {
  /** Name of the instance, which is that of its directory. */
  readonly name: string;
  /** Path of the object file. */
  readonly object: string;
  /** Maps that outlive the process, with the layouts that a former one's must have to be taken over. */
  readonly kept: Readonly<Record<string, { readonly key?: Layout; readonly value?: Layout }>>;
  /** Sets constants and sizes before the object is loaded. A kept map that is taken over stays of the size it has. */
  readonly configure?: (object: BpfObject) => void;
}

/** A place to attach a program at. */
export interface PinnedPlace extends TcPlace {
  readonly program: string;
}

/**
 * A loaded object whose maps and attachments are pinned. Disposing it closes what this process holds, and all goes on
 * in the kernel; `remove` ends it there too.
 */
export class PinnedObject implements Disposable {
  /** Maps of a former process that serve on. */
  readonly adopted: readonly string[];
  readonly #object: BpfObject;
  readonly #directory: string;
  readonly #kept: readonly string[];
  readonly #attachments = new Map<string, TcAttachment>();

  private constructor(object: BpfObject, directory: string, kept: readonly string[], adopted: string[]) {
    this.#object = object;
    this.#directory = directory;
    this.#kept = kept;
    this.adopted = adopted;
  }

  /** Loads the object with the maps of a former process, where they are there and fit. @throws BpfError */
  static open({ name, object: path, kept, configure }: PinnedOptions): PinnedObject {
    using stack = new DisposableStack();
    const directory = join(PIN_ROOT, name);
    const object = stack.use(BpfObject.openFile(path));
    configure?.(object);
    const adopted: string[] = [];
    const former = new DisposableStack();
    stack.use(former);
    for (const [map, layouts] of Object.entries(kept)) {
      const pinned = openFormer(join(directory, map), map, layouts);
      if (pinned === undefined) continue;
      former.use(pinned);
      object.reuseMap(map, pinned);
      adopted.push(map);
    }
    try {
      object.load();
    } catch (error) {
      // Of another type than this version's: a new start, with tables that are empty.
      if (adopted.length === 0 || !(error instanceof BpfError) || error.code === 'BPF_PERMISSION')
        throw error;
      stack.dispose();
      for (const map of Object.keys(kept)) unpin(join(directory, map));
      return PinnedObject.open({ name, object: path, kept, ...(configure && { configure }) });
    }
    for (const map of Object.keys(kept))
      if (!adopted.includes(map)) object.map(map).pin(join(directory, map));
    former.dispose();
    stack.move();
    return new PinnedObject(object, directory, Object.keys(kept), adopted);
  }

  map(name: string): BpfMap {
    return this.#object.map(name);
  }

  program(name: string): BpfProgram {
    return this.#object.program(name);
  }

  /**
   * Attaches a program, in one step in place of the one that a former process left there.
   *
   * It comes after the programs of others, so that a meter sees what the network function takes. @throws BpfError
   */
  attach({ program: name, ifindex, direction }: PinnedPlace): void {
    const program = this.program(name);
    const key = linkPin({ ifindex, direction });
    const path = join(this.#directory, key);
    const held = this.#attachments.get(key) ?? openLinkPin(this.#directory, { ifindex, direction });
    if (held) {
      this.#attachments.set(key, held);
      held.replace(program);
      return;
    }
    const attachment = attachTc({ program, ifindex, direction, position: 'last' });
    this.#attachments.set(key, attachment);
    if (attachment.kind === 'tcx') attachment.pin(path);
  }

  /** Takes the program off again; nothing happens where there is none. */
  detach(place: TcPlace): void {
    this.#detach(linkPin(place), place);
  }

  /** Whether our program is still there: the interface may have gone, and another may have its number. */
  isAttached(place: TcPlace): boolean {
    return this.#attachments.get(linkPin(place))?.isAttached() ?? false;
  }

  /** Detaches what a former process attached and this one does not. To be called when all is attached that shall be. */
  settle(): void {
    for (const [key, place] of linkPinsIn(this.#directory))
      if (!this.#attachments.has(key)) this.#detach(key, place);
  }

  /** Ends it in the kernel: nothing stays attached, nothing pinned. */
  remove(): void {
    this.settle();
    for (const [key, attachment] of [...this.#attachments]) this.#detach(key, attachment);
    for (const map of this.#kept) unpin(join(this.#directory, map));
    removeDirectory(this.#directory);
    this.#object[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    // A filter of clsact would be taken off by its disposal; left alone it stays, as after a crash.
    for (const attachment of this.#attachments.values())
      if (attachment.kind === 'tcx') attachment[Symbol.dispose]();
    this.#attachments.clear();
    this.#object[Symbol.dispose]();
  }

  #detach(key: string, place: TcPlace): void {
    const attachment = this.#attachments.get(key) ?? openLinkPin(this.#directory, place);
    this.#attachments.delete(key);
    attachment?.detach();
    unpin(join(this.#directory, key));
  }
}

function openFormer(
  path: string,
  name: string,
  layouts: { readonly key?: Layout; readonly value?: Layout },
): BpfMap | undefined {
  let map: BpfMap;
  try {
    map = BpfMap.openPinned(path, name);
  } catch {
    return undefined;
  }
  try {
    // A queue has no types to compare.
    if (layouts.key || layouts.value) assertLayout(map, layouts);
    return map;
  } catch {
    map[Symbol.dispose]();
    unpin(path);
    return undefined;
  }
}

function removeDirectory(directory: string): void {
  removeIfEmpty(directory, PIN_ROOT, join(PIN_ROOT, '..'));
}

/** Where an instance has a pin of this name. */
export function pinPath(instance: string, pin: string): string {
  return join(PIN_ROOT, instance, pin);
}

/** Names of instances that left something in the kernel, running or not. */
export function pinnedNames(): string[] {
  return namesIn(PIN_ROOT);
}

/** Takes away what a killed process of this name left in the kernel. @returns whether there was anything */
export function removePins(name: string): boolean {
  const directory = join(PIN_ROOT, name);
  const pins = namesIn(directory);
  if (pins.length === 0) {
    removeDirectory(directory);
    return false;
  }
  const links = linkPinsIn(directory);
  for (const pin of pins) {
    const place = links.get(pin);
    const path = join(directory, pin);
    if (place)
      try {
        openPinnedTc(path, place).detach();
      } catch {
        // Its interface went, or another does the same at this moment.
      }
    unpin(path);
  }
  removeDirectory(directory);
  return true;
}
