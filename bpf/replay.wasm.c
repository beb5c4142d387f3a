// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The meter for capture files, in WebAssembly: the parser of the kernel over batches of packets, and the flow table.
 *
 * User space copies a batch (octets and columns) into memory and calls run(); nothing else is called per packet. Then it
 * reads rows and lines where they lie. As in the kernel
 *     seen = flow records + overflow records + ledger        (packets and octets)
 *
 *   index: a word per place, hash | row + 1 ──▶ chunks of rows: {key, counters, times}, in the order of their first packet
 */
#include "counters.h"
#include "fragments.h"
#include "link.h"
#include "parse.h"

#define EXPORT(name) __attribute__((export_name(#name)))

/* Packets of a batch at most: BATCH_PACKETS of src/capture. */
#define BATCH_PACKETS 4096

/* The batch, filled by user space. */
u32 offsets[BATCH_PACKETS];	     /* in whatever the octets were copied from; the first one lies at `octets_place` */
u32 captured_lengths[BATCH_PACKETS];
u32 original_lengths[BATCH_PACKETS];
double seconds[BATCH_PACKETS];	     /* since 1970; NaN: not known */
u32 nanoseconds[BATCH_PACKETS];
u16 interfaces[BATCH_PACKETS];
u16 link_types[BATCH_PACKETS];

/* What UDP destination ports carry (enum port_use). */
u8 tunnel_ports[65536];

/* Set by user space before the first batch. */
struct {
	u32 nvgre;     /* GRE with a key and an Ethernet frame inside is NVGRE */
	u32 most_rows; /* flows kept apart; further ones lose detail, never octets */
	u32 attribute_fragments; /* later fragments have the ports of their first one */
	u32 pad;
	u64 factors[WIDE_WORDS]; /* of the hash: odd random numbers, so that no file can aim at one place */
} settings;

/* What run() and user space share. */
struct {
	u32 rows;
	u32 lines;
	u32 lines_place;
	u32 octets_place;
	double first_ms; /* earliest and latest time since clear() */
	double last_ms;
	double now_ms;	 /* of the latest packet that had a time */
	u32 interface_base; /* added to the interfaces of a batch */
} state;

struct row {
	struct wide_key key;
	struct flow_counters counters;
	double first_ms;
	double last_ms;
};
_Static_assert(sizeof(struct row) == 200, "struct row");

/* One line for what each point saw (reason 0), and for each of its ledger lines. */
struct line {
	u32 point;
	u16 reason;
	u16 level;
	u64 packets;
	u64 octets;
};
_Static_assert(sizeof(struct line) == 24, "struct line");

/* Times beyond are no times: dates end there (ECMA-262, 21.4.1.1). */
#define MOST_MS 8.64e15

#define PAGE_OCTETS 65536
#define CHUNK_ROWS 4096
#define MOST_CHUNKS 5120 /* more than memory has room for */
#define OVERFLOW_ROWS 4096
#define LEAST_PLACES_BITS 14
#define LEAST_LINES_BITS 8

/* Addresses of chunks of rows. */
u32 chunks[MOST_CHUNKS];
static u32 chunk_count;

/* Memory is only ever taken, in pieces that double or are kept: at most half of it is left behind. */
extern u8 __heap_base;
static u64 heap_end;

static void *allocate(u64 octets)
{
	u64 begin, end, have = (u64)__builtin_wasm_memory_size(0) * PAGE_OCTETS;

	if (!heap_end)
		heap_end = (u64)(u32)&__heap_base;
	begin = (heap_end + 63) & ~63ull;
	end = begin + octets;
	if (end > 0xffff0000)
		return 0;
	if (end > have && __builtin_wasm_memory_grow(0, (u32)((end - have + PAGE_OCTETS - 1) / PAGE_OCTETS)) ==
				  (__SIZE_TYPE__)-1)
		return 0;
	heap_end = end;
	return (void *)(u32)begin;
}

/* Zeroed, or 0: memory is full. */
static void *allocate_empty(u64 octets)
{
	void *place = allocate(octets);

	if (place)
		__builtin_memset(place, 0, (u32)octets);
	return place;
}

static u32 octets_room;

/* Makes room for the octets of a batch. Gives their place, or 0: memory is full. */
EXPORT(reserve_octets) u32 reserve_octets(u32 octets)
{
	void *place;

	if (octets > octets_room) {
		place = allocate(octets);
		if (!place)
			return 0;
		octets_room = octets;
		state.octets_place = (u32)place;
	}
	return state.octets_place;
}

/* Flows. */

struct place {
	u32 hash;
	u32 number; /* of the row, plus one; 0: free */
};

static struct place *places;
static u32 places_bits;

