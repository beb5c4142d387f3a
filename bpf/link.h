/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What stands before the network layer in captures: LINKTYPE_* of the registry at tcpdump.org/linktypes.html. Interfaces
 * with Ethernet headers have nothing to do with it.
 */
#pragma once

#include "parse.h"

enum link_type {
	LINK_NULL = 0, /* address family, in the byte order of whoever captured */
	LINK_ETHERNET = 1,
	LINK_RAW = 101, /* IP, told by its version */
	LINK_LOOP = 108, /* address family in network order */
	LINK_SLL = 113,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_SLL2 = 276,
};

/* ARPHRD_*: of the cooked headers' protocols all others are ethertypes. */
#define HARDWARE_NETLINK 824

/* Whether each packet says which way the interface saw it. */
PARSE_INLINE int says_direction(u32 link_type)
{
	return link_type == LINK_SLL || link_type == LINK_SLL2;
}

PARSE_INLINE enum reason link_type_is(struct packet *p, u16 ethertype)
{
	p->ethertype = ethertype;
	p->step = STEP_TYPE;
	return PARSE_MORE;
}

PARSE_INLINE enum reason parse_raw(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 1);

	if (!at)
		return LINK_TRUNCATED;
	return link_type_is(p, at[0] >> 4 == 4 ? 0x0800 : at[0] >> 4 == 6 ? 0x86dd : 0);
}

/* AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 24, 28 and 30 on the BSDs and macOS. */
PARSE_INLINE enum reason parse_family(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 4);
	u32 family;

	if (!at)
		return LINK_TRUNCATED;
	family = load32(at);
	if (family > 0xffff)
		family = __builtin_bswap32(family);
	consume(p, 4);
	switch (family) {
	case 2:
		return link_type_is(p, 0x0800);
	case 10:
	case 24:
	case 28:
	case 30:
		return link_type_is(p, 0x86dd);
	}
	return link_type_is(p, 0);
}

/* What both cooked headers say: sent to whom, of what hardware, by which address. */
PARSE_INLINE void add_cooked(struct packet *p, u32 type, u32 address_octets, const u8 *address)
{
	if (type == 1)
		p->labels.traits |= TRAIT_BROADCAST;
	else if (type == 2)
		p->labels.traits |= TRAIT_MULTICAST;
	else if (type == 4)
		p->labels.point |= 1; /* sent by the host that captured */
	if (address_octets == 6)
		__builtin_memcpy(p->mac + 6, address, 6);
}

/* A protocol that is no ethertype (1: 802.3, 4: 802.2) is nothing that is read. */
PARSE_INLINE enum reason cooked_type(struct packet *p, u16 hardware, u16 protocol)
{
	return link_type_is(p, hardware == HARDWARE_NETLINK ? 0 : protocol);
}

/*
 * Linux cooked (LINKTYPE_LINUX_SLL):
 *   | type (16) | hardware (16) | address length (16) | address (64) | protocol (16) |
 */
PARSE_INLINE enum reason parse_sll(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 16);

	if (!at)
		return LINK_TRUNCATED;
	add_cooked(p, load16(at), load16(at + 4), at + 6);
	consume(p, 16);
	return cooked_type(p, load16(at + 2), load16(at + 14));
}

/*
 * Its second version (LINKTYPE_LINUX_SLL2):
 *   | protocol (16) | 0 (16) | interface (32) | hardware (16) | type (8) | address length (8) | address (64) |
 */
PARSE_INLINE enum reason parse_sll2(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 20);

	if (!at)
		return LINK_TRUNCATED;
	add_cooked(p, at[10], at[11], at + 12);
	consume(p, 20);
	return cooked_type(p, load16(at + 8), load16(at));
}

PARSE_INLINE enum reason parse_link(const struct window *w, struct packet *p, u32 link_type)
{
	switch (link_type) {
	case LINK_NULL:
	case LINK_LOOP:
		return parse_family(w, p);
	case LINK_RAW:
		return parse_raw(w, p);
	case LINK_IPV4:
		return link_type_is(p, 0x0800);
	case LINK_IPV6:
		return link_type_is(p, 0x86dd);
	case LINK_SLL:
		return parse_sll(w, p);
	case LINK_SLL2:
		return parse_sll2(w, p);
	}
	return LINK_UNKNOWN;
}

/* As parse_packet(), for a frame of any link type. */
PARSE_INLINE enum reason parse_captured(const struct window *w, struct packet *p, u32 point, u32 length,
					u32 link_type)
{
	enum reason reason;

	if (link_type == LINK_ETHERNET)
		return parse_packet(w, p, point, length);
	begin_packet(p, point, length, 0, 0);
	reason = parse_link(w, p, link_type);
	return reason == PARSE_MORE ? parse_general(w, p) : reason;
}
