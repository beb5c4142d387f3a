/** Virtual topologies: bridges and routers joined by cables made of BPF, as a user brings them up. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { after, test } from 'node:test';
import { noTcx } from '../src/bpf/testdata/probe.ts';
import { labDown } from '../src/lab/index.ts';
import { type Ended, tunnelscope } from './lab-command.ts';
import { processesOf, remainsOf } from './lab-remains.ts';
import { until } from './until.ts';

const PREFIX = 'tsl1-';
const skip = noTcx;

after(() => labDown({ prefix: PREFIX }));

function lab(...words: string[]): Promise<Ended> {
  return tunnelscope(['lab', ...words, '--prefix', PREFIX]);
}

test('two pings through two Linux bridges and a router are exactly twelve packets, then TCP runs', {
  skip,
}, async () => {
  const { code, stdout, stderr } = await lab('up', 'virtual-topology');
  assert.equal(code, 0, stderr);
  const lines = stdout.split('\n');
  assert.ok(lines.includes('Validating connectivity'));
  assert.ok(lines.includes('12 packets counted (ns1 6, ns2 6)'), stdout);
  const [, rate] = /^iperf3 from ns1 to ns2: (\d+) Mbit\/s$/m.exec(stdout)!;
  assert.ok(Number(rate) > 10);
});

test('a killed relay is started again, and the lab still does what it is for', { skip }, async () => {
  const relay = () => processesOf(PREFIX).find(({ words }) => words.includes('vnet relay run'))?.pid;
  const first = relay()!;
  process.kill(first, 'SIGKILL');
  await until(() => ![undefined, first].includes(relay()), 'another runs');
  await until(async () => {
    const { stdout } = await lab('status', '--json');
    const [member] = JSON.parse(stdout).members;
    return member.state === 'running' && member.restarts === 1;
  }, 'the keeper says so');
  const { code, stdout, stderr } = await lab('check');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^12 packets counted/m);
});

test('a check fails with a name and code 1 when a cable is cut', { skip }, async () => {
  const { code } = await tunnelscope(['lab', 'check', '--prefix', 'tslx-']);
  assert.equal(code, 1, 'no lab, no success');
  execFileSync('ip', ['-n', `${PREFIX}hypervisor`, 'link', 'set', 'b2r', 'down']);
  const cut = await lab('check');
  assert.equal(cut.code, 1);
  assert.match(cut.stderr, /Pinging ns2 from ns1: 0 of 2 answered; wanted all 2/);
});

test('down leaves nothing, also when the keeper was killed', { skip }, async () => {
  const keeper = processesOf(PREFIX).find(({ words }) => words.includes('keeper-process'))!;
  process.kill(keeper.pid, 'SIGKILL');
  assert.equal((await lab('down')).code, 0);
  assert.deepEqual(remainsOf(PREFIX), []);
});

test('the same with both bridges made of BPF: twelve packets, TCP, and nothing left', { skip }, async () => {
  const { code, stdout, stderr } = await lab('up', 'virtual-topology-bpf');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^12 packets counted \(ns1 6, ns2 6\)$/m);
  assert.match(stdout, /^iperf3 from ns1 to ns2: \d{2,} Mbit\/s$/m);
  assert.equal((await lab('down')).code, 0);
  assert.deepEqual(remainsOf(PREFIX), []);
});

test('two tenants with the same addresses: orange bridged, green routed and behind NAT, neither sees the other', {
  skip,
}, async () => {
  const { code, stdout, stderr } = await lab('up', 'virtual-topology-tenants');
  assert.equal(code, 0, stderr);
  for (const host of ['host1', 'host2'])
    assert.match(
      stdout,
      new RegExp(
        `^orange between host0 and ${host}\n {2}192\\.168\\.0\\.1: 3 packets transmitted, 3 received`,
        'm',
      ),
    );
  assert.match(
    stdout,
    /^green between host1 and host0\n {2}192\.168\.0\.1: 3 requests answered through both routers$/m,
  );
  assert.match(stdout, /^green asks for 192\.168\.0\.3, an address of orange alone: 0 answered$/m);
  const rules = execFileSync('ip', ['netns', 'exec', `${PREFIX}r-host0`, 'nft', 'list', 'ruleset'], {
    encoding: 'utf8',
  });
  assert.match(rules, /masquerade/);
  execFileSync('ip', ['netns', 'exec', `${PREFIX}r-host0`, 'nft', 'flush', 'ruleset']);
  const unrouted = await lab('check');
  assert.equal(unrouted.code, 1, 'NAT is what made it work');
  assert.match(unrouted.stderr, /green between host1 and host0: 0 of 3 answered/);
  rmSync(`/run/tunnelscope-lab/${PREFIX}`, { recursive: true });
  assert.equal((await lab('down')).code, 0);
  assert.deepEqual(remainsOf(PREFIX), [], 'also when every record of it is lost');
});
