import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { Duty, Worker } from './duty.ts';
import { emptyTally } from './ledger.ts';
import { paced } from './pace.ts';
import type { UdpStream } from './profile.ts';

/** Sends wait in the event loop only while the kernel's buffer is full; more than this many must not. */
const MOST_IN_FLIGHT = 64;
const RECEIVE_BUFFER_OCTETS = 4 * 1024 * 1024;

/** Opens the sending end of a UDP stream: bound and connected, so that only this stream's datagrams leave by it. */
export async function udpSender(duty: Duty, stream: UdpStream): Promise<Worker> {
  const tally = emptyTally();
  const socket = await bound(duty);
  socket.connect(duty.remote.port, duty.remote.address);
  await once(socket, 'connect');
  socket.on('error', () => {}); // an ICMP error; the send it came with is counted as refused
  const payload = Buffer.alloc(stream.size, `stream ${duty.id} `);
  let inFlight = 0;
  let landed = Promise.withResolvers<void>();
  const sent = (error: Error | null): void => {
    inFlight -= 1;
    if (error) tally.errors += 1;
    else {
      tally.sentMessages += 1;
      tally.sentOctets += stream.size;
    }
    if (inFlight === 0) landed.resolve();
  };
  return {
    tally,
    async run(signal) {
      await paced(stream, signal, () => {
        if (inFlight >= MOST_IN_FLIGHT) return false;
        inFlight += 1;
        socket.send(payload, sent);
        return true;
      });
      landed = Promise.withResolvers();
      if (inFlight > 0) await landed.promise;
    },
    close: () => socket.close(),
  };
}

/** Opens the receiving end of a UDP stream; datagrams of anybody but its sender are errors. */
export async function udpReceiver(duty: Duty): Promise<Worker> {
  const tally = emptyTally();
  const socket = await bound(duty);
  socket.on('error', () => {});
  // The kernel grants no more than net.core.rmem_max.
  socket.setRecvBufferSize(RECEIVE_BUFFER_OCTETS);
  socket.on('message', (payload, from) => {
    if (from.port !== duty.remote.port || from.address !== duty.remote.address) {
      tally.errors += 1;
      return;
    }
    tally.receivedMessages += 1;
    tally.receivedOctets += payload.length;
  });
  return { tally, run: () => Promise.resolve(), close: () => socket.close() };
}

async function bound(duty: Duty): Promise<Socket> {
  const socket = createSocket(isIPv6(duty.local.address) ? 'udp6' : 'udp4');
  socket.bind({ address: duty.local.address, port: duty.local.port, exclusive: true });
  await once(socket, 'listening');
  return socket;
}
