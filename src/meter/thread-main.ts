/** What runs in the metering thread: a Meter whose batches are handed over buffer by buffer. */
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { transferables } from '../flow/index.ts';
import { Meter, type MeterOptions } from './meter.ts';
import type { ThreadCommand, ThreadFailure, ThreadMessage } from './thread.ts';

const port = parentPort!;
const stopping = new AbortController();

function tell(message: ThreadMessage, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

function failureOf(error: unknown): ThreadFailure {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), code: 'METER_THREAD' };
  const code = (error as { code?: unknown }).code;
  return { name: error.name, message: error.message, code: typeof code === 'string' ? code : 'METER_THREAD' };
}

port.on('message', (command: ThreadCommand) => {
  if (command === 'stop') stopping.abort();
});

async function taken(): Promise<void> {
  for (;;) {
    const [command] = (await once(port, 'message')) as [ThreadCommand];
    if (command === 'taken') return;
  }
}

try {
  using meter = await Meter.open(workerData as MeterOptions, {
    interfaces: (interfaces) => tell({ type: 'interfaces', interfaces }),
    problem: (error) => tell({ type: 'problem', failure: failureOf(error) }),
  });
  tell({ type: 'ready', agent: meter.agent, interfaces: meter.interfaces });
  for await (const batch of meter.batches({ signal: stopping.signal })) {
    const answered = taken();
    tell({ type: 'batch', batch }, transferables(batch.columns));
    await answered;
  }
  tell({ type: 'ended' });
} catch (error) {
  tell({ type: 'failed', failure: failureOf(error) });
}
port.close();
