import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { noTcx } from '../src/bpf/testdata/probe.ts';
import type { FlowBatch } from '../src/flow/index.ts';
import { LiveView } from '../src/live/index.ts';
import { type MeteredInterface, type MeterOptions, MeterThread } from '../src/meter/index.ts';
import { ViewQuestionSchema } from '../src/query/index.ts';
import { assertConserved } from './metering.ts';
import { until } from './until.ts';

const NAMESPACE = 'tsiface';

function ip(...words: string[]): string {
  return execFileSync('ip', words, { encoding: 'utf8' });
}

before(() => {
  if (new RegExp(`^${NAMESPACE}\\b`, 'm').test(ip('netns', 'list'))) ip('netns', 'del', NAMESPACE);
  ip('netns', 'add', NAMESPACE);
  ip('-n', NAMESPACE, 'link', 'set', 'lo', 'up');
});
after(() => ip('netns', 'del', NAMESPACE));

/** Runs a meter in the namespace until `action` is done; gives all epochs. */
async function metered(
  patterns: readonly string[],
  action: (now: () => string[], problems: readonly Error[]) => Promise<void>,
  hook: MeterOptions['hook'] = 'auto',
): Promise<FlowBatch[]> {
  let names: string[] = [];
  const hooks = new Set<string>();
  const note = (interfaces: readonly MeteredInterface[]): void => {
    names = interfaces.map(({ name }) => name).toSorted();
    for (const each of interfaces) hooks.add(each.hook);
  };
  const problems: Error[] = [];
  await using meter = await MeterThread.open(
    {
      interfaces: patterns,
      intervalMs: 100,
      flowCapacity: 1024,
      hook,
      namespace: NAMESPACE,
    },
    { interfaces: note, problem: (error) => problems.push(error) },
  );
  const stopping = new AbortController();
  const batches: FlowBatch[] = [];
  const collecting = (async () => {
    for await (const batch of meter.batches({ signal: stopping.signal })) batches.push(batch);
  })();
  try {
    await action(() => names, problems);
  } finally {
    stopping.abort();
    await collecting;
  }
  assert.deepEqual([...hooks], [hook === 'auto' ? (noTcx ? 'clsact' : 'tcx') : hook], 'what the kernel has');
  for (const batch of batches) assertConserved(batch);
  return batches;
}

test('interfaces that come are metered, those that go are let go', async () => {
  const batches = await metered(['lo', 'tsv*'], async (now) => {
    await until(() => now().join() === 'lo', 'only the loopback is there');
    for (let round = 0; round < 3; round++) {
      ip('-n', NAMESPACE, 'link', 'add', 'tsv0', 'type', 'veth', 'peer', 'name', 'tsv1');
      await until(() => now().join() === 'lo,tsv0,tsv1', 'the pair is metered');
      for (const name of ['tsv0', 'tsv1']) ip('-n', NAMESPACE, 'link', 'set', name, 'up');
      ip('-n', NAMESPACE, 'link', 'del', 'tsv0');
      await until(() => now().join() === 'lo', 'the pair is gone');
    }
  });
  assert.ok(batches.length > 3);
});

test('an interface that no message told of is metered all the same', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-ip-'));
  const { PATH } = process.env;
  t.after(() => {
    process.env.PATH = PATH;
    rmSync(directory, { recursive: true });
  });
  const real = execFileSync('sh', ['-c', 'command -v ip'], { encoding: 'utf8' }).trim();
  const deaf = `#!/bin/sh\n[ "$1" = monitor ] && exec sleep 60\nexec ${real} "$@"\n`;
  writeFileSync(join(directory, 'ip'), deaf, { mode: 0o755 });
  process.env.PATH = `${directory}:${PATH}`;
  await metered(['lo', 'tsv*'], async (now) => {
    ip('-n', NAMESPACE, 'link', 'add', 'tsv0', 'type', 'veth', 'peer', 'name', 'tsv1');
    await until(() => now().join() === 'lo,tsv0,tsv1', 'the pair is metered');
    ip('-n', NAMESPACE, 'link', 'del', 'tsv0');
    await until(() => now().join() === 'lo', 'the pair is gone');
  });
});

test('an interface that refuses the programs is told of and does not keep them from the others', async () => {
  const inNamespace = ['netns', 'exec', NAMESPACE];
  const action = async (now: () => string[], problems: readonly Error[]): Promise<void> => {
    ip('-n', NAMESPACE, 'link', 'add', 'other0', 'type', 'veth', 'peer', 'name', 'other1');
    // Where this is, clsact has no place.
    ip(...inNamespace, 'tc', 'qdisc', 'add', 'dev', 'other0', 'ingress');
    ip('-n', NAMESPACE, 'link', 'set', 'other0', 'name', 'tsv0');
    ip('-n', NAMESPACE, 'link', 'set', 'other1', 'name', 'tsv1');
    await until(() => now().join() === 'lo,tsv1', 'the one that takes them is metered');
    await until(() => problems.length > 0, 'the other is told of');
    assert.match(problems[0]!.message, /interface \d+/);
    ip('-n', NAMESPACE, 'link', 'del', 'tsv0');
    await until(() => now().join() === 'lo', 'both are gone');
  };
  await metered(['lo', 'tsv*'], action, 'clsact');
});

test('a packet over the loopback counts once, though it is seen leaving and coming', async () => {
  const batches = await metered(['lo'], async () => {
    const ping = ['netns', 'exec', NAMESPACE, 'ping', '-q', '-c', '5', '-i', '0.02', '-s', '56', '127.0.0.1'];
    ip(...ping);
  });
  const view = new LiveView();
  for (const batch of batches) view.write(batch);
  const { total, exactness } = view.view(ViewQuestionSchema.parse({ window: 'all' }));
  assert.deepEqual(exactness.seen, { packets: 20, octets: 20 * 98 });
  assert.deepEqual(total, { packets: 10, octets: 10 * 98 });
});
