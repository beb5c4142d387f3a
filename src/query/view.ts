/**
 * The question a live view asks and its answer: who talks to whom, in which segment, in a sliding window.
 *
 * Three levels, one inside the other. *hosts*: nodes are outer addresses (of plain traffic, and of tunnels that no
 * network layer carries, the addresses of who speaks).
 * *clients*: one host was chosen; nodes are the inner addresses of its tunnels, identity = segment + address, and the
 * plain peers. *flows*: a pair of nodes was chosen; the answer lists their flows.
 */
import { z } from 'zod';
import type { Audit } from './audit.ts';
import { FilterError } from './filter/error.ts';
import { parseViewFilter } from './filter/uniflow.ts';

/** Sliding windows of the live view: the last 5 s, the last minute, since the agent's start. */
export const WINDOWS = ['5s', '1m', 'all'] as const;

/** Identity of a segment: `none` for plain traffic, else the tunnel type and its id, e.g. `vxlan:10001`. */
export const SegmentIdSchema: z.ZodString = z
  .string()
  .regex(/^(none|[a-z0-9-]+:\d{1,10})$/, 'is no segment, e.g. none or vxlan:10001');

/** Identity of a node: an address (hosts level), or `segment/address` (clients level). */
const NodeIdSchema: z.ZodString = z.string().min(1).max(120);

/** What is known of a wrong filter beside the message: the part of it, in UTF-16 units from 0, and two lines with carets. */
export interface FilterFault {
  readonly from: number;
  readonly to: number;
  readonly caret: string;
}

/** A filter of uniflows as typed; a mistake is a custom issue whose `params` are its {@link FilterFault}. */
export const ViewFilterSchema: z.ZodString = z.string().superRefine((text, refinement) => {
  try {
    parseViewFilter(text);
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    const params: FilterFault = { ...error.span, caret: error.caret() };
    refinement.addIssue({ code: 'custom', message: error.message, params: { ...params } });
  }
});

/** What a view asks. All fields have defaults: `{}` is the chord of all hosts over the last 5 s. */
export const ViewQuestionSchema = z.object({
  window: z.enum(WINDOWS).default('5s'),
  /** `all`, or one segment. */
  segment: z.union([z.literal('all'), SegmentIdSchema]).default('all'),
  /** An outer address: go into this host. */
  host: NodeIdSchema.optional(),
  /** Two node ids of the level above joined by `~`: list the flows between these two, both directions. */
  pair: z
    .string()
    .regex(/^[^~]{1,120}~[^~]{1,120}$/, 'is no pair, e.g. 172.16.1.100~172.16.1.101')
    .optional(),
  /** Only uniflows that fit, in the filter language; absent: all. */
  filter: ViewFilterSchema.optional(),
});
/** A validated question. */
export type ViewQuestion = z.infer<typeof ViewQuestionSchema>;

const CountSchema = z.object({ octets: z.number(), packets: z.number() });

/** Octets and packets on the wire. */
export type Count = z.infer<typeof CountSchema>;

const SegmentSchema = z.object({
  id: SegmentIdSchema,
  kind: z.string(),
  /** VNI, key, TEID, label, … by kind; null for plain traffic. */
  tunnelId: z.number().nullable(),
  /** In the window. */
  octets: z.number(),
  packets: z.number(),
  /** Over the last 5 s, octets and packets per second; 0 when idle (the segment stays listed). */
  octetRate: z.number(),
  packetRate: z.number(),
  lastSeenMs: z.number(),
});
/** A segment seen since the agent's start, idle ones included. */
export type Segment = z.infer<typeof SegmentSchema>;

const NodeSchema = z.object({
  id: NodeIdSchema,
  address: z.string(),
  /** Clients level: the segment the client is in; null at the hosts level. */
  segment: SegmentIdSchema.nullable(),
  sent: CountSchema,
  received: CountSchema,
});
/** An arc of the chord. */
export type ViewNode = z.infer<typeof NodeSchema>;

