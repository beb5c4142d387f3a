/** What an instance answers about its history, by request. */
import type { Answerer, METERING } from '../daemon/index.ts';
import {
  type FlowQuery,
  type HistoryAudit,
  type HistoryExport,
  isLive,
  type LiveQuery,
  type SqlQuery,
} from '../query/index.ts';
import { OfferedExports } from './offered-exports.ts';

/** All that a history can be asked. */
type Askable = SqlQuery & HistoryExport & HistoryAudit;

/** A history that is kept, to be asked. */
export interface AskedHistory {
  readonly directory: string;
  /** From when it could be opened on. */
  store(): Askable | undefined;
}

/** Requests about the history. */
export type HistoryRequest = 'query' | 'audit' | 'sqlOf' | 'sql' | 'export' | 'exportPart' | 'exportEnd';

/** A history that could not be opened so far. */
class HistoryNotOpenError extends Error {
  readonly code = 'HISTORY_NOT_OPEN';
  readonly remedy = '"tunnelscope status" says why';

  constructor() {
    super('its history cannot be opened yet; "tunnelscope status" says why');
    this.name = 'HistoryNotOpenError';
  }
}

/** Answers questions as soon as the store is open. */
export function questionsOf(history: AskedHistory): FlowQuery & HistoryAudit {
  return {
    answer: async (question, options) => openedStore(history).answer(question, options),
    audit: async (span, options) => openedStore(history).audit(span, options),
  };
}

/** @throws HistoryNotOpenError */
function openedStore(history: AskedHistory): Askable {
  const store = history.store();
  if (!store) throw new HistoryNotOpenError();
  return store;
}

/** Said to who asks too early. */
export const STARTING = 'it is still starting; try again when it meters';

/** What there is to be asked. */
export interface AskedInstance {
  /** Undefined: none is kept. */
  readonly history: AskedHistory | undefined;
  /** Undefined: nothing is metered. */
  readonly live: LiveQuery | undefined;
}

/** Answers about a history, and about now. Dispose it to remove what was offered to others. */
export class HistoryAnswers implements AsyncDisposable {
  readonly #exports = new OfferedExports();
  readonly #ready: () => AskedInstance | undefined;

  /** @param ready what there is to be asked; undefined while it is starting */
  constructor(ready: () => AskedInstance | undefined) {
    this.#ready = ready;
  }

  /** The answerers. */
  get byRequest(): Pick<Answerer<typeof METERING>, HistoryRequest> {
    return {
      query: async ({ question }, asker) => {
        if (!isLive(question)) return this.#opened().store.answer(question, asker);
        const { live } = this.#asked();
        if (!live) throw new Error('it meters nothing');
        return live.table(question);
      },
      audit: async ({ span }, asker) => this.#opened().store.audit(span, asker),
      sqlOf: async ({ question }) => ({ sql: await this.#opened().store.sqlOf(question) }),
      sql: async ({ sql }, asker) => this.#opened().store.query(sql, asker),
      export: async (words, { signal }) => {
        const { store, directory } = this.#opened();
        return this.#exports.offer(store, words, { directory, signal });
      },
      exportPart: (words) => this.#exports.part(words),
      exportEnd: async (words) => {
        await this.#exports.end(words);
        return {};
      },
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#exports[Symbol.asyncDispose]();
  }

  /** @throws Error while it is starting */
  #asked(): AskedInstance {
    const ready = this.#ready();
    if (!ready) throw new Error(STARTING);
    return ready;
  }

  /** @throws Error with what keeps it from being asked */
  #opened(): { readonly store: Askable; readonly directory: string } {
    const { history } = this.#asked();
    if (!history) throw new Error('it keeps no history; start it with --history DIRECTORY');
    return { store: openedStore(history), directory: history.directory };
  }
}
