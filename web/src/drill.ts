/** Where a link, a strand, a MAC or a client of a virtual network leads: to its flows, by a filter. */
import { pairId } from './layout/fold.ts';
import type { Link } from './network.ts';
import { asSight, type Place } from './question.ts';
import { LIVE } from './time-range.ts';

/** Flows of now are few where little is sent: a minute shows more. */
const WINDOW = '1m';

/** The flows between two hosts, in all segments or in one. */
export function placeOfLink(place: Place, { strands }: Pick<Link, 'strands'>, segment?: string): Place {
  const strand = strands.find((each) => each.segment === segment);
  if (strand) return placeOfEnds(place, strand.addresses, segment);
  const [from, to] = [0, 1].map((end) => [...new Set(strands.map(({ addresses }) => addresses[end]!))]);
  if (from!.length === 1 && to!.length === 1) return placeOfEnds(place, [from![0]!, to![0]!]);
  // To multicast groups: each segment has its own.
  return flows(place, `outer.host in [${from!.join(', ')}] and outer.host in [${to!.join(', ')}]`, undefined);
}

function placeOfEnds(place: Place, [a, b]: readonly [string, string], segment?: string): Place {
  const ends = `outer.host = ${a} and outer.host = ${b}`;
  const filter = segment === undefined ? ends : `${idTest(segment)} and ${ends}`;
  return flows(place, filter, pairId(a, b));
}

/** The traffic of a segment, as far as it goes to or from a tunnel end; of a local port all of the segment. */
export function placeOfMac(
  place: Place,
  { segment, own, peer }: { readonly segment: string; readonly own: string; readonly peer: string | null },
): Place {
  if (peer !== null) return placeOfEnds(place, [own, peer], segment);
  // A bridge whose segments end on its host has no tunnel, and its frames no VNI.
  return flows(place, own === '' ? undefined : `${idTest(segment)} and outer.host = ${own}`, undefined);
}

/** The traffic of a gateway's client, as far as its VLAN says which it is. */
export function placeOfClient(place: Place, vids: readonly number[]): Place {
  return flows(place, vids.map((vid) => `vlan = ${vid}`).join(' and ') || undefined, undefined);
}

function idTest(segment: string): string {
  return `vni = ${segment.slice(segment.indexOf(':') + 1)}`;
}

function flows(place: Place, filter: string | undefined, pair: string | undefined): Place {
  return {
    ...asSight(place, 'chord'),
    time: LIVE,
    from: 0,
    client: undefined,
    list: 'nodes',
    question: {
      window: WINDOW,
      segment: 'all',
      ...(filter !== undefined && { filter }),
      ...(pair !== undefined && { pair }),
    },
  };
}