const LinkSchema = z.object({
  /** Index in `nodes` of who sent. */
  source: z.number().int(),
  /** Index in `nodes` of who received. */
  target: z.number().int(),
  octets: z.number(),
  packets: z.number(),
  /** The same, split by segment. */
  parts: z.array(z.object({ segment: SegmentIdSchema, octets: z.number(), packets: z.number() })),
});
/** What one node sent to another; the other direction is a link of its own. */
export type ViewLink = z.infer<typeof LinkSchema>;

const FlowRowSchema = z.object({
  segment: SegmentIdSchema,
  outerSource: z.string().nullable(),
  outerDestination: z.string().nullable(),
  source: z.string(),
  destination: z.string(),
  /** `TCP`, `UDP`, `ICMP`, `ARP`, … */
  protocol: z.string(),
  /** Port, or null where the protocol has none. */
  sourcePort: z.number().nullable(),
  destinationPort: z.number().nullable(),
  /** `echo request (id 17)`, `fragment`, `VLAN 5`, `nested VNI 7`, `ESP SPI 0x1a2b`, … what else is worth saying. */
  note: z.string(),
  octets: z.number(),
  packets: z.number(),
  payloadOctets: z.number(),
  firstMs: z.number(),
  lastMs: z.number(),
});
/** One uniflow between the chosen pair. */
export type FlowRow = z.infer<typeof FlowRowSchema>;

const LeaderSchema = z.object({
  /** Who sends most in the window: the client and where it sits. */
  address: z.string(),
  segment: SegmentIdSchema,
  /** The tunnel's sender; null where the client is its own. */
  host: z.string().nullable(),
  peer: z.string(),
  octets: z.number(),
  /** 0…1 of all octets in the view's window. */
  share: z.number(),
});
/** The flow source that fills the window most; the page names it in words. */
export type Leader = z.infer<typeof LeaderSchema>;

const FilteredSchema = z.object({
  /** In canonical form: equal filters, equal text. */
  text: z.string(),
  /** In the window, of what the same question without a filter would show. */
  leftOut: CountSchema,
  /** Part of `leftOut` whose detail was lost or folded, so that nobody knows what would have fitted. */
  unknown: CountSchema,
  /** 0…1: octets left out, of those the same question without a filter would show. */
  share: z.number(),
});
/** What a filter keeps out of a view, so that nobody takes a part for the whole. */
export type Filtered = z.infer<typeof FilteredSchema>;

const ExactnessSchema = z.object({
  /** Since the agent's start, frames and octets as the stack held them, over all observation points. */
  seen: CountSchema,
  recorded: CountSchema,
  /** Part of `recorded` that lost its detail because the flow cache was full. */
  overflow: CountSchema,
  ledger: z.array(z.object({ reason: z.string(), packets: z.number(), octets: z.number() })),
  /** seen − recorded − ledger; anything but 0 is a bug and is shown. */
  unexplained: CountSchema,
  /**
   * Against the interfaces' own counters: observation points compared, and what persistently differs there, absolute,
   * in the counters' units (`/api/v1/audit` says where).
   */
  outside: z.object({ points: z.number(), packets: z.number(), octets: z.number() }),
});
/** Can the number be trusted? */
export type Exactness = z.infer<typeof ExactnessSchema>;

