/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The common packet: no tags, no IP options or extension headers, no fragments; TCP or UDP, plain or in one VXLAN tunnel.
 * Its headers have fixed places, so that nothing waits for the length of the header before (13 ns less of 25). What is
 * unusual in any way, a length that lies too, is left to the general parser; both agree on all that is common.
 *
 * Each returns 1, or 0: not that common. `offset` is a constant at every call, `left` what enclosing headers leave there.
 */
#pragma once

#include "ethernet.h"

PARSE_INLINE int common_end(const struct window *w, struct packet *p, u32 offset, u32 left,
			    u8 protocol, int level)
{
	const u8 *at = w->data + offset;
	u32 octets = 8;
	u16 length;

	if (left < 8 || at + 8 > w->end)
		return 0;
	p->labels.source_port = load16(at);
	p->labels.destination_port = load16(at + 2);
	if (protocol == 6) {
		if (left < 20 || at + 20 > w->end)
			return 0;
		octets = (at[12] >> 4) * 4;
		if (octets < 20 || octets > left)
			return 0;
		p->tcp_flags = load16(at + 12) & 0x01ff;
	} else {
		length = load16(at + 4);
		if (protocol != 17 || length < 8 || length > left ||
		    use_of(w, p->labels.destination_port))
			return 0;
		if (level == 0)
			p->outer_source_port = p->labels.source_port;
	}
	p->labels.protocol = protocol;
	p->payload = left - octets;
	p->header_octets = offset + octets;
	p->transport_offset = (u16)offset;
	if (level == 0)
		p->outer_header_octets = p->header_octets;
	return 1;
}

/* Length of a common IPv4 or IPv6 header with what it carries, or 0. `kind` is a constant. */
PARSE_INLINE u32 common_length(const struct window *w, u32 offset, u32 left, enum network kind)
{
	const u8 *at = w->data + offset;
	u32 length;

	if (kind == NETWORK_IPV4) {
		if (left < 20 || at + 20 > w->end || at[0] != 0x45 || load16(at + 6) & 0x3fff)
			return 0;
		length = load16(at + 2);
		return length >= 20 && length <= left ? length : 0;
	}
	if (left < 40 || at + 40 > w->end || at[0] >> 4 != 6)
		return 0;
	length = load16(at + 4);
	return length && length + 40 <= left ? length + 40 : 0;
}

PARSE_INLINE int common_inner(const struct window *w, struct packet *p, u32 offset, u32 left,
			      enum network kind, int level)
{
	const u8 *at = w->data + offset;
	u32 length = common_length(w, offset, left, kind);

	if (!length)
		return 0;
	p->labels.network |= kind;
	if (kind == NETWORK_IPV4) {
		p->dscp = at[1] >> 2;
		copy_ipv4(p->addresses.source + 12, at + 12);
		copy_ipv4(p->addresses.destination + 12, at + 16);
		return common_end(w, p, offset + 20, length - 20, at[9], level);
	}
	p->dscp = load16(at) >> 6 & 0x3f;
	copy_ipv6(p->addresses.source, at + 8);
	copy_ipv6(p->addresses.destination, at + 24);
	return common_end(w, p, offset + 40, length - 40, at[6], level);
}

PARSE_INLINE int common_vxlan(const struct window *w, struct packet *p, enum network kind, u32 length)
{
	const u32 ip = kind == NETWORK_IPV4 ? 20 : 40, frame = 14 + ip + 16;
	const u8 *at = w->data + 14, *udp = at + ip;
	u16 octets = load16(udp + 4);
	u32 left = length - ip - 16;

	if (octets < 8 || octets > length - ip || length < ip + 16 + 14 ||
	    w->data + frame + 14 > w->end || !(udp[8] & 0x08))
		return 0;
	p->labels.network = (u8)(kind << 4);
	if (kind == NETWORK_IPV4) {
		copy_ipv4(p->addresses.outer_source + 12, at + 12);
		copy_ipv4(p->addresses.outer_destination + 12, at + 16);
	} else {
		copy_ipv6(p->addresses.outer_source, at + 8);
		copy_ipv6(p->addresses.outer_destination, at + 24);
	}
	p->labels.tunnel = TUNNEL_VXLAN;
	p->labels.tunnel_id = load24(udp + 12);
	p->outer_source_port = load16(udp);
	p->outer_header_octets = 14 + ip + 8;
	p->level = 1;
	copy_macs(p->mac, w->data + frame);
	switch (load16(w->data + frame + 12)) {
	case 0x0800:
		return common_inner(w, p, frame + 14, left - 14, NETWORK_IPV4, 1);
	case 0x86dd:
		return common_inner(w, p, frame + 14, left - 14, NETWORK_IPV6, 1);
	}
	return 0;
}

PARSE_INLINE int common_outer(const struct window *w, struct packet *p, enum network kind)
{
	const u32 ip = kind == NETWORK_IPV4 ? 20 : 40;
	const u8 *at = w->data + 14;
	u32 length = common_length(w, 14, p->left - 14, kind);

	if (!length)
		return 0;
	if (at[kind == NETWORK_IPV4 ? 9 : 6] == 17 && length >= ip + 8 && at + ip + 8 <= w->end &&
	    use_of(w, load16(at + ip + 2)) == PORT_VXLAN)
		return common_vxlan(w, p, kind, length);
	copy_macs(p->mac, w->data);
	return common_inner(w, p, 14, p->left - 14, kind, 0);
}

PARSE_INLINE int parse_common(const struct window *w, struct packet *p)
{
	if (p->left < 14 || w->data + 14 > w->end)
		return 0;
	add_cast(p, w->data);
	switch (load16(w->data + 12)) {
	case 0x0800:
		return common_outer(w, p, NETWORK_IPV4);
	case 0x86dd:
		return common_outer(w, p, NETWORK_IPV6);
	}
	return 0;
}
