import { useState } from 'react';
import type { PastAuditPoint } from '../../../../src/query/index.ts';
import { PointTable, SPANS, type Span, useAudit } from '../../parts/Audit.tsx';
import { Choice } from '../../parts/Choice.tsx';
import type { SightProps } from '../../parts/sight.ts';
import { lengthWords, spanWords } from '../../time-words.ts';
import { pastTrust, pastTrustMore, trust } from '../../words.ts';
import { type KnownLedger, useLedger } from './ledger.ts';
import { Missing } from './Missing.tsx';
import { type KnownPastAudit, unexplainedWords, usePastAudit } from './past-audit.ts';
import { Unexplained } from './Unexplained.tsx';
import { UnexplainedThen } from './UnexplainedThen.tsx';

/** Can the numbers be trusted: of the time that is looked at, in all and at every observation point. */
export default function Exactness(props: SightProps) {
  const known = useLedger(props);
  const isPast = props.place.time.kind !== 'live';
  const then = usePastAudit(props);
  return (
    <section
      className="sight exactness"
      aria-label="Exactness"
      data-testid="exactness-view"
      aria-busy={known.isAsking || then.isAsking}
    >
      <Headline {...props} known={known} then={then} />
      <Missing {...props} known={known} />
      {isPast ? <PointsThen {...props} known={then} /> : <PointsNow {...props} />}
    </section>
  );
}

/** Of what time, and how far the numbers of it can be trusted. */
function Headline({
  place,
  view,
  known,
  then,
}: SightProps & { readonly known: KnownLedger; readonly then: KnownPastAudit }) {
  const isPast = place.time.kind !== 'live';
  const { facts, table, problem } = known;
  const judged = isPast ? facts && pastTrust(facts) : view && trust(view.exactness);
  const waiting = isPast && problem ? 'There is no answer.' : 'Asking the agent …';
  const wrong = isPast && then.audit ? unexplainedWords(then.audit) : undefined;
  const words = judged && capitalized([judged.words, ...(wrong === undefined ? [] : [wrong])].join(', '));
  const when = facts ? spanWords(facts.span, { nowMs: Date.now() }) : 'since the agent’s start';
  return (
    <>
      <p
        className="headline"
        data-testid="exactness-headline"
        data-state={wrong === undefined ? judged?.state : 'wrong'}
      >
        {words ? `${words}, ${when}.` : waiting}
      </p>
      {isPast
        ? facts && table && <p className="quiet">{capitalized(pastTrustMore(table))}.</p>
        : view && <p className="quiet">{capitalized(trust(view.exactness).more)}.</p>}
    </>
  );
}

function capitalized(words: string): string {
  return `${words[0]!.toUpperCase()}${words.slice(1)}`;
}

/** The audit of every observation point of now, renewed with each epoch. */
function PointsNow({ view, isPaused }: SightProps) {
  const [span, setSpan] = useState<Span>('sinceStart');
  const { audit, failure } = useAudit(!isPaused, view?.epoch ?? 0);
  return (
    <>
      {audit && <Unexplained audit={audit} />}
      <PointsHead when="now" />
      <Choice legend="Span" testId="exactness-span" options={SPANS} value={span} onChange={setSpan} />
      {failure !== undefined && <p role="alert">The audit could not be read: {failure}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it may scroll sideways, so the keyboard must reach it */}
      <div className="audit-panel whole" tabIndex={0}>
        {audit?.points.map((point) => (
          <PointTable
            key={`${point.ifindex} ${point.direction}`}
            point={point}
            sums={point[span]}
            remark={point.present ? undefined : 'gone'}
          />
        ))}
      </div>
    </>
  );
}

/** The same of the time that is looked at. */
function PointsThen(props: SightProps & { readonly known: KnownPastAudit }) {
  const { audit, span, problem } = props.known;
  const when = span && spanWords(span, { nowMs: Date.now() });
  return (
    <>
      {audit && span && <UnexplainedThen {...props} audit={audit} span={span} />}
      <PointsHead when={when} />
      {problem && (
        <p role="alert">
          The audit could not be read: {problem.message} {problem.remedy}
        </p>
      )}
      {audit?.isCut && <p className="quiet">Those {audit.points.length} that matter most.</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it may scroll sideways, so the keyboard must reach it */}
      <div className="audit-panel whole" tabIndex={0}>
        {audit?.points.map((point) => (
          <PointTable
            key={`${point.interfaceName} ${point.direction}`}
            point={point}
            sums={point.span}
            remark={comparedWords(point)}
          />
        ))}
      </div>
    </>
  );
}

function comparedWords({ comparedSeconds, span }: PastAuditPoint): string | undefined {
  if (comparedSeconds === 0) return 'what it counted is not kept of this time';
  const isAll = comparedSeconds > 0.99 * span.seconds;
  return isAll ? undefined : `compared over ${lengthWords(1000 * comparedSeconds)}`;
}

function PointsHead({ when }: { readonly when: string | undefined }) {
  return (
    <>
      <h2>
        At every observation point <span className="quiet">{when}</span>
      </h2>
      <p>
        What the interfaces counted themselves, what the hooks saw, and where all of it is. What an interface
        counted and the hook did not see was taken between the two: by XDP, or by a program that runs before
        ours. What the hook saw and is neither in flows nor in the ledger is a bug.
      </p>
    </>
  );
}
