import { AssertionError } from 'node:assert';

/**
 * Compares what was measured with a capture, again where the machine was too busy for it: the capture's stamp and the hook's are
 * taken at two moments, and what lies between is the machine's; or the capture itself has lost packets. What is wrong fails
 * each time.
 *
 * @throws what the last attempt threw
 */
export async function attempts(compare: () => Promise<void>, most = 3): Promise<void> {
  for (let left = most; ; left--)
    try {
      await compare();
      return;
    } catch (error) {
      if (left <= 1 || !(error instanceof AssertionError)) throw error;
    }
}
