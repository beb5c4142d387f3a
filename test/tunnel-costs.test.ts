/** What a tunnel costs and suffers, on real traffic: packets of known size over cables of known MTU, and one that loses. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { Workshop } from '../bench/build.ts';
import { ResultTableSchema } from '../src/query/index.ts';
import { ServedAgent } from './served-agent.ts';
import { TcpEnd } from './socket-scene.ts';
import { twoHosts } from './two-hosts.ts';
import { until } from './until.ts';
import { FAR, ip, layTunnel, NEAR, ping } from './vxlan-scene.ts';

type Tunnel = Readonly<Record<string, string | number | null>>;

/** The tunnel this way, as the agent answers now; of the flows in it that fit. */
async function tunnel(
  agent: ServedAgent,
  from: string,
  fits = 'tunnel = vxlan',
): Promise<Tunnel | undefined> {
  const response = await fetch(`${agent.url}api/v1/query`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ask: 'tunnels', window: 'all', filter: `outer.src = ${from} and ${fits}` }),
  });
  const { columns, rows } = ResultTableSchema.parse(await response.json());
  const [row] = rows;
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

test('segments that a sender sends again into a tunnel are told, with the round trip', {
  timeout: 120_000,
}, async () => {
  using workshop = new Workshop();
  await using hosts = twoHosts('tscost', { loss: workshop.object('test/loss.bpf.c') });
  layTunnel(hosts, 1500);
  await using agent = await ServedAgent.start(hosts.far, { measure: { measurements: ['tcp'] } });
  await using server = new TcpEnd(hosts.here);
  await using client = new TcpEnd(hosts.far);
  const { number } = await client.connect(NEAR, await server.listen(NEAR));
  await client.write(number, 8_000_000);
  await until(
    async () => Number((await tunnel(agent, '192.168.61.2'))?.resent ?? 0) > 0,
    'segments are sent again',
    60_000,
  );
  const { lost, ...sends } = (await tunnel(agent, '192.168.61.2'))!;
  assert.equal(lost, undefined, 'sequence numbers are not measured');
  assert.ok(Number(sends['resent.share']) > 0 && Number(sends['resent.share']) < 0.5);
  const [mean, most] = [Number(sends['round.trip']), Number(sends['round.trip.p99'])];
  assert.ok(mean > 0 && mean < 1000 && most > 0, `${mean} ms, ${most} ms`);
});
