/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * TCP as it is at one observation point: what was sent twice, what came late, what is missing, who waits for whom.
 *
 * The rules for the second part of struct tcp_counts are those of tshark 4.0, where a segment is at most one of
 * retransmission and out of order, in this order:
 *
 *   keep-alive	0 or 1 octets, one number before the next: neither
 *   spurious		all of it was acknowledged already: a retransmission
 *   fast		what the other way asks for by two duplicate ACKs or more, the last within 20 ms: a retransmission
 *   out of order	within a first round trip (3 ms where it is not known) from the highest, of which it is not the end
 *   else		a retransmission
 */
#pragma once

#include "tcp_gaps.h"
#include "tcp_header.h"
#include "tcp_round_trip.h"

#define FAST_RETRANSMISSION_NS 20000000
#define FIRST_ROUND_TRIP_NS 3000000

/* What a segment is, beside its payload: bits. */
enum tcp_mark {
	MARK_WINDOW_PROBE = 1,
	MARK_KEEP_ALIVE = 2,
};

/* What the segment is by its numbers, which way s and the other way r say. A set of enum tcp_mark. */
PARSE_INLINE u32 marks_of(const struct tcp_state *s, const struct tcp_state *r, const struct observed *o)
{
	if (!(s->traits & TCP_BEGUN))
		return 0;
	if (o->payload == 1 && o->sequence == s->next && r->traits & TCP_BEGUN && !r->window)
		return MARK_WINDOW_PROBE;
	if (o->payload <= 1 && o->sequence == s->next - 1 && !(o->flags & (TCP_SYN | TCP_FIN | TCP_RST)))
		return MARK_KEEP_ALIVE;
	return 0;
}

/* Whether it says again what way s said last, and nothing else. */
PARSE_INLINE int is_repeat(const struct tcp_state *s, const struct observed *o)
{
	return !o->payload && !(o->flags & (TCP_SYN | TCP_FIN | TCP_RST)) && o->window == s->window &&
	       o->sequence == s->next && o->acknowledgment == s->acknowledgment;
}

/* Closed windows, probes and repeated ACKs. */
PARSE_INLINE void note_waiting(struct tcp_state *s, const struct tcp_state *r, struct tcp_counts *c,
			       const struct observed *o, u32 marks)
{
	int is_probe = marks & MARK_WINDOW_PROBE;

	if (is_probe)
		c->window_probes++;
	if (marks & MARK_KEEP_ALIVE)
		c->keep_alives++;
	if (!o->window && !is_probe && !(o->flags & (TCP_SYN | TCP_FIN | TCP_RST)))
		c->zero_windows++;
	if (o->window && is_repeat(s, o) && !(r->traits & TCP_KEPT_ALIVE)) {
		c->duplicate_acks++;
		s->repeats++;
	}
	if (o->acknowledgment != s->acknowledgment)
		s->repeats = 0;
	s->traits = (u16)(s->traits & ~TCP_KEPT_ALIVE);
	if (marks & MARK_KEEP_ALIVE)
		s->traits |= TCP_KEPT_ALIVE;
}

/* How many segments so many numbers take: of a super-packet a part. */
PARSE_INLINE u32 segments_of(const struct observed *o, u32 numbers)
{
	u32 segments;

	if (o->packets <= 1 || !o->segment)
		return 1;
	segments = (numbers + o->segment - 1) / o->segment;
	return segments < o->packets ? segments : o->packets;
}

/* Numbers below the highest, as the set of those seen has it. `end`: behind the segment. */
PARSE_INLINE void note_seen(struct tcp_state *s, struct tcp_counts *c, const struct observed *o, u32 end)
{
	u32 repeated = see_numbers(s, o->sequence, end), late = s->filled;

	if (is_before(o->sequence, s->sample_end))
		s->traits = (u16)(s->traits & ~TCP_TIMED);
	if (repeated) {
		c->repeated_octets += repeated < o->payload ? repeated : o->payload;
		c->repeated_segments += segments_of(o, repeated);
	}
	if (late) {
		c->late_octets += late < o->payload ? late : o->payload;
		c->late_segments += segments_of(o, late);
	}
}

/* Which kind of retransmission a segment is, or out of order, or neither. `old`: its numbers below the highest. */
PARSE_INLINE void judge(const struct tcp_track *t, struct tcp_state *s, const struct tcp_state *r,
			struct tcp_counts *c, const struct observed *o, u32 old, u32 end)
{
	u64 near = t->first_round_trip ? t->first_round_trip : FIRST_ROUND_TRIP_NS;
	u32 segments = segments_of(o, old);

