/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is in no flow, by reason; and what was seen at all. */
#pragma once

#include "cpu_area.h"
#include "epoch.h"

struct ledger_key {
	u32 point;
	u16 reason;
	u16 level;
};

struct ledger_counters {
	u64 packets;
	u64 octets;
};

/* Entries are set by user space before load. */
EPOCH_MAP(ledger, BPF_MAP_TYPE_HASH, struct ledger_key, struct ledger_counters, 4096);
EPOCH_MAP(seen_crowded, BPF_MAP_TYPE_PERCPU_HASH, u32, struct seen_counters, 2048);

static __always_inline void write_ledger(u32 parity, const struct packet *p, enum reason reason,
					 u64 octets, struct seen_counters *seen_here)
{
	struct ledger_key key = {
		.point = p->labels.point,
		.reason = (u16)reason,
		.level = p->level,
	};
	struct ledger_counters fresh = { .packets = 1, .octets = octets };
	struct ledger_counters *line;
	void *map = bpf_map_lookup_elem(&ledger, &parity);

	if (!map)
		return;
	line = bpf_map_lookup_elem(map, &key);
	if (!line) {
		if (!bpf_map_update_elem(map, &key, &fresh, BPF_NOEXIST))
			return;
		line = bpf_map_lookup_elem(map, &key);
	}
	if (line) {
		__sync_fetch_and_add(&line->packets, 1);
		__sync_fetch_and_add(&line->octets, octets);
	} else if (seen_here) {
		seen_here->unledgered_packets++;
		seen_here->unledgered_octets += octets;
	}
}

/* Counts a packet that the rules do not want. */
static __always_inline void write_excluded(u32 parity, const struct packet *p, const struct measure *m,
					   struct seen_counters *seen_here)
{
	if (!seen_here) {
		write_ledger(parity, p, EXCLUDED, m->octets, 0);
		return;
	}
	seen_here->excluded_packets++;
	seen_here->excluded_octets += m->octets;
	seen_here->excluded_extra_packets += m->extra_packets;
	seen_here->excluded_extra_octets += m->extra_octets;
}

/* Where another point has the place: a per-CPU hash. */
static __always_inline struct seen_counters *crowded_place(u32 parity, u32 point)
{
	struct seen_counters fresh = { .point = point };
	struct seen_counters *here;
	void *map = bpf_map_lookup_elem(&seen_crowded, &parity);

	if (!map)
		return 0;
	here = bpf_map_lookup_elem(map, &point);
	if (here)
		return here;
	/* If another CPU is first, this CPU's part of its entry is zero as well. */
	bpf_map_update_elem(map, &point, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(map, &point);
}

/* Before anything else: the packet was here. Per CPU and with interrupts of our kind off, so no atomics. */
static __always_inline struct seen_counters *count_seen(struct cpu_area *area, u64 epoch,
							u32 point, u64 octets)
{
	struct seen_counters *here = &area->seen[epoch & 1][point & (SEEN_PLACES - 1)];

	if (here->point != point && here->point)
		here = crowded_place((u32)epoch & 1, point);
	if (!here)
		return 0;
	here->point = point;
	here->packets++;
	here->octets += octets;
	return here;
}
