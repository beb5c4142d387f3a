/** What an update of the page costs in the browser, and how soon the first diagram is there. */
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import type { Audit, View, ViewQuestion, ViewSource } from '../src/query/index.ts';
import { type RunningServer, startServer } from '../src/serve/index.ts';
import { buildPage } from '../tools/page.ts';
import { crowdStreams, ScriptedSource, type Stream } from '../web/test/source.ts';
import { type Benchmark, type BenchmarkOptions, type Figure, median, minimum } from './figure.ts';
import { scrollFigures } from './page-scroll.ts';
import { weightFigures } from './page-weight.ts';
import {
  mainThread,
  type Spent,
  type Task,
  TRACE_CATEGORIES,
  type TraceEvent,
  tasksBetween,
} from './trace.ts';

const HOSTS = 200;
const PAIRS = 5000;
const BUDGET_MS = 16;
/** A page at work has seen some updates: its code is compiled. */
const WARM_UPS = 15;
/** From an answer until the page has shown it and come to rest: longer than its movement, milliseconds. */
const SETTLE_MS = 1000;
/** Epochs there are before the page comes: a whole window. */
const WARM_EPOCHS = 5;
/** Between the making of an answer and its sending, milliseconds. */
const QUIET_MS = 150;

const ARGS =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';
const LAUNCH = { executablePath: '/usr/bin/chromium', args: ARGS.split(' ') };

export const page: Benchmark = {
  name: 'page',
  method:
    `The built page in Chromium, 1440 × 900, before a server with made figures: ${HOSTS} hosts, ${PAIRS} directed ` +
    'pairs, twelve segments; every flow changes in every epoch, by up to a quarter. Main thread, from a trace: script ' +
    'with its garbage collection and microtasks, styles and layout, paint. *Update*: with less motion asked for, all ' +
    'from the arrival of an answer until nothing happens any more. *Gliding*: the same with the movement after it. ' +
    'Each answer is computed well before it is sent, so that the source does not work beside the page, and nothing is ' +
    'asked of the page while it is measured. What a script ' +
    'takes is judged by the time its thread was on a processor, for a wall clock also counts when others had it; the ' +
    'figures of the wall clock stand beside. The figure is the best update; the target is judged by the median, or by ' +
    'what the row says. *Scroll*: the view of flows with 100,000 rows of a store, by a wheel at 3000 pixels per second and by ' +
    'its bar from the top to the end.',
  async run(options) {
    const { quick, progress } = options;
    progress(await buildPage());
    await using crowd = await Crowd.open();
    const browser = await chromium.launch(LAUNCH);
    try {
      const rounds = quick ? 10 : 40;
      const still = await updates(browser, crowd, { rounds, reducedMotion: 'reduce', progress });
      const gliding = await updates(browser, crowd, { rounds, reducedMotion: 'no-preference', progress });
      const first = await firstDiagrams(browser, crowd, quick ? 3 : 10);
      return [
        ...updateFigures(still),
        ...glidingFigures(gliding),
        firstFigure(first),
        ...(await scrollFigures(options, LAUNCH)),
        ...(await weightFigures()),
      ];
    } finally {
      await browser.close();
    }
  },
};

/** One update: its tasks, and what the browser itself sums up as scripting. */
interface Update {
  readonly tasks: readonly Task[];
  readonly scriptDuration: number;
}

function updateFigures(updates: readonly Update[]): Figure[] {
  const script = updates.map((each) => sum(each.tasks, 'script'));
  const onProcessor = updates.map((each) => sum(each.tasks, 'scriptCpu'));
  return [
    {
      ...row('update: scripting, on a processor', onProcessor),
      target: { of: 'median', atMost: BUDGET_MS },
      note: 'time of the thread: without the waiting for a processor while others had it',
    },
    worst('update: scripting, on a processor, the worst', onProcessor),
    { ...row('update: scripting', script), note: 'by the wall clock' },
    {
      ...row(
        'update: scripting as ScriptDuration says',
        updates.map((each) => each.scriptDuration),
      ),
      note: 'of Performance.getMetrics: without the microtasks that read the answer',
    },
    row(
      'update: styles and layout',
      updates.map((each) => sum(each.tasks, 'layout')),
    ),
    row(
      'update: paint',
      updates.map((each) => sum(each.tasks, 'paint')),
    ),
  ];
}

