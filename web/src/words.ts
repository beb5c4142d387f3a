/** What the page says, in whole sentences. Every word here is also what a screen reader hears. */
import {
  bitRateQuantity,
  countQuantity,
  excludedOf,
  formatQuantity,
  octetQuantity,
  type Quantity,
  shareQuantity,
} from '../../src/flow/index.ts';
import {
  type Filtered,
  finePercent,
  type ResultTable,
  type Trust,
  type View,
} from '../../src/query/index.ts';
import { type Arc, LARGER, type Matrix, OTHERS, type Pair } from './layout/fold.ts';
import { addressWithName, calledAddress, calledSegment } from './name-words.ts';
import { type Naming, NO_NAMES } from './names.ts';
import type { Span } from './past-questions.ts';
import type { PastFacts, ShownView } from './past-view.ts';
import type { Units } from './question.ts';
import { lengthWords, spanWords as momentsWords } from './time-words.ts';

export { exactly, finePercent, type Trust, trust } from '../../src/query/index.ts';

/** Octets of the window in the units chosen. */
export function amount(octets: number, units: Units, windowSeconds: number): Quantity {
  if (units === 'octets') return octetQuantity(octets);
  return bitRateQuantity(windowSeconds > 0 ? octets / windowSeconds : 0);
}

/** A rate in the units chosen: `1.24 Gbit/s`, or `148 MiB/s`. */
export function rate(octetsPerSecond: number, units: Units): Quantity {
  if (units === 'rate') return bitRateQuantity(octetsPerSecond);
  const { number, unit } = octetQuantity(octetsPerSecond);
  return { number, unit: `${unit}/s` };
}

/** `in the last 5 s`, `in 3 min since the start`; of the past `21 Nov 10:00 – 11:00`. */
export function windowWords(
  view: Pick<View, 'question' | 'windowSeconds'> & Pick<ShownView, 'past'>,
): string {
  if (view.past) return momentsWords(view.past.span, { nowMs: Date.now() });
  const seconds = Math.round(view.windowSeconds);
  if (view.question.window === 'all') return `in ${spanWords(seconds)} since the start`;
  return `in the last ${spanWords(seconds)}`;
}

