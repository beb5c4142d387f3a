/** The columns of a batch as what a filter reads: words for addresses and counters, so that no row allocates. */
import { columnWords, type FlowColumns } from '../../flow/index.ts';

/** Columns and their words: four a row of addresses, two a row of counters (low half first). */
export interface Views {
  readonly columns: FlowColumns;
  readonly source: Uint32Array;
  readonly destination: Uint32Array;
  readonly outerSource: Uint32Array;
  readonly outerDestination: Uint32Array;
  readonly wireOctets: Uint32Array;
  readonly wirePackets: Uint32Array;
  readonly payloadOctets: Uint32Array;
}

/** Address columns a filter reads. */
export type AddressView = 'source' | 'destination' | 'outerSource' | 'outerDestination';

/** The views of columns, as they are now. */
export function viewsOf(columns: FlowColumns): Views {
  return {
    columns,
    source: columnWords(columns.source),
    destination: columnWords(columns.destination),
    outerSource: columnWords(columns.outerSource),
    outerDestination: columnWords(columns.outerDestination),
    wireOctets: columnWords(columns.wireOctets),
    wirePackets: columnWords(columns.wirePackets),
    payloadOctets: columnWords(columns.payloadOctets),
  };
}
