/** The audit of the time that is looked at, as the history has it. */
import { useEffect, useState } from 'react';
import { formatQuantity, octetQuantity } from '../../../../src/flow/index.ts';
import type { HistorySpan, PastAudit } from '../../../../src/query/index.ts';
import { type AnswerProblem, askPastAudit } from '../../asking.ts';
import { useMoment } from '../../moment.ts';
import type { SightProps } from '../../parts/sight.ts';
import { packetWords } from '../../words.ts';

/** What is known of it now. */
export interface KnownPastAudit {
  /** The newest answer; it stays while that of another time is under way. */
  readonly audit: PastAudit | undefined;
  /** What that answer is of. */
  readonly span: HistorySpan | undefined;
  readonly problem: AnswerProblem | undefined;
  readonly isAsking: boolean;
}

const NOTHING: KnownPastAudit = { audit: undefined, span: undefined, problem: undefined, isAsking: false };

/** Asks for the audit of the time that is looked at; of now nothing. */
export function usePastAudit({ place, feed, isPaused }: SightProps): KnownPastAudit {
  const { time } = useMoment(place, feed, isPaused);
  const [known, setKnown] = useState(NOTHING);
  const isPast = place.time.kind !== 'live';
  const { fromMs, toMs } = isPast && time && 'fromMs' in time ? time : { fromMs: undefined, toMs: undefined };
  useEffect(() => {
    if (fromMs === undefined || toMs === undefined) return;
    const gone = new AbortController();
    const span = { fromMs, toMs };
    setKnown((last) => ({ ...last, isAsking: true }));
    void askPastAudit(span, gone.signal).then((got) => {
      if (gone.signal.aborted) return;
      if ('answer' in got) setKnown({ audit: got.answer, span, problem: undefined, isAsking: false });
      else setKnown((last) => ({ ...last, problem: got.problem, isAsking: false }));
    });
    return () => gone.abort();
  }, [fromMs, toMs]);
  return isPast ? known : NOTHING;
}

/** What is unexplained at least, of all points together; undefined where all is explained. */
export function unexplainedWords({ unexplained }: PastAudit): string | undefined {
  const { packets, octets } = unexplained;
  if (packets === 0 && octets === 0) return undefined;
  return `${packets > 0 ? packetWords(packets) : formatQuantity(octetQuantity(octets))} unexplained`;
}

/** Steps of a point one behind the other, in which one side has too much. */
export interface UnexplainedStretch extends HistorySpan {
  readonly point: string;
  readonly packets: number;
  readonly octets: number;
}

/** When something was unexplained, at whichever point, the newest first. */
export function unexplainedStretches({ points, stepMs }: PastAudit): UnexplainedStretch[] {
  const stretches = points.flatMap(({ interfaceName, direction, steps }) => {
    const own: UnexplainedStretch[] = [];
    for (const { fromMs, packets, octets } of steps) {
      const point = `${interfaceName} ${direction}`;
      const step = { fromMs, toMs: fromMs + stepMs, point, packets, octets };
      const last = own.at(-1);
      if (last?.toMs !== fromMs || hasMoreCounted(last) !== hasMoreCounted(step)) own.push(step);
      else
        own[own.length - 1] = {
          ...last,
          toMs: step.toMs,
          packets: last.packets + packets,
          octets: last.octets + octets,
        };
    }
    return own;
  });
  return stretches.toSorted((a, b) => b.fromMs - a.fromMs || (a.point < b.point ? -1 : 1));
}

/** Whether the interface counted more than the hook saw, not less. */
export function hasMoreCounted({ packets, octets }: Pick<UnexplainedStretch, 'packets' | 'octets'>): boolean {
  return (packets === 0 ? octets : packets) > 0;
}
