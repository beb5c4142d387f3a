import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import type { TunnelRow } from '../src/export/index.ts';
import type { View } from '../src/query/index.ts';
import { launch, numbersBy, state } from '../web/test/browser.ts';
import { until } from './until.ts';

/*
 * The whole, as a user runs it: the demo's lab, traffic with a noisy client, the meter in its first host, the page in
 * a browser and the JSON files. With SCREENSHOTS=1 the pictures of the README are made anew.
 */

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const PICTURES = fileURLToPath(new URL('../docs/pictures/', import.meta.url));
const PREFIX = 'tsdemo-';
const DEADLINE_MS = 60_000;

let browser: Browser;
let demo: ChildProcess;
let output = '';
let directory: string;
let url: string;

function cli(...words: string[]): string {
  return execFileSync(process.execPath, [CLI, ...words], { encoding: 'utf8' });
}

/** Ours only: other labs may stand. */
function namespaces(): string[] {
  return execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.startsWith(PREFIX));
}

async function view(query = ''): Promise<View> {
  return (await (await fetch(`${url}api/v1/view?${query}`)).json()) as View;
}

before(async () => {
  browser = await launch();
  cli('lab', 'down', '--prefix', PREFIX);
  directory = mkdtempSync(join(tmpdir(), 'tunnelscope-demo-'));
  const words = [
    '--prefix',
    PREFIX,
    '--listen',
    '127.0.0.1:0',
    '--json-dir',
    directory,
    '--json-period',
    '1s',
  ];
  const noisy = ['--noisy', 'vni=10003,from=host0,to=host8,perSecond=700'];
  demo = spawn(process.execPath, [CLI, 'demo', ...words, ...noisy], { stdio: ['pipe', 'pipe', 'inherit'] });
  demo.stdout!.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await until(() => /HTTPServer listening on (\S+)/.test(output), 'the demo serves', DEADLINE_MS);
  url = `http://${/HTTPServer listening on (\S+)/.exec(output)![1]}/`;
});

after(async () => {
  await browser?.close();
  if (demo && demo.exitCode === null) {
    const ended = once(demo, 'exit');
    demo.kill('SIGINT');
    await ended;
  }
  rmSync(directory, { recursive: true, force: true });
});

async function open(query = '', options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    reducedMotion: 'reduce',
    ...options,
  });
  const page = await context.newPage();
  await page.goto(`${url}${query}`);
  await until(async () => (await state(page)) !== 'connecting', 'the page has an answer');
  return page;
}

test('the output is what the tunnel monitor of old printed, line by line', async () => {
  await until(() => output.includes('Press enter to quit:'), 'the prompt is there');
  const wanted = [
    ...Array.from({ length: 9 }, (_, i) => `Launching host ${i + 1} of 9`),
    ...Array.from({ length: 9 }, (_, i) => `Starting tunnel ${i + 1} of 9`),
    `HTTPServer listening on ${new URL(url).host}`,
    'Press enter to quit:',
  ];
  const lines = output.split('\n').filter((line) => wanted.includes(line));
  assert.deepEqual(lines, wanted);
});

test('the noisy client is obvious: named in words, and its flow is found by two clicks', async () => {
  const page = await open();
  await until(
    async () => (await view()).leader?.address === '192.168.3.1',
    'the noisy client leads',
    DEADLINE_MS,
  );
  const headline = page.locator('[data-testid=headline]');
  await until(
    async () =>
      /^192\.168\.3\.1 \(VNI 10003, on 172\.16\.1\.100\) sends \d\d % of all octets/.test(
        (await headline.textContent()) ?? '',
      ),
    'the headline names it',
  );
  await page.locator('[data-testid=row][data-node-id="172.16.1.100"]').click();
  await page.locator('[data-testid=arc][data-node-id="vxlan:10003/192.168.3.1"]').waitFor();
  const pair = 'vxlan:10003/192.168.3.1~vxlan:10003/192.168.3.9';
  await page.locator(`[data-testid=ribbon][data-pair="${pair}"]`).dispatchEvent('click');
  await page.locator('[data-testid=row][data-flow]').first().waitFor();
  const rows = await page.locator('[data-testid=row][data-flow]').allTextContents();
  assert.ok(
    rows.some((row) => /^192\.168\.3\.1:.*UDP/.test(row)),
    rows.join('\n'),
  );
  await page.context().close();
});

async function takePictures(): Promise<void> {
  const sizes = { wide: { width: 1440, height: 900 }, narrow: { width: 390, height: 844 } };
  for (const [size, viewport] of Object.entries(sizes)) {
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const [name, query] of [
        ['hosts', '?window=1m'],
        ['clients', '?window=1m&host=172.16.1.100'],
      ]) {
        const page = await open(query, { viewport, colorScheme });
        await page.locator('[data-testid=arc]').nth(3).waitFor({ state: 'attached' });
        await page.screenshot({ path: `${PICTURES}${name}-${size}-${colorScheme}.png` });
        await page.context().close();
      }
    }
  }
}

if (process.env.SCREENSHOTS === '1')
  test('pictures of every view, light and dark, wide and narrow', takePictures);

test('when the traffic rests, the page, the API and the JSON files hold the same numbers', async () => {
  cli('lab', 'quiet', '--prefix', PREFIX);
  const page = await open('?window=all');
  let seen = '';
  const agree = async (): Promise<boolean> => {
    const rows = JSON.parse(readFileSync(join(directory, 'tunnel.json'), 'utf8')) as TunnelRow[];
    const filed = rows.reduce((sum, row) => sum + Number(row.tx_bytes) + Number(row.rx_bytes), 0);
    const answer = await view('window=all');
    const tunnelled = answer.links
      .flatMap((link) => link.parts)
      .filter(({ segment }) => segment !== 'none')
      .reduce((sum, { octets }) => sum + octets, 0);
    const shown = await numbersBy(page, 'row', 'data-node-id', 'data-octets');
    const wanted = Object.fromEntries(
      answer.nodes.map((node) => [node.id, node.sent.octets + node.received.octets]),
    );
    seen = JSON.stringify({ filed, tunnelled, shown, wanted });
    return filed > 1_000_000 && filed === tunnelled && isDeepStrictEqual(shown, wanted);
  };
  await until(agree, 'all three agree', 30_000).catch((error: Error) => {
    throw new Error(`${error.message}: ${seen}`);
  });
  assert.equal((await view()).exactness.unexplained.packets, 0);
  assert.deepEqual((await view()).exactness.ledger, []);
  await page.context().close();
});

test('the delta file holds what changed, the flow file everything with times', () => {
  const delta = JSON.parse(readFileSync(join(directory, 'tunnel-delta.json'), 'utf8')) as TunnelRow[];
  assert.ok(Array.isArray(delta));
  const totals = JSON.parse(readFileSync(join(directory, 'tunnel.json'), 'utf8')) as TunnelRow[];
  assert.deepEqual(Object.keys(totals[0]!).toSorted(), [
    'inner_dip',
    'inner_sip',
    'outer_dip',
    'outer_sip',
    'rx_bytes',
    'rx_pkts',
    'tx_bytes',
    'tx_pkts',
    'vni',
  ]);
  const flows = JSON.parse(readFileSync(join(directory, 'flows.json'), 'utf8'));
  assert.ok(flows.endMs > flows.startMs);
  assert.ok(!existsSync(join(directory, 'tunnel.json.new')));
});

test('Enter ends it with code 0, and nothing is left', async () => {
  const ended = once(demo, 'exit');
  demo.stdin!.write('\n');
  assert.deepEqual(await ended, [0, null]);
  assert.deepEqual(namespaces(), []);
});
