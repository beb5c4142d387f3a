/* Where connections begin and end, who opened them and how they were closed, and the round trips of a few known ones. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Workshop } from '../bench/build.ts';
import { FLAGS, KernelSide, ModuleSide, type Observed, observedBytes, Row } from './biflow.ts';

const workshop = new Workshop();
const kernel = KernelSide.load(workshop);
const module = new ModuleSide(workshop, kernel.layouts.row.size);
after(() => {
  kernel[Symbol.dispose]();
  workshop[Symbol.dispose]();
});

const { fin, syn, rst, ack } = FLAGS;
const CLOSE = { not: 0, finished: 1, reset0: 2, reset1: 3, refused0: 4, refused1: 5, replaced: 6 } as const;
const TRAIT = { begun: 1, openerSaid: 2, handshake: 4 } as const;
const [CLIENT, SERVER] = [1000, 9000];

/** A packet at a time in microseconds. */
type Step = Omit<Observed, 'timeNs'> & { readonly at: number };

/** Both sides get the packets until a new connection begins. */
function keep(steps: readonly Step[]): Row {
  for (const side of [kernel, module]) {
    side.clear();
    for (const { at, ...packet } of steps) side.note(observedBytes({ timeNs: 1000 * at, ...packet }));
  }
  const row = kernel.row();
  assert.deepEqual(module.row(), row);
  return new Row(row, kernel.layouts);
}

const said = (at: number, way: 0 | 1, flags: number, sequence: number, acknowledgment = 0): Step => ({
  at,
  way,
  flags,
  sequence,
  acknowledgment,
});

const HANDSHAKE: readonly Step[] = [
  said(100, 0, syn, CLIENT),
  said(130, 1, syn | ack, SERVER, CLIENT + 1),
  said(200, 0, ack, CLIENT + 1, SERVER + 1),
];
const GOODBYE: readonly Step[] = [
  said(300, 0, fin | ack, CLIENT + 1, SERVER + 1),
  said(320, 1, fin | ack, SERVER + 1, CLIENT + 2),
  said(340, 0, ack, CLIENT + 2, SERVER + 2),
];

const read = (row: Row): Record<'opener' | 'close' | 'traits' | 'anew', number> => ({
  opener: row.get('connection.opener'),
  close: row.get('connection.close'),
  traits: row.get('connection.traits'),
  anew: row.get('anew'),
});

const ALL_TRAITS = TRAIT.begun | TRAIT.openerSaid | TRAIT.handshake;

test('a connection lasts from its SYN to the ACK of the second FIN, with packets and octets of either way', () => {
  const row = keep(
    [...HANDSHAKE, ...GOODBYE].map((step) => ({
      ...step,
      octets: 60,
      packets: 1,
      ...(step.at === 200 && { payload: 0 }),
    })),
  );
  assert.deepEqual(read(row), { opener: 0, close: CLOSE.finished, traits: ALL_TRAITS, anew: 0 });
  const times = ['firstNs', 'lastNs', 'closeNs'].map((name) => row.get(`connection.${name}`));
  assert.deepEqual(times, [100_000, 340_000, 340_000]);
  assert.deepEqual([row.get('connection.packets', 0), row.get('connection.packets', 1)], [4, 2]);
  assert.deepEqual([row.get('connection.octets', 0), row.get('connection.octets', 1)], [240, 120]);
});

test('the handshake gives a round trip to either end', () => {
  const row = keep(HANDSHAKE);
  assert.deepEqual([row.state(0, 'handshakeNs'), row.state(1, 'handshakeNs')], [30_000, 70_000]);
  assert.deepEqual([row.count(0, 'handshakeNs'), row.count(1, 'handshakeNs')], [30_000, 70_000]);
  assert.equal(row.get('tcp.firstRoundTrip'), 100_000);
});

