import type { HistorySpan, PastAudit } from '../../../../src/query/index.ts';
import type { SightProps } from '../../parts/sight.ts';
import { PlaceLink } from '../../parts/tables.tsx';
import { lengthWords, spanWords } from '../../time-words.ts';
import { exactly, packetWords } from '../../words.ts';
import { hasMoreCounted, type UnexplainedStretch, unexplainedStretches } from './past-audit.ts';
import { UnexplainedTable } from './UnexplainedTable.tsx';

/** Stretches that are listed; more are counted. */
const MOST_STRETCHES = 20;

/** What of the time that is looked at is unexplained, over time: at which point, from when to when. */
export function UnexplainedThen(
  props: SightProps & { readonly audit: PastAudit; readonly span: HistorySpan },
) {
  const { audit, span } = props;
  const stretches = unexplainedStretches(audit);
  const { packets, octets } = audit.unexplained;
  const isAny = packets > 0 || octets > 0;
  const isCompared = audit.points.some(({ comparedSeconds }) => comparedSeconds > 0);
  return (
    <>
      <h2>
        Unexplained, over time <span className="quiet">{spanWords(span, { nowMs: Date.now() })}</span>
      </h2>
      {!isCompared && (
        <p data-testid="not-compared">
          What interfaces counted is not kept of this time: nobody metered, or a version that did not keep it.
        </p>
      )}
      {isCompared && !isAny && (
        <p data-testid="all-explained">Nothing: what the interfaces counted is what the hooks saw.</p>
      )}
      {isAny && stretches.length === 0 && (
        <p>
          Nothing stands out in a single step of {lengthWords(audit.stepMs)}: what is too little for the
          bounds of each adds up over all of it, at least to {packetWords(packets)}.
        </p>
      )}
      {stretches.length > 0 && <Stretches {...props} stretches={stretches} />}
    </>
  );
}

function Stretches({
  place,
  go,
  audit,
  stretches,
}: SightProps & { readonly audit: PastAudit; readonly stretches: readonly UnexplainedStretch[] }) {
  const nowMs = Date.now();
  return (
    <>
      <p className="quiet">In steps of {lengthWords(audit.stepMs)}; a shorter time has shorter ones.</p>
      <UnexplainedTable testId="unexplained-then" when="When">
        {stretches.slice(0, MOST_STRETCHES).map((stretch) => {
          const { fromMs, toMs, point, packets, octets } = stretch;
          return (
            <tr
              key={`${point} ${fromMs}`}
              data-testid="unexplained-stretch"
              data-from={fromMs}
              data-to={toMs}
              data-point={point}
              data-packets={packets}
              data-octets={octets}
            >
              <th scope="row">
                <PlaceLink to={{ ...place, time: { kind: 'span', fromMs, toMs } }} go={go} className="link">
                  {spanWords(stretch, { nowMs })}
                </PlaceLink>
              </th>
              <td className="mono">{point}</td>
              <td className="numeric">{withinBounds(packets)}</td>
              <td className="numeric">{withinBounds(octets)}</td>
              <td>
                {hasMoreCounted(stretch)
                  ? 'so much more was counted by the interface than the hook saw'
                  : 'so much more was seen by the hook than the interface counted'}
              </td>
            </tr>
          );
        })}
        {stretches.length > MOST_STRETCHES && (
          <tr>
            <td colSpan={5}>and {stretches.length - MOST_STRETCHES} earlier ones</td>
          </tr>
        )}
      </UnexplainedTable>
    </>
  );
}

function withinBounds(count: number): string {
  return count === 0 ? 'within bounds' : exactly(Math.abs(count));
}
