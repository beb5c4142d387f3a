import { type KeyboardEvent, useMemo, useRef, useState } from 'react';
import { placeOfClient, placeOfLink } from '../drill.ts';
import { useMedia, useSize } from '../hooks.ts';
import type { Box } from '../layout/box.ts';
import { pathOf } from '../layout/curve.ts';
import { layoutGraph } from '../layout/graph.ts';
import { type Card, type Link, linkRate, type NetworkGraph, strandRate } from '../network.ts';
import { cardTitle } from '../network-names.ts';
import { linkWords, rateText, strandWords } from '../network-words.ts';
import type { Place } from '../question.ts';
import { type Paint, paintOf } from '../segments.ts';
import { SegmentName } from './Named.tsx';
import { NetworkCard } from './NetworkCard.tsx';
import { Swatch } from './Paints.tsx';
import { rovingStep } from './roving.ts';
import { PlaceLink } from './tables.tsx';

interface GraphProps {
  readonly graph: NetworkGraph;
  readonly place: Place;
  readonly paints: ReadonlyMap<string, Paint>;
  /** The segment that is meant; the others step back. */
  readonly segment: string | undefined;
  readonly go: (place: Place) => void;
}

/** On a phone, CSS pixels. */
const LEAST_HEIGHT = 420;

/** What is pointed at: a card, a link, or one segment of a link. */
type Pointed = { readonly card: string } | { readonly link: string; readonly segment: string | undefined };

/** Hosts, what runs on them, and what goes between them. The tables beside it hold the same. */
export function Graph({ graph, place, paints, segment, go }: GraphProps) {
  const frame = useRef<HTMLDivElement>(null);
  const size = useSize(frame);
  const [pointed, setPointed] = useState<Pointed>();
  // On a phone the picture is as high as it needs to be: its frame follows it.
  const height = useMedia('screen and (max-width: 720px)') ? LEAST_HEIGHT : size.height - 2;
  const shape = shapeOf(graph);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the shape is the graph, by what its layout follows from
  const layout = useMemo(
    () => layoutGraph(graph, { width: size.width, height }),
    [shape, size.width, height],
  );
  const cards = new Map(graph.cards.map((card) => [card.id, card]));
  const endsOf = (link: Link): readonly [Card, Card] => [cards.get(link.a)!, cards.get(link.b)!];
  const roving = useRovingCards(graph.cards);
  const isLitLink = (link: Link): boolean => {
    if (pointed && 'card' in pointed) return link.a === pointed.card || link.b === pointed.card;
    return pointed === undefined || pointed.link === link.id;
  };
  const isLitStrand = (link: Link, id: string): boolean => {
    if (segment !== undefined && segment !== id) return false;
    if (pointed && 'link' in pointed && pointed.segment !== undefined && pointed.segment !== id) return false;
    return isLitLink(link);
  };
  const choose = (id: string): void => go({ ...place, at: place.at === id ? undefined : id });
  const words = pointedWords(pointed, graph, endsOf);
  return (
    <>
      <div className="graph-frame" ref={frame} data-testid="graph-frame">
        {size.width > 0 && (
          <div
            className="graph"
            data-testid="graph"
            data-detail={layout.detail}
            style={{ width: layout.width, height: layout.height }}
          >
            <svg width={layout.width} height={layout.height} aria-hidden="true">
              {layout.links.map(({ id, strands }, at) => {
                const link = graph.links[at]!;
                return strands.map(({ segment: strand, curve }, i) => (
                  <StrandMark
                    key={`${id} ${strand}`}
                    d={pathOf(curve)}
                    paint={paintOf(paints, strand)}
                    isIdle={(strandRate(link.strands[i]!) ?? 0) === 0}
                    isDim={!isLitStrand(link, strand)}
                    link={id}
                    segment={strand}
                    onPoint={(isPointed) => setPointed(isPointed ? { link: id, segment: strand } : undefined)}
                    onOpen={() => go(placeOfLink(place, link, strand))}
                  />
                ));
              })}
            </svg>
            {graph.cards.map((card) => (
              <NetworkCard
                key={card.id}
                card={card}
                box={layout.cards.get(card.id)!}
                isMarked={layout.detail === 'marks' && card.lines.every(({ kind }) => kind === 'segment')}
                isChosen={place.at === card.id}
                isDim={
                  pointed !== undefined &&
                  ('card' in pointed
                    ? pointed.card !== card.id &&
                      !graph.links.some(
                        (link) => isLitLink(link) && (link.a === card.id || link.b === card.id),
                      )
                    : !pointed.link.split('~').includes(card.id))
                }
                isStop={roving.stop === card.id}
                paints={paints}
                onChoose={() => choose(card.id)}
                onOpen={(vids) => go(placeOfClient(place, vids))}
                onFocus={() => roving.onFocus(card.id)}
                onKeyDown={roving.onKeyDown}
                onPoint={(isPointed) => setPointed(isPointed ? { card: card.id } : undefined)}
              />
            ))}
            {layout.links.map(({ id, label, strands }, at) => {
              const link = graph.links[at]!;
              const point = (strand: string | undefined) => (isPointed: boolean) =>
                setPointed(isPointed ? { link: id, segment: strand } : undefined);
              return [
                label && (
                  <Label
                    key={id}
                    box={label}
                    words={rateText(linkRate(link))}
                    link={id}
                    isIdle={linkRate(link) === 0}
                    isDim={!isLitLink(link)}
                    to={placeOfLink(place, link)}
                    go={go}
                    onPoint={point(undefined)}
                  />
                ),
                ...strands.map((strand, i) => {
                  if (!strand.label) return null;
                  return (
                    <Label
                      key={`${id} ${strand.segment}`}
                      box={strand.label}
                      paints={paints}
                      words={rateText(strandRate(link.strands[i]!))}
                      link={id}
                      segment={strand.segment}
                      isIdle={strandRate(link.strands[i]!) === 0}
                      isDim={!isLitStrand(link, strand.segment)}
                      to={placeOfLink(place, link, strand.segment)}
                      go={go}
                      onPoint={point(strand.segment)}
                    />
                  );
                }),
              ];
            })}
          </div>
        )}
      </div>
      <p className="graph-words" data-testid="graph-words">
        {words}
      </p>
    </>
  );
}

