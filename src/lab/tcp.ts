import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Duty, Worker } from './duty.ts';
import { emptyTally, type Tally } from './ledger.ts';
import { paced, wait } from './pace.ts';
import type { BulkStream, RequestStream } from './profile.ts';

const CHUNK = Buffer.alloc(64 * 1024, 'bulk ');

/** How long an end waits for the other's last octets before it gives the connection up. */
const PATIENCE_MS = 2000;

/** The sending end of TCP transfers: each has its own connection, and is over when the other end has read it all. */
export function bulkSender(duty: Duty, stream: BulkStream): Worker {
  const tally = emptyTally();
  return {
    tally,
    async run(signal) {
      const begin = performance.now();
      const transfers = stream.count ?? (stream.everySeconds === undefined ? 1 : Number.POSITIVE_INFINITY);
      for (let transfer = 0; transfer < transfers && !signal.aborted; transfer++) {
        if (stream.everySeconds !== undefined) {
          await wait(Math.max(0, begin + transfer * stream.everySeconds * 1000 - performance.now()), signal);
          if (signal.aborted) return;
        }
        await sendTransfer(duty, stream, tally, signal);
      }
    },
    close: () => {},
  };
}

async function sendTransfer(
  duty: Duty,
  stream: BulkStream,
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  const socket = connected(duty);
  const closed = closing(socket, tally);
  const begin = performance.now();
  const chunkOctets = Math.max(
    1,
    Math.min(CHUNK.length, Math.ceil((stream.octetsPerSecond ?? Number.POSITIVE_INFINITY) / 50)),
  );
  let written = 0;
  while (written < stream.octets && !signal.aborted && !socket.destroyed) {
    const chunk = CHUNK.subarray(0, Math.min(chunkOctets, stream.octets - written));
    const ahead = !socket.write(chunk);
    written += chunk.length;
    tally.sentOctets += chunk.length;
    if (ahead) await Promise.race([once(socket, 'drain', { signal }).catch(() => {}), closed]);
    if (stream.octetsPerSecond !== undefined) {
      await wait(begin + (written / stream.octetsPerSecond) * 1000 - performance.now(), signal);
    }
  }
  if (written === stream.octets) tally.sentMessages += 1;
  socket.end();
  if (signal.aborted) socket.setTimeout(PATIENCE_MS, () => socket.destroy());
  await closed;
}

/** The receiving end of TCP transfers: reads to the end, then closes, which tells the sender that all has arrived. */
export async function bulkReceiver(duty: Duty, stream: BulkStream): Promise<Worker> {
  const tally = emptyTally();
  return serving(duty, tally, (socket) => {
    let octets = 0;
    socket.on('data', (chunk) => {
      octets += chunk.length;
      tally.receivedOctets += chunk.length;
    });
    socket.on('end', () => {
      if (octets === stream.octets) tally.receivedMessages += 1;
      socket.end();
    });
  });
}

/** The asking end: one connection, one request at a time; a request that comes due while one is open waits for it. */
export function requestSender(duty: Duty, stream: RequestStream): Worker {
  const tally = emptyTally();
  const request = Buffer.alloc(stream.requestOctets, 'request ');
  return {
    tally,
    async run(signal) {
      const socket = connected(duty);
      const closed = closing(socket, tally);
      let missing = 0;
      const broken = new AbortController();
      void closed.then(() => broken.abort());
      socket.on('data', (chunk) => {
        tally.receivedOctets += chunk.length;
        missing -= chunk.length;
        if (missing > 0) return;
        tally.receivedMessages += 1;
        socket.emit('answered');
      });
      await paced(stream, AbortSignal.any([signal, broken.signal]), () => {
        if (missing > 0) return false;
        missing = stream.responseOctets;
        tally.sentMessages += 1;
        tally.sentOctets += request.length;
        socket.write(request);
        return true;
      });
      if (missing > 0) {
        const patience = AbortSignal.any([broken.signal, AbortSignal.timeout(PATIENCE_MS)]);
        await once(socket, 'answered', { signal: patience }).catch(() => {});
      }
      socket.end();
      socket.setTimeout(PATIENCE_MS, () => socket.destroy());
      await closed;
    },
    close: () => {},
  };
}

/** The answering end: a response for each complete request. */
export async function requestReceiver(duty: Duty, stream: RequestStream): Promise<Worker> {
  const tally = emptyTally();
  const response = Buffer.alloc(stream.responseOctets, 'response ');
  return serving(duty, tally, (socket) => {
    let octets = 0;
    socket.on('data', (chunk) => {
      tally.receivedOctets += chunk.length;
      octets += chunk.length;
      for (; octets >= stream.requestOctets; octets -= stream.requestOctets) {
        tally.receivedMessages += 1;
        tally.sentMessages += 1;
        tally.sentOctets += response.length;
        socket.write(response);
      }
    });
    socket.on('end', () => socket.end());
  });
}

function connected(duty: Duty): Socket {
  const socket = connect({
    host: duty.remote.address,
    port: duty.remote.port,
    localAddress: duty.local.address,
    noDelay: true,
  });
  return socket;
}

/** Resolves when the connection is gone; one that broke is an error. */
function closing(socket: Socket, tally: Tally): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.on('error', () => {
    tally.errors += 1;
  });
  socket.on('close', () => resolve());
  socket.resume();
  return promise;
}

async function serving(duty: Duty, tally: Tally, accept: (socket: Socket) => void): Promise<Worker> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    if (socket.remoteAddress !== duty.remote.address) {
      tally.errors += 1;
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {
      tally.errors += 1;
    });
    accept(socket);
  });
  server.listen({ host: duty.local.address, port: duty.local.port, exclusive: true });
  await once(server, 'listening');
  return {
    tally,
    run: () => Promise.resolve(),
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
