/**
 * Sends UDP datagrams and counts them: ADDRESS FLOWS COUNT [PER_SECOND]. With a rate it sends until standard input ends. Each
 * flow has a destination port from 7000 on; at the end a line says what was sent to which.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

const [address, flows = '1', count = '1', perSecond] = process.argv.slice(2);
const sent: Record<number, { packets: number; payload: number }> = {};
const socket = createSocket('udp4');
socket.bind(6999);
await once(socket, 'listening');
let isOver = false;
if (perSecond !== undefined)
  process.stdin.resume().on('end', () => {
    isOver = true;
  });

function sendOne(number: number): Promise<void> {
  const port = 7000 + (number % Number(flows));
  const payload = Buffer.alloc(18 + (number % 1000));
  return new Promise((resolve, reject) =>
    socket.send(payload, port, address, (error) => {
      if (error) return reject(error);
      const { packets, payload: octets } = sent[port] ?? { packets: 0, payload: 0 };
      sent[port] = { packets: packets + 1, payload: octets + payload.byteLength };
      resolve();
    }),
  );
}

const TURN_MS = 5;
const startedMs = performance.now();
for (let number = 0; perSecond === undefined ? number < Number(count) : !isOver; ) {
  const due =
    perSecond === undefined
      ? Number(count)
      : Math.floor(((performance.now() - startedMs) / 1000) * Number(perSecond));
  for (; number < due; number++) await sendOne(number);
  if (perSecond !== undefined) await delay(TURN_MS);
}
socket.close();
console.log(JSON.stringify(sent));
