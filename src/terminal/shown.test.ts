import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HistoryQuestionSchema, type HistoryQuestionText, type ResultTable } from '../query/index.ts';
import { shownTable } from './index.ts';

const SPAN = { fromMs: 3_600_000, toMs: 7_200_000 } as const;
const OCTETS = { name: 'octets', kind: 'octets' } as const;
const PACKETS = { name: 'packets', kind: 'packets' } as const;

/** What is shown of this answer. */
function shown(
  question: HistoryQuestionText,
  answer: Partial<ResultTable>,
): Pick<ResultTable, 'columns' | 'rows'> {
  return shownTable(HistoryQuestionSchema.parse(question), {
    columns: [],
    rows: [],
    total: { octets: 1000, packets: 10 },
    isCut: false,
    covered: { ...SPAN, level: 'raw' },
    gaps: [],
    ledger: [],
    tookMs: 1,
    ...answer,
  });
}

describe('what is shown of an answer', () => {
  const columns: ResultTable['columns'] = [
    { name: 'src', kind: 'address' },
    { name: 'vni', kind: 'number' },
    OCTETS,
    PACKETS,
  ];
  const rows: ResultTable['rows'] = [
    ['10.0.0.1', 1, 600, 4],
    ['10.0.0.2', null, 300, 1],
  ];

  it('has shares, and a line of all that is not listed', () => {
    const top: HistoryQuestionText = { ask: 'top', by: ['src', 'vni'], ...SPAN };
    assert.deepEqual(shown(top, { columns, rows, isCut: true }), {
      columns: [columns[0], columns[1], OCTETS, { name: 'share', kind: 'share' }, PACKETS],
      rows: [
        ['10.0.0.1', 1, 600, 0.6, 4],
        ['10.0.0.2', null, 300, 0.3, 1],
        ['others', '', 100, 0.1, 5],
      ],
    });
    const packets = shown({ ...top, quantity: 'packets' }, { columns, rows });
    assert.deepEqual(packets.rows, [
      ['10.0.0.1', 1, 600, 4, 0.4],
      ['10.0.0.2', null, 300, 1, 0.1],
    ]);
    const flows = { columns: [...columns, { name: 'flows', kind: 'flows' } as const], rows };
    assert.deepEqual(shown({ ...top, quantity: 'flows' }, flows), flows, 'nobody knows the total of flows');
  });

  it('has bars over time', () => {
    const series = { ask: 'series', ...SPAN } as const;
    const time = { name: 'time', kind: 'time' } as const;
    const { rows: bars } = shown(series, {
      columns: [time, OCTETS, PACKETS],
      rows: [
        [0, 300, 1],
        [1, 155, 1],
        [2, 0, 0],
      ],
    });
    assert.deepEqual(
      bars.map((row) => row.at(-1)),
      ['█'.repeat(30), `${'█'.repeat(15)}▌`, ''],
    );
  });

  it('has the change from what was before, per time', () => {
    const before = { fromMs: 0, toMs: 1_800_000 };
    const { rows: changes } = shown(
      { ask: 'compare', by: ['src'], ...SPAN, before },
      {
        columns: [columns[0]!, OCTETS, PACKETS, { name: 'before.octets', kind: 'octets' }],
        rows: [
          ['a', 4000, 1, 100],
          ['b', 300, 1, 100],
          ['c', 10, 1, 0],
          ['d', 100, 1, 100],
          ['e', 0, 0, 100],
        ],
      },
    );
    assert.deepEqual(
      changes.map((row) => row.at(-1)),
      ['× 20', '+50 %', 'new', '-50 %', 'gone'],
    );
  });

  it('leaves out what no flow has', () => {
    const { columns: kept } = shown(
      { ask: 'flows', ...SPAN },
      { columns, rows: rows.map((row) => row.with(1, null)) },
    );
    assert.deepEqual(
      kept.map(({ name }) => name),
      ['src', 'octets', 'packets'],
    );
  });
});
