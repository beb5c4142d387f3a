/** Where a link, a strand, a MAC or a client of a virtual network leads: to its flows, by a filter. */
import { pairId } from './layout/fold.ts';
import type { Link } from './network.ts';
import { asTraffic, type Place } from './question.ts';

/** Flows of now are few where little is sent: a minute shows more. */
const WINDOW = '1m';

/** The flows between two tunnel ends in one segment, or in all. */
export function placeOfLink(place: Place, { addresses }: Pick<Link, 'addresses'>, segment?: string): Place {
  const [a, b] = addresses;
  const ends = `outer.host = ${a} and outer.host = ${b}`;
  const filter = segment === undefined ? ends : `${idTest(segment)} and ${ends}`;
  return flows(place, filter, pairId(a, b));
}

/** The traffic of a segment, as far as it goes to or from a tunnel end; of a local port all of the segment. */
export function placeOfMac(
  place: Place,
  { segment, own, peer }: { readonly segment: string; readonly own: string; readonly peer: string | null },
): Place {
  if (peer !== null) return placeOfLink(place, { addresses: [own, peer] }, segment);
  return flows(place, `${idTest(segment)} and outer.host = ${own}`, undefined);
}

/** The traffic of a gateway's client, as far as its VLAN says which it is. */
export function placeOfClient(place: Place, vids: readonly number[]): Place {
  return flows(place, vids.map((vid) => `vlan = ${vid}`).join(' and '), undefined);
}

function idTest(segment: string): string {
  return `vni = ${segment.slice(segment.indexOf(':') + 1)}`;
}

function flows(place: Place, filter: string, pair: string | undefined): Place {
  return {
    ...asTraffic(place),
    from: 0,
    client: undefined,
    list: 'nodes',
    question: { window: WINDOW, segment: 'all', filter, ...(pair !== undefined && { pair }) },
  };
}
