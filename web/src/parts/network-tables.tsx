/** The tables beside a virtual network: MACs, links, ports, outcomes. */
import { bitRateQuantity, countQuantity, octetQuantity } from '../../../src/flow/index.ts';
import { placeOfClient, placeOfLink, placeOfMac } from '../drill.ts';
import type { LearnedMac, OutcomeRow, PortRow } from '../learned.ts';
import { type Card, type Link, type NetworkGraph, type Strand, strandRate } from '../network.ts';
import { cardTitle } from '../network-names.ts';
import type { Place } from '../question.ts';
import { type Paint, segmentName } from '../segments.ts';
import type { Figure } from './figures.tsx';
import { MacText } from './Named.tsx';
import { Swatch } from './Paints.tsx';
import { type Column, Table } from './Table.tsx';
import { PlaceLink } from './tables.tsx';

interface Common {
  readonly place: Place;
  readonly paints: ReadonlyMap<string, Paint>;
  readonly limit: number;
  readonly go: (place: Place) => void;
}

const UNKNOWN: Figure = { number: '–', unit: '' };

function rate(octetRate: number | undefined): Figure {
  return octetRate === undefined ? UNKNOWN : bitRateQuantity(octetRate);
}

/** A segment's number beside its colour. */
function Vni({ segment, paints }: { readonly segment: string } & Pick<Common, 'paints'>) {
  return (
    <span className="nowrap">
      <Swatch paints={paints} segment={segment} />
      {segment.slice(segment.indexOf(':') + 1)}
    </span>
  );
}

/** Seconds, minutes or hours since a frame came. */
function age(row: LearnedMac): Figure {
  if (row.isStatic && row.idleMs === null) return { number: 'static', unit: '' };
  if (row.idleMs === null) return UNKNOWN;
  const seconds = Math.round(row.idleMs / 1000);
  if (seconds < 100) return { number: String(seconds), unit: 's' };
  return seconds < 6000
    ? { number: String(Math.round(seconds / 60)), unit: 'min' }
    : { number: String(Math.round(seconds / 3600)), unit: 'h' };
}

/** Who is where. */
export function MacsTable({
  rows,
  titles,
  shown,
  place,
  paints,
  limit,
  go,
}: Common & {
  readonly rows: readonly LearnedMac[];
  /** Titles of hosts, and what is written in their place. */
  readonly titles: ReadonlyMap<string, string>;
  readonly shown: ReadonlyMap<string, string>;
}) {
  const placeOf = (row: LearnedMac): Place =>
    row.segment === null
      ? placeOfClient(place, row.vids)
      : placeOfMac(place, { segment: row.segment, own: row.own, peer: row.peer });
  const columns: Column<LearnedMac>[] = [
    {
      id: 'mac',
      head: 'MAC',
      value: (row) => row.mac,
      cell: (row) => (
        <PlaceLink to={placeOf(row)} go={go} className="mono">
          <MacText mac={row.mac} />
          <span className="sub narrow-only">
            {row.segment !== null && <Swatch paints={paints} segment={row.segment} />}
            {row.segment === null ? row.tag : segmentName(row.segment)}
          </span>
        </PlaceLink>
      ),
    },
    {
      id: 'segment',
      head: 'VNI',
      title: 'Segment, or VLAN of a gateway’s client',
      value: (row) => (row.segment === null ? row.tag : segmentName(row.segment)),
      cell: (row) =>
        row.segment === null ? (
          <span className="nowrap">{row.tag}</span>
        ) : (
          <Vni segment={row.segment} paints={paints} />
        ),
    },
    {
      id: 'where',
      head: 'Where',
      value: (row) => `${titles.get(row.host) ?? row.host} ${row.place}`,
      cell: (row) => {
        const title = shown.get(row.host) ?? row.host;
        return (
          <span className="nowrap" title={title === row.place ? title : `${title}, ${row.place}`}>
            {title}
            {title !== row.place && <span className="sub mono">{row.place}</span>}
          </span>
        );
      },
    },
    {
      id: 'age',
      head: 'Age',
      title: 'Since a frame came from it',
      value: (row) => row.idleMs ?? -1,
      figure: age,
    },
    {
      id: 'moves',
      head: 'Moves',
      value: (row) => row.moves,
      figure: (row) => ({ number: String(row.moves), unit: '' }),
    },
    {
      id: 'rate',
      head: 'Now',
      title: 'To and from it, per second',
      value: (row) => row.octetRate ?? -1,
      figure: (row) => rate(row.octetRate),
    },
    {
      id: 'octets',
      head: 'Traffic',
      title: 'Octets to and from it, as that function forwarded them',
      value: (row) => row.octets,
      figure: (row) => octetQuantity(row.octets),
    },
  ];
  return (
    <Table
      caption="Learned MAC addresses, with where each is"
      columns={columns}
      rows={rows}
      rowId={(row) => row.id}
      identity={(row) => [row.id, row.segment, row.tag, row.host, row.place].join(' ')}
      paints={paints}
      attributes={(row) => ({ 'data-mac': row.mac, 'data-place': row.place, 'data-octets': row.octets })}
      firstSort="octets"
      limit={limit}
      onOpen={(row) => go(placeOf(row))}
    />
  );
}

/** A strand with its link. */
interface StrandRow {
  readonly link: Link;
  readonly strand: Strand;
  readonly ends: readonly [Card, Card];
}

