/** The metering thread's work: a Meter whose batches are handed over buffer by buffer. */
import { once } from 'node:events';
import type { MessagePort } from 'node:worker_threads';
import { batchBuffers, socketBuffers } from '../flow/index.ts';
import { KEEP } from './keep.ts';
import { Meter } from './meter.ts';
import type { MeterOptions } from './options.ts';
import { SocketWatch } from './socket-watch.ts';
import type { ThreadCommand, ThreadFailure, ThreadMessage } from './thread.ts';

/** Runs the meter until told to stop; every end, failures too, is told. */
export async function runThread(port: MessagePort, options: MeterOptions): Promise<void> {
  const stopping = new AbortController();
  const tell = (message: ThreadMessage, transfer: ArrayBuffer[] = []): void =>
    port.postMessage(message, transfer);
  port.on('message', (command: ThreadCommand) => {
    if (command === 'stop') stopping.abort();
    else if (command === 'keep') stopping.abort(KEEP);
  });
  try {
    using meter = await Meter.open(options, {
      interfaces: (interfaces) => tell({ type: 'interfaces', interfaces }),
      problem: (error) => tell({ type: 'problem', failure: failureOf(error) }),
    });
    using watch = new SocketWatch();
    const readSockets = (number: number): void => {
      try {
        const batch = watch.read();
        tell({ type: 'sockets', number, batch }, socketBuffers(batch));
      } catch (error) {
        tell({ type: 'no sockets', number, failure: failureOf(error) });
      }
    };
    port.on('message', (command: ThreadCommand) => {
      if (typeof command === 'string') return;
      if (command.type === 'settings') return meter.change(command.settings);
      if (command.type === 'sockets') return readSockets(command.number);
      const { number, rules } = command;
      meter.setRules(rules).then(
        () => tell({ type: 'rules', number, failure: undefined }),
        (error: unknown) => tell({ type: 'rules', number, failure: failureOf(error) }),
      );
    });
    tell({ type: 'ready', agent: meter.agent, interfaces: meter.interfaces });
    for await (const batch of meter.batches({ signal: stopping.signal })) {
      const answered = taken(port);
      tell({ type: 'batch', batch, cost: meter.cost }, batchBuffers(batch));
      await answered;
    }
    tell({ type: 'ended' });
  } catch (error) {
    tell({ type: 'failed', failure: failureOf(error) });
  }
  port.close();
}

async function taken(port: MessagePort): Promise<void> {
  for (;;) {
    const [command] = (await once(port, 'message')) as [ThreadCommand];
    if (command === 'taken') return;
  }
}

function failureOf(error: unknown): ThreadFailure {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), code: 'METER_THREAD' };
  const code = (error as { code?: unknown }).code;
  return {
    name: error.name,
    message: error.message,
    code: typeof code === 'string' ? code : 'METER_THREAD',
  };
}
