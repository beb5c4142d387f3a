/** What of an epoch is in no flow, by reason, on the wire. */
import type { FlowBatch } from '../flow/index.ts';
import type { Count, ResultTable } from '../query/index.ts';

/** Sums by reason. */
export type LedgerSums = ReadonlyMap<string, Count>;

/** @param isTaken whether the observation point `2 * ifindex + direction` is taken in */
export function ledgerOf({ ledger }: FlowBatch, isTaken: (point: number) => boolean): LedgerSums {
  const taken = ledger.filter(({ ifindex, direction }) => isTaken(2 * ifindex + direction));
  return joinLedgers(
    taken.map(({ reason, packets, octets, wire = { packets, octets } }) => {
      return new Map([[reason, { octets: Number(wire.octets), packets: Number(wire.packets) }]]);
    }),
  );
}

/** All of several. */
export function joinLedgers(ledgers: Iterable<LedgerSums>): LedgerSums {
  const sums = new Map<string, Count>();
  for (const ledger of ledgers)
    for (const [reason, { octets, packets }] of ledger) {
      const sum = sums.get(reason) ?? { octets: 0, packets: 0 };
      sums.set(reason, { octets: sum.octets + octets, packets: sum.packets + packets });
    }
  return sums;
}

/** As a table has them: by reason. */
export function ledgerLines(ledger: LedgerSums): ResultTable['ledger'] {
  return [...ledger]
    .map(([reason, sums]) => ({ reason, ...sums }))
    .sort((a, b) => (a.reason < b.reason ? -1 : 1));
}
