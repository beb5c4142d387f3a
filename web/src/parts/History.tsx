import { useMemo } from 'react';
import type { Dimension } from '../../../src/query/index.ts';
import { useAnswer } from '../answers.ts';
import type { AnyQuestion } from '../asking.ts';
import type { Feed } from '../live.ts';
import { useMoment } from '../moment.ts';
import type { Place } from '../question.ts';
import type { Paint } from '../segments.ts';
import { Series } from './Series.tsx';

interface HistoryProps {
  readonly title: string;
  readonly place: Place;
  readonly go: (place: Place) => void;
  readonly feed: Feed;
  readonly isPaused: boolean;
  readonly paints: ReadonlyMap<string, Paint>;
  /** Of which flows. */
  readonly filter: string | undefined;
  readonly by?: readonly Dimension[];
  readonly height?: number;
}

/** What is shown of the past beside what is now, milliseconds. */
const BEFORE_NOW_MS = 15 * 60_000;
const OF_SEGMENTS: readonly Dimension[] = ['segment'];

/** The rate of some flows over the time of a place; beside what is now, over the minutes before it. */
export function History({ title, place, go, feed, isPaused, paints, filter, ...rest }: HistoryProps) {
  const { by = OF_SEGMENTS, height = 150 } = rest;
  const isLive = place.time.kind === 'live';
  const past = useMemo(
    (): Place => (isLive ? { ...place, time: { kind: 'last', ms: BEFORE_NOW_MS } } : place),
    [isLive, place],
  );
  const { time, turn } = useMoment(past, feed, isPaused);
  const isKept = feed.status?.history != null;
  const question: AnyQuestion | undefined = useMemo(
    () =>
      isKept && time && 'fromMs' in time
        ? { ask: 'series', by: [...by], ...(filter !== undefined && { filter }), ...time }
        : undefined,
    [isKept, time, by, filter],
  );
  const { table, problem } = useAnswer(question, turn);
  if (feed.status && !isKept) {
    return (
      <p className="quiet">
        Its past is not kept: <code>--history DIRECTORY</code> of the agent keeps it.
      </p>
    );
  }
  if (problem) {
    return (
      <p className="problem" role="alert">
        ✕ {title}: {problem.message}
      </p>
    );
  }
  if (!table || !time || !('fromMs' in time))
    return <div className="history-wait" style={{ height }} aria-busy="true" />;
  return (
    <Series
      title={title}
      table={table}
      span={time}
      units={place.units}
      paints={paints}
      height={height}
      onZoom={(span) => go({ ...place, time: { kind: 'span', ...span } })}
    />
  );
}
