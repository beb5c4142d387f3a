/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Network headers: IPv4 with options, IPv6 with extension headers, ARP, and pieces of packets. */
#pragma once

#include "ends.h"

/* Fragment bits as both IP versions have them: offset in units of 8, and "more fragments". */
PARSE_INLINE void add_fragment(struct packet *p, u16 offset, int more, u32 id)
{
	if (offset) {
		/* Also of a piece of a piece: the ports are in the first. */
		p->labels.traits &= (u8)~TRAIT_FRAGMENT;
		p->labels.traits |= TRAIT_LATER_FRAGMENT;
	} else if (more) {
		p->labels.traits |= TRAIT_FRAGMENT;
		p->partial = 1;
	}
	p->fragment_id = id;
}

PARSE_INLINE enum reason parse_ipv4(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 20);
	u32 octets, total;
	u16 fragment;

	if (!at)
		return cut(p, IPV4_TRUNCATED);
	if (at[0] >> 4 != 4)
		return IPV4_VERSION;
	octets = (at[0] & 0x0f) * 4;
	if (octets < 20)
		return IPV4_HEADER_LENGTH;
	total = load16(at + 2);
	/* Total length 0: more than 65,535 octets under segmentation offload; the frame's length holds. */
	if (total && (total < octets || !claim(p, total)))
		return IPV4_TOTAL_LENGTH;
	if (p->left < octets)
		return IPV4_TRUNCATED;
	p->labels.network = (p->labels.network & 0xf0) | NETWORK_IPV4;
	p->labels.protocol = at[9];
	p->dscp = at[1] >> 2;
	copy_ipv4(p->addresses.source + 12, at + 12);
	copy_ipv4(p->addresses.destination + 12, at + 16);
	fragment = load16(at + 6);
	add_fragment(p, fragment & 0x1fff, fragment & 0x2000, load16(at + 4));
	consume(p, octets);
	p->has_segments = 0;
	p->step = STEP_PROTOCOL;
	return PARSE_MORE;
}

PARSE_INLINE int is_ipv6_extension(u8 protocol)
{
	return protocol == 0 || protocol == 43 || protocol == 44 || protocol == 51 ||
	       protocol == 60 || protocol == 135 || protocol == 139 || protocol == 140;
}

/* What may come whole in an IP packet: IPv4, IPv6, Ethernet. */
PARSE_INLINE int is_encapsulation(u8 protocol)
{
	return protocol == 4 || protocol == 41 || protocol == 143;
}

PARSE_INLINE enum reason parse_ipv6(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 40);
	u32 length, octets;
	u8 protocol;

	if (!at)
		return cut(p, IPV6_TRUNCATED);
	if (at[0] >> 4 != 6)
		return IPV6_VERSION;
	length = load16(at + 4);
	/* Payload length 0: a jumbogram (RFC 2675) or segmentation offload; the frame's length holds. */
	if (length && !claim(p, length + 40))
		return IPV6_PAYLOAD_LENGTH;
	p->labels.network = (p->labels.network & 0xf0) | NETWORK_IPV6;
	p->dscp = load16(at) >> 6 & 0x3f;
	copy_ipv6(p->addresses.source, at + 8);
	copy_ipv6(p->addresses.destination, at + 24);
	protocol = at[6];
	p->has_segments = 0;
	consume(p, 40);
#pragma clang loop unroll(disable)
	for (int i = 0; i < MAX_EXTENSIONS && is_ipv6_extension(protocol); i++) {
		at = header(w, p, 8);
		if (!at)
			return cut(p, IPV6_EXTENSION_TRUNCATED);
		octets = protocol == 44 ? 8 : protocol == 51 ? (at[1] + 2) * 4 : (at[1] + 1) * 8;
		if (octets > p->left)
			return IPV6_EXTENSION_TRUNCATED;
		if (protocol == 44) {
			add_fragment(p, load16(at + 2) >> 3, at[3] & 1, load32(at + 4));
		} else if (protocol == 51) {
			set_mark(p, MARK_AH, load32(at + 4));
		} else if (protocol == 43 && at[2] == 4) {
			p->has_segments = 1;
			p->segments_left = at[3];
		}
		protocol = at[0];
		consume(p, octets);
		if (p->labels.traits & TRAIT_LATER_FRAGMENT)
			break;
	}
	p->labels.protocol = protocol;
	if (is_ipv6_extension(protocol) && !(p->labels.traits & TRAIT_LATER_FRAGMENT))
		return IPV6_EXTENSION_DEPTH;
	if (p->has_segments && !is_encapsulation(protocol))
		set_mark(p, MARK_SEGMENT_ROUTING, p->segments_left);
	p->step = STEP_PROTOCOL;
	return PARSE_MORE;
}

/* ARP over Ethernet for IPv4 (RFC 826); other kinds keep their ethertype only. */
PARSE_INLINE enum reason parse_arp(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 8);

	if (!at)
		return cut(p, ARP_TRUNCATED);
	p->labels.destination_port = 0x0806;
	if (load16(at) != 1 || load16(at + 2) != 0x0800 || at[4] != 6 || at[5] != 4) {
		end_of_headers(p, 0);
		p->payload = 0;
		return REASON_NONE;
	}
	at = header(w, p, 28);
	if (!at)
		return cut(p, ARP_TRUNCATED);
	p->labels.network = (p->labels.network & 0xf0) | NETWORK_ARP;
	p->labels.protocol = at[6] ? 0 : at[7];
	copy_ipv4(p->addresses.source + 12, at + 14);
	copy_ipv4(p->addresses.destination + 12, at + 24);
	end_of_headers(p, 28);
	p->payload = 0;
	return REASON_NONE;
}
