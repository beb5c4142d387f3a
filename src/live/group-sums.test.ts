import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { batchOf, type RecordWords } from '../flow/batch.fixture.ts';
import { ALERT_DIMENSIONS, ALERT_QUANTITIES, parseViewFilter } from '../query/index.ts';
import { type GroupQuestion, LiveView, type Uniflow } from './index.ts';

const QUESTION: GroupQuestion = {
  filter: { kind: 'any' },
  quantity: 'octets',
  by: undefined,
  most: 100,
  also: [],
  above: 0,
};

/** What a uniflow's group is called, told by what is public of it. */
function groupOf(live: LiveView, uniflow: Uniflow, by: GroupQuestion['by']): string | undefined {
  switch (by) {
    case undefined:
      return undefined;
    case 'segment':
      return uniflow.segment;
    case 'src':
      return live.nodes.id(uniflow.sourceNode);
    case 'dst':
      return live.nodes.id(uniflow.destinationNode);
    case 'outer.src':
      return uniflow.outerSource ?? undefined;
    case 'outer.dst':
      return uniflow.outerDestination ?? undefined;
  }
}

const address = fc.integer({ min: 1, max: 4 }).map((i) => `10.0.0.${i}`);
const host = fc.integer({ min: 1, max: 3 }).map((i) => `172.16.0.${i}`);
const record = fc
  .record({
    from: address,
    to: address,
    tunnel: fc.option(fc.tuple(host, host, fc.integer({ min: 1, max: 3 })), { nil: undefined }),
    port: fc.integer({ min: 1, max: 3 }),
    packets: fc.integer({ min: 1, max: 50 }),
  })
  .map(
    ({ from, to, tunnel, port, packets }): RecordWords => ({
      ...(tunnel && { tunnel }),
      between: [from, to],
      protocol: 17,
      ports: [port, 53],
      packets,
      octets: 100 * packets,
    }),
  );

test('sums by group are those of the uniflows, added up one by one', () => {
  const fits = 'sport 1 or vni 2';
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 0, max: 5 }),
      fc.constantFrom('', fits),
      (records, most, filter) => {
        const live = new LiveView();
        live.write(batchOf(records));
        const seconds = live.view({ window: '5s', segment: 'all' }).windowSeconds;
        const all = [...live.uniflows('5s')].filter(
          ({ sourcePort, tunnelId }) => filter === '' || sourcePort === 1 || tunnelId === 2,
        );
        const also = ['none/10.0.0.1', '172.16.0.1', 'vxlan:3', 'nothing', 'vxlan:9/10.0.0.1'];
        const questions = [undefined, ...ALERT_DIMENSIONS].flatMap((by) =>
          ALERT_QUANTITIES.map((quantity) => ({
            ...QUESTION,
            filter: parseViewFilter(filter),
            by,
            quantity,
            most,
            also,
            above: 30,
          })),
        );
        for (const [i, answer] of live.groupSums(questions).entries()) {
          const { by, quantity } = questions[i]!;
          const amountOf = ({ wireOctets, wirePackets }: Uniflow): number =>
            quantity === 'flows' ? 1 : Number(quantity === 'octets' ? wireOctets : wirePackets) / seconds;
          const wanted = new Map<string, number>();
          let total = 0;
          for (const uniflow of all) {
            total += amountOf(uniflow);
            const group = groupOf(live, uniflow, by);
            if (group !== undefined) wanted.set(group, (wanted.get(group) ?? 0) + amountOf(uniflow));
          }
          const close = (a: number, b: number): boolean => Math.abs(a - b) < 1e-6 * (1 + b);
          assert.ok(close(answer.total, total));
          assert.equal(answer.count, wanted.size);
          const largest = [...wanted.values()].toSorted((a, b) => b - a).slice(0, most);
          const told = [...answer.groups];
          for (const [j, value] of largest.entries())
            assert.ok(close(told[j]![1], value), 'the largest first');
          for (const [group, value] of told) assert.ok(close(value, wanted.get(group)!), group);
          for (const group of also) assert.equal(answer.groups.has(group), wanted.has(group));
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('a question is answered alike after the table was folded, and costs no memory of groups that went', () => {
  const live = new LiveView({ maxFlows: 50 });
  for (let epoch = 1; epoch <= 6; epoch++) {
    const records = Array.from(
      { length: 40 },
      (_, i): RecordWords => ({
        between: [`10.0.${epoch}.${i}`, '10.9.9.9'],
        protocol: 17,
        ports: [1, 2],
        packets: 1,
        octets: 100,
      }),
    );
    live.write(batchOf(records, { epoch, startMs: epoch * 1000, endMs: epoch * 1000 + 1000 }));
    const [sums] = live.groupSums([{ ...QUESTION, by: 'dst', quantity: 'packets' }]);
    const total = [...live.uniflows('5s')].reduce((sum, { wirePackets }) => sum + Number(wirePackets), 0);
    const { windowSeconds } = live.view({ window: '5s', segment: 'all' });
    assert.ok(Math.abs(sums!.total * windowSeconds - total) < 1e-6);
    assert.ok(Math.abs([...sums!.groups.values()].reduce((a, b) => a + b, 0) - sums!.total) < 1e-6);
  }
});
