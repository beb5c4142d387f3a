/** A browser before a real server with a scripted source; everything is closed with the test. */
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { View } from '../../src/query/index.ts';
import { type RunningServer, type ServeOptions, startServer } from '../../src/serve/index.ts';
import { until } from '../../test/until.ts';
import { buildPage } from '../../tools/page.ts';
import { labStreams, ScriptedSource, type Stream } from './source.ts';

const ARGS =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';

/** Starts the system's Chromium, and builds the page if it is old. */
export async function launch(): Promise<Browser> {
  await buildPage();
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: ARGS.split(' ') });
}

/** A page that is open before a server. */
export interface Bench extends AsyncDisposable {
  readonly page: Page;
  readonly source: ScriptedSource;
  readonly url: string;
  /** What the browser complained about: errors, refused scripts, failed requests. */
  readonly complaints: string[];
  server: RunningServer;
  /** Asks the API as the page does. */
  api(query?: string): Promise<View>;
  /** Takes in an epoch and waits until the page shows it. */
  step(): Promise<void>;
}

/** How to set a bench up. */
export interface BenchOptions {
  readonly path?: string;
  readonly streams?: readonly Stream[];
  readonly epochs?: number;
  readonly context?: BrowserContextOptions;
  readonly serve?: Partial<ServeOptions>;
  readonly prepare?: (source: ScriptedSource) => void;
}

/** Serves, opens, and waits until the page is not connecting any more. */
export async function bench(browser: Browser, options: BenchOptions = {}): Promise<Bench> {
  const source = new ScriptedSource(options.streams ?? labStreams({ noisy: true }));
  options.prepare?.(source);
  for (let i = 0; i < (options.epochs ?? 5); i++) source.step();
  const server = await serve(source, options.serve);
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    reducedMotion: 'reduce',
    ...options.context,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(`${server.url}${options.path ?? ''}`);
  await until(async () => (await state(page)) !== 'connecting', 'the page has an answer');
  const it: Bench = {
    page,
    source,
    url: server.url,
    complaints,
    server,
    api: async (query = '') => (await (await fetch(`${server.url}api/v1/view?${query}`)).json()) as View,
    step: async () => {
      const wanted = (await it.api()).epoch + 1;
      source.step();
      await until(async () => (await epoch(page)) >= wanted, `the page shows epoch ${wanted}`);
    },
    [Symbol.asyncDispose]: async () => {
      await context.close();
      await it.server.close();
    },
  };
  return it;
}

/** The server before a source; the port may be given, to start again where another was. */
export function serve(source: ScriptedSource, options: Partial<ServeOptions> = {}): Promise<RunningServer> {
  return startServer({
    listen: { host: '127.0.0.1', port: 0 },
    auth: { kind: 'none' },
    views: source,
    status: () => source.status(),
    pageDirectory: new URL('../dist', import.meta.url).pathname,
    ...options,
  });
}

/** What state the page says its figures are in. */
export async function state(page: Page): Promise<string | null> {
  return page.locator('[data-testid=connection]').getAttribute('data-state');
}

/** What stands in an element with a test id, as it is read. */
export function text(page: Page, testId: string): Promise<string> {
  // biome-ignore lint/performance/useDomNodeTextContent: with its line breaks
  return page.innerText(`[data-testid=${testId}]`);
}

/** The epoch that the page shows; 0 before the first. */
export async function epoch(page: Page): Promise<number> {
  return Number((await page.locator('.page').getAttribute('data-epoch')) ?? 0);
}

/** An attribute of all elements with a test id, in the order of the page. */
export function attributes(page: Page, testId: string, name: string): Promise<string[]> {
  return page
    .locator(`[data-testid=${testId}]`)
    .evaluateAll(
      (elements, attribute) => elements.map((element) => element.getAttribute(attribute) ?? ''),
      name,
    );
}

/** Two attributes as a map, the second a number. */
export async function numbersBy(
  page: Page,
  testId: string,
  key: string,
  value: string,
): Promise<Record<string, number>> {
  const keys = await attributes(page, testId, key);
  const values = await attributes(page, testId, value);
  return Object.fromEntries(keys.map((one, index) => [one, Number(values[index])]));
}
