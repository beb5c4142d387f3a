/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sequence errors of one way of a biflow, by numbers that its sender raises by one per packet: an account of what was lost,
 * repeated and reordered, and the plain step counters of older monitors.
 *
 *   behind the window        the window: 1,024 numbers in 16 words              ahead
 *   ... ───────────────┤ low ─────────────── highest, not yet reached ├── ... MOST_AHEAD ─┤ ...
 *     late, or a restart  seen already: duplicate; else: reordered       loss               stray, or a restart
 *
 * A number out of reach waits for the next one: if that is its successor, the sender began anew (RFC 3550 appendix A.1);
 * else it was late or stray. So for a way, from its beginning on,
 *     received = unique + duplicates + late + strays (+ 1 while one waits),   lost = expected - unique
 */
#pragma once

#include "observed.h"

/* Numbers of which is known whether they came: words of 64, so that the window moves by whole words. */
#define SEQUENCE_WORDS 16
/*
 * The longest loss that is not taken for a sender's new beginning. Of 32 bits: more than a second of 10 Gbit/s in packets of
 * 1,500 octets; a random new beginning looks like a loss once in 4,096 times. Of 16 bits: MAX_DROPOUT of RFC 3550.
 */
#define MOST_AHEAD (1 << 20)
#define MOST_AHEAD_SHORT 3000
/* Of a super-packet of datagrams: UDP_MAX_SEGMENTS of newer kernels; UDP_GRO_CNT_MAX is half of it. */
#define SEQUENCE_SEGMENTS 128
/* Packets in a row of another source until that one is followed. */
#define SOURCE_PATIENCE 64

enum waiting {
	WAITING_NONE = 0,
	WAITING_AHEAD = 1,
	WAITING_BEHIND = 2,
};

/*
 * What is remembered of one way as long as its biflow lives; begins as zeros. Numbers of 16 bits are carried on as 32 bits,
 * so that the window need not know of them.
 *
 * Runs of loss are told once they left the window. Those still in it: `run` goes on with the numbers from `low` (or from
 * low & ~63, which is the same then) through `highest`, number n missing when bit n % 64 of seen[n / 64 % 16] is not set.
 */
struct sequence_state {
	u64 seen[SEQUENCE_WORDS]; /* those before the first number count as seen */
	u32 highest;
	u32 low;     /* the least that can be told apart: of the window, not before the first number */
	u32 last;    /* as it stood in the latest packet */
	u32 out;     /* the number that waits, as it stood in its packet */
	u32 waiting; /* enum waiting */
	u32 run;     /* missing in a row up to where the window begins */
	u32 source;  /* whose numbers are followed; 0 where there are no names */
	u32 others;  /* packets of other sources since the last one of this */
	u32 era;     /* beginnings so far; 0: no number yet */
	u32 pad;
};
_Static_assert(sizeof(struct sequence_state) == 168, "struct sequence_state");

enum move {
	MOVE_NONE = 0,
	MOVE_AHEAD = 1,
	MOVE_CONFIRMED = 2, /* to a new beginning: the number that waited was the first */
	MOVE_BEGINNING = 3, /* to the first number of all, or of another source */
};

/* The way of the window to the number of a packet, word by word; over before the lock is given back. */
struct sequence_move {
	u32 kind;  /* enum move */
	u32 words; /* to go in all */
	u32 gone;
	u32 to;	   /* the number as 32 bits; of a new beginning as it stands in the packet */
	u32 noted; /* numbers of the packet */
	u32 count; /* of them */
};

/* What is counted for one way in an epoch. All add up but the last two, of which the largest is kept. */
struct sequence_counts {
	u64 received;	 /* numbers read, of the source that is followed */
	u64 no_sequence; /* packets where a number should be but is not */
	u64 expected;	 /* numbers from the first to the highest one */
	u64 unique;	 /* of these, that came; may come in a later epoch than where they were expected */
	u64 duplicates;
	u64 reordered;	 /* came after a higher one */
	u64 extents;	 /* of the reordered: how far behind the highest, in numbers (RFC 4737 4.2.2 in numbers) */
	u64 late;	 /* behind the window: reordered or duplicate, nobody knows */
	u64 strays;	 /* alone far ahead */
	u64 restarts;	 /* the sender began anew */
	u64 other_sources;
	/* Steps from each packet to the next that are not 1: below 0, from 0 to the threshold, beyond it. */
	u64 reverse_steps;
	u64 small_steps;
	u64 big_steps;
	u32 most_extent;
	u32 longest_run; /* lost in a row, known when they leave the window */
};
_Static_assert(sizeof(struct sequence_counts) == 120, "struct sequence_counts");

