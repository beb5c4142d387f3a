/** A file of lines that is begun anew when it is large; the older ones are kept under numbers, up to a count. */
import { closeSync, fstatSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { ExportError } from './error.ts';

/** Bounds of what is kept. */
export interface Rotation {
  /** Octets after which the next line begins a new file. */
  readonly maxOctets: number;
  /** Files that are kept, the present one included. */
  readonly files: number;
}

/** Who may read: the owner and the group. */
const MODE = 0o640;
const NEWLINE = 0x0a;

/**
 * Appends lines to `path`; `path.1` is the one before, `path.2` the one before that. A line is written as a whole and
 * never split over two files. Synchronous: a line is small, and is in the file when the call is over.
 */
export class RotatingFile implements Disposable {
  readonly #path: string;
  readonly #rotation: Rotation;
  /** First line of each file. */
  readonly #header: string;
  #fd: number | undefined;
  #octets = 0;

  private constructor(path: string, rotation: Rotation, header: string) {
    this.#path = path;
    this.#rotation = rotation;
    this.#header = header;
  }

  /**
   * Opens the file, or makes it; the directory must be there.
   *
   * @param header first line of each file, with its end of line; empty for none
   * @throws ExportError
   */
  static open(path: string, rotation: Rotation, header = ''): RotatingFile {
    const file = new RotatingFile(path, rotation, header);
    file.#open();
    return file;
  }

  /** Appends text that ends with an end of line. @throws ExportError; the next write tries to open the file again */
  write(text: string): void {
    const bytes = Buffer.from(text);
    try {
      if (this.#octets > this.#header.length && this.#octets + bytes.length > this.#rotation.maxOctets)
        this.#rotate();
      this.#fd ?? this.#open();
      this.#append(bytes);
    } catch (error) {
      this[Symbol.dispose]();
      throw error instanceof ExportError ? error : ExportError.from(error, this.#path);
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #open(): void {
    try {
      this.#fd = openSync(this.#path, 'a+', MODE);
      this.#octets = fstatSync(this.#fd).size;
      if (this.#octets === 0) this.#append(Buffer.from(this.#header));
      else if (lastOctet(this.#fd, this.#octets) !== NEWLINE) this.#append(Buffer.from('\n'));
    } catch (error) {
      throw ExportError.from(error, this.#path);
    }
  }

  #append(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const written = writeSync(this.#fd!, bytes, at);
      at += written;
      this.#octets += written;
    }
  }

  /** The oldest goes, each other one moves up a number, and the next write begins a new one. */
  #rotate(): void {
    this[Symbol.dispose]();
    const { files } = this.#rotation;
    const name = (age: number): string => (age === 0 ? this.#path : `${this.#path}.${age}`);
    rmSync(name(files - 1), { force: true });
    for (let age = files - 2; age >= 0; age--) renameIfThere(name(age), name(age + 1));
    this.#open();
  }
}

/** A full disk may have cut a line: what comes after it must not be taken for its end. */
function lastOctet(fd: number, size: number): number {
  const last = new Uint8Array(1);
  readSync(fd, last, 0, 1, size - 1);
  return last[0]!;
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
