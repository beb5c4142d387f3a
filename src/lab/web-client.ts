/**
 * Asks a web server: `node web-client.ts URL COUNT EVERY_MS`, COUNT 0 for ever; each request on a connection of its own. Says a
 * line of JSON per request, and gives up when two in a row have no answer.
 */
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

async function asked(url: string): Promise<WebAnswer> {
  try {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(PATIENCE_MS),
      headers: { Connection: 'close' },
    });
    return { status: response.status, text: (await response.text()).trim() };
  } catch (error) {
    const { cause, message } = error as Error;
    return { status: 0, text: cause instanceof Error ? cause.message : message };
  }
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
