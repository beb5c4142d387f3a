/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Interarrival jitter of RFC 3550 (6.4.1, appendix A.8), where packets say when they were sent:
 *
 *   D = (arrival - previous arrival) - (timestamp - previous timestamp),   J += (|D| - J) / 16
 *
 * For all packets in order of arrival, as the RFC has it and iperf3 does. The segments of a super-packet arrived when nobody
 * knows: the first of them counts.
 */
#pragma once

#include "observed.h"

/* What is remembered of one way as long as its biflow lives; begins as zeros. */
struct jitter_state {
	u64 arrival_ns;
	u64 sixteenths; /* J in 1/16 ns: now, whatever the epoch */
	u32 timestamp[2];
	u32 era;	/* of the numbers (sequence_state.era); another one begins with no jitter */
	u32 clock_rate; /* of `timestamp`, in Hz; 0: it is seconds and microseconds */
};
_Static_assert(sizeof(struct jitter_state) == 32, "struct jitter_state");

/* What is counted for one way in an epoch. */
struct jitter_counts {
	u64 samples; /* values of J: one for each packet but the first */
	u64 sum_ns;  /* of these values: their mean is sum_ns / samples */
	u64 most_ns;
};
_Static_assert(sizeof(struct jitter_counts) == 24, "struct jitter_counts");

/* Clock rate of a static RTP payload type in Hz (RFC 3551 tables 4 and 5); of others `otherwise`. */
PARSE_INLINE u32 rtp_clock_rate(u32 payload_type, u32 otherwise)
{
	switch (payload_type) {
	case 0: /* PCMU */
	case 3: /* GSM */
	case 4: /* G723 */
	case 5: /* DVI4 */
	case 7: /* LPC */
	case 8: /* PCMA */
	case 9: /* G722 */
	case 12: /* QCELP */
	case 13: /* CN */
	case 15: /* G728 */
	case 18: /* G729 */
		return 8000;
	case 6: /* DVI4 */
		return 16000;
	case 10: /* L16 */
	case 11:
		return 44100;
	case 16: /* DVI4 */
		return 11025;
	case 17:
		return 22050;
	case 14: /* MPA */
	case 25: /* CelB */
	case 26: /* JPEG */
	case 28: /* nv */
	case 31: /* H261 */
	case 32: /* MPV */
	case 33: /* MP2T */
	case 34: /* H263 */
		return 90000;
	}
	return otherwise;
}

/* Time between two timestamps in ns; below 0: the later packet was sent earlier. */
PARSE_INLINE long long sent_between(const u32 *from, const u32 *to, u32 clock_rate)
{
	int ticks = (int)(to[0] - from[0]);
	u64 size = ticks < 0 ? -(u64)(long long)ticks : (u64)ticks, ns;

	if (!clock_rate)
		return (long long)ticks * 1000000000 + (long long)(int)(to[1] - from[1]) * 1000;
	ns = size * 1000000000 / clock_rate;
	return ticks < 0 ? -(long long)ns : (long long)ns;
}

/*
 * A packet with `timestamp` arrived; `era` is that of its number. The clock rate is 0 where the timestamp is seconds and
 * microseconds. Another clock rate begins anew.
 */
PARSE_INLINE void note_jitter(struct jitter_state *s, struct jitter_counts *c, u64 arrival_ns,
			      const u32 *timestamp, u32 clock_rate, u32 era)
{
	long long apart;
	u64 jitter;

	if (s->era != era || s->clock_rate != clock_rate) {
		s->era = era;
		s->clock_rate = clock_rate;
		s->sixteenths = 0;
	} else {
		apart = (long long)(arrival_ns - s->arrival_ns) - sent_between(s->timestamp, timestamp, clock_rate);
		if (apart < 0)
			apart = -apart;
		/* J in sixteenths: J' = J + |D| - J / 16, rounded as the RFC does. */
		s->sixteenths += (u64)apart - ((s->sixteenths + 8) >> 4);
		jitter = s->sixteenths >> 4;
		c->samples++;
		c->sum_ns += jitter;
		keep_most(&c->most_ns, jitter);
	}
	s->arrival_ns = arrival_ns;
	s->timestamp[0] = timestamp[0];
	s->timestamp[1] = timestamp[1];
}
