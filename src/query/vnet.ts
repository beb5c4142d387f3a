/**
 * Virtual networks as they stand: what a network function in BPF says of itself, for the terminal, the API and the page.
 *
 * Packets and octets are those of the wire, of the frames that the function forwards (a super-packet counts as its segments,
 * each with its headers), without the tunnel. All counts are since the function was set up, by whichever process.
 */
import { z } from 'zod';

const CountSchema = z.object({ packets: z.number(), octets: z.number() });

const RateSchema = z.object({ packetRate: z.number(), octetRate: z.number() });
/** Per second, between two answers. */
export type VirtualRate = z.infer<typeof RateSchema>;

/**
 * What went through something, seen from the function: in from there, out to there. Rates are added by who asks again and
 * again; they are absent where two answers that follow each other are not there.
 */
const TrafficSchema = z.object({
  received: CountSchema,
  sent: CountSchema,
  rates: z.object({ received: RateSchema, sent: RateSchema }).optional(),
});
/** Counts of both ways, and perhaps rates. */
export type VirtualTraffic = z.infer<typeof TrafficSchema>;

const OutcomeSchema = CountSchema.extend({
  /** The name in the ledger, in lower case with dashes: `forwarded-to-peer`, `unknown-segment`. */
  name: z.string(),
  isDrop: z.boolean(),
});

const HeadSchema = z.object({
  name: z.string(),
  pid: z.number(),
  hostname: z.string(),
  /** Name of its network namespace, or empty when it has none. */
  namespace: z.string(),
  startedMs: z.number(),
  nowMs: z.number(),
  /** Every packet that was seen is in one of these. */
  outcomes: z.array(OutcomeSchema),
  /** The newest ones, oldest first: moves, refusals, what was full. */
  events: z.array(z.object({ atMs: z.number(), kind: z.string(), words: z.string() })),
});

const PortSchema = TrafficSchema.extend({
  name: z.string(),
  ifindex: z.number(),
  vni: z.number(),
  /** `bridge`: its frames come from a Linux bridge; `direct`: a tenant's device; `peer`: of one peer alone. */
  kind: z.enum(['bridge', 'direct', 'peer']),
  /** The Linux bridge that it is a port of. */
  bridge: z.string().nullable(),
  present: z.boolean(),
});

const PeerSchema = TrafficSchema.extend({
  vni: z.number(),
  /** The other tunnel end's address. */
  address: z.string(),
  /** From the configuration or a request; else learned from what came. */
  isConfigured: z.boolean(),
  /** A multicast address: what is sent to it reaches all that listen; nothing comes from it. */
  isGroup: z.boolean().optional(),
  idleMs: z.number().nullable(),
});

const EntrySchema = TrafficSchema.extend({
  vni: z.number(),
  mac: z.string(),
  /** Where it is: one of the two is null. */
  port: z.string().nullable(),
  peer: z.string().nullable(),
  isStatic: z.boolean(),
  /** Since a frame from it came. */
  idleMs: z.number().nullable(),
  moves: z.number(),
});

/** A distributed bridge on one host. */
const BridgeSchema = HeadSchema.extend({
  kind: z.literal('bridge'),
  mode: z.enum(['multicast', 'mesh']),
  tunnel: z.object({
    kind: z.enum(['vxlan', 'gretap']),
    /** Empty where segments end on this host. */
    device: z.string(),
    port: z.number().nullable(),
    /** Of this host, on the underlay. */
    address: z.string(),
    mtu: z.number(),
  }),
  segments: z.array(z.object({ vni: z.number(), group: z.string().nullable(), mtu: z.number() })),
  ports: z.array(PortSchema),
  peers: z.array(PeerSchema),
  table: z.object({ capacity: z.number(), used: z.number() }),
  /** How often something was that is no packet's fate: `moved`, `move-damped`, `table-full`, … */
  notices: z.array(z.object({ name: z.string(), count: z.number() })).optional(),
  entries: z.array(EntrySchema),
  /** Entries that the answer leaves out, because the question wanted no more. */
  entriesLeftOut: z.number().optional(),
});

const TagSchema = z.object({
  vid: z.number(),
  pcp: z.number(),
  dei: z.boolean(),
  /** 0x8100 or 0x88a8. */
  protocol: z.number(),
});

/** A gateway between VLANs of a trunk and workers. */
const GatewaySchema = HeadSchema.extend({
  kind: z.literal('gateway'),
  trunk: z.string(),
  clients: z.array(
    TrafficSchema.extend({
      mac: z.string(),
      worker: z.string(),
      /** Tags by which the client is reached, outermost first; null before it was seen, where none is configured. */
      tags: z.array(TagSchema).nullable(),
      isLearned: z.boolean(),
      /** Allowed VLANs; null: any. */
      allowed: z.array(z.number()).nullable(),
      idleMs: z.number().nullable(),
      moves: z.number(),
    }),
  ),
});

/** Cables made of BPF. */
const RelaySchema = HeadSchema.extend({
  kind: z.literal('relay'),
  cables: z.array(
    z.object({
      from: z.string(),
      to: z.string(),
      counts: z.object({ ipv4: CountSchema, ipv6: CountSchema, arp: CountSchema, other: CountSchema }),
      /** Of all together, as other rates. */
      rate: RateSchema.optional(),
    }),
  ),
});

/** One network function of any kind. */
export const VirtualNetworkSchema = z.discriminatedUnion('kind', [BridgeSchema, GatewaySchema, RelaySchema]);
/** A validated network function. */
export type VirtualNetwork = z.infer<typeof VirtualNetworkSchema>;
/** A validated bridge. */
export type VirtualBridge = z.infer<typeof BridgeSchema>;
/** A validated gateway. */
export type VirtualGateway = z.infer<typeof GatewaySchema>;
/** A validated relay. */
export type VirtualRelay = z.infer<typeof RelaySchema>;

/** All network functions of this machine that answer, by name. */
export const VirtualNetworksSchema = z.object({
  nowMs: z.number(),
  functions: z.array(VirtualNetworkSchema),
  /** Those that run but gave no answer in time, or none that is understood. */
  unanswered: z.array(z.object({ name: z.string(), reason: z.string() })),
});
/** Validated network functions. */
export type VirtualNetworks = z.infer<typeof VirtualNetworksSchema>;
