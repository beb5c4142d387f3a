// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The meter: accounts every packet at an interface, both directions, by outer addresses, tunnel, VNI and inner flow.
 *
 * It observes: TC_ACT_UNSPEC on every path, no packet is altered. Per observation point and epoch
 *     seen = flow records + overflow records + ledger        (packets and octets)
 *
 * Where there are rules, what fits none of them is a line of the ledger.
 *
 * All maps of an epoch are doubled. A packet reads the epoch once and uses the maps of its parity, so that all its
 * counts fall into one epoch. User space raises it, then updates an element of an array of maps, which makes
 * the kernel wait until no program runs that could have read the old value: the retired maps are final.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "meter/account.h"
#include "meter/layouts.h"
#include "meter/ledger.h"
#include "meter/measure.h"
#include "meter/parse_skb.h"

#define TC_ACT_UNSPEC (-1)

static __always_inline int meter(struct __sk_buff *skb, u32 direction, int is_bare)
{
	u64 epoch = control.epoch;
	u32 parity = (u32)epoch & 1, cpu = bpf_get_smp_processor_id();
	u32 point = skb->ifindex << 1 | direction, octets = skb->len, front = 0;
	struct seen_counters *seen_here;
	struct cpu_area *area = bpf_map_lookup_elem(&cpu_areas, &cpu);
	struct packet *p;
	enum reason reason;
	int error;

	if (!area)
		return TC_ACT_UNSPEC;
	if (is_bare) {
		front = front_octets(skb);
		octets -= front;
	}
	seen_here = count_seen(area, epoch, point, octets);
	p = &area->adder.packet;
	reason = parse_skb(skb, area, point, is_bare, front);
	if (reason != REASON_NONE) {
		write_ledger(parity, p, reason, octets, seen_here);
		return TC_ACT_UNSPEC;
	}
	FORGET();
	if (p->labels.traits & (TRAIT_FRAGMENT | TRAIT_LATER_FRAGMENT))
		join_fragment(skb);
	measure_wire(skb, front, p, &area->adder.measure);
	FORGET();
	error = account_packet(skb, area, epoch);
	if (error == NOT_KEPT) {
		write_excluded(parity, p, &area->adder.measure, seen_here);
		return TC_ACT_UNSPEC;
	}
	if (error)
		write_ledger(parity, p, OVERFLOW_FULL, octets, seen_here);
	if (measured && observe_packet(skb, parity)) {
		if (measured & MEASURE_SEQUENCE)
			find_numbers(skb);
		measure_packet(skb);
	}
	return TC_ACT_UNSPEC;
}

SEC("tc")
int ts_ingress(struct __sk_buff *skb)
{
	return meter(skb, 0, 0);
}

SEC("tc")
int ts_egress(struct __sk_buff *skb)
{
	return meter(skb, 1, 0);
}

/* The same at devices whose packets begin with IP (tun, wireguard, ipip, ...). */
SEC("tc")
int ts_ingress_bare(struct __sk_buff *skb)
{
	return meter(skb, 0, 1);
}

SEC("tc")
int ts_egress_bare(struct __sk_buff *skb)
{
	return meter(skb, 1, 1);
}

/* Reads both clocks, so that user space can turn jiffies into time. Run by BPF_PROG_TEST_RUN, never attached. */
SEC("tc")
int ts_clock(struct __sk_buff *skb __attribute__((unused)))
{
	control.jiffies = bpf_jiffies64();
	control.monotonic_ns = bpf_ktime_get_ns();
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
