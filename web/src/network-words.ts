/** What the page says of virtual networks. */
import { bitRateQuantity, formatQuantity, octetQuantity, packetRateQuantity } from '../../src/flow/index.ts';
import type { VirtualNetworks } from '../../src/query/index.ts';
import {
  type Card,
  type Link,
  linkRate,
  type NetworkGraph,
  type Strand,
  segmentsOf,
  type Way,
} from './network.ts';
import { cardTitle } from './network-names.ts';
import { segmentName } from './segments.ts';

/** The sentence above the graph: what there is, and how much goes between hosts now. */
export function networkHeadline(
  { functions }: Pick<VirtualNetworks, 'functions'>,
  graph: NetworkGraph,
): string {
  const kinds = (['bridge', 'gateway', 'relay'] as const).flatMap((kind) => {
    const count = functions.filter((each) => each.kind === kind).length;
    return count === 0 ? [] : [counted(count, kind)];
  });
  const hosts = graph.cards.filter(({ kind }) => kind !== 'group').length;
  const segments = segmentsOf(functions).length;
  const where =
    segments === 0
      ? `on ${counted(hosts, 'host')}`
      : `join ${counted(hosts, 'host')} in ${counted(segments, 'segment')}`;
  const rates = graph.links.map(linkRate).filter((rate) => rate !== undefined);
  const sum = rates.reduce((total, rate) => total + rate, 0);
  const now = rates.length === 0 ? '' : ` ${sum === 0 ? 'Nothing' : rateText(sum)} goes between them now.`;
  const many = functions.length === 1 ? where.replace('join', 'joins') : where;
  return `${listOf(kinds)} ${many}.${now}`;
}

/** `1.24 Mbit/s`; before two answers are there nobody knows. */
export function rateText(octetRate: number | undefined): string {
  return octetRate === undefined ? '…' : formatQuantity(bitRateQuantity(octetRate));
}

/** Both directions of a strand, in words. */
export function strandWords(strand: Strand, [a, b]: readonly [Card, Card]): string {
  return `${segmentName(strand.segment)}: ${wayWords(strand.there, a, b)}; ${wayWords(strand.back, b, a)}.`;
}

/** A link and all its segments, in words. */
export function linkWords(link: Link, [a, b]: readonly [Card, Card]): string {
  const sum = (of: (strand: Strand) => Way): Way => {
    const ways = link.strands.map(of);
    const rates = ways.map(({ rate }) => rate).filter((rate) => rate !== undefined);
    const add = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    return {
      packets: add(ways.map(({ packets }) => packets)),
      octets: add(ways.map(({ octets }) => octets)),
      rate:
        rates.length === 0
          ? undefined
          : {
              packetRate: add(rates.map(({ packetRate }) => packetRate)),
              octetRate: add(rates.map(({ octetRate }) => octetRate)),
            },
    };
  };
  const there = wayWords(
    sum((strand) => strand.there),
    a,
    b,
  );
  const back = wayWords(
    sum((strand) => strand.back),
    b,
    a,
  );
  return `${counted(link.strands.length, 'segment')}: ${there}; ${back}.`;
}

function wayWords({ octets, rate }: Way, from: Card, to: Card): string {
  const now = rate
    ? `${rateText(rate.octetRate)}, ${formatQuantity(packetRateQuantity(rate.packetRate))}`
    : 'rate not known yet';
  return `${cardTitle(from)} → ${cardTitle(to)} ${now} (${formatQuantity(octetQuantity(octets))} in all)`;
}

/** `3 hosts`, `1 host`. */
export function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

function listOf(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} and ${last}`;
}
