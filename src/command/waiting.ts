/** What is told while somebody waits at a terminal. */

/** Waits shorter than this are not told. */
const TOLD_MS = 500;

/** Waits for an answer; a line on standard error says how long, on a terminal only, and goes with it. */
export async function waited<Answer>(answer: Promise<Answer>): Promise<Answer> {
  const { stderr } = process;
  if (!stderr.isTTY) return answer;
  const started = performance.now();
  let isShown = false;
  const timer = setInterval(() => {
    const seconds = Math.floor((performance.now() - started) / 1000);
    stderr.write(`\rAsking for ${seconds} s; Ctrl-C ends it\x1b[K`);
    isShown = true;
  }, TOLD_MS);
  try {
    return await answer;
  } finally {
    clearInterval(timer);
    if (isShown) stderr.write('\r\x1b[2K');
  }
}
