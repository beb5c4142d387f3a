/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Packets in pieces: only the first piece says what is behind the IP header. Later ones get it from there, so that all are of
 * one flow; whoever comes before the first piece, or long after it, stays without ports.
 *
 * First pieces are remembered in sets, by all that makes their flow but what they alone say, and by their identification.
 * A new one takes the place of the oldest of its set.
 */
#pragma once

#include "key_words.h"

#define FRAGMENT_SETS_BITS 10
#define FRAGMENT_SETS (1 << FRAGMENT_SETS_BITS)
#define FRAGMENT_WAYS 4
/* Receivers wait so long for the other pieces (net.ipv4.ipfrag_time); then identifications come again. */
#define FRAGMENT_SECONDS 30

struct fragment {
	u64 words[WIDE_WORDS];
	u32 second;
	u32 mark_id;
	u16 source_port;
	u16 destination_port;
	u8 traits;
	u8 mark;
	u16 pad;
};

struct fragment_set {
	u32 next; /* the oldest */
	u32 pad;
	struct fragment ways[FRAGMENT_WAYS];
};

#define INNER_TRAITS (TRAIT_FRAGMENT | TRAIT_LATER_FRAGMENT | TRAIT_NOT_TUNNEL)

/* What all pieces of a packet have in common, as words; the identification stands where the ports were. */
PARSE_INLINE void datagram_words(u64 *words, const struct packet *p)
{
	wide_words(words, p);
	words[2] &= ~((u64)INNER_TRAITS << 56 | 0xffffffff);
	words[2] |= p->fragment_id;
	words[12] &= 0xffffffff; /* no mark */
	words[13] &= 0x00ffffff;
}

/* The number of their set. */
PARSE_INLINE u32 fragment_place(const u64 *words)
{
	return hash_words(words, WIDE_WORDS) >> (64 - FRAGMENT_SETS_BITS);
}

/* Remembers a first piece; gives a later one what its first one said. `second` is of any clock. */
PARSE_INLINE void join_fragments(struct fragment_set *set, struct packet *p, const u64 *words, u32 second)
{
	struct fragment *first;
	u32 found = FRAGMENT_WAYS;

#pragma clang loop unroll(disable)
	for (u32 way = 0; way < FRAGMENT_WAYS; way++) {
		if (same_words(set->ways[way].words, words, WIDE_WORDS))
			found = way;
	}
	if (p->labels.traits & TRAIT_FRAGMENT) {
		if (found == FRAGMENT_WAYS)
			found = set->next++;
		first = &set->ways[found % FRAGMENT_WAYS];
		__builtin_memcpy(first->words, words, sizeof(first->words));
		first->second = second;
		first->source_port = p->labels.source_port;
		first->destination_port = p->labels.destination_port;
		first->traits = p->labels.traits;
		first->mark = p->stack.mark;
		first->mark_id = p->stack.mark_id;
		return;
	}
	first = &set->ways[found % FRAGMENT_WAYS];
	/* Captures are not always in order. */
	if (found == FRAGMENT_WAYS || second - first->second + FRAGMENT_SECONDS > 2 * FRAGMENT_SECONDS)
		return;
	p->labels.source_port = first->source_port;
	p->labels.destination_port = first->destination_port;
	p->labels.traits = first->traits;
	p->stack.mark = first->mark;
	p->stack.mark_id = first->mark_id;
}
