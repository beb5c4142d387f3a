import { useMemo } from 'react';
import { useAnswers } from '../../answers.ts';
import type { AnyQuestion, TimelessQuestion } from '../../asking.ts';
import { cellOf } from '../../flow-filter.ts';
import { useMoment } from '../../moment.ts';
import { nameTitle } from '../../name-words.ts';
import { useName } from '../../naming.ts';
import { Amount } from '../../parts/Amount.tsx';
import { AnswerState } from '../../parts/AnswerState.tsx';
import type { CellLook } from '../../parts/cells.tsx';
import { History } from '../../parts/History.tsx';
import { AddressName } from '../../parts/Named.tsx';
import { ShortTable } from '../../parts/ShortTable.tsx';
import type { SightProps } from '../../parts/sight.ts';
import { PlaceLink } from '../../parts/tables.tsx';
import { asSight, type Place } from '../../question.ts';
import { type ResultRow, stampWords } from '../../result.ts';
import { both, narrowed, onSheet, segmentFilter, selectionOf } from '../../selection.ts';
import { amount } from '../../words.ts';
import { peersOf, seenOf, totalsOf } from './host-tables.ts';

const MOST = 10_000;
const MOST_FLOWS = 1000;

/** As a client, as an end of tunnels, its tunnels, its ports, its flows. */
function questionsOf(address: string, selection: string | undefined): TimelessQuestion[] {
  const client = both(selection, `host = ${address}`)!;
  const end = both(selection, `outer.host = ${address}`)!;
  const either = both(selection, `host = ${address} or outer.host = ${address}`)!;
  return [
    { ask: 'top', by: ['src', 'dst'], filter: client, limit: MOST },
    { ask: 'top', by: ['outer.src', 'outer.dst'], filter: end, limit: MOST },
    {
      ask: 'top',
      by: ['segment', 'outer.src', 'outer.dst'],
      filter: both(either, 'tunnel != none')!,
      limit: MOST,
    },
    { ask: 'top', by: ['proto', 'dport'], filter: client, limit: MOST },
    { ask: 'flows', filter: either, limit: MOST_FLOWS },
  ];
}

interface OneAddressProps extends SightProps {
  readonly address: string;
}

