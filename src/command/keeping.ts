/** Keeping what is metered: the agent's journal, and the store behind it. */
import { join } from 'node:path';
import type { AgentHistory } from '../agent.ts';
import type { HistoryConfig } from '../config/index.ts';
import type { DuckDbStore } from '../store/index.ts';
import type { AskedHistory } from './history-answers.ts';
import type { Teller } from './running.ts';

/** Name of the store in a history's directory. */
export const STORE_FILE = 'history.duckdb';

/** A history that is being written. */
export interface KeptHistory extends AskedHistory {
  readonly agent: AgentHistory;
}

/** How the agent keeps a history. */
export function keepingOf(config: HistoryConfig, teller: Teller): KeptHistory {
  const { directory, intervalMs, retention, maxOctets, maxSpoolOctets } = config;
  let store: DuckDbStore | undefined;
  return {
    directory,
    agent: {
      directory,
      intervalMs,
      maxSpoolOctets,
      openStore: async () => {
        // Loaded only here: who keeps no history does without.
        const { DuckDbStore } = await import('../store/index.ts');
        store = await DuckDbStore.open({
          path: join(directory, STORE_FILE),
          intervalMs,
          retention,
          maxOctets,
          listener: {
            gaveUp: (level, beforeMs, why) =>
              teller.say('info', describeLoss(level, beforeMs, why), { level, beforeMs, why }),
            failed: (error) => teller.say('warn', `Problem: ${error.message}`, { code: error.code }),
          },
        });
        return store;
      },
    },
    store: () => store,
  };
}

function describeLoss(level: string, beforeMs: number, why: 'age' | 'size'): string {
  const reason = why === 'age' ? 'older than is to be kept' : 'there is no more room';
  return `Rows of "${level}" before ${new Date(beforeMs).toISOString()} are gone: ${reason}`;
}
