/** What the page shows, as it stands in the address bar: reload, Back and sharing give the same picture. */
import { type ViewQuestion, ViewQuestionSchema } from '../../src/query/index.ts';
import { PLAIN_SHEET, readSheet, type Sheet, withSheet, writeSheet } from './sheet.ts';
import {
  LIVE,
  parseTimeRange,
  parseVersus,
  type TimeRange,
  type Versus,
  writeTimeRange,
  writeVersus,
} from './time-range.ts';

/** Octets in the window, or bits per second over it. */
export const UNITS = ['octets', 'rate'] as const;
export type Units = (typeof UNITS)[number];

/** Which table stands beside the picture. */
export const LISTS = ['nodes', 'pairs'] as const;
export type List = (typeof LISTS)[number];

/** What is looked at. `chord` is who talks to whom, `network` the virtual networks of this machine. */
export const SIGHTS = [
  'overview',
  'chord',
  'tunnels',
  'flows',
  'connections',
  'hosts',
  'network',
  'exactness',
] as const;
export type Sight = (typeof SIGHTS)[number];

/** Which table stands beside the virtual network. */
export const NETWORK_LISTS = ['macs', 'links', 'ports', 'outcomes'] as const;
export type NetworkList = (typeof NETWORK_LISTS)[number];

/** The page's place: the question to the agent, and what only the page knows. */
export interface Place {
  readonly question: ViewQuestion;
  /** Live, or a part of the past; the window of `question` holds while it is live. */
  readonly time: TimeRange;
  /** With what a part of the past is compared. */
  readonly vs: Versus | undefined;
  /** Rank of the first node drawn as an arc of its own; above 0 when "others" was opened. */
  readonly from: number;
  /** Clients level: the chosen client, by node id. */
  readonly client: string | undefined;
  readonly units: Units;
  readonly list: List;
  readonly sight: Sight;
  /** The chosen host of the virtual network, by its card's id. */
  readonly at: string | undefined;
  readonly networkList: NetworkList;
  /** Of the views that are tables; another view begins with a plain one. */
  readonly sheet: Sheet;
}

/** Reads a query string. What cannot be read is left out and named, so that an old link still shows something. */
export function readPlace(search: string): { place: Place; ignored: string[] } {
  const query = new URLSearchParams(search);
  const ignored: string[] = [];
  const fields: Record<string, string> = {};
  for (const field of Object.keys(ViewQuestionSchema.shape)) {
    const value = query.get(field);
    if (value === null) continue;
    const alone = ViewQuestionSchema.safeParse({ [field]: value });
    if (alone.success) fields[field] = value;
    else ignored.push(`${field}=${value}`);
  }
  const time = query.get('time');
  const range = time === null ? LIVE : parseTimeRange(time);
  if (!range) ignored.push(`time=${time}`);
  const versus = query.get('vs');
  const vs = versus === null ? undefined : parseVersus(versus);
  if (versus !== null && !vs) ignored.push(`vs=${versus}`);
  const from = Number(query.get('from') ?? 0);
  return {
    place: {
      question: ViewQuestionSchema.parse(fields),
      time: range ?? LIVE,
      vs,
      from: Number.isSafeInteger(from) && from > 0 ? from : 0,
      client: query.get('client') ?? undefined,
      units: query.get('units') === 'rate' ? 'rate' : 'octets',
      list: query.get('list') === 'pairs' ? 'pairs' : 'nodes',
      sight: SIGHTS.find((sight) => sight === query.get('sight')) ?? 'chord',
      at: query.get('at') ?? undefined,
      networkList: NETWORK_LISTS.find((list) => list === query.get('table')) ?? 'macs',
      sheet: readSheet(query),
    },
    ignored,
  };
}

/** Writes the query string, defaults left out: `?segment=vxlan:10003&host=172.16.1.100`, or nothing at all. */
export function writePlace(place: Place): string {
  const query = new URLSearchParams(writeQuestion(place.question));
  if (place.time.kind !== 'live') query.set('time', writeTimeRange(place.time));
  if (place.vs !== undefined && place.time.kind !== 'live') query.set('vs', writeVersus(place.vs));
  if (place.from > 0) query.set('from', String(place.from));
  if (place.client !== undefined) query.set('client', place.client);
  if (place.units !== 'octets') query.set('units', place.units);
  if (place.list !== 'nodes') query.set('list', place.list);
  if (place.sight !== 'chord') query.set('sight', place.sight);
  if (place.at !== undefined) query.set('at', place.at);
  if (place.networkList !== 'macs') query.set('table', place.networkList);
  writeSheet(place.sheet, query);
  const text = readable(query);
  return text === '' ? '' : `?${text}`;
}

/** The part of the query string that the API takes. */
export function writeQuestion(question: ViewQuestion): string {
  const query = new URLSearchParams();
  if (question.window !== '5s') query.set('window', question.window);
  if (question.segment !== 'all') query.set('segment', question.segment);
  if (question.host !== undefined) query.set('host', question.host);
  if (question.pair !== undefined) query.set('pair', question.pair);
  if (question.filter !== undefined) query.set('filter', question.filter);
  return readable(query);
}

/** These may stand in a query as they are (RFC 3986 section 3.4) and read better so. */
function readable(query: URLSearchParams): string {
  return query
    .toString()
    .replaceAll('%3A', ':')
    .replaceAll('%2F', '/')
    .replaceAll('%7E', '~')
    .replaceAll('%2C', ',');
}

/** The same place with another filter; an empty one is none. Where no filter holds, it leads to the chord. */
export function withFilter(place: Place, filter: string): Place {
  const { filter: _, ...question } = place.question;
  const sight = place.sight === 'network' || place.sight === 'exactness' ? 'chord' : place.sight;
  return { ...asSight(place, sight), from: 0, question: filter === '' ? question : { ...question, filter } };
}

/** The same question, looked at otherwise. */
export function asSight(place: Place, sight: Sight): Place {
  const sheet = sight === place.sight ? place.sheet : PLAIN_SHEET;
  return sight === 'network'
    ? { ...place, sight, sheet }
    : { ...place, sight, sheet, at: undefined, networkList: 'macs' };
}

/** One level up, or `undefined` at the top. */
export function above(place: Place): Place | undefined {
  if (place.sight === 'network') return place.at === undefined ? undefined : { ...place, at: undefined };
  if (place.sheet.row !== undefined) return { ...place, sheet: withSheet(place.sheet, { row: undefined }) };
  if (place.sheet.address !== undefined)
    return { ...place, sheet: withSheet(place.sheet, { address: undefined, in: undefined }) };
  const { pair, host, ...top } = place.question;
  if (pair !== undefined) return { ...place, question: host === undefined ? top : { ...top, host } };
  if (place.client !== undefined) return { ...place, client: undefined, list: 'nodes' };
  if (place.from > 0) return { ...place, from: 0 };
  if (host !== undefined) return { ...place, question: top };
  return undefined;
}
