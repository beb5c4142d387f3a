import { useMemo } from 'react';
import { type ComparedRow, comparedRows } from '../compare.ts';
import type { Hover } from '../hover.ts';
import type { ShownView } from '../past-view.ts';
import type { List, Units } from '../question.ts';
import type { Paint } from '../segments.ts';
import { amount, rate, windowWords } from '../words.ts';
import type { Figure } from './figures.tsx';
import { AddressName, SegmentText } from './Named.tsx';
import { Swatch } from './Paints.tsx';
import { type Column, Table } from './Table.tsx';

interface CompareProps {
  readonly view: ShownView;
  readonly before: ShownView;
  readonly list: List;
  readonly units: Units;
  readonly paints: ReadonlyMap<string, Paint>;
  readonly limit: number;
  readonly hover: Hover | undefined;
  readonly onHover: (hover: Hover | undefined) => void;
}

/** Two spans in one table: what was, what is, what grew. */
export default function CompareTable(props: CompareProps) {
  const { view, before, list, units, paints, limit, hover, onHover } = props;
  const rows = useMemo(() => comparedRows(view, before, list), [view, before, list]);
  const columns: Column<ComparedRow>[] = [
    {
      id: 'who',
      head: list === 'pairs' ? 'Pair' : view.level === 'hosts' ? 'Host' : 'Client',
      value: ({ ends }) => ends.join(' '),
      cell: ({ ends, segments }) => (
        <span className="mono ends">
          {ends.map((end, index) => (
            <span key={end}>
              {index === 0 ? (
                segments
                  .slice(0, 4)
                  .map((segment) => <Swatch key={segment} paints={paints} segment={segment} />)
              ) : (
                <span className="quiet">⇄ </span>
              )}
              <AddressName address={end} />
            </span>
          ))}
          {list === 'nodes' && segments[0] !== undefined && (
            <span className="sub">
              <SegmentText segment={segments[0]} />
            </span>
          )}
        </span>
      ),
    },
    {
      id: 'now',
      head: 'Sent',
      title: windowWords(view),
      value: ({ now }) => now,
      figure: ({ now }) => amount(now, units, view.windowSeconds),
    },
    {
      id: 'before',
      head: 'Compared',
      title: windowWords(before),
      value: ({ before: was }) => was,
      figure: ({ before: was }) => amount(was, units, before.windowSeconds),
    },
    {
      id: 'growth',
      head: 'Growth',
      title: 'Per second that was metered',
      value: ({ growth }) => growth,
      figure: ({ growth }) => growthFigure(growth, units),
    },
  ];
  return (
    <>
      <p className="quiet">
        {windowWords(view)} against {windowWords(before)}
      </p>
      <Table
        caption="Two spans beside each other, with what grew"
        columns={columns}
        rows={rows}
        rowId={({ id }) => id}
        identity={({ id, segments }) => `${id} ${segments.join(' ')}`}
        paints={paints}
        attributes={({ id, now, before: was }) => ({
          'data-compared': id,
          'data-octets': now,
          'data-before': was,
        })}
        firstSort="growth"
        limit={limit}
        litId={hover && hover.kind !== 'segment' ? hover.id : undefined}
        onHover={(row) =>
          onHover(row && { kind: list === 'pairs' ? 'pair' : 'node', id: row.id, by: 'table' })
        }
      />
    </>
  );
}

/** A rate with its sign. */
function growthFigure(growth: number, units: Units): Figure {
  const { number, unit } = rate(Math.abs(growth), units);
  const sign = growth > 0 ? '+' : growth < 0 ? '−' : '';
  return { number: `${sign}${number}`, unit };
}
