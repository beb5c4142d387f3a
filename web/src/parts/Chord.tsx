// biome-ignore-all lint/a11y/useSemanticElements: SVG has no fieldset
// biome-ignore-all lint/a11y/noAriaHiddenOnFocusable: a bare SVG group takes no focus
import { memo, useCallback, useMemo, useRef, useState } from 'react';
import type { Hover, Lit } from '../hover.ts';
import { chordAngles, type Span } from '../layout/chord.ts';
import type { Arc, Matrix, Pair } from '../layout/fold.ts';
import { placeLabels, truncate } from '../layout/labels.ts';
import { type Gate, type Pose, poseOf } from '../layout/tween.ts';
import { type Paint, paintOf, segmentName } from '../segments.ts';
import { arcName, percent } from '../words.ts';
import { ArcMark, LETTER, LINE } from './ArcMark.tsx';
import { drawPose } from './draw.ts';
import { Patterns } from './Paints.tsx';
import { usePose } from './pose.ts';
import { Arrows, ownRibbons, RestRibbons, Ribbon } from './Ribbons.tsx';
import { useKeptFocus, useRoving } from './roving.ts';

/** How much of the page the chord takes. */
interface Sizes {
  readonly width: number;
  readonly height: number;
  /** Room for a label, in characters of the monospaced face. */
  readonly letters: number;
}

interface ChordProps {
  readonly matrix: Matrix;
  readonly total: number;
  readonly sizes: Sizes;
  readonly paints: ReadonlyMap<string, Paint>;
  readonly lit: Lit | undefined;
  /** The pair pointed at: its ends get arrows. */
  readonly pointed: string | undefined;
  readonly gate: Gate;
  /** What the picture shows, for those who do not see it. */
  readonly title: string;
  readonly description: string;
  /** What a screen reader says on an arc; it begins with what stands there to be read. */
  readonly arcLabel: (arc: Arc, shown: string) => string;
  /** Changes with the question: then a focus that went away with its arc comes back to the ring. */
  readonly focusKey: string;
  readonly onHover: (hover: Hover | undefined) => void;
  readonly onArc: (arc: Arc) => void;
  readonly onPair: (pair: Pair) => void;
}

/** Thickness of the ring, pixels. */
const RING = 13;

