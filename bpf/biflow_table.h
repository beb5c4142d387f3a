/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The biflows a meter follows while something is measured: state that outlives epochs.
 *
 *   index: key ──▶ row     rows: struct biflow, and in arrays beside it what is measured, in mapped memory; a lock each
 *
 * A CPU remembers the rows of its latest biflows, so that it need not walk the index again: the key in the row says whether it
 * still is the biflow's.
 *
 * User space gives rows, zeroed, in a ring; it reads the half of a retired epoch, zeroes it, and takes rows back that are over:
 * first out of the index, and an epoch later, when nobody can hold them any more, into the ring. A packet that finds no row
 * is counted as not measured; its octets are in its flow record all the same.
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "biflow/biflow.h"
#include "biflow/tcp_header.h"
#include "flow_table.h"

/* Bits of enum measurement, set by user space before load. */
const volatile u32 measured;
const volatile u32 biflow_capacity = 1;
const volatile struct biflow_settings biflow_settings;
const volatile struct sequence_settings sequence_settings;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct wide_key);
	__type(value, u32);
} biflow_index SEC(".maps");

struct biflow_lock {
	struct bpf_spin_lock lock;
	u32 pad;
};

/* Of the rows; not in them, as memory with locks cannot be mapped. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct biflow_lock);
} biflow_locks SEC(".maps");

MAPPED_ARRAY(biflows, struct biflow, 1);
MAPPED_ARRAY(biflow_arrivals, struct arrivals, 1);
MAPPED_ARRAY(biflow_numbers, struct numbers, 1);
MAPPED_ARRAY(biflow_tcp, struct tcp_track, 1);

/* The ring of free rows: user space writes a row's number at `given` and then raises it. */
MAPPED_ARRAY(free_rows, u64, 1);
volatile u32 free_rows_given;

struct free_rows_taken {
	struct bpf_spin_lock lock;
	u32 taken;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct free_rows_taken);
} free_rows_taken SEC(".maps");

/* A power of two. */
#define REMEMBERED_ROWS 512

/* A row by the hash of its key. */
struct remembered_row {
	u32 tag;
	u32 number; /* of the row, plus one; 0: none */
};

/* What a CPU needs for the packet in hand, and what it keeps for the next. */
struct biflow_scratch {
	u64 words[WIDE_WORDS];
	struct observed observed;
	u8 tcp[TCP_HEADER_ROOM + 4]; /* the header of TCP */
	struct sequence_found found; /* sequence numbers of UDP and ICMP */
	u64 unmeasured[HALVES]; /* packets that found no row, by parity */
	u32 spare_row;		/* taken and not used, plus one */
	u32 pad;
	struct remembered_row remembered[REMEMBERED_ROWS];
};

/* Takes a row, plus one; 0: none is free. */
static __always_inline u32 take_row(struct biflow_scratch *scratch)
{
	u32 zero = 0, at = 0, *row;
	struct free_rows_taken *ring;
	int is_there;

	if (scratch->spare_row)
		return scratch->spare_row;
	ring = bpf_map_lookup_elem(&free_rows_taken, &zero);
	if (!ring || ring->taken == free_rows_given)
		return 0;
	bpf_spin_lock(&ring->lock);
	is_there = ring->taken != free_rows_given;
	if (is_there)
		at = ring->taken++;
	bpf_spin_unlock(&ring->lock);
	if (!is_there)
		return 0;
	at %= biflow_capacity;
	row = bpf_map_lookup_elem(&free_rows, &at);
	if (!row)
		return 0;
	scratch->spare_row = *row + 1;
	return scratch->spare_row;
}

/* Makes the row a biflow with this key, in no index yet. 0: no row is free. */
static __always_inline u32 prepare_row(struct biflow_scratch *scratch)
{
	u32 number = take_row(scratch), at = number - 1;
	struct biflow *b;

	if (!number)
		return 0;
	b = bpf_map_lookup_elem(&biflows, &at);
	if (!b)
		return 0;
	__builtin_memcpy(&b->key, scratch->words, sizeof(b->key));
	return number;
}

/* Whether the row, if there is one, is that of the packet's biflow, and goes on with it. */
static __always_inline int goes_on(const struct biflow *b, const struct biflow_scratch *scratch)
{
	return b && !b->is_unlinked && same_words((const u64 *)&b->key, scratch->words, WIDE_WORDS) &&
	       !is_over(b, &scratch->observed, &biflow_settings);
}

/* Gives the key another row, as the packet begins a new biflow; the old one stays to be read. */
static __always_inline void begin_anew(struct biflow_scratch *scratch, u32 *place, u32 row, struct biflow *b)
{
	struct biflow_lock *lock = bpf_map_lookup_elem(&biflow_locks, &row);
	u32 fresh = prepare_row(scratch);
	int is_done = 0;

	if (!fresh || !lock)
		return;
	bpf_spin_lock(&lock->lock);
	if (*place == row) {
		*place = fresh - 1;
		unlink_biflow(b, &scratch->observed, &biflow_settings);
		is_done = 1;
	}
	bpf_spin_unlock(&lock->lock);
	if (is_done)
		scratch->spare_row = 0;
}

