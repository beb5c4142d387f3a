/** Which flow each packet belongs to: reproducible sequences. */

/** The n-th call gives the same number in every run (mulberry32). 0 ≤ value < 1. */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** 0 … count − 1, each once, in random order. */
export function permutation(count: number): Uint32Array {
  const random = generator(1);
  const numbers = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const kept = numbers[i]!;
    numbers[i] = numbers[j]!;
    numbers[j] = kept;
  }
  return numbers;
}

/** `length` draws from `flows` flows, all equally likely. */
export function uniform(flows: number, length: number): Uint32Array {
  const random = generator(2);
  return Uint32Array.from({ length }, () => Math.floor(random() * flows));
}

/** `length` draws from `flows` flows, the one of rank k with a weight of k^−exponent. */
export function zipf(flows: number, exponent: number, length: number): Uint32Array {
  const random = generator(3);
  const cumulative = new Float64Array(flows);
  let sum = 0;
  for (let rank = 0; rank < flows; rank++) {
    sum += (rank + 1) ** -exponent;
    cumulative[rank] = sum;
  }
  const flowOf = permutation(flows);
  return Uint32Array.from({ length }, () => flowOf[rankOf(random() * sum, cumulative)]!);
}

/** The first rank whose cumulative weight reaches `at`. */
function rankOf(at: number, cumulative: Float64Array): number {
  let low = 0;
  let high = cumulative.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cumulative[middle]! < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
