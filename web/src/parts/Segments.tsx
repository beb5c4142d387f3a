import { useId } from 'react';
import { bitRateQuantity } from '../../../src/flow/index.ts';
import type { StreamedView } from '../../../src/query/index.ts';
import type { Hover } from '../hover.ts';
import { compareSegments, isIdle, type Paint, segmentName } from '../segments.ts';
import { Amount } from './Amount.tsx';
import { Swatch } from './Paints.tsx';

interface SegmentsProps {
  readonly segments: StreamedView['segments'];
  readonly chosen: string;
  readonly paints: ReadonlyMap<string, Paint>;
  readonly onChoose: (segment: string) => void;
  readonly onHover: (hover: Hover | undefined) => void;
}

/** Every segment seen since the agent's start, the idle ones too, with what it carries now. */
export function Segments({ segments, chosen, paints, onChoose, onHover }: SegmentsProps) {
  const name = useId();
  const known = segments.map((segment) => segment.id);
  const ids = known.includes(chosen) || chosen === 'all' ? known : [...known, chosen];
  const sorted = ids.sort(compareSegments);
  const all = segments.reduce((sum, segment) => sum + segment.octetRate, 0);
  const option = (id: string, label: string, rate: number | undefined) => (
    <label
      key={id}
      className={rate === undefined ? 'segment idle' : 'segment'}
      data-testid="segment"
      data-segment-id={id}
      data-idle={rate === undefined}
      onPointerEnter={() => onHover(id === 'all' ? undefined : { kind: 'segment', id })}
      onPointerLeave={() => onHover(undefined)}
    >
      <input type="radio" name={name} value={id} checked={chosen === id} onChange={() => onChoose(id)} />
      {id === 'all' ? (
        <span className="swatch all" aria-hidden="true" />
      ) : (
        <Swatch paints={paints} segment={id} />
      )}
      <span className="segment-name">{label}</span>
      {rate === undefined ? (
        <span className="segment-rate quiet">idle</span>
      ) : (
        <Amount quantity={bitRateQuantity(rate)} className="segment-rate" />
      )}
    </label>
  );
  return (
    <fieldset className="segments">
      <legend>Segments</legend>
      {option('all', 'all', all)}
      {sorted.map((id) => {
        const segment = segments.find((one) => one.id === id);
        return option(id, segmentName(id), segment && !isIdle(segment) ? segment.octetRate : undefined);
      })}
    </fieldset>
  );
}
