/** Why a capture could not be read to its end, and what to do about it. */

const REMEDIES = {
  CAPTURE_MISSING: 'check the path',
  CAPTURE_NOT_PERMITTED: 'change its owner or mode, or run as a user who may read it',
  CAPTURE_NOT_A_FILE: 'name a file, or - for standard input',
  CAPTURE_READ: 'see the cause; the packets before it were read',
  CAPTURE_EMPTY: 'a capture has at least a header; write it again',
  CAPTURE_FORMAT: 'convert it to pcap or pcapng',
  CAPTURE_VERSION: 'convert it to pcap 2.4 or pcapng 1.0',
  CAPTURE_TRUNCATED: 'the packets before it were read; the writer was stopped, or the copy is not whole',
  CAPTURE_BROKEN: 'the packets before it were read; copy the file again',
  CAPTURE_LIMIT: 'the packets before it were read; copy the file again',
  CAPTURE_COMPRESSION: 'the packets before it were read; copy the file again',
} as const;

/** Stable names of the endings that are not the file's proper end. */
export type CaptureErrorCode = keyof typeof REMEDIES;

/** Where reading stopped. */
export interface CapturePlace {
  /** As it was given, `-` for standard input. */
  readonly path: string;
  /** Octets of the uncompressed capture before the record that could not be read. */
  readonly offset: number;
  /** Packets delivered before it. */
  readonly packets: number;
}

/** A capture that cannot be opened, or one that ends other than it should. */
export class CaptureError extends Error {
  override readonly name = 'CaptureError';
  readonly code: CaptureErrorCode;
  readonly path: string;
  /** Octets of the uncompressed capture before the record that could not be read. */
  readonly offset: number;
  /** Packets delivered before it. */
  readonly packets: number;
  /** What was found, as half a sentence. */
  readonly reason: string;
  /** What a person can do, as half a sentence. */
  readonly remedy: string;

  constructor(
    code: CaptureErrorCode,
    reason: string,
    { path, offset, packets, cause }: CapturePlace & { readonly cause?: unknown },
  ) {
    const remedy = REMEDIES[code];
    const after = `after ${packets} ${packets === 1 ? 'packet' : 'packets'}`;
    const place = offset > 0 ? ` at octet ${offset}, ${after}` : '';
    super(`reading ${path}: ${reason}${place}; ${remedy}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.path = path;
    this.offset = offset;
    this.packets = packets;
    this.reason = reason;
    this.remedy = remedy;
  }

  /** The failure behind a system error of opening or reading `place.path`. */
  static from(cause: unknown, place: CapturePlace): CaptureError {
    const errno = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const [code, reason] = ERRNOS[errno] ?? ['CAPTURE_READ', `the system refused${errno && ` (${errno})`}`];
    return new CaptureError(code, reason, { ...place, cause });
  }
}

const ERRNOS: Readonly<Record<string, readonly [CaptureErrorCode, string]>> = {
  ENOENT: ['CAPTURE_MISSING', 'it does not exist'],
  ENOTDIR: ['CAPTURE_MISSING', 'a part of the path is not a directory'],
  EACCES: ['CAPTURE_NOT_PERMITTED', 'it may not be read'],
  EPERM: ['CAPTURE_NOT_PERMITTED', 'it may not be read'],
  EISDIR: ['CAPTURE_NOT_A_FILE', 'it is a directory'],
};
