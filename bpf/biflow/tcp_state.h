/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is remembered of one way of a TCP connection, and what is counted of it in an epoch. Zeros are the beginning of both.
 *
 * "Seen" always means here, at this observation point. Lengths are in sequence numbers, in which SYN and FIN are one each.
 */
#pragma once

#include "observed.h"

/* Gaps that can be open at a time in one way; those above are forgotten, and counted so. */
#define TCP_GAPS 16

/* Sequence numbers not seen, from `from` until before `to`; none where both are the same. */
struct tcp_gap {
	u32 from;
	u32 to;
};

/* Bits of tcp_state.traits. */
enum tcp_trait {
	TCP_BEGUN = 1,		/* a segment was seen: start and next hold */
	TCP_SYN_SEEN = 2,
	TCP_SYN_REPEATED = 4,	/* more than once, so that its answer says nothing about time (Karn) */
	TCP_SYN_ANSWERED = 8,	/* by a SYN, or by the ACK that ends the handshake */
	TCP_KEPT_ALIVE = 16,	/* the segment before was a keep-alive */
	TCP_TIMED = 32,		/* sample_* hold: an acknowledgment is awaited */
};

/* One way. Numbers without a comment are as in the header of its last segment. */
struct tcp_state {
	u64 next_ns;		 /* when `next` was reached */
	u64 last_ns;		 /* of the segment before */
	u64 syn_ns;		 /* of the last SYN */
	u64 handshake_ns;	 /* from SYN to its answer, which is at least 1; 0: not known */
	u64 sample_ns;		 /* when the segment passed whose acknowledgment is awaited */
	u32 start;		 /* what came before was not seen, or is more than 1 GiB ago */
	u32 next;		 /* behind the highest seen */
	u32 first;		 /* of the SYN, or of the first segment; never more than 1 GiB ago */
	u32 acknowledgment;
	u32 repeats;		 /* duplicate acknowledgments in a row */
	u32 sample_end;		 /* what the acknowledgment must cover */
	u32 sample_timestamp;	 /* TSval; 0 without */
	u32 filled;		 /* of the segment at hand: what was not seen before */
	u16 window;		 /* not scaled */
	u16 traits;		 /* enum tcp_trait */
	u32 open;		 /* gaps */
	struct tcp_gap fresh;	 /* the one that needs a place; none between two segments */
	struct tcp_gap gaps[TCP_GAPS];
};
_Static_assert(sizeof(struct tcp_state) == 216, "struct tcp_state");

/* Times in ns. */
struct tcp_times {
	u64 sum;
	u64 least; /* by keep_least() */
	u64 most;
	u32 samples;
	u32 pad;
	u32 places[HISTOGRAM_PLACES];
};
_Static_assert(sizeof(struct tcp_times) == 288, "struct tcp_times");

/*
 * What was counted of one way in an epoch.
 *
 * The first part is exact: it follows from which sequence numbers were seen here. The second part judges as tshark does
 * (the rules of tcp.analysis, version 4.0), so that both can be compared: by times, and by what the other way said.
 */
struct tcp_counts {
	u64 octets;		/* payload of all segments */
	u64 repeated_octets;	/* of these, seen before; of a segment at most its payload, as in the next line */
	u64 late_octets;	/* of these, filling a gap */
	u64 gap_numbers;	/* of all gaps, as they opened */
	u64 unseen_numbers;	/* of gaps that were acknowledged while open: they never came by here */
	u64 forgotten_numbers;	/* of gaps without a place: when they come, they are called repeated */
	u64 handshake_ns;	/* from this way's SYN to its answer, once in a connection; 0: not in this epoch */
	u32 segments;		/* with payload, SYN or FIN */
	u32 repeated_segments;	/* with anything that was seen before */
	u32 late_segments;	/* with anything that fills a gap */
	u32 gaps;		/* tshark: lost_segment */
	u32 forgotten_gaps;
	u32 retransmissions;	/* tshark: retransmission, of which the next two are a part */
	u32 fast_retransmissions;
	u32 spurious_retransmissions;
	u32 out_of_order;
	u32 repeated_out_of_order; /* of these, all seen before: retransmissions in truth */
	u32 duplicate_acks;
	u32 zero_windows;
	u32 window_probes;	/* of a closed window, with an octet */
	u32 keep_alives;
	struct tcp_times round_trip; /* from here to the receiver of this way and back, its delay of the ACK included */
};
_Static_assert(sizeof(struct tcp_counts) == 400, "struct tcp_counts");

/* A TCP connection at one observation point. */
struct tcp_track {
	u64 syn_ns;	      /* of the last SYN without ACK */
	u64 first_round_trip; /* ns from it to the first ACK behind it; 0: not known. What tshark calls initial_rtt */
	struct tcp_state state[WAYS];
	struct tcp_counts counts[WAYS][HALVES];
};
_Static_assert(sizeof(struct tcp_track) == 2048, "struct tcp_track");

/* Order of sequence numbers, of which none is more than 2^31 from another. */
PARSE_INLINE int is_before(u32 a, u32 b)
{
	return (int)(a - b) < 0;
}

PARSE_INLINE u32 later_of(u32 a, u32 b)
{
	return is_before(a, b) ? b : a;
}

PARSE_INLINE u32 earlier_of(u32 a, u32 b)
{
	return is_before(a, b) ? a : b;
}
