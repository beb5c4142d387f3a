/** What can be changed in an agent while it runs, and what is in force: rules, the length of an epoch, the interfaces. */
import { z } from 'zod';
import { FilterError } from './filter/error.ts';
import { RuleError, readRule } from './filter/rule-file.ts';
import type { FilterFault } from './view.ts';

/** An interface name or glob; `+` before it adds it to the default choice. */
export const INTERFACE_PATTERN = /^\+?[A-Za-z0-9_.:@*?-]{1,15}$/;

/** Most rules of a request, and the longest of them, characters. */
const MAX_RULES = 10_000;
const MAX_RULE = 65_536;

const RuleSchema = z
  .string()
  .max(MAX_RULE)
  .superRefine((text, refinement) => {
    try {
      readRule(text, 'rule');
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      const fault = error.cause;
      const place: FilterFault | undefined =
        fault instanceof FilterError ? { ...fault.span, caret: fault.caret() } : undefined;
      const message = (fault as Error).message;
      refinement.addIssue({ code: 'custom', message, ...(place && { params: { ...place } }) });
    }
  });

/** Other rules, instead of those that were given before; those of a file stay. None: everything is kept. */
export const RulesChangeSchema = z.strictObject({
  /** Each in five fields or in the filter language; a flow that fits one is kept. */
  rules: z.array(RuleSchema).max(MAX_RULES),
});

/** The rules in force. */
export const RulesInForceSchema = z.object({
  /** As they were written. */
  rules: z.array(z.string()),
  /** Further ones stand there; null without such a file. */
  file: z.string().nullable(),
});
/** Validated rules in force. */
export type RulesInForce = z.infer<typeof RulesInForceSchema>;

/** How it meters. */
export const MeteringSchema = z.object({
  /** Length of an epoch, milliseconds. */
  intervalMs: z.number(),
  /** Names and globs asked for; empty is the default choice. */
  interfaces: z.array(z.string()),
});
/** Validated way of metering. */
export type Metering = z.infer<typeof MeteringSchema>;

/** To meter otherwise; what is left out stays. */
export const MeteringChangeSchema = z
  .strictObject({
    intervalMs: z.number().int().min(100).max(3_600_000).optional(),
    interfaces: z
      .array(z.string().regex(INTERFACE_PATTERN, 'is no interface name or glob (at most 15 characters)'))
      .max(1000)
      .optional(),
  })
  .refine(({ intervalMs, interfaces }) => intervalMs !== undefined || interfaces !== undefined, {
    message: 'has neither intervalMs nor interfaces: nothing to change',
  });
/** Validated change of metering. */
export type MeteringChange = z.infer<typeof MeteringChangeSchema>;

/** Steers an agent that runs. */
export interface AgentControl {
  rules(): Promise<RulesInForce>;
  /** Resolves when they hold. @throws an error with `code` when they cannot; those before stay */
  setRules(rules: readonly string[]): Promise<RulesInForce>;
  metering(): Promise<Metering>;
  /** The epoch under way ends at once; no packet is lost between. */
  change(change: MeteringChange): Promise<Metering>;
}
