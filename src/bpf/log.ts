/**
 * What libbpf says while it opens or loads an object: the only place where it explains a failure.
 *
 * libbpf has one print function per process. A callback left there by a worker that has ended crashes the next thread that
 * makes libbpf speak, so the callback stands there only during one synchronous call, and silence (null) at all other times.
 */
import { BpfError, errnoText, kernelError } from './error.ts';
import { libbpf, libc, type Pointer, printCallback } from './libbpf.ts';

/** Big enough for the largest log that the kernel writes (16 MiB) and libbpf's words around it; untouched pages cost nothing. */
const FORMAT_BYTES = (16 << 20) + 65536;
const LEVEL_INFO = 1;

let callback: Pointer | undefined;
let heard: string[] | undefined;
let scratch: Uint8Array | undefined;

/** Runs a synchronous libbpf call and returns its result with the warnings it printed. */
export function listening<T>(call: () => T): { result: T; words: string } {
  callback ??= printCallback(print);
  const lines: string[] = [];
  heard = lines;
  libbpf().setPrint(callback);
  try {
    const result = call();
    return { result, words: lines.join('') };
  } finally {
    libbpf().setPrint(null);
    heard = undefined;
    scratch = undefined;
  }
}

function print(level: number, format: Pointer, parameters: Pointer): number {
  if (level > LEVEL_INFO || heard === undefined) return 0;
  scratch ??= new Uint8Array(FORMAT_BYTES);
  // A va_list can be walked once only, so there is no first call to ask for the length.
  const length = libc().vsnprintf(scratch, scratch.byteLength, format, parameters);
  heard.push(Buffer.from(scratch.buffer, 0, Math.min(length, scratch.byteLength - 1)).toString('utf8'));
  return length;
}

/** The verifier's own log among libbpf's words, or undefined when the verifier was not what failed. */
export function verifierLogOf(words: string): string | undefined {
  const logs = [...words.matchAll(/-- BEGIN PROG LOAD LOG --\n([\s\S]*?)-- END PROG LOAD LOG --/g)];
  const log = logs.at(-1)?.[1];
  return log === undefined || log.trim() === '' ? undefined : log;
}

/** libbpf's words without the verifier's log, on one line, for a message. */
export function reasonOf(words: string): string {
  return words
    .replaceAll(/libbpf: [^\n]*-- BEGIN PROG LOAD LOG --\n[\s\S]*?-- END PROG LOAD LOG --\n?/g, '')
    .split('\n')
    .map((line) => line.replace(/^libbpf: /, '').trim())
    .filter((line) => line !== '')
    .join('; ');
}

/** The error for an object that was not loaded, with the verifier's reason when it was the verifier. */
export function loadError(name: string, result: number, words: string): BpfError {
  const log = verifierLogOf(words);
  const failed = /prog '([^']+)': (?:BPF program load failed|failed to load)/.exec(words)?.[1];
  const action =
    failed === undefined
      ? `load the BPF object ${name}`
      : `load the program ${failed} of the BPF object ${name}`;
  if (log === undefined) {
    const reason = reasonOf(words);
    const state = `${errnoText(-result)}${reason && `: ${reason}`}`;
    return kernelError('BPF_LOAD', result, { action, state });
  }
  const error = new BpfError('BPF_LOAD', { action, errno: -result, fullVerifierLog: log });
  const reason = error.verifierLog?.split('\n').at(-1) ?? '';
  return new BpfError('BPF_LOAD', {
    action,
    state: `the verifier refused it (${error.errnoName}): ${reason}`,
    errno: -result,
    fullVerifierLog: log,
    remedy: 'see verifierLog',
  });
}
