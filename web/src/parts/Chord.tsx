// biome-ignore-all lint/a11y/useSemanticElements: SVG has no fieldset
// biome-ignore-all lint/a11y/noAriaHiddenOnFocusable: a bare SVG group takes no focus
import { memo, useCallback, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { Hover, Lit } from '../hover.ts';
import { type ChordAngles, chordAngles, type Span } from '../layout/chord.ts';
import type { Arc, Matrix, Pair } from '../layout/fold.ts';
import { placeLabels, truncate } from '../layout/labels.ts';
import { withLeaving } from '../layout/ribbons.ts';
import { type Gate, poseOf } from '../layout/tween.ts';
import { calledSegment, cutName } from '../name-words.ts';
import type { Naming } from '../names.ts';
import { type Paint, paintOf } from '../segments.ts';
import { arcCalled, arcName, percent } from '../words.ts';
import { ArcMark, LETTER, LINE } from './ArcMark.tsx';
import { writeAttributes } from './attributes.ts';
import { openStage } from './draw.ts';
import { Patterns } from './Paints.tsx';
import { mayMove, usePose } from './pose.ts';
import { Arrows, RestRibbons, Ribbons } from './Ribbons.tsx';
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
  /** The pairs with ribbons of their own, the lowest first. */
  readonly ribbons: readonly Pair[];
  readonly total: number;
  readonly sizes: Sizes;
  readonly paints: ReadonlyMap<string, Paint>;
  readonly naming: Naming;
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
  const { matrix, ribbons, sizes, paints, lit, onHover } = props;
  // Whole pixels: the radius stands several times in the text of every path.
  const outer = Math.max(
    60,
    Math.floor(Math.min(sizes.width, sizes.height) / 2 - 14 - sizes.letters * LETTER),
  );
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
  const own = useMemo(() => new Set(ribbons.map((pair) => matrix.pairs.indexOf(pair))), [matrix, ribbons]);
  const pose = useMemo(
    () => poseOf(angles, labels, { pairs: matrix.pairs, own }),
    [angles, labels, matrix, own],
  );
  const shown = useMemo(() => ({ arcs: matrix.arcs, ribbons }), [matrix, ribbons]);
  const [before, setBefore] = useState(shown);
  const [now, setNow] = useState(shown);
  if (now !== shown) {
    // Kept as long as it moves, and only if something of it leaves: what nobody sees needs no second rendering.
    const leaves = isAnyGone(now.arcs, shown.arcs) || isAnyGone(now.ribbons, shown.ribbons);
    setBefore(leaves && mayMove() ? now : shown);
    setNow(shown);
  }
  const root = useRef<SVGGElement>(null);
  const stage = useCallback(() => openStage(root.current!, { inner, outer }), [inner, outer]);
  usePose(pose, props.gate, stage, () => setBefore(shown));

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
        <RestRibbons bands={angles.bands} own={own} inner={inner} paints={paints} />
        <Ribbons
          pairs={ribbons}
          before={before.ribbons}
          paints={paints}
          lit={lit}
          onHover={onHover}
          onOpen={props.onPair}
        />
        {props.pointed !== undefined && (
          <Arrows pairs={matrix.pairs} pointed={props.pointed} bands={angles.bands} inner={inner} />
        )}
        <Ring {...props} before={before.arcs} spans={angles.arcs} labels={labels} outer={outer} />
      </g>
    </svg>
  );
});

interface RingProps extends ChordProps {
  readonly before: readonly Arc[];
  readonly spans: ChordAngles['arcs'];
  readonly labels: ReadonlyMap<string, number>;
  readonly outer: number;
}