test('the answer to a SYN that was sent twice says nothing about time', () => {
  const row = keep([said(0, 0, syn, CLIENT), ...HANDSHAKE]);
  assert.deepEqual([row.state(0, 'handshakeNs'), row.state(1, 'handshakeNs')], [0, 70_000]);
  assert.equal(row.count(0, 'retransmissions'), 1);
});

test('who answers is not who opened, though the SYN was not seen', () => {
  assert.deepEqual(read(keep(HANDSHAKE.slice(1))), {
    opener: 0,
    close: CLOSE.not,
    traits: TRAIT.begun | TRAIT.openerSaid,
    anew: 0,
  });
  assert.deepEqual(read(keep(HANDSHAKE.slice(2))), {
    opener: 0,
    close: CLOSE.not,
    traits: TRAIT.begun,
    anew: 0,
  });
});

test('a reset closes, and one in answer to a SYN refuses', () => {
  const close = (...steps: Step[]): number => read(keep(steps)).close;
  assert.equal(close(...HANDSHAKE, said(400, 0, rst, CLIENT + 1)), CLOSE.reset0);
  assert.equal(close(...HANDSHAKE, said(400, 1, rst | ack, SERVER + 1, CLIENT + 1)), CLOSE.reset1);
  assert.equal(close(said(0, 0, syn, CLIENT), said(9, 1, rst | ack, 0, CLIENT + 1)), CLOSE.refused1);
  assert.equal(close(said(0, 1, syn, CLIENT), said(9, 0, rst | ack, 0, CLIENT + 1)), CLOSE.refused0);
  // The client does not know of it any more.
  assert.equal(close(...HANDSHAKE.slice(0, 2), said(400, 0, rst, CLIENT + 1)), CLOSE.reset0);
});

test('what was refused and is answered all the same, was refused by another', () => {
  const refused = [said(0, 0, syn, CLIENT), said(9, 1, rst | ack, 0, CLIENT + 1)];
  assert.deepEqual(read(keep([...refused, ...HANDSHAKE])), {
    opener: 0,
    close: CLOSE.not,
    traits: ALL_TRAITS,
    anew: 0,
  });
});

test('ports that are used again begin a connection anew', () => {
  const again = said(900, 0, syn, CLIENT + 5000);
  const anew = (...steps: Step[]): [number, number] => {
    const { anew: count, close } = read(keep(steps));
    return [count, close];
  };
  assert.deepEqual(anew(...HANDSHAKE, ...GOODBYE, again), [1, CLOSE.finished]);
  assert.deepEqual(anew(...HANDSHAKE, said(400, 1, rst, SERVER + 1), again), [1, CLOSE.reset1]);
  assert.deepEqual(anew(...HANDSHAKE, again), [1, CLOSE.replaced]);
  assert.deepEqual(anew(said(0, 0, syn, CLIENT), again), [1, CLOSE.replaced]);
  // It was there before anybody looked.
  assert.deepEqual(anew(said(0, 0, ack, 70, 80), again), [1, CLOSE.replaced]);
  // The other end opens now.
  assert.deepEqual(anew(...HANDSHAKE, ...GOODBYE, said(900, 1, syn, SERVER + 5000)), [1, CLOSE.finished]);
  assert.deepEqual(anew(...HANDSHAKE, said(900, 1, syn, SERVER + 5000)), [1, CLOSE.replaced]);
  // The new SYN was not seen.
  const answer = said(900, 1, syn | ack, SERVER + 5000, CLIENT + 5001);
  assert.deepEqual(anew(...HANDSHAKE, ...GOODBYE, answer), [1, CLOSE.finished]);
});

