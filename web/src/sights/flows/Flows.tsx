import { useMemo } from 'react';
import { useAnswer } from '../../answers.ts';
import type { AnyQuestion } from '../../asking.ts';
import { cellOf, flowFilter, groupFilter } from '../../flow-filter.ts';
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
import { GroupMenu, readDimensions } from '../../parts/GroupMenu.tsx';
import { History } from '../../parts/History.tsx';
import { sheetChanges, type UsualSheet, useSheetView } from '../../parts/sheeting.ts';
import type { SightProps } from '../../parts/sight.ts';
import { PlaceLink } from '../../parts/tables.tsx';
import { VirtualTable } from '../../parts/VirtualTable.tsx';
import type { Place } from '../../question.ts';
import type { ResultRow } from '../../result.ts';
import { narrowed, onSheet, placeOfAddress, selectionOf } from '../../selection.ts';
import { spanWords } from '../../time-words.ts';
import { exactly } from '../../words.ts';
import { flowsQuestion, MOST_ROWS, readRows } from './flows-question.ts';

const OF_FLOWS: UsualSheet = {
  columns: ['segment', 'src', 'sport', 'dst', 'dport', 'proto', 'octets', 'packets', 'payload', 'last'],
  sort: { column: 'octets', descending: true },
};

/** Every flow, or groups of them: any column, sorted, filtered, pinned, saved. */
export default function Flows({ place, go, feed, isPaused, paints }: SightProps) {
  const { time, turn } = useMoment(place, feed, isPaused);
  const by = useMemo(() => readDimensions(place.sheet.by), [place.sheet.by]);
  const asked = useMemo(
    () =>
      flowsQuestion(
        {
          by,
          rows: Math.min(readRows(place.sheet.rows), mostRows(place, by.length === 0)),
          sort: place.sheet.sort,
        },
        selectionOf(place),
      ),
    [by, place],
  );
  const question: AnyQuestion | undefined = time && { ...asked, ...time };
  const known = useAnswer(question, turn);
  const { table } = known;
  const isOfFlows = known.question?.ask !== 'top';
  const usual = useMemo((): UsualSheet => {
    if (isOfFlows) return OF_FLOWS;
    return { columns: [...by, 'octets', 'packets'], sort: OF_FLOWS.sort };
  }, [isOfFlows, by]);
  const seconds = table ? (table.covered.toMs - table.covered.fromMs) / 1000 : 0;
  const look: CellLook = { units: place.units, seconds, paints };
  const view = useSheetView(table, place, { usual, look });
  const changes = sheetChanges(place, go, { view, usual, table });
  const { open, keyOf } = view;
  const naming = useNaming(table && open && isOfFlows ? addressesOf(table, open) : NONE);
  const missing = view.pins.length - view.pinned.length;
  return (
    <section className="sight sheet" aria-label="Flows" data-testid="flows">
      <div className="sheet-top">
        <p className="headline" data-testid="flows-headline" aria-live="off">
          {table ? headline(table, isOfFlows) : 'Flows'}
        </p>
        {table?.isCut && <Cut place={place} go={go} isOfFlows={isOfFlows} />}
        <div className="tools">
          <GroupMenu
            by={by}
            onChange={(next) => go({ ...place, sheet: next.length === 0 ? {} : { by: next.join(',') } })}
          />
          {table && <ColumnsMenu columns={table.columns} shown={view.shown} onChange={changes.show} />}
          <ExportMenu question={question} name={isOfFlows ? 'flows' : by.join('-')} />
        </div>
      </div>
      <div className="sheet-body">
        <div className="sheet-table">
          <AnswerState known={known} place={place} go={go} what="flows">
            <VirtualTable
              caption={isOfFlows ? 'Flows' : 'Groups of flows'}
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
            {missing > 0 && (
              <p className="quiet" data-testid="pins-missing">
                {missing} pinned {missing === 1 ? 'row is' : 'rows are'} not in this answer: nothing was sent,
                or others sent more.
              </p>
            )}
          </AnswerState>
        </div>
        {table && open && (
          <Drawer
            title={isOfFlows ? <FlowTitle table={table} row={open} /> : groupTitle(open)}
            openKey={keyOf(open)}
            next={
              isOfFlows ? nextOfFlow(place, table, { row: open, naming }) : nextOfGroup(place, table, open)
            }
            go={go}
            onClose={() => changes.open(undefined)}
          >
            <button
              type="button"
              className="plain"
              data-testid="pin"
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
              filter={isOfFlows ? flowFilter(table.columns, open) : groupFilter(table.columns, open)}
            />
            <Facts columns={table.columns} row={open} look={look} />
          </Drawer>
        )}
      </div>
    </section>
  );
}

