import { lazy, Suspense, useCallback, useMemo, useRef } from 'react';
import type { Newest } from '../freshness.ts';
import { type Go, useMedia, useSize, useSlowly } from '../hooks.ts';
import { type Hover, litBy } from '../hover.ts';
import { type Arc, foldView, type Pair } from '../layout/fold.ts';
import type { Connection } from '../live.ts';
import { lettersOf } from '../name-words.ts';
import type { Naming } from '../names.ts';
import { useNaming } from '../naming.ts';
import { arcAction, placeOfArc, placeOfPair } from '../navigate.ts';
import type { ShownPast } from '../past.ts';
import type { ShownView } from '../past-view.ts';
import type { Picture } from '../picture.ts';
import type { Place } from '../question.ts';
import type { Paint } from '../segments.ts';
import { amount, arcCalled, arcWords, headline, pastTrust, trust, windowWords } from '../words.ts';
import { Amount } from './Amount.tsx';
import { Breadcrumb } from './Breadcrumb.tsx';
import { Chord } from './Chord.tsx';
import { Empty } from './Empty.tsx';
import { Problem } from './Problem.tsx';
import { Strip } from './Strip.tsx';
import { Tooltip, type Versus } from './Tooltip.tsx';

const Scrubber = lazy(() => import('./Scrubber.tsx'));

interface PictureProps {
  readonly picture: Picture | undefined;
  readonly place: Place;
  readonly paints: ReadonlyMap<string, Paint>;
  readonly hover: Hover | undefined;
  readonly onHover: (hover: Hover | undefined) => void;
  readonly go: Go;
  readonly connection: Connection;
  readonly newest: Newest | undefined;
  /** Undefined while it is live. */
  readonly past: ShownPast | undefined;
}

/** The sentence, the way back, the chord with its centre, the strip. */
export function PictureView(props: PictureProps) {
  const { picture, place, paints, hover, onHover, go, connection, newest, past } = props;
  const naming = useNaming(leaderAddresses(picture), leaderSegments(picture));
  const words = picture ? headline(picture.view, naming) : '';
  const plain = picture ? headline(picture.view) : '';
  const spoken = useSlowly(words, 10_000);
  return (
    <section className="picture" aria-label="Picture" aria-busy={past?.now.isAsking ?? false}>
      <div className="above">
        <p
          className="headline"
          data-testid="headline"
          data-leader={picture?.view.leader?.address}
          title={words === plain ? undefined : plain}
        >
          {picture ? words : waitingWords(connection, past)}
        </p>
        <p className="unseen" aria-live="polite" data-testid="spoken">
          {spoken}
        </p>
        <Breadcrumb place={place} go={go} />
        <Problem problem={past?.now.problem ?? past?.before?.problem} />
      </div>
      {picture ? (
        <Drawing
          picture={picture}
          before={past?.before?.view}
          place={place}
          paints={paints}
          hover={hover}
          onHover={onHover}
          go={go}
        />
      ) : (
        <div className="chord-frame">
          <div className="ghost" aria-hidden="true" />
        </div>
      )}
      {past ? (
        <Suspense fallback={<div className="strip" />}>
          <Scrubber place={place} go={go} newest={newest} past={past} />
        </Suspense>
      ) : picture && !picture.view.past ? (
        <Strip view={picture.view} />
      ) : (
        <div className="strip" />
      )}
    </section>
  );
}

function leaderAddresses(picture: Picture | undefined): string[] {
  const leader = picture?.view.leader;
  return leader ? [leader.address, leader.peer, ...(leader.host === null ? [] : [leader.host])] : [];
}

function leaderSegments(picture: Picture | undefined): string[] {
  const leader = picture?.view.leader;
  return leader ? [leader.segment] : [];
}

function waitingWords(connection: Connection, past: ShownPast | undefined): string {
  if (connection.kind === 'connecting') return 'Asking the agent …';
  return past && !past.now.problem ? 'Asking the history …' : 'Nothing to show yet.';
}

