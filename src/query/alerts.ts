/** Alerts: questions about the live view with a threshold and a duration, and how they stand. */
import { z } from 'zod';
import type { Filter } from './filter/ast.ts';

/** What is compared: octets and packets per second on the wire, or how many flows (one way) there are; all of the last 5 s. */
export const ALERT_QUANTITIES = ['octets', 'packets', 'flows'] as const;
/** What is compared. */
export type AlertQuantity = (typeof ALERT_QUANTITIES)[number];

/**
 * What an alert can tell groups by. A group of `src` and `dst` is `segment/address`, as a client of a view: tenants with equal
 * addresses are two.
 */
export const ALERT_DIMENSIONS = ['segment', 'src', 'dst', 'outer.src', 'outer.dst'] as const;
/** What groups are told apart by. */
export type AlertDimension = (typeof ALERT_DIMENSIONS)[number];

/** Most alerts of an agent. */
export const MAX_ALERTS = 32;
/** Most groups that an alert watches at a time. */
export const MAX_ALERT_GROUPS = 100;

/** What an alert watches, and when it fires. */
export interface AlertDefinition {
  readonly name: string;
  /** As it was written; empty: all flows. */
  readonly filterText: string;
  readonly filter: Filter;
  readonly quantity: AlertQuantity;
  /** Undefined: all together. */
  readonly by: AlertDimension | undefined;
  readonly bound: 'above' | 'below';
  /** Octets or packets per second, or flows. */
  readonly threshold: number;
  /** So long it has to be so before it fires. */
  readonly forMs: number;
  /** Where firing and its end are posted. */
  readonly webhook: string | undefined;
}

/** How an alert can stand; the later is the worse. A resolved one has fired a short time ago. */
export const ALERT_STATES = ['ok', 'resolved', 'pending', 'firing'] as const;
/** How an alert stands. */
export type AlertState = (typeof ALERT_STATES)[number];

const GroupSchema = z.object({
  /** A segment, `segment/address`, or an outer address, by `by`. */
  group: z.string(),
  state: z.enum(ALERT_STATES),
  sinceMs: z.number(),
  /** Now, in the unit of the threshold. */
  value: z.number(),
});
/** How a group of an alert stands. */
export type AlertGroup = z.infer<typeof GroupSchema>;

const WebhookSchema = z.object({
  /** Where it is; the rest of its address may be a secret. */
  host: z.string(),
  /** What is to be posted yet, what was, and what was given up. */
  waiting: z.number(),
  posted: z.number(),
  dropped: z.number(),
  /** Since when and why nothing gets there; null when all is well. */
  failing: z.object({ sinceMs: z.number(), message: z.string() }).nullable(),
});
/** How posting to a webhook goes, of all alerts that post there. */
export type WebhookStatus = z.infer<typeof WebhookSchema>;

const AlertSchema = z.object({
  name: z.string(),
  /** Empty: all flows. */
  filter: z.string(),
  quantity: z.enum(ALERT_QUANTITIES),
  by: z.enum(ALERT_DIMENSIONS).nullable(),
  bound: z.enum(['above', 'below']),
  /** Octets or packets per second, or flows. */
  threshold: z.number(),
  forMs: z.number(),
  /** Of the worst of its groups. */
  state: z.enum(ALERT_STATES),
  sinceMs: z.number(),
  /** Of all together, or of the group that is furthest on the side of the threshold; null before the first epoch, and without groups. */
  value: z.number().nullable(),
  /** Those that are not ok, the worst and largest first; none without `by`. */
  groups: z.array(GroupSchema),
  /** Groups that there was no room to watch. */
  groupsLeftOut: z.number(),
  webhook: WebhookSchema.nullable(),
});
/** How an alert stands. */
export type AlertStatus = z.infer<typeof AlertSchema>;

/** All alerts, as of the newest epoch: `/api/v1/alerts`. */
export const AlertsSchema = z.object({
  /** End of the epoch they were asked of last; null before the first. */
  atMs: z.number().nullable(),
  alerts: z.array(AlertSchema),
});
/** Validated alerts. */
export type Alerts = z.infer<typeof AlertsSchema>;
