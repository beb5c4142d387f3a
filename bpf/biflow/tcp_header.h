/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What measurements need of a TCP header (RFC 9293 section 3.1) and of its timestamps (RFC 7323 section 3.2). */
#pragma once

#include "../parse/window.h"
#include "observed.h"

/* Octets that must be readable where a header lies: the longest there is. */
#define TCP_HEADER_ROOM 60
/* How many options are looked at, each a padding octet or more. Real headers have up to six. */
#define TCP_OPTIONS 24

#define TCP_OPTION_NOP 1
#define TCP_OPTION_SACK 5
#define TCP_OPTION_TIMESTAMPS 8

/* NOP, NOP, timestamps of ten octets: what nearly every segment begins its options with. */
#define TCP_COMMON_OPTIONS 0x0101080a

PARSE_INLINE void take_timestamps(struct observed *o, const u8 *option)
{
	o->timestamp = load32(option + 2);
	o->echo = load32(option + 6);
	o->traits |= OBSERVED_TIMESTAMPS;
}

/*
 * Options one after the other. The place lies in memory between two of them, so that the verifier sees the same state
 * before each, whatever the one before was.
 */
PARSE_INLINE void read_options(struct observed *o, const u8 *header, u32 octets)
{
	volatile u32 *place = &o->pad;
	u32 at;
	u8 kind, length;

	*place = 20;
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < TCP_OPTIONS; i++) {
		at = *place;
		if (at > TCP_HEADER_ROOM - 2 || at >= octets)
			break;
		kind = header[at];
		if (!kind)
			break;
		if (kind == TCP_OPTION_NOP) {
			*place = at + 1;
			continue;
		}
		length = header[at + 1];
		if (length < 2 || at + length > octets)
			break;
		*place = at + length;
		if (kind == TCP_OPTION_SACK)
			o->traits |= OBSERVED_SELECTIVE;
		if (kind != TCP_OPTION_TIMESTAMPS || length != 10)
			continue;
		/* Anew, so that what is compared is what the place is made of (before Linux 6.6 the verifier does not relate them). */
		at = *place - length;
		__asm__ volatile("" : "+r"(at));
		if (at <= TCP_HEADER_ROOM - 10)
			take_timestamps(o, header + at);
	}
	*place = 0;
}

/*
 * Reads a TCP header of `octets` (20 to 60, itself and its options) into what is observed; sequence, acknowledgment, window,
 * flags, timestamps, and whether there is a SACK. Behind it there must be TCP_HEADER_ROOM octets that can be read, in the
 * packet or not; o must lie in a map. Says OBSERVED_HEADER.
 */
PARSE_INLINE void read_tcp(struct observed *o, const u8 *header, u32 octets)
{
	o->sequence = load32(header + 4);
	o->acknowledgment = load32(header + 8);
	o->flags = load16(header + 12) & 0x01ff;
	o->window = load16(header + 14);
	o->timestamp = o->echo = 0;
	o->traits = (u8)((o->traits & ~(OBSERVED_TIMESTAMPS | OBSERVED_SELECTIVE)) | OBSERVED_HEADER);
	if (octets == 32 && load32(header + 20) == TCP_COMMON_OPTIONS)
		take_timestamps(o, header + 22);
	else if (octets > 20)
		read_options(o, header, octets);
}
