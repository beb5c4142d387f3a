/** VLAN tags: as people write them, and as the one word that the kernel keeps of a frame's (`bpf/vnet/gateway/tags.h`). */
import type { VirtualGateway } from '../query/index.ts';

/** One tag: VLAN 1…4094, priority 0…7, drop eligibility, ethertype 0x8100 or 0x88a8. */
export type Tag = NonNullable<VirtualGateway['clients'][number]['tags']>[number];

/** The tags of a frame, outermost first: one, or two (QinQ). */
export type TagStack = readonly Tag[];

/** Ethertypes: IEEE 802.1Q, 802.1ad. */
export const CUSTOMER_TAG = 0x8100;
export const SERVICE_TAG = 0x88a8;

/** The highest VLAN; 4095 is reserved (IEEE 802.1Q-2022, table 9-2). */
export const LAST_VID = 4094;
const SERVICE_BIT = 32n;
const COUNT_BIT = 34n;

/** The word of tags; 0 without any. */
export function tagWord(tags: TagStack): bigint {
  let word = BigInt(tags.length) << COUNT_BIT;
  for (const [i, { vid, pcp, dei, protocol }] of tags.entries()) {
    const tci = (pcp << 13) | (dei ? 1 << 12 : 0) | vid;
    word |= BigInt(tci) << BigInt(16 * i);
    if (protocol === SERVICE_TAG) word |= 1n << (SERVICE_BIT + BigInt(i));
  }
  return word;
}

/** The tags of a word; undefined for 0. */
export function tagsOf(word: bigint): TagStack | undefined {
  const count = Number((word >> COUNT_BIT) & 3n);
  if (count === 0) return undefined;
  return Array.from({ length: count }, (_, i) => {
    const tci = Number((word >> BigInt(16 * i)) & 0xffffn);
    const isService = ((word >> (SERVICE_BIT + BigInt(i))) & 1n) === 1n;
    return {
      vid: tci & 0xfff,
      pcp: tci >> 13,
      dei: (tci & 0x1000) !== 0,
      protocol: isService ? SERVICE_TAG : CUSTOMER_TAG,
    };
  });
}

/** The tags with which a VLAN, or an outer and an inner one, are usually sent: the outer of two as a service tag. */
export function usualTags(vids: readonly number[]): TagStack {
  return vids.map((vid, i) => ({
    vid,
    pcp: 0,
    dei: false,
    protocol: vids.length > 1 && i === 0 ? SERVICE_TAG : CUSTOMER_TAG,
  }));
}

/** `VLAN 5`, or `VLAN 100.5` for 5 within 100. */
export function vlanText(tags: TagStack): string {
  return `VLAN ${tags.map(({ vid }) => vid).join('.')}`;
}

/** VLANs in ranges: `5, 15, 100–200`. */
export function vidsText(vids: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < vids.length; ) {
    let end = i;
    while (vids[end + 1] === vids[end]! + 1) end++;
    parts.push(end === i ? `${vids[i]}` : `${vids[i]}${end === i + 1 ? ', ' : '–'}${vids[end]}`);
    i = end + 1;
  }
  return parts.join(', ');
}
