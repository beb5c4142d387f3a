/** Where the files of instances are: a directory that only root (and one group) can look into. */
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DaemonError } from './error.ts';

/** The files of one instance. */
export interface Place {
  readonly name: string;
  readonly directory: string;
  /** Held by the process as long as it lives; says which it is. */
  readonly lock: string;
  /** Where it answers. */
  readonly socket: string;
  /** The command that ends it, but for its name. */
  readonly stopCommand: string;
}

/** What instances do: those that meter, and network functions. Names are of a kind: each has a directory of its own. */
export type InstanceKind = 'metering' | 'vnet';

const KINDS = {
  metering: { folder: '.', stopCommand: 'tunnelscope stop' },
  vnet: { folder: 'vnet', stopCommand: 'tunnelscope vnet stop' },
} as const;

const DEFAULT_DIRECTORY = '/run/tunnelscope';
const DEFAULT_LOG_DIRECTORY = '/var/log/tunnelscope';

/** Octets that the kernel has for the name of a socket (struct sockaddr_un), but for the closing NUL. */
const SOCKET_NAME_OCTETS = 107;

/** Others may not write into the directory: whoever can, can put a socket of his own there. */
const WRITABLE_BY_OTHERS = 0o022;

/** The directory of locks and sockets: `RUNTIME_DIRECTORY`, which systemd sets, or /run/tunnelscope. */
export function runDirectory(): string {
  return process.env.RUNTIME_DIRECTORY || DEFAULT_DIRECTORY;
}

/** The directory of logs: `LOGS_DIRECTORY`, which systemd sets, or /var/log/tunnelscope. */
export function logDirectory(): string {
  return process.env.LOGS_DIRECTORY || DEFAULT_LOG_DIRECTORY;
}

/** The files of an instance. @throws DaemonError when the socket's name would be too long for the kernel */
export function placeOf(name: string, kind: InstanceKind = 'metering'): Place {
  const directory = join(runDirectory(), KINDS[kind].folder);
  const socket = join(directory, `${name}.sock`);
  if (Buffer.byteLength(socket) > SOCKET_NAME_OCTETS)
    throw new DaemonError(
      'DAEMON_DIRECTORY',
      `the name of the socket ${socket} has more than ${SOCKET_NAME_OCTETS} octets; choose a shorter RUNTIME_DIRECTORY or name`,
    );
  return {
    name,
    directory,
    socket,
    lock: join(directory, `${name}.lock`),
    stopCommand: KINDS[kind].stopCommand,
  };
}

/** Names of all instances that have a file there, running or not. @throws DaemonError when it may not be looked at */
export function instanceNames(kind: InstanceKind = 'metering'): string[] {
  const directory = join(runDirectory(), KINDS[kind].folder);
  try {
    const files = readdirSync(directory);
    return files
      .filter((file) => file.endsWith('.lock'))
      .map((file) => file.slice(0, -'.lock'.length))
      .toSorted();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw notPermitted(error, directory);
  }
}

/** The error for files that belong to root and the group. */
export function notPermitted(cause: unknown, path: string): DaemonError {
  return new DaemonError(
    'DAEMON_NOT_PERMITTED',
    `looking at ${path} failed (${(cause as Error).message}); be root, or a member of the group of "control.group"`,
    { cause },
  );
}

/** Makes the directory if need be. @throws DaemonError when it cannot be made, or others may write into it */
export function prepareDirectory({ directory }: Place, gid: number | undefined): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o750 });
    const { uid, mode } = statSync(directory);
    if ((uid !== process.getuid!() && uid !== 0) || (mode & WRITABLE_BY_OTHERS) !== 0)
      throw new Error(
        `its owner is ${uid} and its mode ${(mode & 0o7777).toString(8)}: others may write there`,
      );
    if (gid !== undefined) giveToGroup(directory, gid, 0o750);
  } catch (cause) {
    throw new DaemonError(
      'DAEMON_DIRECTORY',
      `preparing the directory ${directory} failed (${(cause as Error).message}); make it, owned by root with mode 0750`,
      { cause },
    );
  }
}

/** Lets the group in. */
export function giveToGroup(path: string, gid: number, mode: number): void {
  if (statSync(path).gid !== gid) chownSync(path, -1, gid);
  chmodSync(path, mode);
}

/** Removes the directory if nothing else is in it, and the one above if it is one of ours and empty too. */
export function leaveDirectory({ directory }: Place): void {
  try {
    rmdirSync(directory);
    if (directory !== join(runDirectory(), '.')) rmdirSync(runDirectory());
  } catch {
    // Other instances are in it, or it is somebody else's to remove.
  }
}

/** The number of a group. @throws DaemonError when there is none of that name */
export function groupId(name: string): number {
  const line = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${name}:`));
  const gid = Number(line?.split(':')[2] ?? Number.NaN);
  if (!Number.isInteger(gid))
    throw new DaemonError(
      'DAEMON_DIRECTORY',
      `control.group: /etc/group has no "${name}"; make it with "groupadd ${name}"`,
    );
  return gid;
}
