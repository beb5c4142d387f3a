// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The gateway's programs on a test packet that is the same after each run, for BPF_PROG_TEST_RUN repeats it as it was left: what
 * one of them pops was pushed before, and what one pushes is popped behind it. The twins do that alone. Built by the
 * benchmark, never attached but for redirect_only.
 */
#include "vnet/gateway.bpf.c"

/* Where redirects of twins go. */
const volatile u32 target = 1;
/* Clients but one, in turn; a power of two less one. The last two octets of a client's MAC address are its number. */
const volatile u32 last_client = 0;

#define VID 5

/* Goes on from run to run; only one CPU runs these programs. */
static u32 turn;

static __always_inline void next_client(struct __sk_buff *skb, u32 mac_offset)
{
	u8 *data = (u8 *)(long)skb->data, *end = (u8 *)(long)skb->data_end;
	u32 client = turn++ & last_client;

	if (data + 14 > end)
		return;
	data[mac_offset + 4] = client >> 8;
	data[mac_offset + 5] = client;
}

SEC("tc")
int redirect_only(struct __sk_buff *skb __attribute__((unused)))
{
	return bpf_redirect(target, 0);
}

SEC("tc")
int tag_in(struct __sk_buff *skb)
{
	next_client(skb, 6);
	bpf_skb_vlan_push(skb, CUSTOMER_TAG, VID);
	bpf_skb_vlan_pop(skb);
	return bpf_redirect(target, 0);
}

SEC("tc")
int gateway_in(struct __sk_buff *skb)
{
	next_client(skb, 6);
	bpf_skb_vlan_push(skb, CUSTOMER_TAG, VID);
	return phys2virt(skb);
}

SEC("tc")
int tag_out(struct __sk_buff *skb)
{
	next_client(skb, 0);
	bpf_skb_vlan_push(skb, CUSTOMER_TAG, VID);
	bpf_skb_vlan_pop(skb);
	return bpf_redirect(target, 0);
}

SEC("tc")
int gateway_out(struct __sk_buff *skb)
{
	int verdict;

	next_client(skb, 0);
	verdict = virt2phys(skb);
	bpf_skb_vlan_pop(skb);
	return verdict;
}
