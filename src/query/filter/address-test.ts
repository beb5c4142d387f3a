/** Tests of addresses, four words each. */
import { columnWords, KeyTable } from '../../flow/index.ts';
import { MAPPED_BITS, type Network, networkOctets } from './network.ts';
import type { AddressView, Views } from './views.ts';

/** Networks with the same mask: their first addresses are looked up, however many there are. */
interface Group {
  readonly mask: Uint32Array;
  readonly first: KeyTable;
  /** Spans the mapped IPv4 addresses as well, and does not mean them. */
  readonly isShortIpv6: boolean;
}

/** A test for addresses of a column in any of the networks. What it takes grows with their different prefixes. */
export function addressTest(
  view: AddressView,
  networks: readonly Network[],
): (views: Views, row: number) => boolean {
  const groups = groupsOf(networks);
  return (views, row) => {
    const column = views[view];
    const at = 4 * row;
    for (const { mask, first, isShortIpv6 } of groups) {
      const { probe } = first;
      for (let i = 0; i < 4; i++) probe[i] = column[at + i]! & mask[i]!;
      if (first.find() >= 0 && !(isShortIpv6 && isMapped(column, at))) return true;
    }
    return false;
  };
}

function groupsOf(networks: readonly Network[]): Group[] {
  const groups = new Map<number, Group>();
  for (const network of networks) {
    const { octets, mask, bits } = networkOctets(network);
    let group = groups.get(bits);
    if (!group) {
      group = { mask: columnWords(mask), first: new KeyTable(4), isShortIpv6: bits < MAPPED_BITS };
      groups.set(bits, group);
    }
    group.first.probe.set(columnWords(octets));
    group.first.intern();
  }
  return [...groups.values()];
}

/** The mapped prefix as words in the machine's order. */
const [MAPPED_0, MAPPED_1, MAPPED_2] = columnWords(
  Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0]),
);

function isMapped(column: Uint32Array, at: number): boolean {
  return column[at] === MAPPED_0 && column[at + 1] === MAPPED_1 && column[at + 2] === MAPPED_2;
}
