/** Rectangles in CSS pixels from the upper left. */
import type { Point } from './curve.ts';

/** Where something stands. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Width and height alone. */
export type Size = Pick<Box, 'width' | 'height'>;

/** A box of this size with its centre there, on whole pixels. */
export function around({ x, y }: Point, { width, height }: Size): Box {
  return { x: Math.round(x - width / 2), y: Math.round(y - height / 2), width, height };
}

/** The middle of a box. */
export function centreOf({ x, y, width, height }: Box): Point {
  return { x: x + width / 2, y: y + height / 2 };
}

/** Whether a box lies within a room that begins at 0, 0. */
export function isInside({ x, y, width, height }: Box, room: Size): boolean {
  return x >= 0 && y >= 0 && x + width <= room.width && y + height <= room.height;
}

/** Whether a box is nearer than `gap` to one of the others. */
export function touchesAny(box: Box, others: readonly Box[], gap: number): boolean {
  return others.some(
    (other) =>
      box.x < other.x + other.width + gap &&
      other.x < box.x + box.width + gap &&
      box.y < other.y + other.height + gap &&
      other.y < box.y + box.height + gap,
  );
}
