/** As much of learned tables as somebody can look at: a table may have more addresses than a page can show each second. */
import type { VirtualNetworks } from './vnet.ts';

/** The same with at most so many entries of each bridge: those behind its own ports first, then those that were heard of last. */
export function withFewerEntries(networks: VirtualNetworks, most: number): VirtualNetworks {
  return {
    ...networks,
    functions: networks.functions.map((each) => {
      if (each.kind !== 'bridge' || each.entries.length <= most) return each;
      const isFar = ({ port }: (typeof each.entries)[number]): number => Number(port === null);
      const age = ({ idleMs }: (typeof each.entries)[number]): number => idleMs ?? Number.MAX_VALUE;
      const entries = each.entries.toSorted((x, y) => isFar(x) - isFar(y) || age(x) - age(y)).slice(0, most);
      return { ...each, entries, entriesLeftOut: each.entries.length - most };
    }),
  };
}
