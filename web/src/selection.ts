/** Which flows a place means, as one filter: what is typed, the segment, and the host or pair of the chord. */
import { hasTunnelId, isTunnelName } from '../../src/flow/index.ts';
import { asSight, type Place, type Sight } from './question.ts';
import { type Sheet, withSheet } from './sheet.ts';

/** The filter of a place; undefined is every flow. */
export function selectionOf({ question }: Pick<Place, 'question'>): string | undefined {
  const { filter, segment, host, pair } = question;
  return both(
    filter,
    segment === 'all' ? undefined : segmentFilter(segment),
    host === undefined ? undefined : hostFilter(host),
    pair === undefined ? undefined : pairFilter(pair, host !== undefined),
  );
}

/** Flows that fit all of these filters; undefined is every flow. */
export function both(...filters: readonly (string | undefined)[]): string | undefined {
  const given = filters.filter((each) => each !== undefined && each.trim() !== '');
  if (given.length <= 1) return given[0];
  return given.map((each) => (/\bor\b|\|\|/i.test(each!) ? `(${each})` : each)).join(' and ');
}

/** The flows of a segment. */
export function segmentFilter(segment: string): string {
  const [kind = '', id] = segment.split(':');
  if (kind === 'none') return 'tunnel = none';
  const hasId = isTunnelName(kind) && hasTunnelId(kind);
  return hasId && id !== undefined ? `tunnel = ${kind} and vni = ${id}` : `tunnel = ${kind}`;
}

/** What a host sends and receives: as an end of tunnels, or itself. */
export function hostFilter(host: string): string {
  return `outer.host = ${host} or tunnel = none and host = ${host}`;
}

/** Who has an address: in one segment, or, where none is named, whoever has it; `none` is the underlay. */
export interface Owner {
  readonly address: string;
  readonly segment: string | undefined;
}

/** What an owner of an address sends and receives as a client, and as an end of tunnels where it can be one. */
export function ownerFilters({ address, segment }: Owner): {
  readonly client: string;
  readonly end: string | undefined;
  readonly either: string;
} {
  const client = both(segment === undefined ? undefined : segmentFilter(segment), `host = ${address}`)!;
  // Ends of tunnels have their addresses in the underlay, whatever segments are inside.
  const end = segment === undefined || segment === 'none' ? `outer.host = ${address}` : undefined;
  return { client, end, either: end === undefined ? client : `${client} or ${end}` };
}

/** Where an address is looked at. @param segment in which it is meant; `none` is the underlay */
export function placeOfAddress(place: Place, { address, segment }: Owner): Place {
  return {
    ...asSight(place, 'hosts'),
    sheet: { address, ...(segment !== undefined && { in: segment }) },
  };
}

/** What goes between two nodes of the chord; a client is its segment and its address. */
function pairFilter(pair: string, isOfClients: boolean): string {
  const [a = '', b = ''] = pair.split('~');
  if (!isOfClients) {
    const between = (field: string): string => `${field} = ${a} and ${field} = ${b}`;
    return `${between('outer.host')} or tunnel = none and ${between('host')}`;
  }
  const [segment, address] = clientOf(a);
  return both(segment, `host = ${address}`, `host = ${clientOf(b)[1]}`)!;
}

function clientOf(node: string): readonly [segment: string | undefined, address: string] {
  const slash = node.indexOf('/');
  return slash < 0 ? [undefined, node] : [segmentFilter(node.slice(0, slash)), node.slice(slash + 1)];
}

/** Another view of the same time and filter, narrowed by one more filter. */
export function narrowed(place: Place, sight: Sight, filter: string | undefined, sheet?: Sheet): Place {
  const all = both(place.question.filter, filter);
  const { filter: _, ...question } = place.question;
  return {
    ...asSight(place, sight),
    sheet: sheet ?? {},
    question: all === undefined ? question : { ...question, filter: all },
  };
}

/** The same place with the table changed. */
export function onSheet(place: Place, change: Parameters<typeof withSheet>[1]): Place {
  return { ...place, sheet: withSheet(place.sheet, change) };
}
