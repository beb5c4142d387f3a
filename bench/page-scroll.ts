/** Scrolling a table of 100,000 rows: which frames come late, what of the table is not there in them, what each costs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type LaunchOptions, type Page } from 'playwright-core';
import { batchOf } from '../src/flow/batch.fixture.ts';
import { startServer } from '../src/serve/index.ts';
import { DuckDbStore } from '../src/store/index.ts';
import { crowdStreams, recordOf, ScriptedSource } from '../web/test/source.ts';
import { type BenchmarkOptions, type Figure, median, minimum } from './figure.ts';
import { mainThread, TRACE_CATEGORIES, type TraceEvent, tasksBetween } from './trace.ts';

const ROWS = 100_000;
const HOSTS = 400;
const BEGIN_MS = Date.UTC(2026, 10, 21, 10);
const MINUTE_MS = 60_000;
/** A frame at 60 per second, and so much later it is late: clocks have steps. */
const FRAME_MS = 1000 / 60;
const LATE_MS = 1;
const BUDGET_MS = 16;
/** What a wheel scrolls, CSS pixels, and how fast: some hundred rows per second. */
const WHEEL = { distance: 12_000, speed: 3000 } as const;
/** Moves of the pointer that drags the bar, from the top of the table to its end. */
const DRAG_STEPS = 240;
/** The middle of what is dragged of a bar of Chromium's, from its outer edge and from its upper end, CSS pixels. */
const THUMB = { across: 7, along: 24 } as const;

/** Told by the page: when its frames began, and in how many of them rows in sight were not there. */
interface Frames {
  readonly times: readonly number[];
  readonly bare: number;
}

/** One scroll. */
interface Scroll {
  /** Of all frames, percent. */
  readonly late: number;
  readonly bare: number;
  /** Milliseconds. */
  readonly longest: number;
  /** On a processor, of each task of the main thread that was a frame or ran script, milliseconds. */
  readonly script: readonly number[];
}

/** How the table is scrolled. */
type Way = (page: Page) => Promise<void>;

/** Figures of the built page before a store. @param launch of the browser */
export async function scrollFigures(
  { quick, progress }: BenchmarkOptions,
  launch: LaunchOptions,
): Promise<Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), 'tsbench-scroll-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(directory, { recursive: true }));
  const store = await DuckDbStore.open({
    path: join(directory, 'history.duckdb'),
    intervalMs: MINUTE_MS,
    clock: () => BEGIN_MS + MINUTE_MS,
  });
  stack.defer(() => store.close());
  const records = crowdStreams(HOSTS, 1.1 * ROWS).map(recordOf);
  await store.commit([batchOf(records, { startMs: BEGIN_MS, endMs: BEGIN_MS + MINUTE_MS })]);
  const source = new ScriptedSource(crowdStreams(4, 4));
  source.step();
  const server = await startServer({
    listen: { host: '127.0.0.1', port: 0 },
    auth: { kind: 'none' },
    views: source,
    history: store,
    status: () => source.status(),
    pageDirectory: new URL('../web/dist', import.meta.url).pathname,
  });
  stack.defer(() => server.close());
  // With bars to be dragged.
  const browser = await chromium.launch({ ...launch, ignoreDefaultArgs: ['--hide-scrollbars'] });
  stack.defer(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  const span = [BEGIN_MS, BEGIN_MS + MINUTE_MS].map((ms) => new Date(ms).toISOString()).join('/');
  await page.goto(`${server.url}?sight=flows&rows=${ROWS}&time=${span}`);
  await page.locator(`[data-testid=grid][aria-rowcount="${1 + ROWS}"]`).waitFor({ timeout: 120_000 });
  progress(`a table of ${ROWS} rows`);
  const rounds = quick ? 2 : 6;
  const wheel = await scrolls(browser, page, { way: byWheel, rounds });
  const drag = await scrolls(browser, page, { way: byBar, rounds });
  return [...figuresOf('by wheel', wheel), ...figuresOf('by the bar', drag)];
}