type Table = NonNullable<ReturnType<typeof useAnswer>['table']>;

function headline({ rows, count, isCut, covered }: Table, isOfFlows: boolean): string {
  const word = isOfFlows ? 'flow' : 'group';
  const shown = exactly(rows.length);
  const of = count === undefined ? 'more' : exactly(count);
  const many = isCut
    ? `The largest ${shown} of ${of} ${word}s`
    : `${shown} ${word}${rows.length === 1 ? '' : 's'}`;
  return `${many}, ${spanWords(covered, { nowMs: Date.now() })}.`;
}

/** Groups, and what is live, are told up to a tenth of what the past has of single flows. */
function mostRows({ time }: Place, isOfFlows: boolean): number {
  return isOfFlows && time.kind !== 'live' ? 100_000 : 10_000;
}

/** What to do where there are more than are shown. */
function Cut({
  place,
  go,
  isOfFlows,
}: {
  readonly place: Place;
  readonly go: (place: Place) => void;
  readonly isOfFlows: boolean;
}) {
  const rows = readRows(place.sheet.rows);
  const more = MOST_ROWS.find((each) => each > rows && each <= mostRows(place, isOfFlows));
  return (
    <p className="quiet" data-testid="cut">
      Not all are shown: a filter, a segment or a shorter time leaves fewer
      {more !== undefined && (
        <>
          {', or '}
          <PlaceLink to={onSheet(place, { rows: String(more) })} go={go} className="link">
            show up to {exactly(more)}
          </PlaceLink>
        </>
      )}
      .
    </p>
  );
}

const NONE: readonly string[] = [];

function addressesOf({ columns }: Table, row: ResultRow): string[] {
  return ['src', 'dst'].flatMap((name) => {
    const address = cellOf(columns, row, name);
    return address === null ? [] : [String(address)];
  });
}

function groupTitle(row: ResultRow): string {
  return row
    .slice(0, -2)
    .map((value) => value ?? 'none')
    .join(', ');
}

/** Both ends by their names, and below that by their addresses. */
function FlowTitle({ table: { columns }, row }: { readonly table: Table; readonly row: ResultRow }) {
  const [from, to] = (['src', 'dst'] as const).map((name) => cellOf(columns, row, name));
  const [sport, dport] = (['sport', 'dport'] as const).map((name) => cellOf(columns, row, name));
  return <EndsTitle from={{ address: from, port: sport }} to={{ address: to, port: dport }} sign="→" />;
}

function nextOfFlow(
  place: Place,
  { columns }: Table,
  { row, naming }: { readonly row: ResultRow; readonly naming: Naming },
): NextQuestion[] {
  const cell = (name: string) => cellOf(columns, row, name);
  const [src, dst, outerSource] = [cell('src'), cell('dst'), cell('outer.src')];
  const ends = `outer.host = ${outerSource} and outer.host = ${cell('outer.dst')}`;
  const host = (address: unknown): Place =>
    placeOfAddress(place, { address: String(address), segment: String(cell('segment')) });
  return [
    ...(src === null ? [] : [{ words: `What ${calledAddress(String(src), naming)} does`, to: host(src) }]),
    ...(dst === null ? [] : [{ words: `What ${calledAddress(String(dst), naming)} does`, to: host(dst) }]),
    ...(outerSource === null ? [] : [{ words: 'This tunnel', to: narrowed(place, 'tunnels', ends) }]),
    { words: 'Only this flow', to: narrowed(place, 'flows', flowFilter(columns, row)) },
    { words: 'In the chord', to: narrowed(place, 'chord', flowFilter(columns, row)) },
  ];
}

function nextOfGroup(place: Place, { columns }: Table, row: ResultRow): NextQuestion[] {
  const filter = groupFilter(columns, row);
  if (filter === undefined) return [];
  return [
    { words: 'Its flows', to: narrowed(place, 'flows', filter) },
    { words: 'Its tunnels', to: narrowed(place, 'tunnels', filter) },
    { words: 'In the chord', to: narrowed(place, 'chord', filter) },
  ];
}