/** The chord of the matrix. Layout is pure (`layout/`); this only draws it and moves it. */
export const Chord = memo(function Chord(props: ChordProps) {
  const { matrix, sizes, paints, lit, onHover } = props;
  const outer = Math.max(60, Math.min(sizes.width, sizes.height) / 2 - 14 - sizes.letters * LETTER);
  const inner = outer - RING;
  const angles = useMemo(() => chordAngles(matrix), [matrix]);
  const labels = useMemo(() => {
    const line = LINE / (outer + 14);
    return placeLabels(
      angles.arcs.map(({ id, span }, index) => {
        const arc = matrix.arcs[index]!;
        const height = hasTwoLines(span, outer) ? 2 * line : line;
        return { id, span, height, weight: arc.sent + arc.received };
      }),
    );
  }, [angles, matrix, outer]);
  const pose = useMemo(() => poseOf(angles, labels), [angles, labels]);
  const [before, setBefore] = useState(matrix);
  const [now, setNow] = useState(matrix);
  if (now !== matrix) {
    setBefore(now);
    setNow(matrix);
  }
  const root = useRef<SVGGElement>(null);
  const draw = useCallback(
    (current: Pose, still: boolean) => drawPose(root.current!, current, { inner, outer, still }),
    [inner, outer],
  );
  usePose(pose, props.gate, draw, () => setBefore(matrix));

  const leaving = useMemo(() => leavingOf(before, matrix), [before, matrix]);
  const drawn = useMemo(() => ownRibbons(matrix.pairs), [matrix]);
  const roving = useRoving(matrix.arcs);
  useKeptFocus(root, props.focusKey);
  return (
    <svg
      className={`chord${lit ? ' has-lit' : ''}`}
      data-testid="chord"
      viewBox={`${-sizes.width / 2} ${-sizes.height / 2} ${sizes.width} ${sizes.height}`}
      width={sizes.width}
      height={sizes.height}
      role="group"
      aria-labelledby="chord-title"
      aria-describedby="chord-description"
    >
      <title id="chord-title">{props.title}</title>
      <desc id="chord-description">{props.description}</desc>
      <Patterns paints={paints} />
      <g ref={root} onPointerLeave={() => onHover(undefined)}>
        {/* An empty title keeps browsers from showing the picture's as a tooltip over every arc. */}
        <title />
        <RestRibbons angles={angles.bands} own={drawn} inner={inner} paints={paints} />
        <g className="ribbons" aria-hidden="true">
          {leaving.pairs.map((pair) => (
            <Ribbon key={pair.id} pair={pair} paints={paints} leaving />
          ))}
          {drawn.map((pair) => (
            <Ribbon
              key={pair.id}
              pair={pair}
              paints={paints}
              litBands={lit && (lit.pair(pair) ? litBands(pair, lit) : '')}
              onHover={onHover}
              onOpen={props.onPair}
            />
          ))}
        </g>
        <Arrows
          pair={matrix.pairs.find((pair) => pair.id === props.pointed)}
          angles={angles.bands}
          inner={inner}
        />
        {/* biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the arcs in it */}
        <g onKeyDown={roving.onKeyDown}>
          {leaving.arcs.map((arc) => (
            <ArcMark
              key={arc.id}
              arc={arc}
              name=""
              label=""
              letters={sizes.letters}
              paint={arcPaint(arc, paints)}
              leaving
            />
          ))}
          {matrix.arcs.map((arc, index) => {
            const name = truncate(arcName(arc), sizes.letters);
            const share = hasTwoLines(angles.arcs[index]!.span, outer) ? shareOf(arc, props.total) : '';
            return (
              <ArcMark
                key={arc.id}
                arc={arc}
                name={name}
                share={share}
                label={props.arcLabel(arc, share === '' ? name : `${name} ${share}`)}
                letters={sizes.letters}
                hasLabel={labels.has(arc.id)}
                paint={arcPaint(arc, paints)}
                lit={lit?.arc(arc)}
                isTabStop={roving.stop === arc.id}
                onFocus={roving.onFocus}
                onHover={onHover}
                onOpen={props.onArc}
              />
            );
          })}
        </g>
      </g>
    </svg>
  );
});

function arcPaint(arc: Arc, paints: ReadonlyMap<string, Paint>): Paint | undefined {
  const segment = arc.node?.segment;
  return segment ? paintOf(paints, segment) : undefined;
}

/** Whether an arc is long enough for a label of two lines. */
function hasTwoLines([start, end]: Span, outer: number): boolean {
  return (end - start) * outer >= 2 * LINE;
}

/** The label's second line: what cannot be seen from the address, and the share. */
function shareOf(arc: Arc, total: number): string {
  const segment = arc.node?.segment;
  const words = [segment && segmentName(segment), total > 0 && arc.sent > 0 && percent(arc.sent, total)];
  return words.filter(Boolean).join(', ');
}

function litBands(pair: Pair, lit: Lit): string {
  return pair.bands
    .filter((band) => lit.band(band.segment))
    .map((band) => band.segment)
    .join(' ');
}

function leavingOf(before: Matrix, matrix: Matrix): { arcs: Arc[]; pairs: Pair[] } {
  if (before === matrix) return { arcs: [], pairs: [] };
  const arcs = new Set(matrix.arcs.map((arc) => arc.id));
  const pairs = new Set(ownRibbons(matrix.pairs).map((pair) => pair.id));
  return {
    arcs: before.arcs.filter((arc) => !arcs.has(arc.id)),
    pairs: ownRibbons(before.pairs).filter((pair) => !pairs.has(pair.id)),
  };
}
