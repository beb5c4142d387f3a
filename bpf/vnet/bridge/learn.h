/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which MAC address is where, learned from the source of every frame. */
#pragma once

#include "notice.h"

const volatile u64 ageing_ns = 300000000000ULL; /* an entry not heard of for so long is none */
const volatile u64 moves_period_ns = 10000000000ULL;
const volatile u32 moves_limit = 5; /* moves of an address within a period; further ones are not learned in it */

#define ENTRY_STATIC 1 /* of the configuration: neither moves nor ages */

struct entry_key {
	u32 vni;
	u8 mac[6];
	u16 pad;
};

struct entry {
	u32 place; /* number: one word, read and written as a whole */
	u32 flags;
	u64 seen_ns;   /* since boot, of the last frame from it, within SEEN_STEP_NS */
	u64 period_ns; /* since boot, when the period began in which moves are counted */
	u32 recent;    /* moves in that period */
	u32 moves;
	struct line received; /* from it */
	struct line sent;     /* to it, where it was the destination */
};

/* Full means full: what is learned is not thrown out by what a flood of forged addresses brings. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, struct entry_key);
	__type(value, struct entry);
} entries SEC(".maps");

static __always_inline int has_aged(const struct entry *entry, u64 now_ns)
{
	/* A frame on another CPU may have been seen after this one began. */
	return !(entry->flags & ENTRY_STATIC) && (long long)(now_ns - entry->seen_ns) > (long long)ageing_ns;
}

static __always_inline void learn_new(struct frame *f, const struct entry_key *key)
{
	struct entry fresh = {.place = f->from, .seen_ns = f->now_ns};

	fresh.received.packets = f->wire.packets;
	fresh.received.octets = f->wire.octets;
	switch (bpf_map_update_elem(&entries, key, &fresh, BPF_NOEXIST)) {
	case 0:
		count_notice(LEARNED);
		break;
	case -7: /* E2BIG */
		tell(f, TABLE_FULL, 0);
	}
}

/* The address speaks from another place than before. 0: that is not believed. */
static __always_inline int move(struct frame *f, struct entry *entry)
{
	u32 former = entry->place;

	if (has_aged(entry, f->now_ns)) {
		*(volatile u32 *)&entry->place = f->from;
		return 1;
	}
	if (f->now_ns - entry->period_ns >= moves_period_ns) {
		entry->period_ns = f->now_ns;
		entry->recent = 0;
	}
	if (entry->recent >= moves_limit) {
		/* Told once a period: from then on it is a stream. */
		if (entry->recent == moves_limit) {
			entry->recent++;
			tell(f, MOVE_DAMPED, former);
		} else {
			count_notice(MOVE_DAMPED);
		}
		return 0;
	}
	entry->recent++;
	entry->moves++;
	*(volatile u32 *)&entry->place = f->from;
	tell(f, MOVED, former);
	return 1;
}

/* Takes in where a frame's source is. OUTCOME_COUNT: the frame may go on; else what is to become of it. */
static __always_inline u32 learn(struct frame *f)
{
	struct entry_key key = {.vni = f->vni};
	struct entry *entry;

	copy_mac(key.mac, f->source);
	entry = bpf_map_lookup_elem(&entries, &key);
	if (!entry) {
		learn_new(f, &key);
		return OUTCOME_COUNT;
	}
	if (entry->place != f->from) {
		if (entry->flags & ENTRY_STATIC) {
			tell(f, SPOOF_SEEN, entry->place);
			return SPOOFED;
		}
		if (!move(f, entry))
			return OUTCOME_COUNT;
	}
	if (f->now_ns - entry->seen_ns > SEEN_STEP_NS)
		entry->seen_ns = f->now_ns;
	add_shared_line(&entry->received, f->wire);
	return OUTCOME_COUNT;
}
