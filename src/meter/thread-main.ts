/** Where the metering thread starts: with the compiled sources the process keeps, then its work. */
import { enableCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import type { ThreadStart } from './thread.ts';

const { options, compileCache } = workerData as ThreadStart;
if (compileCache !== undefined) enableCompileCache(compileCache);
const { runThread } = await import('./thread-loop.ts');
await runThread(parentPort!, options);