function spanWords(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** `81 %`; below ten with one decimal. */
export function percent(part: number, whole: number): string {
  const { number } = shareQuantity(part, whole);
  const value = Number(number);
  return `${value >= 10 ? Math.round(value) : number} %`;
}

/** The sentence that names who fills the window. */
export function headline(
  view: Omit<View, 'links'> & Pick<ShownView, 'past'>,
  naming: Naming = NO_NAMES,
): string {
  const { leader, question } = view;
  const when = view.past ? `, ${windowWords(view)}` : ` ${windowWords(view)}`;
  if (view.total.octets === 0) return `No traffic${view.filter ? ' that fits the filter' : ''}${when}.`;
  if (!leader) return `${formatQuantity(octetQuantity(view.total.octets))}${when}.`;
  const verb = view.past ? 'sent' : 'sends';
  const name = naming.address(leader.address);
  const place = [
    name && leader.address,
    calledSegment(leader.segment, naming),
    leader.host !== null && leader.host !== leader.address && `on ${calledAddress(leader.host, naming)}`,
  ];
  const who = `${name?.name ?? leader.address} (${place.filter(Boolean).join(', ')})`;
  const peer = addressWithName(leader.peer, naming);
  const share = percent(leader.share * 1e6, 1e6);
  const whole =
    !view.filter && question.host === undefined && question.pair === undefined
      ? question.segment === 'all'
        ? 'all octets'
        : `all octets in ${calledSegment(question.segment, naming)}`
      : 'these octets';
  return leader.share >= 0.3
    ? `${who} ${verb} ${share} of ${whole}, mostly to ${peer}.`
    : `No one ${view.past ? 'dominated' : 'dominates'}: the largest sender ${view.past ? 'was' : 'is'} ${who} with ${share} of ${whole}, mostly to ${peer}.`;
}

/** `12 % of octets left out`, and what of it nobody can judge. */
export function leftOutWords({ leftOut, unknown }: Filtered, shown: number): string {
  const whole = shown + leftOut.octets;
  const words = `${finePercent(leftOut.octets, whole)} of octets left out`;
  return unknown.octets > 0 ? `${words}, ${finePercent(unknown.octets, whole)} for want of detail` : words;
}

/** What a part of the past lacks, if anything. */
export function pastTrust(facts: PastFacts): Omit<Trust, 'more'> {
  const missingMs = unmetered(facts).reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  const { ledger } = facts;
  const lost = ledger.reduce((sum, { octets }) => sum + octets, 0) - excludedOf(ledger).octets;
  // A number and its unit stay together where lines are short.
  const amountLost = formatQuantity(octetQuantity(lost)).replace(' ', '\u00a0');
  const words = lost > 0 ? `all but ${amountLost} in flows` : 'all in flows';
  return missingMs > 0
    ? { state: 'coarse', words: `${lengthWords(missingMs)} not metered` }
    : { state: 'exact', words };
}

/** When in a part of the past nobody metered, its ends too. */
export function unmetered({ covered, gaps, span }: PastFacts): readonly Span[] {
  // What was metered within the last minute may still be on its way to the store.
  const isOver = span.toMs - covered.toMs > 60_000;
  return [
    { fromMs: span.fromMs, toMs: Math.min(covered.fromMs, span.toMs) },
    ...gaps,
    { fromMs: covered.toMs, toMs: isOver ? span.toMs : covered.toMs },
  ].filter(({ fromMs, toMs }) => fromMs < toMs);
}

/** The sentence behind {@link pastTrust}: `1.24 GiB in flows, 756 B in named ledger lines`. */
export function pastTrustMore({ total, ledger }: Pick<ResultTable, 'total' | 'ledger'>): string {
  const say = (octets: number): string => formatQuantity(octetQuantity(octets));
  const excluded = excludedOf(ledger).octets;
  const named = ledger.reduce((sum, { octets }) => sum + octets, 0) - excluded;
  return [
    `${say(total.octets)} in flows`,
    `${say(named)} in named ledger lines`,
    ...(excluded > 0 ? [`${say(excluded)} excluded by the rules`] : []),
    'at all observation points together',
  ].join(', ');
}

/** What an arc is: an address, or a fold of so many. */
export function arcName(arc: Pick<Arc, 'id' | 'node' | 'count' | 'hasMore'>): string {
  if (arc.id === OTHERS)
    return arc.hasMore ? `${arc.count || 'all'}${arc.count ? '+' : ''} others` : `${arc.count} others`;
  if (arc.id === LARGER) return `${arc.count} larger`;
  return arc.node?.address ?? arc.id;
}

/** The same with its segment, where addresses alone may be ambiguous. */
export function arcFullName(
  arc: Pick<Arc, 'id' | 'node' | 'count' | 'hasMore'>,
  naming: Naming = NO_NAMES,
): string {
  const segment = arc.node?.segment;
  const name = arcCalled(arc, naming);
  return segment ? `${name} (${calledSegment(segment, naming)})` : name;
}

/** What stands beside an arc. A name belongs to the address: tenants that share one share its name. */
export function arcCalled(arc: Pick<Arc, 'id' | 'node' | 'count' | 'hasMore'>, naming: Naming): string {
  return arc.node ? calledAddress(arc.node.address, naming) : arcName(arc);
}

/** One direction of a pair: `X received from Y: 1.24 MiB`, and what part that is. */
export interface Block {
  readonly from: string;
  readonly to: string;
  readonly received: Quantity;
  readonly lines: readonly string[];
  /** Nothing went this way. */
  readonly none: boolean;
}

/** The two blocks of a ribbon's tooltip; one for a loop. Who received stands first, whichever end is monitored. */
export function pairBlocks(
  pair: Pair,
  { arcs }: Matrix,
  {
    total,
    units,
    windowSeconds,
    naming = NO_NAMES,
  }: { total: number; units: Units; windowSeconds: number; naming?: Naming },
): Block[] {
  const a = arcs[pair.a]!;
  const b = arcs[pair.b]!;
  const block = (from: Arc, to: Arc, octets: number): Block => {
    const say = (amountOf: number): string => formatQuantity(amount(amountOf, units, windowSeconds));
    return {
      from: arcFullName(from, naming),
      to: arcFullName(to, naming),
      received: amount(octets, units, windowSeconds),
      none: octets === 0,
      lines:
        octets === 0
          ? []
          : [
              `${percent(octets, to.received)} of ${arcCalled(to, naming)}’s received total (${say(to.received)})`,
              `${percent(octets, total)} of all of ${say(total)}`,
            ],
    };
  };
  if (pair.a === pair.b) return [block(a, a, pair.forward)];
  const blocks = [block(a, b, pair.forward), block(b, a, pair.backward)];
  return pair.forward >= pair.backward ? blocks : blocks.reverse();
}

/** What a screen reader says on an arc: what stands there to be read, then the rest. */
export function arcWords(
  arc: Arc,
  shown: string,
  about: {
    total: number;
    units: Units;
    windowSeconds: number;
    action: string | undefined;
    naming: Naming;
  },
): string {
  const say = (octets: number): string => formatQuantity(amount(octets, about.units, about.windowSeconds));
  const segment = arc.node?.segment;
  const called = arcCalled(arc, about.naming);
  const tenant = segment ? calledSegment(segment, about.naming) : '';
  const missing = [
    !shown.startsWith(called) && called,
    called !== arcName(arc) && arcName(arc),
    !shown.includes(tenant) && tenant,
  ];
  const name = [shown, ...missing].filter(Boolean).join(', ');
  const numbers = `sent ${say(arc.sent)}, ${percent(arc.sent, about.total)} of all, received ${say(arc.received)}.`;
  return `${name}: ${numbers}${about.action ? ` Enter ${about.action}.` : ''}`;
}

/** `5.21 Mpkt`. */
export function packetWords(packets: number): string {
  const { number, unit } = countQuantity(packets);
  return `${number} ${unit}pkt`;
}
