/** A web server that answers with one word: `node web-server.ts WORD`, on port 80 of all addresses, until SIGTERM. */
import { createServer } from 'node:http';

const [word = ''] = process.argv.slice(2);
createServer((_, response) => {
  response.setHeader('Connection', 'close');
  response.end(`${word}\n`);
}).listen(80, () => process.stdout.write('listening\n'));
