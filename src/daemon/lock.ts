/**
 * One process per name. The lock is the kernel's (flock): it is given to exactly one, and it is gone with the process
 * however that ends, so that nothing stale has to be guessed at.
 */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { DaemonError } from './error.ts';
import { formatIdentity, type Identity, isAlive, ownIdentity, parseIdentity } from './identity.ts';
import { notPermitted, type Place, prepareDirectory } from './place.ts';

/** Exit code of flock(1) when somebody else holds the lock. */
const HELD = 1;
/** A process that was killed is a moment in ending, and holds its lock that long. */
const PATIENCE_SECONDS = '2';
/** The one who held it may be removing the file at this moment; then there is a new one. */
const ATTEMPTS = 10;

/** A file that is locked by this process. Disposing it removes the file and lets go. */
export class FileLock implements Disposable {
  readonly #path: string;
  readonly #fd: number;

  private constructor(path: string, fd: number) {
    this.#path = path;
    this.#fd = fd;
  }

  /**
   * @param prepare makes the directory, where it may be gone at any moment
   * @param busy the error for when another process holds it
   * @throws what `busy` gives, or DaemonError
   */
  static acquire(
    path: string,
    { prepare, busy }: { readonly prepare?: () => void; readonly busy: () => Error },
  ): FileLock {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      prepare?.();
      const fd = open(path);
      if (fd === undefined) continue;
      try {
        if (!lock(fd)) throw busy();
        if (isTheFile(fd, path)) {
          ftruncateSync(fd);
          writeSync(fd, formatIdentity(ownIdentity()), 0);
          return new FileLock(path, fd);
        }
      } catch (error) {
        closeSync(fd);
        throw error;
      }
      closeSync(fd);
    }
    throw new DaemonError(
      'DAEMON_LOCK',
      `locking ${path} failed: others make and remove it all the time; try again`,
    );
  }

  [Symbol.dispose](): void {
    // Removed while it is held: whoever waits for this file sees that it is no more the one at this name.
    rmSync(this.#path, { force: true });
    closeSync(this.#fd);
  }
}

/** The lock of an instance, held. Disposing it removes the file and lets go. */
export class InstanceLock implements Disposable {
  readonly #lock: FileLock;

  private constructor(held: FileLock) {
    this.#lock = held;
  }

  /** @throws DaemonError `DAEMON_RUNNING` when another process holds it */
  static acquire(place: Place, gid: number | undefined): InstanceLock {
    demandFree(place);
    return new InstanceLock(
      FileLock.acquire(place.lock, {
        prepare: () => prepareDirectory(place, gid),
        busy: () => running(place),
      }),
    );
  }

  [Symbol.dispose](): void {
    this.#lock[Symbol.dispose]();
  }
}

/** Which process runs the instance; undefined when none does. @throws DaemonError when the lock may not be looked at */
export function holderOf({ lock: path }: Place): Identity | undefined {
  try {
    const identity = parseIdentity(readFileSync(path, 'utf8'));
    return identity && isAlive(identity) ? identity : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw notPermitted(error, path);
  }
}

/** Says early what taking the lock would say. @throws DaemonError `DAEMON_RUNNING` */
export function demandFree(place: Place): void {
  if (holderOf(place)) throw running(place);
}

/** The directory may be removed between being made and being used; then undefined. */
function open(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new DaemonError(
      'DAEMON_LOCK',
      `opening ${path} failed (${(cause as Error).message}); run as root`,
      { cause },
    );
  }
}

/** The lock belongs to the open file, which flock(1) inherits and we keep. */
function lock(fd: number): boolean {
  const { status, error } = spawnSync('flock', ['-x', '-w', PATIENCE_SECONDS, '3'], {
    stdio: ['ignore', 'ignore', 'ignore', fd],
  });
  if (error || (status !== 0 && status !== HELD))
    throw new DaemonError('DAEMON_LOCK', `locking with the command "flock" failed; install util-linux`, {
      cause: error,
    });
  return status === 0;
}

function isTheFile(fd: number, path: string): boolean {
  const there = statSync(path, { throwIfNoEntry: false });
  const held = fstatSync(fd);
  return there !== undefined && there.ino === held.ino && there.dev === held.dev;
}

function running(place: Place): DaemonError {
  const holder = holderOf(place);
  const who = holder ? ` (process ${holder.pid})` : '';
  return new DaemonError(
    'DAEMON_RUNNING',
    `"${place.name}" is already running${who}; stop it with "${place.stopCommand} ${place.name}", or start another with a name of its own`,
  );
}