async function scrolls(
  browser: Browser,
  page: Page,
  { way, rounds }: { readonly way: Way; readonly rounds: number },
): Promise<Scroll[]> {
  const grid = page.locator('[data-testid=grid]');
  const found: Scroll[] = [];
  // The first one compiles what it runs, and does not count.
  for (let round = -1; round < rounds; round++) {
    await grid.evaluate((element) => {
      element.scrollTop = 0;
    });
    await page.locator('[aria-rowindex="2"]').waitFor();
    await browser.startTracing(page, { categories: TRACE_CATEGORIES });
    await page.evaluate(WATCH);
    await way(page);
    const frames = (await page.evaluate('window.scrolling.end()')) as Frames;
    const trace = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
    if ((await grid.evaluate((element) => element.scrollTop)) === 0)
      throw new Error('the table was not scrolled');
    if (round >= 0) found.push(scrollOf(frames, mainThread(trace.traceEvents)));
  }
  return found;
}

/**
 * Looks at each frame before it is painted, when scrolls were told to the page: when it begins, and whether each row in sight is
 * there.
 */
const WATCH = `(() => {
  const grid = document.querySelector('[data-testid=grid]');
  const height = grid.querySelector('[data-testid=grid-row]').offsetHeight;
  const inSight = Math.floor(grid.clientHeight / height) - 1;
  const count = Number(grid.getAttribute('aria-rowcount')) - 1;
  const times = [];
  let bare = 0;
  let isOver = false;
  const look = (time) => {
    times.push(time);
    const drawn = [...grid.querySelectorAll('[data-testid=grid-row]')].map((row) => Number(row.getAttribute('aria-rowindex')) - 2);
    const first = Math.floor(grid.scrollTop / height);
    const last = Math.min(count, first + inSight) - 1;
    if (Math.min(...drawn) > first || Math.max(...drawn) < last) bare++;
    if (!isOver) requestAnimationFrame(look);
  };
  window.scrolling = {
    end() {
      isOver = true;
      return { times, bare };
    },
  };
  requestAnimationFrame(look);
})()`;

async function byWheel(page: Page): Promise<void> {
  const { x, y, width, height } = (await page.locator('[data-testid=grid]').boundingBox())!;
  const session = await page.context().newCDPSession(page);
  await session.send('Input.synthesizeScrollGesture', {
    x: x + width / 2,
    y: y + height / 2,
    yDistance: -WHEEL.distance,
    speed: WHEEL.speed,
    gestureSourceType: 'mouse',
  });
  await session.detach();
}

async function byBar(page: Page): Promise<void> {
  const { x, y, width, height } = (await page.locator('[data-testid=grid]').boundingBox())!;
  const bar = x + width - THUMB.across;
  await page.mouse.move(bar, y + THUMB.along);
  await page.mouse.down();
  await page.mouse.move(bar, y + height, { steps: DRAG_STEPS });
  await page.mouse.up();
}

function scrollOf({ times, bare }: Frames, events: readonly TraceEvent[]): Scroll {
  const intervals = times.slice(1).map((time, i) => time - times[i]!);
  const late = intervals.filter((interval) => interval > FRAME_MS + LATE_MS).length;
  const tasks = tasksBetween(events, 0, Number.POSITIVE_INFINITY);
  return {
    late: (100 * late) / intervals.length,
    bare: (100 * bare) / times.length,
    longest: Math.max(...intervals),
    script: tasks.filter(({ isFrame, scriptCpu }) => isFrame || scriptCpu > 0).map((task) => task.scriptCpu),
  };
}

function figuresOf(way: string, found: readonly Scroll[]): Figure[] {
  const row = (name: string, unit: string, of: (scroll: Scroll) => number): Figure => {
    const values = found.map(of);
    const figure = minimum(values);
    return { name: `scroll ${way}: ${name}`, unit, figure, median: median(values), rounds: found.length };
  };
  return [
    {
      ...row('frames that came late', '%', ({ late }) => late),
      target: { of: 'median', atMost: 5 },
      note: `more than ${(FRAME_MS + LATE_MS).toFixed(1)} ms behind the one before, by the times of animation frames`,
    },
    row('longest time between two frames', 'ms', ({ longest }) => longest),
    {
      ...row('frames without a row in sight', '%', ({ bare }) => bare),
      note: 'not drawn in time: the ground of the table shows there',
    },
    row('scripting of a task, on a processor', 'ms', ({ script }) => median(script)),
    {
      ...row('scripting of a task, on a processor, the largest', 'ms', ({ script }) => Math.max(...script)),
      target: { of: 'median', atMost: BUDGET_MS },
    },
  ];
}
