/** The page, the API and the metrics before real bridges in namespaces: what is drawn is what they forward. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { noTcx } from '../src/bpf/testdata/probe.ts';
import { VirtualNetworksSchema } from '../src/query/index.ts';
import { attributes, launch } from '../web/test/browser.ts';
import { until } from './until.ts';
import { Scene } from './vnet-bridge-scene.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const VNIS = [10000, 10001];
const LINK = /\/tspgh0~.*\/tspgh1$/;

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** Something that runs until it is disposed. */
function running(words: readonly string[], env = process.env): { child: ChildProcess } & AsyncDisposable {
  const child = spawn(words[0]!, words.slice(1), { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  return {
    child,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill();
      await ended;
    },
  };
}

/** The monitor in a host's namespace. @returns where its page is */
async function monitor(scene: Scene, stack: AsyncDisposableStack): Promise<string> {
  const { child } = stack.use(
    running(
      [process.execPath, CLI, 'monitor', '--netns', scene.host(0), '--iface', 'eth0', '-l', '127.0.0.1:0'],
      scene.environment,
    ),
  );
  let said = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await until(() => /Page and API: \S+/.test(said) || child.exitCode !== null, 'the page is served', 60_000);
  return /Page and API: (\S+)/.exec(said)![1]!;
}

/** Words on the links between the first two hosts, by segment. */
async function rates(page: Page): Promise<Record<string, string>> {
  const labels = await page.locator('[data-testid=link-label]').evaluateAll((marks) =>
    marks.map((mark) => {
      const attribute = (name: string): string => mark.getAttribute(name) ?? '';
      return [attribute('data-link'), attribute('data-segment'), mark.textContent ?? ''] as const;
    }),
  );
  return Object.fromEntries(
    labels
      .filter(([link]) => LINK.test(link))
      .map(([, segment, words]) => [segment, words.replace(/^VNI \d+ /, '')]),
  );
}

test('real bridges are drawn with what goes between them, and a click on it shows these flows', {
  skip: noTcx,
}, async () => {
  await using stack = new AsyncDisposableStack();
  const scene = stack.use(Scene.build({ prefix: 'tspg', hosts: 3, vnis: VNIS, ports: 'bridge' }));
  await scene.startAll();
  const url = await monitor(scene, stack);
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  stack.defer(() => context.close());
  const page = await context.newPage();
  await page.goto(`${url}?sight=network`);
  await until(
    async () => (await attributes(page, 'card', 'data-kind')).length === 3,
    'three hosts are drawn',
  );
  assert.deepEqual(await attributes(page, 'card', 'data-kind'), ['host', 'host', 'host']);

  stack.use(
    running([
      ...['ip', 'netns', 'exec', scene.tenant(0, 0)],
      ...['ping', '-q', '-i', '0.02', '-s', '1000', scene.tenantAddress(1)],
    ]),
  );
  await until(
    async () => /^[1-9][\d.]* kbit\/s$/.test((await rates(page))['vxlan:10000'] ?? ''),
    'what goes in one segment stands on its link',
    30_000,
  );
  assert.equal((await rates(page))['vxlan:10001'], '0 bit/s', 'and not in the other');
  for (const host of [0, 1]) {
    const row = page.locator(`[data-testid=row][data-mac="${scene.mac(host)}"]`);
    assert.match((await row.textContent()) ?? '', new RegExp(`10000${scene.host(host)}`));
  }

  const answer = VirtualNetworksSchema.parse(await (await fetch(`${url}api/v1/vnet`)).json());
  assert.deepEqual(
    answer.functions.map(({ name }) => name),
    [0, 1, 2].map((host) => scene.name(host)),
  );
  const metrics = await (await fetch(`${url}metrics`)).text();
  const sent = new RegExp(
    `^tunnelscope_vnet_peer_packets_total\\{function="${scene.name(0)}",peer="${scene.address(1)}",vni="10000",direction="sent"\\} ([1-9]\\d*)$`,
    'm',
  );
  assert.match(metrics, sent);

  await page.locator('[data-testid=link-label][data-segment="vxlan:10000"] a').first().click();
  await page.locator('[data-testid=row][data-flow]').first().waitFor();
  const flows = await page.locator('[data-testid=row][data-flow]').allTextContents();
  assert.ok(
    flows.every((flow) => flow.includes('VNI 10000') && flow.includes(scene.address(1))),
    flows.join('; '),
  );
  assert.ok(
    flows.some((flow) => flow.includes('ICMP') && flow.includes(scene.tenantAddress(1))),
    flows.join('; '),
  );

  await page.goBack();
  await scene.end(2);
  await until(
    async () => (await attributes(page, 'card', 'data-kind')).filter((kind) => kind === 'peer').length === 1,
    'the host whose bridge is gone is known to its peers only',
  );
  const words = await page.locator('[data-testid=card][data-kind=peer]').textContent();
  assert.match(words ?? '', new RegExp(scene.address(2)));
});
