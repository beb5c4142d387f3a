import { useMemo, useState } from 'react';
import { octetQuantity } from '../../../../src/flow/index.ts';
import type { ResultTable } from '../../../../src/query/index.ts';
import { useAnswer } from '../../answers.ts';
import type { AnyQuestion } from '../../asking.ts';
import { useMoment } from '../../moment.ts';
import { Amount } from '../../parts/Amount.tsx';
import { PointTable, SPANS, type Span, useAudit } from '../../parts/Audit.tsx';
import { Choice } from '../../parts/Choice.tsx';
import type { SightProps } from '../../parts/sight.ts';
import { lengthWords, spanWords } from '../../time-words.ts';
import { exactly, finePercent, trust } from '../../words.ts';
import { reasonWords } from './reasons.ts';

/** Can the numbers be trusted: of now at every observation point, and what is missing in the time that is looked at. */
export default function Exactness(props: SightProps) {
  const { view } = props;
  const judged = view && trust(view.exactness);
  return (
    <section className="sight exactness" aria-label="Exactness" data-testid="exactness-view">
      <p className="headline" data-testid="exactness-headline">
        {judged ? `${judged.words[0]!.toUpperCase()}${judged.words.slice(1)}.` : 'Asking the agent …'}
      </p>
      {judged && <p className="quiet">Since the agent’s start: {judged.more}.</p>}
      <Missing {...props} />
      <Points {...props} />
    </section>
  );
}

/** The audit of every observation point, renewed with each epoch. */
function Points({ view, isPaused }: SightProps) {
  const [span, setSpan] = useState<Span>('sinceStart');
  const { audit, failure } = useAudit(!isPaused, view?.epoch ?? 0);
  return (
    <>
      <h2>At every observation point</h2>
      <p>
        What the interfaces counted themselves, what the hooks saw, and where all of it is. What an interface
        counted and the hook did not see was taken between the two: by XDP, or by a program that runs before
        ours. What the hook saw and is neither in flows nor in the ledger is a bug.
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

/** What of the time that is looked at is in no flow, and when nobody metered. */
function Missing({ place, feed, isPaused, view }: SightProps) {
  const { time, turn } = useMoment(place, feed, isPaused);
  const isPast = place.time.kind !== 'live';
  // Any question is told what is missing; this one is the cheapest.
  const question = useMemo(
    (): AnyQuestion | undefined =>
      isPast && time ? { ask: 'distinct', of: 'network', limit: 1, ...time } : undefined,
    [isPast, time],
  );
  const { table, problem } = useAnswer(question, turn);
  const ledger = isPast ? table?.ledger : view?.exactness.ledger;
  const seen = isPast ? table && withLedger(table) : view?.exactness.seen.octets;
  return (
    <>
      <h2>
        Why is this missing?{' '}
        <span className="quiet">
          {isPast ? table && spanWords(table.covered, { nowMs: Date.now() }) : 'since the start'}
        </span>
      </h2>
      {isPast && problem && (
        <p role="alert" data-testid="answer-problem">
          ✕ {problem.message} {problem.remedy}
        </p>
      )}
      {ledger && ledger.length === 0 && (
        <p data-testid="nothing-missing">Nothing: every packet that was seen is in a flow.</p>
      )}
      {ledger && ledger.length > 0 && <Reasons ledger={ledger} seen={seen ?? 0} />}
      {isPast && table && <Gaps gaps={table.gaps} />}
    </>
  );
}

/** Octets in flows and those that are in none. */
function withLedger({ total, ledger }: ResultTable): number {
  return ledger.reduce((sum, { octets }) => sum + octets, total.octets);
}

function Reasons({ ledger, seen }: { readonly ledger: ResultTable['ledger']; readonly seen: number }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it may scroll sideways, so the keyboard must reach it
    <div className="short-scroll" tabIndex={0}>
      <table className="reasons" data-testid="reasons">
        <thead>
          <tr>
            <th scope="col">In no flow</th>
            <th scope="col" className="numeric">
              Packets
            </th>
            <th scope="col" className="numeric">
              Octets
            </th>
            <th scope="col" className="numeric">
              Share
            </th>
            <th scope="col">Why</th>
            <th scope="col">What to do</th>
          </tr>
        </thead>
        <tbody>
          {ledger.map(({ reason, packets, octets }) => {
            const { why, remedy } = reasonWords(reason);
            return (
              <tr
                key={reason}
                data-testid="reason"
                data-reason={reason}
                data-packets={packets}
                data-octets={octets}
              >
                <th scope="row" className="mono">
                  {reason}
                </th>
                <td className="numeric">{exactly(packets)}</td>
                <td className="numeric">
                  <Amount quantity={octetQuantity(octets)} />
                </td>
                <td className="numeric">{finePercent(octets, seen)}</td>
                <td>{why}</td>
                <td>{remedy}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** Gaps that are listed; more are counted. */
const MOST_GAPS = 20;

function Gaps({ gaps }: { readonly gaps: ResultTable['gaps'] }) {
  const nowMs = Date.now();
  const all = gaps.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  return (
    <>
      <h2>When nobody metered</h2>
      {gaps.length === 0 ? (
        <p>Never in this time.</p>
      ) : (
        <>
          <p>
            {lengthWords(all)} in all: no agent ran, or what it metered was lost. What passed then is unknown.
          </p>
          <ul data-testid="gaps">
            {gaps.slice(0, MOST_GAPS).map((gap) => (
              <li key={gap.fromMs} data-from={gap.fromMs} data-to={gap.toMs}>
                {spanWords(gap, { nowMs })}{' '}
                <span className="quiet">{lengthWords(gap.toMs - gap.fromMs)}</span>
              </li>
            ))}
            {gaps.length > MOST_GAPS && <li>and {gaps.length - MOST_GAPS} more</li>}
          </ul>
        </>
      )}
    </>
  );
}
