/** Can the numbers be trusted? Seen = recorded + ledger, added up since the start. */
import { columnWords, type FlowBatch, REMARK } from '../flow/index.ts';
import type { Exactness } from '../query/index.ts';

interface Sum {
  packets: bigint;
  octets: bigint;
}

const emptySum = (): Sum => ({ packets: 0n, octets: 0n });

/** Adds up epochs; frames and octets as the stack held them, over all observation points taken in. */
export class ExactnessSum {
  readonly #seen = emptySum();
  readonly #recorded = emptySum();
  readonly #overflow = emptySum();
  readonly #ledger = new Map<string, Sum>();

  /** @param isTaken whether the observation point `2 * ifindex + direction` is taken in */
  add(batch: FlowBatch, isTaken: (point: number) => boolean): void {
    for (const line of batch.seen) if (isTaken(2 * line.ifindex + line.direction)) addTo(this.#seen, line);
    for (const line of batch.ledger) {
      if (!isTaken(2 * line.ifindex + line.direction)) continue;
      const sum = this.#ledger.get(line.reason) ?? emptySum();
      addTo(sum, line);
      this.#ledger.set(line.reason, sum);
    }
    this.#addRecords(batch, isTaken);
  }

  #addRecords(batch: FlowBatch, isTaken: (point: number) => boolean): void {
    const { ifindex, direction, remark } = batch.columns;
    const octetWords = columnWords(batch.columns.octets);
    const packetWords = columnWords(batch.columns.packets);
    // Two limbs added apart: each stays far below 2^53, so the sums are exact.
    const all = new Float64Array(4);
    const overflow = new Float64Array(4);
    for (let row = 0; row < batch.length; row++) {
      if (!isTaken(2 * ifindex[row]! + direction[row]!)) continue;
      addLimbs(all, octetWords, packetWords, row);
      if (remark[row]! & REMARK.overflow) addLimbs(overflow, octetWords, packetWords, row);
    }
    addTo(this.#recorded, fromLimbs(all));
    addTo(this.#overflow, fromLimbs(overflow));
  }

  /** The exactness so far; ledger by octets, descending. */
  value(): Omit<Exactness, 'outside'> {
    const ledger = emptySum();
    for (const sum of this.#ledger.values()) addTo(ledger, sum);
    const unexplained = {
      packets: this.#seen.packets - this.#recorded.packets - ledger.packets,
      octets: this.#seen.octets - this.#recorded.octets - ledger.octets,
    };
    return {
      seen: toCount(this.#seen),
      recorded: toCount(this.#recorded),
      overflow: toCount(this.#overflow),
      ledger: [...this.#ledger]
        .map(([reason, sum]) => ({ reason, ...toCount(sum) }))
        .sort((a, b) => b.octets - a.octets || b.packets - a.packets || (a.reason < b.reason ? -1 : 1)),
      unexplained: toCount(unexplained),
    };
  }
}

function addTo(sum: Sum, line: Sum | { readonly packets: bigint; readonly octets: bigint }): void {
  sum.packets += line.packets;
  sum.octets += line.octets;
}

function addLimbs(sums: Float64Array, octets: Uint32Array, packets: Uint32Array, row: number): void {
  sums[0]! += octets[2 * row]!;
  sums[1]! += octets[2 * row + 1]!;
  sums[2]! += packets[2 * row]!;
  sums[3]! += packets[2 * row + 1]!;
}

function fromLimbs(sums: Float64Array): Sum {
  return {
    octets: BigInt(sums[0]!) + (BigInt(sums[1]!) << 32n),
    packets: BigInt(sums[2]!) + (BigInt(sums[3]!) << 32n),
  };
}

function toCount(sum: Sum): { packets: number; octets: number } {
  return { packets: Number(sum.packets), octets: Number(sum.octets) };
}
