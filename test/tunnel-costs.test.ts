/** What a tunnel costs and suffers, on real traffic: packets of known size over cables of known MTU, and one that loses. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { Workshop } from '../bench/build.ts';
import {
  HEADROOM_COLUMNS,
  HistoryQuestionSchema,
  RESENT_COLUMNS,
  type ResultTable,
  ResultTableSchema,
  SEQUENCE_COLUMNS,
} from '../src/query/index.ts';
import { DuckDbStore } from '../src/store/index.ts';
import { ServedAgent } from './served-agent.ts';
import { TcpEnd } from './socket-scene.ts';
import { twoHosts } from './two-hosts.ts';
import { until } from './until.ts';
import { FAR, ip, layTunnel, NEAR, ping } from './vxlan-scene.ts';

type Tunnel = Readonly<Record<string, string | number | null>>;

/** The tunnel this way, as the agent answers now, or of a time; of the flows in it that fit. */
async function tunnel(
  agent: ServedAgent,
  from: string,
  fits = 'tunnel = vxlan',
  time: object = { window: 'all' },
): Promise<Tunnel | undefined> {
  const response = await fetch(`${agent.url}api/v1/query`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ask: 'tunnels', ...time, filter: `outer.src = ${from} and ${fits}` }),
  });
  return firstOf(ResultTableSchema.parse(await response.json()));
}

function firstOf({ columns, rows: [row] }: ResultTable): Tunnel | undefined {
  return row && Object.fromEntries(columns.map(({ name }, at) => [name, row[at]!]));
}

test('headroom is what the MTU leaves beside the longest packet, to the octet, and follows the MTU', {
  timeout: 120_000,
}, async () => {
  await using hosts = twoHosts('tscost');
  layTunnel(hosts, 1500);
  await using agent = await ServedAgent.start(hosts.here);
  const isSo = async (mtu: number, headroom: number): Promise<void> => {
    for (const from of ['192.168.61.1', '192.168.61.2'])
      await until(
        async () => {
          const now = await tunnel(agent, from);
          return now?.mtu === mtu && now.headroom === headroom;
        },
        `${headroom} of ${mtu} are free from ${from}`,
        20_000,
      );
  };
  ping(hosts.here, 1000);
  // IPv4, UDP, VXLAN and Ethernet around 1,000 octets are 1,050.
  await isSo(1500, 450);
  ping(hosts.here, 1449);
  await isSo(1500, 1);
  ping(hosts.here, 1450);
  await isSo(1500, 0);
  assert.equal((await tunnel(agent, '192.168.61.1'))!.longest, 1464, 'with the inner Ethernet header');

  for (const host of [hosts.here, hosts.far]) ip('-n', host, 'link', 'set', 'eth0', 'mtu', '9000');
  await isSo(9000, 7500);
  for (const host of [hosts.here, hosts.far]) ip('-n', host, 'link', 'set', 'vx0', 'mtu', '8950');
  ping(hosts.here, 8950);
  await isSo(9000, 0);
  // Who makes the cable narrower has packets that do not fit any more.
  ip('-n', hosts.here, 'link', 'set', 'eth0', 'mtu', '1400');
  await isSo(1400, -7600);
});

test('super-packets count as the packets they are: TCP through a tunnel leaves no less than nothing', {
  timeout: 120_000,
}, async () => {
  await using hosts = twoHosts('tscost');
  layTunnel(hosts, 1500);
  await using agent = await ServedAgent.start(hosts.here);
  await using server = new TcpEnd(hosts.far);
  await using client = new TcpEnd(hosts.here);
  const port = await server.listen(FAR);
  const { number } = await client.connect(FAR, port);
  const sent = 8_000_000;
  await client.write(number, sent);
  await until(
    async () => Number((await tunnel(agent, '192.168.61.1'))?.octets ?? 0) > sent,
    'all of it was seen',
    30_000,
  );
  const view = (await (await fetch(`${agent.url}api/v1/view?window=all`)).json()) as {
    readonly total: { readonly packets: number };
    readonly exactness: { readonly seen: { readonly packets: number } };
  };
  assert.ok(view.exactness.seen.packets < view.total.packets / 2, 'the stack sent super-packets');
  const { mtu, headroom } = (await tunnel(agent, '192.168.61.1'))!;
  assert.deepEqual({ mtu, headroom }, { mtu: 1500, headroom: 0 });
});

