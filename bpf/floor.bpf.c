// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The floor that bench/ measures the meter against: what the hook alone costs, and what parsing alone costs.
 *
 * Nothing is counted here and nothing outside bench/ loads this object.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "parse.h"

#define TC_ACT_UNSPEC (-1)

/* As the meter's; the benchmark sets the same ports. */
u8 tunnel_ports[65536];

/* Per CPU: the packet being parsed, as in the meter. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct packet);
} scratch SEC(".maps");

/* The hook and nothing else. */
SEC("tc")
int floor_empty(struct __sk_buff *skb __attribute__((unused)))
{
	return TC_ACT_UNSPEC;
}

/* All headers into the scratch packet, and no account of it. Reads the linear part only. */
SEC("tc")
int floor_parse(struct __sk_buff *skb)
{
	const struct window w = {
		.data = (const u8 *)(long)skb->data,
		.end = (const u8 *)(long)skb->data_end,
		.ports = tunnel_ports,
	};
	u32 zero = 0;
	struct packet *p = bpf_map_lookup_elem(&scratch, &zero);

	if (!p)
		return TC_ACT_UNSPEC;
	parse_packet(&w, p, skb->ifindex << 1, skb->len);
	return TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
