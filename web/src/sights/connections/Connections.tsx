import { useMemo } from 'react';
import type { ResultTable } from '../../../../src/query/index.ts';
import { connectionsTable, ENDS, useConnections } from '../../connections.ts';
import { cellOf } from '../../flow-filter.ts';
import { calledAddress } from '../../name-words.ts';
import { useNaming } from '../../naming.ts';
import { AnswerState } from '../../parts/AnswerState.tsx';
import { ColumnsMenu } from '../../parts/ColumnsMenu.tsx';
import type { CellLook } from '../../parts/cells.tsx';
import { Drawer, Facts } from '../../parts/Drawer.tsx';
import { EndsTitle } from '../../parts/EndsTitle.tsx';
import { History } from '../../parts/History.tsx';
import { sheetChanges, type UsualSheet, useSheetView } from '../../parts/sheeting.ts';
import type { SightProps } from '../../parts/sight.ts';
import { VirtualTable } from '../../parts/VirtualTable.tsx';
import { asSight } from '../../question.ts';
import type { ResultRow } from '../../result.ts';
import { narrowed } from '../../selection.ts';
import { LIVE } from '../../time-range.ts';
import { exactly } from '../../words.ts';

const USUAL: UsualSheet = {
  columns: [
    'local',
    'localPort',
    'remote',
    'remotePort',
    'state',
    'sendRate',
    'receiveRate',
    'srttMs',
    'retransmits',
    'sentOctets',
    'receivedOctets',
  ],
  sort: { column: 'sendRate', descending: true },
};
const MOST = 5000;
const NONE: readonly string[] = [];

/** The host's own TCP connections, as its kernel knows them now. */
export default function Connections({ place, go, feed, isPaused, paints }: SightProps) {
  const { answer, problem } = useConnections(!isPaused, { filter: place.question.filter, limit: MOST });
  const table = useMemo(() => answer && connectionsTable(answer), [answer]);
  const look: CellLook = { units: place.units, seconds: 0, paints };
  const view = useSheetView(table, place, { usual: USUAL, look, identity: ENDS });
  const changes = sheetChanges(place, go, { view, usual: USUAL, table });
  const { open, keyOf } = view;
  // A connection has no past here; its flow may have one.
  const now = { ...place, time: LIVE };
  const naming = useNaming(open ? [String(open[2])] : NONE);
  const ends = open && table ? endsFilter(table.columns, open) : undefined;
  return (
    <section className="sight sheet" aria-label="Connections" data-testid="connections">
      <div className="sheet-top">
        <p className="headline" data-testid="connections-headline">
          {answer ? headline(answer) : 'Connections'}
        </p>
        <p className="quiet">
          What this host’s kernel knows of its own TCP connections, as <code>ss -ti</code> tells it
          {place.time.kind !== 'live' && '; of now, whatever time is chosen'}.
          {answer && answer.untold > 0 && ` ${exactly(answer.untold)} more found no room.`}
        </p>
        <div className="tools">
          {table && <ColumnsMenu columns={table.columns} shown={view.shown} onChange={changes.show} />}
        </div>
      </div>
      <div className="sheet-body">
        <div className="sheet-table">
          <AnswerState
            known={{ table, question: undefined, problem, isAsking: false }}
            place={now}
            go={go}
            what="connections"
            empty="No TCP connection of this host fits. What it forwards, and what runs in other network namespaces, has its connections there."
            remedy="Everything else goes on being metered."
          >
            <VirtualTable
              caption="Connections of this host"
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
        {table && open && ends !== undefined && (
          <Drawer
            title={
              <EndsTitle
                from={{ address: open[0], port: open[1] }}
                to={{ address: open[2], port: open[3] }}
                sign="⇄"
              />
            }
            openKey={keyOf(open)}
            next={[
              { words: 'Its flows', to: narrowed(place, 'flows', ends) },
              {
                words: `What ${calledAddress(String(open[2]), naming)} does`,
                to: { ...asSight(place, 'hosts'), sheet: { address: String(open[2]) } },
              },
            ]}
            go={go}
            onClose={() => changes.open(undefined)}
          >
            <History
              title="Its flows over time"
              place={place}
              go={go}
              feed={feed}
              isPaused={isPaused}
              paints={paints}
              filter={ends}
            />
            <Facts columns={table.columns} row={open} look={look} />
          </Drawer>
        )}
      </div>
    </section>
  );
}

type Answer = NonNullable<ReturnType<typeof useConnections>['answer']>;

function headline({ count, connections }: Answer): string {
  const words = `${exactly(count)} connection${count === 1 ? '' : 's'}`;
  return count > connections.length ? `The busiest ${exactly(connections.length)} of ${words}.` : `${words}.`;
}

/** Both ways of a connection. */
function endsFilter(columns: ResultTable['columns'], row: ResultRow): string {
  const cell = (name: string) => cellOf(columns, row, name);
  return [
    'tcp',
    `host = ${cell('local')}`,
    `host = ${cell('remote')}`,
    `port = ${cell('localPort')}`,
    `port = ${cell('remotePort')}`,
  ].join(' and ');
}
