/** What could not be kept, summed per observation point: it becomes a line of the ledger. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { createColumns, type FlowBatch, type LedgerLine } from '../flow/index.ts';

/** Reason in the ledger: epochs that the journal had no room for until the store took them. */
export const DROPPED = 'history_dropped';

/** Points a tally tells apart; of the rest it is one sum, of the interface 0. */
const MAX_POINTS = 2048;
const REST = 'others';
/** Counters have 64 bits. */
const MOST = 2n ** 64n - 1n;

const count = z.string().regex(/^\d{1,20}$/);

/** As it is written down; 64-bit numbers as text. */
export const TallySchema = z.object({
  /** Random: the epoch that it becomes is told once, by (agent, 1). */
  agent: z.string(),
  startMs: z.number(),
  endMs: z.number(),
  epochs: z.number().int().min(1),
  points: z.array(
    z.object({
      ifindex: z.number().int(),
      direction: z.union([z.literal(0), z.literal(1)]),
      interfaceName: z.string(),
      primary: z.boolean(),
      packets: count,
      octets: count,
    }),
  ),
});
/** A sum of epochs. */
export type Tally = z.infer<typeof TallySchema>;

/** What of an epoch is left when it is dropped. */
export type DroppedEpoch = Pick<FlowBatch, 'startMs' | 'endMs' | 'seen' | 'points'> & {
  /** Whether it is a tally itself. */
  readonly isTally?: boolean;
};

/** Adds an epoch to a tally, or begins one. */
export function addToTally(tally: Tally | undefined, epoch: DroppedEpoch): Tally {
  const points = (tally?.points ?? []).map((each) => ({ ...each }));
  for (const { ifindex, direction, packets, octets } of epoch.seen) {
    const named = epoch.points.find((each) => each.ifindex === ifindex && each.direction === direction);
    let point = points.find((each) => each.ifindex === ifindex && each.direction === direction);
    if (!point && points.length >= MAX_POINTS)
      point = points.find((each) => each.ifindex === 0 && each.direction === direction);
    if (!point) {
      const isRest = points.length >= MAX_POINTS;
      point = {
        ifindex: isRest ? 0 : ifindex,
        direction,
        interfaceName: isRest ? REST : (named?.interfaceName ?? ''),
        primary: !isRest && (named?.primary ?? false),
        packets: '0',
        octets: '0',
      };
      points.push(point);
    }
    point.packets = summed(point.packets, packets);
    point.octets = summed(point.octets, octets);
  }
  return {
    agent: tally?.agent ?? randomBytes(8).toString('hex'),
    startMs: Math.min(tally?.startMs ?? Number.POSITIVE_INFINITY, epoch.startMs),
    endMs: Math.max(tally?.endMs ?? Number.NEGATIVE_INFINITY, epoch.endMs),
    epochs: (tally?.epochs ?? 0) + 1,
    points,
  };
}

/** Numbers that a file claims may be absurd; what is written must be readable all the same. */
function summed(text: string, more: bigint): string {
  const sum = BigInt(text) + more;
  return String(sum > MOST ? MOST : sum);
}

/** An epoch without records: all that was seen stands in the ledger as dropped. */
export function epochOfTally({ agent, startMs, endMs, points }: Tally): FlowBatch {
  const seen = points.map(({ ifindex, direction, packets, octets }) => ({
    ifindex,
    direction,
    packets: BigInt(packets),
    octets: BigInt(octets),
  }));
  const ledger: LedgerLine[] = seen.map((line) => ({ ...line, reason: DROPPED, level: 0 }));
  return {
    agent,
    epoch: 1,
    startMs,
    endMs,
    length: 0,
    columns: createColumns(0),
    points: points.map(({ ifindex, direction, interfaceName, primary }) => ({
      ifindex,
      direction,
      interfaceName,
      primary,
    })),
    seen,
    ledger,
    counters: [],
  };
}
