import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileResult } from './guest.ts';
import { type KernelRun, updated } from './matrix.ts';

const LINK = 'src/bpf/link.test.ts';
const RING = 'src/bpf/ring.test.ts';

function result(file: string, outcome: 'passed' | 'failed' | 'skipped', reason = ''): FileResult {
  return { file, durationMs: 1, notes: [], tests: [{ name: 'a test', outcome, reason, durationMs: 1 }] };
}

function run(name: string, release: string, ...results: FileResult[]): KernelRun {
  return { name, release, results };
}

test('a run replaces the cells and words of its files, and leaves those of others', () => {
  const first = updated('', run('6.1', '6.1.0-1', result(LINK, 'failed', 'broken'), result(RING, 'passed')));
  assert.match(first, /`src\/bpf\/link\.test\.ts` \| tcx and clsact \| 0, 1 ✗ \|/);
  assert.match(first, /^- `src\/bpf\/link\.test\.ts`, a test: failed, broken$/m);
  const other = updated(first, run('5.10', '5.10.0-9', result(RING, 'skipped', 'too old')));
  assert.match(other, /\| Suite \| For \| 5\.10 \| 6\.1 \|/);
  assert.match(other, /`src\/bpf\/ring\.test\.ts` \| ring buffer \| 0, 1 – \| 1 \|/);
  const again = updated(other, run('6.1', '6.1.0-1', result(LINK, 'passed')));
  assert.doesNotMatch(again, /broken/);
  assert.match(again, /`src\/bpf\/ring\.test\.ts` \| ring buffer \| 0, 1 – \| 1 \|/);
  assert.match(again, /too old/);
});

test('of another build of a kernel nothing stays', () => {
  const first = updated('', run('6.1', '6.1.0-1', result(LINK, 'failed', 'broken'), result(RING, 'passed')));
  const next = updated(first, run('6.1', '6.1.0-2', result(LINK, 'passed')));
  assert.doesNotMatch(next, /broken/);
  assert.match(next, /`src\/bpf\/ring\.test\.ts` \| ring buffer \| not run \|/);
});

test('a run that ended early says why', () => {
  const text = updated('', { ...run('7.x', '7.2.12'), cause: 'the guest died (Kernel panic)' });
  assert.match(text, /^- The last run ended early: the guest died \(Kernel panic\)\.$/m);
});

test('each test of a listed suite is a feature with a row of its own', () => {
  const DEVICES = 'test/devices.test.ts';
  const named = (name: string, outcome: 'passed' | 'failed' | 'skipped'): FileResult['tests'][number] => ({
    ...{ name, outcome, reason: '', durationMs: 1 },
  });
  const devices = (...tests: FileResult['tests']): FileResult => ({ ...result(DEVICES, 'passed'), tests });
  const first = updated(
    '',
    run('6.1', '6.1.0-1', devices(named('geneve', 'passed'), named('old', 'failed'))),
  );
  assert.match(first, /^\| geneve \| `test\/devices\.test\.ts` \| ✓ \|$/m);
  const other = updated(first, run('5.10', '5.10.0-9', devices(named('geneve', 'skipped'))));
  assert.match(other, /^\| geneve \| `test\/devices\.test\.ts` \| – \| ✓ \|$/m);
  assert.match(other, /^\| old \| `test\/devices\.test\.ts` \| not run \| ✗ \|$/m);
  const again = updated(other, run('6.1', '6.1.0-1', devices(named('geneve', 'failed'))));
  assert.match(again, /^\| geneve \| `test\/devices\.test\.ts` \| – \| ✗ \|$/m);
  assert.doesNotMatch(again, /^\| old /m);
  const ring = updated(again, run('6.1', '6.1.0-1', result(RING, 'passed')));
  assert.match(ring, /^\| geneve \| `test\/devices\.test\.ts` \| – \| ✗ \|$/m);
});
