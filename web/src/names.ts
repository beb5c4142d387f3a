/** What addresses and segments are called: asked of the agent for what is on screen, in batches, and kept within bounds. */
import { MAX_NAMED, type Name, NamesAnswerSchema, SegmentIdSchema } from '../../src/query/index.ts';
import { backoffMs } from './freshness.ts';

/** What can be called something. */
export type Nameable = 'addresses' | 'segments';

/** Who says what something is called. */
export interface Naming {
  address(address: string): Name | undefined;
  segment(id: string): Name | undefined;
}

/** Nobody knows any name. */
export const NO_NAMES: Naming = { address: () => undefined, segment: () => undefined };

/** What the names need from their surroundings, so that tests can stand in for them. */
export interface NamesSurroundings {
  readonly fetch: typeof fetch;
  /** Milliseconds, only forward. */
  readonly nowMs: () => number;
  /** Does something after a while. @returns how it is called off */
  readonly later: (work: () => void, ms: number) => () => void;
}

/** What comes on screen together is asked for together, milliseconds. */
const GATHERED_MS = 40;
/** So long a name holds, or that there is none: files of names change while the page is open. */
export const HOLDS_MS = 60_000;
/** Whoever is asked is also asked for what holds no longer than this: names that came one by one are renewed together. */
export const AHEAD_MS = 20_000;
/** A name that may come is asked for after so long, then after twice as long, up to the second. */
const PENDING_MS = 1000;
const MOST_PENDING_MS = 16_000;
/** Names that are kept beside those on screen, of each kind. */
export const KEPT = 5000;
/** The longest that may be asked for, characters. */
const LONGEST = 64;

interface Known {
  readonly name: Name | undefined;
  /** When it is asked for again, if it is on screen then. */
  readonly dueMs: number;
  /** How often the answer was that a name may come. */
  readonly pending: number;
}

/** Names of addresses, or of segments. */
class Kept {
  /** How often each is on screen. */
  readonly #wanted = new Map<string, number>();
  /** In the order they were last answered. */
  readonly #known = new Map<string, Known>();

  get size(): number {
    return this.#known.size;
  }

  nameOf(text: string): Name | undefined {
    return this.#known.get(text)?.name;
  }

  /** @returns when it is to be asked for */
  want(text: string): number {
    this.#wanted.set(text, (this.#wanted.get(text) ?? 0) + 1);
    return this.#known.get(text)?.dueMs ?? 0;
  }

  release(text: string): void {
    const times = this.#wanted.get(text) ?? 0;
    if (times > 1) this.#wanted.set(text, times - 1);
    else this.#wanted.delete(text);
  }

  /** What is to be asked for now, no more than a question may hold. */
  due(nowMs: number): string[] {
    const due: string[] = [];
    for (const text of this.#wanted.keys()) {
      const { dueMs, pending } = this.#known.get(text) ?? { dueMs: 0, pending: 0 };
      if (dueMs > nowMs + (pending > 0 ? 0 : AHEAD_MS)) continue;
      if (due.push(text) === MAX_NAMED) break;
    }
    return due;
  }