test('a SYN that comes twice, late, or from both ends at a time begins nothing anew', () => {
  const count = (...steps: Step[]): number => read(keep(steps)).anew;
  assert.equal(count(HANDSHAKE[0]!, ...HANDSHAKE, HANDSHAKE[0]!), 0);
  assert.equal(count(...HANDSHAKE, HANDSHAKE[1]!), 0);
  assert.equal(count(HANDSHAKE[1]!, HANDSHAKE[0]!, HANDSHAKE[2]!), 0);
  const both = [said(0, 0, syn, CLIENT), said(1, 1, syn, SERVER)];
  const answers = [said(5, 0, syn | ack, CLIENT, SERVER + 1), said(6, 1, syn | ack, SERVER, CLIENT + 1)];
  assert.deepEqual(read(keep([...both, ...answers])), {
    opener: 0,
    close: CLOSE.not,
    traits: ALL_TRAITS,
    anew: 0,
  });
  assert.equal(
    count({ at: 0, way: 0, protocol: 17, flags: 0 }, { at: 1, way: 0, protocol: 17, flags: syn }),
    0,
  );
});

/** Data of way 0 at a time, with a TSval. */
const data = (at: number, sequence: number, timestamp?: number): Step => ({
  ...said(at, 0, ack, sequence, 1),
  payload: 100,
  ...(timestamp !== undefined && { timestamp, echo: 0 }),
});
const answer = (at: number, acknowledgment: number, echo?: number): Step => ({
  ...said(at, 1, ack, 1, acknowledgment),
  ...(echo !== undefined && { timestamp: 1, echo }),
});

/** Number, sum, least and most of way 0's round trips, in microseconds. */
function roundTrips(...steps: Step[]): [number, number, number, number] {
  const row = keep(steps);
  const ns = (name: string): number => row.count(0, `roundTrip.${name}`);
  return [ns('samples'), ns('sum') / 1000, Math.max(0, ns('least') - 1) / 1000, ns('most') / 1000];
}

test('a round trip is from a segment to the acknowledgment that covers it, one at a time', () => {
  assert.deepEqual(roundTrips(data(0, 0), answer(50, 100), data(60, 100), answer(90, 200)), [2, 80, 30, 50]);
  assert.deepEqual(roundTrips(data(0, 0), data(10, 100), answer(50, 200), answer(60, 200)), [1, 50, 50, 50]);
  assert.deepEqual(roundTrips(data(0, 0), answer(20, 50), answer(50, 100)), [1, 50, 50, 50]);
});

test('where there are timestamps the acknowledgment must echo that of the segment', () => {
  assert.deepEqual(roundTrips(data(0, 0, 7), answer(50, 100, 7)), [1, 50, 50, 50]);
  assert.deepEqual(roundTrips(data(0, 0, 7), answer(50, 100, 6)), [0, 0, 0, 0]);
});

test('neither what was sent twice nor what waited for a hole says anything about time', () => {
  const none = [0, 0, 0, 0];
  assert.deepEqual(roundTrips(data(0, 0), data(40, 0), answer(50, 100)), none);
  assert.deepEqual(roundTrips(data(0, 0, 7), data(40, 0, 7), answer(50, 100, 7)), none);
  // The hole is known here: 100 to 199 are missing.
  const begin = [data(0, 0), answer(50, 100)];
  assert.deepEqual(roundTrips(...begin, data(60, 200), data(70, 100), answer(99, 300)), [1, 50, 50, 50]);
  // Or the receiver tells of it.
  const told = [data(60, 100), answer(61, 100), answer(62, 100), answer(99, 200)];
  assert.deepEqual(roundTrips(...begin, ...told), [1, 50, 50, 50]);
});

test('a super-packet is as many segments, and its first one is timed', () => {
  const whole = { ...data(0, 0), payload: 3000, segment: 1000, packets: 3 };
  assert.deepEqual(roundTrips(whole, answer(50, 1000)), [1, 50, 50, 50]);
  const row = keep([whole, { ...whole, at: 20_000 }, { ...whole, at: 40_000, sequence: 2000 }]);
  const count = (name: string): number => row.count(0, name);
  assert.deepEqual(
    [count('segments'), count('retransmissions'), count('repeatedSegments'), count('repeatedOctets')],
    [9, 4, 4, 4000],
  );
});
