/** What of a uniflow's packets is kept beside their sums: lengths, flags, and what the first one had. */
import { type FlowColumns, freeBuffers } from '../flow/index.ts';

/** Octets of the two MACs of a uniflow. */
const MACS = 12;

/**
 * Columns by uniflow, since it was first seen: of the primary points where one of them saw it, else of all. Public to this
 * folder, as those of the uniflows are.
 */
export class UniflowDetails {
  tcpFlags: Uint16Array<ArrayBuffer>;
  shortest: Uint16Array<ArrayBuffer>;
  longest: Uint32Array<ArrayBuffer>;
  /** Of the first packet, as all that follows. */
  dscp: Uint8Array<ArrayBuffer>;
  outerSourcePort: Uint16Array<ArrayBuffer>;
  /** `2 * ifindex + direction` of where it was seen: where it leaves, as soon as it is seen there. */
  point: Uint32Array<ArrayBuffer>;
  /** Source, then destination. */
  macs: Uint8Array<ArrayBuffer>;

  constructor(capacity: number) {
    this.tcpFlags = new Uint16Array(capacity);
    this.shortest = new Uint16Array(capacity);
    this.longest = new Uint32Array(capacity);
    this.dscp = new Uint8Array(capacity);
    this.outerSourcePort = new Uint16Array(capacity);
    this.point = new Uint32Array(capacity);
    this.macs = new Uint8Array(MACS * capacity);
  }

  resize(capacity: number): void {
    this.tcpFlags = grown(this.tcpFlags, new Uint16Array(capacity));
    this.shortest = grown(this.shortest, new Uint16Array(capacity));
    this.longest = grown(this.longest, new Uint32Array(capacity));
    this.dscp = grown(this.dscp, new Uint8Array(capacity));
    this.outerSourcePort = grown(this.outerSourcePort, new Uint16Array(capacity));
    this.point = grown(this.point, new Uint32Array(capacity));
    this.macs = grown(this.macs, new Uint8Array(MACS * capacity));
  }

  /** Begins anew with a record. */
  begin(uniflow: number, columns: FlowColumns, row: number): void {
    this.tcpFlags[uniflow] = columns.tcpFlags[row]!;
    this.shortest[uniflow] = columns.shortest[row]!;
    this.longest[uniflow] = columns.longest[row]!;
    this.point[uniflow] = pointOf(columns, row);
    this.#takeFirst(uniflow, columns, row);
  }

  /** Adds a record. @param isFirst whether its first packet came before all others */
  add(uniflow: number, columns: FlowColumns, row: number, isFirst: boolean): void {
    this.tcpFlags[uniflow]! |= columns.tcpFlags[row]!;
    const shortest = columns.shortest[row]!;
    if (shortest < this.shortest[uniflow]!) this.shortest[uniflow] = shortest;
    const longest = columns.longest[row]!;
    if (longest > this.longest[uniflow]!) this.longest[uniflow] = longest;
    const point = pointOf(columns, row);
    if (point % 2 === 1 || this.point[uniflow]! % 2 === 0) this.point[uniflow] = point;
    if (isFirst) this.#takeFirst(uniflow, columns, row);
  }

  /** Takes a uniflow over from other columns. */
  copy(uniflow: number, from: UniflowDetails, other: number): void {
    this.tcpFlags[uniflow] = from.tcpFlags[other]!;
    this.shortest[uniflow] = from.shortest[other]!;
    this.longest[uniflow] = from.longest[other]!;
    this.dscp[uniflow] = from.dscp[other]!;
    this.outerSourcePort[uniflow] = from.outerSourcePort[other]!;
    this.point[uniflow] = from.point[other]!;
    for (let i = 0; i < MACS; i++) this.macs[MACS * uniflow + i] = from.macs[MACS * other + i]!;
  }

  /** Where the MACs of a uniflow stand, and those of its destination. */
  macsAt(uniflow: number): readonly [source: number, destination: number] {
    return [MACS * uniflow, MACS * uniflow + MACS / 2];
  }

  #takeFirst(uniflow: number, columns: FlowColumns, row: number): void {
    this.dscp[uniflow] = columns.dscp[row]!;
    this.outerSourcePort[uniflow] = columns.outerSourcePort[row]!;
    const [source, destination] = this.macsAt(uniflow);
    for (let i = 0; i < MACS / 2; i++) {
      this.macs[source + i] = columns.sourceMac[6 * row + i]!;
      this.macs[destination + i] = columns.destinationMac[6 * row + i]!;
    }
  }
}

function pointOf(columns: FlowColumns, row: number): number {
  return 2 * columns.ifindex[row]! + columns.direction[row]!;
}

/** Moves a column into a larger one. */
export function grown<
  Column extends
    | Uint8Array<ArrayBuffer>
    | Uint16Array<ArrayBuffer>
    | Uint32Array<ArrayBuffer>
    | Float64Array<ArrayBuffer>,
>(from: Column, into: Column): Column {
  into.set(from);
  freeBuffers([from.buffer]);
  return into;
}