struct sequence_number {
	u32 number; /* as it stands in the packet */
	u32 source; /* SSRC of RTP, else 0 */
};

/* How numbers of a kind are to be taken. In memory of which the verifier knows nothing: else it looks at each kind apart. */
struct sequence_kind {
	u32 unused_bits; /* 16 or 0 of 32 */
	int most_ahead;
};

PARSE_INLINE void choose_kind(struct sequence_kind *kind, int is_short)
{
	kind->unused_bits = is_short ? 16 : 0;
	kind->most_ahead = is_short ? MOST_AHEAD_SHORT : MOST_AHEAD;
}

/* How far `to` is ahead of `from` in numbers of 32 bits less `unused`; below 0: behind. */
PARSE_INLINE int sequence_distance(u32 to, u32 from, u32 unused)
{
	return (int)((to - from) << unused) >> unused;
}

/*
 * From here on there are no branches, as it is all within a loop: the verifier forgets the states of earlier rounds, and walks
 * every way through a round again and again. Conditions are 0 or 1, made such that the compiler does not know and branch.
 */
PARSE_INLINE u32 is_negative(long long value)
{
	u64 sign;

	__asm__("" : "+r"(value));
	sign = (u64)value >> 63;
	__asm__("" : "+r"(sign));
	return (u32)sign;
}

PARSE_INLINE u32 is_set(u32 value)
{
	return is_negative(-(long long)value);
}

/* `yes` or 0. */
PARSE_INLINE u32 only_if(u32 condition, u32 yes)
{
	return yes & -condition;
}

PARSE_INLINE u32 choose(u32 condition, u32 yes, u32 no)
{
	return no ^ ((yes ^ no) & -condition);
}

PARSE_INLINE void keep_more(u32 *kept, u32 value)
{
	*kept = choose(is_negative((long long)*kept - value), value, *kept);
}

/* The longest row of set bits; 63 where all are. */
PARSE_INLINE u32 longest_row(u64 bits)
{
	u64 rows[6], starts = ~0ull, longer, keep;
	u32 length = 0, is_longer;

	/* Bit i of rows[k]: 2^k bits are set from i on. */
	rows[0] = bits;
#pragma clang loop unroll(full)
	for (u32 k = 1; k < 6; k++)
		rows[k] = rows[k - 1] & rows[k - 1] >> (1u << (k - 1));
#pragma clang loop unroll(full)
	for (int k = 5; k >= 0; k--) {
		longer = starts & rows[k] >> length;
		is_longer = is_negative((long long)(longer | -longer));
		keep = (u64)is_longer - 1;
		starts = (longer & ~keep) | (starts & keep);
		length += is_longer << k;
	}
	return length;
}

/* Set bits from the lowest on. */
PARSE_INLINE u32 lowest_row(u64 bits)
{
	u64 row = bits & ~(bits + 1);

	__asm__("" : "+r"(row));
	return (u32)__builtin_popcountll(row);
}

/* Set bits from the highest on. */
PARSE_INLINE u32 highest_row(u64 bits)
{
	u64 clear = ~bits;

	clear |= clear >> 1;
	clear |= clear >> 2;
	clear |= clear >> 4;
	clear |= clear >> 8;
	clear |= clear >> 16;
	clear |= clear >> 32;
	clear = ~clear;
	__asm__("" : "+r"(clear));
	return (u32)__builtin_popcountll(clear);
}

PARSE_INLINE u64 *word_of(struct sequence_state *s, u32 number)
{
	return &s->seen[number >> 6 & (SEQUENCE_WORDS - 1)];
}

/* A step from the packet before. */
PARSE_INLINE void note_step(struct sequence_counts *c, u32 condition, int step, int threshold)
{
	long long wide = step, apart = wide - 1;
	u32 is_error = is_negative(apart | -apart) & condition, is_reverse = is_negative(wide) & is_error;
	u32 is_big = is_negative(threshold - wide) & is_error & ~is_reverse;

	c->reverse_steps += is_reverse;
	c->big_steps += is_big;
	c->small_steps += is_error & ~is_reverse & ~is_big;
}

/*
 * The next packet of a way has this number, if the condition is met. The window may have to move (m->kind) before it is
 * noted all. Who speaks alone for long enough is followed.
 */
