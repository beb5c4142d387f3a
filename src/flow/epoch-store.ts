/** Where epochs are kept for good. */
import type { FlowBatch } from './batch.ts';

/** Keeps epochs beyond the life of the process. Safe against a crash at any moment. */
export interface EpochStore {
  readonly name: string;
  /**
   * Takes epochs in as one transaction: when it resolves all of them are on disk, when it rejects none is there. An epoch that
   * is there already, by (agent, epoch), is left as it is. The batches are lent until it settles.
   *
   * @param taken called with each epoch that is read, when it was for the last time: that is long before it is on disk
   * @throws an error with `code` and `remedy`; what was stored before is unharmed
   */
  commit(epochs: readonly FlowBatch[], taken?: (epoch: FlowBatch) => void): Promise<void>;
  /** Closes it, and ends what is under way when that takes too long: a commit then rejects. Once, however often it is called. */
  close(): Promise<void>;
}
