// biome-ignore-all lint/a11y/noAriaHiddenOnFocusable: a bare SVG group takes no focus
import { memo } from 'react';
import type { Hover } from '../hover.ts';
import { type Arc, LARGER, OTHERS } from '../layout/fold.ts';
import type { Paint } from '../segments.ts';
import { paintFill } from './Paints.tsx';

/** Width of a letter of a label, and height of its line, pixels. */
export const LETTER = 7.3;
export const LINE = 15;

interface ArcProps {
  readonly arc: Arc;
  /** As it stands beside the arc, and on its second line. */
  readonly name: string;
  readonly share?: string;
  /** As a screen reader says it. */
  readonly label: string;
  readonly letters: number;
  readonly paint: Paint | undefined;
  readonly hasLabel?: boolean;
  readonly lit?: boolean | undefined;
  readonly leaving?: boolean;
  readonly isTabStop?: boolean;
  readonly onFocus?: (arc: Arc) => void;
  readonly onHover?: (hover: Hover | undefined) => void;
  readonly onOpen?: (arc: Arc) => void;
}

/** One arc with its label: a link that leads inwards. */
export const ArcMark = memo(function ArcMark(props: ArcProps) {
  const { arc, paint, leaving, onHover, onOpen } = props;
  const isFold = arc.id === OTHERS || arc.id === LARGER;
  const kind = paint ? `client ${paint.tone}` : isFold ? 'fold' : 'host';
  const state = `${leaving ? ' leaving' : ''}${props.lit === false ? ' dim' : ''}`;
  return (
    // biome-ignore lint/a11y/useSemanticElements: an SVG has no anchor that shows its focus on its own shape
    <g
      className={`arc ${kind}${state}`}
      data-testid={leaving ? undefined : 'arc'}
      data-node-id={arc.id}
      data-octets={arc.sent + arc.received}
      data-sent={arc.sent}
      role="link"
      tabIndex={props.isTabStop ? 0 : -1}
      aria-label={props.label}
      aria-hidden={leaving}
      onPointerEnter={() => onHover?.({ kind: 'node', id: arc.id, by: 'picture' })}
      onFocus={() => {
        props.onFocus?.(arc);
        onHover?.({ kind: 'node', id: arc.id, by: 'picture' });
      }}
      onBlur={() => onHover?.(undefined)}
      onClick={() => onOpen?.(arc)}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return;
        event.preventDefault();
        event.stopPropagation();
        onOpen?.(arc);
      }}
    >
      <path className="arc-hit" data-arc-hit={arc.id} />
      <path
        className="arc-mark"
        data-arc={arc.id}
        style={isFold ? { fill: 'url(#hatch)' } : paint ? paintFill(paint) : undefined}
      />
      <path className="leader" data-leader={arc.id} />
      <g
        data-label={arc.id}
        aria-hidden="true"
        className={props.hasLabel || leaving ? 'label' : 'label unplaced'}
      >
        <rect className="label-hit" x={0} y={-9} width={props.letters * LETTER + 8} height={18} />
        <text dy={props.share ? '-0.25em' : '0.32em'}>
          {props.name}
          <tspan className="gap"> </tspan>
          {props.share && (
            <tspan className="label-share" x={0} dy="1.15em">
              {props.share}
            </tspan>
          )}
        </text>
      </g>
    </g>
  );
});
