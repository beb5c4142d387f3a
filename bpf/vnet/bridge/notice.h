/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is worth telling beside what became of each packet: counted always, and told one by one as far as there is time to
 * listen. Counts are of occasions, not of packets.
 */
#pragma once

#include "frame.h"

enum notice_kind {
	LEARNED,
	MOVED,
	MOVE_DAMPED,  /* one move too many within the period: not learned */
	TABLE_FULL,   /* not learned: there is no room */
	SPOOF_SEEN,   /* a static entry's address came from elsewhere */
	PEER_MET,     /* a tunnel end that was not known */
	PEERS_FULL,   /* ... and cannot be kept: there is no number left */
	COPY_FAILED,  /* flooding: the kernel refused a copy */
	NOT_TOLD,     /* of the above, told to nobody */
	NOTICE_COUNT,
};

struct notice {
	u64 time_ns; /* since boot */
	u32 kind;    /* enum notice_kind */
	u32 vni;
	u32 place;  /* where it came from */
	u32 former; /* where it was */
	u8 mac[6];
	u16 pad;
};

enum notice_kind *unused_notice_kind __attribute__((unused));
struct notice *unused_notice __attribute__((unused));

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, NOTICE_COUNT);
	__type(key, u32);
	__type(value, u64);
} notices SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} tellings SEC(".maps");

#define TOLD_PER_SECOND 32 /* of one CPU */

struct budget {
	u64 second;
	u64 told;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct budget);
} budgets SEC(".maps");

static __always_inline void count_notice(u32 kind)
{
	u64 *count = bpf_map_lookup_elem(&notices, &kind);

	if (count)
		(*count)++;
}

static __always_inline int may_tell(u64 now_ns)
{
	u32 zero = 0;
	struct budget *budget = bpf_map_lookup_elem(&budgets, &zero);
	u64 second = now_ns >> 30;

	if (!budget)
		return 0;
	if (budget->second != second) {
		budget->second = second;
		budget->told = 0;
	}
	return budget->told++ < TOLD_PER_SECOND;
}

/* Rare: its own function, so that the common way stays short. */
static __noinline void tell(const struct frame *f, u32 kind, u32 former)
{
	struct notice notice = {
		.time_ns = f->now_ns, .kind = kind, .vni = f->vni, .place = f->from, .former = former};

	count_notice(kind);
	copy_mac(notice.mac, f->source);
	if (!may_tell(f->now_ns) || bpf_ringbuf_output(&tellings, &notice, sizeof(notice), 0))
		count_notice(NOT_TOLD);
}
