import type { Tally } from './ledger.ts';
import type { BulkStream, RequestStream, UdpStream } from './profile.ts';

/** An address and a port. */
export interface Socket {
  readonly address: string;
  readonly port: number;
}

/** One end of one stream, as the generator of a namespace is told it. `local.port` 0 is any. */
export interface Duty {
  readonly id: number;
  readonly role: 'send' | 'receive';
  readonly local: Socket;
  readonly remote: Socket;
  readonly stream: UdpStream | BulkStream | RequestStream;
}

/** What the generator is told, one JSON line each, in this order; `count` may come at any time. End of input ends it. */
export type Order =
  | { readonly order: 'open'; readonly duties: readonly Duty[] }
  | { readonly order: 'start' }
  | { readonly order: 'count' }
  | { readonly order: 'stop' }
  | { readonly order: 'finish' };

/**
 * What the generator says, one JSON line each: `ready` when all its sockets are open, `counted` every second and when
 * asked, `done` when its senders have nothing more to send, `finished` before it ends, `failed` instead of all that.
 */
export type Report =
  | { readonly report: 'ready' | 'done' }
  | {
      readonly report: 'counted' | 'finished';
      readonly tallies: readonly (readonly [number, Tally])[];
      readonly drops: number;
    }
  | { readonly report: 'failed'; readonly message: string };

/** One end of a stream at work. */
export interface Worker {
  readonly tally: Tally;
  /** Begins sending; resolves when there is nothing more to send or `signal` aborted, and what was begun is through. */
  run(signal: AbortSignal): Promise<void>;
  /** Closes the sockets. */
  close(): void;
}