function Drawing({
  picture,
  place,
  paints,
  hover,
  onHover,
  go,
  before,
}: Omit<PictureProps, 'connection' | 'picture' | 'newest' | 'past'> & {
  readonly picture: Picture;
  readonly before: ShownView | undefined;
}) {
  const { view, matrix, ribbons, gate } = picture;
  const frame = useRef<HTMLDivElement>(null);
  const size = useSize(frame);
  const isNarrow = useMedia('screen and (max-width: 720px)');
  const naming = useNaming(
    matrix.arcs.flatMap(({ node }) => node?.address ?? []),
    matrix.arcs.flatMap(({ node }) => node?.segment ?? []),
  );
  const letters = lettersFor(matrix.arcs, naming, isNarrow ? 12 : 16);
  const sizes = useMemo(() => ({ ...size, letters }), [size, letters]);
  const shown =
    hover ??
    (place.client !== undefined ? ({ kind: 'node', id: place.client, by: 'table' } as const) : undefined);
  const lit = useMemo(() => litBy(shown, matrix), [shown, matrix]);
  const { units } = place;
  const say = useMemo(
    () => ({ total: view.total.octets, units, windowSeconds: view.windowSeconds }),
    [view, units],
  );
  const versus = useMemo(
    (): Versus | undefined =>
      before && {
        matrix: foldView(before, { limit: Infinity }),
        windowSeconds: before.windowSeconds,
        words: windowWords(before),
      },
    [before],
  );
  const onArc = useCallback((arc: Arc) => go(placeOfArc(place, picture, arc)), [go, place, picture]);
  const onPair = useCallback((pair: Pair) => go(placeOfPair(place, picture, pair)), [go, place, picture]);
  const action = arcAction(view.level);
  const arcLabel = useCallback(
    (arc: Arc, shown: string): string =>
      arcWords(arc, shown, {
        ...say,
        naming,
        action: arc.node ? action : arc.count > 0 ? 'opens them' : undefined,
      }),
    [say, naming, action],
  );
  const isEmpty = matrix.arcs.length === 0;
  return (
    <div ref={frame} className="chord-frame">
      {isEmpty && <Empty view={view} place={place} go={go} />}
      {!isEmpty && size.width > 0 && (
        <Chord
          matrix={matrix}
          ribbons={ribbons}
          total={view.total.octets}
          sizes={sizes}
          paints={paints}
          naming={naming}
          lit={lit}
          pointed={hover?.kind === 'pair' ? hover.id : undefined}
          gate={gate}
          title={`Who talks to whom ${windowWords(view)}`}
          description={`A ring of ${matrix.arcs.length} arcs, each as long as what its ${view.level === 'hosts' ? 'host' : 'client'} sent. Hollow arcs send too little to be seen by their length. Ribbons join those who talk and are wider at the end that sends more. The table beside it holds the same numbers.`}
          arcLabel={arcLabel}
          focusKey={picture.key}
          onHover={onHover}
          onArc={onArc}
          onPair={onPair}
        />
      )}
      {!isEmpty && <Centre picture={picture} place={place} />}
      <Tooltip
        hover={hover}
        matrix={matrix}
        versus={versus}
        {...say}
        paints={paints}
        naming={naming}
        arcAction={action}
      />
    </div>
  );
}

/** Room for the labels: as long as the longest, in steps, so that the ring keeps its size between updates. */
function lettersFor(arcs: readonly Arc[], naming: Naming, most: number): number {
  const longest = arcs.reduce((length, arc) => Math.max(length, lettersOf(arcCalled(arc, naming))), 9);
  return Math.min(most, 3 * Math.ceil(longest / 3) + 1);
}

function Centre({ picture, place }: { readonly picture: Picture; readonly place: Place }) {
  const { view } = picture;
  const judged = view.past ? pastTrust(view.past) : trust(view.exactness);
  return (
    <div
      className="centre"
      data-testid="centre"
      data-octets={view.total.octets}
      data-from={view.past?.span.fromMs}
    >
      <Amount quantity={amount(view.total.octets, place.units, view.windowSeconds)} className="total" />
      <span className="quiet">{windowWords(view)}</span>
      <span className={`judged is-${judged.state}`}>
        <span aria-hidden="true">{judged.state === 'exact' ? '✓' : '▲'}</span> {judged.words}
      </span>
    </div>
  );
}
