/*
 * The account of sequence numbers (bpf/biflow/sequence*.h), the same C in the kernel and in WebAssembly: against a reference
 * that keeps all numbers, the vectors of older monitors, and packets with their numbers in every place.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { Workshop } from '../bench/build.ts';
import { kernelAtLeast } from '../src/bpf/index.ts';
import { packet } from '../src/wire/index.ts';
import { type Account, NaiveAccount } from './sequence-account.ts';
import { KernelWay, MODULE_SHARED, ModuleWay, words } from './sequence-way.ts';

const workshop = new Workshop();
after(() => workshop[Symbol.dispose]());
const OBJECT = workshop.object('test/sequence.bpf.c');

const way = new ModuleWay(workshop.module('test/sequence.wasm.c', MODULE_SHARED));

/** Account of these numbers, some with their source; `isWaiting`: the last one is not judged yet. */
function noted(
  numbers: readonly (number | readonly [number, number])[],
  bits: 16 | 32 = 32,
  threshold = 2,
): Account & { isWaiting: boolean } {
  way.clear();
  for (const each of numbers) {
    const [number, source] = typeof each === 'number' ? [each, 0] : each;
    way.note(number, { source, bits, threshold });
  }
  return { ...way.account(), isWaiting: way.isWaiting };
}

const udp = packet().eth().ipv4().udp({ sourcePort: 40_000, destinationPort: 5004 });

function steps({ reverseSteps, smallSteps, bigSteps }: Account): readonly number[] {
  return [reverseSteps, smallSteps, bigSteps];
}

test('steps are counted as older monitors count them', () => {
  const eights = Array.from({ length: 40 }, (_, i) => i % 8);
  assert.deepEqual(steps(noted(eights)), [4, 0, 0]);
  assert.deepEqual(steps(noted([0, 3, 6, 9, 12])), [0, 0, 4]);
  assert.deepEqual(steps(noted([1, 2, 4, 3, 5])), [1, 2, 0]);
  assert.deepEqual(steps(noted([5, 5])), [0, 1, 0]);
  assert.deepEqual(steps(noted([0xffff_fffe, 0xffff_ffff, 0, 1])), [0, 0, 0]);
  assert.deepEqual(steps(noted([0xfffe, 0xffff, 0, 1], 16)), [0, 0, 0]);
  assert.deepEqual(steps(noted([0xfffe, 0xffff, 0, 1], 32)), [1, 0, 0]);
  assert.deepEqual(steps(noted([0, 0, 2, 4, 3], 32, 0)), [1, 1, 2]);
});

test('one swap is one reordered packet, and nothing is lost', () => {
  const { expected, unique, reordered, extents, mostExtent, duplicates, late } = noted([1, 2, 4, 3, 5]);
  assert.deepEqual(
    { expected, unique, reordered, extents, mostExtent, duplicates, late },
    { expected: 5, unique: 5, reordered: 1, extents: 1, mostExtent: 1, duplicates: 0, late: 0 },
  );
});

test('a sender that begins anew is no loss of millions', () => {
  const up = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);
  const again = noted([...up(5_000_000, 3000), ...up(0, 100)]);
  assert.deepEqual([again.expected, again.unique, again.restarts, again.late], [3100, 3100, 1, 0]);
  const far = noted([...up(7, 100), ...up(3_000_000_000, 100)]);
  assert.deepEqual([far.expected, far.unique, far.restarts, far.strays], [200, 200, 1, 0]);
  const stray = noted([...up(7, 100), 2_000_000_000, ...up(107, 100)]);
  assert.deepEqual([stray.expected, stray.unique, stray.restarts, stray.strays], [200, 200, 0, 1]);
  const late = noted([...up(0, 50), ...up(51, 2000), 50, ...up(2051, 10)]);
  assert.deepEqual([late.expected, late.unique, late.restarts, late.late], [2061, 2060, 0, 1]);
  assert.equal(late.longestRun, 1);
});

test('up to a bound a leap is loss, beyond it the next number decides', () => {
  for (const [bits, bound] of [
    [16, 3000],
    [32, 2 ** 20],
  ] as const) {
    const loss = noted([7, 7 + bound], bits);
    assert.deepEqual([loss.expected, loss.unique, loss.isWaiting], [bound + 1, 2, false]);
    const beyond = noted([7, 8 + bound], bits);
    assert.deepEqual([beyond.expected, beyond.unique, beyond.isWaiting], [1, 1, true]);
  }
});

test('numbers of another source are another account, which begins when nobody else speaks', () => {
  const mixed = Array.from({ length: 1000 }, (_, i): readonly [number, number] =>
    i % 2 ? [10 + (i - 1) / 2, 1] : [60_000 + i / 2, 2],
  );
  const { received, otherSources, expected, unique, restarts, reverseSteps } = noted(mixed, 16);
  assert.deepEqual(
    { received, otherSources, expected, unique, restarts, reverseSteps },
    { received: 500, otherSources: 500, expected: 500, unique: 500, restarts: 0, reverseSteps: 0 },
  );
  const changed = noted([
    ...Array.from({ length: 100 }, (_, i) => [i, 1] as const),
    ...Array.from({ length: 100 }, (_, i) => [3000 + i, 2] as const),
  ]);
  assert.deepEqual([changed.restarts, changed.otherSources, changed.received], [1, 63, 137]);
  assert.deepEqual([changed.expected, changed.unique], [137, 137]);
});