function glidingFigures(updates: readonly Update[]): Figure[] {
  const largest = (of: (task: Task) => number): number[] =>
    updates.map(({ tasks }) => Math.max(...tasks.map(of)));
  const frames = updates.map((each) => each.tasks.filter((task) => task.isFrame && task.script > 0).length);
  const script = largest((task) => task.scriptCpu);
  return [
    {
      ...row(
        'gliding: scripting, update and frames',
        updates.map((each) => sum(each.tasks, 'script')),
      ),
      note: `about ${median(frames)} frames with script each`,
    },
    {
      ...row('gliding: largest task or frame, scripting, on a processor', script),
      target: { of: 'median', atMost: BUDGET_MS },
    },
    worst('gliding: largest task or frame, scripting, on a processor, the worst', script),
    row(
      'gliding: largest task or frame, scripting',
      largest((task) => task.script),
    ),
    {
      ...row(
        'gliding: largest task or frame with styles, layout, paint',
        largest((task) => task.length),
      ),
      note: 'the whole time that the main thread was taken',
    },
    row(
      'gliding: styles and layout, update and frames',
      updates.map((each) => sum(each.tasks, 'layout')),
    ),
    row(
      'gliding: paint, update and frames',
      updates.map((each) => sum(each.tasks, 'paint')),
    ),
  ];
}

function firstFigure(times: readonly number[]): Figure {
  return {
    ...row('first diagram after load', times),
    target: { of: 'median', atMost: 1000 },
    note: 'from the start of navigation, nothing cached, until the frame after the arcs have their shapes',
  };
}

function row(name: string, values: readonly number[]): Figure {
  return { name, unit: 'ms', figure: minimum(values), median: median(values), rounds: values.length };
}

function worst(name: string, values: readonly number[]): Figure {
  const figure = Math.max(...values);
  return { name, unit: 'ms', figure, rounds: values.length, target: { of: 'figure', atMost: BUDGET_MS } };
}

function sum(tasks: readonly Task[], kind: keyof Spent): number {
  return tasks.reduce((total, task) => total + task[kind], 0);
}

interface UpdatesOptions extends Pick<BenchmarkOptions, 'progress'> {
  readonly rounds: number;
  readonly reducedMotion: 'reduce' | 'no-preference';
}

async function updates(browser: Browser, crowd: Crowd, options: UpdatesOptions): Promise<Update[]> {
  const context = await open(browser, options.reducedMotion);
  const tab = await context.newPage();
  await tab.goto(crowd.url);
  await tab.waitForSelector('[data-arc][d]', { state: 'attached' });
  const measured = await measure(browser, tab, crowd, options);
  await context.close();
  return measured;
}

/** Where the page's clock and its sum of scripting stand. */
interface Mark {
  readonly atUs: number;
  readonly scriptMs: number;
}

async function measure(
  browser: Browser,
  tab: Page,
  crowd: Crowd,
  { rounds, reducedMotion, progress }: UpdatesOptions,
): Promise<Update[]> {
  const session = await tab.context().newCDPSession(tab);
  await session.send('Performance.enable');
  const metrics = async (): Promise<Mark> => {
    const list = (await session.send('Performance.getMetrics')).metrics;
    const seconds = (name: string): number => list.find((metric) => metric.name === name)!.value;
    return { atUs: seconds('Timestamp') * 1e6, scriptMs: seconds('ScriptDuration') * 1000 };
  };
  for (let i = 0; i < WARM_UPS; i++) await crowd.turn();
  await browser.startTracing(tab, { categories: TRACE_CATEGORIES });
  const marks: { readonly before: Mark; readonly after: Mark }[] = [];
  for (let i = 0; i < rounds; i++) {
    const before = await metrics();
    const epoch = await crowd.turn();
    marks.push({ before, after: await metrics() });
    // Only now, when it is not measured: what the page does to answer is no part of an update.
    const shown = await tab.locator('.page').getAttribute('data-epoch');
    if (shown !== String(epoch))
      throw new Error(`after ${SETTLE_MS} ms epoch ${shown} is shown, not ${epoch}`);
  }
  const trace = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  const events = mainThread(trace.traceEvents);
  progress(`${rounds} updates, motion: ${reducedMotion}, ${events.length} events`);
  return marks.map(({ before, after }) => ({
    tasks: tasksBetween(events, before.atUs, after.atUs),
    scriptDuration: after.scriptMs - before.scriptMs,
  }));
}

