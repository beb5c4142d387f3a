/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What became of packets: each that a network function sees ends in exactly one line, forwarded or dropped and why, so that
 *     seen = sum of all lines        (packets and octets on the wire)
 * Who includes it names its lines: an enum outcome that ends in OUTCOME_COUNT.
 */
#pragma once

#include "wire.h"

struct line {
	u64 packets;
	u64 octets;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, OUTCOME_COUNT);
	__type(key, u32);
	__type(value, struct line);
} ledger SEC(".maps");

static __always_inline void add_line(struct line *line, struct wire wire)
{
	line->packets += wire.packets;
	line->octets += wire.octets;
}

/* A line of which any CPU may be the writer. */
static __always_inline void add_shared_line(struct line *line, struct wire wire)
{
	__sync_fetch_and_add(&line->packets, wire.packets);
	__sync_fetch_and_add(&line->octets, wire.octets);
}

/* Tells what became of a packet; gives `verdict`, for the caller to return. */
static __always_inline int ended(u32 outcome, struct wire wire, int verdict)
{
	struct line *line = bpf_map_lookup_elem(&ledger, &outcome);

	if (line)
		add_line(line, wire);
	return verdict;
}
