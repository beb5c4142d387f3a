/** A machine in a network namespace that there is: with a BPF file system, instances and logs of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = new URL('..', import.meta.url).pathname;

/** What is mounted as on a host of its own, as long as the process lives. */
const MOUNTS =
  'mount -t sysfs sysfs /sys && mount -t bpf bpf /sys/fs/bpf && echo stands && exec sleep infinity';

/** A program that was begun. */
export interface Begun {
  readonly child: ChildProcess;
  /** What it has said by now, on both outputs. */
  said(): string;
}

/** Runs programs as on a host of its own, until disposed. */
export class Machine implements AsyncDisposable {
  readonly #holder: ChildProcess;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #directory: string;
  readonly #groups = new Set<number>();
  #count = 0;

  private constructor(holder: ChildProcess, directory: string) {
    this.#holder = holder;
    this.#directory = directory;
    this.#environment = {
      ...process.env,
      PATH: `${ROOT}:${process.env.PATH}`,
      COLUMNS: '120',
      RUNTIME_DIRECTORY: join(directory, 'run'),
      LOGS_DIRECTORY: join(directory, 'log'),
    };
  }

  /** @param directory for what it keeps; there may be others in it */
  static async open(namespace: string, directory: string): Promise<Machine> {
    const own = join(directory, `.${namespace}`);
    mkdirSync(own);
    const words = [`--net=/run/netns/${namespace}`, 'unshare', '--mount', 'sh', '-c', MOUNTS];
    const holder = spawn('nsenter', words, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(holder.stdout!, 'data');
    return new Machine(holder, own);
  }

  /** Begins a command in a directory; what it leaves in the background lives until this is disposed. */
  begin(command: string, cwd: string): Begun {
    const file = join(this.#directory, `said-${this.#count++}`);
    const said = openSync(file, 'a');
    const target = ['--target', String(this.#holder.pid), '--mount', '--net', '--wd=.'];
    const child = spawn('nsenter', [...target, 'sh', '-c', command], {
      cwd,
      detached: true,
      env: this.#environment,
      stdio: ['ignore', said, said],
    });
    closeSync(said);
    if (child.pid !== undefined) this.#groups.add(child.pid);
    return { child, said: () => readFileSync(file, 'utf8') };
  }

  /** Ends the instances that meter, then all that was begun. */
  async [Symbol.asyncDispose](): Promise<void> {
    await once(this.begin('tunnelscope stop --all', this.#directory).child, 'exit');
    for (const group of this.#groups) {
      try {
        process.kill(-group, 'SIGTERM');
      } catch {
        // All of it has ended.
      }
    }
    for (const group of this.#groups) await ended(group);
    this.#holder.kill();
    if (this.#holder.exitCode === null && this.#holder.signalCode === null) await once(this.#holder, 'exit');
  }
}

/** Waits until a group of processes has gone; after a while without asking it. */
async function ended(group: number): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    try {
      process.kill(-group, performance.now() < deadline ? 0 : 'SIGKILL');
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
