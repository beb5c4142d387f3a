// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The meter with many flows on one test packet: BPF_PROG_TEST_RUN repeats a single packet, so each run first writes
 * the next flow of a prepared sequence into its inner source address and port.
 *
 * flows_rewrite does only that; flows_meter then runs the meter: the difference is the meter's own cost. Built by the
 * benchmark, never attached.
 */
#include "meter.bpf.c"

/* A power of two, so that the sequence repeats by masking. */
#define SEQUENCE_LENGTH (1 << 20)

/* Where the inner source address (its last four octets) and source port are in the test packet. */
const volatile u32 address_at = 26;
const volatile u32 port_at = 34;

/* The flow of each packet in turn: any number below 2^24. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SEQUENCE_LENGTH);
	__type(key, u32);
	__type(value, u64);
} sequence SEC(".maps");

/* Goes on from run to run; only one CPU runs these programs. */
static u32 position;

static __always_inline void rewrite(struct __sk_buff *skb)
{
	u32 at = position++ & (SEQUENCE_LENGTH - 1);
	u64 *flow = bpf_map_lookup_elem(&sequence, &at);
	u8 *data = (u8 *)(long)skb->data, *end = (u8 *)(long)skb->data_end;

	if (!flow || data + address_at + 4 > end || data + port_at + 2 > end)
		return;
	*(u32 *)(data + address_at) = __builtin_bswap32(0x0a000000 | (u32)*flow);
	*(u16 *)(data + port_at) = __builtin_bswap16((u16)(1024 + (*flow & 0x3fff)));
}

SEC("tc")
int flows_rewrite(struct __sk_buff *skb)
{
	rewrite(skb);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int flows_meter(struct __sk_buff *skb)
{
	rewrite(skb);
	return meter(skb, 0, 0);
}
