/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which sequence numbers were seen: all from `start` to `next` that lie in no gap. What is found out lies in memory, not in
 * registers: the verifier sees one state after each gap.
 */
#pragma once

#include "tcp_state.h"

/* Older ones could be taken for new ones. */
#define TCP_MEMORY (1u << 30)

/* Numbers from `from` until before `to`, none beyond `next`, are seen: closes gaps, adds what they fill to `filled`. */
PARSE_INLINE void fill_gaps(struct tcp_state *s, u32 from, u32 to)
{
	struct tcp_gap *gap;
	u32 low, high;

#pragma clang loop unroll(disable)
	for (u32 i = 0; i < TCP_GAPS; i++) {
		gap = &s->gaps[i];
		low = later_of(from, gap->from);
		high = earlier_of(to, gap->to);
		if (gap->from == gap->to || !is_before(low, high))
			continue;
		s->filled += high - low;
		if (low != gap->from && high != gap->to) {
			s->fresh.from = high;
			s->fresh.to = gap->to;
			gap->to = low;
		} else if (low != gap->from) {
			gap->to = low;
		} else {
			gap->from = high;
		}
		if (gap->from == gap->to)
			s->open--;
	}
}

/* Gives the fresh gap a place. */
PARSE_INLINE void place_gap(struct tcp_state *s, struct tcp_counts *c)
{
	struct tcp_gap *gap;

	if (s->fresh.from == s->fresh.to)
		return;
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < TCP_GAPS; i++) {
		gap = &s->gaps[i];
		if (gap->from != gap->to && s->next - gap->to > TCP_MEMORY) {
			c->forgotten_gaps++;
			c->forgotten_numbers += gap->to - gap->from;
			gap->from = gap->to;
			s->open--;
		}
		if (gap->from == gap->to && s->fresh.from != s->fresh.to) {
			*gap = s->fresh;
			s->fresh.from = s->fresh.to;
			s->open++;
		}
	}
	if (s->fresh.from == s->fresh.to)
		return;
	c->forgotten_gaps++;
	c->forgotten_numbers += s->fresh.to - s->fresh.from;
	s->fresh.from = s->fresh.to;
}

/* The receiver has all before `to`: what of it is still missing here, came by another way, or before anybody looked. */
PARSE_INLINE void close_gaps(struct tcp_state *s, struct tcp_counts *c, u32 to)
{
	struct tcp_gap *gap;
	u32 high;

#pragma clang loop unroll(disable)
	for (u32 i = 0; i < TCP_GAPS; i++) {
		gap = &s->gaps[i];
		high = earlier_of(to, gap->to);
		if (gap->from == gap->to || !is_before(gap->from, high))
			continue;
		if (!is_before(gap->from, s->first))
			c->unseen_numbers += high - gap->from;
		gap->from = high;
		if (gap->from == gap->to)
			s->open--;
	}
}

/*
 * Takes note of numbers from `from` until before `to` and says how many of them were not seen before, in `filled`, and how
 * many were, as what it gives. place_gap() is to follow.
 */
PARSE_INLINE u32 see_numbers(struct tcp_state *s, u32 from, u32 to)
{
	u32 below;

	s->filled = 0;
	if (!is_before(from, s->next))
		return 0;
	to = earlier_of(to, s->next);
	below = to - from;
	if (is_before(from, s->start)) {
		s->filled = earlier_of(to, s->start) - from;
		if (is_before(to, s->start)) {
			s->fresh.from = to;
			s->fresh.to = s->start;
		}
		s->start = from;
	}
	if (s->open)
		fill_gaps(s, from, to);
	return below - s->filled;
}
