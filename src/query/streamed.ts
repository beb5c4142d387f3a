/** The answer as the event stream carries it: the same, with its many links as rows of numbers. */
import { z } from 'zod';
import { SegmentIdSchema, type View, ViewSchema } from './view.ts';

/** Numbers of a row: who sent and who received (indices of `nodes`), in which segment (index of `segments`), octets. */
export const LINK_STRIDE = 4;

/** Links split by segment, one row after the other: a fifth of the text, and nothing to build when it is read. */
export interface LinkRows {
  readonly segments: readonly string[];
  readonly rows: readonly number[];
}

/** A view whose links are rows. Packets of links are left out; a link's octets are the sum of its rows. */
export type StreamedView = Omit<View, 'links'> & { readonly links: LinkRows };

/** {@link StreamedView} as a schema. */
export const StreamedViewSchema = ViewSchema.extend({
  links: z.object({
    segments: z.array(SegmentIdSchema),
    /** Rows of four: who sent, who received (indices of `nodes`), the segment (index of `segments`), octets. */
    rows: z.array(z.number()),
  }),
});

/** Writes the links as rows, in their order. */
export function streamedView(view: View): StreamedView {
  return { ...view, links: linkRows(view.links) };
}

/** Just the links. */
export function linkRows(links: View['links']): LinkRows {
  const segments = new Map<string, number>();
  const rows: number[] = [];
  for (const { source, target, parts } of links) {
    for (const { segment, octets } of parts) {
      let index = segments.get(segment);
      if (index === undefined) {
        index = segments.size;
        segments.set(segment, index);
      }
      rows.push(source, target, index, octets);
    }
  }
  return { segments: [...segments.keys()], rows };
}

/** What is wrong with rows from elsewhere, if anything: they are not to be believed before this said nothing. */
export function linkFault(links: unknown, nodes: number): string | undefined {
  const { segments, rows } = (links ?? {}) as { readonly [name in keyof LinkRows]?: unknown };
  if (!Array.isArray(segments) || !segments.every((id) => typeof id === 'string')) return 'has no segments';
  if (!Array.isArray(rows) || rows.length % LINK_STRIDE !== 0) return 'has no whole rows';
  for (let at = 0; at < rows.length; at += LINK_STRIDE) {
    if (
      !isIndex(rows[at], nodes) ||
      !isIndex(rows[at + 1], nodes) ||
      !isIndex(rows[at + 2], segments.length) ||
      !(Number.isFinite(rows[at + 3]) && rows[at + 3] >= 0)
    )
      return `has something that is no link in row ${at / LINK_STRIDE}`;
  }
  return undefined;
}

function isIndex(value: unknown, length: number): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < length;
}
