import { useMemo } from 'react';
import type { ResultTable } from '../../../../src/query/index.ts';
import { useAnswer } from '../../answers.ts';
import type { AnyQuestion } from '../../asking.ts';
import { cellOf } from '../../flow-filter.ts';
import { useMoment } from '../../moment.ts';
import { calledAddress } from '../../name-words.ts';
import type { Naming } from '../../names.ts';
import { useNaming } from '../../naming.ts';
import { AnswerState } from '../../parts/AnswerState.tsx';
import { ColumnsMenu } from '../../parts/ColumnsMenu.tsx';
import type { CellLook } from '../../parts/cells.tsx';
import { Drawer, Facts, type NextQuestion } from '../../parts/Drawer.tsx';
import { EndsTitle } from '../../parts/EndsTitle.tsx';
import { ExportMenu } from '../../parts/ExportMenu.tsx';
import { History } from '../../parts/History.tsx';
import { SegmentName } from '../../parts/Named.tsx';
import { sheetChanges, type UsualSheet, useSheetView } from '../../parts/sheeting.ts';
import type { SightProps } from '../../parts/sight.ts';
import { VirtualTable } from '../../parts/VirtualTable.tsx';
import type { Place } from '../../question.ts';
import type { ResultRow } from '../../result.ts';
import { both, narrowed, placeOfAddress, segmentFilter, selectionOf } from '../../selection.ts';
import { exactly } from '../../words.ts';
import { roomWords, tooLong, unknownWords } from './costs.ts';

const USUAL: UsualSheet = {
  columns: [
    'segment',
    'outer.src',
    'outer.dst',
    'octets',
    'packets',
    'overhead',
    'longest',
    'headroom',
    'lost',
    'resent',
    'round.trip',
    'flows',
    'fragments',
    'ports',
    'entropy',
  ],
  sort: { column: 'octets', descending: true },
};
/** What a tunnel is: two tunnels differ in these. */
const IDENTITY: ReadonlySet<string> = new Set(['segment', 'outer.src', 'outer.dst']);
const MOST = 10_000;

/** Every tunnel, one way: what it carries, what it costs, how it spreads over paths. */
export default function Tunnels({ place, go, feed, isPaused, paints }: SightProps) {
  const { time, turn } = useMoment(place, feed, isPaused);
  const filter = selectionOf(place);
  const question = useMemo(
    (): AnyQuestion | undefined =>
      time && { ask: 'tunnels', ...(filter !== undefined && { filter }), limit: MOST, ...time },
    [time, filter],
  );
  const known = useAnswer(question, turn);
  const { table } = known;
  const seconds = table ? (table.covered.toMs - table.covered.fromMs) / 1000 : 0;
  const look: CellLook = { units: place.units, seconds, paints };
  const view = useSheetView(table, place, { usual: USUAL, look, identity: IDENTITY });
  const changes = sheetChanges(place, go, { view, usual: USUAL, table });
  const { open, keyOf } = view;
  const naming = useNaming(table && open ? endsOf(table.columns, open) : NONE);
  return (
    <section className="sight sheet" aria-label="Tunnels" data-testid="tunnels">
      <div className="sheet-top">
        <p className="headline" data-testid="tunnels-headline">
          {table ? headline(table) : 'Tunnels'}
        </p>
        {table && <p className="quiet">{unknownWords(table, filter)}</p>}
        {table && <TooLong table={table} />}
        <div className="tools">
          {table && <ColumnsMenu columns={table.columns} shown={view.shown} onChange={changes.show} />}
          <ExportMenu question={question} name="tunnels" />
        </div>
      </div>
      <div className="sheet-body">
        <div className="sheet-table">
          <AnswerState
            known={known}
            place={place}
            go={go}
            what="tunnels"
            empty="No tunnel carried anything in this time. What is not tunnelled is in the flows. A longer time may have some."
          >
            <VirtualTable
              caption="Tunnels, each one way"
              columns={view.columns}
              rows={view.rows}
              pinned={view.pinned}
              keyOf={keyOf}
              sort={view.sort}
              onSort={changes.sortBy}
              onMove={changes.move}
              onResize={changes.resize}
              openKey={place.sheet.row}
              onOpen={(row) => changes.open(keyOf(row))}
            />
          </AnswerState>
        </div>
        {table && open && (
          <Drawer
            title={<TunnelTitle columns={table.columns} row={open} />}
            openKey={keyOf(open)}
            next={nextOf(place, table.columns, { row: open, naming })}
            go={go}
            onClose={() => changes.open(undefined)}
          >
            <button
              type="button"
              className="plain"
              aria-pressed={view.pins.includes(keyOf(open))}
              onClick={() => changes.pin(keyOf(open))}
            >
              {view.pins.includes(keyOf(open)) ? 'Unpin' : 'Pin on top'}
            </button>
            <History
              title="Its history"
              place={place}
              go={go}
              feed={feed}
              isPaused={isPaused}
              paints={paints}
              filter={both(place.question.filter, tunnelFilter(table.columns, open))}
            />
            <Facts columns={table.columns} row={open} look={look} />
            {roomWords(table.columns, open) !== undefined && (
              <p className="quiet" data-testid="room">
                {roomWords(table.columns, open)}
              </p>
            )}
            {spreadWords(table.columns, open) !== undefined && (
              <p className="quiet">{spreadWords(table.columns, open)}</p>
            )}
          </Drawer>
        )}
      </div>
    </section>
  );
}

