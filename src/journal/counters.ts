/** What interfaces counted themselves in an epoch, as a journal has it. What is read may be forged. */
import { z } from 'zod';
import type { CounterReading, FlowBatch } from '../flow/index.ts';

const count = z
  .string()
  .regex(/^\d{1,20}$/)
  .transform(BigInt)
  .refine((value) => value < 2n ** 64n);

/** Names of kinds of devices and of programs: of others, so that they are cut to what is shown of them. */
const name = z.string().transform((text) => text.slice(0, 64).replace(/[^\x20-\x7e]/g, '·'));
const names = z.array(name).transform((all) => all.slice(0, 64));
/** Packets, octets, dropped and waiting, before and after: short, for there are some of each interface in every epoch. */
const reading = z.tuple([count, count, count, count, count, count, count, count]).transform(
  ([packets, octets, dropped, waiting, ...later]): CounterReading => ({
    before: { packets, octets, dropped, waiting },
    after: { packets: later[0], octets: later[1], dropped: later[2], waiting: later[3] },
  }),
);

/** What interfaces counted themselves, as it is written down. */
export const CountersSchema = z.array(
  z.object({
    ifindex: z
      .number()
      .int()
      .min(0)
      .max(2 ** 32 - 1),
    direction: z.union([z.literal(0), z.literal(1)]),
    kind: name,
    begin: reading,
    end: reading.optional(),
    programs: z.object({ before: names, after: names }).optional(),
  }),
);

/** Those of a batch, to be written as JSON; 64-bit numbers become text there. */
export function writtenCounters(lines: FlowBatch['counters']): object[] {
  const written = ({ before, after }: CounterReading): bigint[] =>
    [before, after].flatMap(({ packets, octets, dropped, waiting }) => [packets, octets, dropped, waiting]);
  return lines.map(({ begin, end, ...line }) => ({
    ...line,
    begin: written(begin),
    ...(end && { end: written(end) }),
  }));
}
