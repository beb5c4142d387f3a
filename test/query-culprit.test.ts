/* Who fills the uplink, since when, and through which tunnel: in a terminal, of a week by three questions, of now in top. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type RunningServer, startServer } from '../src/serve/index.ts';
import { ScriptedSource } from '../web/test/source.ts';
import { TmuxScreen, WITHOUT_TMUX } from './tmux-screen.ts';
import { type StoredWeek, storeWeek } from './week.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const HOUR_MS = 3_600_000;
/** Lines above the rows of a list: where and how, rates, tabs, the way, the heads. */
const ABOVE_ROWS = 5;

let week: StoredWeek;
let server: RunningServer;
before(async () => {
  week = await storeWeek();
  server = await startServer({
    listen: { host: '127.0.0.1', port: 0 },
    auth: { kind: 'none' },
    views: week.live,
    live: week.live,
    history: week.store,
    status: () => week.withHistory(new ScriptedSource().status()),
    pageDirectory: '/nonexistent',
  });
});
after(async () => {
  await server?.close();
  await week?.[Symbol.asyncDispose]();
});

async function query(question: string): Promise<string[]> {
  const words = ['query', '--connect', server.url, '--time-zone', 'UTC', question];
  const child = spawn(process.execPath, [CLI, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  assert.equal(code, 0, question);
  return said.split('\n');
}

function moment(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').slice(0, 19);
}

test('of the week: the first question names client and tunnel, the second the hour, the third the minute', async () => {
  const { address, vni, segment, tunnel, sinceMs } = week.culprit;
  const [, largest] = await query('top 5 src, segment, outer.src, outer.dst last 7d');
  assert.deepEqual(largest!.split(/ +/).slice(0, 4), [address, segment, ...tunnel]);

  const course = await query(`series last 7d where vni ${vni} and src = ${address}`);
  const hour = course.find((line) => line.startsWith('×'));
  assert.match(hour!, new RegExp(`^× \\d+ since ${moment(Math.floor(sinceMs / HOUR_MS) * HOUR_MS)}$`));
  const closer = course.find((line) => line.startsWith('more exactly: '))!.replace('more exactly: ', '');

  const minute = (await query(closer)).find((line) => line.startsWith('×'));
  assert.match(minute!, new RegExp(`^× \\d+ since ${moment(sinceMs)}$`));
});

test('of now: top begins with the tunnel, and Enter shows who is in it', { skip: WITHOUT_TMUX }, async () => {
  const { address, peer, vni, tunnel } = week.culprit;
  const dots = (text: string): string => text.replaceAll('.', '\\.');
  using screen = new TmuxScreen([process.execPath, CLI, 'top', '--connect', server.url].join(' '));
  const row = await screen.sees(new RegExp(`■ VNI ${vni} +${dots(tunnel[0])} +${dots(tunnel[1])} .*bit/s`));
  assert.equal(screen.lines.indexOf(row), ABOVE_ROWS);
  screen.keys('Enter');
  const flow = await screen.sees(new RegExp(`TCP +${dots(address)}:\\d+ +${dots(peer)}:9000`));
  assert.equal(screen.lines.indexOf(flow), ABOVE_ROWS);
  screen.keys('q');
  await screen.sees(/^ended 0/);
});
