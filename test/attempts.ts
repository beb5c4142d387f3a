import { AssertionError } from 'node:assert';

/**
 * Compares two clocks, again where the machine paused between them: the capture's stamp and the hook's are taken at two
 * moments, and what lies between is the machine's, not the meter's. What is wrong fails each time.
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
