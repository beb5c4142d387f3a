/** Octets nobody planned, through the programs in the kernel: no crash, nothing invented, all explained. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { decodeRecord } from '../src/flow/index.ts';
import type { RetiredEpoch } from '../src/meter/index.ts';
import { Reason } from '../src/record/index.ts';
import { combinations } from './combinations.ts';
import { mutatedFrames, randomBits, randomFrames } from './mutation.ts';
import { scaled } from './scale.ts';
import { Trial } from './trial.ts';

const PACKETS_PER_EPOCH = scaled(20_000);
const RANDOM_PACKETS = 3 * PACKETS_PER_EPOCH;
const MUTATED_PACKETS = 7 * PACKETS_PER_EPOCH;
const REASONS = new Set(
  Object.entries(Reason)
    .filter(([, value]) => value > Reason.REASON_NONE && value < Reason.REASON_COUNT)
    .map(([name]) => name.toLowerCase()),
);

/** Repeat a run with SEED=…, which the test prints. */
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 32);
const trial = new Trial();
after(() => trial[Symbol.dispose]());

/** What must hold of a record whatever the packet was. */
function assertSound({ columns, length }: RetiredEpoch): void {
  const isZero = (column: Uint8Array, row: number): boolean =>
    column.subarray(16 * row, 16 * row + 16).every((octet) => octet === 0);
  for (let row = 0; row < length; row++) {
    const c = (name: keyof typeof columns): number => Number(columns[name][row]);
    const faults: string[] = [];
    const must = (holds: boolean, what: string): void => void (holds || faults.push(what));
    for (const tag of ['vlan', 'secondVlan', 'innerVlan', 'innerSecondVlan'] as const) {
      must(c(tag) === 0 || (c(tag) >= 0x8000 && c(tag) <= 0x8fff), `${tag} is a VID or nothing`);
    }
    if (c('tunnelKind') === 0) {
      for (const name of [
        'tunnelId',
        'tunnelDepth',
        'outerNetwork',
        'outerSourcePort',
        'innerVlan',
      ] as const) {
        must(c(name) === 0, `no ${name} without a tunnel`);
      }
      must(isZero(columns.outerSource, row) && isZero(columns.outerDestination, row), 'no outer addresses');
    } else if (c('outerNetwork') === 0)
      must(isZero(columns.outerSource, row), 'no outer address where no network layer carries a tunnel');
    else
      must(
        !isZero(columns.outerSource, row) || c('outerNetwork') === 2,
        'a tunnel in IP has outer addresses',
      );
    must(c('tunnelDepth') <= 4, 'no tunnel deeper than the bound');
    must(c('tunnelDepth') > 1 || c('tunnel2Kind') === 0, 'no second tunnel without nesting');
    if (c('fragment') === 2) {
      for (const name of ['sourcePort', 'destinationPort', 'icmpTypeCode', 'tcpFlags'] as const) {
        must(c(name) === 0, `no ${name} in a later fragment`);
      }
    }
    if (c('network') === 0) {
      must(isZero(columns.source, row) && isZero(columns.destination, row), 'no addresses without a network');
      must(c('protocol') === 0 && c('dscp') === 0, 'no protocol without a network');
      must((c('remark') & 1) === 1 || c('payloadOctets') === 0, 'no payload without a network');
    }
    must(c('payloadOctets') <= c('octets'), 'payload is part of the packet');
    must(c('shortest') <= c('longest'), 'shortest is not longer than longest');
    must(c('wireOctets') === c('octets') && c('wirePackets') === c('packets'), 'wire truth is the packet');
    if (faults.length > 0) assert.fail(`${faults.join('; ')}: ${JSON.stringify(decodeRecord(columns, row))}`);
  }
}

/** Runs packets over several epochs and checks each. @returns packets that ran, and all reasons found */
async function runMany(
  count: number,
  next: () => Uint8Array,
): Promise<{ ran: number; reasons: Set<string> }> {
  const reasons = new Set<string>();
  let ran = 0;
  for (let i = 1; i <= count; i++) {
    if (trial.run(next(), undefined, { egress: (i & 1) === 1 })) ran++;
    if (i % PACKETS_PER_EPOCH !== 0) continue;
    const epoch = await trial.drain();
    assertSound(epoch);
    for (const { reason } of epoch.ledger) {
      assert.ok(REASONS.has(reason), `the ledger names its reason, not ${reason}`);
      reasons.add(reason);
    }
  }
  return { ran, reasons };
}

test(`random octets are all explained (SEED=${seed})`, async (t) => {
  const { ran, reasons } = await runMany(RANDOM_PACKETS, randomFrames(randomBits(seed)));
  t.diagnostic(`${ran} ran; reasons: ${[...reasons].join(' ')}`);
  assert.ok(ran > RANDOM_PACKETS / 2);
});

test(`mutated packets are all explained (SEED=${seed})`, async (t) => {
  const random = randomBits(seed ^ 0x5bd1_e995);
  const frames = combinations()
    .filter((_, i) => i % 7 === 0)
    .map(({ packet }) => packet.build());
  const { ran, reasons } = await runMany(MUTATED_PACKETS, mutatedFrames(random, frames));
  t.diagnostic(`${ran} ran; reasons: ${[...reasons].join(' ')}`);
  assert.ok(ran > 100_000);
  const never = [...REASONS].filter((reason) => !reasons.has(reason));
  t.diagnostic(`reasons not met: ${never.join(' ') || 'none'}`);
});
