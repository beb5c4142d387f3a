/** Archives in cpio's "newc" format, of which the kernel unpacks its first file system (Documentation/driver-api/early-userspace). */

/** A file of the archive; its directories come with it. */
export interface ArchiveFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly executable?: boolean;
}

const DIRECTORY = 0o040755;
const FILE = 0o100644;
const EXECUTABLE = 0o100755;

/** The archive as bytes; several of them one after the other are one. */
export function cpio(files: readonly ArchiveFile[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const directories = new Set<string>();
  let inode = 0;
  const add = (name: string, mode: number, bytes: Uint8Array): void => {
    inode++;
    // inode mode uid gid links mtime size, device and special device (major, minor), length of the name, checksum
    const numbers = [inode, mode, 0, 0, 1, 0, bytes.byteLength, 0, 0, 0, 0, Buffer.byteLength(name) + 1, 0];
    const head = `070701${numbers.map((number) => number.toString(16).padStart(8, '0')).join('')}${name}\0`;
    parts.push(padded(Buffer.from(head)), padded(bytes));
  };
  for (const { path, bytes, executable } of files) {
    const steps = path.split('/');
    for (let depth = 1; depth < steps.length; depth++) {
      const directory = steps.slice(0, depth).join('/');
      if (!directories.has(directory)) add(directory, DIRECTORY, new Uint8Array(0));
      directories.add(directory);
    }
    add(path, executable ? EXECUTABLE : FILE, bytes);
  }
  add('TRAILER!!!', 0, new Uint8Array(0));
  return Buffer.concat(parts);
}

function padded(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array((bytes.byteLength + 3) & ~3);
  whole.set(bytes);
  return whole;
}