/** The answer. */
export const ViewSchema = z.object({
  question: ViewQuestionSchema,
  level: z.enum(['hosts', 'clients', 'flows']),
  agent: z.string(),
  epoch: z.number(),
  /** End of the newest epoch in the answer, Unix epoch, milliseconds; a view whose source stalls shows its age from this. */
  atMs: z.number(),
  /** Seconds the window really covers (less than asked for soon after the start). */
  windowSeconds: z.number(),
  /** Epoch length, seconds: the next update is expected after this. */
  intervalSeconds: z.number(),
  /** The epochs are of captures: `atMs` is their time, and the figures do not age. */
  isRecorded: z.boolean(),
  /** Of the view (filters applied): wire octets and packets in the window. */
  total: CountSchema,
  segments: z.array(SegmentSchema),
  /** By octets (sent + received), descending. */
  nodes: z.array(NodeSchema),
  links: z.array(LinkSchema),
  /** Flows level only: by octets, descending, at most 500. */
  flows: z.array(FlowRowSchema),
  leader: LeaderSchema.nullable(),
  /** Null without a filter. `segments`, `exactness` and `history` are of everything all the same. */
  filter: FilteredSchema.nullable(),
  exactness: ExactnessSchema,
  /**
   * Of the whole host, per second, one entry per epoch, oldest first, at most 300: the strip under the chord. Octets and packets
   * are those of the wire; `tunnelledOctetRate` is the part of `octetRate` that is in tunnels, their headers included.
   */
  history: z.array(
    z.object({
      atMs: z.number(),
      octetRate: z.number(),
      packetRate: z.number(),
      tunnelledOctetRate: z.number(),
    }),
  ),
});
/** A validated answer. */
export type View = z.infer<typeof ViewSchema>;

/** Who answers live questions. */
export interface ViewSource {
  /** Answers from the newest epoch; cheap enough for once per epoch and listener. */
  view(question: ViewQuestion): View;
  /** Calls back after each epoch was taken in; returns the way to stop. */
  onEpoch(listener: () => void): () => void;
  /** The audit as of the newest epoch. */
  audit(): Audit;
}

/** What the agent is and where it is attached: `/api/v1/status`. */
export const StatusSchema = z.object({
  version: z.string(),
  agent: z.string(),
  hostname: z.string(),
  startedMs: z.number(),
  nowMs: z.number(),
  intervalSeconds: z.number(),
  /** Network namespace measured, or null for the agent's own. */
  namespace: z.string().nullable(),
  interfaces: z.array(
    z.object({
      name: z.string(),
      ifindex: z.number(),
      hook: z.string(),
      reason: z.string(),
      primary: z.boolean(),
    }),
  ),
  /** Observation points where something is persistently unexplained (`/api/v1/audit` says more). */
  unexplained: z.array(
    z.object({
      interfaceName: z.string(),
      direction: z.enum(['ingress', 'egress']),
      packets: z.number(),
      octets: z.number(),
      hint: z.string(),
    }),
  ),
  /** Uniflows the live view holds. */
  flows: z.number(),
  /** Flow records in the newest epoch, over all observation points. */
  records: z.number(),
  /** Flows the kernel keeps per epoch. */
  flowCapacity: z.number(),
  /** What is kept by; null where everything is. `excluded` is since the start, as the stack held it. */
  rules: z.object({ count: z.number(), excluded: CountSchema }).nullable(),
  /** How what is metered is kept; null where it is not. */
  history: z
    .object({
      directory: z.string(),
      /** End of the newest epoch that was stored since the start; null before the first. */
      storedUpToMs: z.number().nullable(),
      /** Octets of epochs that are on disk and wait for the store, and how many may. */
      spoolOctets: z.number(),
      maxSpoolOctets: z.number(),
      /** What there was no room for since the start; in the history's ledger as `history_dropped`. */
      dropped: CountSchema.extend({ epochs: z.number() }),
      /** Since when and why nothing is stored; null when all is well. */
      failing: z.object({ sinceMs: z.number(), message: z.string() }).nullable(),
    })
    .nullable(),
  /** Those that take each epoch beside the view, in epochs since the start; `waiting` is now. */
  sinks: z.array(
    z.object({
      name: z.string(),
      waiting: z.number(),
      written: z.number(),
      failed: z.number(),
      dropped: z.number(),
    }),
  ),
});
/** A validated status. */
export type Status = z.infer<typeof StatusSchema>;
