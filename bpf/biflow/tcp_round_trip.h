/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Round trips, each from a segment at this observation point to the receiver of its way and back here.
 *
 * In the handshake: from SYN to SYN and ACK, and from these to the ACK. Later: one new segment of a way at a time, until the
 * first acknowledgment that covers it. Where there are timestamps, it must echo that segment's (RFC 7323 section 4.3).
 * Nothing that was sent twice says anything about time (Karn); nor does an acknowledgment that had to wait for what fills a
 * hole before the segment: one known here, or one that duplicate acknowledgments tell of. That it covers the segment is
 * asked beside its echo: so any segment may be timed, not only the first with its timestamp.
 */
#pragma once

#include "tcp_state.h"

PARSE_INLINE void add_time(struct tcp_times *times, u64 ns)
{
	times->samples++;
	times->sum += ns;
	keep_least(&times->least, ns);
	keep_most(&times->most, ns);
	times->places[histogram_place(ns) & (HISTOGRAM_PLACES - 1)]++;
}

/* A SYN, or SYN and ACK, of way s. */
PARSE_INLINE void note_syn(struct tcp_track *t, struct tcp_state *s, const struct observed *o)
{
	if (s->traits & TCP_SYN_SEEN && s->first == o->sequence)
		s->traits |= TCP_SYN_REPEATED;
	s->traits |= TCP_SYN_SEEN;
	s->first = o->sequence;
	s->syn_ns = o->time_ns;
	if (!(o->flags & TCP_ACK))
		t->syn_ns = o->time_ns;
}

/* An ACK of the other way, which may answer the SYN of way s. */
PARSE_INLINE void answer_syn(struct tcp_state *s, struct tcp_counts *c, const struct observed *o)
{
	u64 ns = o->time_ns - s->syn_ns;

	if ((s->traits & (TCP_SYN_SEEN | TCP_SYN_ANSWERED)) != TCP_SYN_SEEN ||
	    !is_before(s->first, o->acknowledgment))
		return;
	s->traits |= TCP_SYN_ANSWERED;
	if (s->traits & TCP_SYN_REPEATED)
		return;
	s->handshake_ns = c->handshake_ns = ns ? ns : 1;
}

/* A new segment with payload: the next one to be timed, unless one is. */
PARSE_INLINE void begin_sample(struct tcp_state *s, const struct observed *o)
{
	u32 octets = o->packets > 1 && o->segment < o->payload ? o->segment : o->payload;

	if (s->traits & TCP_TIMED)
		return;
	if (s->open || (s->traits & TCP_BEGUN && o->sequence != s->next))
		return;
	s->traits |= TCP_TIMED;
	s->sample_ns = o->time_ns;
	s->sample_end = o->sequence + octets;
	s->sample_timestamp = o->traits & OBSERVED_TIMESTAMPS ? o->timestamp : 0;
}

/* An ACK of the other way, which may be the one that is awaited for way s. `repeats`: duplicate ones came right before. */
PARSE_INLINE void end_sample(struct tcp_state *s, struct tcp_counts *c, const struct observed *o, u32 repeats)
{
	int echoes;

	if (!(s->traits & TCP_TIMED) || is_before(o->acknowledgment, s->sample_end))
		return;
	echoes = !s->sample_timestamp || !(o->traits & OBSERVED_TIMESTAMPS) || o->echo == s->sample_timestamp;
	if (echoes && !repeats)
		add_time(&c->round_trip, o->time_ns - s->sample_ns);
	s->traits = (u16)(s->traits & ~TCP_TIMED);
}
