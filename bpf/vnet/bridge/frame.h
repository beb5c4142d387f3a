/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A frame under way: what is known of it before it is decided where it goes. */
#pragma once

#include "place.h"

/* Times of being seen are written when they are older than this: not each frame dirties a line that all CPUs read. */
#define SEEN_STEP_NS (1ULL << 26)

enum hook {
	INGRESS,
	EGRESS,
};

/* A segment: what belongs to one VNI. */
struct segment {
	u32 mtu;       /* as struct place has it */
	u32 ports_end; /* slots of `flooding` in use: [0, ports_end), and [FIRST_PEER, peers_end) */
	u32 peers_end;
	u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u32); /* VNI */
	__type(value, struct segment);
} segments SEC(".maps");

struct frame {
	struct wire wire;
	u64 now_ns; /* since boot */
	u32 vni;
	u32 from;    /* number of the place it came from */
	u32 partner; /* of that place */
	u32 mtu;
	u32 hook;
	u32 is_from_peer;
	u16 ethertype; /* as on the wire */
	u8 destination[6];
	u8 source[6];
};

/* Some milliseconds are near enough, and that clock costs a fifth. */
const volatile u32 has_coarse_clock = 0; /* Linux 5.11 */

static __always_inline u64 now(void)
{
	return has_coarse_clock ? bpf_ktime_get_coarse_ns() : bpf_ktime_get_ns();
}

static __always_inline int read_header(struct __sk_buff *skb, struct frame *f)
{
	u8 copy[14];
	const u8 *header = (const u8 *)(long)skb->data;

	f->now_ns = now();
	if (header + sizeof(copy) > (const u8 *)(long)skb->data_end) {
		if (bpf_skb_load_bytes(skb, 0, copy, sizeof(copy)))
			return -1;
		header = copy;
	}
	__builtin_memcpy(f->destination, header, 6);
	__builtin_memcpy(f->source, header + 6, 6);
	__builtin_memcpy(&f->ethertype, header + 12, 2);
	return 0;
}

static __always_inline void copy_mac(u8 *to, const u8 *from)
{
	__builtin_memcpy(to, from, 6);
}

static __always_inline int is_broadcast(const struct frame *f)
{
	const u8 *to = f->destination;

	return (to[0] & to[1] & to[2] & to[3] & to[4] & to[5]) == 0xff;
}

/* 01:80:c2:00:00:00 to 0f: of this link alone (IEEE 802.1Q 8.6.3). */
static __always_inline int is_link_local(const struct frame *f)
{
	const u8 *to = f->destination;

	return to[0] == 0x01 && to[1] == 0x80 && to[2] == 0xc2 && !(to[3] | to[4] | (to[5] & 0xf0));
}

/* Whether a single station can have this address. */
static __always_inline int is_station(const u8 *mac)
{
	return !(mac[0] & 1) && (mac[0] | mac[1] | mac[2] | mac[3] | mac[4] | mac[5]);
}

/* The frame, or a segment of the super-packet. A tag in the frame is not of its payload. */
static __always_inline int is_too_large(const struct __sk_buff *skb, const struct frame *f)
{
	u32 limit = f->mtu + 14, headers;

	if (f->ethertype == __builtin_bswap16(0x8100) || f->ethertype == __builtin_bswap16(0x88a8))
		limit += 4;
	if (f->wire.packets == 1)
		return skb->len > limit && !skb->gso_size;
	headers = (f->wire.octets - skb->len) / (f->wire.packets - 1);
	return headers + skb->gso_size > limit;
}

static __always_inline void count_received(const struct frame *f)
{
	struct traffic *row = bpf_map_lookup_elem(&traffic, &f->from);

	if (!row)
		return;
	add_line(&row->received, f->wire);
	if (f->now_ns - row->seen_ns > SEEN_STEP_NS)
		row->seen_ns = f->now_ns;
}