/** One address: with whom it talks, through which tunnels, at which ports, since when. */
export function OneAddress(props: OneAddressProps) {
  const { address, place, go, feed, isPaused, paints } = props;
  const { time, turn } = useMoment(place, feed, isPaused);
  const selection = selectionOf(place);
  const questions = useMemo(
    (): AnyQuestion[] | undefined =>
      time && questionsOf(address, selection).map((each) => ({ ...each, ...time })),
    [time, address, selection],
  );
  const [inner, outer, tunnels, ports, flows] = useAnswers(questions, turn);
  const peers = useMemo(() => inner?.table && peersOf(inner.table, address), [inner?.table, address]);
  const ends = useMemo(() => outer?.table && peersOf(outer.table, address), [outer?.table, address]);
  const covered = (inner?.table ?? outer?.table)?.covered;
  const look: CellLook = {
    units: place.units,
    seconds: covered ? (covered.toMs - covered.fromMs) / 1000 : 0,
    paints,
  };
  const either = `host = ${address} or outer.host = ${address}`;
  const own = (row: ResultRow): Place => ({
    ...asSight(place, 'hosts'),
    sheet: { address: String(row[0]) },
  });
  const tunnel = (row: ResultRow): Place => {
    const cell = (name: string) => cellOf(tunnels!.table!.columns, row, name);
    const between = ['outer.src', 'outer.dst'].flatMap((name) =>
      cell(name) === null ? [] : [`${name} = ${cell(name)}`],
    );
    return narrowed(place, 'tunnels', both(segmentFilter(String(cell('segment'))), ...between));
  };
  const port = ([proto, number]: ResultRow): Place =>
    narrowed(
      place,
      'flows',
      both(
        `host = ${address}`,
        proto === null ? undefined : `proto = ${proto}`,
        number === null ? undefined : `dport = ${number}`,
      ),
    );
  const known = {
    table: flows?.table,
    question: flows?.question,
    problem: [inner, outer, tunnels, ports, flows].find((each) => each?.problem)?.problem,
    isAsking: flows?.isAsking ?? true,
  };
  const shared = { look, go };
  const sums = ['sent', 'received', 'packets.sent', 'packets.received'];
  return (
    <section className="sight host" aria-label={`Host ${address}`} data-testid="host" data-address={address}>
      <p className="breadcrumb">
        <PlaceLink to={onSheet(place, { address: undefined })} go={go}>
          All addresses
        </PlaceLink>
        <span>
          › <AddressName address={address} />
        </span>
        <kbd title="Escape shows all addresses again">Esc</kbd>
      </p>
      <Heading address={address} />
      <AnswerState known={known} place={place} go={go} what="flows of this address">
        <Sums peers={peers} ends={ends} look={look} flows={flows?.table} />
        <p className="next">
          <PlaceLink to={narrowed(place, 'flows', either)} go={go}>
            Its flows
          </PlaceLink>
          <PlaceLink to={narrowed(place, 'chord', either)} go={go}>
            In the chord
          </PlaceLink>
        </p>
        <History
          title="Over time, by segment"
          place={place}
          go={go}
          feed={feed}
          isPaused={isPaused}
          paints={paints}
          filter={both(selection, either)}
          height={200}
        />
        <div className="short-tables">
          <ShortTable
            title="Peers"
            testId="peers"
            table={peers}
            columns={['peer', ...sums]}
            to={own}
            all={narrowed(place, 'flows', `host = ${address}`, { by: 'src,dst' })}
            {...shared}
          />
          <ShortTable
            title="Ends of tunnels to here"
            testId="ends"
            table={ends}
            columns={['peer', ...sums]}
            to={own}
            {...shared}
          />
          <ShortTable
            title="Tunnels"
            testId="tunnels-of"
            table={tunnels?.table}
            columns={['segment', 'outer.src', 'outer.dst', 'octets', 'packets']}
            to={tunnel}
            all={narrowed(place, 'tunnels', either)}
            {...shared}
          />
          <ShortTable
            title="Ports"
            testId="ports"
            table={ports?.table}
            columns={['proto', 'dport', 'octets', 'packets']}
            to={port}
            all={narrowed(place, 'flows', `host = ${address}`, { by: 'proto,dport' })}
            {...shared}
          />
        </div>
      </AnswerState>
    </section>
  );
}

/** The name, and behind it what it names. */
function Heading({ address }: { readonly address: string }) {
  const name = useName('addresses', address);
  if (!name) return <p className="headline mono">{address}</p>;
  return (
    <p className="headline" title={nameTitle(name, address)}>
      <bdi className="name">{name.name}</bdi> <span className="also">{address}</span>
    </p>
  );
}

type SmallTable = ReturnType<typeof peersOf>;

/** What it sent and received, as a client and as an end of tunnels, and when. */
function Sums(props: {
  readonly peers: SmallTable | undefined;
  readonly ends: SmallTable | undefined;
  readonly look: CellLook;
  readonly flows: (SmallTable & { readonly isCut: boolean }) | undefined;
}) {
  const { peers, ends, flows, look } = props;
  const seen = flows && seenOf(flows);
  const sums = [
    { words: 'as a client', table: peers },
    { words: 'as an end of tunnels', table: ends },
  ];
  return (
    <dl className="sums" data-testid="sums">
      {sums.flatMap(({ words, table }) => {
        if (!table || table.rows.length === 0) return [];
        const totals = totalsOf(table);
        return (['sent', 'received'] as const).map((way) => (
          <div key={`${words} ${way}`} data-sum={`${way} ${words}`} data-value={totals[way]}>
            <dt>
              {way} {words}
            </dt>
            <dd>
              <Amount quantity={amount(totals[way], look.units, look.seconds)} />
            </dd>
          </div>
        ));
      })}
      {seen && (
        <>
          <div>
            <dt>first seen{flows.isCut && ', or before'}</dt>
            <dd data-testid="first-seen">{stampWords(seen.firstMs)}</dd>
          </div>
          <div>
            <dt>last seen{flows.isCut && ', or later'}</dt>
            <dd data-testid="last-seen">{stampWords(seen.lastMs)}</dd>
          </div>
        </>
      )}
    </dl>
  );
}