  /** When something is to be asked for next. */
  nextMs(): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const text of this.#wanted.keys()) nextMs = Math.min(nextMs, this.#known.get(text)?.dueMs ?? 0);
    return nextMs;
  }

  /** @returns whether anything is called otherwise than before */
  learn(
    asked: readonly string[],
    names: Readonly<Record<string, Name>>,
    { pending, nowMs }: { readonly pending: ReadonlySet<string>; readonly nowMs: number },
  ): boolean {
    let isChanged = false;
    for (const text of asked) {
      const before = this.#known.get(text);
      const told = Object.hasOwn(names, text) ? names[text] : undefined;
      const name = isSameName(before?.name, told) ? before?.name : told;
      isChanged ||= name !== before?.name;
      const times = pending.has(text) ? (before?.pending ?? 0) + 1 : 0;
      const waitMs = times > 0 ? Math.min(MOST_PENDING_MS, PENDING_MS * 2 ** (times - 1)) : HOLDS_MS;
      this.#known.delete(text);
      this.#known.set(text, { name, dueMs: nowMs + waitMs, pending: times });
    }
    for (const text of this.#known.keys()) {
      if (this.#known.size <= KEPT + this.#wanted.size) break;
      if (!this.#wanted.has(text)) this.#known.delete(text);
    }
    return isChanged;
  }
}

/** Names as far as the agent told them. One question is under way at a time. */
export class KnownNames {
  readonly #around: NamesSurroundings;
  readonly #listeners = new Set<() => void>();
  readonly #kept: Readonly<Record<Nameable, Kept>> = { addresses: new Kept(), segments: new Kept() };
  #version = 0;
  #hasAddresses = false;
  #isAsking = false;
  #failures = 0;
  /** Not before this an agent is asked that gave no answer. */
  #restMs = 0;
  #planned: { readonly atMs: number; readonly callOff: () => void } | undefined;

  constructor(around: NamesSurroundings) {
    this.#around = around;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Another number after each change. */
  readonly version = (): number => this.#version;

  /** Whether any address was ever called something. */
  readonly hasAddresses = (): boolean => this.#hasAddresses;

  /** Names remembered, and that there is none. */
  get size(): number {
    return this.#kept.addresses.size + this.#kept.segments.size;
  }

  /** What it is called, as far as is known now; the same object until it is called otherwise. */
  nameOf(kind: Nameable, text: string): Name | undefined {
    return this.#kept[kind].nameOf(text);
  }

  /** Says what comes on screen: it is asked for as long as it stays. @returns how to say that it went away */
  want(kind: Nameable, texts: readonly string[]): () => void {
    const kept = this.#kept[kind];
    const wanted = texts.filter((text) => mayBeAsked(kind, text));
    let dueMs = Number.POSITIVE_INFINITY;
    for (const text of wanted) dueMs = Math.min(dueMs, kept.want(text));
    this.#plan(dueMs);
    return () => {
      for (const text of wanted) kept.release(text);
    };
  }

  #plan(dueMs: number): void {
    if (this.#isAsking || dueMs === Number.POSITIVE_INFINITY) return;
    const nowMs = this.#around.nowMs();
    const atMs = Math.max(dueMs, this.#restMs, nowMs + GATHERED_MS);
    if (this.#planned && this.#planned.atMs <= atMs) return;
    this.#planned?.callOff();
    this.#planned = { atMs, callOff: this.#around.later(() => void this.#ask(), atMs - nowMs) };
  }

  async #ask(): Promise<void> {
    this.#planned = undefined;
    const { addresses, segments } = this.#kept;
    const nowMs = this.#around.nowMs();
    const asked = { addresses: addresses.due(nowMs), segments: segments.due(nowMs) };
    if (asked.addresses.length + asked.segments.length > 0) {
      this.#isAsking = true;
      await this.#askAgent(asked);
      this.#isAsking = false;
    }
    this.#plan(Math.min(addresses.nextMs(), segments.nextMs()));
  }

  async #askAgent(asked: Readonly<Record<Nameable, readonly string[]>>): Promise<void> {
    try {
      const response = await this.#around.fetch('api/v1/names', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(asked),
        cache: 'no-store',
      });
      const isBusy = response.status === 429 || response.status >= 500;
      if (!response.ok)
        return this.#rest(isBusy ? Number(response.headers.get('retry-after')) * 1000 : HOLDS_MS);
      this.#learn(asked, NamesAnswerSchema.parse(await response.json()));
      this.#failures = 0;
    } catch {
      // Names are an addition: what shows figures says what is wrong with the agent.
      this.#rest(0);
    }
  }

  #rest(leastMs: number): void {
    this.#restMs = this.#around.nowMs() + Math.max(leastMs, backoffMs(++this.#failures));
  }

  #learn(
    asked: Readonly<Record<Nameable, readonly string[]>>,
    answer: ReturnType<typeof NamesAnswerSchema.parse>,
  ): void {
    const told = { pending: new Set(answer.pending), nowMs: this.#around.nowMs() };
    const isOther = [
      this.#kept.addresses.learn(asked.addresses, answer.addresses, told),
      this.#kept.segments.learn(asked.segments, answer.segments, told),
    ];
    if (!isOther.includes(true)) return;
    this.#hasAddresses ||= Object.keys(answer.addresses).length > 0;
    this.#version++;
    for (const listener of [...this.#listeners]) listener();
  }
}

function mayBeAsked(kind: Nameable, text: string): boolean {
  if (kind === 'segments') return SegmentIdSchema.safeParse(text).success;
  return text.length <= LONGEST && /[.:]/.test(text);
}

function isSameName(x: Name | undefined, y: Name | undefined): boolean {
  return x?.name === y?.name && x?.from === y?.from && x?.network === y?.network;
}
