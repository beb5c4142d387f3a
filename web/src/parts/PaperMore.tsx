import { exactly } from '../words.ts';

/** Rows of a table that are put on paper; what is on the screen beside it has no such bound. */
export const PRINTED = 300;

/** On paper alone: that a table goes on; nothing where it is whole. */
export function PaperMore({ shown, rows }: { readonly shown: number; readonly rows: number }) {
  if (shown >= rows) return null;
  return (
    <p className="paper-more" data-testid="paper-more">
      The first {exactly(shown)} of {exactly(rows)} rows.
    </p>
  );
}
