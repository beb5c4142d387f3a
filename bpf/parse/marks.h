/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Protocols that name a flow and hide or sign what is inside: ESP, AH, WireGuard. */
#pragma once

#include "ends.h"

/* ESP (RFC 4303): SPI and sequence are all that can be read. Who signed it outside is of no interest then. */
PARSE_INLINE enum reason parse_esp(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 8);

	if (at) {
		p->stack.mark = MARK_ESP;
		p->stack.mark_id = load32(at);
	}
	return end_of_headers(p, 0);
}

/* ESP in UDP (RFC 3948 section 2): beside it are IKE behind four zero octets, and a single 0xff to keep NAT awake. */
PARSE_INLINE enum reason parse_esp_udp(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 1);

	if (at && p->left == 1 && at[0] == 0xff)
		return REASON_NONE;
	at = header(w, p, 8);
	if (!at)
		return not_tunnel(p);
	if (load32(at))
		set_mark(p, MARK_ESP_UDP, load32(at));
	return REASON_NONE;
}

/* AH in IPv4 (RFC 4302 section 2): signed, not hidden. In IPv6 it is an extension header. */
PARSE_INLINE enum reason parse_ah(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 8);
	u32 octets;

	if (!at)
		return cut(p, AH_TRUNCATED);
	octets = (at[1] + 2) * 4;
	if (octets > p->left)
		return AH_TRUNCATED;
	set_mark(p, MARK_AH, load32(at + 4));
	p->labels.protocol = at[0];
	consume(p, octets);
	return PARSE_MORE;
}

/* WireGuard (its paper, section 5.4): a type, three zero octets, the index by which an end knows the session. */
PARSE_INLINE enum reason parse_wireguard(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 12);
	u32 least;
	u8 type;

	if (!at || at[1] || at[2] || at[3])
		return not_tunnel(p);
	type = at[0];
	least = type == 1 ? 148 : type == 2 ? 92 : type == 3 ? 64 : 32;
	if (type < 1 || type > 4 || p->left < least)
		return not_tunnel(p);
	/* Indexes are little-endian. The responder's own stands before the initiator's. */
	set_mark(p, (enum mark)(MARK_WIREGUARD_INITIATION + type - 1), LOAD(u32, at + (type == 2 ? 8 : 4)));
	return REASON_NONE;
}
