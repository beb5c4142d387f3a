/** The host's own TCP connections, as its kernel knows them: `/api/v1/connections`. */
import { z } from 'zod';

/** States of a socket that is told; `closed` since the reading before. */
export const CONNECTION_STATES = [
  'established',
  'syn-sent',
  'syn-received',
  'fin-wait-1',
  'fin-wait-2',
  'time-wait',
  'close',
  'close-wait',
  'last-ack',
  'listen',
  'closing',
  'closed',
] as const;
export type ConnectionState = (typeof CONNECTION_STATES)[number];

/** Most connections of an answer, and how many there are unless said otherwise. */
export const MAX_CONNECTIONS = 10_000;
export const USUAL_CONNECTIONS = 500;

const HostConnectionSchema = z.object({
  local: z.string(),
  localPort: z.number(),
  remote: z.string(),
  remotePort: z.number(),
  state: z.enum(CONNECTION_STATES),
  /** Payload per second since the reading before, octets; null at the first reading. */
  sendRate: z.number().nullable(),
  receiveRate: z.number().nullable(),
  /** Segments sent again per second since then. */
  retransmitRate: z.number().nullable(),
  /** Since the connection was made: payload, retransmissions included; acknowledged; in order. Octets. */
  sentOctets: z.number(),
  ackedOctets: z.number(),
  receivedOctets: z.number(),
  retransmittedOctets: z.number(),
  /** Segments sent again, and taken for lost. */
  retransmits: z.number(),
  lost: z.number(),
  /** Smoothed round-trip time and its mean deviation, least of the last five minutes, ms; null before a sample. */
  srttMs: z.number().nullable(),
  rttvarMs: z.number().nullable(),
  minRttMs: z.number().nullable(),
  /** Segments; `ssthresh` is null before the first loss. */
  cwnd: z.number(),
  ssthresh: z.number().nullable(),
  /** Octets. */
  mss: z.number(),
  /** Segments sent and not acknowledged. */
  unacked: z.number(),
});
/** A connection, from this host's end. */
export type HostConnection = z.output<typeof HostConnectionSchema>;

/** The answer. */
export const HostConnectionsSchema = z.object({
  /** When the kernel was read. */
  atMs: z.number(),
  /** Length of the time that rates are of, seconds; null at the first reading. */
  rateSeconds: z.number().nullable(),
  /** Connections that fit, listed or not. */
  count: z.number(),
  /** Sockets that found no room in the reading. */
  untold: z.number(),
  /** Those that send and receive most now, then those that did most so far. */
  connections: z.array(HostConnectionSchema),
});
export type HostConnections = z.output<typeof HostConnectionsSchema>;

/** Which are asked for. */
export interface ConnectionsQuestion {
  readonly limit: number;
  /** In the filter language; either way of a connection may fit. Empty: all. */
  readonly filter: string;
}

/** Answers from the kernel of this host. @throws an error with `code` and `remedy` where the kernel cannot */
export type AskConnections = (question: ConnectionsQuestion) => Promise<HostConnections>;
