/** The three tables: nodes, pairs, flows. Exact integers stand in the rows' attributes. */
import { type ReactNode, useMemo } from 'react';
import { countQuantity } from '../../../src/flow/index.ts';
import type { FlowRow, StreamedView } from '../../../src/query/index.ts';
import type { Hover } from '../hover.ts';
import type { Arc, Matrix, Pair } from '../layout/fold.ts';
import { type Place, type Units, writePlace } from '../question.ts';
import { type Paint, segmentName } from '../segments.ts';
import { writeTimeRange, writeVersus } from '../time-range.ts';
import { amount, arcFullName, arcName, percent } from '../words.ts';
import type { Figure } from './figures.tsx';
import { AddressName, ArcName, ArcText, SegmentName } from './Named.tsx';
import { Swatch } from './Paints.tsx';
import { type Column, Table } from './Table.tsx';

interface Common {
  readonly view: StreamedView;
  readonly units: Units;
  readonly paints: ReadonlyMap<string, Paint>;
  readonly limit: number;
  readonly hover: Hover | undefined;
  readonly onHover: (hover: Hover | undefined) => void;
  readonly go: (place: Place) => void;
}

/** A link that goes there without loading the page anew, and can be opened in another tab. */
export function PlaceLink(props: {
  readonly to: Place;
  readonly go: (place: Place) => void;
  readonly className?: string;
  /** -1 where another link goes the same way. */
  readonly tabIndex?: -1;
  readonly children: ReactNode;
}) {
  const { question, ...rest } = props.to;
  // biome-ignore lint/correctness/useExhaustiveDependencies: by value; an update makes each place anew
  const href = useMemo(
    () => writePlace(props.to) || '.',
    [
      question.window,
      question.segment,
      question.host,
      question.pair,
      question.filter,
      rest.time,
      rest.vs,
      rest.from,
      rest.client,
      rest.units,
      rest.list,
      rest.sight,
      rest.at,
      rest.networkList,
      rest.sheet,
    ],
  );
  return (
    <a
      href={href}
      className={props.className}
      tabIndex={props.tabIndex}
      onClick={(event) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        props.go(props.to);
      }}
    >
      {props.children}
    </a>
  );
}

/** A share as a number and a bar. */
function share(part: number, whole: number): Figure {
  // A fifth of a pixel of the bar.
  const bar = whole > 0 ? Math.min(100, Math.round((200 * part) / whole) / 2) : 0;
  return { number: percent(part, whole), unit: '', bar };
}

/** Everything of a place, as text. */
function placeKey({ question, time, vs, from, client, units, list }: Place): string {
  const { window, segment, host, pair, filter } = question;
  const when = [time.kind === 'live' ? '' : writeTimeRange(time), vs === undefined ? '' : writeVersus(vs)];
  return [window, segment, host, pair, from, client, units, list, filter, ...when].join(' ');
}

/** What of arcs may have a name. */
function nameablesOf(...arcs: readonly Arc[]): { addresses: string[]; segments: string[] } {
  return {
    addresses: arcs.flatMap(({ node }) => node?.address ?? []),
    segments: arcs.flatMap(({ node }) => node?.segment ?? []),
  };
}

interface NodesProps extends Common {
  readonly matrix: Matrix;
  readonly placeOf: (arc: Arc) => Place;
}

/** Who sent and received how much. */
export function NodesTable({ view, matrix, units, paints, placeOf, go, hover, onHover, limit }: NodesProps) {
  const say = (octets: number): Figure => amount(octets, units, view.windowSeconds);
  const isClients = view.level !== 'hosts';
  const columns: Column<Arc>[] = [
    {
      id: 'node',
      head: isClients ? 'Client' : 'Host',
      value: (arc) => arcFullName(arc),
      cell: (arc, naming) => (
        <PlaceLink to={placeOf(arc)} go={go} className="mono">
          {arc.node?.segment && <Swatch paints={paints} segment={arc.node.segment} />}
          <ArcText arc={arc} naming={naming} />
        </PlaceLink>
      ),
    },
    { id: 'sent', head: 'Sent', value: (arc) => arc.sent, figure: (arc) => say(arc.sent) },
    {
      id: 'received',
      head: 'Received',
      value: (arc) => arc.received,
      figure: (arc) => say(arc.received),
    },
    {
      id: 'share',
      head: 'Share',
      title: 'Part of all octets that this one sent',
      value: (arc) => arc.sent,
      hasBar: true,
      figure: (arc) => share(arc.sent, view.total.octets),
    },
  ];
  return (
    <Table
      caption={`${isClients ? 'Clients' : 'Hosts'}, with what each sent and received`}
      columns={columns}
      rows={matrix.arcs}
      rowId={(arc) => arc.id}
      identity={(arc) => `${arcFullName(arc)} ${placeKey(placeOf(arc))}`}
      paints={paints}
      nameables={(arc) => nameablesOf(arc)}
      attributes={(arc) => ({
        'data-node-id': arc.id,
        'data-octets': arc.sent + arc.received,
        'data-sent': arc.sent,
        'data-received': arc.received,
      })}
      firstSort="sent"
      limit={limit}
      litId={hover?.kind === 'node' ? hover.id : undefined}
      onHover={(arc) => onHover(arc && { kind: 'node', id: arc.id, by: 'table' })}
      onOpen={(arc) => go(placeOf(arc))}
    />
  );
}

interface PairsProps extends Common {
  readonly matrix: Matrix;
  readonly placeOf: (pair: Pair) => Place;
}

