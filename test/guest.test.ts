import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { collectRunStatistics } from '../src/bpf/index.ts';
import { noTcx } from '../src/bpf/testdata/probe.ts';

/*
 * The meter is a guest: beside a tcx program and a clsact filter of others, started twice, killed, started again. All
 * of it in two namespaces joined by a veth.
 */

const A = 'tsguest-a';
const B = 'tsguest-b';
const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const FLOOR = fileURLToPath(new URL('../bpf/floor.bpf.o', import.meta.url));
const LIST = fileURLToPath(new URL('./tcx-list.ts', import.meta.url));
const FOREIGN = fileURLToPath(new URL('./foreign.ts', import.meta.url));

function ip(...words: string[]): string {
  return execFileSync('ip', words, { encoding: 'utf8' });
}

function inA(...words: string[]): string {
  return execFileSync('ip', ['netns', 'exec', A, ...words], { encoding: 'utf8' });
}

/** A program at A's eth0. */
interface AtHook {
  readonly hook: 'tcx' | 'clsact';
  readonly id: number;
  readonly name: string;
}

/** All programs at A's eth0, both directions. */
function atHooks(): AtHook[] {
  const tcx = noTcx
    ? []
    : (JSON.parse(inA(process.execPath, LIST, 'eth0')) as { id: number; name: string }[]);
  const clsact = ['ingress', 'egress'].flatMap((direction) =>
    [...inA('tc', 'filter', 'show', 'dev', 'eth0', direction).matchAll(/ id (\d+) name (\S+)/g)].map(
      ([, id, name]) => ({
        hook: 'clsact' as const,
        id: Number(id),
        name: name!,
      }),
    ),
  );
  return [...tcx.map((each) => ({ hook: 'tcx' as const, ...each })), ...clsact];
}

/** Names of the programs at A's eth0, by hook. */
function programs(): { tcx: string[]; clsact: string[] } {
  const all = atHooks();
  const names = (hook: string): string[] =>
    all
      .filter((each) => each.hook === hook)
      .map(({ name }) => name)
      .toSorted();
  return { tcx: names('tcx'), clsact: names('clsact') };
}

/** How often each foreign program at A's eth0 has run: two of tcx where the kernel has it, one of clsact. */
function foreignRuns(): number[] {
  return atHooks()
    .filter(({ name }) => name === 'floor_empty')
    .map(({ id }) => JSON.parse(inA('bpftool', '-j', 'prog', 'show', 'id', String(id))).run_cnt ?? 0);
}

/** Pings and asserts that all come back and that every foreign program ran on each. */
function assertForeignUntouched(): void {
  const before = foreignRuns();
  assert.equal(before.length, noTcx ? 1 : 3);
  assert.equal(ping(20), 20);
  for (const [i, runs] of foreignRuns().entries())
    assert.ok(runs - before[i]! >= 20, 'the programs of others get every packet');
}

/** Sends pings from B and says how many came back. */
function ping(count: number): number {
  const text = execFileSync(
    'ip',
    ['netns', 'exec', B, 'ping', '-c', String(count), '-i', '0.02', '-q', '10.77.0.1'],
    { encoding: 'utf8' },
  );
  return Number(/(\d+) received/.exec(text)?.[1]);
}

async function untilLine(child: ChildProcess, pattern: RegExp): Promise<void> {
  let text = '';
  for await (const chunk of child.stdout!.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    text += chunk;
    if (pattern.test(text)) return;
  }
  throw new Error(`ended without ${pattern}: ${text}`);
}

/** @throws Error with all that it said and how it ended, when that is before it serves. */
async function startMonitor(...words: string[]): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    [CLI, 'monitor', '--netns', A, '-i', 'eth0', '--listen', '127.0.0.1:0', ...words],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const closed = once(child, 'close');
  monitors.add(child);
  child.once('exit', () => monitors.delete(child));
  try {
    await untilLine(child, /Page and API/);
  } catch (error) {
    const [code, signal] = await closed;
    throw new Error(`${(error as Error).message} (${code ?? signal}) ${complaint}`, { cause: error });
  }
  return child;
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  const ended = once(child, 'exit');
  child.kill(signal);
  const [code] = (await ended) as [number | null];
  return code;
}

