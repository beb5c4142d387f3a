/** The virtual networks of the agent's machine, asked for while somebody looks at them. */
import { useEffect, useState } from 'react';
import { type VirtualNetworks, VirtualNetworksSchema } from '../../src/query/index.ts';

/** What is known of them now. */
export interface KnownNetworks {
  /** The newest answer; it stays when asking fails. */
  readonly answer: VirtualNetworks | undefined;
  /** Why there is no newer one. */
  readonly problem: string | undefined;
}

/** Entries of each bridge: more can nobody look at, and a table may have many thousands. */
const MOST_ENTRIES = 500;

/** Between an answer and the next question. */
const PAUSE_MS = 1000;

const NOTHING: KnownNetworks = { answer: undefined, problem: undefined };

/** Asks every second as long as `isOn`, and the page is not hidden behind others. */
export function useNetworks(isOn: boolean): KnownNetworks {
  const [known, setKnown] = useState(NOTHING);
  useEffect(() => {
    if (!isOn) return;
    const gone = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const turn = async (): Promise<void> => {
      clearTimeout(timer);
      if (document.hidden) return;
      try {
        const answer = await askNetworks(gone.signal);
        if (!gone.signal.aborted) setKnown({ answer, problem: undefined });
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error);
        if (!gone.signal.aborted) setKnown((last) => ({ ...last, problem }));
      }
      if (!gone.signal.aborted) timer = setTimeout(turn, PAUSE_MS);
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
  }, [isOn]);
  return known;
}

async function askNetworks(signal: AbortSignal): Promise<VirtualNetworks> {
  const response = await fetch(`api/v1/vnet?entries=${MOST_ENTRIES}`, { signal, cache: 'no-store' });
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error((answer as { readonly error?: string }).error ?? response.statusText);
  const parsed = VirtualNetworksSchema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new Error(
    `the answer is not understood (${issue.path.join('.')}: ${issue.message}); reload the page`,
  );
}
