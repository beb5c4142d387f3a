/** The body of a request, within a bound. */
import type { IncomingMessage } from 'node:http';
import { Refusal } from './problem.ts';

/** Reads JSON. @throws Refusal 400, 413, 415, or 499 when the client went away before its end */
export async function readJson(incoming: IncomingMessage, mostOctets: number): Promise<unknown> {
  const type = incoming.headers['content-type'] ?? '';
  if (!/^application\/json *(;|$)/i.test(type))
    throw new Refusal(415, 'The body is to be JSON: Content-Type: application/json.');
  const octets = await readOctets(incoming, mostOctets);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(octets));
  } catch (error) {
    throw new Refusal(400, `The body is no JSON: ${(error as Error).message}`);
  }
}

function readOctets(incoming: IncomingMessage, mostOctets: number): Promise<Buffer> {
  const tooLarge = (): Refusal =>
    new Refusal(413, `The body is larger than ${mostOctets} octets.`, { Connection: 'close' });
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new Refusal(499, 'The client went away before the end of its body.'));
    if (incoming.destroyed) return gone();
    if (Number(incoming.headers['content-length'] ?? 0) > mostOctets) return reject(tooLarge());
    const pieces: Buffer[] = [];
    let octets = 0;
    const take = (piece: Buffer): void => {
      octets += piece.length;
      if (octets <= mostOctets) return void pieces.push(piece);
      incoming.off('data', take);
      reject(tooLarge());
    };
    incoming.on('data', take);
    incoming.once('end', () => resolve(Buffer.concat(pieces)));
    incoming.once('error', gone);
    incoming.once('close', gone);
  });
}
