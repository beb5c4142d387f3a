/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The flow table: every flow of an epoch in rows that user space maps and reads without a system call.
 *
 *   index: a word per place, tag | row + 1 ──▶ rows: {key, counters}, dense, in the order of their first packet
 *
 * The rows are the truth and the index is a hint. Nobody locks it: where two CPUs write the same place, one row is not
 * found again and its flow gets a second one. User space adds rows of one flow; no packet is lost and none counts twice.
 * All of it is doubled by the parity of the epoch.
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "flow_counters.h"
#include "key_words.h"

enum shape {
	SHAPE_NARROW,
	SHAPE_WIDE,
	SHAPE_COUNT,
};

/* Rows a CPU takes at once, so that it does not wait for others with each new flow. */
const volatile u32 claim_rows = 32;

/*
 * Index places come in lines of the CPU's cache. A flow has a line and a place in it where the search begins; where all
 * of the line is taken, the last place looked at changes hands.
 */
#define LINE_PLACES 16
struct index_line {
	u32 places[LINE_PLACES];
} __attribute__((aligned(64)));

#define MAPPED_ARRAY(name, value_type, entries)                                                    \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                  \
		__uint(map_flags, BPF_F_MMAPABLE);                                                 \
		__uint(max_entries, entries);                                                      \
		__type(key, u32);                                                                  \
		__type(value, value_type);                                                         \
	} name SEC(".maps")

/* Where the next rows of an epoch come from. One per shape and parity. */
struct row_source {
	struct bpf_spin_lock lock;
	u32 next;
	u64 epoch; /* `next` is of this epoch */
};

/* The rows a CPU has taken and not used yet. */
struct row_claim {
	u64 epoch;
	u32 next;
	u32 end;
};

/* What a CPU adds to the tables from. */
struct adder {
	struct packet packet; /* being parsed; not on the stack, so that the verifier need not follow its contents */
	struct measure measure;
	u64 words[WIDE_WORDS]; /* its key */
	struct row_claim claims[SHAPE_COUNT];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2 * SHAPE_COUNT);
	__type(key, u32);
	__type(value, struct row_source);
} row_sources SEC(".maps");

/* A row of this epoch that nobody else has, plus one; 0: none is left. */
static __always_inline u32 claim_row(struct row_claim *mine, u32 shape, u32 rows, u64 epoch)
{
	u32 at = 2 * shape + ((u32)epoch & 1), first;
	struct row_source *source;

	if (mine->epoch != epoch || mine->next >= mine->end) {
		source = bpf_map_lookup_elem(&row_sources, &at);
		if (!source || (source->epoch == epoch && source->next >= rows))
			return 0;
		bpf_spin_lock(&source->lock);
		if (source->epoch != epoch) {
			source->epoch = epoch;
			source->next = 0;
		}
		first = source->next;
		if (first < rows)
			source->next = first + claim_rows;
		bpf_spin_unlock(&source->lock);
		if (first >= rows)
			return 0;
		mine->epoch = epoch;
		mine->next = first;
		mine->end = rows - first < claim_rows ? rows : first + claim_rows;
	}
	return ++mine->next;
}

/* Adds one record of a flow to another. */
static __always_inline void merge_counts(struct flow_counters *to, const struct flow_counters *from)
{
	__sync_fetch_and_add(&to->octets, from->octets);
	__sync_fetch_and_add(&to->packets, from->packets);
	if (from->payload_octets)
		__sync_fetch_and_add(&to->payload_octets, from->payload_octets);
	if (from->extra_octets)
		__sync_fetch_and_add(&to->extra_octets, from->extra_octets);
	if (from->extra_packets)
		__sync_fetch_and_add(&to->extra_packets, from->extra_packets);
	if ((int)(from->first - to->first) < 0) {
		to->first = from->first;
		to->outer_source_port = from->outer_source_port;
		to->dscp = from->dscp;
		copy_macs(to->mac, from->mac);
	}
	if ((int)(from->last - to->last) > 0)
		to->last = from->last;
	if (from->longest > to->longest)
		to->longest = from->longest;
	if (from->shortest < to->shortest)
		to->shortest = from->shortest;
	if (from->tcp_flags & ~to->tcp_flags)
		to->tcp_flags |= from->tcp_flags;
}

/*
 * FLOW_TABLE(shape, SHAPE, rows, places): a table, and
 *   add_SHAPE(adder, epoch, hash, key, from): adds a record, or without one the adder's packet, to its flow's row, or makes
 *   the row. 0, or -1: no row is left;
 *   has_SHAPE(epoch, hash, key): whether the flow has a row that can be found.
 */
