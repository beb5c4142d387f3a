/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Frames leave: to one place, or copies to all others of the segment. */
#pragma once

#include "peer.h"

const volatile u32 has_redirect_peer = 0; /* Linux 5.10 */

/* Of one segment, on one host. */
#define MAX_PORTS 64
#define MAX_PEERS 256
#define FIRST_PEER MAX_PORTS /* slots of ports come first */

struct slot_key {
	u32 vni;
	u32 slot;
};

/*
 * To whom a segment floods: the number of a place per slot, or 0. A slot is one word and keeps its place, so that no
 * frame meets a list that is half changed.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 262144);
	__type(key, struct slot_key);
	__type(value, u32);
} flooding SEC(".maps");

static __always_inline void count_sent(u32 number, struct wire wire)
{
	struct traffic *row = bpf_map_lookup_elem(&traffic, &number);

	if (row)
		add_line(&row->sent, wire);
}

/*
 * These two are not static: the verifier then looks at each of them once, for any arguments, and not in each round of a loop
 * and for each way that leads here (700,000 instructions, Linux 6.18).
 */
__noinline int copy_to(struct __sk_buff *skb, u32 number, u32 vni, u32 packets, u32 octets)
{
	const struct place *to = place_at(number, vni);
	struct wire wire = {.packets = packets, .octets = octets};
	int error;

	if (!to || (to->kind == PORT && !to->ifindex))
		return 0;
	if (to->kind == PORT) {
		error = bpf_clone_redirect(skb, to->ifindex, to->delivery == AS_RECEIVED ? BPF_F_INGRESS : 0);
	} else {
		error = aim(skb, to);
		if (!error)
			error = bpf_clone_redirect(skb, tunnel_ifindex, 0);
	}
	if (error)
		count_notice(COPY_FAILED);
	else
		count_sent(number, wire);
	return 0;
}

/*
 * Copies for all others of the segment but the last, whose number it gives: that one can have the frame itself. 0: nobody
 * else is there.
 */
__noinline u32 flood(struct __sk_buff *skb, u64 wire, u32 vni, u32 from, u32 is_from_peer)
{
	struct segment *segment = bpf_map_lookup_elem(&segments, &vni);
	struct slot_key key = {.vni = vni};
	u32 end, *number, last = 0;

	if (!segment)
		return 0;
#define COPY_TO_SLOT(index)                                                  \
	key.slot = (index);                                                  \
	number = bpf_map_lookup_elem(&flooding, &key);                       \
	if (!number || !*number || *number == from)                          \
		continue;                                                    \
	if (last)                                                            \
		copy_to(skb, last, vni, (u32)(wire >> 32), (u32)wire);       \
	last = *number

	end = segment->ports_end;
	for (u32 i = 0; i < MAX_PORTS && i < end; i++) {
		COPY_TO_SLOT(i);
	}
	end = is_from_peer ? 0 : segment->peers_end;
	for (u32 i = FIRST_PEER; i < FIRST_PEER + MAX_PEERS && i < end; i++) {
		COPY_TO_SLOT(i);
	}
#undef COPY_TO_SLOT
	return last;
}

/* The frame itself goes to a place. */
static __always_inline int send(struct __sk_buff *skb, const struct frame *f, u32 number, u32 outcome)
{
	const struct place *to = place_at(number, f->vni);
	int verdict;

	if (!to || (to->kind == PORT && !to->ifindex))
		return ended(PORT_GONE, f->wire, TC_ACT_SHOT);
	if (to->kind != PORT) {
		if (aim(skb, to))
			return ended(REDIRECT_FAILED, f->wire, TC_ACT_SHOT);
		verdict = bpf_redirect(tunnel_ifindex, 0);
	} else if (has_redirect_peer && to->delivery == TO_FAR_END && f->hook == INGRESS) {
		verdict = bpf_redirect_peer(to->ifindex, 0);
	} else {
		verdict = bpf_redirect(to->ifindex, to->delivery == AS_RECEIVED ? BPF_F_INGRESS : 0);
	}
	if (verdict != TC_ACT_REDIRECT)
		return ended(REDIRECT_FAILED, f->wire, TC_ACT_SHOT);
	count_sent(number, f->wire);
	return ended(outcome, f->wire, verdict);
}
