// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Bad cables for kernels without netem: of larger packets they lose one in sixteen, and repeat another, at random. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#define SPOILT_OF 16
#define LARGER_THAN 300
/* On the copy, which comes by here as well. */
#define COPIED 0x5b01

SEC("loses")
int lose(struct __sk_buff *skb)
{
	return skb->len > LARGER_THAN && bpf_get_prandom_u32() % SPOILT_OF == 0 ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

SEC("spoils")
int spoil(struct __sk_buff *skb)
{
	__u32 chance;

	if (skb->mark == COPIED) {
		skb->mark = 0;
		return TC_ACT_UNSPEC;
	}
	if (skb->len <= LARGER_THAN)
		return TC_ACT_UNSPEC;
	chance = bpf_get_prandom_u32() % SPOILT_OF;
	if (chance == 0)
		return TC_ACT_SHOT;
	if (chance == 1) {
		skb->mark = COPIED;
		bpf_clone_redirect(skb, skb->ifindex, 0);
		skb->mark = 0;
	}
	return TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
