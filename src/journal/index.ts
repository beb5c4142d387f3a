/** Epochs on their way to a store: durable at once, a transaction at a time. */
export { JournalError, type JournalErrorCode } from './error.ts';
export {
  type HistoryCounts,
  type HistoryListener,
  type HistoryOptions,
  HistoryWriter,
} from './history-writer.ts';
export { Journal } from './journal.ts';
export type { JournalFile, JournalListener, JournalOptions } from './options.ts';
export { DROPPED } from './tally.ts';