/** The arcs. What happens to one bubbles up to here. */
const Ring = memo(function Ring(props: RingProps) {
  const { matrix, before, spans, labels, outer, sizes, paints, lit, onHover } = props;
  const { stop, onFocus, onKeyDown } = useRoving(matrix.arcs);
  const arcAt = (target: EventTarget): Arc | undefined => {
    const id = (target as Element).closest<SVGGElement>('g.arc:not(.leaving)')?.dataset.nodeId;
    return matrix.arcs.find((arc) => arc.id === id);
  };
  const point = (arc: Arc | undefined): void => {
    if (arc) onHover({ kind: 'node', id: arc.id, by: 'picture' });
  };
  const open = (target: EventTarget): void => {
    const arc = arcAt(target);
    if (arc) props.onArc(arc);
  };
  const ring = useRef<SVGGElement>(null);
  const drawn = withLeaving(before, matrix.arcs);
  const shown = matrix.arcs.map((arc, index) => {
    const share = hasTwoLines(spans[index]!.span, outer) ? shareOf(arc, props) : '';
    return { name: labelOf(arc, props), share };
  });
  useLayoutEffect(() => {
    let element = ring.current!.firstElementChild;
    let index = 0;
    for (const { one: arc, leaving } of drawn) {
      if (!leaving) {
        const { name, share } = shown[index++]!;
        writeAttributes(element!, {
          'data-octets': arc.sent + arc.received,
          'data-sent': arc.sent,
          'aria-label': props.arcLabel(arc, share === '' ? name : `${name} ${share}`),
        });
      }
      element = element!.nextElementSibling;
    }
  });
  let next = 0;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the listeners are those of the arcs in it
    <g
      ref={ring}
      onPointerOver={(event) => point(arcAt(event.target))}
      onFocus={(event) => {
        const arc = arcAt(event.target);
        if (arc) onFocus(arc);
        point(arc);
      }}
      onBlur={() => onHover(undefined)}
      onClick={(event) => open(event.target)}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return onKeyDown(event);
        event.preventDefault();
        event.stopPropagation();
        open(event.target);
      }}
    >
      {drawn.map(({ one: arc, leaving }) => {
        const common = { id: arc.id, letters: sizes.letters, paint: arcPaint(arc, paints) };
        if (leaving) return <ArcMark key={arc.id} {...common} name="" leaving />;
        const index = next++;
        return (
          <ArcMark
            key={arc.id}
            {...common}
            {...shown[index]!}
            hasLabel={labels.has(arc.id)}
            lit={lit?.arc(arc)}
            isSlight={spans[index]!.isSlight}
            isTabStop={stop === arc.id}
          />
        );
      })}
    </g>
  );
});

function isAnyGone<T extends { readonly id: string }>(before: readonly T[], now: readonly T[]): boolean {
  const here = new Set(now.map((one) => one.id));
  return before.some((one) => !here.has(one.id));
}

function arcPaint(arc: Arc, paints: ReadonlyMap<string, Paint>): Paint | undefined {
  const segment = arc.node?.segment;
  return segment ? paintOf(paints, segment) : undefined;
}

/** Whether an arc is long enough for a label of two lines. */
function hasTwoLines([start, end]: Span, outer: number): boolean {
  return (end - start) * outer >= 2 * LINE;
}

/** A name is cut at its end, an address in its middle, where those of one network differ least. */
function labelOf(arc: Arc, { naming, sizes }: Pick<ChordProps, 'naming' | 'sizes'>): string {
  const called = arcCalled(arc, naming);
  return called === arcName(arc) ? truncate(called, sizes.letters) : cutName(called, sizes.letters);
}

/** The label's second line: what cannot be seen from the first, and the share. */
function shareOf(arc: Arc, { naming, sizes, total }: ChordProps): string {
  const { address, segment } = arc.node ?? {};
  const name = address === undefined ? undefined : naming.address(address);
  const words = [
    name?.network !== undefined && cutName(name.name, sizes.letters),
    segment && cutName(calledSegment(segment, naming), sizes.letters),
    total > 0 && arc.sent > 0 && percent(arc.sent, total),
  ];
  return words.filter(Boolean).join(', ');
}
