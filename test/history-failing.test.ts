import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { InstanceStatus } from '../src/daemon/protocol.ts';
import { type Agent, HistoryScene } from './history-scene.ts';
import { until } from './until.ts';

/* A history that cannot be written: it is told, what is live goes on, and nothing that can still be kept is lost. */

async function statusOf(scene: HistoryScene): Promise<InstanceStatus> {
  return JSON.parse((await scene.run(['status', scene.name, '--json'])).out) as InstanceStatus;
}

function timesSaid(agent: Agent, words: RegExp): number {
  return agent.said().match(new RegExp(words, 'g'))?.length ?? 0;
}

test('a store that is none is told once, live goes on, and all is stored when it has gone', {
  timeout: 120_000,
}, async () => {
  using scene = new HistoryScene('tshbroken');
  const store = join(scene.history, 'history.duckdb');
  mkdirSync(scene.history);
  writeFileSync(store, 'this is no database'.repeat(1000));
  const agent = scene.start();
  await agent.metering();
  const stop = scene.send(5, 500);
  await until(() => timesSaid(agent, /STORE_CORRUPTED/) > 0, 'it is told');
  await until(() => scene.files().length > 3, 'epochs wait', 30_000);
  const failing = await statusOf(scene);
  assert.ok(failing.audit!.epoch > 5, 'it meters');
  assert.match(failing.agent!.history!.failing!.message, /history\.duckdb/);
  assert.ok(failing.agent!.history!.spoolOctets > 0);
  assert.equal(failing.agent!.history!.storedUpToMs, null);
  assert.equal(timesSaid(agent, /STORE_CORRUPTED/), 1);
  rmSync(store);
  await until(() => /The store of the history works again/.test(agent.said()), 'it works again', 60_000);
  const sent = await stop();
  assert.equal(await agent.end('SIGTERM'), 0);
  assert.deepEqual(await scene.stored(), sent);
  assert.deepEqual(scene.files(), []);
});

test('on a full disk live goes on, and what could not be kept is a line of the ledger when there is room', {
  timeout: 120_000,
}, async () => {
  using scene = new HistoryScene('tshfull');
  mkdirSync(scene.history);
  // The journal's state and an empty database take some 1.5 MB.
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'none', scene.history]);
  try {
    const ballast = join(scene.history, 'ballast');
    const agent = scene.start();
    await agent.metering();
    const stop = scene.send(50, 1000);
    await until(
      async () => (await statusOf(scene)).agent!.history!.storedUpToMs !== null,
      'it stores',
      30_000,
    );
    assert.throws(() => writeFileSync(ballast, Buffer.alloc(12_000_000)), { code: 'ENOSPC' });
    await until(() => /JOURNAL_WRITE/.test(agent.said()), 'it is told', 60_000);
    const { epoch } = (await statusOf(scene)).audit!;
    await until(async () => (await statusOf(scene)).audit!.epoch > epoch + 3, 'it meters on', 30_000);
    const { history } = (await statusOf(scene)).agent!;
    assert.ok(history!.dropped.packets > 0);
    rmSync(ballast);
    await until(() => /The journal of the history works again/.test(agent.said()), 'it works again', 60_000);
    const sent = await stop();
    assert.equal(await agent.end('SIGTERM'), 0, agent.said());
    const stored = Object.values(await scene.stored()).reduce((sum, { packets }) => sum + packets, 0);
    const [[dropped]] = (await scene.ask(
      "SELECT sum(packets)::BIGINT FROM ledger_raw WHERE reason = 'history_dropped'",
    )) as [[number]];
    const all = Object.values(sent).reduce((sum, { packets }) => sum + packets, 0);
    assert.equal(stored + dropped, all);
    assert.ok(dropped > 0);
  } finally {
    execFileSync('umount', ['-l', scene.history]);
  }
});
