/** Reverse DNS (RFC 1035 section 3.5, RFC 3596 section 2.5): asked for in the background, within bounds. */
import { Resolver } from 'node:dns/promises';
import { isIpv4Mapped } from '../flow/index.ts';
import { NamesError } from './error.ts';
import { printableName } from './printable.ts';

/** What is asked and kept. */
export interface ReverseLimits {
  /** Addresses remembered, with a name or without; who was not asked for longest is forgotten. */
  readonly kept: number;
  /** How long a name holds, and that there is none, milliseconds. */
  readonly nameMs: number;
  readonly noneMs: number;
  /** Questions under way, begun in a second, and waiting. */
  readonly underWay: number;
  readonly perSecond: number;
  readonly waiting: number;
  /** How long a server may take; asked again once. */
  readonly timeoutMs: number;
}

/** Defaults of {@link ReverseLimits}; docs/configuration.md says them. */
export const REVERSE_LIMITS: ReverseLimits = {
  kept: 10_000,
  nameMs: 3_600_000,
  noneMs: 300_000,
  underWay: 16,
  perSecond: 50,
  waiting: 2000,
  timeoutMs: 2000,
};

/** How it is set up. */
export interface ReverseOptions {
  readonly limits?: Partial<ReverseLimits>;
  /** As {@link Resolver.setServers} takes them; default: the system's. */
  readonly servers?: readonly string[];
  /** Told once when nobody answers. */
  readonly problem?: (error: Error) => void;
  /** Told when somebody answers again. */
  readonly recovered?: () => void;
  /** Milliseconds, only forward. */
  readonly clock?: () => number;
}

/** What is known of an address. */
export interface ReverseName {
  readonly name: string | undefined;
  /** It is being asked for; there may be a name later. */
  readonly isPending: boolean;
}

interface Known {
  readonly name: string | undefined;
  readonly untilMs: number;
}

/** Nobody said anything, which says nothing of the address. */
const SILENCE: ReadonlySet<string> = new Set(['ETIMEOUT', 'ECONNREFUSED', 'ENETUNREACH', 'EHOSTUNREACH']);
/** Servers are read anew from the system so often: it may have other ones by now. */
const RESOLVER_MS = 60_000;

/** Names that DNS has for addresses. It answers from memory; questions go out behind that. */
export class ReverseNames implements Disposable {
  readonly #limits: ReverseLimits;
  readonly #options: ReverseOptions;
  readonly #clock: () => number;
  /** In the order they were last asked for. */
  readonly #known = new Map<string, Known>();
  /** Text of addresses that wait, and the name each is asked by. */
  readonly #waiting = new Map<string, string>();
  readonly #underWay = new Set<string>();
  #resolver: Resolver | undefined;
  #resolverMs = 0;
  /** Questions that may be begun now, as of `#allowanceMs`. */
  #allowance: number;
  #allowanceMs: number;
  #timer: NodeJS.Timeout | undefined;
  #isSilent = false;
  #isClosed = false;

  constructor(options: ReverseOptions = {}) {
    this.#options = options;
    this.#limits = { ...REVERSE_LIMITS, ...options.limits };
    this.#clock = options.clock ?? (() => performance.now());
    this.#allowance = this.#limits.perSecond;
    this.#allowanceMs = this.#clock();
  }

  /** Addresses remembered. */
  get size(): number {
    return this.#known.size;
  }

  /** What is known of an address now; what is not, or not any more, is asked for. @param octets 16 */
  ask(key: string, octets: Uint8Array): ReverseName {
    const known = this.#known.get(key);
    if (known) {
      this.#known.delete(key);
      this.#known.set(key, known);
      if (known.untilMs > this.#clock()) return { name: known.name, isPending: false };
    }
    if (!this.#isClosed && !this.#underWay.has(key) && this.#waiting.size < this.#limits.waiting)
      this.#waiting.set(key, pointerName(octets));
    this.#begin();
    // A name that was there is there until it is known that it is not.
    return { name: known?.name, isPending: known?.name === undefined };
  }

  /** Names that are remembered, by the addresses they are of. */
  *known(): Iterable<readonly [key: string, name: string]> {
    for (const [key, { name }] of this.#known) if (name !== undefined) yield [key, name];
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#waiting.clear();
    this.#resolver?.cancel();
  }

  #begin(): void {
    const { underWay, perSecond } = this.#limits;
    const nowMs = this.#clock();
    const earned = ((nowMs - this.#allowanceMs) / 1000) * perSecond;
    this.#allowance = Math.min(perSecond, this.#allowance + earned);
    this.#allowanceMs = nowMs;
    for (const [key, pointer] of this.#waiting) {
      if (this.#underWay.size >= underWay) return;
      if (this.#allowance < 1) {
        this.#beginLater();
        return;
      }
      this.#allowance--;
      this.#waiting.delete(key);
      this.#underWay.add(key);
      void this.#resolve(key, pointer);
    }
  }

  #beginLater(): void {
    if (this.#timer || this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#begin();
    }, 1000 / this.#limits.perSecond).unref();
  }

  async #resolve(key: string, pointer: string): Promise<void> {
    try {
      const names = await this.#fresh().resolvePtr(pointer);
      // Servers turn the order of several names; the choice must not.
      const [name] = names.map((each) => printableName(each.replace(/\.$/, ''))).toSorted();
      this.#learn(key, name);
    } catch (error) {
      this.#fail(key, error as NodeJS.ErrnoException);
    } finally {
      this.#underWay.delete(key);
      if (!this.#isClosed) this.#begin();
    }
  }

  #fail(key: string, error: NodeJS.ErrnoException): void {
    if (this.#isClosed) return;
    if (!SILENCE.has(error.code ?? '')) {
      this.#learn(key, undefined);
      return;
    }
    this.#keep(key, this.#known.get(key)?.name, this.#limits.noneMs);
    if (this.#isSilent) return;
    this.#isSilent = true;
    const message = `no DNS server answers what addresses are called (${error.code}); they have no names of DNS`;
    this.#options.problem?.(new NamesError('NAMES_DNS', message, { cause: error }));
  }

  #learn(key: string, name: string | undefined): void {
    const { nameMs, noneMs } = this.#limits;
    this.#keep(key, name, name === undefined ? noneMs : nameMs);
    if (!this.#isSilent) return;
    this.#isSilent = false;
    this.#options.recovered?.();
  }

  #keep(key: string, name: string | undefined, forMs: number): void {
    this.#known.delete(key);
    this.#known.set(key, { name, untilMs: this.#clock() + forMs });
    if (this.#known.size > this.#limits.kept) this.#known.delete(this.#known.keys().next().value!);
  }

  #fresh(): Resolver {
    const nowMs = this.#clock();
    if (this.#resolver && (nowMs - this.#resolverMs < RESOLVER_MS || this.#underWay.size > 1))
      return this.#resolver;
    this.#resolver = new Resolver({ timeout: this.#limits.timeoutMs, tries: 2 });
    this.#resolverMs = nowMs;
    const { servers } = this.#options;
    if (servers) this.#resolver.setServers(servers);
    return this.#resolver;
  }
}

/** `1.0.0.10.in-addr.arpa`, or a digit a label under `ip6.arpa`. */
function pointerName(octets: Uint8Array): string {
  if (isIpv4Mapped(octets)) return `${octets.slice(12).toReversed().join('.')}.in-addr.arpa`;
  const digits = Buffer.from(octets).toString('hex');
  return `${[...digits].toReversed().join('.')}.ip6.arpa`;
}
