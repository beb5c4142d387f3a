import assert from 'node:assert/strict';
import { cpSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type LeftMeter, leftMeters } from '../src/meter/index.ts';
import { HistoryScene } from './history-scene.ts';
import { scaled } from './scale.ts';
import { until } from './until.ts';

/*
 * What was sent is what the history says, per flow, whenever the agent is killed: while it starts, takes over, meters, writes to
 * the store, stops. ROUNDS and SEED choose how often and when.
 */

const ROUNDS = Number(process.env.ROUNDS ?? scaled(6, 2));
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 32);
const FLOWS = 50;
const PER_SECOND = scaled(2000, 200);
/** After it meters. */
const LONGEST_LIFE_MS = 2500;
/** A transaction takes some ten milliseconds. */
const LONGEST_WRITE_MS = 80;
/** Ending in order takes about that. */
const LONGEST_STOP_MS = 300;

/** What the scene's instance left in the kernel and nobody has taken over. */
async function left({ name }: HistoryScene): Promise<LeftMeter[]> {
  return (await leftMeters()).filter(({ label }) => label === name);
}

/** Numbers from 0 to 1, the same for the same seed. */
function randoms(from: number): () => number {
  let state = from >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test('kill -9 at random moments, also in the midst of writing to the store: nothing is missing, nothing twice', {
  timeout: 60_000 + 30_000 * ROUNDS,
}, async (t) => {
  t.diagnostic(`SEED=${seed} ROUNDS=${ROUNDS}`);
  const random = randoms(seed);
  using scene = new HistoryScene('tshkill');
  const first = scene.start();
  const startedMs = performance.now();
  await first.metering();
  const startMs = performance.now() - startedMs;
  const stop = scene.send(FLOWS, PER_SECOND);
  let agent = first;
  const killed = { starting: 0, metering: 0, storing: 0, stopping: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const choice = random();
    if (choice < 0.4) {
      await delay(random() * (startMs + LONGEST_LIFE_MS));
      killed[agent.said().includes('meters"') ? 'metering' : 'starting']++;
    } else if (choice < 0.8) {
      await agent.metering();
      const files = new Set(scene.files());
      await until(() => scene.files().some((name) => !files.has(name)), 'a file of the journal is complete');
      await delay(random() * LONGEST_WRITE_MS);
      killed.storing++;
    } else {
      await agent.metering();
      scene.askToKeep();
      await delay(random() * LONGEST_STOP_MS);
      killed.stopping++;
    }
    await agent.end('SIGKILL');
    agent = scene.start();
  }
  await agent.metering();
  const sent = await stop();
  assert.equal(await agent.end('SIGTERM'), 0, agent.said());
  t.diagnostic(JSON.stringify({ ...killed, startMs: Math.round(startMs) }));
  assert.equal(Object.keys(sent).length, FLOWS);
  assert.deepEqual(await scene.stored(), sent);
  assert.equal(await scene.gapMs(), 0);
  const reasons = await scene.ask("SELECT DISTINCT reason FROM ledger_raw WHERE reason LIKE 'history%'");
  assert.deepEqual(reasons, []);
  assert.deepEqual(scene.files(), []);
  assert.deepEqual(await left(scene), []);
});

test('across stop --keep, starts of another copy of the program and of this one while traffic runs, nothing is missing', {
  timeout: 120_000,
}, async () => {
  using scene = new HistoryScene('tshkeep');
  const first = scene.start();
  await first.metering();
  const stop = scene.send(FLOWS, PER_SECOND);
  const { code, out } = await scene.run(['stop', scene.name, '--keep']);
  assert.equal(code, 0);
  assert.match(out, /has stopped; the kernel counts on until its history is started again/);
  // The next version: the same program elsewhere.
  const copy = join(scene.directory, 'next');
  const root = new URL('..', import.meta.url).pathname;
  for (const part of ['src', 'bpf', 'package.json'])
    cpSync(join(root, part), join(copy, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  const second = scene.start(join(copy, 'src/cli.ts'));
  await second.metering();
  const files = new Set(scene.files());
  await until(() => scene.files().some((name) => !files.has(name)), 'it writes its own epochs');
  const again = await scene.run(['stop', scene.name, '--keep'], join(copy, 'src/cli.ts'));
  assert.equal(again.code, 0);
  const third = scene.start();
  await third.metering();
  const sent = await stop();
  assert.equal(await third.end('SIGTERM'), 0, third.said());
  assert.deepEqual(await scene.stored(), sent);
  assert.equal(await scene.gapMs(), 0);
});

test('what a kept or killed instance left in the kernel is named, and goes when asked', {
  timeout: 60_000,
}, async () => {
  using scene = new HistoryScene('tshpurge');
  const agent = scene.start();
  await agent.metering();
  await agent.end('SIGKILL');
  assert.equal((await left(scene)).length, 1);
  rmSync(scene.history, { recursive: true });
  const other = scene.start();
  await other.metering();
  await until(() => /still counts for another history of .*tshpurge/.test(other.said()), 'it is told');
  assert.equal(await other.end('SIGTERM'), 0);
  const plain = await scene.run(['stop', scene.name]);
  assert.equal(plain.out, `"${scene.name}" is not running\n`);
  assert.equal((await left(scene)).length, 1);
  const { code, out } = await scene.run(['stop', scene.name, '--purge']);
  assert.equal(code, 0);
  assert.equal(out, `"${scene.name}" has stopped, and what it had left in the kernel is gone unread\n`);
  assert.deepEqual(await left(scene), []);
});
