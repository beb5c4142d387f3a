import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { comparedRows } from './compare.ts';
import { pastQuestions } from './past-questions.ts';
import { pastView, type ShownView } from './past-view.ts';
import { readPlace } from './question.ts';

const LIVE = {
  agent: 'a',
  epoch: 1,
  intervalSeconds: 1,
  exactness: {
    seen: { octets: 0, packets: 0 },
    recorded: { octets: 0, packets: 0 },
    overflow: { octets: 0, packets: 0 },
    ledger: [],
    unexplained: { octets: 0, packets: 0 },
    outside: { points: 0, packets: 0, octets: 0 },
  },
};

/** A picture of plain traffic over so many seconds. */
function plain(seconds: number, links: readonly (readonly [string, string, number])[]): ShownView {
  const { question } = readPlace('').place;
  const span = { fromMs: 0, toMs: 1000 * seconds };
  assert.ok(pastQuestions(question, span).spoken);
  const columns = (...names: string[]) => [
    ...names.map((name) => ({ name, kind: 'text' as const })),
    { name: 'octets', kind: 'octets' as const },
    { name: 'packets', kind: 'packets' as const },
  ];
  const octets = links.reduce((sum, link) => sum + link[2], 0);
  const about = {
    total: { octets, packets: 1 },
    isCut: false,
    covered: { ...span, level: 'raw' as const },
    gaps: [],
    ledger: [],
    tookMs: 1,
  };
  const segments = { ...about, columns: columns('segment'), rows: [['none', octets, 1]] };
  const spoken = {
    ...about,
    columns: columns('segment', 'src', 'dst'),
    rows: links.map(([from, to, sent]) => ['none', from, to, sent, 1]),
  };
  return pastView(question, span, { tables: { segments, total: segments, spoken }, live: LIVE })!;
}

describe('two spans compared', () => {
  const now = plain(10, [
    ['10.0.0.1', '10.0.0.2', 500],
    ['10.0.0.2', '10.0.0.1', 100],
    ['10.0.0.3', '10.0.0.1', 40],
  ]);
  const before = plain(20, [
    ['10.0.0.1', '10.0.0.2', 200],
    ['10.0.0.4', '10.0.0.1', 60],
  ]);

  it('name everyone of either, what grew most per second first', () => {
    assert.deepEqual(
      comparedRows(now, before, 'nodes').map(({ id, now: is, before: was, growth }) => [id, is, was, growth]),
      [
        ['10.0.0.1', 500, 200, 40],
        ['10.0.0.2', 100, 0, 10],
        ['10.0.0.3', 40, 0, 4],
        ['10.0.0.4', 0, 60, -3],
      ],
    );
  });

  it('pairs count both ways', () => {
    assert.deepEqual(
      comparedRows(now, before, 'pairs').map(({ ends, now: is, before: was }) => [ends.join(' '), is, was]),
      [
        ['10.0.0.1 10.0.0.2', 600, 200],
        ['10.0.0.1 10.0.0.3', 40, 0],
        ['10.0.0.1 10.0.0.4', 0, 60],
      ],
    );
  });
});
