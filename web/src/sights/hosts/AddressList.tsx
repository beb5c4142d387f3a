import { useMemo, useState } from 'react';
import type { ResultTable } from '../../../../src/query/index.ts';
import { useAnswers } from '../../answers.ts';
import type { AnyQuestion, TimelessQuestion } from '../../asking.ts';
import { finder, useFoundNames } from '../../finding.ts';
import { useMoment } from '../../moment.ts';
import { AnswerState } from '../../parts/AnswerState.tsx';
import { Choice } from '../../parts/Choice.tsx';
import { ColumnsMenu } from '../../parts/ColumnsMenu.tsx';
import { sheetChanges, type UsualSheet, useSheetView } from '../../parts/sheeting.ts';
import type { SightProps } from '../../parts/sight.ts';
import { VirtualTable } from '../../parts/VirtualTable.tsx';
import { both, onSheet, placeOfAddress, selectionOf } from '../../selection.ts';
import { exactly } from '../../words.ts';
import { sentAndReceived } from './host-tables.ts';

const KINDS = [
  { value: 'inner', label: 'Clients', hint: 'Addresses of the innermost flows, each in its segment' },
  { value: 'outer', label: 'Tunnel ends', hint: 'Addresses of the packets that carry tunnels' },
] as const;

const SORT = { column: 'octets', descending: true } as const;
const OF_CLIENTS: UsualSheet = {
  columns: ['address', 'segment', 'sent', 'received', 'octets', 'packets.sent', 'packets.received'],
  sort: SORT,
};
const OF_ENDS: UsualSheet = {
  columns: ['address', 'sent', 'received', 'octets', 'packets.sent', 'packets.received'],
  sort: SORT,
};
const MOST = 10_000;

function questionsOf(isOuter: boolean, selection: string | undefined): TimelessQuestion[] {
  const filter = both(selection, isOuter ? 'tunnel != none' : undefined);
  const common = { ask: 'top', limit: MOST, ...(filter !== undefined && { filter }) } as const;
  return isOuter
    ? [
        { ...common, by: ['outer.src'] },
        { ...common, by: ['outer.dst'] },
      ]
    : [
        { ...common, by: ['src', 'segment'] },
        { ...common, by: ['dst', 'segment'] },
      ];
}

/** All addresses, with what each sent and received. */
export function AddressList({ place, go, feed, isPaused, paints }: SightProps) {
  const { time, turn } = useMoment(place, feed, isPaused);
  const isOuter = place.sheet.by === 'outer';
  const selection = selectionOf(place);
  const questions = useMemo(
    (): AnyQuestion[] | undefined =>
      time && questionsOf(isOuter, selection).map((each) => ({ ...each, ...time })),
    [time, isOuter, selection],
  );
  const [sent, received] = useAnswers(questions, turn);
  const table = useMemo(() => {
    const [out, back] = [sent?.table, received?.table];
    if (!out || !back || out.columns.length !== back.columns.length) return undefined;
    return { ...out, ...sentAndReceived(out, back), isCut: out.isCut || back.isCut };
  }, [sent?.table, received?.table]);
  const [find, setFind] = useState(place.sheet.find ?? '');
  const keepFind = (): void => go(onSheet(place, { find: find.trim() }));
  const wanted = find.trim();
  const names = useFoundNames(wanted);
  const found = useMemo(
    () => (table && wanted !== '' ? { ...table, rows: table.rows.filter(finder(wanted, names)) } : table),
    [table, wanted, names],
  );
  const usual = isOuter ? OF_ENDS : OF_CLIENTS;
  const seconds = table ? (table.covered.toMs - table.covered.fromMs) / 1000 : 0;
  const view = useSheetView(found, place, { usual, look: { units: place.units, seconds, paints } });
  const changes = sheetChanges(place, go, { view, usual, table: found });
  const known = {
    table: found,
    question: sent?.question,
    problem: sent?.problem ?? received?.problem,
    isAsking: (sent?.isAsking ?? true) || (received?.isAsking ?? true),
  };
  return (
    <section className="sight sheet" aria-label="Hosts" data-testid="hosts">
      <div className="sheet-top">
        <p className="headline" data-testid="hosts-headline">
          {table && found ? headline(table, { isOuter, found: found.rows.length }) : 'Hosts'}
        </p>
        <div className="tools">
          <input
            className="find"
            type="search"
            aria-label="Find an address or a name"
            placeholder="Address or name"
            data-testid="find"
            value={find}
            onChange={(event) => setFind(event.target.value)}
            onBlur={keepFind}
            onKeyDown={(event) => {
              if (event.key === 'Enter') keepFind();
            }}
          />
          <Choice
            legend="Addresses"
            testId="kind"
            options={KINDS}
            value={isOuter ? 'outer' : 'inner'}
            onChange={(kind) => go({ ...place, sheet: kind === 'outer' ? { by: 'outer' } : {} })}
          />
          {table && <ColumnsMenu columns={table.columns} shown={view.shown} onChange={changes.show} />}
        </div>
      </div>
      <div className="sheet-body">
        <div className="sheet-table">
          <AnswerState known={known} place={place} go={go} what="addresses">
            <VirtualTable
              caption={isOuter ? 'Ends of tunnels' : 'Clients'}
              columns={view.columns}
              rows={view.rows}
              keyOf={view.keyOf}
              sort={view.sort}
              onSort={changes.sortBy}
              onMove={changes.move}
              onResize={changes.resize}
              onOpen={([address, segment]) =>
                go(
                  placeOfAddress(place, {
                    address: String(address),
                    segment: isOuter ? 'none' : String(segment),
                  }),
                )
              }
            />
          </AnswerState>
        </div>
      </div>
    </section>
  );
}

function headline(
  { rows, isCut }: Pick<ResultTable, 'rows' | 'isCut'>,
  { isOuter, found }: { readonly isOuter: boolean; readonly found: number },
): string {
  const count = rows.length;
  const word = isOuter ? 'tunnel end' : 'client';
  const words = `${exactly(count)} ${word}${count === 1 ? '' : 's'}`;
  if (found < count) return `${exactly(found)} of ${isCut ? 'the largest ' : ''}${words}.`;
  return isCut ? `The ${words} that sent or received most; a filter leaves fewer.` : `${words}.`;
}
