/** The audit: what an interface counted, what the hook saw, and where all of it is, point by point. */
import { useEffect, useState } from 'react';
import {
  type Audit,
  type AuditPart,
  type AuditPoint,
  AuditSchema,
  type AuditSpan,
} from '../../../src/query/index.ts';
import { exactly, finePercent } from '../words.ts';

/** Stretches of time that an audit tells. */
export const SPANS = [
  { value: 'interval', label: 'last interval', hint: 'The newest epoch' },
  { value: 'sinceStart', label: 'since start', hint: 'Everything since the agent started' },
] as const;
/** One of them. */
export type Span = (typeof SPANS)[number]['value'];

/** The audit of the newest epoch, asked for while it is looked at. */
export function useAudit(
  isOpen: boolean,
  epoch: number,
): { audit: Audit | undefined; failure: string | undefined } {
  const [audit, setAudit] = useState<Audit>();
  const [failure, setFailure] = useState<string>();
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked anew with every epoch
  useEffect(() => {
    if (!isOpen) return;
    const stopping = new AbortController();
    readAudit(stopping.signal).then(
      (next) => {
        setAudit(next);
        setFailure(undefined);
      },
      (error: Error) => {
        if (!stopping.signal.aborted) setFailure(error.message);
      },
    );
    return () => stopping.abort();
  }, [isOpen, epoch]);
  return { audit, failure };
}

async function readAudit(signal: AbortSignal): Promise<Audit> {
  const response = await fetch('api/v1/audit', { signal, cache: 'no-store' });
  if (!response.ok) throw new Error(`the answer was ${response.status}`);
  return AuditSchema.parse(await response.json());
}

/** What is audited: the sums of one observation point over some time. */
interface PointTableProps {
  readonly point: Pick<AuditPoint, 'interfaceName' | 'direction' | 'kind' | 'unit' | 'hint'>;
  readonly sums: AuditSpan;
  /** What else there is to say of it, in a few words. */
  readonly remark?: string | undefined;
}

/** The audit of one observation point. */
export function PointTable({ point, sums, remark }: PointTableProps) {
  const { interfaceName, direction, kind, unit, hint } = point;
  const about = [kind, remark, `counts ${unit}`].filter(Boolean).join(', ');
  return (
    <>
      <table data-testid="audit-point" data-point={`${interfaceName} ${direction}`}>
        <caption>
          {interfaceName} {direction} <span className="quiet">{about}</span>
        </caption>
        <thead>
          <tr>
            <td />
            <th scope="col">packets</th>
            <th scope="col">%</th>
            <th scope="col">octets</th>
            <th scope="col">%</th>
          </tr>
        </thead>
        <tbody>
          <RangeRow words="interface counted" range={sums.counted} />
          <RangeRow words="the hook saw, as it counts" range={sums.counted && sums.expected} />
          <PartRow words="unexplained by the interface" part={sums.outside} ends />
          <RangeRow words="seen by the hook" range={{ least: sums.seen, most: sums.seen }} />
          <PartRow words="in flows" part={sums.recorded} />
          {sums.overflow.packets > 0 && (
            <PartRow words="… without detail (flow cache full)" part={sums.overflow} />
          )}
          {sums.ledger.map((line) => (
            <PartRow
              key={`${line.level} ${line.reason}`}
              words={`not in a flow: ${line.reason}${line.level > 0 ? ` (inside ${line.level})` : ''}`}
              part={line}
            />
          ))}
          <PartRow words="unexplained by the flows" part={sums.inside} ends />
        </tbody>
      </table>
      {hint !== '' && <p className="hint-words">{hint}</p>}
    </>
  );
}

function RangeRow({ words, range }: { readonly words: string; readonly range: AuditSpan['counted'] }) {
  const say = (name: 'packets' | 'octets'): string => {
    if (!range) return 'not known';
    const { least, most } = range;
    return least[name] === most[name]
      ? exactly(least[name])
      : `${exactly(least[name])} … ${exactly(most[name])}`;
  };
  return (
    <tr>
      <th scope="row">{words}</th>
      <td className="range">{say('packets')}</td>
      <td />
      <td className="range">{say('octets')}</td>
      <td />
    </tr>
  );
}

interface PartRowProps {
  readonly words: string;
  readonly part: AuditPart;
  /** It is what is left: the sum of a block. */
  readonly ends?: boolean;
}

function PartRow({ words, part, ends = false }: PartRowProps) {
  const isWrong = ends && (part.packets !== 0 || part.octets !== 0);
  return (
    <tr className={[ends && 'ends-in', isWrong && 'unexplained'].filter(Boolean).join(' ')}>
      <th scope="row">{words}</th>
      <td>{exactly(part.packets)}</td>
      <td>{finePercent(Math.abs(part.packetShare), 1)}</td>
      <td>{exactly(part.octets)}</td>
      <td>{finePercent(Math.abs(part.octetShare), 1)}</td>
    </tr>
  );
}
