import { useMemo } from 'react';
import { useAnswer } from '../../answers.ts';
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
  const answers = useOverview(questions, turn);
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

function useOverview(questions: OverviewQuestions, turn: number): Answers {
  return {
    series: useAnswer(questions.series, turn),
    segments: useAnswer(questions.segments, turn),
    talkers: useAnswer(questions.talkers, turn),
    changes: useAnswer(questions.changes, turn),
    before: useAnswer(questions.before, turn),
  };
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
