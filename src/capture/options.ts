/** Options of pcapng blocks: code, length, value, padding to four octets; code 0 ends them. */

const END = 0;

/** Where the value of an option lies. */
export interface Option {
  readonly code: number;
  readonly at: number;
  readonly length: number;
}

/**
 * Calls `take` for each option between `from` and `to`.
 * @returns false when an option runs over `to`; those before it have been taken.
 */
export function eachOption(
  view: DataView,
  { from, to, littleEndian }: { readonly from: number; readonly to: number; readonly littleEndian: boolean },
  take: (option: Option) => void,
): boolean {
  let at = from;
  while (to - at >= 4) {
    const code = view.getUint16(at, littleEndian);
    const length = view.getUint16(at + 2, littleEndian);
    if (code === END) return true;
    if (at + 4 + length > to) return false;
    take({ code, at: at + 4, length });
    at += 4 + length + (-length & 3);
  }
  return at >= to;
}
