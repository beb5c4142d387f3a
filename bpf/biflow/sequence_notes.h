/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What was found in a packet (sequence_place.h) goes into the account of its way: under its biflow's lock. */
#pragma once

#include "interarrival_jitter.h"
#include "sequence.h"
#include "sequence_place.h"

/* Of one way, as long as its biflow lives. Begins as zeros. */
struct numbered_state {
	struct sequence_state sequence;
	struct jitter_state jitter;
};

/* Of one way in an epoch. Begins as zeros. */
struct numbered_counts {
	struct sequence_counts sequence;
	struct jitter_counts jitter;
};

/* Of a biflow. */
struct numbers {
	struct numbered_state state[WAYS];
	struct numbered_counts counts[WAYS][HALVES];
};

/* Numbers that could not be noted count as none. */
PARSE_INLINE void note_found(struct numbered_state *s, struct numbered_counts *c, struct sequence_found *found,
			     const volatile struct sequence_settings *settings, u64 arrival_ns)
{
	u32 rate = 0, noted = 0;

	if (found->count)
		noted = note_sequences(&s->sequence, &c->sequence, &found->move, found->numbers, found->count,
				       &found->kind, settings->threshold);
	__asm__ volatile("" : : : "memory");
	c->sequence.no_sequence += found->missing + found->count - noted;
	/* One that waits may be of another beginning, with another clock. */
	if (!found->has_timestamp || found->timestamp_source != s->sequence.source || s->sequence.waiting)
		return;
	if (found->form == SEQUENCE_RTP) {
		rate = rtp_clock_rate(found->payload_type, settings->clock_rate);
		if (!rate)
			return;
	}
	note_jitter(&s->jitter, &c->jitter, arrival_ns, found->timestamp, rate, s->sequence.era);
}
