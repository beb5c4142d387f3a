/** What the agent tells when it is asked, asked for while somebody looks. */
import { useEffect, useState } from 'react';
import type { z } from 'zod';
import type { AnswerProblem } from './asking.ts';

/** What is known now. */
export interface Polled<Answer> {
  /** The newest answer; it stays when asking fails. */
  readonly answer: Answer | undefined;
  /** Why there is no newer one. */
  readonly problem: AnswerProblem | undefined;
}

const NOTHING = { answer: undefined, problem: undefined } as const;

/**
 * Asks again and again, as long as the page is not hidden behind others.
 *
 * @param path below the page's own address; undefined asks nothing
 * @param pauseOf milliseconds between an answer, or none, and the next question; always the same function
 */
export function usePolled<Schema extends z.ZodType>(
  path: string | undefined,
  schema: Schema,
  pauseOf: (answer: z.output<Schema> | undefined) => number,
): Polled<z.output<Schema>> {
  const [known, setKnown] = useState<Polled<z.output<Schema>>>(NOTHING);
  useEffect(() => {
    if (path === undefined) return;
    const gone = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const turn = async (): Promise<void> => {
      clearTimeout(timer);
      if (document.hidden) return;
      const next = await ask(path, schema, gone.signal);
      if (gone.signal.aborted) return;
      setKnown((last) => ({ answer: last.answer, problem: undefined, ...next }));
      timer = setTimeout(turn, pauseOf(next.answer));
    };
    const onSeen = (): void => {
      if (!document.hidden) void turn();
    };
    document.addEventListener('visibilitychange', onSeen);
    void turn();
    return () => {
      gone.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onSeen);
    };
  }, [path, schema, pauseOf]);
  return known;
}

/** Asks once; it never rejects. */
async function ask<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
  signal: AbortSignal,
): Promise<Partial<Polled<z.output<Schema>>>> {
  try {
    const response = await fetch(path, { signal, cache: 'no-store' });
    const answer: unknown = await response.json();
    if (!response.ok) {
      const { error = response.statusText, remedy } = answer as Partial<Record<'error' | 'remedy', string>>;
      return { problem: { status: response.status, message: error, remedy } };
    }
    const parsed = schema.safeParse(answer);
    if (parsed.success) return { answer: parsed.data };
    const issue = parsed.error.issues[0]!;
    const message = `the answer is not understood (${issue.path.join('.')}: ${issue.message})`;
    return { problem: { status: 0, message, remedy: 'reload the page' } };
  } catch (error) {
    return { problem: { status: 0, message: (error as Error).message, remedy: undefined } };
  }
}
