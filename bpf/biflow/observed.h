/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One packet as measurements see it: what it is worth on the wire, when it came, and what its innermost transport header
 * says. Freestanding as the parser: measured the same in the kernel and in captures.
 *
 * A biflow (RFC 5103) is both ways between two ends. Way 0 goes in the order of its key, way 1 against it; which of them
 * answers, is known from the packets only.
 *
 * Counts of an epoch lie in halves by its parity, as all that is of an epoch. Halves begin as zeros: so a least value is
 * kept such that 0 is "none yet".
 */
#pragma once

#include "../parse/packet.h"

#define WAYS 2
#define HALVES 2

/* Bits of observed.traits. */
enum observed_trait {
	OBSERVED_HEADER = 1,	  /* the transport header is there: no later fragment */
	OBSERVED_TIMESTAMPS = 2,  /* TCP timestamps (RFC 7323) are */
	OBSERVED_SUPER = 4,	  /* several packets that the stack holds as one, which came at one time */
	OBSERVED_SELECTIVE = 8,	  /* TCP: with a SACK option */
};

struct observed {
	u64 time_ns;	    /* any clock that does not go back */
	u64 octets;	    /* on the wire, of all segments with their headers */
	u32 packets;	    /* on the wire: segments */
	u32 payload;	    /* octets behind the transport header, of all segments */
	u32 payload_offset; /* where they begin in the frame */
	u32 segment;	    /* payload octets of each segment but the last; payload where there is one only */
	u32 stride;	    /* from one segment's payload to the next one's in the frame; 0 where there is one only */
	u32 sequence;	    /* of TCP, as are all below: numbers of the header in host order */
	u32 acknowledgment;
	u32 timestamp;	    /* TSval */
	u32 echo;	    /* TSecr */
	u16 window;	    /* not scaled */
	u16 flags;	    /* 9 bits, FIN is 1 */
	u8 protocol;	    /* IP protocol: 6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6, ... */
	u8 way;
	u8 parity;	    /* of the epoch */
	u8 traits;	    /* enum observed_trait */
	u32 pad;
};
_Static_assert(sizeof(struct observed) == 64, "struct observed");

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/* The lesser of two, where 0 is "none yet": the kept value is one more than what it stands for. */
PARSE_INLINE void keep_least(u64 *kept, u64 value)
{
	if (!*kept || value + 1 < *kept)
		*kept = value + 1;
}

PARSE_INLINE void keep_most(u64 *kept, u64 value)
{
	if (value > *kept)
		*kept = value;
}

/* How many places a histogram has, and how fine they are: two per doubling. */
#define HISTOGRAM_PLACES 64

/*
 * Place of a time in a histogram: 0 below 256 ns, then two places per doubling up to 2^39 ns (550 s) in the last.
 *
 *   place 2k + 1: from 2^(k + 8) ns, place 2k + 2: from 1.5 times that
 */
PARSE_INLINE u32 histogram_place(u64 ns)
{
	u32 log = 0, place;
	u64 rest = ns;

	if (ns < 256)
		return 0;
	if (rest >> 32) {
		log += 32;
		rest >>= 32;
	}
	if (rest >> 16) {
		log += 16;
		rest >>= 16;
	}
	if (rest >> 8) {
		log += 8;
		rest >>= 8;
	}
	if (rest >> 4) {
		log += 4;
		rest >>= 4;
	}
	if (rest >> 2) {
		log += 2;
		rest >>= 2;
	}
	log += (u32)(rest >> 1);
	place = 2 * (log - 8) + 1 + (u32)(ns >> (log - 1) & 1);
	return place < HISTOGRAM_PLACES ? place : HISTOGRAM_PLACES - 1;
}
