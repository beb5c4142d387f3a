// biome-ignore-all lint/a11y/noAriaHiddenOnFocusable: a bare SVG group takes no focus
import { memo, useMemo } from 'react';
import type { Hover } from '../hover.ts';
import type { BandAngles } from '../layout/chord.ts';
import type { Pair } from '../layout/fold.ts';
import { arrowPath, linePath } from '../layout/paths.ts';
import { compareSegments, type Paint, paintOf } from '../segments.ts';
import { paintFill } from './Paints.tsx';

/** Bands drawn one by one; the many thin ones beyond are drawn together as lines, one path per segment. */
const BAND_LIMIT = 240;

/** The pairs, by size, that get ribbons of their own. */
export function ownRibbons(pairs: readonly Pair[]): readonly Pair[] {
  let bands = 0;
  const end = pairs.findIndex((pair) => {
    bands += pair.bands.length;
    return bands > BAND_LIMIT;
  });
  return end < 0 ? pairs : pairs.slice(0, end);
}

interface RibbonProps {
  readonly pair: Pair;
  readonly paints: ReadonlyMap<string, Paint>;
  readonly leaving?: boolean;
  /** Segments lit, joined by spaces; absent when nothing is dimmed. */
  readonly litBands?: string | undefined;
  readonly onHover?: (hover: Hover | undefined) => void;
  readonly onOpen?: (pair: Pair) => void;
}

/** One pair, a band per segment. */
export const Ribbon = memo(function Ribbon({
  pair,
  paints,
  leaving,
  litBands: lit,
  onHover,
  onOpen,
}: RibbonProps) {
  const segments = lit?.split(' ');
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the table beside it has the same pairs as links
    <g
      className={leaving ? 'ribbon leaving' : 'ribbon'}
      data-testid={leaving ? undefined : 'ribbon'}
      data-pair={pair.id}
      data-octets={pair.forward + pair.backward}
      onPointerEnter={() => onHover?.({ kind: 'pair', id: pair.id, by: 'picture' })}
      onClick={() => onOpen?.(pair)}
    >
      <path className="ribbon-hit" data-hit={pair.id} />
      {pair.bands.map((band) => {
        const paint = paintOf(paints, band.segment);
        const dim = segments && !segments.includes(band.segment);
        return (
          <path
            key={band.segment}
            className={`band ${paint.tone}${dim ? ' dim' : ''}`}
            data-band={`${pair.id}|${band.segment}`}
            style={paintFill(paint)}
          />
        );
      })}
    </g>
  );
});

interface RestProps {
  readonly angles: readonly BandAngles[];
  /** Pairs that have ribbons of their own. */
  readonly own: readonly Pair[];
  readonly inner: number;
  readonly paints: ReadonlyMap<string, Paint>;
}

/** A band whose ends together are narrower than this, pixels, cannot be seen; its octets are in the arcs all the same. */
const LEAST_WIDTH = 0.15;

function widthOf({ a, b }: BandAngles): number {
  return a[1] - a[0] + b[1] - b[0];
}

/** The many thin ribbons, thinner than a pixel or so, as lines: nothing to point at. */
export function RestRibbons({ angles, own, inner, paints }: RestProps) {
  const rest = useMemo(() => {
    const named = new Set(own.map((pair) => pair.id));
    const paths = new Map<string, string[]>();
    for (const band of angles) {
      if (named.has(band.pair) || widthOf(band) * inner < LEAST_WIDTH) continue;
      const list = paths.get(band.segment);
      const line = linePath(band.a, band.b, inner - 2);
      if (list) list.push(line);
      else paths.set(band.segment, [line]);
    }
    return [...paths]
      .sort(([x], [y]) => compareSegments(x, y))
      .map(([id, list]) => ({ id, path: list.join('') }));
  }, [angles, own, inner]);
  return (
    <g className="rest" aria-hidden="true">
      {rest.map(({ id, path }) => (
        <path key={id} d={path} className={paintOf(paints, id).tone} />
      ))}
    </g>
  );
}

interface ArrowsProps {
  readonly pair: Pair | undefined;
  readonly angles: readonly BandAngles[];
  readonly inner: number;
}

/** Shows at each end of a ribbon that something arrives there. */
export function Arrows({ pair, angles, inner }: ArrowsProps) {
  if (!pair || pair.a === pair.b) return null;
  const bands = angles.filter((band) => band.pair === pair.id);
  const head = (side: 'a' | 'b') => {
    const start = Math.min(...bands.map((band) => band[side][0]));
    const end = Math.max(...bands.map((band) => band[side][1]));
    return <path key={side} className="arrow" d={arrowPath((start + end) / 2, inner - 4)} />;
  };
  return (
    <g aria-hidden="true">
      {pair.backward > 0 && head('a')}
      {pair.forward > 0 && head('b')}
    </g>
  );
}