#define FLOW_TABLE(shape, SHAPE, rows, bits)                                                       \
	/* Of one half, set by user space before load, as are the maps' entries: places are a power of two above the rows, */ \
	/* so that a row's number plus one fits where a place's number does; the rest of an index word is the tag. */ \
	const volatile u32 shape##_capacity = rows;                                                \
	const volatile u32 shape##_index_bits = bits;                                              \
	struct shape##_row {                                                                       \
		struct shape##_key key;                                                            \
		struct flow_counters counters;                                                     \
	};                                                                                         \
	MAPPED_ARRAY(shape##_index, struct index_line, (2 << bits) / LINE_PLACES);                 \
	MAPPED_ARRAY(shape##_rows, struct shape##_row, 2 * rows);                                  \
                                                                                                   \
	static __always_inline int has_##shape(u64 epoch, u64 hash, const u64 *key)                \
	{                                                                                          \
		const int count = sizeof(struct shape##_key) / 8;                                  \
		u32 places = shape##_index_bits, mask = (1u << (places & 31)) - 1;                 \
		u32 start = (u32)(hash >> ((64 - places) & 63)) | ((u32)epoch & 1) << (places & 31); \
		u32 tag = (u32)(hash >> 12) & ~mask, line = start / LINE_PLACES, at, word;         \
		struct index_line *index = bpf_map_lookup_elem(&shape##_index, &line);             \
		struct shape##_row *row;                                                           \
                                                                                                   \
		if (!index)                                                                        \
			return 0;                                                                  \
		_Pragma("clang loop unroll(disable)") for (u32 i = 0; i < LINE_PLACES; i++)        \
		{                                                                                  \
			word = index->places[(start + i) & (LINE_PLACES - 1)];                     \
			if (!word)                                                                 \
				return 0;                                                          \
			if ((word & ~mask) != tag)                                                 \
				continue;                                                          \
			at = (epoch & 1 ? shape##_capacity : 0) + (word & mask) - 1;               \
			row = bpf_map_lookup_elem(&shape##_rows, &at);                             \
			if (row && same_words_at_once((const u64 *)&row->key, key, count))         \
				return 1;                                                          \
		}                                                                                  \
		return 0;                                                                          \
	}                                                                                          \
                                                                                                   \
	static __noinline int add_##shape(struct adder *adder, u64 epoch, u64 hash,                \
					  const u64 *key, const struct flow_counters *from)        \
	{                                                                                          \
		const int count = sizeof(struct shape##_key) / 8;                                  \
		u32 places = shape##_index_bits, mask = (1u << (places & 31)) - 1;                 \
		u32 start = (u32)(hash >> ((64 - places) & 63)) | ((u32)epoch & 1) << (places & 31); \
		u32 tag = (u32)(hash >> 12) & ~mask, line = start / LINE_PLACES, at, number, word; \
		u32 rows_half = epoch & 1 ? shape##_capacity : 0;                                  \
		struct index_line *index = bpf_map_lookup_elem(&shape##_index, &line);             \
		struct shape##_row *row;                                                           \
		u32 *place = 0;                                                                    \
                                                                                                   \
		if (!index)                                                                        \
			return -1;                                                                 \
		_Pragma("clang loop unroll(disable)") for (u32 i = 0; i < LINE_PLACES; i++)        \
		{                                                                                  \
			place = &index->places[(start + i) & (LINE_PLACES - 1)];                   \
			word = *place;                                                             \
			if (!word)                                                                 \
				break;                                                             \
			if ((word & ~mask) != tag)                                                 \
				continue;                                                          \
			at = rows_half + (word & mask) - 1;                                        \
			row = bpf_map_lookup_elem(&shape##_rows, &at);                             \
			if (!row || !same_words((const u64 *)&row->key, key, count))               \
				continue;                                                          \
			if (from)                                                                  \
				merge_counts(&row->counters, from);                                \
			else                                                                       \
				add_counts(&row->counters, &adder->packet, &adder->measure);       \
			return 0;                                                                  \
		}                                                                                  \
		number = claim_row(&adder->claims[SHAPE], SHAPE, shape##_capacity, epoch);         \
		if (!number)                                                                       \
			return -1;                                                                 \
		at = rows_half + number - 1;                                                       \
		row = bpf_map_lookup_elem(&shape##_rows, &at);                                     \
		if (!row || !place)                                                                \
			return -1;                                                                 \
		__builtin_memcpy(&row->key, key, sizeof(row->key));                                \
		if (from)                                                                          \
			row->counters = *from;                                                     \
		else                                                                               \
			first_counts(&row->counters, &adder->packet, &adder->measure);             \
		/* The row is whole before others can find it. */                                  \
		__asm__ volatile("" : : : "memory");                                               \
		*place = tag | number;                                                             \
		return 0;                                                                          \
	}

FLOW_TABLE(narrow, SHAPE_NARROW, 131072, 18)
FLOW_TABLE(wide, SHAPE_WIDE, 65536, 17)