PARSE_INLINE void note_number(struct sequence_state *s, struct sequence_counts *c, struct sequence_move *m,
			      u32 condition, const struct sequence_number *from, const struct sequence_kind *kind,
			      int threshold)
{
	u32 sequence = from->number, unused = kind->unused_bits, others = s->others + 1, number, words, extent;
	u32 is_first = (1 - is_set(s->era)) & condition, is_same = (1 - is_set(s->source ^ from->source)) & condition;
	u32 is_follower = is_same & ~is_first, is_other = condition & ~is_follower & ~is_first;
	u32 is_change = is_negative((long long)SOURCE_PATIENCE - 1 - others) & is_other, is_beginning = is_first | is_change;
	u32 is_confirmed, is_ahead, is_far, is_next, is_near, is_behind, is_late, was_seen, is_new, is_over, waited;
	u64 *word;
	int ahead;

	note_step(c, is_follower, sequence_distance(sequence, s->last, unused), threshold);
	c->received += is_follower | is_beginning;
	c->other_sources += is_other & ~is_change;
	s->others = choose(condition, only_if(is_other & ~is_change, others), s->others);
	s->source = choose(is_beginning, from->source, s->source);
	s->last = choose(is_follower | is_beginning, sequence, s->last);

	waited = s->waiting;
	is_confirmed = is_set(waited) & is_follower &
		       (1 - is_set((u32)sequence_distance(sequence, s->out, unused) - 1));
	is_over = is_confirmed | is_beginning;
	/* Those that were not reached are not missing. */
	*word_of(s, s->highest) |= (~0ull << (s->highest & 63)) & -(u64)is_over;
	c->late += waited >> 1 & (is_follower | is_beginning) & ~is_confirmed;
	c->strays += waited & (is_follower | is_beginning) & ~is_confirmed;

	ahead = sequence_distance(sequence, s->highest, unused);
	number = s->highest + (u32)ahead;
	is_ahead = is_negative(-(long long)ahead) & is_follower & ~is_confirmed;
	is_far = is_negative((long long)kind->most_ahead - ahead) & is_ahead;
	is_behind = is_follower & ~is_confirmed & ~is_ahead;
	is_late = is_negative((int)(number - s->low)) & is_behind;
	s->waiting = choose(is_follower | is_beginning, is_far * WAITING_AHEAD + is_late * WAITING_BEHIND, waited);
	s->out = choose(is_far | is_late, sequence, s->out);

	word = word_of(s, number);
	was_seen = (u32)(*word >> (number & 63)) & 1;
	is_new = is_behind & ~is_late & ~was_seen;
	c->duplicates += is_behind & ~is_late & was_seen;
	c->reordered += is_new;
	extent = only_if(is_new, (u32)-ahead);
	c->extents += extent;
	keep_more(&c->most_extent, extent);

	is_next = is_ahead & ~is_far;
	words = ((number >> 6) - (s->highest >> 6)) & 0x3ffffff;
	is_near = is_next & (1 - is_set(words));
	*word |= (u64)(is_near | is_new) << (number & 63);
	c->unique += is_near | is_new;
	c->expected += only_if(is_near, (u32)ahead);
	s->highest += only_if(is_near, (u32)ahead);

	m->gone = choose(condition, 0, m->gone);
	m->kind = choose(condition,
			 (is_next & ~is_near) * MOVE_AHEAD + is_confirmed * MOVE_CONFIRMED +
				 is_beginning * MOVE_BEGINNING,
			 m->kind);
	m->words = choose(condition, choose(is_over, (1 - is_first) * SEQUENCE_WORDS, words), m->words);
	m->to = choose(condition, choose(is_over, sequence, number), m->to);
}

/* 64 numbers leave the window, if the condition is met. */
PARSE_INLINE void retire_word(struct sequence_state *s, struct sequence_counts *c, u32 condition, u64 *word)
{
	u64 missing = ~*word & -(u64)condition;
	u32 lowest = lowest_row(missing);

	*word &= (u64)condition - 1;
	keep_more(&c->longest_run, s->run + lowest);
	keep_more(&c->longest_run, longest_row(missing));
	/* All 64: the run goes on. */
	s->run = choose(condition, only_if(lowest >> 6, s->run) + highest_row(missing), s->run);
}

