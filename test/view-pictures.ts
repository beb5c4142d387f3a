/** Which pictures docs/views.md shows: each view of the page at its best, and each tab of top. */
import { fileURLToPath } from 'node:url';
import type { WeekPlan } from './week.ts';

/** Where they lie. */
export const PICTURES: string = fileURLToPath(new URL('../docs/pictures/views/', import.meta.url));
/** All of them together, octets. */
export const MOST_OCTETS = 2_500_000;

/** Sizes and colours in which each view is taken. */
export const SIZES = { wide: { width: 1440, height: 900 }, narrow: { width: 390, height: 844 } } as const;
export const SCHEMES = ['light', 'dark'] as const;

/** A picture: of which view, before what, at which place. */
export interface ViewPicture {
  /** Of its files, `NAME-wide-light.webp`. */
  readonly name: string;
  /** As in the address of the page. */
  readonly sight: string;
  /** A stored week, or a demo that runs. */
  readonly before: 'week' | 'overlay' | 'bridges';
  /** What stands in the address beside the view. */
  readonly query: (plan: WeekPlan) => string;
  /** What is there when it is drawn. */
  readonly drawn: string;
}

const HOUR_MS = 3_600_000;

function time(fromMs: number, toMs: number): string {
  const moment = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');
  return `time=${moment(fromMs)}/${moment(toMs)}`;
}

/** The day before the one on which the culprit begins to send much. */
function quietDay({ culprit }: WeekPlan): string {
  const midnight = Math.floor(culprit.sinceMs / (24 * HOUR_MS)) * 24 * HOUR_MS;
  return time(midnight - 24 * HOUR_MS + 6 * HOUR_MS, midnight - 6 * HOUR_MS);
}

/** In the order of docs/views.md. */
export const VIEW_PICTURES: readonly ViewPicture[] = [
  { name: 'overview', sight: 'overview', before: 'week', query: () => 'time=7d', drawn: '.uplot canvas' },
  {
    name: 'chord-live',
    sight: 'chord',
    before: 'overlay',
    query: () => 'window=1m',
    drawn: '[data-testid=arc]',
  },
  { name: 'chord-past', sight: 'chord', before: 'week', query: quietDay, drawn: '[data-testid=arc]' },
  {
    name: 'chord-compared',
    sight: 'chord',
    before: 'week',
    query: (plan) => `${quietDay(plan)}&vs=yesterday`,
    drawn: '[data-testid=row][data-compared]',
  },
  { name: 'tunnels', sight: 'tunnels', before: 'week', query: quietDay, drawn: '[data-testid=grid-row]' },
  { name: 'flows', sight: 'flows', before: 'week', query: () => 'time=24h', drawn: '[data-testid=grid-row]' },
  {
    name: 'connections',
    sight: 'connections',
    before: 'overlay',
    query: () => '',
    drawn: '[data-column=sendRate]:not([data-value=""])',
  },
  { name: 'hosts', sight: 'hosts', before: 'week', query: quietDay, drawn: '[data-testid=grid-row]' },
  {
    name: 'one-address',
    sight: 'hosts',
    before: 'week',
    query: ({ culprit }) => `address=${culprit.address}&in=${culprit.segment}&time=7d`,
    drawn: '[data-testid=series-rise]',
  },
  {
    name: 'network',
    sight: 'network',
    before: 'bridges',
    query: () => '',
    drawn: '[data-testid=network-headline]:has-text("goes between")',
  },
  {
    name: 'exactness',
    sight: 'exactness',
    before: 'week',
    query: () => 'time=7d',
    drawn: '[data-testid=reason]',
  },
];

/** Tabs of top, each with what is there when it is filled. */
export const TOP_TABS: Readonly<Record<string, RegExp>> = {
  tunnels: /■ VNI \d+ .*bit\/s/,
  flows: /^.(UDP|TCP|ICMP) +\d.*bit\/s/,
  connections: /^.TCP +\d/,
  hosts: /^.172\.16\.1\.\d+ .*%/,
  ledger: /seen by the hook +\d/,
};
/** Sizes of the terminal. */
export const TERMINALS = [
  [80, 24],
  [120, 40],
] as const;
