/** Asking the network functions of this machine how they are. */
import { ask, DaemonError, instanceNames, placeOf } from '../daemon/index.ts';
import { ratedNetworks } from '../live/index.ts';
import type { VirtualNetwork, VirtualNetworks } from '../query/index.ts';
import { VNET } from '../vnet/index.ts';

/** A function answers from memory and some maps; a page would rather see the others than wait longer for one. */
const PATIENCE_MS = 1000;
/** How long an answer is new. A little less than a page waits between two questions. */
const NEW_MS = 900;

/** What stands for all functions where nobody may even look which there are. */
const ALL = 'all';

/** Asks every function that runs here, or those that are named, all at once. Those that do not run are left out. */
export async function askNetworks(
  names: readonly string[] | undefined,
  { patienceMs = PATIENCE_MS }: { readonly patienceMs?: number } = {},
): Promise<VirtualNetworks> {
  const functions: VirtualNetwork[] = [];
  const unanswered: Unanswered[] = [];
  const found = await Promise.all((names ?? namesHere(unanswered)).map((name) => askOne(name, patienceMs)));
  for (const each of found) {
    if (each === undefined) continue;
    if ('reason' in each) unanswered.push(each);
    else functions.push(each);
  }
  return { nowMs: Date.now(), functions, unanswered };
}

type Unanswered = VirtualNetworks['unanswered'][number];

function namesHere(unanswered: Unanswered[]): string[] {
  try {
    return instanceNames('vnet');
  } catch (error) {
    if (!(error instanceof DaemonError)) throw error;
    unanswered.push({ name: ALL, reason: error.message });
    return [];
  }
}

async function askOne(name: string, patienceMs: number): Promise<VirtualNetwork | Unanswered | undefined> {
  try {
    return await ask(VNET, placeOf(name, 'vnet'), 'show', { patienceMs });
  } catch (error) {
    if (!(error instanceof DaemonError)) throw error;
    return error.code === 'DAEMON_NOT_RUNNING' ? undefined : { name, reason: error.message };
  }
}

/**
 * The functions of this machine for many who look: asked at most once a second, and only when somebody asks, with rates from one
 * answer to the next.
 */
export class NetworksSource {
  readonly #ask: () => Promise<VirtualNetworks>;
  readonly #nowMs: () => number;
  #last: { readonly answer: Promise<VirtualNetworks>; readonly atMs: number } | undefined;

  /** @param options.ask instead of asking this machine's @param options.nowMs a clock that only goes forward */
  constructor({
    ask = () => askNetworks(undefined),
    nowMs = () => performance.now(),
  }: {
    readonly ask?: () => Promise<VirtualNetworks>;
    readonly nowMs?: () => number;
  } = {}) {
    this.#ask = ask;
    this.#nowMs = nowMs;
  }

  /** The answer of now, or one that is younger than a second. */
  readonly networks = (): Promise<VirtualNetworks> => {
    const atMs = this.#nowMs();
    if (this.#last && atMs - this.#last.atMs < NEW_MS) return this.#last.answer;
    const before = this.#last?.answer;
    const answer = this.#askAnew(before);
    this.#last = { answer, atMs };
    return answer;
  };

  async #askAnew(before: Promise<VirtualNetworks> | undefined): Promise<VirtualNetworks> {
    const former = await before?.catch(() => undefined);
    const answer = await this.#ask();
    return { ...answer, functions: ratedNetworks(former?.functions ?? [], answer.functions) };
  }
}