	if (o->payload && r->acknowledgment &&
	    !is_before(r->acknowledgment, o->sequence + o->payload)) {
		c->retransmissions += o->packets;
		c->spurious_retransmissions += o->packets;
	} else if (!old || (old == 1 && o->payload > 1)) {
		return; /* new, but for the octet of a probe */
	} else if (r->repeats >= 2 && r->acknowledgment == o->sequence &&
		   o->time_ns - r->last_ns < FAST_RETRANSMISSION_NS) {
		c->retransmissions += segments;
		c->fast_retransmissions += segments;
	} else if (o->time_ns - s->next_ns < near && end != s->next) {
		c->out_of_order += segments;
		if (!s->filled)
			c->repeated_out_of_order += segments;
	} else {
		c->retransmissions += segments;
	}
}

/* Numbers beyond the highest. */
PARSE_INLINE void advance(struct tcp_state *s, struct tcp_counts *c, const struct observed *o, u32 end)
{
	if (!(s->traits & TCP_BEGUN)) {
		s->traits |= TCP_BEGUN;
		s->start = s->next = o->sequence;
		s->first = o->sequence;
	} else if (is_before(s->next, o->sequence)) {
		c->gaps++;
		c->gap_numbers += o->sequence - s->next;
		s->fresh.from = s->next;
		s->fresh.to = o->sequence;
	} else if (!is_before(s->next, end)) {
		return;
	}
	s->next = end;
	s->next_ns = o->time_ns;
	if (s->next - s->start > TCP_MEMORY)
		s->start = s->next - TCP_MEMORY;
	if (s->next - s->first > TCP_MEMORY)
		s->first = s->next - TCP_MEMORY;
}

/* What way s sends: its numbers. */
PARSE_INLINE void note_numbers(struct tcp_track *t, struct tcp_state *s, const struct tcp_state *r,
			       struct tcp_counts *c, const struct observed *o, u32 marks)
{
	u32 end = o->sequence + o->payload + (o->flags & (TCP_SYN | TCP_FIN) ? 1 : 0);
	u32 old = s->traits & TCP_BEGUN && is_before(o->sequence, s->next) ? s->next - o->sequence : 0;

	if (end != o->sequence && !(marks & MARK_KEEP_ALIVE)) {
		c->octets += o->payload;
		c->segments += o->packets;
		if (old)
			note_seen(s, c, o, end);
		judge(t, s, r, c, o, old, end);
		if (!old && o->payload && !marks)
			begin_sample(s, o);
	}
	/* The octet of a probe comes again; the number of a reset may be anything. */
	if (!(marks & MARK_WINDOW_PROBE) && !(o->flags & TCP_RST))
		advance(s, c, o, end);
	place_gap(s, c);
}

/* What way s says of the other one. */
PARSE_INLINE void note_acknowledgment(struct tcp_track *t, struct tcp_state *s, struct tcp_state *r,
				      struct tcp_counts *of_r, const struct observed *o, u32 repeats)
{
	if (o->flags & TCP_ACK) {
		if (r->open)
			close_gaps(r, of_r, o->acknowledgment);
		answer_syn(r, of_r, o);
		if (!(o->flags & (TCP_SYN | TCP_RST))) {
			if (t->syn_ns && !t->first_round_trip)
				t->first_round_trip = o->time_ns - t->syn_ns;
			end_sample(r, of_r, o, repeats);
		}
	}
	s->window = o->window;
	s->acknowledgment = o->acknowledgment;
	s->last_ns = o->time_ns;
}

/* Takes note of a segment, or of a super-packet of such, whose way and epoch it says; without a header of nothing. */
PARSE_INLINE void note_tcp(struct tcp_track *t, const struct observed *o)
{
	u32 way = o->way & 1, parity = o->parity & 1, marks, repeats;
	struct tcp_state *s = &t->state[way], *r = &t->state[way ^ 1];
	struct tcp_counts *of_s = &t->counts[way][parity], *of_r = &t->counts[way ^ 1][parity];

	if (!(o->traits & OBSERVED_HEADER))
		return;
	marks = marks_of(s, r, o);
	repeats = s->repeats;
	note_waiting(s, r, of_s, o, marks);
	if (o->flags & TCP_SYN)
		note_syn(t, s, o);
	note_numbers(t, s, r, of_s, o, marks);
	note_acknowledgment(t, s, r, of_r, o, repeats);
}
