import { useMemo } from 'react';
import { type KnownAnswer, useAnswer } from '../../answers.ts';
import type { AnyQuestion } from '../../asking.ts';
import { tableOfRates } from '../../layout/series.ts';
import { useMoment } from '../../moment.ts';
import { Problem } from '../../parts/Problem.tsx';
import { Series } from '../../parts/Series.tsx';
import type { SightProps } from '../../parts/sight.ts';
import { type Answers, type Asked, RECENT } from './asked.ts';
import { LiveFigures, PastFigures } from './figure-rows.tsx';
import { type OverviewQuestions, overviewQuestions } from './questions.ts';
import { Changes, LiveTalkers, NoHistory, PastTalkers, SegmentLines } from './top-lines.tsx';

/** How the network is: rates inside tunnels and outside, who talks most, what changed, and whether all is counted. */
export default function Overview(props: SightProps) {
  const { place, feed, isPaused } = props;
  const hasHistory = feed.status?.history != null;
  const isLive = place.time.kind === 'live';
  const asked = useMemo(() => (isLive ? { ...place, time: RECENT } : place), [isLive, place]);
  const { time, turn } = useMoment(asked, feed, isPaused);
  const questions = overviewQuestions(place, hasHistory ? time : undefined);
  const answers = useOverview(questions, { turn, isSliding: asked.time.kind === 'last' });
  const span = time && 'fromMs' in time ? time : undefined;
  if (!isLive && feed.status && !hasHistory)
    return (
      <section className="sight" aria-label="Overview">
        <NoHistory />
      </section>
    );
  return (
    <section className="sight overview" aria-label="Overview" aria-busy={answers.segments.isAsking}>
      {isLive ? <LiveFigures {...props} /> : <PastFigures {...props} answers={answers} span={span} />}
      <Problem problem={answers.series.problem ?? answers.talkers.problem ?? answers.changes.problem} />
      <Rates {...props} answers={answers} span={span} hasHistory={hasHistory} />
      <div className="overview-lists">
        {isLive ? <LiveTalkers {...props} /> : <PastTalkers {...props} answers={answers} span={span} />}
        <SegmentLines {...props} answers={answers} span={span} />
        {hasHistory ? (
          <Changes {...props} answers={answers} span={span} />
        ) : (
          <section className="overview-list">
            <h2>What changed</h2>
            <NoHistory />
          </section>
        )}
      </div>
    </section>
  );
}

function useOverview(questions: OverviewQuestions, { turn, isSliding }: Sliding): Answers {
  const answer = (known: KnownAnswer, wanted: AnyQuestion | undefined): KnownAnswer =>
    isOfAnother(known.question, wanted, isSliding) ? { ...known, table: undefined } : known;
  return {
    // A drawing has its own axis of time: it stays until there is another.
    series: useAnswer(questions.series, turn),
    segments: answer(useAnswer(questions.segments, turn), questions.segments),
    talkers: answer(useAnswer(questions.talkers, turn), questions.talkers),
    changes: answer(useAnswer(questions.changes, turn), questions.changes),
    before: answer(useAnswer(questions.before, turn), questions.before),
  };
}

interface Sliding {
  readonly turn: number;
  /** The time moves with now: an answer of a moment ago is still one. */
  readonly isSliding: boolean;
}

/** Whether an answer would stand below words about something else. */
function isOfAnother(
  answered: AnyQuestion | undefined,
  wanted: AnyQuestion | undefined,
  isSliding: boolean,
): boolean {
  if (!answered || !wanted) return false;
  const meant = (question: AnyQuestion): string => {
    if (!isSliding || !('fromMs' in question)) return JSON.stringify(question);
    const { fromMs, toMs, ...rest } = question;
    return JSON.stringify({ ...rest, before: undefined, lengthMs: toMs - fromMs });
  };
  return meant(answered) !== meant(wanted);
}

function Rates(props: Asked & { readonly hasHistory: boolean }) {
  const { answers, span, place, go, view, paints, hasHistory } = props;
  const { table } = answers.series;
  const live = useMemo(() => view && tableOfRates(view.history, view.intervalSeconds), [view]);
  const onZoom = useMemo(
    () => (zoomed: { readonly fromMs: number; readonly toMs: number }) =>
      go({ ...place, time: { kind: 'span', ...zoomed } }),
    [go, place],
  );
  if (!hasHistory && live && view)
    return (
      <Series
        title="Rate of the whole host"
        table={live}
        span={live.covered}
        units={place.units}
        paints={paints}
      />
    );
  if (!table || !span) return <div className="series-plot is-waiting overview-wait" />;
  return (
    <Series
      title="Rate by segment"
      table={table}
      span={span}
      units={place.units}
      paints={paints}
      onZoom={onZoom}
    />
  );
}
