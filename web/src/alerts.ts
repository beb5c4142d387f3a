/** The alerts of the agent: how they stand, in words, and where what they tell of is seen. */
import { bitRateQuantity, countQuantity, formatQuantity, packetRateQuantity } from '../../src/flow/index.ts';
import { type AlertStatus, type Alerts, AlertsSchema } from '../../src/query/index.ts';
import { durationWords } from './freshness.ts';
import { type Polled, usePolled } from './polled.ts';
import { asSight, type Place, withFilter } from './question.ts';
import { LIVE } from './time-range.ts';

/** Between an answer and the next question: an alert that fires is in the log and at its webhook already. */
const PAUSE_MS = 5000;
/** Where the configuration has none: it may have some after a reload. */
const NONE_MS = 30_000;

/** Asks every few seconds, as long as there are any. */
export function useAlerts(): Polled<Alerts> {
  return usePolled('api/v1/alerts', AlertsSchema, pauseOf);
}

function pauseOf(answer: Alerts | undefined): number {
  return answer?.alerts.length === 0 ? NONE_MS : PAUSE_MS;
}

/** What an alert that looks at groups tells of. */
export interface AlertGroup {
  /** Undefined of addresses outside tunnels' segments: of their ends. */
  readonly segment: string | undefined;
  /** Undefined of a whole segment. What is no address stands for those that had no room. */
  readonly address: string | undefined;
}

/** One thing to tell: an alert that is not well, or one of its groups. */
export interface AlertLine {
  readonly key: string;
  readonly state: 'firing' | 'pending' | 'resolved';
  readonly name: string;
  /** Of which flows, of those that fit; undefined: of all. */
  readonly group: AlertGroup | undefined;
  /** `1.24 Gbit/s, above 1 Gbit/s`. */
  readonly words: string;
  /** `firing for 2 min`. */
  readonly since: string;
  /** The flows it speaks of, as they are now. */
  readonly filter: string;
}

/** What is to be told, the worst first. */
export function alertLines({ alerts, atMs }: Alerts): AlertLine[] {
  return alerts
    .flatMap((alert) =>
      alert.by === null ? [lineOf(alert, { ...alert, group: undefined }, atMs)] : groupLines(alert, atMs),
    )
    .filter((line) => line !== undefined)
    .toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
}

const ORDER = ['firing', 'pending', 'resolved'] as const;

function groupLines(alert: AlertStatus, atMs: number | null): (AlertLine | undefined)[] {
  return alert.groups.map((group) => lineOf(alert, group, atMs));
}

interface Standing {
  readonly group: string | undefined;
  readonly state: AlertStatus['state'];
  readonly sinceMs: number;
  readonly value: number | null;
}

function lineOf(alert: AlertStatus, standing: Standing, atMs: number | null): AlertLine | undefined {
  const { state, sinceMs, value } = standing;
  const group = groupOf(alert.by, standing.group);
  if (state === 'ok') return undefined;
  const amount = value === null ? '' : `${amountWords(alert, value)}, `;
  return {
    key: `${alert.name}/${standing.group ?? ''}`,
    state,
    name: alert.name,
    group,
    words: `${amount}${alert.bound} ${amountWords(alert, alert.threshold)}`,
    since: `${state} for ${durationWords(Math.max(0, (atMs ?? sinceMs) - sinceMs))}`,
    filter: [alert.filter, groupFilter(alert.by, group)]
      .filter((part) => part !== '')
      .map((part, _, all) => (all.length > 1 ? `(${part})` : part))
      .join(' and '),
  };
}

function amountWords({ quantity }: AlertStatus, amount: number): string {
  if (quantity === 'octets') return formatQuantity(bitRateQuantity(amount));
  if (quantity === 'packets') return formatQuantity(packetRateQuantity(amount));
  return `${formatQuantity(countQuantity(amount))} flows`;
}

/** Groups of `src` and `dst` are `segment/address`. */
function groupOf(by: AlertStatus['by'], group: string | undefined): AlertGroup | undefined {
  if (by === null || group === undefined) return undefined;
  if (by === 'segment') return { segment: group, address: undefined };
  const slash = group.indexOf('/');
  return { segment: slash < 0 ? undefined : group.slice(0, slash), address: group.slice(slash + 1) };
}

/** What is no address cannot be asked for. */
function groupFilter(by: AlertStatus['by'], group: AlertGroup | undefined): string {
  if (!group) return '';
  const { segment, address } = group;
  if (address !== undefined && !/^[\da-f.:]+$/i.test(address)) return '';
  const parts = [segment && segmentFilter(segment), address && `${by} = ${address}`];
  return parts.filter((part) => part !== undefined).join(' and ');
}

function segmentFilter(segment: string): string {
  const [tunnel, id] = segment.split(':');
  return id === undefined ? 'tunnel = none' : `tunnel = ${tunnel} and vni = ${id}`;
}

/** The flows of a line, live. */
export function placeOfAlert(place: Place, { filter }: AlertLine): Place {
  return withFilter(asSight({ ...place, time: LIVE }, 'flows'), filter);
}
