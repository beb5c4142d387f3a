import { z } from 'zod';
import { checkDocument, type DocumentKind, readDocument, shippedNames } from './document.ts';

/** The one description of this kind of file, for its own errors and for those of traffic that does not fit a topology. */
export const PROFILE_KIND: DocumentKind = {
  noun: 'traffic profile',
  folder: new URL('./traffic/', import.meta.url),
  code: 'LAB_PROFILE',
};

/** Who talks to whom: the client of segment `vni` on host `from` with the one on host `to`; no `vni`: the hosts themselves. */
interface Ends {
  vni?: number | undefined;
  from: string;
  to: string;
}

/** How often, and until when: without `count` and `seconds` it goes on until stopped. `on` and `off` make it come and go. */
export interface Rate {
  perSecond: number;
  count?: number | undefined;
  seconds?: number | undefined;
  onSeconds?: number | undefined;
  offSeconds?: number | undefined;
}

/** ICMP echo requests of `size` octets after the ICMP header, by ping. */
export interface PingStream extends Ends {
  kind: 'ping';
  size: number;
  perSecond: number;
  count?: number | undefined;
}

/** UDP datagrams of `size` octets of payload, one way. `port` is the destination's. */
export interface UdpStream extends Ends, Rate {
  kind: 'udp';
  size: number;
  port?: number | undefined;
}

/** TCP transfers of exactly `octets`, one connection each, `count` of them (1), begun `everySeconds`. */
export interface BulkStream extends Ends {
  kind: 'bulk';
  octets: number;
  octetsPerSecond?: number | undefined;
  everySeconds?: number | undefined;
  count?: number | undefined;
  port?: number | undefined;
}

/** One TCP connection with a request and its response at a time. */
export interface RequestStream extends Ends, Rate {
  kind: 'requests';
  requestOctets: number;
  responseOctets: number;
  port?: number | undefined;
}

/** One line of a traffic profile. */
export type TrafficStream = PingStream | UdpStream | BulkStream | RequestStream;

/** Traffic as a person writes it. */
export interface TrafficProfile {
  title: string;
  streams: TrafficStream[];
}

const ends = {
  vni: z.int().min(1).max(0xffffff).optional(),
  from: z.string().regex(/^host\d{1,4}$/, 'wanted a host such as host0'),
  to: z.string().regex(/^host\d{1,4}$/, 'wanted a host such as host1'),
};
const count = z.int().min(1).max(1e9).optional();
const seconds = z.number().positive().max(86_400).optional();
const rate = {
  perSecond: z.number().positive().max(50_000),
  count,
  seconds,
  onSeconds: seconds,
  offSeconds: seconds,
};
const port = z.int().min(1).max(65_535).optional();
const messageOctets = z.int().min(1).max(16_777_216);

/** What a traffic profile may hold; every number bounded, so that a typing error cannot drown a machine. */
export const TrafficProfileSchema: z.ZodType<TrafficProfile> = z.strictObject({
  title: z.string().min(1),
  streams: z
    .array(
      z.discriminatedUnion('kind', [
        z.strictObject({
          kind: z.literal('ping'),
          ...ends,
          size: z.int().min(0).max(65_507),
          perSecond: z.number().positive().max(500),
          count,
        }),
        z.strictObject({ kind: z.literal('udp'), ...ends, ...rate, size: z.int().min(0).max(65_507), port }),
        z.strictObject({
          kind: z.literal('bulk'),
          ...ends,
          octets: z.int().min(1).max(1e12),
          octetsPerSecond: z.number().positive().optional(),
          everySeconds: seconds,
          count,
          port,
        }),
        z.strictObject({
          kind: z.literal('requests'),
          ...ends,
          ...rate,
          requestOctets: messageOctets,
          responseOctets: messageOctets,
          port,
        }),
      ]),
    )
    .min(1)
    .max(400),
});

/** Names of the shipped profiles. */
export function profileNames(): string[] {
  return shippedNames(PROFILE_KIND);
}

/**
 * Reads a shipped profile by name or a file by path.
 * Throws LabError (`LAB_PROFILE`) naming every wrong field and the value found.
 */
export function loadProfile(nameOrPath: string): TrafficProfile {
  return readDocument(PROFILE_KIND, nameOrPath, TrafficProfileSchema);
}

/** Checks a profile made in memory the same way. */
export function checkProfile(name: string, raw: unknown): TrafficProfile {
  return checkDocument(PROFILE_KIND, name, TrafficProfileSchema, raw);
}
