/** Every combination of headers through the programs in the kernel (BPF_PROG_TEST_RUN), compared with its builder. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Combination, combinations } from './combinations.ts';
import { sample } from './scale.ts';
import { settleAll, Trial } from './trial.ts';

/** The shortest frame BPF_PROG_TEST_RUN takes: an Ethernet header. */
const SHORTEST = 14;

const every = combinations();
const all = sample(every);
// A tunnel header that is cut leaves a record of its own: more nested ones than the meter has room for by default.
const trial = new Trial({ capacities: { wide: 131_072 } });

after(() => trial[Symbol.dispose]());

function runTruncated({ packet }: Combination): void {
  const frame = packet.build();
  for (let length = SHORTEST; length < frame.byteLength; length++) {
    trial.run(frame.subarray(0, length), packet.model({ length }));
  }
}

test('every combination of headers becomes the one record its builder describes', async () => {
  assert.ok(every.length > 6000, `${every.length} combinations`);
  for (const egress of [false, true]) {
    const wrong = await settleAll(trial, all, ({ packet }) =>
      trial.run(packet.build(), packet.model(), { egress }),
    );
    assert.deepEqual(wrong, []);
  }
});

test('every combination, cut anywhere, is in the ledger for the right reason or in the right record', async () => {
  assert.deepEqual(await settleAll(trial, all, runTruncated), []);
});

test('super-packets whose lengths are unsaid, cut anywhere, end at the header that is cut', async () => {
  // A third of them, to be done in ten seconds; the groups of the cross product are no multiple of three long.
  const chosen = all.filter((_, i) => i % 3 === 0);
  const unsaid = chosen.map(({ name, packet }) => ({ name, packet: packet.withoutLengths() }));
  assert.deepEqual(
    await settleAll(trial, unsaid, ({ packet }) => trial.run(packet.build(), packet.model())),
    [],
  );
  assert.deepEqual(await settleAll(trial, unsaid, runTruncated), []);
});
