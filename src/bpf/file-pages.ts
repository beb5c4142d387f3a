/** Pages of files that this process has in its memory and could read again at any time. */
import { readFileSync } from 'node:fs';
import { libc } from './libbpf.ts';

const MADV_DONTNEED = 4;

/**
 * Lets go of all pages of programs and libraries: what runs on comes back from the page cache as it is touched, what only
 * the start needed does not. Costs some milliseconds, and some hundred page faults after.
 *
 * Taken are only mappings that nobody may write to and that hold no page of this process's own (relocations, a
 * debugger's breakpoints), for those could not be read again.
 */
export function releaseFilePages(): void {
  let smaps: string;
  try {
    smaps = readFileSync('/proc/self/smaps', 'latin1');
  } catch {
    return; // Built without CONFIG_PROC_PAGE_MONITOR: all stays as it is.
  }
  for (const { at, length } of unchangedFiles(smaps)) {
    // Refused where memory is locked: then it stays.
    libc().madvise(at, length, MADV_DONTNEED);
  }
}

/** The mappings in smaps (proc_pid_smaps(5)) that can be let go of. */
export function unchangedFiles(smaps: string): { readonly at: bigint; readonly length: number }[] {
  const found: { at: bigint; length: number }[] = [];
  for (const mapping of smaps.split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/)) {
    const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) r-[x-]p \S+ \S+ [1-9]\d* +\//.exec(mapping) ?? [];
    if (from === undefined || to === undefined || !/^Anonymous: +0 kB$/m.test(mapping)) continue;
    const at = BigInt(`0x${from}`);
    found.push({ at, length: Number(BigInt(`0x${to}`) - at) });
  }
  return found;
}
