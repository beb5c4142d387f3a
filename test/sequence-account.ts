/** The account of sequence numbers: as its C memory has it, and by a reference that keeps every number it ever saw. */

/** Counters of `struct sequence_counts`, in order: 64 bits each. */
const COUNTERS = [
  'received',
  'noSequence',
  'expected',
  'unique',
  'duplicates',
  'reordered',
  'extents',
  'late',
  'strays',
  'restarts',
  'otherSources',
  'reverseSteps',
  'smallSteps',
  'bigSteps',
] as const;

/** Its maxima, 32 bits each. */
const MAXIMA = ['mostExtent', 'longestRun'] as const;

/** What is counted for one way. */
export type Account = Record<(typeof COUNTERS)[number] | (typeof MAXIMA)[number], number>;

/** Reads `struct sequence_counts`. */
export function readAccount(view: DataView, offset: number): Account {
  const account = {} as Account;
  COUNTERS.forEach((name, i) => {
    account[name] = Number(view.getBigUint64(offset + 8 * i, true));
  });
  MAXIMA.forEach((name, i) => {
    account[name] = view.getUint32(offset + 8 * COUNTERS.length + 4 * i, true);
  });
  return account;
}

/** `struct jitter_counts` at the offset behind `struct sequence_counts`. */
export function readJitter(
  view: DataView,
  offset: number,
): { samples: number; sumNs: number; mostNs: number } {
  const word = (i: number): number => Number(view.getBigUint64(offset + 120 + 8 * i, true));
  return { samples: word(0), sumNs: word(1), mostNs: word(2) };
}

const WINDOW = 1024;
const WORD = 64;

/** Numbers one after the other, from the same beginning of a sender; carried on without end. */
interface Series {
  readonly first: number;
  readonly came: Set<number>;
  highest: number;
}

/** The reference: no window, no ring, no bits; whatever is asked is looked for among all numbers of a series. */
export class NaiveAccount {
  readonly account: Account = Object.fromEntries(
    [...COUNTERS, ...MAXIMA].map((name) => [name, 0]),
  ) as Account;
  readonly #modulus: number;
  readonly #mostAhead: number;
  readonly #threshold: number;
  readonly #finished: Series[] = [];
  #series: Series | undefined;
  #last = 0;
  #waiting: { readonly number: number; readonly isBehind: boolean } | undefined;

  constructor(bits: 16 | 32, threshold: number) {
    this.#modulus = 2 ** bits;
    this.#mostAhead = bits === 16 ? 3000 : 2 ** 20;
    this.#threshold = threshold;
  }

  /** Whether the latest number is not judged yet. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  add(number: number): void {
    const { account } = this;
    account.received++;
    if (this.#series === undefined) {
      this.#last = number;
      this.#begin(number);
      return;
    }
    const step = this.#distance(number, this.#last);
    this.#last = number;
    if (step < 0) account.reverseSteps++;
    else if (step > this.#threshold && step !== 1) account.bigSteps++;
    else if (step !== 1) account.smallSteps++;
    if (this.#waiting !== undefined) {
      const { number: first, isBehind } = this.#waiting;
      this.#waiting = undefined;
      if (this.#distance(number, first) === 1) {
        account.restarts++;
        this.#finished.push(this.#series);
        this.#begin(first);
        this.#series.came.add(first + 1);
        this.#series.highest = first + 1;
        account.expected++;
        account.unique++;
        return;
      }
      if (isBehind) account.late++;
      else account.strays++;
    }
    this.#place(number, this.#series);
  }

  /** The longest row of missing numbers of which it is settled that they are. */
  longestRun(): number {
    const rows = this.#finished.map((series) => missingRow(series, series.highest));
    if (this.#series) rows.push(missingRow(this.#series, windowOf(this.#series) - 1));
    return Math.max(0, ...rows);
  }

  #begin(first: number): asserts this is { readonly account: Account } {
    this.#series = { first, came: new Set([first]), highest: first };
    this.account.expected++;
    this.account.unique++;
  }

  #place(given: number, series: Series): void {
    const { account } = this;
    const ahead = this.#distance(given, series.highest);
    const number = series.highest + ahead;
    if (ahead > this.#mostAhead) {
      this.#waiting = { number: given, isBehind: false };
    } else if (ahead > 0) {
      series.came.add(number);
      series.highest = number;
      account.expected += ahead;
      account.unique++;
    } else if (number < Math.max(series.first, windowOf(series))) {
      this.#waiting = { number: given, isBehind: true };
    } else if (series.came.has(number)) {
      account.duplicates++;
    } else {
      series.came.add(number);
      account.unique++;
      account.reordered++;
      account.extents -= ahead;
      account.mostExtent = Math.max(account.mostExtent, -ahead);
    }
  }

  /** From one number to another the short way round. */
  #distance(to: number, from: number): number {
    const up = (((to - from) % this.#modulus) + this.#modulus) % this.#modulus;
    return up >= this.#modulus / 2 ? up - this.#modulus : up;
  }
}

/** The least number that the window has room for: it ends with the word of the highest. */
function windowOf({ highest }: Series): number {
  return (Math.floor(highest / WORD) + 1) * WORD - WINDOW;
}

function missingRow({ first, came }: Series, last: number): number {
  const seen = [...came].filter((number) => number <= last).sort((a, b) => a - b);
  let longest = 0;
  let before = first - 1;
  for (const number of [...seen, Math.max(last + 1, first)]) {
    longest = Math.max(longest, number - before - 1);
    before = number;
  }
  return longest;
}
