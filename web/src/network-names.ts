/** A virtual network with what its tunnel ends and clients are called. */
import { addressWithName, calledAddress } from './name-words.ts';
import type { Naming } from './names.ts';
import type { Card, NetworkGraph } from './network.ts';

/** Every address on the cards of a graph that may have a name. */
export function cardAddresses({ cards }: NetworkGraph): string[] {
  return cards.flatMap(({ kind, title, sub, lines }) => [
    ...(kind === 'peer' ? [title] : sub.split(', ')),
    ...lines.flatMap(({ leftMore }) => leftMore ?? []),
  ]);
}

/** The same graph with what tunnel ends and clients are called; ids, order and layout stay. */
export function namedGraph(graph: NetworkGraph, naming: Naming): NetworkGraph {
  return { ...graph, cards: graph.cards.map((card) => namedCard(card, naming)) };
}

function namedCard(card: Card, naming: Naming): Card {
  if (card.kind === 'peer') {
    const called = calledAddress(card.title, naming);
    return called === card.title ? card : { ...card, called, sub: card.title };
  }
  const sub = card.sub
    .split(', ')
    .map((address) => addressWithName(address, naming))
    .join(', ');
  const lines = card.lines.map((line) =>
    line.leftMore === undefined ? line : { ...line, leftMore: addressWithName(line.leftMore, naming) },
  );
  return { ...card, sub, lines };
}

/** What is written on a card. */
export function cardTitle({ called, title }: Pick<Card, 'called' | 'title'>): string {
  return called ?? title;
}
