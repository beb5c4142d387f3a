/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The biflows of captures: as bpf/biflow_table.h, by the captures' own time. User space reads rows, zeroes what it has
 * read, and gives rows back that are over; parity is always 0. Where rows are used up a packet can wait for that.
 */
#pragma once

#include "../biflow/biflow.h"
#include "../biflow/tcp_header.h"
#include "memory.h"
#include "rows.h"

#define MOST_BIFLOW_CHUNKS 256

/* Set by user space before the first batch. */
struct followed_settings {
	u32 measured; /* bits of enum measurement */
	u32 most;     /* biflows, at most */
	struct biflow_settings times;
	struct sequence_settings sequence;
};

/* Addresses of chunks: of the biflows, and where measured with the same numbers of the rest. */
u32 biflow_chunks[MOST_BIFLOW_CHUNKS];
u32 arrivals_chunks[MOST_BIFLOW_CHUNKS];
u32 sequence_chunks[MOST_BIFLOW_CHUNKS];
u32 tcp_chunks[MOST_BIFLOW_CHUNKS];

/* What user space is told, and tells. */
struct {
	u32 rows;	/* that were ever taken: those that are free among them are zeros */
	u32 unmeasured; /* packets that found no row */
	u32 is_waiting; /* the packet that is next needs a row, and none is free */
	u32 patience;	/* how much has to happen before one waits: a packet without a row, or a connection that ends */
	u32 free;	/* the row that was given back last, plus one; it begins with the number of the one before */
} followed;

static struct index biflow_places;
static u32 biflow_chunk_count;

/* A chunk of rows of something, if it is measured. 0: memory is full. */
static int grow(u32 *chunks, u32 is_measured, u32 octets)
{
	if (!is_measured)
		return 1;
	chunks[biflow_chunk_count] = (u32)allocate_empty(CHUNK_ROWS * octets);
	return !!chunks[biflow_chunk_count];
}

/* Room for one more chunk of all that is measured; 0: memory is full. */
static int grow_biflows(u32 measured)
{
	if (biflow_chunk_count >= MOST_BIFLOW_CHUNKS || !grow(biflow_chunks, 1, sizeof(struct biflow)) ||
	    !grow(arrivals_chunks, measured & MEASURE_ARRIVALS, sizeof(struct arrivals)) ||
	    !grow(sequence_chunks, measured & MEASURE_SEQUENCE, sizeof(struct numbers)) ||
	    !grow(tcp_chunks, measured & MEASURE_TCP, sizeof(struct tcp_track)))
		return 0;
	biflow_chunk_count++;
	return 1;
}

static struct biflow *biflow_at(u32 row)
{
	return row_at(biflow_chunks, row, sizeof(struct biflow));
}

/* A new row for the key, plus one; 0: there is no room. */
static u32 new_biflow(const struct followed_settings *s, const u64 *words)
{
	u32 number = followed.free;

	if (number) {
		followed.free = *(const u32 *)biflow_at(number - 1);
	} else {
		if (followed.rows >= s->most ||
		    (followed.rows >= biflow_chunk_count * CHUNK_ROWS && !grow_biflows(s->measured)))
			return 0;
		number = ++followed.rows;
	}
	__builtin_memcpy(&biflow_at(number - 1)->key, words, sizeof(struct wide_key));
	return number;
}

/* Zeroes a row of a part, if that is measured. */
static void empty(const u32 *chunks, u32 row, u32 octets)
{
	if (chunks[row / CHUNK_ROWS])
		__builtin_memset(row_at(chunks, row, octets), 0, octets);
}

/* Makes a row free that user space has read. */
static void give_back_biflow(const u64 *factors, u32 row)
{
	struct biflow *b = biflow_at(row);
	struct place *place;

	if (!(b->connection.traits & CONNECTION_BEGUN))
		return;
	if (!b->is_unlinked) {
		place = index_place(&biflow_places, biflow_chunks, sizeof(*b), (const u64 *)&b->key, factors);
		if (place && place->number == row + 1)
			leave_place(&biflow_places, place);
	}
	empty(biflow_chunks, row, sizeof(*b));
	empty(arrivals_chunks, row, sizeof(struct arrivals));
	empty(sequence_chunks, row, sizeof(struct numbers));
	empty(tcp_chunks, row, sizeof(struct tcp_track));
	*(u32 *)b = followed.free;
	followed.free = row + 1;
}

