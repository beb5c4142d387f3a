/** `tunnelscope read`: captures instead of interfaces, by the captures' own time. Needs no root and no kernel feature. */
import { once } from 'node:events';
import { hostname } from 'node:os';
import { basename } from 'node:path';
import { type Command, Option } from 'commander';
import {
  namesConfigOf,
  parseCount,
  parseDuration,
  parseTunnelPorts,
  resolveConfiguration,
} from '../config/index.ts';
import { LiveView } from '../live/index.ts';
import { compileFilter, type Status } from '../query/index.ts';
import { CaptureSource, type CaptureSourceOptions } from '../replay/index.ts';
import { type RunningServer, startServer } from '../serve/index.ts';
import { formatFlowJson, formatProgress, REPORT_COUNTS } from '../terminal/index.ts';
import { VERSION } from '../version.ts';
import {
  addConnectionsOption,
  type ConnectionsWords,
  connectionsPrinter,
  MEASURE_CONNECTIONS,
} from './connections.ts';
import { EXIT, Exit } from './exit.ts';
import { addFilterOption, type FilterWords, filterOf, viewFilterOf } from './filtering.ts';
import { describeImport, importCaptures } from './importing.ts';
import { openNames } from './naming.ts';
import { addPortOption } from './options.ts';
import { addReportOptions, type ReportingWords, reporting } from './reporting.ts';
import { addServeOptions, type ServeWords, serveConfigOf, servingOf } from './serving.ts';
import { stopSignal } from './stopping.ts';

/** The words of `read`. */
interface ReadWords extends ReportingWords, ServeWords, FilterWords, ConnectionsWords {
  readonly json?: true;
  readonly serve?: true;
  readonly freq?: string;
  readonly tunnelPorts?: string[];
  readonly nvgre?: true;
  readonly flows: string;
  readonly history?: string;
}

/** Uniflows the view keeps apart: nobody waits for the next epoch, so more than live. */
const MAX_FLOWS = 1_000_000;
const PROGRESS_MS = 250;
/** Epoch length of the page where none is asked for. */
const SERVED_MS = 1000;

/** Adds `read` to the program. */
export function addReadCommand(program: Command): void {
  const command = program
    .command('read')
    .description('print who talks to whom in capture files; needs no root')
    .argument('<file...>', 'pcap or pcapng, plain or compressed with gzip or zstd; - for standard input')
    .addHelpText(
      'after',
      `\nOctets are those of the wire, also where a capture holds only the beginnings of packets.\n${REPORT_COUNTS}`,
    );
  addReportOptions(addConnectionsOption(addFilterOption(addPortOption(command))));
  addServeOptions(
    command
      .addOption(
        new Option('--json', 'the flows as JSON Lines, one flow each with every field').conflicts('serve'),
      )
      .option('--serve', "serve the page with the captures' own time, until Ctrl-C")
      .option(
        '-f, --freq <duration>',
        "length of a period of the captures' own time, for --json and --serve (default: all of a file; 1s)",
      )
      .addOption(
        new Option(
          '--history <directory>',
          'keep the flows in a history, for "query" and "export"; a file that is there already changes nothing',
        ).conflicts(['json', 'serve', 'connections', 'filter', 'freq']),
      )
      .option('--nvgre', 'GRE with a key and a frame inside is NVGRE, not gretap: they look the same')
      .option(
        '--flows <count>',
        'flows kept apart at a time; what exceeds it loses detail, never octets',
        '4194304',
      ),
  ).action(read);
}

async function read(paths: readonly string[], words: ReadWords): Promise<void> {
  if (words.history !== undefined) return keep(paths, words, words.history);
  const print = reporting(words);
  const filter = words.serve ? viewFilterOf(words) : filterOf(words);
  const connections = words.connections ? connectionsPrinter(words, filter) : undefined;
  const freqMs = words.freq === undefined ? undefined : parseDuration('--freq', words.freq);
  const windowMs = freqMs ?? (words.serve ? SERVED_MS : undefined);
  const source = new CaptureSource({
    paths,
    windowMs: words.json || words.serve ? windowMs : undefined,
    ...replayOf(words),
    ...(connections && { measure: MEASURE_CONNECTIONS }),
  });
  const live = new LiveView({
    intervalSeconds: (windowMs ?? SERVED_MS) / 1000,
    maxFlows: MAX_FLOWS,
    idleSeconds: Number.POSITIVE_INFINITY,
    isRecorded: true,
    // The page is asked with the filter, so that it can say what is left out.
    ...(!words.serve && { filter }),
  });
  using stopping = stopSignal();
  await using stack = new AsyncDisposableStack();
  const server = words.serve ? stack.adopt(await serve(words, { source, live, paths }), close) : undefined;
  const progress = stack.use(progressLine(source, { files: paths.length }));
  for await (const batch of source.batches({ signal: stopping.signal })) {
    if (connections) await write([connections(batch)]);
    else if (words.json) await write(formatFlowJson(batch, compileFilter(filter, batch.points)));
    else live.write(batch);
  }
  progress[Symbol.dispose]();
  if (!words.json && !connections && !server) await write(print(live));
  const failure = failureOf([source]);
  if (server && !stopping.signal.aborted) {
    if (failure) process.stderr.write(`tunnelscope: ${failure.message}\n`);
    process.stderr.write(`All is read; Ctrl-C ends.\n`);
    await once(stopping.signal, 'abort');
  }
  if (failure) throw failure;
}

