import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a directory and those above it. Node's own way never ends where the kernel says "no such file" of a new directory in
 * one that is there, as sysfs does: there is no BPF file system then. @throws the error of the file system
 */
export function makeDirectories(path: string): void {
  const missing: string[] = [];
  for (let each = path; !isMade(each); each = dirname(each)) {
    // Where nothing could be made above it either, the one that failed last says why.
    if (each === dirname(each)) break;
    missing.push(each);
  }
  for (const each of missing.toReversed()) make(each);
}

/** Whether it is there now; false where something above it is missing. */
function isMade(path: string): boolean {
  try {
    make(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

function make(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
