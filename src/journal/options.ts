/** How a journal keeps, and what it tells. */
import type { JournalError } from './error.ts';

/** How to keep. */
export interface JournalOptions {
  /** Octets of all files together at most. */
  readonly maxOctets: number;
  /** Epochs that begin in the same interval, counted from the Unix epoch on, are in one file. */
  readonly intervalMs: number;
  readonly listener?: JournalListener;
}

/** What a journal tells. */
export interface JournalListener {
  /** A file had octets that are no epoch: cut off where it ended early, as a process does that is killed; else left out. */
  damaged?(error: JournalError): void;
  /** A file can be read. */
  complete?(): void;
}

/** A file that is complete. Its number is its place in time. */
export interface JournalFile {
  readonly number: number;
  readonly octets: number;
}

/** What was dropped since the start. */
export interface Dropped {
  readonly epochs: number;
  readonly packets: bigint;
  readonly octets: bigint;
}
