/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* L2TP, over IP and over UDP. */
#pragma once

#include "ends.h"

/* How long L2TPv3's cookie is, both ends know and the packet does not say: look for an Ethernet header behind it. */
PARSE_INLINE int is_ethernet_at(const struct window *w, struct packet *p, u32 offset)
{
	const u8 *at = header(w, p, offset + 14);
	u16 ethertype = at ? load16(at + offset + 12) : 0;

	switch (ethertype) {
	case 0x0800:
	case 0x0806:
	case 0x8100:
	case 0x86dd:
	case 0x8847:
	case 0x8848:
	case 0x8864:
	case 0x88a8:
	case 0x894f:
	case 0x9100:
		return 1;
	}
	return 0;
}

PARSE_INLINE enum reason enter_l2tpv3(const struct window *w, struct packet *p, u32 session)
{
	u32 offset = 0;

	if (is_ethernet_at(w, p, 0))
		offset = 0;
	else if (is_ethernet_at(w, p, 4))
		offset = 4;
	else if (is_ethernet_at(w, p, 8))
		offset = 8;
	else if (is_ethernet_at(w, p, 12))
		offset = 12;
	else
		return enter_type(p, TUNNEL_L2TPV3, session, 0);
	consume(p, offset);
	p->labels.traits |= TRAIT_GUESSED;
	return enter(p, TUNNEL_L2TPV3, session, STEP_ETHERNET);
}

/* L2TPv3 over IP (RFC 3931 section 4.1.1.1): session 0 is control. */
PARSE_INLINE enum reason parse_l2tp_ip(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 4);
	u32 session;

	if (!at)
		return cut(p, L2TP_TRUNCATED);
	session = load32(at);
	if (!session)
		return end_of_headers(p, 0);
	consume(p, 4);
	return enter_l2tpv3(w, p, session);
}

/* L2TP over UDP (RFC 2661 section 3.1): flags say which fields are there; version 3 has a session only. */
PARSE_INLINE enum reason parse_l2tp_udp(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 6);
	u16 flags;
	u32 id;

	if (!at)
		return not_tunnel(p);
	flags = load16(at);
	if ((flags & 15) != 2 && (flags & 15) != 3)
		return not_tunnel(p);
	if (flags & 0x8000)
		return REASON_NONE;
	if ((flags & 15) == 3 || flags & 0x4000)
		consume(p, 4);
	else
		consume(p, 2);
	at = header(w, p, 4);
	if (!at)
		return cut(p, L2TP_TRUNCATED);
	id = load32(at);
	consume(p, 4);
	if ((flags & 15) == 3)
		return enter_l2tpv3(w, p, id);
	if (flags & 0x0800 && !skip(p, 4))
		return L2TP_TRUNCATED;
	if (flags & 0x0200) {
		at = header(w, p, 2);
		if (!at)
			return cut(p, L2TP_TRUNCATED);
		if (!skip(p, 2 + load16(at)))
			return L2TP_TRUNCATED;
	}
	return enter(p, TUNNEL_L2TP, id, STEP_PPP);
}
