/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How many packets and octets an skb is on the wire: a super-packet (GSO, GRO) counts as its segments, each with its headers.
 * The Ethernet header counts, as do tags within the frame; a tag that the stack holds beside it, the FCS, and a tunnel that is
 * still to come do not.
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "../parse.h"

struct wire {
	u32 packets;
	u32 octets;
};

/* No port is a tunnel's here: what a tenant sends is not looked into. */
static u8 plain_ports[65536];

/* Octets of all headers of a segment; 0 where they are not those of TCP or UDP right behind IP. */
static __always_inline u32 segment_headers(const struct __sk_buff *skb)
{
	struct window w = {
		.data = (const u8 *)(long)skb->data,
		.end = (const u8 *)(long)skb->data_end,
		.ports = plain_ports,
	};
	struct packet p;
	u32 tags = 0;
	u16 type;

	/* Tags stand before the ethertype: behind each, the frame begins anew four octets later. */
#pragma clang loop unroll(full)
	for (int i = 0; i < 2; i++) {
		if (w.data + 18 > w.end)
			return 0;
		type = load16(w.data + 12);
		if (type != 0x8100 && type != 0x88a8)
			break;
		w.data += 4;
		tags += 4;
	}
	begin_packet(&p, 0, skb->len - tags, 0, 0);
	return parse_common(&w, &p) ? tags + p.header_octets : 0;
}

static __always_inline struct wire wire_of(const struct __sk_buff *skb)
{
	struct wire wire = {.packets = 1, .octets = skb->len};

	if (skb->gso_segs > 1) {
		wire.packets = skb->gso_segs;
		wire.octets += (skb->gso_segs - 1) * segment_headers(skb);
	}
	return wire;
}
