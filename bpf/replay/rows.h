/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Rows by their key, which every row begins with.
 *
 *   index: a word per place, hash | row + 1 ──▶ chunks of rows, in the order of their first packet
 */
#pragma once

#include "../key_words.h"
#include "memory.h"

#define CHUNK_ROWS 4096
#define LEAST_PLACES_BITS 14

struct place {
	u32 hash;
	u32 number; /* of the row, plus one; 0: free */
};

struct index {
	struct place *places;
	u32 bits;
	u32 used;
};

/* Twice the places; 0: memory is full. */
static int grow_places(struct index *index)
{
	u32 bits = index->places ? index->bits + 1 : LEAST_PLACES_BITS, mask, at;
	struct place *grown;

	if (bits > 28)
		return 0;
	grown = allocate_empty(sizeof(struct place) << bits);
	if (!grown)
		return 0;
	mask = (1u << bits) - 1;
	for (u32 i = 0; index->places && i >> index->bits == 0; i++) {
		if (!index->places[i].number)
			continue;
		for (at = index->places[i].hash >> (32 - bits); grown[at].number; at = (at + 1) & mask)
			;
		grown[at] = index->places[i];
	}
	index->places = grown;
	index->bits = bits;
	return 1;
}

/* A row of `octets`, of which the chunks are full. */
PARSE_INLINE void *row_at(const u32 *chunks, u32 number, u32 octets)
{
	return (u8 *)chunks[number / CHUNK_ROWS] + number % CHUNK_ROWS * octets;
}

/* The place of a key: that of its row, or a free one with its hash. 0: there is no room. */
PARSE_INLINE struct place *index_place(struct index *index, const u32 *chunks, u32 octets, const u64 *words,
				    const u64 *factors)
{
	u32 hash = sum_words(words, factors, WIDE_WORDS) >> 32, mask, at;

	/* Half of the places stay free. */
	if ((!index->places || index->used >> (index->bits - 1)) && !grow_places(index) &&
	    (!index->places || index->used >> index->bits))
		return 0;
	mask = (1u << index->bits) - 1;
	for (at = hash >> (32 - index->bits); index->places[at].number; at = (at + 1) & mask) {
		if (index->places[at].hash == hash &&
		    same_words(row_at(chunks, index->places[at].number - 1, octets), words, WIDE_WORDS))
			return &index->places[at];
	}
	/* One place always stays free, so that each search ends. */
	if (index->used >= mask)
		return 0;
	index->places[at].hash = hash;
	return &index->places[at];
}

/* Takes a row out of its place, and moves up those behind that had to go on because of it. */
PARSE_INLINE void leave_place(struct index *index, struct place *left)
{
	u32 mask = (1u << index->bits) - 1, at = (u32)(left - index->places), next = at, home;

	for (;;) {
		next = (next + 1) & mask;
		if (!index->places[next].number)
			break;
		home = index->places[next].hash >> (32 - index->bits);
		/* Its home is not between the free place and where it is. */
		if (((next - home) & mask) >= ((next - at) & mask)) {
			index->places[at] = index->places[next];
			at = next;
		}
	}
	index->places[at].number = 0;
	index->used--;
}

PARSE_INLINE void forget_places(struct index *index)
{
	if (index->places && index->used)
		__builtin_memset(index->places, 0, sizeof(struct place) << index->bits);
	index->used = 0;
}
