import { Suspense, useCallback, useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import type { StreamedView } from '../../../src/query/index.ts';
import { freshForMs, type Newest } from '../freshness.ts';
import { usePlace } from '../hooks.ts';
import { type Hover, isSameHover } from '../hover.ts';
import type { Feed, LiveFeed } from '../live.ts';
import { useMoment } from '../moment.ts';
import { useNetworks } from '../networks.ts';
import { type ShownPast, usePast } from '../past.ts';
import type { ShownView } from '../past-view.ts';
import { nextPicture, type Picture } from '../picture.ts';
import { above, type Place, withFilter, writeQuestion } from '../question.ts';
import { paintSegments } from '../segments.ts';
import { versusSpan } from '../time-range.ts';
import { Header } from './Header.tsx';
import { NetworkView } from './NetworkView.tsx';
import { Notice } from './Notice.tsx';
import { PictureView } from './PictureView.tsx';
import { Segments } from './Segments.tsx';
import { Side } from './Side.tsx';
import { Sights } from './Sights.tsx';
import { SIGHT_ENTRIES } from './sight.ts';

const NO_SEGMENTS: StreamedView['segments'] = [];

/** The page: segments, picture, table, and what state the figures are in. */
export function App({ feed }: { readonly feed: LiveFeed }) {
  const live = useSyncExternalStore(feed.subscribe, feed.snapshot);
  const { place, ignored, go } = usePlace();
  const asked = writeQuestion(place.question);
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked is the question, by value
  useEffect(() => feed.ask(place.question), [feed, asked]);
  useEffect(() => () => feed.close(), [feed]);

  const { view, isPaused, togglePause } = useHeld(live.view, asked);
  const past = useShownPast(place, live, isPaused);
  const shown = past ? past.now.view : view;
  const isNetwork = place.sight === 'network';
  const Sight = SIGHT_ENTRIES[place.sight]?.View;
  const networks = useNetworks(isNetwork && !isPaused);
  const stale = useStale(live.newest) && !isPaused && place.time.kind === 'live';
  const picture = usePicture(shown, place.from);
  const [hover, setHoverAnew] = useState<Hover>();
  const setHover = useCallback(
    (next: Hover | undefined) => setHoverAnew((last) => (isSameHover(last, next) ? last : next)),
    [],
  );
  const setSegment = useCallback(
    (segment: string) => go({ ...place, from: 0, question: { ...place.question, segment } }),
    [go, place],
  );
  const setFilter = useCallback((filter: string) => go(withFilter(place, filter)), [go, place]);
  useKeys(place, go, togglePause);

  const segments = (past ? past.now.view?.segments : live.view?.segments) ?? NO_SEGMENTS;
  // Sorted, for an answer has them by octets: paints that change with their order would draw every ribbon anew.
  const ids = [...new Set([...segments, ...(live.view?.segments ?? [])].map((segment) => segment.id))]
    .sort()
    .join(' ');
  const paints = useMemo(() => paintSegments(ids === '' ? [] : ids.split(' ')), [ids]);
  const state = isPaused
    ? 'paused'
    : live.connection.kind === 'open' && stale
      ? 'stale'
      : live.connection.kind;
  return (
    <div
      className="page"
      data-state={state}
      data-sight={place.sight}
      data-level={isNetwork ? 'network' : (shown?.level ?? 'hosts')}
      data-epoch={view?.epoch}
    >
      <Header
        feed={live}
        view={view}
        shown={shown}
        place={place}
        state={state}
        isPaused={isPaused}
        onPause={togglePause}
        go={go}
        onUnits={(units) => go({ ...place, units })}
        onFilter={setFilter}
      />
      <Notice feed={live} state={state} ignored={ignored} onRetry={() => feed.tryNow()} />
      <main>
        <div className="rail">
          <Sights place={place} go={go} />
          <Segments
            segments={segments}
            chosen={place.question.segment}
            paints={paints}
            onChoose={setSegment}
            onHover={setHover}
          />
        </div>
        {isNetwork ? (
          <NetworkView
            known={networks}
            seen={ids}
            place={place}
            pointed={hover?.kind === 'segment' ? hover.id : undefined}
            go={go}
          />
        ) : Sight ? (
          <Suspense fallback={<section className="sight" aria-busy="true" />}>
            <Sight place={place} go={go} view={view} feed={live} isPaused={isPaused} paints={paints} />
          </Suspense>
        ) : (
          <>
            <PictureView
              picture={picture}
              place={place}
              paints={paints}
              hover={hover}
              onHover={setHover}
              go={go}
              connection={live.connection}
              newest={live.newest}
              past={past}
            />
            <Side
              picture={picture}
              past={past}
              place={place}
              paints={paints}
              hover={hover}
              onHover={setHover}
              go={go}
            />
          </>
        )}
      </main>
    </div>
  );
}

/** The part of the past that the chord shows, and what it is compared with; undefined while it is live. */
function useShownPast(place: Place, feed: Feed, isPaused: boolean): ShownPast | undefined {
  const { time, turn } = useMoment(place, feed, isPaused);
  const isChord = !SIGHT_ENTRIES[place.sight]?.View && place.sight !== 'network';
  const span = isChord && time && 'fromMs' in time ? time : undefined;
  const beforeSpan = span && place.vs !== undefined ? versusSpan(place.vs, span) : undefined;
  const options = { turn, live: feed.view };
  const now = usePast(place, span, options);
  const before = usePast(place, beforeSpan, options);
  if (!isChord || place.time.kind === 'live') return undefined;
  return { span, now, before: beforeSpan && before };
}

/** While paused, the view that was shown then; a new question is answered once and then held too. */
function useHeld(
  newest: StreamedView | undefined,
  asked: string,
): { view: StreamedView | undefined; isPaused: boolean; togglePause: () => void } {
  const [isPaused, setPaused] = useState(false);
  const [held, setHeld] = useState<StreamedView>();
  const answers = (view: StreamedView | undefined): boolean =>
    view !== undefined && writeQuestion(view.question) === asked;
  if (isPaused && newest && newest !== held && !answers(held) && (answers(newest) || !held)) setHeld(newest);
  const togglePause = useCallback(() => {
    setHeld(newest);
    setPaused((was) => !was);
  }, [newest]);
  return { view: isPaused ? (held ?? newest) : newest, isPaused, togglePause };
}

/** Turns true when no new figures came for too long. */
function useStale(newest: Newest | undefined): boolean {
  const [stale, setStale] = useState<Newest>();
  useEffect(() => {
    const waitMs = newest ? freshForMs(newest, Date.now()) : Number.POSITIVE_INFINITY;
    if (waitMs === Number.POSITIVE_INFINITY) return;
    const timer = setTimeout(() => setStale(newest), waitMs);
    return () => clearTimeout(timer);
  }, [newest]);
  return newest !== undefined && stale === newest;
}

function usePicture(view: ShownView | undefined, from: number): Picture | undefined {
  const [picture, setPicture] = useState<Picture>();
  if (!view || (picture?.view === view && picture.from === from)) return picture;
  const next = nextPicture(picture, view, from);
  setPicture(next);
  return next;
}

/** Escape goes up, Space and P pause. */
function useKeys(place: Place, go: (place: Place) => void, togglePause: () => void): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      const target = event.target as Element;
      if (takesText(target) && event.key !== 'Escape') return;
      if (event.key === 'Escape') {
        const up = above(place);
        if (up) go(up);
      } else if (event.key === 'p' || event.key === 'P' || (event.key === ' ' && !takesSpace(target))) {
        event.preventDefault();
        togglePause();
      }
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [place, go, togglePause]);
}

function takesText(target: Element): boolean {
  return target.matches('input:not([type="radio"]), select');
}

function takesSpace(target: Element): boolean {
  return target.closest('button, a, input, select, summary, [role="link"]') !== null;
}
