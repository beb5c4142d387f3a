// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The relay: cables made of BPF. What comes in at one interface goes out at another, unaltered and uncopied. A topology is
 * joined out of bridges, routers and hosts by such pairs.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
#include "../parse/packet.h"

enum outcome {
	RELAYED,
	NOT_CONNECTED, /* the interface is at no cable */
	REDIRECT_FAILED,
	OUTCOME_COUNT,
};

#include "ledger.h"

enum outcome *unused_outcome __attribute__((unused));

/* Where what an interface receives goes, and how much of it went there, by what it is. */
struct cable {
	u32 ifindex;
	u32 pad;
	struct line ipv4;
	struct line ipv6;
	struct line arp;
	struct line other;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u32); /* interface that receives */
	__type(value, struct cable);
} cables SEC(".maps");

static __always_inline struct line *line_of(struct cable *cable, const struct __sk_buff *skb)
{
	switch (__builtin_bswap16((u16)skb->protocol)) {
	case 0x0800:
		return &cable->ipv4;
	case 0x86dd:
		return &cable->ipv6;
	case 0x0806:
		return &cable->arp;
	}
	return &cable->other;
}

SEC("tc")
int ts_relay(struct __sk_buff *skb)
{
	struct wire wire = wire_of(skb);
	u32 ifindex = skb->ifindex;
	struct cable *cable = bpf_map_lookup_elem(&cables, &ifindex);
	int verdict;

	if (!cable)
		return ended(NOT_CONNECTED, wire, TC_ACT_SHOT);
	verdict = bpf_redirect(cable->ifindex, 0);
	if (verdict != TC_ACT_REDIRECT)
		return ended(REDIRECT_FAILED, wire, TC_ACT_SHOT);
	add_shared_line(line_of(cable, skb), wire);
	return ended(RELAYED, wire, verdict);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
