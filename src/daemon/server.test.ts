import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { z } from 'zod';
import { ask, ControlServer, InstanceLock, NO_WORDS, placeOf } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'tsqd-'));
process.env.RUNTIME_DIRECTORY = directory;
after(() => rmSync(directory, { recursive: true }));

const SLOW = { wait: { words: NO_WORDS, answer: z.string() } } as const;

test('work that nobody waits for any more is told so', async () => {
  const place = placeOf('slow');
  using _lock = InstanceLock.acquire(place, undefined);
  const begun = Promise.withResolvers<AbortSignal>();
  const answerer = {
    wait: (_words: unknown, { signal }: { readonly signal: AbortSignal }) => {
      begun.resolve(signal);
      return new Promise<string>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    },
  };
  await using _server = await ControlServer.open(place, undefined, { dialogue: SLOW, answerer });
  const gone = new AbortController();
  const asked = ask(SLOW, place, 'wait', { signal: gone.signal });
  const signal = await begun.promise;
  assert.equal(signal.aborted, false);
  const told = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  gone.abort();
  await assert.rejects(asked, { name: 'AbortError' });
  await told;
});