let foreign: ChildProcess | undefined;
/** Those that run: a test that fails leaves them, and they would keep this process. */
const monitors = new Set<ChildProcess>();
let statistics: Disposable;

before(async () => {
  statistics = collectRunStatistics();
  for (const name of [A, B]) {
    // What a killed run left.
    if (new RegExp(`^${name}\\b`, 'm').test(ip('netns', 'list'))) ip('netns', 'del', name);
    ip('netns', 'add', name);
  }
  ip('-n', A, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', B);
  for (const [i, name] of [A, B].entries()) {
    ip('-n', name, 'addr', 'add', `10.77.0.${i + 1}/24`, 'dev', 'eth0');
    ip('-n', name, 'link', 'set', 'eth0', 'up');
  }
  inA('tc', 'qdisc', 'add', 'dev', 'eth0', 'clsact');
  inA(
    'tc',
    'filter',
    'add',
    'dev',
    'eth0',
    'ingress',
    'pref',
    '10',
    'bpf',
    'obj',
    FLOOR,
    'sec',
    'tc',
    'direct-action',
  );
  if (noTcx) return;
  foreign = spawn(process.execPath, [FOREIGN, A, 'eth0'], { stdio: ['pipe', 'pipe', 'inherit'] });
  await untilLine(foreign, /attached/);
});

after(async () => {
  statistics[Symbol.dispose]();
  for (const child of [...monitors, ...(foreign ? [foreign] : [])]) await stop(child, 'SIGTERM');
  for (const name of [A, B]) ip('netns', 'del', name);
});

test('on tcx: two at once, one killed, one started again; foreign programs stay and none of ours is left', {
  skip: noTcx,
}, async () => {
  const bare = programs();
  assert.deepEqual(bare.tcx, ['floor_empty', 'floor_empty']);
  const first = await startMonitor('--hook', 'tcx');
  const second = await startMonitor('--hook', 'tcx');
  assert.deepEqual(programs().tcx, [
    'floor_empty',
    'floor_empty',
    'ts_egress',
    'ts_egress',
    'ts_ingress',
    'ts_ingress',
  ]);
  assertForeignUntouched();
  await stop(first, 'SIGKILL');
  const third = await startMonitor('--hook', 'tcx');
  assert.deepEqual(programs().tcx, [
    'floor_empty',
    'floor_empty',
    'ts_egress',
    'ts_egress',
    'ts_ingress',
    'ts_ingress',
  ]);
  assert.equal(await stop(second, 'SIGINT'), 0);
  assert.equal(await stop(third, 'SIGTERM'), 0);
  assert.deepEqual(programs(), bare);
});

test('on clsact: what a killed monitor left is replaced, not doubled; foreign filters stay', async () => {
  const bare = programs();
  const first = await startMonitor('--hook', 'clsact');
  const ours = programs().clsact.filter((name) => name.startsWith('ts_'));
  assert.deepEqual(ours, ['ts_egress', 'ts_ingress']);
  await stop(first, 'SIGKILL');
  assert.deepEqual(
    programs().clsact.filter((name) => name.startsWith('ts_')),
    ours,
    'SIGKILL leaves the filters',
  );
  const second = await startMonitor('--hook', 'clsact');
  assert.deepEqual(
    programs().clsact.filter((name) => name.startsWith('ts_')),
    ours,
    'replaced, not doubled',
  );
  assertForeignUntouched();
  await assert.rejects(
    startMonitor('--hook', 'clsact'),
    /another tunnelscope meters this network namespace through clsact/,
    'a second one alive would take its place',
  );
  assert.equal(await stop(second, 'SIGINT'), 0);
  assert.deepEqual(programs(), bare);
  assert.match(inA('tc', 'qdisc', 'show', 'dev', 'eth0', 'clsact'), /clsact/, 'the qdisc of others stays');
});
