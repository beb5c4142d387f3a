/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Keys of biflows: both ways between two ends have one. It is the wide flow key with the lesser end first, without what a
 * packet may have and its answer not.
 *
 * The point is an interface and the side from which it sees the biflow: what leaves by it and what comes in for an answer
 * are one, what passes it twice (loopback, a packet sent back by the way it came) are two.
 */
#pragma once

#include "../key_words.h"

#define ICMP_ECHO_WORD (8u << 8)
#define ICMPV6_ECHO_WORD (128u << 8)

/* An echo request's type and code for those of its reply; any other's stay. */
PARSE_INLINE u32 asked_word(u32 protocol, u32 type_code)
{
	if (protocol == 1 && !type_code)
		return ICMP_ECHO_WORD;
	if (protocol == 58 && type_code == (129u << 8))
		return ICMPV6_ECHO_WORD;
	return type_code;
}

/* 1 where a comes behind b. */
PARSE_INLINE u32 is_behind(u64 high_a, u64 low_a, u64 high_b, u64 low_b)
{
	return high_a > high_b || (high_a == high_b && low_a > low_b);
}

PARSE_INLINE void swap_if(u64 *a, u64 *b, u64 mask)
{
	u64 difference = (*a ^ *b) & mask;

	*a ^= difference;
	*b ^= difference;
}

/* The key of the packet's biflow. Gives the way the packet went. */
PARSE_INLINE u32 biflow_words(u64 *words, const struct packet *p)
{
	u32 protocol = p->labels.protocol, source_port, destination_port, way;
	int is_icmp = protocol == 1 || protocol == 58;
	u64 mask;

	wide_words(words, p);
	source_port = (u16)words[2];
	destination_port = (u16)(words[2] >> 16);
	if (is_icmp) {
		way = words[7] == words[9] && words[8] == words[10] ?
			      asked_word(protocol, destination_port) != destination_port :
			      is_behind(words[7], words[8], words[9], words[10]);
		destination_port = asked_word(protocol, destination_port);
	} else {
		way = words[7] == words[9] && words[8] == words[10] ?
			      source_port > destination_port :
			      is_behind(words[7], words[8], words[9], words[10]);
		if (way) {
			u32 port = source_port;

			source_port = destination_port;
			destination_port = port;
		}
	}
	mask = 0 - (u64)way;
	swap_if(&words[3], &words[5], mask);
	swap_if(&words[4], &words[6], mask);
	swap_if(&words[7], &words[9], mask);
	swap_if(&words[8], &words[10], mask);
	words[0] ^= way;
	/* No traits: a first fragment and a broadcast are of the same biflow as the rest. */
	words[2] = (words[2] & 0x00ffffff00000000) | source_port | destination_port << 16;
	return way;
}