PARSE_INLINE struct row *row_at(u32 number)
{
	return (struct row *)chunks[number / CHUNK_ROWS] + number % CHUNK_ROWS;
}

PARSE_INLINE u32 hash_key(const u64 *words)
{
	return sum_words(words, settings.factors, WIDE_WORDS) >> 32;
}

/* Twice the places; 0: memory is full. */
static int grow_places(void)
{
	u32 bits = places ? places_bits + 1 : LEAST_PLACES_BITS, mask, at;
	struct place *grown;

	if (bits > 28)
		return 0;
	grown = allocate_empty(sizeof(struct place) << bits);
	if (!grown)
		return 0;
	mask = (1u << bits) - 1;
	for (u32 i = 0; places && i >> places_bits == 0; i++) {
		if (!places[i].number)
			continue;
		for (at = places[i].hash >> (32 - bits); grown[at].number; at = (at + 1) & mask)
			;
		grown[at] = places[i];
	}
	places = grown;
	places_bits = bits;
	return 1;
}

/* A new row; 0: `most` there are, or memory is full. */
static struct row *new_row(const u64 *words, u32 most)
{
	struct row *row;

	if (state.rows >= most)
		return 0;
	if (state.rows >= chunk_count * CHUNK_ROWS) {
		void *chunk = chunk_count < MOST_CHUNKS ? allocate(CHUNK_ROWS * sizeof(struct row)) : 0;

		if (!chunk)
			return 0;
		chunks[chunk_count++] = (u32)chunk;
	}
	row = row_at(state.rows++);
	__builtin_memcpy(&row->key, words, sizeof(row->key));
	__builtin_memset(&row->counters, 0, sizeof(row->counters));
	return row;
}

/* The row of a key, made when it is not there; 0: there is no room. */
static struct row *find_row(const u64 *words, u32 most)
{
	u32 hash = hash_key(words), mask, at;
	struct row *row;

	/* Half of the places stay free. */
	if ((!places || state.rows >> (places_bits - 1)) && !grow_places() &&
	    (!places || state.rows >> places_bits))
		return 0;
	mask = (1u << places_bits) - 1;
	for (at = hash >> (32 - places_bits); places[at].number; at = (at + 1) & mask) {
		if (places[at].hash != hash)
			continue;
		row = row_at(places[at].number - 1);
		if (same_words((const u64 *)&row->key, words, WIDE_WORDS))
			return row;
	}
	/* One place always stays free, so that each search ends. */
	if (state.rows >= mask)
		return 0;
	row = new_row(words, most);
	if (row)
		places[at] = (struct place){ .hash = hash, .number = state.rows };
	return row;
}

static void add_packet(struct row *row, const struct packet *p, u32 octets, double ms)
{
	struct flow_counters *f = &row->counters;
	u16 shortest = octets > 65535 ? 65535 : (u16)octets;

	if (!f->packets) {
		f->shortest = shortest;
		f->outer_source_port = p->labels.tunnel ? p->outer_source_port : 0;
		f->dscp = p->dscp;
		copy_macs(f->mac, p->mac);
		row->first_ms = row->last_ms = ms;
	}
	f->octets += octets;
	f->packets++;
	f->payload_octets += p->payload;
	if (octets > f->longest)
		f->longest = octets;
	if (shortest < f->shortest)
		f->shortest = shortest;
	f->tcp_flags |= p->tcp_flags;
	/* Captures are not always in order. */
	if (ms < row->first_ms)
		row->first_ms = ms;
	if (ms > row->last_ms)
		row->last_ms = ms;
}

/* Lines: few, so they are looked for in a table of their own. */

static struct line *lines;
static u32 *line_places; /* number of the line, plus one */
static u32 lines_bits;

static u32 line_hash(u32 point, u32 reason, u32 level)
{
	u64 key = (u64)point << 32 | reason << 16 | level;

	return (u32)((key * settings.factors[0]) >> 32);
}

static int grow_lines(void)
{
	u32 bits = lines ? lines_bits + 1 : LEAST_LINES_BITS, mask = (2u << bits) - 1, at;
	struct line *grown;
	u32 *grown_places;

	if (bits > 24)
		return 0;
	grown = allocate(sizeof(struct line) << bits);
	grown_places = allocate_empty(sizeof(u32) << (bits + 1));
	if (!grown || !grown_places)
		return 0;
	if (lines)
		__builtin_memcpy(grown, lines, state.lines * sizeof(struct line));
	for (u32 i = 0; i < state.lines; i++) {
		at = line_hash(grown[i].point, grown[i].reason, grown[i].level) >> (31 - bits);
		while (grown_places[at])
			at = (at + 1) & mask;
		grown_places[at] = i + 1;
	}
	lines = grown;
	line_places = grown_places;
	lines_bits = bits;
	state.lines_place = (u32)lines;
	return 1;
}

