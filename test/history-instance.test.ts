import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ResultTableSchema } from '../src/query/index.ts';
import { HistoryScene } from './history-scene.ts';
import { scaled } from './scale.ts';
import { until } from './until.ts';

/* The past of an instance that meters: asked of the instance, of its directory, and of that alone when it has ended. */

const FLOWS = 20;

test('an instance answers about what it metered, and so does its history when it has ended', {
  timeout: 180_000,
}, async () => {
  using scene = new HistoryScene('tshask');
  const agent = scene.start();
  await agent.metering();
  const stop = scene.send(FLOWS, scaled(500, 100));
  const ask = async (...words: readonly string[]): Promise<[rows: readonly unknown[], packets: number]> => {
    const { code, out } = await scene.run([
      'query',
      'top',
      '50',
      'dport',
      'last',
      '1h',
      'where',
      'udp',
      '--json',
      ...words,
    ]);
    assert.equal(code, 0, agent.said());
    const { rows, total } = ResultTableSchema.parse(JSON.parse(out));
    return [rows, total.packets];
  };
  await until(
    async () => (await ask('--name', scene.name))[0].length === FLOWS,
    'all flows are stored',
    60_000,
  );
  const [, before] = await ask('--name', scene.name);
  const [, later] = await ask('--history', scene.history);
  assert.ok(later >= before, 'who has the history open is asked where only its directory is named');
  const sent = await stop();
  const rows = Object.entries(sent)
    .map(([port, { octets, packets }]) => [Number(port), octets, packets])
    .toSorted();
  const sorted = async (...words: readonly string[]): Promise<unknown[]> =>
    (await ask(...words))[0].toSorted((a, b) => Number((a as number[])[0]) - Number((b as number[])[0]));
  const packets = rows.reduce((sum, [, , each]) => sum + each!, 0);
  await until(async () => (await ask('--name', scene.name))[1] === packets, 'all is stored', 60_000);
  assert.deepEqual(await sorted('--name', scene.name), rows);
  const file = join(scene.directory, 'rows.json');
  const exported = await scene.run(['export', '--name', scene.name, '--json', file, 'where', 'udp']);
  assert.equal(exported.code, 0);
  const exportedPackets = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .reduce((sum, line) => sum + Number(JSON.parse(line).wire_packets), 0);
  assert.equal(exportedPackets, packets);
  const { out: sql } = await scene.run([
    'query',
    '--name',
    scene.name,
    '--sql',
    'SELECT count(*) > 0 AS some FROM flow_raw',
  ]);
  assert.equal(sql, 'SOME\ntrue\n');
  assert.equal(await agent.end('SIGTERM'), 0, agent.said());
  assert.deepEqual(await sorted('--history', scene.history), rows);
  const gone = await scene.run(['query', '--name', scene.name, 'top src']);
  assert.equal(gone.code, 1);
});
