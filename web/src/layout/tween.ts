/** Moves one picture into the next by identity: what is in both glides, what is new opens, what is gone closes. */
import { bandOf, type ChordAngles, type Span } from './chord.ts';
import type { Pair } from './fold.ts';

/** Everything that moves, by identity. */
export interface Pose {
  readonly arcs: ReadonlyMap<string, Span>;
  /** By `pair|segment`. */
  readonly bands: ReadonlyMap<string, readonly [Span, Span]>;
  readonly labels: ReadonlyMap<string, number>;
}

/** Nothing drawn yet. */
export const EMPTY_POSE: Pose = { arcs: new Map(), bands: new Map(), labels: new Map() };

/** The pose a layout ends in; of the bands only those of the `own` pairs: the others do not move one by one. */
export function poseOf(
  angles: ChordAngles,
  labels: ReadonlyMap<string, number>,
  { pairs, own }: { readonly pairs: readonly Pair[]; readonly own: ReadonlySet<number> },
): Pose {
  const bands = new Map<string, readonly [Span, Span]>();
  for (let index = 0; index < angles.bands.at.length; index++) {
    if (!own.has(angles.bands.at[index]!)) continue;
    const { at, segment, a, b } = bandOf(angles.bands, index);
    bands.set(`${pairs[at]!.id}|${segment}`, [a, b]);
  }
  return { arcs: new Map(angles.arcs.map((arc) => [arc.id, arc.mark])), bands, labels };
}

/** Where new things open from, or gone things close into: a part of the ring that stands for all of it. */
export interface Gate {
  readonly opening?: Span | undefined;
  readonly closing?: Span | undefined;
}

/**
 * The pose between two, `t` 0…1. Things only in `from` are in the answer too (closing), until `t` reaches 1.
 */
export function between(from: Pose, to: Pose, t: number, { opening, closing }: Gate = {}): Pose {
  if (t >= 1) return to;
  return {
    arcs: blend(from.arcs, to.arcs, {
      mix: (x, y) => mixSpan(x, y, t),
      enter: (span) => (opening ? squeeze(span, opening) : point(span)),
      leave: (span) => (closing ? squeeze(span, closing) : point(span)),
    }),
    bands: blend(from.bands, to.bands, {
      mix: (x, y) => [mixSpan(x[0], y[0], t), mixSpan(x[1], y[1], t)] as const,
      enter: ([a, b]) => (opening ? [squeeze(a, opening), squeeze(b, opening)] : [point(a), point(b)]),
      leave: ([a, b]) => (closing ? [squeeze(a, closing), squeeze(b, closing)] : [point(a), point(b)]),
    }),
    labels: blend(from.labels, to.labels, {
      mix: (x, y) => mix(x, nearest(y, x), t),
      enter: (angle) => (opening ? squeeze([angle, angle], opening)[0] : angle),
      leave: (angle) => (closing ? squeeze([angle, angle], closing)[0] : angle),
    }),
  };
}

interface Blend<T> {
  readonly mix: (from: T, to: T) => T;
  readonly enter: (to: T) => T;
  readonly leave: (from: T) => T;
}

function blend<T>(from: ReadonlyMap<string, T>, to: ReadonlyMap<string, T>, how: Blend<T>): Map<string, T> {
  const pose = new Map<string, T>();
  for (const [id, target] of to) pose.set(id, how.mix(from.get(id) ?? how.enter(target), target));
  for (const [id, source] of from) if (!to.has(id)) pose.set(id, how.mix(source, how.leave(source)));
  return pose;
}

function mix(x: number, y: number, t: number): number {
  return x + (y - x) * t;
}

function mixSpan(x: Span, y: Span, t: number): Span {
  return [mix(x[0], y[0], t), mix(x[1], y[1], t)];
}

function point([start, end]: Span): Span {
  const middle = (start + end) / 2;
  return [middle, middle];
}

/** The whole ring mapped into `gate`. */
function squeeze([start, end]: Span, gate: Span): Span {
  const scale = (gate[1] - gate[0]) / (2 * Math.PI);
  return [gate[0] + start * scale, gate[0] + end * scale];
}

/** The same angle, by whole turns nearest to another. */
function nearest(angle: number, other: number): number {
  return angle + Math.round((other - angle) / (2 * Math.PI)) * 2 * Math.PI;
}

/** Slow, fast, slow. */
export function ease(t: number): number {
  return t < 0.5 ? 4 * t ** 3 : 1 - (-2 * t + 2) ** 3 / 2;
}