/* Number of a line, made when it is not there. -1: memory is full. */
static int find_line(u32 point, u32 reason, u32 level)
{
	u32 mask, at;

	if ((!lines || state.lines >> lines_bits) && !grow_lines())
		return -1;
	mask = (2u << lines_bits) - 1;
	for (at = line_hash(point, reason, level) >> (31 - lines_bits); line_places[at]; at = (at + 1) & mask) {
		struct line *line = &lines[line_places[at] - 1];

		if (line->point == point && line->reason == reason && line->level == level)
			return (int)(line_places[at] - 1);
	}
	lines[state.lines] = (struct line){ .point = point, .reason = (u16)reason, .level = (u16)level };
	line_places[at] = ++state.lines;
	return (int)(state.lines - 1);
}

static void add_line(u32 point, u32 reason, u32 level, u32 octets)
{
	int at = find_line(point, reason, level);

	if (at < 0)
		__builtin_trap(); /* 4 GiB of lines: nothing may be lost silently */
	lines[at].packets++;
	lines[at].octets += octets;
}

/* Begins anew with no flows; memory, settings and the clock stay. */
EXPORT(clear) void clear(void)
{
	if (places && state.rows)
		__builtin_memset(places, 0, sizeof(struct place) << places_bits);
	if (lines && state.lines)
		__builtin_memset(line_places, 0, sizeof(u32) << (lines_bits + 1));
	state.rows = state.lines = 0;
	state.first_ms = __builtin_inf();
	state.last_ms = -__builtin_inf();
}

static struct packet packet;

PARSE_INLINE struct window window_at(u32 place, u32 length)
{
	return (struct window){
		.data = (const u8 *)place,
		.end = (const u8 *)place + length,
		.ports = tunnel_ports,
		.nvgre = (u8)settings.nvgre,
	};
}

static __attribute__((noinline)) enum reason parse(const struct window *w, struct packet *p, u32 point,
						     u32 octets, u32 link_type)
{
	return parse_captured(w, p, point, octets, link_type);
}

static struct fragment_set fragments[FRAGMENT_SETS];

static void attribute_fragment(struct packet *p, double ms)
{
	u64 words[WIDE_WORDS];

	datagram_words(words, p);
	join_fragments(&fragments[fragment_place(words)], p, words, (u32)(long long)(ms / 1000));
}

/* Into its flow, or the overflow record of its tunnel. */
static void record(struct packet *p, u32 octets, double ms)
{
	u64 words[WIDE_WORDS];
	struct row *row;

	if (p->labels.traits & (TRAIT_FRAGMENT | TRAIT_LATER_FRAGMENT) && settings.attribute_fragments)
		attribute_fragment(p, ms);
	wide_words(words, p);
	row = find_row(words, settings.most_rows);
	if (!row) {
		overflow_key((struct wide_key *)words);
		row = find_row(words, settings.most_rows + OVERFLOW_ROWS);
	}
	if (row)
		add_packet(row, p, octets, ms);
	else
		add_line(p->labels.point, OVERFLOW_FULL, p->level, octets);
}

/* Takes in packets `first` to `count` of the batch; ends before one of `until_ms` or later. Gives who is next. */
EXPORT(run) u32 run(u32 first, u32 count, double until_ms)
{
	struct packet *p = &packet;
	enum reason reason;
	u32 at, octets, i;
	double ms;

	for (i = first; i < count && i < BATCH_PACKETS; i++) {
		ms = seconds[i] * 1000 + nanoseconds[i] / 1e6;
		if (ms >= -MOST_MS && ms <= MOST_MS) {
			if (ms >= until_ms)
				break;
			state.now_ms = ms;
			if (ms < state.first_ms)
				state.first_ms = ms;
			if (ms > state.last_ms)
				state.last_ms = ms;
		} else {
			ms = state.now_ms;
		}
		at = state.octets_place + offsets[i] - offsets[0];
		octets = original_lengths[i];

		const struct window w = window_at(at, captured_lengths[i]);

		reason = parse(&w, p, (state.interface_base + interfaces[i]) << 1, octets, link_types[i]);
		add_line(p->labels.point, REASON_NONE, 0, octets);
		if (reason == REASON_NONE)
			record(p, octets, ms);
		else
			add_line(p->labels.point, reason, p->level, octets);
	}
	return i;
}

/* Parses what stands at the place of the octets, without recording it; `single` holds what was found. */
struct packet single;
_Static_assert(sizeof(struct packet) == 176, "struct packet");
EXPORT(parse_one) u32 parse_one(u32 captured, u32 original, u32 link_type)
{
	const struct window w = window_at(state.octets_place, captured);

	__builtin_memset(&single, 0, sizeof(single));
	return parse(&w, &single, 0, original, link_type);
}
