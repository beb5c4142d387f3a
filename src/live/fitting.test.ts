import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { batchOf, type RecordWords } from '../flow/batch.fixture.ts';
import { anyBatch, anyFilter } from '../query/filter/filter.fixture.ts';
import {
  FilterError,
  parseViewFilter,
  printFilter,
  type View,
  type ViewQuestion,
  ViewQuestionSchema,
  ViewSchema,
} from '../query/index.ts';
import { LiveView } from './index.ts';

const ask = (question: Partial<ViewQuestion> = {}): ViewQuestion => ViewQuestionSchema.parse(question);

const WEB: RecordWords = {
  tunnel: ['172.16.1.100', '172.16.1.101', 10001],
  between: ['192.168.0.1', '192.168.0.2'],
  protocol: 6,
  ports: [4000, 80],
  octets: 1000,
  packets: 10,
};
const PLAIN: RecordWords = { between: ['10.0.0.1', '10.0.0.2'], protocol: 17, octets: 250, packets: 2 };

function total(live: LiveView, filter: string, question: Partial<ViewQuestion> = {}): number {
  return live.view(ask({ ...question, filter })).total.octets;
}

describe('a question with a filter', () => {
  it('shows what fits, says the rest, and leaves segments, exactness and history as they are', () => {
    const live = new LiveView();
    live.write(batchOf([WEB, PLAIN]));
    const all = live.view(ask());
    assert.equal(all.filter, null);
    const view = live.view(ask({ filter: 'VNI 10001 && dport==80' }));
    ViewSchema.parse(view);
    assert.deepEqual(view.total, { octets: 1000, packets: 10 });
    assert.deepEqual(view.filter, {
      text: 'vni = 10001 and dport = 80',
      leftOut: { octets: 250, packets: 2 },
      unknown: { octets: 0, packets: 0 },
      share: 0.2,
    });
    for (const part of ['segments', 'exactness', 'history'] as const)
      assert.deepEqual(view[part], all[part], part);
    assert.equal(live.view(ask({ filter: '  any ' })).filter, null);
  });

  it('speaks of the place the question names, not of what is elsewhere', () => {
    const live = new LiveView();
    live.write(batchOf([WEB, { ...WEB, ports: [4000, 22], octets: 3000 }, PLAIN]));
    const { filter, total } = live.view(ask({ filter: 'port 80', segment: 'vxlan:10001' }));
    assert.deepEqual([total.octets, filter?.leftOut.octets, filter?.share], [1000, 3000, 0.75]);
    const elsewhere = live.view(ask({ filter: 'port 80', segment: 'vxlan:5' }));
    assert.deepEqual([elsewhere.total.octets, elsewhere.filter?.share], [0, 0]);
  });

  it('chooses the same as a view that was given only the records that fit', () => {
    const viewFilter = anyFilter.map(printFilter).filter((text) => {
      try {
        parseViewFilter(text);
        return true;
      } catch (error) {
        if (error instanceof FilterError) return false;
        throw error;
      }
    });
    const shown = ({ total, nodes, links, flows, leader }: View) => ({ total, nodes, links, flows, leader });
    let both = 0;
    fc.assert(
      fc.property(anyBatch, viewFilter, (batch, text) => {
        const asked = new LiveView();
        const given = new LiveView({ filter: parseViewFilter(text) });
        for (const live of [asked, given]) live.write(batch);
        // Numbers of octets up to 2^40 are added in another order, but each is whole.
        const view = asked.view(ask({ filter: text }));
        assert.deepEqual(shown(view), shown(given.view(ask())));
        const { filter } = view;
        assert.equal(view.total.octets + (filter?.leftOut.octets ?? 0), asked.view(ask()).total.octets);
        if (filter && view.total.packets > 0 && filter.leftOut.packets > 0) both++;
      }),
      { numRuns: 400 },
    );
    assert.ok(both > 20, `${both} filters chose some and left some out`);
  });

  it('remembers verdicts, also for flows that come later and after numbers have changed', () => {
    const live = new LiveView({ maxFlows: 20 });
    for (let epoch = 1; epoch <= 60; epoch++) {
      const records = Array.from({ length: 10 }, (_, i) => ({
        between: [`10.${epoch}.0.1`, '10.0.0.1'] as const,
        protocol: i % 2 === 0 ? 6 : 17,
        ports: [1000 + i, 80] as const,
        octets: i % 2 === 0 ? 10 : 1,
        packets: 1,
      }));
      live.write(batchOf(records, { epoch }));
      const seconds = Math.min(5, epoch);
      const rows = [...live.uniflows('5s')].filter(({ isFolded, protocol }) => !isFolded && protocol === 6);
      const { total, filter } = live.view(ask({ filter: 'tcp' }));
      assert.equal(total.octets + filter!.leftOut.octets, 55 * seconds);
      assert.equal(
        total.octets,
        rows.reduce((sum, { wireOctets }) => sum + Number(wireOctets), 0),
      );
      assert.ok(total.octets > 0, `nothing in epoch ${epoch}`);
    }
    assert.ok(live.view(ask({ filter: 'tcp' })).filter!.unknown.octets > 0);
  });

  it('keeps verdicts of many filters apart', () => {
    const live = new LiveView();
    const records = Array.from({ length: 40 }, (_, i) => ({
      ...PLAIN,
      ports: [5000, i + 1] as const,
      octets: i + 1,
    }));
    live.write(batchOf(records));
    for (let round = 1; round <= 2; round++) {
      for (let port = 1; port <= 40; port++) assert.equal(total(live, `dport ${port}`), port * round);
      live.write(batchOf(records, { epoch: round + 1 }));
    }
  });
});

describe('what has lost its detail', () => {
  it('fits no condition on what is inside the tunnel, and is told apart: a full flow cache', () => {
    const live = new LiveView();
    live.write(
      batchOf([WEB, { tunnel: ['172.16.1.100', '172.16.1.101', 10001], remark: 1, octets: 900, packets: 9 }]),
    );
    assert.equal(total(live, 'tcp'), 1000);
    assert.deepEqual(live.view(ask({ filter: 'tcp' })).filter?.unknown, { octets: 900, packets: 9 });
    assert.equal(total(live, 'vni 10001 and outer.src 172.16.1.100'), 1900);
    assert.equal(total(live, 'remark = overflow'), 900);
  });

  it('fits no condition on what is inside the tunnel, and is told apart: folded flows', () => {
    const live = new LiveView({ idleSeconds: 2 });
    live.write(batchOf([WEB, PLAIN]));
    const all = (filter: string): number => total(live, filter, { window: 'all' });
    assert.deepEqual([all('tcp'), all('vxlan')], [1000, 1000]);
    for (let epoch = 2; epoch <= 9; epoch++) live.write(batchOf([], { epoch }));
    assert.equal(
      [...live.uniflows('all')].every(({ isFolded }) => isFolded),
      true,
    );
    assert.deepEqual([all('tcp'), all('port 4000'), all('remark = overflow')], [0, 0, 0]);
    assert.deepEqual([all('vxlan'), all('vni 10001'), all('tunnel = none')], [1000, 1000, 250]);
    assert.deepEqual([all('outer.src 172.16.1.100'), all('outer.dst 172.16.1.101')], [1000, 1000]);
    const { filter } = live.view(ask({ filter: 'tcp', window: 'all' }));
    assert.deepEqual(filter?.unknown, { octets: 1250, packets: 12 });
  });
});
