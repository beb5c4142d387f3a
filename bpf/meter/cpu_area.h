/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a CPU has for itself: what it saw, its flow caches, and room for the packet in hand. */
#pragma once

#include "../biflow_table.h"
#include "../flow_table.h"

struct seen_counters {
	u32 point; /* whose these are; 0: nobody's yet */
	u32 pad;
	u64 packets;
	u64 octets;
	u64 unledgered_packets; /* found no place in the ledger */
	u64 unledgered_octets;
	u64 excluded_packets; /* by the rules; as a record would have them */
	u64 excluded_octets;
	u64 excluded_extra_packets;
	u64 excluded_extra_octets;
};

/*
 * Per-CPU flow cache in front of the table: a record's place follows from its key. Nobody else writes there, so it needs
 * no atomics. The record that is in the way of another moves to the table; what is still here when the epoch is retired,
 * user space adds to what the table holds.
 */
struct narrow_slot {
	u64 hash;
	u64 rivals; /* packets of others that found it here */
	struct narrow_key key;
	struct flow_counters counters;
};

struct wide_slot {
	u64 hash;
	u64 rivals; /* packets of others that found it here */
	struct wide_key key;
	struct flow_counters counters;
};

/* Places of either cache. How many are used, minus one (a power of two minus one; 0: no cache), says cache_mask. */
#define CACHE_PLACES 2048
const volatile u32 cache_mask = CACHE_PLACES - 1;

/* A point's place is its low bits; who finds another point there goes to a hash (30 ns slower). */
#define SEEN_PLACES 256

/* All that a CPU has for itself, in one map value: a packet costs one lookup. What is doubled goes by parity. */
struct cpu_area {
	struct adder adder;
	struct biflow_scratch biflow;
	struct seen_counters seen[2][SEEN_PLACES];
	struct narrow_slot narrow[2][CACHE_PLACES];
	struct wide_slot wide[2][CACHE_PLACES];
} __attribute__((aligned(4096)));

/* One per CPU there may be, set by user space. */
MAPPED_ARRAY(cpu_areas, struct cpu_area, 1);
