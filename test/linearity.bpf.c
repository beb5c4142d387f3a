// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Counts packets of which not all can be read at once, and the fewest octets that could. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct linearity {
	__u64 packets;
	__u64 scattered;
	__u64 shortest;
};

volatile struct linearity linearity = { .shortest = -1ull };

SEC("tc")
int look(struct __sk_buff *skb)
{
	__u64 linear = skb->data_end - skb->data;

	__sync_fetch_and_add(&linearity.packets, 1);
	if (linear < skb->len)
		__sync_fetch_and_add(&linearity.scattered, 1);
	if (linear < linearity.shortest)
		linearity.shortest = linear;
	return -1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
