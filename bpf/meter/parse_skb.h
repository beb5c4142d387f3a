/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The parser on the packets of the kernel: the linear part, what is in front of a bare packet, packets in pieces. */
#pragma once

#include "../fragments.h"
#include "../parse.h"
#include "cpu_area.h"

/* What UDP destination ports carry (enum port_use), kept up to date by user space in mapped memory. */
u8 tunnel_ports[65536];

/* GRE with a key and an Ethernet frame inside is NVGRE, which looks the same as a keyed gretap. */
const volatile u8 nvgre;

/* Octets pulled into the linear part when headers lie in fragments: the farthest place and a header. */
#define PULL_OCTETS (MAX_OFFSET + 64)

static __always_inline struct window window_of(const struct __sk_buff *skb)
{
	return (struct window){
		.data = (const u8 *)(long)skb->data,
		.end = (const u8 *)(long)skb->data_end,
		.ports = tunnel_ports,
		.nvgre = nvgre,
	};
}

/*
 * Any packet, into its CPU's area; an enum reason. One without an Ethernet header has its ethertype in words[0], and in
 * words[1] where it begins. A global function: the verifier looks at it once, and what follows a call does not multiply
 * with the ways through it.
 */
__noinline int parse_any(struct __sk_buff *skb, u32 point, u32 is_bare)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct cpu_area *area = bpf_map_lookup_elem(&cpu_areas, &cpu);
	enum reason reason = REASON_NONE;
	struct packet *p;

	if (!area) /* never: the caller has it */
		return HEADER_OFFSET;
	p = &area->adder.packet;
#pragma clang loop unroll(disable)
	for (int attempt = 0; attempt < 2; attempt++) {
		const struct window w = window_of(skb);

		begin_packet(p, point, skb->len, skb->vlan_present, (u16)skb->vlan_tci);
		if (is_bare) {
			begin_bare(p, (u16)area->adder.words[0]);
			consume(p, (u32)area->adder.words[1]);
		}
		reason = parse_general(&w, p);
		/* Did the packet end, or only its linear part? */
		if (!p->is_cut || attempt || (u64)(w.end - w.data) >= skb->len)
			break;
		if (bpf_skb_pull_data(skb, skb->len < PULL_OCTETS ? skb->len : PULL_OCTETS))
			break;
	}
	return reason;
}

/* bpf_skb_load_bytes_relative() reads no octet behind this one. */
#define MAX_RELATIVE 0xffff
/* Octets in front of the network header are looked for among fewer than 1 << FRONT_BITS. */
#define FRONT_BITS 8

/* 0: the linear part holds the octet that lies so far behind the network header (or that header, where < 0); else 1. */
static __always_inline u32 lacks_octet(struct __sk_buff *skb, int offset)
{
	u8 octet;

	offset &= ~(offset >> 31);
	return (u32)bpf_skb_load_bytes_relative(skb, (u32)offset, &octet, 1, BPF_HDR_START_NET) >> 31;
}

/*
 * Octets in front of the network header. At a device without Ethernet headers they are what is left of the headers by
 * which the packet came: before Linux 5.14 from the outermost on, since then with GRE to any peer. No field says how
 * many; but the linear part has one end, and from the network header on so many octets fewer can be read. The search
 * has no branches: to the verifier it is one way.
 */
static __always_inline u32 front_octets(struct __sk_buff *skb)
{
	const struct window w = window_of(skb);
	u64 linear = (u64)(w.end - w.data), last;
	u32 octets = 0;

	/* Else clang subtracts with other operations: "bitwise operator ^= on pointer prohibited". */
	__asm__ volatile("" : "+r"(linear));
	last = linear - 1;
	if (last > MAX_RELATIVE || !lacks_octet(skb, (int)last))
		return 0;
#pragma clang loop unroll(full)
	for (int bit = FRONT_BITS - 1; bit >= 0; bit--)
		octets += lacks_octet(skb, (int)last - (int)octets - (1 << bit) + 1) << bit;
	return octets < (1u << FRONT_BITS) - 1 ? octets : 0;
}

static __always_inline enum reason parse_skb(struct __sk_buff *skb, struct cpu_area *area, u32 point,
					     int is_bare, u32 front)
{
	struct packet *p = &area->adder.packet;
	const struct window w = window_of(skb);

	if (is_bare) {
		area->adder.words[0] = __builtin_bswap16((u16)skb->protocol);
		area->adder.words[1] = front;
		return parse_any(skb, point, 1);
	}
	begin_packet(p, point, skb->len, skb->vlan_present, (u16)skb->vlan_tci);
	return parse_common(&w, p) ? REASON_NONE : parse_any(skb, point, 0);
}

/* First pieces, which come to one CPU and the others maybe to another. */
struct guarded_set {
	struct bpf_spin_lock lock;
	u32 pad;
	struct fragment_set set;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FRAGMENT_SETS);
	__type(key, u32);
	__type(value, struct guarded_set);
} fragments SEC(".maps");

/* A packet in pieces, which stands in its CPU's area. A global function, as parse_any(). */
__noinline int join_fragment(struct __sk_buff *skb)
{
	u32 cpu = bpf_get_smp_processor_id(), second = (u32)(bpf_ktime_get_ns() / 1000000000), place;
	struct cpu_area *area = bpf_map_lookup_elem(&cpu_areas, &cpu);
	struct guarded_set *guarded;
	struct packet *p;
	u64 *words;

	if (!area || !skb)
		return 0;
	p = &area->adder.packet;
	words = area->adder.words;
	datagram_words(words, p);
	place = fragment_place(words);
	guarded = bpf_map_lookup_elem(&fragments, &place);
	if (!guarded)
		return 0;
	bpf_spin_lock(&guarded->lock);
	join_fragments(&guarded->set, p, words, second);
	bpf_spin_unlock(&guarded->lock);
	return 0;
}
