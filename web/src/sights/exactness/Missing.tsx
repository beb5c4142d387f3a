import { useCallback, useMemo } from 'react';
import { octetQuantity } from '../../../../src/flow/index.ts';
import { type ResultTable, reasonWords } from '../../../../src/query/index.ts';
import { isRest, type SeriesLine } from '../../layout/series.ts';
import { Amount } from '../../parts/Amount.tsx';
import { Series } from '../../parts/Series.tsx';
import type { SightProps } from '../../parts/sight.ts';
import type { Paint } from '../../segments.ts';
import { lengthWords, spanWords } from '../../time-words.ts';
import { exactly, finePercent, unmetered } from '../../words.ts';
import { type KnownLedger, ledgerSeries } from './ledger.ts';

type Ledger = ResultTable['ledger'];

/** What of the time that is looked at is in no flow and why, over time, and when nobody metered. */
export function Missing(props: SightProps & { readonly known: KnownLedger }) {
  const { place, view, known } = props;
  const { table, facts, problem } = known;
  const isPast = place.time.kind !== 'live';
  const ledger = isPast ? facts?.ledger : view?.exactness.ledger;
  const seen = isPast ? table && withLedger(table) : view?.exactness.seen.octets;
  const when = isPast ? facts && spanWords(facts.span, { nowMs: Date.now() }) : 'since the agent’s start';
  return (
    <>
      <h2>
        Why is this missing? <span className="quiet">{when}</span>
      </h2>
      {problem && (isPast || (ledger?.length ?? 0) > 0) && (
        <p role="alert" data-testid="answer-problem">
          ✕ {problem.message} {problem.remedy}
        </p>
      )}
      {ledger && ledger.length === 0 && (
        <p data-testid="nothing-missing">Nothing: every packet that was seen is in a flow.</p>
      )}
      {ledger && ledger.length > 0 && <Reasons ledger={ledger} seen={seen ?? 0} />}
      {table && <OverTime {...props} table={table} />}
      {facts && <Gaps gaps={unmetered(facts)} />}
    </>
  );
}

/** Octets in flows and those that are in none. */
function withLedger({ total, ledger }: Pick<ResultTable, 'total' | 'ledger'>): number {
  return ledger.reduce((sum, { octets }) => sum + octets, total.octets);
}

/** Lines have no segment, and so no segment's colour: that of what is lost, or late, with a pattern. */
function paintOfReason(line: SeriesLine, reasons: readonly string[]): Paint {
  if (isRest(line)) return { tone: 'tone-none', pattern: 2 };
  const at = reasons.indexOf(String(line.group[0]));
  return { tone: at % 2 === 0 ? 'tone-lost' : 'tone-late', pattern: Math.floor(at / 2) % 4 };
}

/** The ledger over time; nothing where it has no lines. */
function OverTime({
  place,
  go,
  paints,
  known,
  table,
}: SightProps & { readonly known: KnownLedger; readonly table: ResultTable }) {
  const series = useMemo(() => ledgerSeries(table), [table]);
  const { facts } = known;
  const reasons = useMemo(() => table.ledger.map(({ reason }) => reason).toSorted(), [table]);
  const paintOfLine = useCallback((line: SeriesLine) => paintOfReason(line, reasons), [reasons]);
  const onZoom = useCallback(
    (span: { readonly fromMs: number; readonly toMs: number }) =>
      go({ ...place, time: { kind: 'span', ...span } }),
    [go, place],
  );
  if (!series) return null;
  return (
    <div className="ledger-series" data-testid="ledger-series">
      <Series
        title={facts ? 'In no flow, over time' : 'In no flow, in the newest epochs'}
        table={series}
        span={facts?.span ?? table.covered}
        units={place.units}
        paints={paints}
        height={160}
        nameOf={({ group }) => <span className="mono">{group[0]}</span>}
        paintOfLine={paintOfLine}
        onZoom={facts && onZoom}
      />
    </div>
  );
}

function Reasons({ ledger, seen }: { readonly ledger: Ledger; readonly seen: number }) {
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
          {ledger.map((line) => (
            <Reason key={line.reason} line={line} seen={seen} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Reason({ line, seen }: { readonly line: Ledger[number]; readonly seen: number }) {
  const { reason, packets, octets } = line;
  const { why, remedy } = reasonWords(reason);
  return (
    <tr data-testid="reason" data-reason={reason} data-packets={packets} data-octets={octets}>
      <th scope="row" className="mono">
        {reason}
      </th>
      <td className="numeric">{exactly(packets)}</td>
      <td className="numeric">
        <Amount quantity={octetQuantity(octets)} />
      </td>
      <td className="numeric">{finePercent(octets, seen)}</td>
      <td>{why}</td>
      <td>
        {remedy}{' '}
        <a className="link" href={`docs/ledger.md#:~:text=${reason}`} target="_blank" rel="noreferrer">
          More<span className="unseen"> about {reason}, in another tab</span>
        </a>
      </td>
    </tr>
  );
}

/** Gaps that are listed; more are counted. */
const MOST_GAPS = 20;

function Gaps({ gaps }: { readonly gaps: ReturnType<typeof unmetered> }) {
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
