/** Asking a lab's web server from a namespace, and what came of it. */
import { run } from './command.ts';
import { ownProgram } from './member.ts';
import type { WebAnswer } from './web-client.ts';

/**
 * Asks so many times, a second apart or as said.
 *
 * @returns nothing when each answer is `wanted`; else what was found, in words
 */
export async function webComplaint(
  namespace: string,
  address: string,
  {
    count,
    wanted,
    everyMs = 1000,
  }: { readonly count: number; readonly wanted: string; readonly everyMs?: number },
): Promise<string | undefined> {
  const { stdout, stderr } = await run('ip', [
    ...['netns', 'exec', namespace],
    ...ownProgram('web-client.ts', `http://${address}/`, String(count), String(everyMs)),
  ]);
  // Written by our own web-client.ts.
  const answers = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as WebAnswer);
  const good = answers.filter(({ status, text }) => status === 200 && text === wanted);
  if (good.length === count) return undefined;
  const bad = answers.find((answer) => !good.includes(answer));
  const first = bad === undefined ? stderr.trim() : `status ${bad.status}, "${bad.text}"`;
  return `${good.length} of ${count} answered "${wanted}", the first other: ${first}`;
}
