/** The audit of a time that is past, from a history: docs/audit.md says how its bounds follow. */
import { z } from 'zod';
import { AuditCountSchema, AuditPointSchema, AuditSpanSchema } from './audit.ts';
import { type HistorySpan, ResultTableSchema } from './history.ts';

const PastPointSchema = z.object({
  ...AuditPointSchema.pick({
    interfaceName: true,
    direction: true,
    kind: true,
    primary: true,
    unit: true,
    hint: true,
  }).shape,
  /** Programs of others that ran before ours and after it, at some time of it, as far as that is known. */
  programs: z.object({ before: z.array(z.string()), after: z.array(z.string()) }),
  /**
   * All of the span; `counted`, `expected` and `outside` are of those epochs of it whose counters are known. `outside` is the sum of
   * its steps where that is more than all of it tells.
   */
  span: AuditSpanSchema,
  /** How long these are, seconds; 0: nothing can be compared. */
  comparedSeconds: z.number(),
  /**
   * `outside` of single steps, those in which it is not 0, oldest first. A step has bounds of its own: what stands out in one of
   * few packets may be hidden among the super-packets of a whole day, and what is too little for any step may add up.
   */
  steps: z.array(AuditCountSchema.extend({ fromMs: z.number() })),
  /** What is unexplained at least, absolute: `outside`, where its steps have both signs each of them, and `inside`. */
  unexplained: AuditCountSchema,
});
/** One observation point: what an interface of that name is in all its lives. */
export type PastAuditPoint = z.infer<typeof PastPointSchema>;

/** `/api/v1/audit/past`. */
export const PastAuditSchema = z.object({
  covered: ResultTableSchema.shape.covered,
  gaps: ResultTableSchema.shape.gaps,
  /** Length of a step, ms; each begins at a multiple of it. */
  stepMs: z.number(),
  /** By interface, ingress first. */
  points: z.array(PastPointSchema),
  /** Whether there were more points: those with nothing unexplained that saw least are left out. */
  isCut: z.boolean(),
  /** Sum over all points. */
  unexplained: AuditCountSchema,
  tookMs: z.number(),
});
/** A validated audit of the past. */
export type PastAudit = z.infer<typeof PastAuditSchema>;

/** Compares what interfaces counted with what was seen and recorded, of times that are past. */
export interface HistoryAudit {
  /**
   * @param signal ends the work when nobody waits for the answer any more
   * @throws an error with `code` and `remedy` when it takes too long or cannot be answered
   */
  audit(span: HistorySpan, options: { readonly signal: AbortSignal }): Promise<PastAudit>;
}
