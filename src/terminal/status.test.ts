import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { batchOf, type EpochWords } from '../flow/batch.fixture.ts';
import { LiveView } from '../live/index.ts';
import { type View, ViewQuestionSchema } from '../query/index.ts';
import { formatStatus } from './index.ts';

function view(around: EpochWords = {}): View {
  const live = new LiveView();
  const tenant = { tunnel: ['1.1.1.1', '2.2.2.2', 7] as const, between: ['10.0.0.1', '10.0.0.2'] as const };
  live.write(
    batchOf(
      [
        { ...tenant, octets: 125_000, packets: 100 },
        { between: ['1.1.1.1', '2.2.2.2'], octets: 1000, packets: 10 },
      ],
      around,
    ),
  );
  return live.view(ViewQuestionSchema.parse({}));
}

const options = { flows: 2, width: 120, nowMs: 2000 };

it('says rates inside and outside tunnels, flows, exactness and epoch', () => {
  assert.equal(
    formatStatus(view(), options),
    '1.00 Mbit/s in tunnels · 8.00 kbit/s outside · 2 flows · all counted · epoch 1',
  );
});

it('says what is not counted, and when it is stale', () => {
  const ledger = [
    { ifindex: 2, direction: 0, reason: 'ipv4_truncated', level: 0, packets: 1n, octets: 20n },
  ] as const;
  assert.match(formatStatus(view({ ledger }), options), /· 1 packet not in a flow ·/);
  assert.match(formatStatus(view(), { ...options, nowMs: 14_000 }), /· stale for 12 s ·/);
});

it('is never wider than the terminal and keeps the exactness longest', () => {
  const shown = view();
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100 }), (width) => {
      assert.ok(formatStatus(shown, { ...options, width }).length <= width);
    }),
  );
  assert.equal(formatStatus(shown, { ...options, width: 40 }), '1.00 Mbit/s in tunnels · all counted');
});
