// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The meter with packets that go on: BPF_PROG_TEST_RUN repeats a single packet, so each run first raises a number in it, of
 * TCP by what the segment takes, elsewhere by one.
 *
 * numbers_rewrite does only that; numbers_meter then runs the meter. Built by the benchmark, never attached.
 */
#include "meter.bpf.c"

/* Where in the packet the number stands, and its step. */
const volatile u32 number_at = 42;
const volatile u32 number_step = 1;

/* Goes on from run to run; only one CPU runs these programs. */
static u32 number;

static __always_inline void rewrite(struct __sk_buff *skb)
{
	u8 *data = (u8 *)(long)skb->data, *end = (u8 *)(long)skb->data_end;

	if (data + number_at + 4 > end)
		return;
	number += number_step;
	*(u32 *)(data + number_at) = __builtin_bswap32(number);
}

SEC("tc")
int numbers_rewrite(struct __sk_buff *skb)
{
	rewrite(skb);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int numbers_meter(struct __sk_buff *skb)
{
	rewrite(skb);
	return meter(skb, 0, 0);
}
