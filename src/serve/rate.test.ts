import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clientOf, RateLimiter } from './rate.ts';

test('a client may ask a burst at once, then as often as the rate says, and is told when to come back', () => {
  let nowMs = 0;
  const limiter = new RateLimiter({ perSecond: 2, burst: 5 }, () => nowMs);
  const taken = Array.from({ length: 7 }, () => limiter.take('a'));
  assert.deepEqual(taken, [0, 0, 0, 0, 0, 1, 1]);
  assert.equal(limiter.take('b'), 0, 'another one has a bucket of its own');
  nowMs = 500;
  assert.deepEqual([limiter.take('a'), limiter.take('a')], [0, 1]);
  nowMs = 1_000_000;
  assert.deepEqual(
    Array.from({ length: 6 }, () => limiter.take('a')),
    [0, 0, 0, 0, 0, 1],
  );
});

test('who waits as long as it was told is served', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.1, max: 100, noNaN: true }),
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 60 }),
      (perSecond, burst, pauses) => {
        let nowMs = 0;
        const limiter = new RateLimiter({ perSecond, burst }, () => nowMs);
        let served = 0;
        for (const pause of pauses) {
          nowMs += pause;
          const wait = limiter.take('a');
          if (wait === 0) served++;
          else {
            nowMs += wait * 1000;
            assert.equal(limiter.take('a'), 0);
            served++;
          }
        }
        assert.ok(served <= burst + (nowMs / 1000) * perSecond + 1e-6);
      },
    ),
  );
});

test('what costs more than is left is refused, and takes nothing', () => {
  const limiter = new RateLimiter({ perSecond: 1, burst: 10 }, () => 0);
  assert.deepEqual([limiter.take('a', 8), limiter.take('a', 8), limiter.take('a', 2)], [0, 6, 0]);
});

test('a million clients take the room of some thousand', () => {
  const limiter = new RateLimiter({ perSecond: 1, burst: 1 }, () => 0);
  for (let i = 0; i < 1_000_000; i++) limiter.take(String(i));
  assert.equal(limiter.size, 4096);
  assert.equal(limiter.take('999999'), 1, 'those heard of last are remembered');
});

test('an address is a client; of IPv6 its /64 is', () => {
  for (const [address, client] of [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::1', '0:0:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::', '2001:db8:1:2::/64'],
    ['2001:db8::7', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    [undefined, ''],
  ] as const)
    assert.equal(clientOf(address), client, String(address));
});
