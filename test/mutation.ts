/** Octets nobody planned: random frames, and frames that were sound before. */

const ETHERTYPES = [0x0800, 0x86dd, 0x0806, 0x8100, 0x88a8, 0x9100, 0x8847, 0x8864, 0x894f];
/** No frame made here is longer. */
export const LONGEST_FRAME = 2_112;

/** Gives 32 random bits each time. */
export type RandomBits = () => number;

/** Mulberry32: 32 random bits from a counter. */
export function randomBits(from: number): RandomBits {
  let state = from;
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return (bits ^ (bits >>> 14)) >>> 0;
  };
}

/** Random frames; each is lent until the next. */
export function randomFrames(random: RandomBits): () => Uint8Array {
  const buffer = new Uint8Array(512);
  return () => {
    const frame = buffer.subarray(0, 14 + (random() % 200));
    for (let i = 0; i < frame.length; i++) frame[i] = random();
    // Of all ethertypes only a few are read further, and of all first octets of IP.
    if (random() & 7) {
      const type = ETHERTYPES[random() % ETHERTYPES.length]!;
      frame[12] = type >> 8;
      frame[13] = type & 255;
      if (type === 0x0800 && random() & 7) frame[14] = 0x45;
      if (type === 0x86dd && random() & 7) frame[14] = 0x60;
    }
    return frame;
  };
}

/** Frames of `origins` with up to six changes; each is lent until the next. */
export function mutatedFrames(random: RandomBits, origins: readonly Uint8Array[]): () => Uint8Array {
  const buffer = new Uint8Array(LONGEST_FRAME);
  return () => {
    const origin = origins[random() % origins.length]!;
    buffer.set(origin);
    let length = origin.byteLength;
    for (let changes = random() % 6; changes >= 0; changes--) {
      const at = random() % length;
      const kind = random() % 8;
      if (kind < 3) buffer[at] = random();
      else if (kind < 5) buffer[at]! ^= 1 << (random() & 7);
      else if (kind === 5) buffer[at] = random() & 1 ? 0xff : 0;
      else if (kind === 6) length = Math.max(14, at);
      else {
        // Part of another frame in the midst of this one.
        const other = origins[random() % origins.length]!;
        const from = random() % other.byteLength;
        buffer.set(other.subarray(from, from + (random() % 64)), at);
        length = Math.max(length, Math.min(at + 64, 1024));
      }
    }
    return buffer.subarray(0, length);
  };
}
