/** A network function that runs: its name, lock and control socket, its signals, its every second. */
import type { Command } from 'commander';
import { setNetworkNamespace } from '../bpf/index.ts';
import { parseInstance, parseNamespace } from '../config/index.ts';
import {
  type Answerer,
  ControlServer,
  type Identity,
  InstanceLock,
  leaveDirectory,
  ownIdentity,
  placeOf,
} from '../daemon/index.ts';
import type { VirtualNetwork } from '../query/index.ts';
import { type NetworkFunction, Tellings, VNET } from '../vnet/index.ts';
import { stopSignal } from './stopping.ts';
import { tellSystemd } from './systemd.ts';

/** The words that every `run` takes. */
export interface RunWords {
  readonly name: string;
  readonly netns?: string;
  readonly keep?: true;
}

const TICK_MS = 1000;

/** Adds them. @param name what it is called where nobody says */
export function addRunOptions(command: Command, name: string): Command {
  return command
    .option('--name <name>', 'of this instance', name)
    .option('--netns <name>', 'run in this network namespace (not by "ip netns exec", which hides pins)')
    .option('--keep', 'leave it in the kernel at the end: it forwards on until the next run takes it over');
}

/** What a function is opened with. */
export interface Opening {
  readonly name: string;
  readonly tellings: Tellings;
}

/**
 * Opens a function and runs it until it is stopped, by a signal or over the socket; then takes it away, or leaves it with
 * `--keep`. SIGHUP has it read its files again.
 *
 * @throws DaemonError when it runs already, and what `open` throws
 */
export async function runFunction(
  words: RunWords,
  open: (opening: Opening) => NetworkFunction | Promise<NetworkFunction>,
): Promise<void> {
  const name = parseInstance('--name', words.name);
  // The whole process is meant: nothing of it but the main thread has to do with the network.
  if (words.netns !== undefined) setNetworkNamespace(`/run/netns/${parseNamespace('--netns', words.netns)}`);
  const place = placeOf(name, 'vnet');
  await using stack = new AsyncDisposableStack();
  const lock = InstanceLock.acquire(place, undefined);
  stack.defer(() => leaveDirectory(place));
  stack.use(lock);
  using stopping = stopSignal();
  const tellings = new Tellings(({ words }) => say(words));
  const running = await open({ name, tellings });
  stack.use(running);
  if (!words.keep) stack.defer(() => running.remove());
  const stopped = new AbortController();
  const answerer = new FunctionAnswerer(running, stopped);
  stack.use(await ControlServer.open(place, undefined, { dialogue: VNET, answerer }));
  const ticking = setInterval(() => running.tick(), TICK_MS);
  stack.defer(() => clearInterval(ticking));
  const onHangUp = (): void => void reload(running);
  process.on('SIGHUP', onHangUp);
  stack.defer(() => void process.off('SIGHUP', onHangUp));
  say(`"${name}" forwards`);
  tellSystemd('forwarding');
  const signal = AbortSignal.any([stopping.signal, stopped.signal]);
  if (!signal.aborted)
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  say(words.keep ? `"${name}" goes, and what it set up stays` : `"${name}" stops, and takes all with it`);
}

class FunctionAnswerer implements Answerer<typeof VNET> {
  readonly #running: NetworkFunction;
  readonly #stopped: AbortController;

  constructor(running: NetworkFunction, stopped: AbortController) {
    this.#running = running;
    this.#stopped = stopped;
  }

  show(): VirtualNetwork {
    return this.#running.show();
  }

  ready(): Identity {
    return ownIdentity();
  }

  stop(): Identity {
    this.#stopped.abort();
    return ownIdentity();
  }

  async change(words: unknown): Promise<string[]> {
    const lines = [...(await this.#running.change(words))];
    for (const line of lines) say(line);
    return lines;
  }
}

async function reload(running: NetworkFunction): Promise<void> {
  try {
    const lines = await running.reload();
    for (const line of lines.length > 0 ? lines : ['Configuration read again; nothing changed']) say(line);
  } catch (error) {
    process.stderr.write(`Reloading failed, all stays as it was: ${(error as Error).message}\n`);
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
