/**
 * Writes docs/pictures/views: every view of the page, light and dark, wide and narrow, and every tab of top.
 *
 *     node test/write-pictures.ts
 *
 * It takes some minutes, as root: a week is stored, two demos run with labs of their own, which go with them.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { launch, serve } from '../web/test/browser.ts';
import { ScriptedSource } from '../web/test/source.ts';
import { beforeWeek } from '../web/test/week.ts';
import { terminalPage } from './terminal-page.ts';
import { TmuxScreen } from './tmux-screen.ts';
import { until } from './until.ts';
import {
  PICTURES,
  SCHEMES,
  SIZES,
  TERMINALS,
  TOP_TABS,
  VIEW_PICTURES,
  type ViewPicture,
} from './view-pictures.ts';
import { storeWeek } from './week.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const READY_MS = 120_000;
/** A window of a minute is full. */
const WINDOW_MS = 60_000;
/** Of the machine in the pictures, whatever this one is called. */
const HOSTNAME = 'lab';
/** Much more than others, not all. */
const NOISY = 'vni=10003,from=host0,to=host8,perSecond=300';
const QUALITY = 72;
/** Some seconds of the window of top, or what has none. */
const FILLED = /last (9|[1-5]\d) s|Ledger since|All connections/;
/** Labs beside those of others, with a directory of their own for what runs in them. */
const PREFIXES = { overlay: 'tspict-', bridges: 'tspicb-' } as const;

/** A demo that runs until it is disposed of. */
class Demo implements AsyncDisposable {
  readonly url: string;
  readonly readyMs: number = performance.now();
  readonly #child: ChildProcess;

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.#child = child;
  }

  static async start(words: readonly string[], directory: string): Promise<Demo> {
    mkdirSync(directory, { mode: 0o750 });
    const command = [process.execPath, CLI, 'demo', ...words, '--listen', '127.0.0.1:0'];
    const child = spawn(
      'unshare',
      ['--uts', 'sh', '-c', `hostname ${HOSTNAME} && exec "$@"`, 'sh', ...command],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, RUNTIME_DIRECTORY: directory, LOGS_DIRECTORY: directory },
      },
    );
    let said = '';
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const address = (): string | undefined => /HTTPServer listening on (\S+)/.exec(said)?.[1];
    const isThere = (): boolean => address() !== undefined || child.exitCode !== null;
    await until(isThere, 'the demo serves', READY_MS);
    assert.ok(address(), said);
    return new Demo(`http://${address()}/`, child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGINT');
    assert.deepEqual(await ended, [0, null], 'the demo ends in order');
  }
}

/** Takes a view in one size and colour. */
async function take(
  browser: Browser,
  { name, drawn }: ViewPicture,
  { url, size, scheme }: { url: string; size: keyof typeof SIZES; scheme: (typeof SCHEMES)[number] },
): Promise<void> {
  const viewport = SIZES[size];
  const context = await browser.newContext({
    viewport,
    colorScheme: scheme,
    reducedMotion: 'reduce',
    timezoneId: 'UTC',
  });
  const page = await context.newPage();
  await page.goto(url);
  await page.locator(drawn).first().waitFor({ state: 'attached', timeout: READY_MS });
  const isWaiting = '[aria-busy=true], .skeleton, .is-waiting, .ghost';
  await until(async () => (await page.locator(isWaiting).count()) === 0, `all of ${name} is there`, READY_MS);
  // Two frames later what was told last is painted.
  await page.evaluate(
    'new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)))',
  );
  await write(page, `${name}-${size}-${scheme}`);
  await context.close();
}

/** What top shows of the first host of the overlay's lab. */
async function takeTop(browser: Browser): Promise<void> {
  const words = ['top', '--netns', `${PREFIXES.overlay}host0`, '-i', 'eth0', '--window', '1m'];
  const environment = { TERM: 'screen-256color', COLORTERM: '' };
  const page = await browser.newPage({ viewport: SIZES.wide });
  for (const [columns, rows] of TERMINALS)
    for (const [tab, filled] of Object.entries(TOP_TABS)) {
      const own = [process.execPath, CLI, ...words, '--tab', tab].join(' ');
      const command = `unshare --uts sh -c "hostname ${HOSTNAME} && exec ${own}"`;
      using screen = new TmuxScreen(command, { columns, rows, environment });
      await screen.sees(filled);
      // Rates need a few seconds to be more than those of one epoch.
      await screen.sees(FILLED);
      await page.setContent(terminalPage(screen.coloured.trimEnd()));
      await write(page, `top-${tab}-${columns}x${rows}`, (await page.locator('pre').boundingBox())!);
      screen.keys('q');
      await screen.sees(/^ended 0/);
    }
  await page.close();
}

/** Writes what a page shows, or a part of it. */
async function write(
  page: Page,
  name: string,
  part?: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const clip = part && { ...part, scale: 1 };
  const { data } = await session.send('Page.captureScreenshot', {
    format: 'webp',
    quality: QUALITY,
    ...(clip && { clip }),
  });
  await session.detach();
  writeFileSync(join(PICTURES, `${name}.webp`), Buffer.from(data, 'base64'));
}

async function takeAll(): Promise<void> {
  rmSync(PICTURES, { recursive: true, force: true });
  mkdirSync(PICTURES, { recursive: true });
  const directory = mkdtempSync(join(tmpdir(), 'tspict-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(directory, { recursive: true, force: true }));
  const overlay = stack.use(
    await Demo.start(['--prefix', PREFIXES.overlay, '--noisy', NOISY], join(directory, 'overlay')),
  );
  const bridges = stack.use(
    await Demo.start(['bridge-mesh', '--prefix', PREFIXES.bridges], join(directory, 'bridges')),
  );
  const week = stack.use(await storeWeek());
  const { serve: options } = beforeWeek(week);
  const server = await serve(new ScriptedSource(), options);
  stack.defer(() => server.close());
  const browser = await launch();
  stack.defer(() => browser.close());
  const urls = { week: server.url, overlay: overlay.url, bridges: bridges.url };
  const rest = WINDOW_MS - (performance.now() - overlay.readyMs);
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, rest)));
  for (const picture of VIEW_PICTURES)
    for (const size of Object.keys(SIZES) as (keyof typeof SIZES)[])
      for (const scheme of SCHEMES) {
        const url = `${urls[picture.before]}?sight=${picture.sight}&${picture.query(week)}`;
        await take(browser, picture, { url, size, scheme });
      }
  await takeTop(browser);
}

await takeAll();
