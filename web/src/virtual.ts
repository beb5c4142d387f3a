/** Which rows of a long table are drawn: those in sight, and some around them. */

/** Rows drawn: from `first` on to before `end`. */
export interface Range {
  readonly first: number;
  readonly end: number;
}

/** Rows drawn beyond each edge, so that a scroll finds them there. */
export const OVERSCAN = 12;
/** A range begins at a multiple of this: a scroll by a row or two draws nothing new. */
const STEP = 4;

/** The rows to draw. @param at what is scrolled out above, and the height in sight, both in rows */
export function rowsInSight(at: { readonly top: number; readonly height: number }, count: number): Range {
  const top = Math.max(0, Math.min(at.top, count - at.height));
  const first = Math.max(0, Math.floor((top - OVERSCAN) / STEP) * STEP);
  const end = Math.min(count, Math.ceil((top + at.height + OVERSCAN) / STEP) * STEP);
  return { first, end: Math.max(first, end) };
}

/** The rows in sight alone: always so many, where there are as many. */
export function onlyInSight(
  { top, height }: { readonly top: number; readonly height: number },
  count: number,
): Range {
  const first = Math.max(0, Math.min(top, count - height));
  return { first, end: Math.min(count, first + height) };
}

/** Where a key leads in a table of so many rows; undefined: it is no such key. @param page rows in sight */
export function rowAfterKey(
  key: string,
  at: number,
  { count, page }: { count: number; page: number },
): number | undefined {
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    PageDown: at + page,
    PageUp: at - page,
    Home: 0,
    End: count - 1,
  };
  const to = steps[key];
  return to === undefined ? undefined : Math.max(0, Math.min(count - 1, to));
}

/** What is to be scrolled out above, CSS pixels, so that a row is in sight; the same where it is. */
export function scrolledTo(
  row: number,
  { top, height, rowHeight }: { top: number; height: number; rowHeight: number },
): number {
  const above = row * rowHeight;
  if (above < top) return above;
  return above + rowHeight > top + height ? above + rowHeight - height : top;
}