test('echoes that a cable loses are lost in their tunnel, each of them', {
  timeout: 180_000,
}, async () => {
  using workshop = new Workshop();
  await using hosts = twoHosts('tscost', { loss: workshop.object('test/loss.bpf.c') });
  layTunnel(hosts, 1500);
  await using agent = await ServedAgent.start(hosts.here, { measure: { measurements: ['sequence'] } });
  const sent = 400;
  const words = ['netns', 'exec', hosts.far, 'ping', '-c', String(sent), '-i', '0.01', '-W', '1', NEAR];
  const { stdout } = spawnSync('ip', words, { encoding: 'utf8' });
  const numbers = [...stdout.matchAll(/icmp_seq=(\d+)/g)].map(([, number]) => Number(number));
  const lost = Math.max(...numbers) - Math.min(...numbers) + 1 - numbers.length;
  assert.ok(lost > 0, stdout);
  await until(
    async () => (await tunnel(agent, '192.168.61.2', 'proto = icmp'))?.packets === numbers.length,
    'every echo that came is counted',
    20_000,
  );
  const echoes = (await tunnel(agent, '192.168.61.2'))!;
  assert.deepEqual([echoes.lost, echoes.duplicates, echoes.reordered], [lost, 0, 0]);
  assert.equal(echoes.loss, lost / (lost + numbers.length));
  assert.equal(echoes.jitter, null, 'an echo does not say when it was sent');
  assert.equal((await tunnel(agent, '192.168.61.1'))!.lost, lost, 'who asked in vain is not answered');
});

/** Sends until the cable has lost of it: a super-packet is lost as one, and there are few. */
async function sendUntilResent(
  agent: ServedAgent,
  { client, server }: { readonly client: TcpEnd; readonly server: TcpEnd },
): Promise<void> {
  const { number } = await client.connect(NEAR, await server.listen(NEAR));
  await until(
    async () => {
      await client.write(number, 4_000_000);
      return Number((await tunnel(agent, '192.168.61.2'))?.resent ?? 0) > 0;
    },
    'segments are sent again',
    60_000,
  );
}

test('segments that a sender sends again into a tunnel are told, with the round trip', {
  timeout: 120_000,
}, async () => {
  using workshop = new Workshop();
  await using hosts = twoHosts('tscost', { loss: workshop.object('test/loss.bpf.c') });
  layTunnel(hosts, 1500);
  await using agent = await ServedAgent.start(hosts.far, { measure: { measurements: ['tcp'] } });
  await using server = new TcpEnd(hosts.here);
  await using client = new TcpEnd(hosts.far);
  await sendUntilResent(agent, { client, server });
  const { lost, ...sends } = (await tunnel(agent, '192.168.61.2'))!;
  assert.equal(lost, undefined, 'sequence numbers are not measured');
  assert.ok(Number(sends['resent.share']) > 0 && Number(sends['resent.share']) < 0.5);
  const [mean, most] = [Number(sends['round.trip']), Number(sends['round.trip.p99'])];
  assert.ok(mean > 0 && mean < 1000 && most > 0, `${mean} ms, ${most} ms`);
});

const SUFFERED = [...HEADROOM_COLUMNS, ...SEQUENCE_COLUMNS, ...RESENT_COLUMNS].map(({ name }) => name);
const sufferedBy = (of: Tunnel | undefined): unknown[] => SUFFERED.map((name) => of?.[name]);

test('a history tells of a tunnel over a bad cable what was told live, also when the agent is gone', {
  timeout: 180_000,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-cost-'));
  using _ = { [Symbol.dispose]: () => rmSync(directory, { recursive: true }) };
  using workshop = new Workshop();
  await using hosts = twoHosts('tscost', { loss: workshop.object('test/loss.bpf.c') });
  layTunnel(hosts, 1500);
  const ways = ['192.168.61.1', '192.168.61.2'] as const;
  const past = { fromMs: 0, toMs: Date.now() + 3_600_000 };
  const told = new Map<string, unknown[]>();
  {
    await using agent = await ServedAgent.start(hosts.far, {
      measure: { measurements: ['sequence', 'tcp'] },
      history: directory,
    });
    spawnSync('ip', ['netns', 'exec', hosts.far, 'ping', '-c', '200', '-i', '0.01', '-W', '1', NEAR]);
    {
      await using server = new TcpEnd(hosts.here);
      await using client = new TcpEnd(hosts.far);
      await sendUntilResent(agent, { client, server });
    }
    for (const from of ways)
      await until(
        async () => {
          told.set(from, sufferedBy(await tunnel(agent, from)));
          const then = sufferedBy(await tunnel(agent, from, 'tunnel = vxlan', past));
          return isDeepStrictEqual(then, told.get(from));
        },
        'the history has it',
        30_000,
      );
  }
  assert.ok(Number(told.get(ways[0])![SUFFERED.indexOf('lost')]) > 0, 'echoes are lost');
  assert.ok(Number(told.get(ways[1])![SUFFERED.indexOf('resent')]) > 0);
  assert.equal(told.get(ways[1])![SUFFERED.indexOf('mtu')], 1500);
  const store = await DuckDbStore.open({ path: join(directory, 'history.duckdb'), readOnly: true });
  for (const from of ways) {
    const question = { ask: 'tunnels' as const, filter: `outer.src = ${from}`, ...past };
    const answer = await store.answer(HistoryQuestionSchema.parse(question), {
      signal: new AbortController().signal,
    });
    assert.deepEqual(sufferedBy(firstOf(answer)), told.get(from));
  }
  await store.close();
});