/* The row of the packet's biflow, plus one; 0: there is no room. */
static u32 biflow_of(const struct followed_settings *s, const u64 *factors, const u64 *words,
		     const struct observed *o)
{
	struct place *place = index_place(&biflow_places, biflow_chunks, sizeof(struct biflow), words, factors);
	struct biflow *b;
	u32 fresh;

	if (!place)
		return 0;
	if (!place->number) {
		place->number = new_biflow(s, words);
		biflow_places.used += !!place->number;
		return place->number;
	}
	b = biflow_at(place->number - 1);
	if (!is_over(b, o, &s->times))
		return place->number;
	fresh = new_biflow(s, words);
	if (fresh) {
		unlink_biflow(b, o, &s->times);
		place->number = fresh;
	}
	return fresh || !followed.patience ? fresh : place->number;
}

/* Where sequence numbers are read from: the octets that were captured. */
struct payload {
	const struct window *window;
};

PARSE_INLINE int load_payload(const struct payload *from, u32 at, void *to, u32 octets)
{
	u32 readable = (u32)(from->window->end - from->window->data);

	if (at > readable || octets > readable - at)
		return 1;
	__builtin_memcpy(to, from->window->data + at, octets);
	return 0;
}

PARSE_INLINE int find_pattern(const struct sequence_found *found, u32 octets, u32 pattern)
{
	return search_chunk(found->chunk, octets, pattern);
}

PARSE_INLINE int find_next(const struct payload *from, u32 readable, struct sequence_found *found,
			   const volatile struct sequence_settings *settings, const struct observed *o)
{
	return find_step(from, readable, found, settings, o);
}

static struct sequence_found found;

static void follow_numbers(const struct followed_settings *s, const struct window *w, const struct packet *p,
			   const struct observed *o, struct numbers *numbers)
{
	const struct payload from = { .window = w };

	find_sequences(&from, (u32)(w->end - w->data), &found, &s->sequence, o, p->labels.source_port,
		       p->labels.destination_port);
	if (found.form)
		note_found(&numbers->state[o->way & 1], &numbers->counts[o->way & 1][0], &found, &s->sequence,
			   o->time_ns);
}

/* TCP's header, if all of it was captured. */
static void observe_tcp(struct observed *o, const struct packet *p, const struct window *w)
{
	u32 octets = p->header_octets - p->transport_offset;
	u8 header[TCP_HEADER_ROOM];

	if (octets < 20 || octets > TCP_HEADER_ROOM || w->data + p->header_octets > w->end) {
		o->traits &= (u8)~OBSERVED_HEADER;
		return;
	}
	__builtin_memset(header, 0, sizeof(header));
	__builtin_memcpy(header, w->data + p->transport_offset, octets);
	read_tcp(o, header, octets);
}

/* What is known of the packet in hand before it is measured. */
struct followed_packet {
	struct observed observed;
	u32 row; /* plus one; 0: it has none */
};

/*
 * Finds the packet's row. 0: rows are used up, and it should wait until some were given back. Where a capture does not say
 * which way its interface saw a packet, both ways are of one side.
 */
static int begin_follow(struct followed_packet *f, const struct followed_settings *s, const u64 *factors,
			const struct window *w, const struct packet *p, u64 ns, u32 octets, int has_direction)
{
	u64 words[WIDE_WORDS];

	begin_observed(&f->observed, p, biflow_words(words, p), 0);
	if (!has_direction)
		words[0] &= ~1ull;
	f->observed.time_ns = ns;
	f->observed.octets = octets;
	f->observed.packets = 1;
	if (f->observed.protocol == 6 && f->observed.traits & OBSERVED_HEADER)
		observe_tcp(&f->observed, p, w);
	f->row = biflow_of(s, factors, words, &f->observed);
	followed.is_waiting = !f->row && !followed.patience;
	return !followed.is_waiting;
}

static void be_less_patient(void)
{
	if (followed.patience)
		followed.patience--;
}

/* Measures it. */
static void follow(const struct followed_packet *f, const struct followed_settings *s, const struct window *w,
		   const struct packet *p)
{
	const struct observed *o = &f->observed;
	u32 row = f->row - 1;
	struct biflow *b;
	u8 close;

	if (!f->row) {
		followed.unmeasured++;
		be_less_patient();
		return;
	}
	b = biflow_at(row);
	close = b->connection.close;
	note_biflow(b, p, o);
	if (b->connection.close && !close)
		be_less_patient();
	if (s->measured & MEASURE_ARRIVALS)
		note_arrival(row_at(arrivals_chunks, row, sizeof(struct arrivals)), o, s->times.reset_ns);
	if (s->measured & MEASURE_SEQUENCE)
		follow_numbers(s, w, p, o, row_at(sequence_chunks, row, sizeof(struct numbers)));
	if (s->measured & MEASURE_TCP && o->protocol == PROTOCOL_TCP)
		note_tcp(row_at(tcp_chunks, row, sizeof(struct tcp_track)), o);
}
