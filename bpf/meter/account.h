/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A packet into its flow: the per-CPU cache, the table behind it, the tunnel's overflow record; and the rules before that. */
#pragma once

#include "../rules.h"
#include "cpu_area.h"
#include "epoch.h"

#define EEXIST 17

/* Entries are set by user space before load. */
EPOCH_MAP(overflow, BPF_MAP_TYPE_HASH, struct wide_key, struct flow_counters, 4096);

/* Counts a packet in `map`. 0, or the error that says there is no room. */
static __always_inline long account(void *map, const void *key, const struct packet *p,
				    const struct measure *m)
{
	struct flow_counters *found, fresh;
	long error;

	found = bpf_map_lookup_elem(map, key);
	if (!found) {
		first_counts(&fresh, p, m);
		error = bpf_map_update_elem(map, key, &fresh, BPF_NOEXIST);
		if (!error)
			return 0;
		if (error != -EEXIST)
			return error;
		/* Another CPU was first. */
		found = bpf_map_lookup_elem(map, key);
		if (!found)
			return error;
	}
	add_counts(found, p, m);
	return 0;
}

/* Whether the flow of this key and hash has a row that can be found. Global functions, as parse_any() below. */
#define HAS_ROW(shape)                                                                             \
	__noinline int has_row_##shape(struct __sk_buff *skb, u64 epoch, u64 hash)                 \
	{                                                                                          \
		u32 cpu = bpf_get_smp_processor_id();                                              \
		struct cpu_area *area = bpf_map_lookup_elem(&cpu_areas, &cpu);                     \
                                                                                                   \
		return skb && area && has_##shape(epoch, hash, area->adder.words);                 \
	}

HAS_ROW(narrow)
HAS_ROW(wide)

/*
 * Whether the rules of the epoch exclude the packet whose key and hash these are.
 * What the epoch already has a row for was kept.
 */
__noinline int is_excluded(struct __sk_buff *skb, u64 epoch, u64 hash, u32 shape)
{
	u32 cpu = bpf_get_smp_processor_id(), bits = verdict_bits & 31, is_wide = shape == SHAPE_WIDE;
	u64 stamp = control.rules[epoch & 1] << 2 | is_wide << 1;
	u32 at = (cpu << bits | (u32)(hash >> 32) >> (32 - bits)) & ~is_wide;
	struct cpu_area *area = bpf_map_lookup_elem(&cpu_areas, &cpu);
	struct verdict *known = verdict_place(at), *rest = known;
	const u64 *words;
	int is_kept;

	if (is_wide)
		rest = verdict_place(at | 1);
	if (!skb || !area || !known || !rest)
		return 0;
	words = area->adder.words;
	if ((known->stamp & ~1ull) == stamp && rest->stamp == known->stamp &&
	    same_words(known->words, words, sizeof(struct narrow_key) / 8) &&
	    (!is_wide || (same_words(known->words, words, VERDICT_WORDS) &&
			  same_words(rest->words, words + VERDICT_WORDS, VERDICT_WORDS))))
		return !(known->stamp & 1);
	is_kept = is_wide ? has_row_wide(skb, epoch, hash) : has_row_narrow(skb, epoch, hash);
	if (!is_kept)
		is_kept = fits_any_rule(skb, (u32)epoch & 1, &area->adder.packet);
	/* The rest of a narrow key's words is of another packet, and is not compared. */
	__builtin_memcpy(known->words, words, sizeof(known->words));
	if (is_wide)
		__builtin_memcpy(rest->words, words + VERDICT_WORDS, sizeof(rest->words));
	rest->stamp = known->stamp = stamp | !!is_kept;
	return !is_kept;
}

#define NO_ROOM (-1)
#define NOT_KEPT 1

/*
 * account_SHAPE(): counts a packet in the cache of its shape, or in the table where the cache is off or the record in the
 * way finds no row. A packet whose flow is in the cache was judged before; for any other the rules are asked, if there are
 * any. 0, or NO_ROOM, or NOT_KEPT.
 */
#define ACCOUNT_CACHED(shape, SHAPE)                                                                    \
	static __always_inline int account_##shape(struct __sk_buff *skb, struct cpu_area *area, u64 epoch) \
	{                                                                                          \
		const int count = sizeof(struct shape##_key) / 8;                                  \
		const u64 *words = area->adder.words;                                              \
		const struct measure *m = &area->adder.measure;                                    \
		u64 hash = hash_words(words, count);                                               \
		struct shape##_slot *slot =                                                        \
			&area->shape[epoch & 1][hash >> 40 & cache_mask & (CACHE_PLACES - 1)];     \
                                                                                                   \
		if (cache_mask && same_words((const u64 *)&slot->key, words, count)) {             \
			add_counts_here(&slot->counters, &area->adder.packet, m);                  \
			return 0;                                                                  \
		}                                                                                  \
		if (control.rules[epoch & 1] && is_excluded(skb, epoch, hash, SHAPE))              \
			return NOT_KEPT;                                                           \
		if (cache_mask) {                                                                  \
			if (!slot->counters.packets ||                                             \
			    (++slot->rivals > slot->counters.packets &&                            \
			     !add_##shape(&area->adder, epoch, slot->hash, (const u64 *)&slot->key, \
					 &slot->counters))) {                                      \
				slot->hash = hash;                                                 \
				slot->rivals = 0;                                                  \
				__builtin_memcpy(&slot->key, words, sizeof(slot->key));            \
				first_counts(&slot->counters, &area->adder.packet, m);             \
				return 0;                                                          \
			}                                                                          \
		}                                                                                  \
		return add_##shape(&area->adder, epoch, hash, words, 0);                           \
	}

ACCOUNT_CACHED(narrow, SHAPE_NARROW)
ACCOUNT_CACHED(wide, SHAPE_WIDE)

/*
 * Counts the packet in hand in its flow, or in its tunnel's overflow record. 0, or NO_ROOM: neither has any, or NOT_KEPT: the
 * rules exclude it.
 */
static __always_inline int account_packet(struct __sk_buff *skb, struct cpu_area *area, u64 epoch)
{
	struct packet *p = &area->adder.packet;
	u64 *words = area->adder.words;
	u32 parity = (u32)epoch & 1;
	void *map;
	int error;

	if (is_narrow(p)) {
		narrow_words(words, p);
		FORGET();
		error = account_narrow(skb, area, epoch);
		if (error != NO_ROOM)
			return error;
		wide_words(words, p);
	} else {
		wide_words(words, p);
		FORGET();
		error = account_wide(skb, area, epoch);
		if (error != NO_ROOM)
			return error;
	}
	overflow_key((struct wide_key *)words);
	map = bpf_map_lookup_elem(&overflow, &parity);
	return map && !account(map, words, p, &area->adder.measure) ? 0 : NO_ROOM;
}
