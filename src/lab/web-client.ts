/**
 * Asks a web server: `node web-client.ts URL COUNT EVERY_MS`, COUNT 0 for ever; each request on a connection of its own. Says a
 * line of JSON per request, and gives up when two in a row have no answer.
 */
import { get } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

/** What came of one request. */
export interface WebAnswer {
  /** Of HTTP; 0 when there was no answer. */
  readonly status: number;
  /** What the server said, or why there was no answer. */
  readonly text: string;
}

const PATIENCE_MS = 8000;
/** So many requests without an answer one after the other end a count of them. */
const MOST_SILENT = 2;

/** By node:http and not by fetch, which takes seconds to load on an emulated machine. */
function asked(url: string): Promise<WebAnswer> {
  return new Promise((resolve) => {
    const failed = (error: Error): void => resolve({ status: 0, text: error.message });
    const options = { agent: false, signal: AbortSignal.timeout(PATIENCE_MS) };
    get(url, options, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: body.trim() }));
      response.on('error', failed);
    }).on('error', failed);
  });
}

if (import.meta.main) {
  const [url = '', count = '1', everyMs = '1000'] = process.argv.slice(2);
  let silent = 0;
  for (let i = 0; count === '0' || (i < Number(count) && silent < MOST_SILENT); i++) {
    if (i > 0) await pause(Number(everyMs));
    const answer = await asked(url);
    silent = answer.status === 0 ? silent + 1 : 0;
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}