/** Who sent whom how much. */
export function PairsTable({ view, matrix, units, paints, placeOf, go, hover, onHover, limit }: PairsProps) {
  const say = (octets: number): Figure => amount(octets, units, view.windowSeconds);
  // The one that sends more stands first.
  const ends = (pair: Pair) => {
    const [a, b] = [matrix.arcs[pair.a]!, matrix.arcs[pair.b]!];
    return pair.forward >= pair.backward
      ? { from: a, to: b, there: pair.forward, back: pair.backward }
      : { from: b, to: a, there: pair.backward, back: pair.forward };
  };
  const columns: Column<Pair>[] = [
    {
      id: 'pair',
      head: 'Pair',
      value: (pair) => arcFullName(ends(pair).from),
      cell: (pair, naming) => {
        const { from, to } = ends(pair);
        return (
          <PlaceLink to={placeOf(pair)} go={go} className="mono pair-link">
            <span>
              {pair.bands.slice(0, 4).map((band) => (
                <Swatch key={band.segment} paints={paints} segment={band.segment} />
              ))}
              <ArcName arc={from} naming={naming} />
            </span>
            <span>
              <span className="quiet">⇄ </span>
              <ArcName arc={to} naming={naming} />
            </span>
          </PlaceLink>
        );
      },
    },
    {
      id: 'there',
      head: '→',
      title: 'Sent by the first to the second',
      value: (pair) => ends(pair).there,
      figure: (pair) => say(ends(pair).there),
    },
    {
      id: 'back',
      head: '←',
      title: 'Sent by the second to the first',
      value: (pair) => ends(pair).back,
      figure: (pair) => say(ends(pair).back),
    },
    {
      id: 'share',
      head: 'Share',
      title: 'Part of all octets, both directions',
      value: (pair) => pair.forward + pair.backward,
      hasBar: true,
      figure: (pair) => share(pair.forward + pair.backward, view.total.octets),
    },
  ];
  return (
    <Table
      caption="Pairs, with what each sent the other"
      columns={columns}
      rows={matrix.pairs}
      rowId={(pair) => pair.id}
      identity={(pair) => {
        const { from, to } = ends(pair);
        const segments = pair.bands.slice(0, 4).map((band) => band.segment);
        return `${arcName(from)} ${arcName(to)} ${segments.join(' ')} ${placeKey(placeOf(pair))}`;
      }}
      paints={paints}
      nameables={(pair) => nameablesOf(matrix.arcs[pair.a]!, matrix.arcs[pair.b]!)}
      attributes={(pair) => ({ 'data-pair': pair.id, 'data-octets': pair.forward + pair.backward })}
      firstSort="share"
      limit={limit}
      litId={hover?.kind === 'pair' ? hover.id : undefined}
      onHover={(pair) => onHover(pair && { kind: 'pair', id: pair.id, by: 'table' })}
      onOpen={(pair) => go(placeOf(pair))}
    />
  );
}

/** The flows of one pair. */
export function FlowsTable({ view, units, paints, limit }: Omit<Common, 'hover' | 'onHover' | 'go'>) {
  const endpoint = (address: string, port: number | null) => (
    <span className="mono">
      <AddressName address={address} />
      {port !== null && <span className="port">:{port}</span>}
    </span>
  );
  const columns: Column<FlowRow>[] = [
    {
      id: 'from',
      head: 'From → to',
      value: (row) => row.source,
      cell: (row) => (
        <span className="ends">
          <span>
            <Swatch paints={paints} segment={row.segment} />
            {endpoint(row.source, row.sourcePort)}
          </span>
          <span>
            <span className="quiet">→ </span>
            {endpoint(row.destination, row.destinationPort)}
          </span>
        </span>
      ),
    },
    {
      id: 'octets',
      head: units === 'octets' ? 'Octets' : 'Rate',
      value: (row) => row.octets,
      figure: (row) => amount(row.octets, units, view.windowSeconds),
    },
    {
      id: 'packets',
      head: 'Packets',
      value: (row) => row.packets,
      figure: (row) => countQuantity(row.packets),
    },
    {
      id: 'payload',
      head: 'Payload',
      title: 'Octets after the innermost header: goodput',
      value: (row) => row.payloadOctets,
      figure: (row) => amount(row.payloadOctets, units, view.windowSeconds),
    },
    {
      id: 'protocol',
      head: 'Protocol',
      value: (row) => row.protocol,
      cell: (row) => (
        <>
          {row.protocol}
          {row.note !== '' && <span className="sub">{row.note}</span>}
        </>
      ),
    },
    {
      id: 'segment',
      head: 'Segment',
      value: (row) => segmentName(row.segment),
      cell: (row) => (
        <span className="nowrap">
          <SegmentName segment={row.segment} />
          {row.outerSource !== null && (
            <span className="sub mono">
              <AddressName address={row.outerSource} />
              <br />→ <AddressName address={row.outerDestination ?? ''} />
            </span>
          )}
        </span>
      ),
    },
  ];
  return (
    <Table
      caption="Flows of the pair, both directions"
      columns={columns}
      rows={view.flows}
      rowId={flowId}
      identity={flowId}
      paints={paints}
      attributes={(row) => ({
        'data-flow': flowId(row),
        'data-octets': row.octets,
        'data-packets': row.packets,
      })}
      firstSort="octets"
      limit={limit}
    />
  );
}

function flowId(row: FlowRow): string {
  const {
    segment,
    outerSource,
    outerDestination,
    source,
    sourcePort,
    destination,
    destinationPort,
    protocol,
    note,
  } = row;
  return [
    segment,
    outerSource,
    outerDestination,
    source,
    sourcePort,
    destination,
    destinationPort,
    protocol,
    note,
  ].join(' ');
}
