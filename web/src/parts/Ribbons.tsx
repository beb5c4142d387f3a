// biome-ignore-all lint/a11y/noAriaHiddenOnFocusable: a bare SVG group takes no focus
import { memo, useLayoutEffect, useMemo, useRef } from 'react';
import type { Hover, Lit } from '../hover.ts';
import { type Bands, bandOf } from '../layout/chord.ts';
import type { Pair } from '../layout/fold.ts';
import { arrowPath, linesPath, RIBBON_UNITS } from '../layout/paths.ts';
import { withLeaving } from '../layout/ribbons.ts';
import { compareSegments, type Paint, paintOf } from '../segments.ts';
import { writeAttributes } from './attributes.ts';
import { paintFill } from './Paints.tsx';

interface RibbonProps {
  readonly id: string;
  /** Its segments, joined by spaces. */
  readonly segments: string;
  readonly paints: ReadonlyMap<string, Paint>;
  readonly leaving: boolean;
  /** Segments lit, joined by spaces; absent when nothing is dimmed. */
  readonly lit: string | undefined;
}

/** One pair, a band per segment. Most updates leave it as it is: `draw.ts` sets the geometry, {@link Ribbons} the octets. */
const Ribbon = memo(function Ribbon({ id, segments, paints, leaving, lit }: RibbonProps) {
  const bands = useMemo(() => {
    const bright = lit?.split(' ');
    return segments.split(' ').map((segment) => {
      const paint = paintOf(paints, segment);
      const dim = bright && !bright.includes(segment);
      return (
        <path
          key={segment}
          className={`band ${paint.tone}${dim ? ' dim' : ''}`}
          data-band={`${id}|${segment}`}
          style={paintFill(paint)}
        />
      );
    });
  }, [id, segments, paints, lit]);
  return (
    <g
      className={leaving ? 'ribbon leaving' : 'ribbon'}
      data-testid={leaving ? undefined : 'ribbon'}
      data-pair={id}
    >
      <path className="ribbon-hit" />
      {bands}
    </g>
  );
});

interface RibbonsProps {
  /** The pairs with ribbons of their own, the lowest first; and those of the last picture. */
  readonly pairs: readonly Pair[];
  readonly before: readonly Pair[];
  readonly paints: ReadonlyMap<string, Paint>;
  readonly lit: Lit | undefined;
  readonly onHover: (hover: Hover | undefined) => void;
  readonly onOpen: (pair: Pair) => void;
}

/** The ribbons. What happens to one bubbles up to here: a listener each would be set anew with each update. */
export const Ribbons = memo(function Ribbons({ pairs, before, paints, lit, onHover, onOpen }: RibbonsProps) {
  const root = useRef<SVGGElement>(null);
  const drawn = withLeaving(before, pairs);
  useLayoutEffect(() => {
    let element = root.current!.firstElementChild;
    for (const { one: pair, leaving } of drawn) {
      if (!leaving) writeAttributes(element!, { 'data-octets': pair.forward + pair.backward });
      element = element!.nextElementSibling;
    }
  });
  const idAt = (target: EventTarget): string | undefined =>
    (target as Element).closest<SVGGElement>('g.ribbon:not(.leaving)')?.dataset.pair;
  const over = (target: EventTarget): void => {
    const id = idAt(target);
    if (id !== undefined) onHover({ kind: 'pair', id, by: 'picture' });
  };
  const click = (target: EventTarget): void => {
    const id = idAt(target);
    const pair = pairs.find((one) => one.id === id);
    if (pair) onOpen(pair);
  };
  return (
    <g
      ref={root}
      className="ribbons"
      transform={`scale(${1 / RIBBON_UNITS})`}
      aria-hidden="true"
      onPointerOver={(event) => over(event.target)}
      onClick={(event) => click(event.target)}
    >
      {drawn.map(({ one: pair, leaving }) => (
        <Ribbon
          key={pair.id}
          id={pair.id}
          segments={pair.bands.map((band) => band.segment).join(' ')}
          paints={paints}
          leaving={leaving}
          lit={leaving ? undefined : lit && (lit.pair(pair) ? litBands(pair, lit) : '')}
        />
      ))}
    </g>
  );
});

function litBands(pair: Pair, lit: Lit): string {
  return pair.bands
    .filter((band) => lit.band(band.segment))
    .map((band) => band.segment)
    .join(' ');
}

interface RestProps {
  readonly bands: Bands;
  /** Places of the pairs that have ribbons of their own. */
  readonly own: ReadonlySet<number>;
  readonly inner: number;
  readonly paints: ReadonlyMap<string, Paint>;
}

/** A band whose ends together are narrower than this, pixels, cannot be seen; its octets are in the arcs all the same. */
const LEAST_WIDTH = 0.15;

function widthOf({ angles }: Bands, index: number): number {
  const first = 4 * index;
  return angles[first + 1]! - angles[first]! + angles[first + 3]! - angles[first + 2]!;
}

/** The many thin ribbons, thinner than a pixel or so, as lines: nothing to point at. */
export const RestRibbons = memo(function RestRibbons({ bands, own, inner, paints }: RestProps) {
  const rest = useMemo(() => {
    const thin = new Map<string, number[]>();
    for (let index = 0; index < bands.at.length; index++) {
      if (widthOf(bands, index) * inner < LEAST_WIDTH || own.has(bands.at[index]!)) continue;
      const list = thin.get(bands.segments[index]!);
      if (list) list.push(index);
      else thin.set(bands.segments[index]!, [index]);
    }
    return [...thin]
      .sort(([x], [y]) => compareSegments(x, y))
      .map(([id, list]) => ({ id, path: linesPath(bands, list, inner - 2) }));
  }, [bands, own, inner]);
  return (
    <g className="rest" aria-hidden="true" transform={`scale(${1 / RIBBON_UNITS})`}>
      {rest.map(({ id, path }) => (
        <path key={id} d={path} className={paintOf(paints, id).tone} />
      ))}
    </g>
  );
});

interface ArrowsProps {
  readonly pairs: readonly Pair[];
  /** Identity of one of them. */
  readonly pointed: string;
  readonly bands: Bands;
  readonly inner: number;
}

/** Shows at each end of a ribbon that something arrives there. */
export function Arrows({ pairs, pointed, bands, inner }: ArrowsProps) {
  const at = pairs.findIndex((one) => one.id === pointed);
  const pair = pairs[at];
  if (!pair || pair.a === pair.b) return null;
  const its = bands.at.flatMap((one, index) => (one === at ? [bandOf(bands, index)] : []));
  const head = (side: 'a' | 'b') => {
    const start = Math.min(...its.map((band) => band[side][0]));
    const end = Math.max(...its.map((band) => band[side][1]));
    return <path key={side} className="arrow" d={arrowPath((start + end) / 2, inner - 4)} />;
  };
  return (
    <g aria-hidden="true">
      {pair.backward > 0 && head('a')}
      {pair.forward > 0 && head('b')}
    </g>
  );
}
