/** The virtual networks of the agent's machine, asked for while somebody looks at them. */
import { type VirtualNetworks, VirtualNetworksSchema } from '../../src/query/index.ts';
import { type Polled, usePolled } from './polled.ts';

/** What is known of them now. */
export type KnownNetworks = Polled<VirtualNetworks>;

/** Entries of each bridge: more can nobody look at, and a table may have many thousands. */
const MOST_ENTRIES = 500;
/** Between an answer and the next question, milliseconds. */
const pauseMs = (): number => 1000;

/** Asks every second as long as `isOn`. */
export function useNetworks(isOn: boolean): KnownNetworks {
  return usePolled(isOn ? `api/v1/vnet?entries=${MOST_ENTRIES}` : undefined, VirtualNetworksSchema, pauseMs);
}
