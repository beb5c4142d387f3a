import { useMemo } from 'react';
import { cellOf } from '../../flow-filter.ts';
import { nameTitle } from '../../name-words.ts';
import { useName } from '../../naming.ts';
import { Amount } from '../../parts/Amount.tsx';
import { AnswerState } from '../../parts/AnswerState.tsx';
import type { CellLook } from '../../parts/cells.tsx';
import { History } from '../../parts/History.tsx';
import { AddressName, SegmentName, SegmentText } from '../../parts/Named.tsx';
import { Swatch } from '../../parts/Paints.tsx';
import { ShortTable } from '../../parts/ShortTable.tsx';
import type { SightProps } from '../../parts/sight.ts';
import { PlaceLink } from '../../parts/tables.tsx';
import type { Place } from '../../question.ts';
import { type ResultRow, stampWords } from '../../result.ts';
import {
  both,
  narrowed,
  onSheet,
  ownerFilters,
  placeOfAddress,
  segmentFilter,
  selectionOf,
} from '../../selection.ts';
import { amount } from '../../words.ts';
import { peersOf, seenOf, totalsOf } from './host-tables.ts';
import { type KnownOwner, useOwner } from './owner.ts';

interface OneAddressProps extends SightProps {
  readonly address: string;
}

/** One address: with whom it talks, through which tunnels, at which ports, since when; of several tenants' one. */
export function OneAddress(props: OneAddressProps) {
  const { address, place, go } = props;
  const known = useOwner(props, address);
  const { tenants, owner } = known;
  const meant = place.sheet.in ?? (tenants?.length === 1 ? tenants[0]!.segment : undefined);
  return (
    <section
      className="sight host"
      aria-label={`Host ${address}`}
      data-testid="host"
      data-address={address}
      data-segment={meant}
    >
      <p className="breadcrumb">
        <PlaceLink to={onSheet(place, { address: undefined, in: undefined })} go={go}>
          All addresses
        </PlaceLink>
        <span>
          › <AddressName address={address} />
        </span>
        <kbd title="Escape shows all addresses again">Esc</kbd>
      </p>
      <Heading address={address} segment={meant} />
      <Tenants {...props} known={known} />
      {owner ? (
        <Doings {...props} known={known} />
      ) : (
        tenants === undefined && (
          <AnswerState
            known={{ table: undefined, question: undefined, problem: known.problem, isAsking: true }}
            place={place}
            go={go}
            what="flows of this address"
          >
            {null}
          </AnswerState>
        )
      )}
    </section>
  );
}

/** What it is called, and in which segment it is meant. */
function Heading({ address, segment }: { readonly address: string; readonly segment: string | undefined }) {
  const name = useName('addresses', address);
  return (
    <div>
      {name ? (
        <p className="headline" title={nameTitle(name, address)}>
          <bdi className="name">{name.name}</bdi> <span className="also">{address}</span>
        </p>
      ) : (
        <p className="headline mono">{address}</p>
      )}
      {segment !== undefined && (
        <p className="quiet" data-testid="meant">
          {segment === 'none' ? (
            'outside tunnels, and as an end of them'
          ) : (
            <>
              in <SegmentText segment={segment} />
            </>
          )}
        </p>
      )}
    </div>
  );
}

/** That other tenants have the same address, and the way to each. */
function Tenants({ address, place, go, paints, known }: OneAddressProps & { readonly known: KnownOwner }) {
  const { tenants = [] } = known;
  const { in: chosen } = place.sheet;
  const others = tenants.filter(({ segment }) => segment !== chosen);
  if (others.length === 0 || (chosen === undefined && tenants.length < 2)) return null;
  const words =
    chosen === undefined
      ? `This address is in ${tenants.length} segments: as many hosts may have it. Which is meant?`
      : 'Others have the same address:';
  return (
    <div className="tenants" data-testid="tenants">
      <p>{words}</p>
      <ul>
        {others.map(({ segment, octets }) => (
          <li key={segment} data-testid="tenant" data-segment={segment} data-octets={octets}>
            <PlaceLink to={placeOfAddress(place, { address, segment })} go={go} className="link">
              <Swatch paints={paints} segment={segment} />
              <SegmentName segment={segment} />
            </PlaceLink>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** What the one that is meant does. */
function Doings(props: OneAddressProps & { readonly known: KnownOwner }) {
  const { address, place, go, feed, isPaused, paints, known } = props;
  const { inner, outer, tunnels, ports, flows } = known;
  const owner = known.owner!;
  const peers = useMemo(() => inner?.table && peersOf(inner.table, address), [inner?.table, address]);
  const ends = useMemo(() => outer?.table && peersOf(outer.table, address), [outer?.table, address]);
  const covered = (inner?.table ?? outer?.table)?.covered;
  const look: CellLook = {
    units: place.units,
    seconds: covered ? (covered.toMs - covered.fromMs) / 1000 : 0,
    paints,
  };
  const { client, end, either } = ownerFilters(owner);
  const peer = ([other]: ResultRow): Place =>
    placeOfAddress(place, { address: String(other), segment: owner.segment });
  const endOfTunnel = ([other]: ResultRow): Place =>
    placeOfAddress(place, { address: String(other), segment: 'none' });
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
        client,
        proto === null ? undefined : `proto = ${proto}`,
        number === null ? undefined : `dport = ${number}`,
      ),
    );
  const state = {
    table: flows?.table,
    question: flows?.question,
    problem: known.problem,
    isAsking: flows?.isAsking ?? true,
  };
  const shared = { look, go };
  const sums = ['sent', 'received', 'packets.sent', 'packets.received'];
  return (
    <AnswerState known={state} place={place} go={go} what="flows of this address">
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
        filter={both(selectionOf(place), either)}
        height={200}
      />
      <div className="short-tables">
        <ShortTable
          title="Peers"
          testId="peers"
          table={peers}
          columns={['peer', ...sums]}
          to={peer}
          all={narrowed(place, 'flows', client, { by: 'src,dst' })}
          {...shared}
        />
        {end !== undefined && ends?.rows.length !== 0 && (
          <ShortTable
            title="Ends of tunnels to here"
            testId="ends"
            table={ends}
            columns={['peer', ...sums]}
            to={endOfTunnel}
            {...shared}
          />
        )}
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
          all={narrowed(place, 'flows', client, { by: 'proto,dport' })}
          {...shared}
        />
      </div>
    </AnswerState>
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
            <dt>first seen in this time{flows.isCut && ', or before'}</dt>
            <dd data-testid="first-seen">{stampWords(seen.firstMs)}</dd>
          </div>
          <div>
            <dt>last seen in this time{flows.isCut && ', or later'}</dt>
            <dd data-testid="last-seen">{stampWords(seen.lastMs)}</dd>
          </div>
        </>
      )}
    </dl>
  );
}
