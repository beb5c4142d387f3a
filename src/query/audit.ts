/**
 * The audit: does what the hooks saw agree with what is in the flows, and with what the interfaces counted themselves?
 *
 * *Inside*: seen by the hook = recorded + ledger; exact by construction, in frames and octets as the stack held them.
 * *Outside*: the interface's own counters against the hook, in the unit of those counters (docs/audit.md).
 */
import { z } from 'zod';

/** Packets and octets. */
export const AuditCountSchema = z.object({ packets: z.number(), octets: z.number() });
/** A count, and what share that is: 0…1 of what was seen, of `outside` what the interface counted. */
const PartSchema = z.object({
  packets: z.number(),
  octets: z.number(),
  packetShare: z.number(),
  octetShare: z.number(),
});
/** A validated part. */
export type AuditPart = z.infer<typeof PartSchema>;

/** The sums of one stretch of time at one observation point. */
export const AuditSpanSchema = z.object({
  /** How long it is, seconds. */
  seconds: z.number(),
  /**
   * What the interface counted, at least and at most: it is read just before and just after each end of an epoch, and
   * what passes between the two readings may belong to either. Null where it cannot be read.
   */
  counted: z.object({ least: AuditCountSchema, most: AuditCountSchema }).nullable(),
  /** What the hook saw, in the counter's unit, at least and at most: as frames of the stack, as packets on the wire. */
  expected: z.object({ least: AuditCountSchema, most: AuditCountSchema }),
  /** What the hook saw, frames and octets as the stack held them. */
  seen: AuditCountSchema,
  /** What is in flow records, overflow records included. */
  recorded: PartSchema,
  /** Part of `recorded` that lost its detail because the flow cache was full. */
  overflow: PartSchema,
  ledger: z.array(PartSchema.extend({ reason: z.string(), level: z.number() })),
  /** seen − recorded − ledger; anything but 0 is a bug. */
  inside: PartSchema,
  /** Positive: the interface counted more than the hook saw; negative: the hook saw more. 0 within the bounds. */
  outside: PartSchema,
});
/** Validated sums. */
export type AuditSpan = z.infer<typeof AuditSpanSchema>;

/** One observation point. */
export const AuditPointSchema = z.object({
  ifindex: z.number(),
  interfaceName: z.string(),
  direction: z.enum(['ingress', 'egress']),
  /** Device kind: `veth`, `vxlan`, `loopback`, `hardware`, …; empty when not known. */
  kind: z.string(),
  primary: z.boolean(),
  /** False once the interface is gone, or is not metered any more: the figures stay as they were. */
  present: z.boolean(),
  /** What the counter counts, in words. */
  unit: z.string(),
  /** Programs of others that run before ours and after it. Null where the hook does not say. */
  programs: z.object({ before: z.array(z.string()), after: z.array(z.string()) }).nullable(),
  interval: AuditSpanSchema,
  sinceStart: AuditSpanSchema,
  /** How much of `outside` and `inside` has stood for several epochs, absolute: no packet that was just under way. */
  persistent: AuditCountSchema,
  /**
   * When `persistent` changed, and what it was from then on, oldest first: the first change since the start, and the newest.
   * It stands {@link Audit.persistentEpochs} epochs after what it tells of.
   */
  changes: z.array(AuditCountSchema.extend({ atMs: z.number() })),
  /** Where to look, when `persistent` is not 0; else empty. */
  hint: z.string(),
});
/** A validated point. */
export type AuditPoint = z.infer<typeof AuditPointSchema>;

/** `/api/v1/audit`. */
export const AuditSchema = z.object({
  agent: z.string(),
  epoch: z.number(),
  /** End of the newest epoch, Unix epoch, milliseconds. */
  atMs: z.number(),
  /** So many epochs a difference stands before it is called persistent. */
  persistentEpochs: z.number(),
  /** By interface, ingress first; those gone last. */
  points: z.array(AuditPointSchema),
  /** Sum over all points. */
  persistent: AuditCountSchema,
});
/** A validated audit. */
export type Audit = z.infer<typeof AuditSchema>;
