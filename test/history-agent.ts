/**
 * An agent with a history, in a process of its own: `node test/history-agent.ts CONFIGURATION HISTORY`. It says `ready` on
 * standard output when it meters, and ends by SIGTERM.
 */

import { runConfigured } from '../src/command/running.ts';
import { stopSignal } from '../src/command/stopping.ts';
import { readConfigFile, resolveConfiguration } from '../src/config/index.ts';
import { DuckDbStore } from '../src/store/index.ts';

const [configuration = '', path = ''] = process.argv.slice(2);
const store = await DuckDbStore.open({ path, intervalMs: 1000 });
using stopping = stopSignal();
let stored = Promise.resolve();
await runConfigured(resolveConfiguration({ file: readConfigFile(configuration) }).configuration, {
  teller: { say: (severity, line) => console.error(severity, line) },
  signal: stopping.signal,
  history: store,
  ready: () => console.log('ready'),
  epoch: (batch) => {
    // The batch is lent for the call.
    const own = structuredClone(batch);
    stored = stored.then(() => store.commit([own]));
  },
});
await stored;
await store.close();