type Columns = ResultTable['columns'];

function headline({ rows, isCut, count }: ResultTable): string {
  const words = `${exactly(rows.length)} tunnel${rows.length === 1 ? '' : 's'}`;
  if (!isCut) return `${words}, each one way.`;
  return `The largest ${words}${count === undefined ? '' : ` of ${exactly(count)}`}; a filter leaves fewer.`;
}

/** Says that there are tunnels whose packets do not fit, for they may be far down. */
function TooLong({ table }: { readonly table: ResultTable }) {
  const count = tooLong(table);
  if (count === 0) return null;
  return (
    <p className="no-room" role="status" data-testid="too-long">
      <span aria-hidden="true">▲ </span>
      {count === 1 ? 'One tunnel has' : `${exactly(count)} tunnels have`} packets that do not fit the MTU.
    </p>
  );
}

const NONE: readonly string[] = [];

function endsOf(columns: Columns, row: ResultRow): string[] {
  return ['outer.src', 'outer.dst'].flatMap((name) => {
    const address = cellOf(columns, row, name);
    return address === null ? [] : [String(address)];
  });
}

/** The segment, then both ends. */
function TunnelTitle({ columns, row }: { readonly columns: Columns; readonly row: ResultRow }) {
  const segment = <SegmentName segment={String(cellOf(columns, row, 'segment'))} />;
  const [from, to] = endsOf(columns, row);
  if (from === undefined) return segment;
  return (
    <>
      {segment}: <EndsTitle from={{ address: from }} to={{ address: to }} sign="→" />
    </>
  );
}

/** One way of a tunnel. */
function tunnelFilter(columns: Columns, row: ResultRow): string {
  const ends = ['outer.src', 'outer.dst'].flatMap((name) => {
    const address = cellOf(columns, row, name);
    return address === null ? [] : [`${name} = ${address}`];
  });
  return both(segmentFilter(String(cellOf(columns, row, 'segment'))), ...ends)!;
}

function nextOf(
  place: Place,
  columns: Columns,
  { row, naming }: { readonly row: ResultRow; readonly naming: Naming },
): NextQuestion[] {
  const filter = tunnelFilter(columns, row);
  return [
    { words: 'Its flows', to: narrowed(place, 'flows', filter) },
    { words: 'Its clients', to: narrowed(place, 'hosts', filter) },
    {
      words: 'Who sends most in it',
      to: narrowed(place, 'flows', filter, { by: 'src,dst' }),
    },
    ...endsOf(columns, row).map((address) => ({
      words: `What ${calledAddress(address, naming)} does`,
      to: placeOfAddress(place, { address, segment: 'none' }),
    })),
    { words: 'In the chord', to: narrowed(place, 'chord', filter) },
  ];
}

/** Whether paths that are chosen by the outer source port can share its load. */
function spreadWords(columns: Columns, row: ResultRow): string | undefined {
  const [entropy, possible] = ['entropy', 'entropy.possible'].map((name) => cellOf(columns, row, name));
  if (typeof entropy !== 'number' || typeof possible !== 'number') return undefined;
  const paths = 2 ** entropy;
  const words = `The load spreads as over ${paths < 10 ? paths.toFixed(1) : Math.round(paths)} outer source ports of the same size`;
  return possible - entropy > 1
    ? `${words}; its flows could spread over some ${Math.round(2 ** possible)}: the sender gives too few ports, and equal-cost paths are used unevenly.`
    : `${words}, which is what its flows allow.`;
}
