// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The meter for capture files, in WebAssembly: the parser of the kernel over batches of packets, and the flow table.
 *
 * User space copies a batch (octets and columns) into memory and calls run(); nothing else is called per packet. Then it
 * reads rows and lines where they lie. As in the kernel
 *     seen = flow records + overflow records + ledger        (packets and octets)
 */
#include "counters.h"
#include "fragments.h"
#include "link.h"
#include "parse.h"
#include "replay/biflows.h"
#include "replay/memory.h"
#include "replay/rows.h"

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
	struct followed_settings followed;
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
	u32 pad;
	u64 now_ns;	 /* the same as now_ms */
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

#define MOST_CHUNKS 5120 /* more than memory has room for */
#define OVERFLOW_ROWS 4096
#define LEAST_LINES_BITS 8

/* Addresses of chunks of rows. */
u32 chunks[MOST_CHUNKS];
static u32 chunk_count;

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

static struct index flows;

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
	row = row_at(chunks, state.rows++, sizeof(struct row));
	__builtin_memcpy(&row->key, words, sizeof(row->key));
	__builtin_memset(&row->counters, 0, sizeof(row->counters));
	return row;
}

/* The row of a key, made when it is not there; 0: there is no room. */
static struct row *find_row(const u64 *words, u32 most)
{
	struct place *place = index_place(&flows, chunks, sizeof(struct row), words, settings.factors);
	struct row *row;

	if (!place)
		return 0;
	if (place->number)
		return row_at(chunks, place->number - 1, sizeof(struct row));
	row = new_row(words, most);
	if (row) {
		place->number = state.rows;
		flows.used++;
	}
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
	forget_places(&flows);
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

/* Into its flow, or the overflow record of its tunnel. 0: it waits for a row among the biflows; nothing happened. */
static int record(const struct window *w, struct packet *p, u32 octets, double ms, u64 ns, u16 link_type)
{
	struct followed_packet f;
	u64 words[WIDE_WORDS];
	struct row *row;
	int is_followed;

	if (p->labels.traits & (TRAIT_FRAGMENT | TRAIT_LATER_FRAGMENT) && settings.attribute_fragments)
		attribute_fragment(p, ms);
	is_followed = settings.followed.measured && has_biflow(p);
	if (is_followed) {
		if (!begin_follow(&f, &settings.followed, settings.factors, w, p, ns, octets, says_direction(link_type)))
			return 0;
	}
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
	if (is_followed)
		follow(&f, &settings.followed, w, p);
	return 1;
}

/* Gives a row of a biflow back: it was read, and nothing more will be told of it. */
EXPORT(give_back) void give_back(u32 row)
{
	give_back_biflow(settings.factors, row);
}

/* Time of a biflow's stamps: since 1970, within what 64 bits hold. */
static u64 clock_ns(double seconds_, u32 ns)
{
	return seconds_ >= 0 && seconds_ < 1.8e10 ? (u64)seconds_ * 1000000000 + ns : 0;
}

/*
 * Takes in packets `first` to `count` of the batch; ends before one of `until_ms` or later, and before one that waits for a
 * row among the biflows. Gives who is next.
 */
EXPORT(run) u32 run(u32 first, u32 count, double until_ms)
{
	struct packet *p = &packet;
	enum reason reason;
	u32 at, octets, i;
	double ms;
	u64 ns;

	followed.is_waiting = 0;
	for (i = first; i < count && i < BATCH_PACKETS; i++) {
		ms = seconds[i] * 1000 + nanoseconds[i] / 1e6;
		ns = clock_ns(seconds[i], nanoseconds[i]);
		if (ms >= -MOST_MS && ms <= MOST_MS) {
			if (ms >= until_ms)
				break;
			state.now_ms = ms;
			if (ms < state.first_ms)
				state.first_ms = ms;
			if (ms > state.last_ms)
				state.last_ms = ms;
			state.now_ns = ns;
		} else {
			ms = state.now_ms;
			ns = state.now_ns;
		}
		at = state.octets_place + offsets[i] - offsets[0];
		octets = original_lengths[i];

		const struct window w = window_at(at, captured_lengths[i]);

		reason = parse(&w, p, (state.interface_base + interfaces[i]) << 1, octets, link_types[i]);
		if (reason != REASON_NONE)
			add_line(p->labels.point, reason, p->level, octets);
		else if (!record(&w, p, octets, ms, ns, link_types[i]))
			break;
		add_line(p->labels.point, REASON_NONE, 0, octets);
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