/* The row of the packet's biflow by the index, plus one; made when it is not there. 0: there is none for it. */
static __always_inline u32 indexed_row(struct biflow_scratch *scratch)
{
	u32 *place = bpf_map_lookup_elem(&biflow_index, scratch->words), fresh, row;
	struct biflow *b;

	if (!place) {
		fresh = prepare_row(scratch) - 1;
		if (fresh + 1 && !bpf_map_update_elem(&biflow_index, scratch->words, &fresh, BPF_NOEXIST))
			scratch->spare_row = 0;
		/* Or another CPU was first. */
		place = bpf_map_lookup_elem(&biflow_index, scratch->words);
		if (!place)
			return 0;
	}
	row = *place;
	b = bpf_map_lookup_elem(&biflows, &row);
	if (b && !goes_on(b, scratch)) {
		begin_anew(scratch, place, row, b);
		row = *place;
	}
	return row + 1;
}

/* The row of the packet's biflow, or 0: it has none. `*row` is its number. */
static __always_inline struct biflow *find_biflow(struct biflow_scratch *scratch, u32 *row)
{
	u64 hash = hash_words(scratch->words, WIDE_WORDS);
	struct remembered_row *remembered = &scratch->remembered[hash >> 55 & (REMEMBERED_ROWS - 1)];
	u32 tag = (u32)(hash >> 16);
	struct biflow *b = 0;

	if (remembered->number && remembered->tag == tag) {
		*row = remembered->number - 1;
		b = bpf_map_lookup_elem(&biflows, row);
	}
	if (goes_on(b, scratch))
		return b;
	remembered->tag = tag;
	remembered->number = indexed_row(scratch);
	*row = remembered->number - 1;
	b = bpf_map_lookup_elem(&biflows, row);
	/* User space may have taken the place out of the index, and a new biflow may have it already. */
	return b && same_words((const u64 *)&b->key, scratch->words, WIDE_WORDS) ? b : 0;
}

/* Counts the packet in its biflow's row. -1: it has none. */
static __always_inline int measure_in_row(struct biflow_scratch *scratch, const struct packet *p)
{
	const struct observed *o = &scratch->observed;
	int has_numbers = measured & MEASURE_SEQUENCE && scratch->found.form;
	u32 way = o->way & 1, half = o->parity & 1, row = 0;
	struct biflow *b = find_biflow(scratch, &row);
	struct biflow_lock *lock = bpf_map_lookup_elem(&biflow_locks, &row);
	struct arrivals *arrivals = 0;
	struct numbers *numbers = 0;
	struct tcp_track *tcp = 0;

	if (!b || !lock)
		return -1;
	if (measured & MEASURE_ARRIVALS) {
		arrivals = bpf_map_lookup_elem(&biflow_arrivals, &row);
		if (!arrivals)
			return -1;
	}
	if (has_numbers) {
		numbers = bpf_map_lookup_elem(&biflow_numbers, &row);
		if (!numbers)
			return -1;
	}
	if (measured & MEASURE_TCP && o->protocol == PROTOCOL_TCP) {
		tcp = bpf_map_lookup_elem(&biflow_tcp, &row);
		if (!tcp)
			return -1;
	}
	bpf_spin_lock(&lock->lock);
	note_biflow(b, p, o);
	if (measured & MEASURE_ARRIVALS)
		note_arrival(arrivals, o, biflow_settings.reset_ns);
	FORGET();
	if (tcp)
		note_tcp(tcp, o);
	else if (numbers)
		note_found(&numbers->state[way], &numbers->counts[way][half], &scratch->found,
			   &sequence_settings, o->time_ns);
	bpf_spin_unlock(&lock->lock);
	return 0;
}

/* TCP's header, wherever in the packet it lies. */
static __always_inline void observe_tcp(struct __sk_buff *skb, struct biflow_scratch *scratch, const struct packet *p)
{
	u32 octets = (p->header_octets - p->transport_offset) & 63;

	if (octets < 20 || octets > TCP_HEADER_ROOM ||
	    bpf_skb_load_bytes(skb, p->transport_offset, scratch->tcp, octets)) {
		scratch->observed.traits &= (u8)~OBSERVED_HEADER;
		return;
	}
	read_tcp(&scratch->observed, scratch->tcp, octets);
}

/* What the packet is worth on the wire, as measure_wire() found, and what its transport header says. */
static __always_inline void observe(struct __sk_buff *skb, struct biflow_scratch *scratch,
				    const struct adder *adder, u32 parity)
{
	const struct measure *m = &adder->measure;
	struct observed *o = &scratch->observed;

	begin_observed(o, &adder->packet, biflow_words(scratch->words, &adder->packet), parity);
	o->time_ns = bpf_ktime_get_ns();
	o->octets = m->octets + m->extra_octets;
	o->packets = (u32)m->extra_packets + 1;
	if (m->extra_packets) {
		o->traits |= OBSERVED_SUPER;
		o->segment = m->segment;
		o->stride = m->stride;
	}
	if (o->protocol == 6 && o->traits & OBSERVED_HEADER)
		observe_tcp(skb, scratch, &adder->packet);
}
