/** A web server that says who it is and who asked: `node web-server.ts WORD`, on port 80 of all IPv4 addresses, until SIGTERM. */
import { createServer } from 'node:http';

const [word = ''] = process.argv.slice(2);
createServer(({ socket }, response) => {
  response.setHeader('Connection', 'close');
  response.end(`${word} asked by ${socket.remoteAddress}\n`);
}).listen(80, '0.0.0.0', () => process.stdout.write('listening\n'));