/** What a sender and a network do to numbers. */
const deed = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('next'), count: fc.integer({ min: 1, max: 200 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('lose'), count: fc.integer({ min: 1, max: 90 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('lose'), count: fc.integer({ min: 900, max: 4000 }) }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('back'), count: fc.integer({ min: 0, max: 80 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('back'), count: fc.integer({ min: 900, max: 1100 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('anew'), count: fc.nat({ max: 0xffff_ffff }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stray'), count: fc.nat({ max: 0xffff_ffff }) }) },
);

function numbersOf(
  start: number,
  deeds: readonly { kind: string; count: number }[],
  bits: 16 | 32,
): number[] {
  const modulus = 2 ** bits;
  const numbers: number[] = [];
  let next = start;
  const send = (number: number): number => numbers.push((((number % modulus) + modulus) % modulus) >>> 0);
  for (const { kind, count } of deeds) {
    if (kind === 'next') for (let i = 0; i < count; i++) send(next++);
    else if (kind === 'lose') next += count;
    else if (kind === 'back') send(next - 1 - count);
    else if (kind === 'anew') next = count;
    else send(count);
  }
  return numbers;
}

/** Near the ends of either space, where numbers wrap. */
const start = fc.oneof(
  fc.nat({ max: 0xffff_ffff }),
  fc.integer({ min: 0xffff_fc00, max: 0xffff_ffff }),
  fc.integer({ min: 0xf800, max: 0xffff }),
  fc.nat({ max: 100 }),
);
const story = fc.record({
  bits: fc.constantFrom(16 as const, 32 as const),
  start,
  deeds: fc.array(deed, { minLength: 1, maxLength: 60 }),
});

/** The reference's account, and whether it waits. */
function expectedOf(numbers: readonly number[], bits: 16 | 32): Account & { isWaiting: boolean } {
  const naive = new NaiveAccount(bits, 2);
  for (const number of numbers) naive.add(number);
  return { ...naive.account, longestRun: naive.longestRun(), isWaiting: naive.isWaiting };
}

test('whatever a network does to numbers, the account is that of one who remembers them all', () => {
  let restarts = 0;
  let late = 0;
  let reordered = 0;
  fc.assert(
    fc.property(story, ({ bits, start, deeds }) => {
      const numbers = numbersOf(start, deeds, bits);
      const found = noted(numbers, bits);
      assert.deepEqual(found, expectedOf(numbers, bits));
      assert.equal(
        found.received,
        found.unique + found.duplicates + found.late + found.strays + Number(found.isWaiting),
      );
      restarts += found.restarts;
      late += found.late;
      reordered += found.reordered;
    }),
    { numRuns: 3000 },
  );
  assert.ok(restarts > 100 && late > 100 && reordered > 100, `${restarts} ${late} ${reordered}`);
});

test('the kernel has the same account, of single packets and of super-packets', (t) => {
  using way = new KernelWay(OBJECT, { udp: 'offset' });
  const { verifiedInstructions } = way;
  t.diagnostic(`${verifiedInstructions || 'unsaid'} instructions verified`);
  assert.ok(verifiedInstructions < 300_000);
  if (kernelAtLeast('5.16')) assert.ok(verifiedInstructions > 0);
  fc.assert(
    fc.property(story, fc.integer({ min: 1, max: 128 }), ({ start, deeds }, together) => {
      const numbers = numbersOf(start, deeds, 32);
      way.clear();
      const noted: number[] = [];
      for (let at = 0; at < numbers.length; at += together) {
        const some = numbers.slice(at, at + together);
        const payload = new Uint8Array(8 * some.length);
        some.forEach((number, i) => {
          payload.set(words(number, 0xdead_beef), 8 * i);
        });
        const before = way.account();
        way.run(udp.payload(payload).build(), { gsoSize: some.length > 1 ? 8 : 0 });
        const { received, noSequence } = way.account();
        assert.equal(received - before.received + noSequence - before.noSequence, some.length);
        // Only where a super-packet has more loss than its window can move over.
        if (noSequence > before.noSequence)
          assert.ok(spread(some) > 500, 'numbers are left out for a reason');
        noted.push(...some.slice(0, received - before.received));
      }
      const { isWaiting, ...account } = expectedOf(noted, 32);
      assert.deepEqual({ ...way.account(), noSequence: 0 }, account);
    }),
    { numRuns: 150 },
  );
});

/** How far numbers that follow one another are apart, in all. */
function spread(numbers: readonly number[]): number {
  return numbers.slice(1).reduce((sum, number, i) => sum + Math.abs((number - numbers[i]!) | 0), 0);
}
