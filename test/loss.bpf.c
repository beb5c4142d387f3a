// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A bad cable: loses one packet in fifty, at random. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#define LOST_OF 50

SEC("tc")
int lose(struct __sk_buff *skb)
{
	return skb->protocol == __builtin_bswap16(0x0800) && bpf_get_prandom_u32() % LOST_OF == 0 ?
		       TC_ACT_SHOT :
		       TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
