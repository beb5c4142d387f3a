import { memo, useId } from 'react';
import { bitRateQuantity } from '../../../src/flow/index.ts';
import type { StreamedView } from '../../../src/query/index.ts';
import type { Hover } from '../hover.ts';
import { nameTitle } from '../name-words.ts';
import { useName } from '../naming.ts';
import { compareSegments, isIdle, type Paint, segmentName } from '../segments.ts';
import { Amount } from './Amount.tsx';
import { Swatch } from './Paints.tsx';
import { Radio } from './Radio.tsx';

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
  const option = (id: string, rate: number | undefined) => (
    <SegmentOption
      key={id}
      id={id}
      name={name}
      rate={rate}
      paints={paints}
      isChosen={chosen === id}
      onChoose={onChoose}
      onHover={onHover}
    />
  );
  return (
    <fieldset className="segments">
      <legend>Segments</legend>
      {option('all', all)}
      {sorted.map((id) => {
        const segment = segments.find((one) => one.id === id);
        return option(id, segment && !isIdle(segment) ? segment.octetRate : undefined);
      })}
    </fieldset>
  );
}

interface OptionProps extends Pick<SegmentsProps, 'paints' | 'onChoose' | 'onHover'> {
  /** A segment, or `all`. */
  readonly id: string;
  /** The name that radio buttons of one group have in common. */
  readonly name: string;
  /** Octets per second; absent when idle. */
  readonly rate: number | undefined;
  readonly isChosen: boolean;
}

/** A segment and its rate. */
const SegmentOption = memo(function SegmentOption(props: OptionProps) {
  const { id, rate, onHover } = props;
  const name = useName('segments', id === 'all' ? undefined : id);
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: a Radio is its control
    <label
      className={rate === undefined ? 'segment idle' : 'segment'}
      data-testid="segment"
      data-segment-id={id}
      data-idle={rate === undefined}
      onPointerEnter={() => onHover(id === 'all' ? undefined : { kind: 'segment', id })}
      onPointerLeave={() => onHover(undefined)}
    >
      <Radio name={props.name} value={id} isChosen={props.isChosen} onChoose={props.onChoose} />
      {id === 'all' ? (
        <span className="swatch all" aria-hidden="true" />
      ) : (
        <Swatch paints={props.paints} segment={id} />
      )}
      {name ? (
        <span className="segment-name" title={nameTitle(name, segmentName(id))}>
          <bdi className="name">{name.name}</bdi>
          <span className="also">{segmentName(id)}</span>
        </span>
      ) : (
        <span className="segment-name">{id === 'all' ? id : segmentName(id)}</span>
      )}
      {rate === undefined ? (
        <span className="segment-rate quiet">idle</span>
      ) : (
        <Amount quantity={bitRateQuantity(rate)} className="segment-rate" />
      )}
    </label>
  );
});
