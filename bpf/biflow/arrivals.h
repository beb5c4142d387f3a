/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Inter-arrival times, one way of a biflow: as sums, so that no sample is ever kept or lost. Mean and sample standard
 * deviation follow from number, sum and sum of squares, which are exact.
 *
 * After a gap as long as `reset_ns` the flow is taken to have stopped: that gap and all before it in the epoch do not count.
 */
#pragma once

#include "observed.h"

struct arrivals_state {
	u64 last_ns; /* 0: none came yet */
};

struct arrivals_counts {
	u64 sum_ns;
	u64 squares[2]; /* of nanoseconds: low, high */
	u64 least_ns;	/* see keep_least() */
	u64 most_ns;
	u32 gaps;
	u32 resets;
	u32 coarse; /* packets that came within super-packets: nobody saw when */
	u32 pad;
	u32 histogram[HISTOGRAM_PLACES];
};

struct arrivals {
	struct arrivals_state state[WAYS];
	struct arrivals_counts counts[WAYS][HALVES];
};

/* Adds the square of a number below 2^40. */
PARSE_INLINE void add_square(u64 *sum, u64 value)
{
	u64 low = value & 0xffffffff, high = value >> 32;
	u64 square = low * low, middle = 2 * low * high, before = sum[0];

	sum[0] += square;
	sum[1] += sum[0] < before;
	before = sum[0];
	sum[0] += middle << 32;
	sum[1] += (sum[0] < before) + (middle >> 32) + high * high;
}

PARSE_INLINE void note_arrival(struct arrivals *a, const struct observed *o, u64 reset_ns)
{
	u32 way = o->way & 1, parity = o->parity & 1;
	struct arrivals_state *s = &a->state[way];
	struct arrivals_counts *c = &a->counts[way][parity];
	u64 gap;

	if (o->packets > 1)
		c->coarse += o->packets - 1;
	if (!s->last_ns) {
		s->last_ns = o->time_ns;
		return;
	}
	/* Of two CPUs, the one that came first may be served last. */
	if (o->time_ns < s->last_ns)
		gap = 0;
	else {
		gap = o->time_ns - s->last_ns;
		s->last_ns = o->time_ns;
	}
	if (gap >= reset_ns) {
		c->resets++;
		c->gaps = 0;
		c->sum_ns = c->squares[0] = c->squares[1] = c->least_ns = c->most_ns = 0;
#pragma clang loop unroll(disable)
		for (u32 i = 0; i < HISTOGRAM_PLACES; i++)
			((volatile u32 *)c->histogram)[i] = 0;
		return;
	}
	c->gaps++;
	c->sum_ns += gap;
	add_square(c->squares, gap);
	keep_least(&c->least_ns, gap);
	keep_most(&c->most_ns, gap);
	c->histogram[histogram_place(gap) & (HISTOGRAM_PLACES - 1)]++;
}
