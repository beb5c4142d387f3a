/**
 * A process with TCP sockets, told by lines what to do; each line is answered by one line. Connections are numbered from 0.
 *
 *     listen ADDRESS → listening PORT        connect ADDRESS PORT → connected NUMBER LOCALPORT
 *     write NUMBER OCTETS → written          end NUMBER, reset NUMBER → closed
 *
 * What it accepts it reads to the end, and then ends as well. It ends with its standard input.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

const connections: Socket[] = [];

async function obey(words: readonly string[]): Promise<string> {
  const [verb, first, second] = words;
  if (verb === 'listen') {
    const server = createServer((socket) => socket.on('error', () => undefined).resume());
    server.listen({ host: first!, port: 0, backlog: 511 });
    await once(server, 'listening');
    return `listening ${(server.address() as AddressInfo).port}`;
  }
  if (verb === 'connect') {
    const socket = connect({ host: first!, port: Number(second), noDelay: true });
    await once(socket, 'connect');
    connections.push(socket.resume());
    return `connected ${connections.length - 1} ${socket.localPort}`;
  }
  const socket = connections[Number(first)]!;
  if (verb === 'write') {
    socket.write(new Uint8Array(Number(second)));
    return 'written';
  }
  const closed = once(socket, 'close');
  if (verb === 'end') socket.end();
  else socket.resetAndDestroy();
  await closed;
  return 'closed';
}

for await (const line of createInterface(process.stdin)) console.log(await obey(line.split(' ')));
process.exit();
