/** What every network function can do for whoever runs it, and what it says of itself in one way with all others. */
import { readdirSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { VirtualNetwork } from '../query/index.ts';
import type { Line } from './ledger.ts';

/** A network function in the kernel. Disposing it leaves it there; `remove` takes everything away that it made. */
export interface NetworkFunction extends Disposable {
  /** All it knows. */
  show(): VirtualNetwork;
  /**
   * Adds or removes what a request says, having checked it.
   *
   * @returns a line per thing that changed
   * @throws VnetError `VNET_CHANGE`; then nothing has changed
   */
  change(words: unknown): readonly string[] | Promise<readonly string[]>;
  /** Reads its files again; what cannot be read changes nothing. @returns as {@link change} */
  reload(): readonly string[] | Promise<readonly string[]>;
  /** Clears what has aged, and takes in what the kernel tells. Called every second. */
  tick(): void;
  remove(): void;
}

/** Something that a function tells once: a move, a refusal, a table that is full. */
export interface Told {
  readonly atMs: number;
  readonly kind: string;
  readonly words: string;
}

const KEPT_TELLINGS = 100;

/** What a function has told lately: the newest are kept for those who ask, and each is passed on. */
export class Tellings {
  readonly #kept: Told[] = [];
  readonly #tell: (told: Told) => void;

  constructor(tell: (told: Told) => void = () => undefined) {
    this.#tell = tell;
  }

  add(kind: string, words: string): void {
    const told = { atMs: Date.now(), kind, words };
    this.#kept.push(told);
    if (this.#kept.length > KEPT_TELLINGS) this.#kept.shift();
    this.#tell(told);
  }

  /** Oldest first. */
  list(): Told[] {
    return [...this.#kept];
  }
}

/** What every answer to `show` begins with. */
export type Head = Pick<
  VirtualNetwork,
  'name' | 'pid' | 'hostname' | 'namespace' | 'startedMs' | 'nowMs' | 'outcomes' | 'events'
>;

const STARTED_MS = Date.now();

/** The head of an answer. @param drops outcomes that are losses, by name */
export function headOf<Name extends string>(
  name: string,
  {
    ledger,
    drops,
    tellings,
  }: {
    readonly ledger: Readonly<Record<Name, Line>>;
    readonly drops: ReadonlySet<Name>;
    readonly tellings: Tellings;
  },
): Head {
  return {
    name,
    pid: process.pid,
    hostname: hostname(),
    namespace: namespaceName(),
    startedMs: STARTED_MS,
    nowMs: Date.now(),
    outcomes: Object.entries<Line>(ledger).map(([outcome, line]) => ({
      name: outcome.toLowerCase().replaceAll('_', '-'),
      isDrop: drops.has(outcome as Name),
      ...countOf(line),
    })),
    events: tellings.list(),
  };
}

/** Counts as an answer has them: exact up to 2^53. */
export function countOf({ packets, octets }: Line): { packets: number; octets: number } {
  return { packets: Number(packets), octets: Number(octets) };
}

const NAMESPACES = '/run/netns';

/** The name of the main thread's network namespace, or empty when `ip netns` has none for it. */
function namespaceName(): string {
  const { ino } = statSync('/proc/self/ns/net');
  try {
    return readdirSync(NAMESPACES).find((name) => statSync(join(NAMESPACES, name)).ino === ino) ?? '';
  } catch {
    return '';
  }
}
