import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { batchOf, type RecordWords } from '../flow/batch.fixture.ts';
import type { ObservationPoint } from '../flow/index.ts';
import { LiveQuestionSchema, type LiveQuestionText, type ResultTable } from '../query/index.ts';
import { LiveView } from './index.ts';
import { largest } from './question/largest.ts';

/* That tables are those of a store, test/live-questions.test.ts shows; here is what only the live view has. */

const ask = (live: LiveView, question: LiveQuestionText): ResultTable =>
  live.table(LiveQuestionSchema.parse(question));

const named = ({ columns, rows }: ResultTable): Record<string, unknown>[] =>
  rows.map((row) => Object.fromEntries(columns.map(({ name }, i) => [name, row[i]])));

const tenant = (vni: number, words: Partial<RecordWords> = {}): RecordWords => ({
  tunnel: ['172.16.1.1', '172.16.1.2', vni],
  between: ['10.0.0.1', '10.0.0.2'],
  octets: 1000,
  packets: 10,
  ...words,
});

describe('questions about now', () => {
  it('are of the window, which says what it really covers', () => {
    const live = new LiveView({ clock: () => 77 });
    assert.deepEqual(ask(live, { ask: 'top', by: ['src'], window: 'all' }).covered, {
      fromMs: 77,
      toMs: 77,
      level: 'live',
    });
    for (let epoch = 1; epoch <= 90; epoch++)
      live.write(
        batchOf([tenant(epoch <= 80 ? 1 : 2)], {
          epoch,
          ledger: [{ ifindex: 2, direction: 0, reason: 'vlan_depth', level: 0, packets: 1n, octets: 60n }],
        }),
      );
    const octetsOf = (window: '5s' | '1m' | 'all') => {
      const { rows, covered, total, ledger } = ask(live, { ask: 'top', by: ['vni'], window });
      return { rows, seconds: (covered.toMs - covered.fromMs) / 1000, total: total.octets, ledger };
    };
    const lost = (packets: number) => [{ reason: 'vlan_depth', octets: 60 * packets, packets }];
    assert.deepEqual(octetsOf('5s'), { rows: [[2, 5000, 50]], seconds: 5, total: 5000, ledger: lost(5) });
    const minute = octetsOf('1m');
    assert.ok(minute.seconds >= 55 && minute.seconds <= 65, String(minute.seconds));
    assert.deepEqual(minute, {
      rows: [
        [1, 1000 * (minute.seconds - 10), 10 * (minute.seconds - 10)],
        [2, 10_000, 100],
      ],
      seconds: minute.seconds,
      total: 1000 * minute.seconds,
      ledger: lost(minute.seconds),
    });
    assert.deepEqual(octetsOf('all').rows, [
      [1, 80_000, 800],
      [2, 10_000, 100],
    ]);
    assert.deepEqual(octetsOf('all').ledger, lost(90));
  });

  it('share their answer within an epoch', () => {
    const live = new LiveView();
    live.write(batchOf([tenant(1)]));
    const question: LiveQuestionText = { ask: 'flows', window: '5s' };
    const first = ask(live, question);
    assert.equal(ask(live, question), first);
    assert.notEqual(ask(live, { ...question, limit: 5 }), first);
    live.write(batchOf([tenant(1)], { epoch: 2 }));
    assert.equal(named(ask(live, question))[0]!.octets, 2000);
  });

  it('tell of a flow what the primary points saw, whoever saw it first', () => {
    const at = (ifindex: number, primary: boolean): ObservationPoint => ({
      ifindex,
      direction: 0,
      interfaceName: `if${ifindex}`,
      primary,
    });
    const points = [at(2, true), at(3, false)];
    const live = new LiveView();
    const write = (epoch: number, ifindex: number, mac: string, longest: number): void => {
      const batch = batchOf([tenant(1, { ifindex, macs: [mac, '02:00:00:00:00:99'] })], { epoch, points });
      batch.columns.longest[0] = longest;
      batch.columns.shortest[0] = longest;
      live.write(batch);
    };
    const told = () => {
      const [flow] = named(ask(live, { ask: 'flows', window: 'all' }));
      return [flow!['src.mac'], flow!.shortest, flow!.longest];
    };
    write(1, 3, '02:00:00:00:00:01', 9000);
    assert.deepEqual(told(), ['02:00:00:00:00:01', 9000, 9000]);
    write(2, 2, '02:00:00:00:00:02', 1500);
    assert.deepEqual(told(), ['02:00:00:00:00:02', 1500, 1500]);
    write(3, 3, '02:00:00:00:00:01', 9000);
    write(4, 2, '02:00:00:00:00:03', 1400);
    assert.deepEqual(told(), ['02:00:00:00:00:02', 1400, 1500]);
  });

  it('say of folded flows no more than is known', () => {
    const live = new LiveView({ idleSeconds: 2 });
    const records = [1, 2].map((client) => tenant(7, { between: [`10.0.0.${client}`, '10.0.0.9'], vlan: 5 }));
    live.write(batchOf(records));
    for (let epoch = 2; epoch <= 9; epoch++) live.write(batchOf([], { epoch }));
    const [flow, ...others] = named(ask(live, { ask: 'flows', window: 'all' }));
    assert.equal(others.length, 0);
    const known = Object.entries(flow!).filter(([, value]) => value !== null);
    assert.deepEqual(Object.fromEntries(known), {
      segment: 'vxlan:7',
      tunnel: 'vxlan',
      vni: 7,
      'outer.src': '172.16.1.1',
      'outer.dst': '172.16.1.2',
      remark: 'folded',
      octets: 2000,
      packets: 20,
      payload: 0,
      first: 1000,
      last: 2000,
    });
    assert.deepEqual(ask(live, { ask: 'top', by: ['src', 'network', 'vlan'], window: 'all' }).rows, [
      [null, null, null, 2000, 20],
    ]);
    const [tunnel] = named(ask(live, { ask: 'tunnels', window: 'all' }));
    assert.deepEqual(tunnel, {
      segment: 'vxlan:7',
      'outer.src': '172.16.1.1',
      'outer.dst': '172.16.1.2',
      octets: 2000,
      packets: 20,
      flows: null,
      overhead: 0.5,
      longest: null,
      fragments: 0,
      ports: null,
      entropy: null,
      'entropy.possible': null,
      first: 1000,
      last: 2000,
    });
  });

  it('keep of an epoch fifty segments, the rest as other, and every kind of tunnel', () => {
    const live = new LiveView();
    const segments = Array.from({ length: 60 }, (_, i) => tenant(i + 1, { octets: 1000 + i, packets: 1 }));
    const plain: RecordWords = { between: ['172.16.1.1', '172.16.1.2'], octets: 500, packets: 5 };
    for (let epoch = 1; epoch <= 310; epoch++) live.write(batchOf([...segments, plain], { epoch }));
    const bySegment = ask(live, { ask: 'series', by: ['segment'], window: '5s', limit: 50 });
    assert.equal(bySegment.rows.length, 5 * 51);
    assert.deepEqual(bySegment.rows.slice(49, 52), [
      [306_000, 'vxlan:11', 1010, 1],
      [306_000, 'other', 1000 * 10 + 45 + 500, 15],
      [307_000, 'vxlan:60', 1059, 1],
    ]);
    const byTunnel = ask(live, { ask: 'series', by: ['tunnel'], window: 'all' });
    const tunnelled = 60_000 + (59 * 60) / 2;
    assert.equal(byTunnel.rows.length, 2 * 300);
    assert.deepEqual(byTunnel.rows.slice(0, 2), [
      [11_000, 'vxlan', tunnelled, 60],
      [11_000, 'none', 500, 5],
    ]);
    assert.deepEqual(byTunnel.covered, { fromMs: 11_000, toMs: 311_000, level: 'live' });
    assert.deepEqual([byTunnel.isCut, bySegment.isCut], [false, true]);
    const { history } = live.view({ window: '5s', segment: 'all' });
    assert.deepEqual(history.at(-1), {
      atMs: 311_000,
      octetRate: tunnelled + 500,
      packetRate: 65,
      tunnelledOctetRate: tunnelled,
    });
    assert.equal(history.length, 300);
  });
});

describe('the largest of many', () => {
  it('are those that come first where all are sorted', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 9 })), fc.integer({ min: 1, max: 20 }), (sizes, limit) => {
        const all = sizes.map((_, i) => i).sort((a, b) => sizes[b]! - sizes[a]! || a - b);
        assert.deepEqual(
          largest(sizes.length, limit, (a, b) => sizes[a]! > sizes[b]!),
          all.slice(0, limit),
        );
      }),
    );
  });
});
