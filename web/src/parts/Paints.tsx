import type { CSSProperties } from 'react';
import { type Paint, paintOf } from '../segments.ts';

/** Fill for a patterned paint; a solid one is that of its class: a style of its own would be worked out in each update. */
export function paintFill(paint: Paint): CSSProperties | undefined {
  return paint.pattern === 0 ? undefined : { fill: `url(#${paint.tone}-${paint.pattern})` };
}

const ROTATIONS = [0, 45, -45, 0];

/** The patterns that are in use, and the hatch of folded arcs. */
export function Patterns({ paints }: { readonly paints: ReadonlyMap<string, Paint> }) {
  const patterned = new Map<string, Paint>();
  for (const paint of paints.values()) {
    if (paint.pattern > 0) patterned.set(`${paint.tone}-${paint.pattern}`, paint);
  }
  return (
    <defs>
      <pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect width="5" height="5" className="hatch-ground" />
        <rect width="2" height="5" className="hatch-line" />
      </pattern>
      {[...patterned].map(([id, paint]) => (
        <pattern
          key={id}
          id={id}
          className={paint.tone}
          width="7"
          height="7"
          patternUnits="userSpaceOnUse"
          patternTransform={`rotate(${ROTATIONS[paint.pattern] ?? 0})`}
        >
          <rect width="7" height="7" className="tone-fill" />
          {paint.pattern === 3 ? (
            <circle cx="3.5" cy="3.5" r="1.6" className="paper-fill" />
          ) : (
            <rect width="2.2" height="7" className="paper-fill" />
          )}
        </pattern>
      ))}
    </defs>
  );
}

/** A small square in a segment's colour, beside its name. */
export function Swatch({
  paints,
  segment,
}: {
  readonly paints: ReadonlyMap<string, Paint>;
  readonly segment: string;
}) {
  const paint = paintOf(paints, segment);
  return <span className={`swatch ${paint.tone} pattern-${paint.pattern}`} aria-hidden="true" />;
}
