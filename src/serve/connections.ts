/** The open connections: how many each client has, and how much it was sent that it has not taken yet. */
import type { Socket } from 'node:net';
import { clientOf } from './rate.ts';

/** Bounds of connections, together and of one address, so that it leaves some to others. */
export interface ConnectionLimits {
  readonly connections: number;
  readonly connectionsPerAddress: number;
  /** Requests on one connection that have no answer yet; one more closes it. */
  readonly requestsUnderWay: number;
  /** Octets that were answered and not taken; beyond them nothing more is answered. */
  readonly untaken: number;
  readonly untakenPerAddress: number;
}

/** Defaults of {@link ConnectionLimits}. */
export const CONNECTION_LIMITS: ConnectionLimits = {
  connections: 1024,
  connectionsPerAddress: 512,
  requestsUnderWay: 8,
  untaken: 128 * 2 ** 20,
  untakenPerAddress: 32 * 2 ** 20,
};

/** Keeps account of them. */
export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #open = new Map<string, Set<Socket>>();
  readonly #underWay = new WeakMap<Socket, number>();

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Takes one in, or closes it where its client has enough. */
  take(socket: Socket): void {
    const client = clientOf(socket.remoteAddress);
    const own = this.#open.get(client) ?? new Set();
    if (own.size >= this.#limits.connectionsPerAddress) return void socket.destroy();
    this.#open.set(client, own.add(socket));
    socket.once('close', () => {
      own.delete(socket);
      if (own.size === 0) this.#open.delete(client);
    });
  }

  /** Counts a request; when too many wait for their answers the connection is closed. @returns whether it is to be answered */
  begin(socket: Socket): boolean {
    const underWay = (this.#underWay.get(socket) ?? 0) + 1;
    this.#underWay.set(socket, underWay);
    if (underWay <= this.#limits.requestsUnderWay) return true;
    socket.destroy();
    return false;
  }

  /** Its answer is sent, or nobody waits for it. */
  end(socket: Socket): void {
    this.#underWay.set(socket, (this.#underWay.get(socket) ?? 1) - 1);
  }

  /** Whether a client, or all together, have left so much untaken that there is no room for more. */
  isFull(client: string): boolean {
    if (untaken(this.#open.get(client) ?? []) > this.#limits.untakenPerAddress) return true;
    let all = 0;
    for (const sockets of this.#open.values()) all += untaken(sockets);
    return all > this.#limits.untaken;
  }
}

function untaken(sockets: Iterable<Socket>): number {
  let octets = 0;
  for (const { writableLength } of sockets) octets += writableLength;
  return octets;
}
