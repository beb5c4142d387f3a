// biome-ignore-all lint/a11y/noAriaHiddenOnFocusable: a bare SVG group takes no focus
import { memo } from 'react';
import { LARGER, OTHERS } from '../layout/fold.ts';
import type { Paint } from '../segments.ts';
import { paintFill } from './Paints.tsx';

/** Width of a letter of a label, and height of its line, pixels. */
export const LETTER = 7.3;
export const LINE = 15;

interface ArcProps {
  readonly id: string;
  /** As it stands beside the arc, and on its second line. */
  readonly name: string;
  readonly share?: string;
  readonly letters: number;
  readonly paint: Paint | undefined;
  readonly hasLabel?: boolean;
  readonly lit?: boolean | undefined;
  /** Drawn hollow: its length is not its share. */
  readonly isSlight?: boolean;
  readonly leaving?: boolean;
  readonly isTabStop?: boolean;
}

/** One arc with its label: a link that leads inwards. What happens to it bubbles up to the ring, which also names it. */
export const ArcMark = memo(function ArcMark(props: ArcProps) {
  const { id, paint, leaving } = props;
  const isFold = id === OTHERS || id === LARGER;
  const kind = paint ? `client ${paint.tone}` : isFold ? 'fold' : 'host';
  const state = `${props.isSlight ? ' slight' : ''}${leaving ? ' leaving' : ''}${props.lit === false ? ' dim' : ''}`;
  return (
    // biome-ignore lint/a11y/useSemanticElements: an SVG has no anchor that shows its focus on its own shape
    <g
      className={`arc ${kind}${state}`}
      data-testid={leaving ? undefined : 'arc'}
      data-node-id={id}
      role="link"
      tabIndex={props.isTabStop ? 0 : -1}
      aria-hidden={leaving}
    >
      <ArcShapes
        id={id}
        name={props.name}
        share={props.share}
        letters={props.letters}
        paint={paint}
        isPlaced={props.hasLabel || leaving}
      />
    </g>
  );
});

const HATCHED = { fill: 'url(#hatch)' };

interface ShapesProps {
  readonly id: string;
  readonly name: string;
  readonly share: string | undefined;
  readonly letters: number;
  readonly paint: Paint | undefined;
  readonly isPlaced: boolean | undefined;
}

/** The ring's piece and its label: what most updates leave as it is, for `draw.ts` sets the geometry. */
const ArcShapes = memo(function ArcShapes({ id, name, share, letters, paint, isPlaced }: ShapesProps) {
  const isFold = id === OTHERS || id === LARGER;
  return (
    <>
      <path className="arc-hit" data-arc-hit={id} />
      <path
        className="arc-mark"
        data-arc={id}
        style={isFold ? HATCHED : paint ? paintFill(paint) : undefined}
      />
      <polyline className="leader" data-leader={id} />
      <g data-label={id} aria-hidden="true" className={isPlaced ? 'label' : 'label unplaced'}>
        <rect className="label-hit" x={0} y={-9} width={letters * LETTER + 8} height={18} />
        <text dy={share ? '-0.25em' : '0.32em'}>
          {name}
          <tspan className="gap"> </tspan>
          {share && (
            <tspan className="label-share" x={0} dy="1.15em">
              {share}
            </tspan>
          )}
        </text>
      </g>
    </>
  );
});
