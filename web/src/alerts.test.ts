import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AlertStatus, parseViewFilter } from '../../src/query/index.ts';
import { alertLines, placeOfAlert } from './alerts.ts';
import { readPlace } from './question.ts';

const AT_MS = 1_000_000;

function alert(words: Partial<AlertStatus>): AlertStatus {
  return {
    name: 'uplink',
    filter: '',
    quantity: 'octets',
    by: null,
    bound: 'above',
    threshold: 125e6,
    forMs: 30_000,
    state: 'ok',
    sinceMs: AT_MS - 120_000,
    value: 155e6,
    groups: [],
    groupsLeftOut: 0,
    webhook: null,
    ...words,
  };
}

describe('alerts on the page', () => {
  it('are told when they are not well, the worst first', () => {
    const lines = alertLines({
      atMs: AT_MS,
      alerts: [
        alert({ name: 'quiet' }),
        alert({ name: 'soon', state: 'pending', quantity: 'flows', value: 1200, threshold: 1000 }),
        alert({ state: 'firing' }),
      ],
    });
    assert.deepEqual(
      lines.map(({ name, words, since }) => [name, words, since]),
      [
        ['uplink', '1.24 Gbit/s, above 1.00 Gbit/s', 'firing for 2 minutes'],
        ['soon', '1.20 k flows, above 1.00 k flows', 'pending for 2 minutes'],
      ],
    );
  });

  it('lead to the flows they speak of, live', () => {
    const group = (by: AlertStatus['by'], name: string): AlertStatus =>
      alert({
        by,
        filter: 'tcp or udp',
        state: 'firing',
        groups: [{ group: name, state: 'firing', sinceMs: AT_MS, value: 1 }],
      });
    const { place } = readPlace('?sight=network&time=1h');
    for (const [by, name, filter] of [
      ['segment', 'vxlan:5001', '(tcp or udp) and (tunnel = vxlan and vni = 5001)'],
      ['src', 'vxlan:5001/10.0.0.1', '(tcp or udp) and (tunnel = vxlan and vni = 5001 and src = 10.0.0.1)'],
      ['dst', 'none/fe80::1', '(tcp or udp) and (tunnel = none and dst = fe80::1)'],
      ['outer.src', '192.0.2.1', '(tcp or udp) and (outer.src = 192.0.2.1)'],
      ['src', 'none/(folded)', 'tcp or udp'],
    ] as const) {
      const [line] = alertLines({ atMs: AT_MS, alerts: [group(by, name)] });
      assert.equal(line!.filter, filter);
      assert.doesNotThrow(() => parseViewFilter(filter), filter);
      const to = placeOfAlert(place, line!);
      assert.deepEqual([to.sight, to.time.kind, to.question.filter], ['flows', 'live', filter]);
    }
  });
});