/** What hosts send each other, by segment. */
export function LinksTable({ graph, place, paints, limit, go }: Common & { readonly graph: NetworkGraph }) {
  const cards = new Map(graph.cards.map((card) => [card.id, card]));
  const rows = graph.links
    .filter(({ a, b }) => place.at === undefined || a === place.at || b === place.at)
    .flatMap((link) =>
      link.strands.map(
        (strand): StrandRow => ({ link, strand, ends: [cards.get(link.a)!, cards.get(link.b)!] }),
      ),
    );
  const columns: Column<StrandRow>[] = [
    {
      id: 'link',
      head: 'Link',
      value: ({ ends }) => `${ends[0].title} ${ends[1].title}`,
      cell: ({ link, strand, ends }) => (
        <PlaceLink to={placeOfLink(place, link, strand.segment)} go={go} className="mono pair-link">
          <span>{cardTitle(ends[0])}</span>
          <span>
            <span className="quiet">⇄ </span>
            {cardTitle(ends[1])}
          </span>
        </PlaceLink>
      ),
    },
    {
      id: 'segment',
      head: 'VNI',
      value: ({ strand }) => segmentName(strand.segment),
      cell: ({ strand }) => <Vni segment={strand.segment} paints={paints} />,
    },
    {
      id: 'there',
      head: '→',
      title: 'Sent by the first to the second, now',
      value: ({ strand }) => strand.there.rate?.octetRate ?? -1,
      figure: ({ strand }) => rate(strand.there.rate?.octetRate),
    },
    {
      id: 'back',
      head: '←',
      title: 'Sent by the second to the first, now',
      value: ({ strand }) => strand.back.rate?.octetRate ?? -1,
      figure: ({ strand }) => rate(strand.back.rate?.octetRate),
    },
    {
      id: 'octets',
      head: 'Traffic',
      title: 'Octets both ways since the functions were set up',
      value: ({ strand }) => strand.there.octets + strand.back.octets,
      figure: ({ strand }) => octetQuantity(strand.there.octets + strand.back.octets),
    },
  ];
  return (
    <Table
      caption="Links between hosts, by segment"
      columns={columns}
      rows={rows}
      rowId={({ link, strand }) => `${link.id} ${strand.segment}`}
      identity={({ link, strand, ends }) =>
        `${link.id} ${strand.segment} ${cardTitle(ends[0])} ${cardTitle(ends[1])}`
      }
      paints={paints}
      attributes={({ link, strand }) => ({
        'data-link': link.id,
        'data-segment': strand.segment,
        'data-rate': strandRate(strand) ?? '',
        'data-octets': strand.there.octets + strand.back.octets,
      })}
      firstSort="octets"
      limit={limit}
      onOpen={({ link, strand }) => go(placeOfLink(place, link, strand.segment))}
    />
  );
}

/** The ports of bridges. */
export function PortsTable({
  rows,
  titles,
  paints,
  limit,
}: Pick<Common, 'paints' | 'limit'> & {
  readonly rows: readonly PortRow[];
  readonly titles: ReadonlyMap<string, string>;
}) {
  const columns: Column<PortRow>[] = [
    {
      id: 'port',
      head: 'Port',
      value: (row) => `${row.host} ${row.name}`,
      cell: (row) => (
        <span className="mono">
          {row.name}
          {!row.present && <span className="dropped"> ✕ gone</span>}
          <span className="sub">
            {titles.get(row.host) ?? row.host} · {row.of}
          </span>
        </span>
      ),
    },
    {
      id: 'segment',
      head: 'VNI',
      value: (row) => segmentName(row.segment),
      cell: (row) => <Vni segment={row.segment} paints={paints} />,
    },
    {
      id: 'in',
      head: 'From it',
      title: 'What came in at this port, now',
      value: ({ traffic }) => traffic.rates?.received.octetRate ?? -1,
      figure: ({ traffic }) => rate(traffic.rates?.received.octetRate),
    },
    {
      id: 'out',
      head: 'To it',
      title: 'What was sent out at this port, now',
      value: ({ traffic }) => traffic.rates?.sent.octetRate ?? -1,
      figure: ({ traffic }) => rate(traffic.rates?.sent.octetRate),
    },
    {
      id: 'octets',
      head: 'Traffic',
      title: 'Octets both ways since the bridge was set up',
      value: ({ traffic }) => traffic.received.octets + traffic.sent.octets,
      figure: ({ traffic }) => octetQuantity(traffic.received.octets + traffic.sent.octets),
    },
  ];
  return (
    <Table
      caption="Ports of bridges"
      columns={columns}
      rows={rows}
      rowId={(row) => row.id}
      identity={(row) => [row.id, row.name, row.of, row.host, row.present].join(' ')}
      paints={paints}
      attributes={(row) => ({ 'data-port': row.name })}
      firstSort="octets"
      limit={limit}
    />
  );
}

/** What became of all packets that the functions saw. */
export function OutcomesTable({
  rows,
  paints,
  limit,
}: Pick<Common, 'paints' | 'limit'> & { readonly rows: readonly OutcomeRow[] }) {
  const columns: Column<OutcomeRow>[] = [
    {
      id: 'name',
      head: 'Outcome',
      value: (row) => `${row.isDrop} ${row.name}`,
      cell: (row) => (
        <>
          {row.isDrop && <span className="dropped">✕ dropped: </span>}
          {row.name.replaceAll('-', ' ')}
          <span className="sub">{row.function}</span>
        </>
      ),
    },
    {
      id: 'packets',
      head: 'Packets',
      value: (row) => row.packets,
      figure: (row) => countQuantity(row.packets),
    },
    {
      id: 'octets',
      head: 'Octets',
      value: (row) => row.octets,
      figure: (row) => octetQuantity(row.octets),
    },
  ];
  return (
    <Table
      caption="What became of the packets"
      columns={columns}
      rows={rows}
      rowId={(row) => row.id}
      identity={(row) => row.id}
      paints={paints}
      attributes={(row) => ({ 'data-outcome': row.name, 'data-packets': row.packets })}
      firstSort="packets"
      limit={limit}
    />
  );
}
