import { useState } from 'react';
import { PointTable, SPANS, type Span, useAudit } from '../../parts/Audit.tsx';
import { Choice } from '../../parts/Choice.tsx';
import type { SightProps } from '../../parts/sight.ts';
import { spanWords } from '../../time-words.ts';
import { pastTrust, pastTrustMore, trust } from '../../words.ts';
import { type KnownLedger, useLedger } from './ledger.ts';
import { Missing } from './Missing.tsx';
import { Unexplained } from './Unexplained.tsx';

/** Can the numbers be trusted: of the time that is looked at, and of now at every observation point. */
export default function Exactness(props: SightProps) {
  const known = useLedger(props);
  return (
    <section
      className="sight exactness"
      aria-label="Exactness"
      data-testid="exactness-view"
      aria-busy={known.isAsking}
    >
      <Headline {...props} known={known} />
      <Missing {...props} known={known} />
      <Points {...props} />
    </section>
  );
}

/** Of what time, and how far the numbers of it can be trusted. */
function Headline({ place, view, known }: SightProps & { readonly known: KnownLedger }) {
  const isPast = place.time.kind !== 'live';
  const { facts, table, problem } = known;
  const judged = isPast ? facts && pastTrust(facts) : view && trust(view.exactness);
  const waiting = isPast && problem ? 'There is no answer.' : 'Asking the agent …';
  const words = judged && capitalized(judged.words);
  const when = facts ? spanWords(facts.span, { nowMs: Date.now() }) : 'since the agent’s start';
  return (
    <>
      <p className="headline" data-testid="exactness-headline" data-state={judged?.state}>
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

/** The audit of every observation point, renewed with each epoch. */
function Points({ place, view, isPaused }: SightProps) {
  const [span, setSpan] = useState<Span>('sinceStart');
  const { audit, failure } = useAudit(!isPaused, view?.epoch ?? 0);
  const isPast = place.time.kind !== 'live';
  return (
    <>
      {audit && <Unexplained audit={audit} />}
      <h2>
        At every observation point <span className="quiet">now</span>
      </h2>
      <p>
        What the interfaces counted themselves, what the hooks saw, and where all of it is. What an interface
        counted and the hook did not see was taken between the two: by XDP, or by a program that runs before
        ours. What the hook saw and is neither in flows nor in the ledger is a bug.
        {isPast && ' A history does not keep what interfaces counted: this comparison is of now.'}
      </p>
      <Choice legend="Span" testId="exactness-span" options={SPANS} value={span} onChange={setSpan} />
      {failure !== undefined && <p role="alert">The audit could not be read: {failure}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it may scroll sideways, so the keyboard must reach it */}
      <div className="audit-panel whole" tabIndex={0}>
        {audit?.points.map((point) => (
          <PointTable key={`${point.ifindex} ${point.direction}`} point={point} span={span} />
        ))}
      </div>
    </>
  );
}