/** Everything that the layout follows from, as text. */
function shapeOf({ cards, links }: NetworkGraph): string {
  return JSON.stringify([
    cards.map(({ id, kind, lines }) => [id, kind, lines.map((line) => line.kind)]),
    links.map(({ id, strands }) => [id, strands.map(({ segment }) => segment)]),
  ]);
}

const HINT =
  'A link is what two hosts send each other, a line what a client does. Click it for its flows, a host for its own tables.';

function pointedWords(
  pointed: Pointed | undefined,
  { cards, links }: NetworkGraph,
  endsOf: (link: Link) => readonly [Card, Card],
): string {
  if (!pointed) return links.length > 0 ? HINT : '';
  if ('card' in pointed) {
    const card = cards.find(({ id }) => id === pointed.card);
    if (!card) return HINT;
    return [cardTitle(card), card.sub, card.functions.join(', ')].filter(Boolean).join(' · ');
  }
  const link = links.find(({ id }) => id === pointed.link);
  if (!link) return HINT;
  const strand = link.strands.find((each) => each.segment === pointed.segment);
  return strand ? strandWords(strand, endsOf(link)) : linkWords(link, endsOf(link));
}

interface StrandProps {
  readonly d: string;
  readonly paint: Paint;
  readonly isIdle: boolean;
  readonly isDim: boolean;
  readonly link: string;
  readonly segment: string;
  readonly onPoint: (isPointed: boolean) => void;
  readonly onOpen: () => void;
}

/** A line in its segment's colour, dashed while nothing goes there. Those who have no mouse find its link in the table. */
function StrandMark({ d, paint, isIdle, isDim, link, segment, onPoint, onOpen }: StrandProps) {
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the table has a link for each
    <g
      className={`strand ${paint.tone} pattern-${paint.pattern}${isIdle ? ' idle' : ''}${isDim ? ' dim' : ''}`}
      data-testid="strand"
      data-link={link}
      data-segment={segment}
      onPointerEnter={() => onPoint(true)}
      onPointerLeave={() => onPoint(false)}
      onClick={onOpen}
    >
      <path className="strand-hit" d={d} />
      <path className="strand-mark" d={d} />
    </g>
  );
}

interface LabelProps {
  readonly box: Box;
  readonly words: string;
  readonly link: string;
  readonly segment?: string;
  readonly paints?: ReadonlyMap<string, Paint>;
  readonly isIdle: boolean;
  readonly isDim: boolean;
  readonly to: Place;
  readonly go: (place: Place) => void;
  readonly onPoint: (isPointed: boolean) => void;
}

/** A rate on its link; leads to the flows. The table has the same link for the keyboard. */
function Label({ box, words, link, segment, paints, isIdle, isDim, to, go, onPoint }: LabelProps) {
  return (
    <span
      className={`link-label${isIdle ? ' idle' : ''}${isDim ? ' dim' : ''}`}
      data-testid="link-label"
      data-link={link}
      data-segment={segment}
      style={{ transform: `translate(${box.x}px, ${box.y}px)`, width: box.width, height: box.height }}
      onPointerEnter={() => onPoint(true)}
      onPointerLeave={() => onPoint(false)}
    >
      <PlaceLink to={to} go={go} tabIndex={-1}>
        {segment !== undefined && paints && (
          <>
            <Swatch paints={paints} segment={segment} />
            <SegmentName segment={segment} />{' '}
          </>
        )}
        <strong>{words}</strong>
      </PlaceLink>
    </span>
  );
}

/** One card takes part in the tab order; the arrow keys go from card to card. */
function useRovingCards(cards: readonly Card[]): {
  readonly stop: string | undefined;
  readonly onFocus: (id: string) => void;
  readonly onKeyDown: (event: KeyboardEvent<HTMLElement>) => void;
} {
  const [last, setLast] = useState<string>();
  const stop = cards.some(({ id }) => id === last) ? last : cards[0]?.id;
  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    const at = cards.findIndex(({ id }) => id === stop);
    const step = rovingStep(event.key, at);
    if (step === undefined) return;
    event.preventDefault();
    const next = cards.at(step % cards.length)!;
    const marks = event.currentTarget.parentElement!.querySelectorAll<HTMLElement>('[data-card]');
    [...marks].find((mark) => mark.dataset.card === next.id)?.focus();
  };
  return { stop, onFocus: setLast, onKeyDown };
}
