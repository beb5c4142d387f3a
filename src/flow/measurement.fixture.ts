/** For tests: measurements from plain numbers, of the records of a batch. */
import { createColumns, type FlowBatch } from './batch.ts';
import { createConnectionColumns } from './connection.ts';
import { createMeasuredColumns, HISTOGRAM_PLACES, SEQUENCE_FIELDS, TCP_FIELDS } from './measurement.ts';

/** What was measured of a record; what is not said is zero. */
export interface MeasuredWords {
  readonly sequence?: Readonly<Partial<Record<keyof typeof SEQUENCE_FIELDS, number>>> | undefined;
  readonly tcp?: Readonly<Partial<Record<keyof typeof TCP_FIELDS, number>>> | undefined;
  /** Place of the histogram that its round trips are in; usual are those of a millisecond, from 786,432 ns on. */
  readonly place?: number;
}

const MILLISECOND_PLACE = 24;

/** The batch with measurements of its records, in their order. @param what is measured */
export function withMeasurements(
  batch: FlowBatch,
  all: readonly MeasuredWords[],
  { sequence = true, tcp = true }: { readonly sequence?: boolean; readonly tcp?: boolean } = {},
): FlowBatch {
  const columns = {
    sequence: createMeasuredColumns(SEQUENCE_FIELDS, batch.length),
    tcp: createMeasuredColumns(TCP_FIELDS, batch.length),
  };
  for (const [row, words] of all.entries()) {
    for (const what of ['sequence', 'tcp'] as const)
      for (const [name, value] of Object.entries(words[what] ?? {})) {
        const column = columns[what][name as never] as BigUint64Array | Uint32Array;
        Object.assign(column, { [row]: column instanceof BigUint64Array ? BigInt(value) : value });
      }
    const place = words.place ?? MILLISECOND_PLACE;
    columns.tcp.roundTripHistogram[row * HISTOGRAM_PLACES + place] = words.tcp?.roundTrips ?? 0;
  }
  const connections = { length: 0, flows: createColumns(0), columns: createConnectionColumns(0) };
  return {
    ...batch,
    measurements: {
      length: batch.length,
      flows: batch.columns,
      connections,
      unmeasuredPackets: 0,
      ...(sequence && { sequence: columns.sequence }),
      ...(tcp && { tcp: columns.tcp }),
    },
  };
}
