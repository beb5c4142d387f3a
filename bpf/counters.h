/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The counters of a flow record, the same in the kernel and out of it. */
#pragma once

#include "parse.h"

/*
 * What is counted for a flow in one epoch. In the kernel times are the low half of jiffies, and plain stores race between CPUs only
 * where the loser is of the same epoch and kind (last, shortest, longest, tcp_flags); the counters are atomic.
 */
struct flow_counters {
	u64 octets;	    /* skb->len */
	u64 packets;	    /* skbs */
	u64 payload_octets; /* behind the innermost transport header */
	u64 extra_octets;   /* on the wire beyond `octets`: the segments' own headers, tags kept in metadata */
	u64 extra_packets;  /* on the wire beyond `packets`: segments */
	u32 first;
	u32 last;
	u32 longest;	    /* on the wire */
	u16 shortest;	    /* on the wire; 65535: that or more */
	u16 tcp_flags;
	u8 mac[12];	    /* destination, source */
	u16 outer_source_port;
	u8 dscp;
	u8 pad;
};
_Static_assert(sizeof(struct flow_counters) == 72, "struct flow_counters");
