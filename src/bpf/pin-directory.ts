/** Directories of the BPF file system: the links that are pinned in them, and who may use them now. */
import { closeSync, constants, fstatSync, openSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { libc } from './libbpf.ts';
import { openPinnedTc, type TcAttachment, type TcDirection } from './link.ts';
import { unpin } from './map.ts';
import { makeDirectories } from './pin-path.ts';

/** One side of an interface. */
export interface TcPlace {
  readonly ifindex: number;
  readonly direction: TcDirection;
}

const LINK = /^link_(\d+)_(ingress|egress)$/;
const LOCK_EX = 2;
const LOCK_NB = 4;

/** Name of the pin of the link at a place; names in a BPF file system have no dots. */
export function linkPin({ ifindex, direction }: TcPlace): string {
  return `link_${ifindex}_${direction}`;
}

/** Names in a directory; none where it is not there. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).toSorted();
  } catch {
    return [];
  }
}

/** Places whose links are pinned in a directory, by the names of the pins. */
export function linkPinsIn(directory: string): ReadonlyMap<string, TcPlace> {
  const places = new Map<string, TcPlace>();
  for (const name of namesIn(directory)) {
    const [, ifindex, direction] = LINK.exec(name) ?? [];
    if (direction !== undefined)
      places.set(name, { ifindex: Number(ifindex), direction: direction as TcDirection });
  }
  return places;
}

/**
 * The link that a former process left for a place. Undefined where there is none, or its interface has gone: then the number
 * may be another interface's, and the pin is removed.
 */
export function openLinkPin(directory: string, place: TcPlace): TcAttachment | undefined {
  const path = join(directory, linkPin(place));
  let link: TcAttachment;
  try {
    link = openPinnedTc(path, place);
  } catch {
    return undefined;
  }
  if (link.ifindex === place.ifindex) return link;
  link.detach();
  unpin(path);
  return undefined;
}

/** Removes directories in this order, until one has something in it. */
export function removeIfEmpty(...directories: readonly string[]): void {
  for (const each of directories)
    try {
      rmdirSync(each);
    } catch {
      return; // Others have something in it.
    }
}

/**
 * Makes a directory and takes its lock (flock), which ends with the process however that ends.
 *
 * @returns lets go when disposed; undefined when another process holds it
 * @throws the error of the file system, e.g. where it is not a BPF file system
 */
export function lockPinDirectory(directory: string): Disposable | undefined {
  for (;;) {
    makeDirectories(directory);
    const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
    if (libc().flock(fd, LOCK_EX | LOCK_NB) !== 0) {
      closeSync(fd);
      return undefined;
    }
    // Whoever held it may have removed the directory as the last thing.
    const there = statSync(directory, { throwIfNoEntry: false });
    if (there?.ino === fstatSync(fd).ino) return { [Symbol.dispose]: () => closeSync(fd) };
    closeSync(fd);
  }
}
