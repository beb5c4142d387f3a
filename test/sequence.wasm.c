// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The account of sequence numbers as sequence.bpf.c has it, for captures: one way, its counts of an epoch. */
#include "parse.h"
#include "biflow/sequence_notes.h"

#define EXPORT(name) __attribute__((export_name(#name)))

struct sequence_settings settings;
struct numbered_state state;
struct numbered_counts counts;
struct sequence_found found;
struct observed observed;
u8 frame[65536];

struct payload {
	u32 octets;
};

PARSE_INLINE int load_payload(const struct payload *from, u32 at, void *to, u32 octets)
{
	if (at > from->octets || octets > from->octets - at)
		return 1;
	__builtin_memcpy(to, frame + at, octets);
	return 0;
}

PARSE_INLINE int find_pattern(const struct sequence_found *of, u32 octets, u32 pattern)
{
	return search_chunk(of->chunk, octets, pattern);
}

PARSE_INLINE int find_next(const struct payload *from, u32 readable, struct sequence_found *of,
			   const volatile struct sequence_settings *to, const struct observed *o)
{
	return find_step(from, readable, of, to, o);
}

EXPORT(clear) void clear(void)
{
	__builtin_memset(&state, 0, sizeof(state));
	__builtin_memset(&counts, 0, sizeof(counts));
}

/* One packet with this number. */
EXPORT(note) void note(u32 number, u32 source, u32 is_short, int threshold)
{
	found.numbers[0] = (struct sequence_number){ .number = number, .source = source };
	choose_kind(&found.kind, (int)is_short);
	note_sequences(&state.sequence, &counts.sequence, &found.move, found.numbers, 1, &found.kind, threshold);
}

/* The frame, of which `octets` can be read; what it is stands in `observed`. */
EXPORT(look) void look(u32 octets, u32 source_port, u32 destination_port)
{
	const struct payload from = { .octets = octets };

	find_sequences(&from, octets, &found, &settings, &observed, (u16)source_port, (u16)destination_port);
	if (found.form)
		note_found(&state, &counts, &found, &settings, observed.time_ns);
}