/* If the window is on its way, it moves by a word; with the last one the number is noted. */
PARSE_INLINE void move_window(struct sequence_state *s, struct sequence_counts *c, struct sequence_move *m)
{
	u32 is_moving = is_set(m->kind), end = m->words, to = m->to, leap, low, is_going, is_there, is_ahead;
	u32 is_beginning, is_confirmed;
	u64 *word;

	leap = end - SEQUENCE_WORDS;
	leap = only_if(1 - is_negative((int)leap), leap);
	is_going = is_moving & is_negative((long long)m->gone - (end - leap));
	m->gone += is_going;
	retire_word(s, c, is_going, word_of(s, s->highest + 64 * m->gone));

	is_there = is_moving & (1 - is_negative((long long)m->gone - (end - leap)));
	is_ahead = is_there & (1 - is_set(m->kind ^ MOVE_AHEAD));
	is_confirmed = is_there & (1 - is_set(m->kind ^ MOVE_CONFIRMED));
	is_beginning = is_there & ~is_ahead;
	/* Numbers that it leapt over were never in it. */
	s->run += only_if(is_ahead, 64 * leap);
	keep_more(&c->longest_run, s->run);
	s->run = only_if(1 - is_beginning, s->run);
	c->restarts += is_beginning & is_set(s->era);
	s->era += is_beginning;
#pragma clang loop unroll(full)
	for (u32 i = 0; i < SEQUENCE_WORDS; i++)
		s->seen[i] |= -(u64)is_beginning;
	/* Of the first number's own word those behind it are yet to come. */
	word = word_of(s, to);
	*word &= ~(-(u64)is_beginning & (~1ull << (to & 63)));
	*word |= (u64)is_there << (to & 63);
	c->expected += only_if(is_ahead, to - s->highest) + is_beginning + is_confirmed;
	c->unique += is_there + is_confirmed;
	s->highest = choose(is_there, to, s->highest);
	low = ((to >> 6) - (SEQUENCE_WORDS - 1)) << 6;
	s->low = choose(is_ahead & is_negative((int)(s->low - low)), low, s->low);
	/* The one that waited was the first. */
	s->low = choose(is_beginning, to - is_confirmed, s->low);
	m->kind = only_if(1 - is_there, m->kind);
}

/* The usual: one packet with the next number of the same source. 0: it is anything else, and nothing is noted. */
PARSE_INLINE u32 note_usual(struct sequence_state *s, struct sequence_counts *c, const struct sequence_number *from,
			    u32 count, const struct sequence_kind *kind)
{
	u32 sequence = from->number, unused = kind->unused_bits, number = s->highest + 1;

	if (is_set((u32)sequence_distance(sequence, s->highest, unused) - 1) |
	    is_set((u32)sequence_distance(sequence, s->last, unused) - 1) | (s->source ^ from->source) | s->waiting |
	    (count - 1) | (1 - is_set(number & 63)) | (1 - is_set(s->era)))
		return 0;
	*word_of(s, number) |= 1ull << (number & 63);
	s->highest = number;
	s->last = sequence;
	s->others = 0;
	c->received++;
	c->expected++;
	c->unique++;
	return 1;
}

/*
 * Each step notes a number or moves the window by a word, or both: so many words for all segments of a super-packet. They do
 * not last where more than 1,000 numbers were lost between its segments.
 */
#define MOST_MOVES 32u
#define SEQUENCE_STEPS (SEQUENCE_SEGMENTS + MOST_MOVES)

/*
 * The next packets of a way have these numbers. Steps up to `threshold` are small. Gives how many were noted. All is in memory
 * of which the verifier knows nothing, and that nobody else changes meanwhile.
 */
PARSE_INLINE u32 note_sequences(struct sequence_state *s, struct sequence_counts *c, struct sequence_move *m,
				const struct sequence_number *from, u32 count, const struct sequence_kind *kind,
				int threshold)
{
	if (note_usual(s, c, from, count, kind))
		return 1;
	m->noted = 0;
	m->count = count;
	m->kind = MOVE_NONE;
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < SEQUENCE_STEPS; i++) {
		u32 is_taken, is_over;

		__asm__ volatile("" : : : "memory");
		is_taken = 1 - is_set(m->kind);
		is_over = is_taken & (1 - is_negative((long long)m->noted - m->count));
		/* A move that is begun must come to its end. */
		is_over |= is_taken & is_negative((long long)SEQUENCE_STEPS - SEQUENCE_WORDS - i);
		if (is_over)
			break;
		note_number(s, c, m, is_taken, &from[m->noted & (SEQUENCE_SEGMENTS - 1)], kind, threshold);
		m->noted += is_taken;
		__asm__ volatile("" : : : "memory");
		move_window(s, c, m);
	}
	return m->noted;
}
