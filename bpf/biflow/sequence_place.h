/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where in a packet the number stands that its sender raises: at an offset, behind a pattern, or where a protocol has it.
 * Read before the biflow is locked, into memory of the CPU: the numbers of all segments of a super-packet.
 *
 *   RTP (RFC 3550 5.1)                          iperf3                          echo (RFC 792)
 *   |V=2 PXCC|M  PT  |   sequence     |  0      | seconds              |  0     | type  | code  | checksum | -8
 *   | timestamp                       |  4      | microseconds         |  4     | identifier    | sequence | -4
 *   | source (SSRC)                   |  8      | sequence (32 or 64)  |  8     | payload ...              |  0
 */
#pragma once

#include "sequence.h"

/* A pattern must lie within the first so many octets of a payload. */
#define PATTERN_REACH 5000
#define CHUNK_OCTETS 512
/* Each chunk begins three octets before the end of the one before: 64 KiB in 128 segments take less than 260. */
#define MOST_CHUNKS_SEARCHED 260
#define SEQUENCE_RULES 4

enum sequence_form {
	SEQUENCE_OFF = 0,
	SEQUENCE_OFFSET = 1,	  /* 32 bits at `offset` of the payload */
	SEQUENCE_PATTERN = 2,	  /* 32 bits at `offset` from where `pattern` begins */
	SEQUENCE_RTP = 3,
	SEQUENCE_IPERF3 = 4,
	SEQUENCE_IPERF3_WIDE = 5, /* with --udp-counters-64bit; the low half counts */
	SEQUENCE_ECHO = 6,	  /* of ICMP */
};

/* UDP between ports of which one is in the range (both inclusive) has its numbers in this form. */
struct sequence_rule {
	u16 first_port;
	u16 last_port;
	u8 form;      /* enum sequence_form; SEQUENCE_OFF ends the rules */
	u8 even_only; /* as RTP has them (RFC 3550 section 11) */
	u16 pad;
};

/* Set by user space before the first packet. Zeros: off. */
struct sequence_settings {
	struct sequence_rule udp[SEQUENCE_RULES]; /* the first that fits */
	u32 icmp;	/* enum sequence_form, of ICMP and ICMPv6 */
	u32 offset;	/* octets */
	u32 pattern;	/* its first octet is the highest */
	int threshold;	/* the largest step that is small */
	u32 clock_rate; /* of RTP payload types that have none of their own, in Hz; 0: no jitter */
	u32 pad;
};
_Static_assert(sizeof(struct sequence_settings) == 56, "struct sequence_settings");

/* What was found in a packet, and what is needed for it. One per CPU: nothing of it lives longer than a packet. */
struct sequence_found {
	u64 chunk[CHUNK_OCTETS / 8 + 1]; /* and room behind, for a load that ends there */
	struct sequence_number numbers[SEQUENCE_SEGMENTS];
	u32 form;	     /* enum sequence_form; SEQUENCE_OFF: nothing is to be noted */
	u32 count;	     /* of numbers, in the order of segments */
	u32 missing;	     /* segments without */
	u32 segment;	     /* that is read now */
	u32 searched;	     /* octets of its payload */
	u32 has_timestamp;
	u32 timestamp[2];    /* of the first segment: RTP's, or seconds and microseconds */
	u32 payload_type;    /* of RTP */
	u32 timestamp_source;
	struct sequence_kind kind;
	struct sequence_move move;
};
_Static_assert(sizeof(struct sequence_found) == 1616, "struct sequence_found");

/* The target's: a packet, of which `octets` can be read. */
struct payload;

/* Copies octets of the frame, 1 to CHUNK_OCTETS, all of which are there; 0: done. */
PARSE_INLINE int load_payload(const struct payload *from, u32 at, void *to, u32 octets);

/*
 * search_chunk() of found->chunk, and find_step(). In the kernel each by a global function, which the verifier looks at once: else
 * it would walk through every round of the loops they are called in.
 */
