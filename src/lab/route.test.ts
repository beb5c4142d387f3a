import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LabError } from './error.ts';
import { emptyTally, ledgerOf } from './ledger.ts';
import { checkProfile, loadProfile, profileNames, type TrafficProfile } from './profile.ts';
import { route } from './route.ts';
import { loadTopology } from './topology.ts';

const refusedWith = (message: RegExp) => (error: unknown) =>
  error instanceof LabError && error.code === 'LAB_PROFILE' && message.test(error.message);

test('every stream of every shipped profile runs in the overlay, none to itself and none twice', () => {
  const overlay = loadTopology('overlay');
  for (const name of profileNames()) {
    const { streams, skipped } = route(overlay, loadProfile(name));
    assert.equal(skipped.length, 0, name);
    const pairs = streams.map(
      ({ stream, source, destination }) =>
        `${stream.kind} ${stream.vni} ${source.address} ${destination.address}`,
    );
    assert.equal(new Set(pairs).size, pairs.length, name);
  }
});

test('the default profile keeps every host and every segment busy, and some of it runs in every overlay topology', () => {
  const { streams } = route(loadTopology('overlay'), loadProfile('mixed'));
  assert.equal(new Set(streams.flatMap(({ stream }) => [stream.from, stream.to])).size, 9);
  assert.equal(new Set(streams.map(({ stream }) => stream.vni)).size, 4);
  for (const name of ['figure', 'tenants', 'overlay6'])
    assert.ok(route(loadTopology(name), loadProfile('mixed')).streams.length > 2);
});

test('a ping of N octets is a frame of N + 92 in the tunnel', () => {
  const { streams } = route(loadTopology('overlay'), loadProfile('pings'));
  for (const [size, octets] of [
    [128, 220],
    [768, 860],
    [1024, 1116],
  ]) {
    const routed =
      streams.find(({ stream }) => stream.kind === 'ping' && stream.size === size) ?? assert.fail();
    const one = { ...emptyTally(), sentMessages: 1, sentOctets: size ?? 0 };
    assert.equal(ledgerOf(routed, one, emptyTally()).frames?.forward.tunnelOctets, octets);
  }
});

test('a noisy client is one more stream, chosen or by default', () => {
  const overlay = loadTopology('overlay');
  const profile = loadProfile('pings');
  const last = (noisy: object) => route(overlay, profile, { noisy }).streams.at(-1);
  assert.deepEqual(last({ vni: 10002, from: 'host4', to: 'host1', perSecond: 50, size: 10 })?.stream, {
    kind: 'udp',
    vni: 10002,
    from: 'host4',
    to: 'host1',
    perSecond: 50,
    size: 10,
  });
  assert.deepEqual([last({})?.source.address, last({})?.destination.address], ['192.168.0.1', '192.168.0.2']);
  assert.throws(() => last({ from: 'host77' }), refusedWith(/noisy client.*host77/));
});

test('a stream that cannot be exact or cannot be at all is refused by name', () => {
  const overlay = loadTopology('overlay');
  const udp = { kind: 'udp', vni: 10000, from: 'host0', to: 'host1', size: 100, perSecond: 1 } as const;
  const one = (change: object): TrafficProfile =>
    checkProfile('mine', { title: 'mine', streams: [{ ...udp, ...change }] });
  assert.throws(
    () => route(overlay, one({ size: 1423 })),
    refusedWith(/streams\.0\.size is 1423: wanted at most 1422/),
  );
  assert.throws(() => route(overlay, one({ to: 'host0' })), refusedWith(/goes to its own address/));
  assert.throws(() => route(overlay, one({ to: 'host9' })), refusedWith(/none of its 1 streams/));
  assert.throws(() => one({ perSecond: -1 }), refusedWith(/streams\.0\.perSecond is -1/));
  assert.throws(() => one({ kind: 'sctp' }), refusedWith(/streams\.0\.kind is "sctp"/));
  assert.throws(
    () =>
      route(overlay, {
        title: 'two',
        streams: [
          { ...udp, port: 53 },
          { ...udp, from: 'host2', port: 53 },
        ],
      }),
    refusedWith(/streams\.0 and streams\.1 both want UDP port 53 of host1/),
  );
});
