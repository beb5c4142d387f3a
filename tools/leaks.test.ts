import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { LeakCheck, leftoversOf, type Standing } from './leaks.ts';

const BARE: Standing = { 'network namespace': [], link: ['lo'], attachment: [], pin: ['maps'], process: [] };

test('what was there before is no leftover, nor is what has gone', () => {
  assert.deepEqual(leftoversOf(BARE, BARE), []);
  assert.deepEqual(leftoversOf(BARE, { ...BARE, link: [], pin: [] }), []);
});

test('each thing that stays is named with what it is', () => {
  const now: Standing = {
    'network namespace': ['ts-host0'],
    link: ['lo', 'veth3'],
    attachment: ['clsact qdisc of lo', 'tcx program ts_ingress (9) at ingress of lo'],
    pin: ['maps', 'maps/flows'],
    process: ['4711 sleep 60'],
  };
  assert.deepEqual(leftoversOf(BARE, now), [
    'network namespace ts-host0',
    'link veth3',
    'attachment clsact qdisc of lo',
    'attachment tcx program ts_ingress (9) at ingress of lo',
    'pin maps/flows',
    'process 4711 sleep 60',
  ]);
});

test('a process that outlives the run is found by what it inherited', async () => {
  const check = new LeakCheck();
  // Started by a process that has ended, as a forgotten daemon is.
  const parent: ChildProcess = spawn('sh', ['-c', 'sleep 4711 >/dev/null & echo $!'], {
    env: { ...process.env, ...check.environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let pid = '';
  parent.stdout!.setEncoding('utf8').on('data', (text: string) => {
    pid += text;
  });
  await once(parent, 'close');
  try {
    const processes = (await check.leftovers({ graceMs: 0 })).filter((line) => line.startsWith('process'));
    assert.deepEqual(processes, [`process ${pid.trim()} sleep 4711`]);
  } finally {
    process.kill(Number(pid));
  }
});
