/** What a test run may leave behind on the machine, and what it did leave. */
import { execFileSync } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { BpfError, tcxPrograms } from '../src/bpf/index.ts';

/** What stands on the machine, by what it is; each thing a text of its own. */
export interface Standing {
  readonly 'network namespace': readonly string[];
  readonly link: readonly string[];
  readonly attachment: readonly string[];
  readonly pin: readonly string[];
  readonly process: readonly string[];
}

/** Variable that every process of a run inherits; its value is the run's own. */
const RUN_VARIABLE = 'TUNNELSCOPE_TEST_RUN';
/** What goes away by itself (a namespace being dismantled, a browser's last child) has this long to do so. */
const GRACE_MS = 5_000;
const STEP_MS = 100;

/** Notes what stands when it is made, and says later what has come and stayed. */
export class LeakCheck {
  readonly #run = `${process.pid}-${Date.now()}`;
  readonly #before: Standing = standing(this.#run);

  /** What the run's first process must have in its environment, so that all its descendants are known. */
  get environment(): Readonly<Record<string, string>> {
    return { [RUN_VARIABLE]: this.#run };
  }

  /** One line for each thing that is there now, was not before, and stays. */
  async leftovers({ graceMs = GRACE_MS } = {}): Promise<string[]> {
    const deadlineMs = performance.now() + graceMs;
    for (;;) {
      const left = leftoversOf(this.#before, standing(this.#run));
      if (left.length === 0 || performance.now() > deadlineMs) return left;
      await delay(STEP_MS);
    }
  }
}

/** What stands now and did not before, as lines such as `network namespace ts-host0`. */
export function leftoversOf(before: Standing, now: Standing): string[] {
  return (Object.keys(now) as (keyof Standing)[]).flatMap((kind) => {
    const known = new Set(before[kind]);
    return now[kind].filter((name) => !known.has(name)).map((name) => `${kind} ${name}`);
  });
}

/** What stands now; of processes only those of `run`. */
function standing(run: string): Standing {
  const links = linksHere();
  return {
    'network namespace': names('/run/netns'),
    link: links.map(({ ifname }) => ifname),
    attachment: links.flatMap(attachments),
    pin: pins('/sys/fs/bpf'),
    process: processesOf(run),
  };
}

/** Pinned things alone: directories, and links to them, iproute2 makes there of its own accord. */
function pins(directory: string): string[] {
  return names(directory, { recursive: true }).filter((name) =>
    lstatSync(join(directory, name), { throwIfNoEntry: false })?.isFile(),
  );
}

interface Link {
  readonly ifname: string;
  readonly ifindex: number;
}

function linksHere(): Link[] {
  return JSON.parse(execFileSync('ip', ['-j', 'link', 'show'], { encoding: 'utf8' })) as Link[];
}

/** What is attached to an interface: tcx programs, the clsact qdisc and its filters. */
function attachments({ ifname, ifindex }: Link): string[] {
  const tc = (...words: string[]): string[] => {
    const text = execFileSync('tc', [...words, 'dev', ifname], { encoding: 'utf8', stdio: 'pipe' });
    return text.split('\n');
  };
  try {
    const qdiscs = tc('qdisc', 'show').filter((line) => line.startsWith('qdisc clsact'));
    return [
      ...qdiscs.map(() => `clsact qdisc of ${ifname}`),
      ...(['ingress', 'egress'] as const).flatMap((direction) => [
        ...tcx(ifindex, direction).map(
          ({ id, name }) => `tcx program ${name} (${id}) at ${direction} of ${ifname}`,
        ),
        ...(qdiscs.length === 0 ? [] : tc('filter', 'show', direction))
          .filter((line) => line.startsWith('filter'))
          .map((line) => `${line.trim()} at ${direction} of ${ifname}`),
      ]),
    ];
  } catch (error) {
    // The interface went away meanwhile: so did what was attached to it.
    if (linksHere().some((link) => link.ifindex === ifindex)) throw error;
    return [];
  }
}

function tcx(ifindex: number, direction: 'ingress' | 'egress'): ReturnType<typeof tcxPrograms> {
  try {
    return tcxPrograms({ ifindex, direction });
  } catch (error) {
    // A kernel without tcx, or a user who may not ask: then nobody attached by it here.
    if (error instanceof BpfError && ['EINVAL', 'EPERM'].includes(error.errnoName)) return [];
    throw error;
  }
}

/** Names in a directory; none when there is no such directory. */
function names(directory: string, options: { recursive?: boolean } = {}): string[] {
  try {
    return readdirSync(directory, { encoding: 'utf8', ...options });
  } catch (error) {
    if (['ENOENT', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}

/** The living processes that carry the run's variable, but this one: `4711 sleep 60`. */
function processesOf(run: string): string[] {
  const mark = `${RUN_VARIABLE}=${run}\0`;
  return names('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        if (!`${readFileSync(`/proc/${pid}/environ`, 'latin1')}\0`.includes(mark)) return [];
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return [`${pid} ${words.join(' ').trim().slice(0, 100)}`];
      } catch {
        // It ended meanwhile, or belongs to somebody else.
        return [];
      }
    });
}
