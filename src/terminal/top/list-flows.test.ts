import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchOf } from '../../flow/batch.fixture.ts';
import { LiveView } from '../../live/index.ts';
import { render } from './render.ts';
import { beginning } from './state.ts';
import { answersOf, NOW_MS } from './top.fixture.ts';

test('tenants with the same addresses stay apart at 80 columns, however long their addresses are', () => {
  const live = new LiveView({ clock: () => NOW_MS });
  const between = ['fd00:1:2:3:4:5:6:7', 'fd00:1:2:3:4:5:6:8'] as const;
  live.write(
    batchOf(
      [5001, 5002].map((vni) => ({
        tunnel: ['172.16.1.100', '172.16.1.101', vni],
        between,
        protocol: 6,
        ports: [40_000, 443],
        octets: 1000,
        packets: 1,
      })),
    ),
  );
  const state = beginning({ columns: 80, rows: 24, tab: 'flows' });
  const { grid } = render(state, answersOf(state, live), NOW_MS);
  const lines = Array.from({ length: 24 }, (_, row) => grid.line(row));
  for (const vni of [5001, 5002])
    assert.ok(
      lines.some((line) => line.includes(`VNI ${vni}`) && line.includes('fd00:')),
      lines.join('\n'),
    );
});