/** Keeps the flows in a history, and says how to ask about them. */
async function keep(paths: readonly string[], words: ReadWords, directory: string): Promise<void> {
  using stopping = stopSignal();
  const { signal } = stopping;
  let before = 0;
  const open = (
    options: Pick<CaptureSourceOptions, 'paths' | 'windowMs' | 'agent'>,
  ): CaptureSource & Disposable => {
    const source = new CaptureSource({ ...options, ...replayOf(words) });
    const progress = progressLine(source, { files: paths.length, before: before++ });
    return Object.assign(source, progress);
  };
  const imported = await importCaptures({ paths, directory, signal, open });
  signal.throwIfAborted();
  const failure = failureOf(imported.sources);
  process.stdout.write(`${describeImport(imported, directory)}\n`);
  if (failure) throw failure;
}

/** How packets are read. @throws ConfigError */
function replayOf(words: ReadWords): Pick<CaptureSourceOptions, 'ports' | 'nvgre' | 'flowCapacity'> {
  return {
    ports: parseTunnelPorts('--tunnel-ports', words.tunnelPorts ?? []),
    nvgre: words.nvgre ?? false,
    flowCapacity: parseCount('--flows', words.flows, { min: 16, max: 16_777_216 }),
  };
}

/** Tells what was not read; what could not be read is a failure. */
function failureOf(sources: readonly CaptureSource[]): Exit | undefined {
  for (const { name, packets } of sources.flatMap(({ unread }) => unread))
    process.stderr.write(`Not read: ${packets} packets of link type ${name}\n`);
  const errors = sources.flatMap((source) => source.errors);
  if (errors.length === 0) return undefined;
  return new Exit(EXIT.failed, errors.map(({ message }) => message).join('\ntunnelscope: '));
}

/** Waits for a slow reader, so that lines do not pile up in memory. */
async function write(pieces: Iterable<string>): Promise<void> {
  for (const piece of pieces) if (!process.stdout.write(piece)) await once(process.stdout, 'drain');
}

async function serve(
  words: ReadWords,
  from: { readonly source: CaptureSource; readonly live: LiveView; readonly paths: readonly string[] },
): Promise<RunningServer> {
  const { generatedToken, ...serving } = servingOf(serveConfigOf(words));
  const status = (): Status => describe(words, from);
  const names = await openNames(namesConfigOf(resolveConfiguration().configuration), {
    say: (_, line) => void process.stderr.write(`${line}\n`),
  });
  const server = await startServer({ ...serving, views: from.live, live: from.live, status, names });
  // Whoever opens a capture wants all of it, not its last seconds.
  const page = new URL(server.url);
  page.searchParams.set('window', 'all');
  if (words.filter !== undefined) page.searchParams.set('filter', words.filter);
  process.stderr.write(`Page and API: ${page}\n`);
  if (generatedToken !== undefined)
    process.stderr.write(`Access token, shown this once: ${generatedToken}\n`);
  return server;
}

function close(server: RunningServer): Promise<void> {
  return server.close();
}

const startedMs = Date.now();

function describe(
  words: ReadWords,
  {
    source,
    live,
    paths,
  }: { readonly source: CaptureSource; readonly live: LiveView; readonly paths: readonly string[] },
): Status {
  return {
    version: VERSION,
    agent: source.agent,
    hostname: hostname(),
    startedMs,
    nowMs: Date.now(),
    intervalSeconds: parseDuration('--freq', words.freq ?? `${SERVED_MS}ms`) / 1000,
    namespace: null,
    interfaces: paths.map((path, i) => ({
      name: path === '-' ? 'stdin' : basename(path),
      ifindex: i + 1,
      hook: 'capture',
      reason: 'named on the command line',
      primary: true,
    })),
    flows: live.flowCount,
    records: live.recordCount,
    flowCapacity: parseCount('--flows', words.flows, { min: 16, max: 16_777_216 }),
    rules: null,
    history: null,
    sinks: [],
    unexplained: [],
  };
}

/** A line on standard error that is rewritten in place, on a terminal only; disposing it takes it away. */
function progressLine(
  source: CaptureSource,
  { files, before = 0 }: { readonly files: number; readonly before?: number },
): Disposable {
  const { stderr } = process;
  if (!stderr.isTTY) return { [Symbol.dispose]: () => undefined };
  const started = performance.now();
  let shown = false;
  const timer = setInterval(() => {
    const { path, file, ...progress } = source.progress;
    const name = path === '-' ? 'standard input' : basename(path);
    const what = files > 1 ? `${name} (${before + file} of ${files})` : name;
    const elapsedMs = performance.now() - started;
    stderr.write(`\r${formatProgress({ what, ...progress, elapsedMs, width: stderr.columns - 1 })}\x1b[K`);
    shown = true;
  }, PROGRESS_MS);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      if (shown) stderr.write('\r\x1b[2K');
      shown = false;
    },
  };
}
