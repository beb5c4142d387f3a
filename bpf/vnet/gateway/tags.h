/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * VLAN tags of a frame as one word, so that they are stored and read in one step; 0: none.
 *
 *   | 63 … 36: 0 | 35, 34: number of tags | 33: inner is 802.1ad | 32: outer is 802.1ad | 31 … 16: inner TCI | 15 … 0: outer TCI |
 *
 * A TCI is | PCP (3) | DEI (1) | VID (12) | (IEEE 802.1Q-2022, 9.6). A receiver has the outer tag beside the frame, where the
 * network card or the stack puts it, and the inner one within.
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "../../parse/packet.h"

#define TAG_OCTETS 4
#define MAX_TAGS 2
/* IEEE 802.1Q and 802.1ad, in network order. */
#define CUSTOMER_TAG 0x0081
#define SERVICE_TAG 0xa888

#define VID_MASK 0x0fff
#define SERVICE_BIT 32
#define COUNT_BIT 34
/* All but priority and drop eligibility: which VLAN it is. */
#define VLAN_MASK 0x0000000f0fff0fffULL

static __always_inline u32 tag_count(u64 tags)
{
	return tags >> COUNT_BIT & 3;
}

static __always_inline int is_same_vlan(u64 a, u64 b)
{
	return !((a ^ b) & VLAN_MASK);
}

static __always_inline int has_tag(const struct __sk_buff *skb)
{
	return skb->vlan_present || skb->protocol == CUSTOMER_TAG || skb->protocol == SERVICE_TAG;
}

/* Octets of the tag that the stack holds beside the frame: it is on the wire, but not in skb->len. */
static __always_inline u32 outside_octets(const struct __sk_buff *skb)
{
	return skb->vlan_present ? TAG_OCTETS : 0;
}

/* TCI of the outermost tag of a frame that has one; negative where it is cut off. */
static __always_inline int outer_tci(struct __sk_buff *skb)
{
	u16 tci;

	if (skb->vlan_present)
		return skb->vlan_tci & 0xffff;
	if (bpf_skb_load_bytes(skb, 14, &tci, sizeof(tci)) < 0)
		return -1;
	return __builtin_bswap16(tci);
}

/* Takes the outermost tag away and adds it to the word as its `place`-th. Negative: it could not. */
static __always_inline int pop_tag(struct __sk_buff *skb, u32 place, u64 *tags)
{
	u32 beside = skb->vlan_proto, within = skb->protocol, protocol;
	int tci = outer_tci(skb);

	/* Else clang makes one load of whichever member: "dereference of modified ctx ptr" (6.18). */
	asm volatile("" : "+r"(beside), "+r"(within));
	protocol = skb->vlan_present ? beside : within;
	if (tci < 0 || bpf_skb_vlan_pop(skb) < 0)
		return -1;
	*tags += (u64)(u32)tci << 16 * place;
	*tags += (u64)((protocol & 0xffff) == SERVICE_TAG) << (SERVICE_BIT + place);
	*tags += 1ULL << COUNT_BIT;
	return 0;
}

static __always_inline long push_tag(struct __sk_buff *skb, u32 place, u64 tags)
{
	u16 protocol = tags >> (SERVICE_BIT + place) & 1 ? SERVICE_TAG : CUSTOMER_TAG;

	return bpf_skb_vlan_push(skb, protocol, tags >> 16 * place & 0xffff);
}

/* Puts all of them on; negative where the kernel had no memory. */
static __always_inline long push_tags(struct __sk_buff *skb, u64 tags)
{
	if (tag_count(tags) > 1 && push_tag(skb, 1, tags) < 0)
		return -1;
	return push_tag(skb, 0, tags);
}