/** Loads the page anew each time; gives milliseconds since the start of navigation. */
async function firstDiagrams(browser: Browser, crowd: Crowd, rounds: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const context = await open(browser, 'no-preference');
    const tab = await context.newPage();
    const seen = Promise.withResolvers<number>();
    await tab.exposeBinding('seen', (_, ms: number) => seen.resolve(ms));
    await tab.addInitScript(`new MutationObserver((_, observer) => {
      if (!document.querySelector('[data-arc][d]')) return;
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(() => window.seen(performance.now())));
    }).observe(document, { childList: true, subtree: true })`);
    await tab.goto(crowd.url);
    times.push(await seen.promise);
    await context.close();
  }
  return times;
}

function open(browser: Browser, reducedMotion: UpdatesOptions['reducedMotion']): Promise<BrowserContext> {
  return browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion });
}

/** Works out each answer when the epoch comes, and tells of it when it is asked to: what it sends costs it no more. */
class Prepared implements ViewSource {
  readonly #source: ScriptedSource;
  readonly #listeners = new Set<() => void>();
  readonly #answers = new Map<string, { readonly question: ViewQuestion; view: View }>();

  constructor(source: ScriptedSource) {
    this.#source = source;
  }

  audit(): Audit {
    return this.#source.audit();
  }

  view(question: ViewQuestion): View {
    const key = JSON.stringify(question);
    let answer = this.#answers.get(key);
    if (!answer) {
      answer = { question, view: this.#source.view(question) };
      this.#answers.set(key, answer);
    }
    return answer.view;
  }

  onEpoch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes in an epoch and answers what was asked so far. */
  prepare(): void {
    this.#source.step();
    for (const answer of this.#answers.values()) answer.view = this.#source.view(answer.question);
  }

  tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Many hosts that talk, behind a server. */
class Crowd implements AsyncDisposable {
  readonly url: string;
  readonly #server: RunningServer;
  readonly #source: ScriptedSource;
  readonly #prepared: Prepared;
  readonly #streams: readonly Stream[];
  #turns = 0;

  private constructor(server: RunningServer, source: ScriptedSource, prepared: Prepared) {
    this.url = server.url;
    this.#server = server;
    this.#source = source;
    this.#prepared = prepared;
    this.#streams = source.streams;
  }

  static async open(): Promise<Crowd> {
    const source = new ScriptedSource(crowdOf(HOSTS, PAIRS));
    for (let i = 0; i < WARM_EPOCHS; i++) source.step();
    const prepared = new Prepared(source);
    const server = await startServer({
      listen: { host: '127.0.0.1', port: 0 },
      auth: { kind: 'none' },
      views: prepared,
      status: () => source.status(),
      pageDirectory: new URL('../web/dist', import.meta.url).pathname,
    });
    return new Crowd(server, source, prepared);
  }

  /** One epoch, in which all figures change; gives its number when the page has had time to show it. */
  async turn(): Promise<number> {
    const turn = ++this.#turns;
    this.#source.streams = this.#streams.map((stream, i) => ({
      ...stream,
      octets: Math.round(stream.octets * (1 + 0.25 * Math.sin(turn / 2 + i))),
    }));
    this.#prepared.prepare();
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    this.#prepared.tell();
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    return WARM_EPOCHS + turn;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close();
  }
}

/** Flows of exactly so many directed pairs; some pairs talk in several segments. */
function crowdOf(hosts: number, pairs: number): Stream[] {
  const kept = new Set<string>();
  return crowdStreams(hosts, 2 * pairs).filter(({ outer }) => {
    const pair = outer!.join('~');
    if (kept.size < pairs) kept.add(pair);
    return kept.has(pair);
  });
}