PARSE_INLINE int find_pattern(const struct sequence_found *found, u32 octets, u32 pattern);
PARSE_INLINE int find_next(const struct payload *from, u32 readable, struct sequence_found *found,
			   const volatile struct sequence_settings *settings, const struct observed *o);

/* Where in the octets (up to CHUNK_OCTETS) the pattern begins; -1: nowhere. */
PARSE_INLINE int search_chunk(const u64 *chunk, u32 octets, u32 pattern)
{
	const u64 ones = 0x0101010101010101;
	u64 first = (pattern >> 24) * ones, others;
	u32 wanted = __builtin_bswap32(pattern), at, step, found;

#pragma clang loop unroll(disable)
	for (u32 i = 0; i < CHUNK_OCTETS / 8; i++) {
		at = 8 * i;
		if (at + 4 > octets)
			break;
		/* Has any of the eight the pattern's first octet? */
		others = chunk[i] ^ first;
		if (!((others - ones) & ~others & (ones << 7)))
			continue;
		/* The first of the eight places where it is; 8: nowhere. */
		step = 0;
		found = 0;
#pragma clang loop unroll(full)
		for (u32 k = 0; k < 8; k++) {
			found |= 1 - is_set(LOAD(u32, (const u8 *)chunk + at + k) ^ wanted);
			step += 1 - found;
		}
		at += step;
		if (found && at + 4 <= octets)
			return (int)at;
	}
	return -1;
}

PARSE_INLINE int fits(const volatile struct sequence_rule *rule, u16 port)
{
	return port >= rule->first_port && port <= rule->last_port && !(rule->even_only && port & 1);
}

/* The form that numbers of such packets have. Of ICMP the destination port is type << 8 | code. */
PARSE_INLINE u32 form_of(const volatile struct sequence_settings *settings, u8 protocol, u16 source_port,
			 u16 destination_port)
{
	u8 type = (u8)(destination_port >> 8);

	if (protocol == 17) {
#pragma clang loop unroll(full)
		for (int i = 0; i < SEQUENCE_RULES; i++) {
			const volatile struct sequence_rule *rule = &settings->udp[i];

			if (!rule->form)
				break;
			if (fits(rule, source_port) || fits(rule, destination_port))
				return rule->form;
		}
		return SEQUENCE_OFF;
	}
	if (protocol != 1 && protocol != 58)
		return SEQUENCE_OFF;
	if (settings->icmp != SEQUENCE_ECHO)
		return settings->icmp;
	return (protocol == 1 ? type == 8 || type == 0 : type == 128 || type == 129) ? SEQUENCE_ECHO :
										       SEQUENCE_OFF;
}

/* Where the word that holds the number begins: in the payload (ICMP's header comes before it), or from a pattern on. */
PARSE_INLINE u32 place_of(const volatile struct sequence_settings *settings, u32 form)
{
	switch (form) {
	case SEQUENCE_OFFSET:
	case SEQUENCE_PATTERN:
		return settings->offset;
	case SEQUENCE_IPERF3:
		return 8;
	case SEQUENCE_IPERF3_WIDE:
		return 12;
	case SEQUENCE_ECHO:
		return (u32)-4;
	}
	return 0;
}

/*
 * Reads the word that holds the number, `place` octets into the payload of the segment at `begin` with `octets`, and what
 * stands beside it. 0: none is there.
 */
