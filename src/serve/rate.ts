/** How often one client may ask: a token bucket each, in a table that cannot grow. */

/** So many per second in the long run, so many at once after a rest. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** Clients remembered; beyond them who was not heard of for longest is forgotten, and begins with a full bucket again. */
const MOST_CLIENTS = 4096;

interface Bucket {
  /** What is left, as of `atMs`. */
  left: number;
  atMs: number;
}

/** One bucket per client. */
export class RateLimiter {
  readonly #rate: Rate;
  readonly #nowMs: () => number;
  /** In the order they were last heard of. */
  readonly #buckets = new Map<string, Bucket>();

  /** @param nowMs a clock that only goes forward */
  constructor(rate: Rate, nowMs: () => number = () => performance.now()) {
    this.#rate = rate;
    this.#nowMs = nowMs;
  }

  /**
   * Takes from a client's bucket.
   *
   * @returns 0, or when it holds too little: whole seconds until it will hold enough. Then nothing is taken
   */
  take(client: string, cost = 1): number {
    const { perSecond, burst } = this.#rate;
    const atMs = this.#nowMs();
    const former = this.#buckets.get(client);
    const left = former ? Math.min(burst, former.left + ((atMs - former.atMs) / 1000) * perSecond) : burst;
    const isEnough = left >= cost;
    this.#buckets.delete(client);
    this.#buckets.set(client, { left: isEnough ? left - cost : left, atMs });
    if (this.#buckets.size > MOST_CLIENTS) this.#buckets.delete(this.#buckets.keys().next().value!);
    return isEnough ? 0 : Math.max(1, Math.ceil((Math.min(cost, burst) - left) / perSecond));
  }

  get size(): number {
    return this.#buckets.size;
  }
}

/** Who asks, for buckets: an IPv4 address, also where it is mapped, or the /64 of an IPv6 address, which is one customer's. */
export function clientOf(address: string | undefined): string {
  const bare = (address ?? '').toLowerCase().replace(/%.*$/, '');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(bare)?.[1];
  if (mapped !== undefined) return mapped;
  if (!bare.includes(':')) return bare;
  const [head = '', tail] = bare.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups =
    tail === undefined
      ? first
      : [...first, ...Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0'), ...last];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
