/** The gateway's topology, as a user brings it up: overlapping clients behind VLANs, each served by its own worker. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, test } from 'node:test';
import { noTcx } from '../src/bpf/testdata/probe.ts';
import { labDown } from '../src/lab/index.ts';
import { type Ended, tunnelscope } from './lab-command.ts';
import { processesOf, remainsOf } from './lab-remains.ts';

const PREFIX = 'tsl2-';
const skip = noTcx;

after(() => labDown({ prefix: PREFIX }));

function lab(...words: string[]): Promise<Ended> {
  return tunnelscope(['lab', ...words, '--prefix', PREFIX]);
}

test('three clients with one address are each served by their own worker, and counted both ways', {
  skip,
}, async (t) => {
  const { code, stdout, stderr } = await lab('up', 'gateway');
  assert.equal(code, 0, stderr);
  const [, how] = /^VLANs \d+, \d+, \d+, (by 802\.1Q devices|tagged by a tc program)$/m.exec(stdout)!;
  t.diagnostic(`VLANs: ${how}`);
  const counted = [
    ...stdout.matchAll(
      /^mac (\w{12}) rx pkts = (\d+), rx bytes = (\d+)\n {4}tx pkts = (\d+), tx bytes = (\d+)$/gm,
    ),
  ].map(([, mac, ...counts]) => ({ mac, counts: counts.map(Number) }));
  assert.deepEqual(
    counted.map(({ mac }) => mac),
    ['020000000001', '020000000002', '020000000003'],
  );
  for (const { counts } of counted) {
    const [received = 0, receivedOctets = 0, sent = 0, sentOctets = 0] = counts;
    // Eight connections: at least three segments each way, none shorter than an Ethernet, IPv4 and TCP header with a tag.
    assert.ok(received >= 24 && sent >= 24, `${counts}`);
    assert.ok(receivedOctets > 58 * received && sentOctets > 58 * sent, `${counts}`);
  }
});

test('a client that its worker does not answer is named, with code 1', { skip }, async () => {
  execFileSync('ip', ['-n', `${PREFIX}gateway`, 'link', 'set', 'veth2', 'down']);
  const { code, stderr } = await lab('check');
  assert.equal(code, 1);
  assert.match(
    stderr,
    /client2: 0 of 8 answered "worker2 asked by 172\.16\.1\.100", the first other: status 0/,
  );
  assert.doesNotMatch(stderr, /client1|client3/);
});

test('down leaves nothing of a gateway that was killed together with its keeper', { skip }, async () => {
  const victims = processesOf(PREFIX).filter(({ words }) => /keeper-process|vnet gateway run/.test(words));
  assert.equal(victims.length, 2);
  for (const { pid } of victims.toSorted((a) => (a.words.includes('keeper') ? -1 : 1)))
    process.kill(pid, 'SIGKILL');
  assert.ok(remainsOf(PREFIX).includes(`/sys/fs/bpf/tunnelscope/vnet/${PREFIX}gateway`), 'it left its pins');
  assert.equal((await lab('down')).code, 0);
  assert.deepEqual(remainsOf(PREFIX), []);
});
