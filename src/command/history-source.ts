/** Where questions are answered: those about the past from a file that nobody writes to; all by an instance, or over an API. */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { parseInstance } from '../config/index.ts';
import {
  askInstance,
  DaemonError,
  instanceNames,
  type Patience,
  type Place,
  placeOf,
  RefusedError,
} from '../daemon/index.ts';
import {
  type Exported,
  type ExportFormat,
  type HistoryAudit,
  type HistoryExport,
  type HistorySelection,
  isLive,
  PastAuditSchema,
  type Question,
  type ResultTable,
  ResultTableSchema,
  type SqlQuery,
} from '../query/index.ts';
import { askAgent, parseAgentUrl } from './asking.ts';
import { EXIT, Exit } from './exit.ts';
import { STORE_FILE } from './keeping.ts';
import { readToken } from './serving.ts';
import { DEFAULT_INSTANCE } from './steering.ts';

/** The words of the options as commander hands them over. */
export interface HistoryWords {
  readonly history?: string;
  readonly name?: string;
  readonly connect?: string;
  readonly tokenFile?: string;
}

/** Answers until it is disposed of. */
export interface HistorySource extends SqlQuery, HistoryExport, HistoryAudit, AsyncDisposable {
  /** As of {@link SqlQuery}, and about now where an agent is asked. @throws Exit where only a history is */
  answer(question: Question, options: { readonly signal: AbortSignal }): Promise<ResultTable>;
}

/** The history itself ends what takes too long. */
const PATIENCE_MS = 600_000;
/** An instance says from memory how it is. */
const STATUS_MS = 2000;

/** Adds the options that say whose past is asked about. */
export function addHistoryOptions(command: Command): Command {
  return command
    .addOption(new Option('--history <directory>', 'a history on disk').conflicts(['name', 'connect']))
    .addOption(
      new Option(
        '--name <instance>',
        `a running instance and its history (default: ${DEFAULT_INSTANCE})`,
      ).conflicts('connect'),
    )
    .option('--connect <address>', 'an agent elsewhere and its history, over its API')
    .option('--token-file <file>', 'file with the access token of that agent');
}

/** Opens what the options name. @throws Exit, ConfigError, StoreError, DaemonError */
export async function openHistory(words: HistoryWords): Promise<HistorySource> {
  if (words.history !== undefined) return openFile(words.history);
  if (words.connect !== undefined) return overApi(words.connect, words.tokenFile);
  return ofInstance(parseInstance('--name', words.name ?? DEFAULT_INSTANCE));
}

/** The file of a history; a path that is a file is one itself. */
export function historyFile(path: string): string {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ? path : join(path, STORE_FILE);
}

/** Opens a history on disk; while an instance writes to it nobody else can, so that is asked. */
async function openFile(path: string): Promise<HistorySource> {
  // Loaded where it is needed only: other commands run where DuckDB does not.
  const { DuckDbStore, StoreError } = await import('../store/index.ts');
  try {
    const store = await DuckDbStore.open({ path: historyFile(path), readOnly: true });
    return {
      answer: async (question, options) => {
        if (!isLive(question)) return store.answer(question, options);
        throw new Exit(EXIT.usage, '--history: a history knows nothing of now; ask an instance, with --name');
      },
      audit: (span, options) => store.audit(span, options),
      sqlOf: (question) => store.sqlOf(question),
      query: (sql, options) => store.query(sql, options),
      copyTo: (selection, target, options) => store.copyTo(selection, target, options),
      [Symbol.asyncDispose]: () => store.close(),
    };
  } catch (error) {
    const isLocked = error instanceof StoreError && error.code === 'STORE_LOCKED';
    const writer = isLocked ? await writerOf(path) : undefined;
    if (writer === undefined) throw error;
    return ofInstance(writer);
  }
}

/** The instance that writes to a history, as far as those that run here say. */
async function writerOf(path: string): Promise<string | undefined> {
  const directory = realpathSync(path);
  for (const name of instanceNames()) {
    const status = await askInstance(placeOf(name), 'status', { patienceMs: STATUS_MS }).catch(
      () => undefined,
    );
    const kept = status?.agent?.history?.directory;
    if (kept !== undefined && existsSync(kept) && realpathSync(kept) === directory) return name;
  }
  return undefined;
}

function ofInstance(name: string): HistorySource {
  const place = placeOf(name);
  const asked = async <Answer>(answer: Promise<Answer>): Promise<Answer> => {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof RefusedError) throw new Exit(EXIT.failed, `"${name}": ${error.message}`);
      if (!(error instanceof DaemonError) || error.code !== 'DAEMON_NOT_RUNNING') throw error;
      throw new Exit(EXIT.failed, `${error.message}; name its history with --history DIRECTORY`);
    }
  };
  const patience = (signal: AbortSignal) => ({ signal, patienceMs: PATIENCE_MS });
  return {
    answer: (question, { signal }) =>
      asked(askInstance(place, 'query', { words: { question }, ...patience(signal) })),
    audit: (span, { signal }) => asked(askInstance(place, 'audit', { words: { span }, ...patience(signal) })),
    sqlOf: async (question) => (await asked(askInstance(place, 'sqlOf', { words: { question } }))).sql,
    query: (sql, { signal }) => asked(askInstance(place, 'sql', { words: { sql }, ...patience(signal) })),
    copyTo: (selection, { format, path }, { signal }) =>
      asked(fetchExport(place, { selection, format }, { path, ...patience(signal) })),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** Has an instance write an export, and fetches it. */
async function fetchExport(
  place: Place,
  words: { readonly selection: HistorySelection; readonly format: ExportFormat },
  { path, ...patience }: Patience & { readonly path: string; readonly signal: AbortSignal },
): Promise<Exported> {
  const { id, octets, ...exported } = await askInstance(place, 'export', { words, ...patience });
  const file = await open(path, 'wx', 0o644);
  try {
    for (let offset = 0; offset < octets; ) {
      patience.signal.throwIfAborted();
      const { data } = await askInstance(place, 'exportPart', { words: { id, offset }, ...patience });
      const part = Buffer.from(data, 'base64');
      if (part.length === 0) throw new Exit(EXIT.failed, `"${place.name}": the export ended before its end`);
      await file.appendFile(part);
      offset += part.length;
    }
    return exported;
  } finally {
    await file.close();
    await askInstance(place, 'exportEnd', { words: { id } });
  }
}

function overApi(address: string, tokenFile: string | undefined): HistorySource {
  const url = parseAgentUrl('--connect', address);
  const token = tokenFile === undefined ? undefined : readToken(tokenFile);
  const noSql = async (): Promise<never> => {
    throw new Exit(
      EXIT.usage,
      '--sql: the API answers questions, not SQL; ask on its machine, with --name or --history',
    );
  };
  return {
    answer: (question, { signal }) =>
      askAgent({ url, token }, 'api/v1/query', {
        read: (answer) => ResultTableSchema.parse(answer),
        signal,
        body: question,
        patienceMs: PATIENCE_MS,
      }),
    audit: ({ fromMs, toMs }, { signal }) =>
      askAgent({ url, token }, `api/v1/audit/past?fromMs=${fromMs}&toMs=${toMs}`, {
        read: (answer) => PastAuditSchema.parse(answer),
        signal,
        patienceMs: PATIENCE_MS,
      }),
    sqlOf: noSql,
    query: noSql,
    copyTo: async () => {
      throw new Exit(
        EXIT.usage,
        '--connect: the API gives answers, not stored rows; export on its machine, with --name or --history',
      );
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}