PARSE_INLINE int read_number(const struct payload *from, struct sequence_found *found, u32 begin, u32 octets,
			     u32 place)
{
	struct sequence_number *to = &found->numbers[found->count & (SEQUENCE_SEGMENTS - 1)];
	u32 form = found->form, word, beside[2];

	if (form != SEQUENCE_ECHO && (place > octets || octets - place < 4))
		return 0;
	if (load_payload(from, begin + place, &word, sizeof(word)))
		return 0;
	word = __builtin_bswap32(word);
	to->number = word;
	to->source = 0;
	if (form == SEQUENCE_ECHO)
		to->number = word & 0xffff;
	if (form == SEQUENCE_RTP) {
		/* Version 2; types 64 to 95 are RTCP (RFC 5761 section 4). */
		if (octets < 12 || word >> 30 != 2 || (word >> 21 & 3) == 2)
			return 0;
		if (load_payload(from, begin + 4, beside, sizeof(beside)))
			return 0;
		to->number = word & 0xffff;
		to->source = __builtin_bswap32(beside[1]);
	} else if (form == SEQUENCE_IPERF3 || form == SEQUENCE_IPERF3_WIDE) {
		if (load_payload(from, begin, beside, sizeof(beside)))
			return 0;
	} else {
		return 1;
	}
	if (!found->segment) {
		found->timestamp[0] = __builtin_bswap32(beside[0]);
		found->timestamp[1] = __builtin_bswap32(beside[1]);
		found->timestamp_source = to->source;
		found->payload_type = word >> 16 & 0x7f;
		found->has_timestamp = 1;
	}
	return 1;
}

enum search {
	SEARCH_GOES_ON = -1,
	SEARCH_FAILED = -2,
};

/* Looks for the pattern in the next chunk of a segment; gives its place, or enum search. */
PARSE_INLINE int search_on(const struct payload *from, struct sequence_found *found, u32 begin, u32 octets,
			   u32 pattern)
{
	u32 reach = octets < PATTERN_REACH ? octets : PATTERN_REACH, done = found->searched, left;
	int at;

	if (done >= reach || reach - done < 4)
		return SEARCH_FAILED;
	left = reach - done;
	if (left > CHUNK_OCTETS)
		left = CHUNK_OCTETS;
	if (load_payload(from, begin + done, found->chunk, left))
		return SEARCH_FAILED;
	at = find_pattern(found, left, pattern);
	if (at >= 0)
		return (int)done + at;
	found->searched = done + left - 3;
	return SEARCH_GOES_ON;
}

/*
 * Looks for the number of the segment at hand: in all of it, or in its next chunk for a pattern. 0: there are no more segments.
 * Of more than SEQUENCE_SEGMENTS the rest count as without.
 */
PARSE_INLINE int find_step(const struct payload *from, u32 readable, struct sequence_found *found,
			   const volatile struct sequence_settings *settings, const struct observed *o)
{
	u32 segment = found->segment, form = found->form, begin, octets, place;
	int at = 0;

	if (segment && (!o->stride || segment >= o->packets || segment * o->segment >= o->payload))
		return 0;
	if (segment >= SEQUENCE_SEGMENTS) {
		found->missing += o->packets - segment;
		return 0;
	}
	octets = o->payload - segment * o->segment;
	if (o->stride && octets > o->segment)
		octets = o->segment;
	begin = o->payload_offset + segment * o->stride;
	if (begin > readable)
		octets = 0;
	else if (octets > readable - begin)
		octets = readable - begin;
	if (form == SEQUENCE_PATTERN)
		at = search_on(from, found, begin, octets, settings->pattern);
	if (at == SEARCH_GOES_ON)
		return 1;
	place = (u32)at + place_of(settings, form);
	if (at != SEARCH_FAILED && read_number(from, found, begin, octets, place))
		found->count++;
	else
		found->missing++;
	found->segment++;
	found->searched = 0;
	return 1;
}

/* Finds the numbers of a packet; `readable` octets of the frame can be read. */
PARSE_INLINE void find_sequences(const struct payload *from, u32 readable, struct sequence_found *found,
				 const volatile struct sequence_settings *settings, const struct observed *o,
				 u16 source_port, u16 destination_port)
{
	found->form = o->traits & OBSERVED_HEADER ?
			      form_of(settings, o->protocol, source_port, destination_port) :
			      SEQUENCE_OFF;
	found->count = found->missing = found->segment = found->searched = found->has_timestamp = 0;
	if (!found->form)
		return;
	choose_kind(&found->kind, found->form == SEQUENCE_RTP || found->form == SEQUENCE_ECHO);
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < MOST_CHUNKS_SEARCHED; i++) {
		if (!find_next(from, readable, found, settings, o))
			break;
	}
}
