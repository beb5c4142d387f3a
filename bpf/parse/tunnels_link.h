/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Tunnels below IP, one function each: MPLS, NSH, PPP and its sessions. */
#pragma once

#include "ends.h"

/*
 * Network Service Header (RFC 8300 section 2.2): base, service path, context of a length the base tells.
 *   |Ver O U TTL | length (6) |U U U U MD type| next     |
 *   |       service path (24)           |    index (8)   |
 */
PARSE_INLINE enum reason parse_nsh(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 8);
	u32 octets;

	if (!at)
		return cut(p, NSH_TRUNCATED);
	octets = (at[1] & 0x3f) * 4;
	if (at[0] >> 6 || octets < 8 || octets > p->left)
		return NSH_LENGTH;
	consume(p, octets);
	return enter_next(p, TUNNEL_NSH, load24(at + 4), at[3]);
}

/*
 * MPLS (RFC 3032): labels until the one that is the last. Which IP comes then, only an explicit null tells.
 *   |          label (20)          |TC (3) S|   TTL      |
 */
PARSE_INLINE enum reason parse_mpls(const struct window *w, struct packet *p)
{
	u32 word = 0, first = 0;
	const u8 *at;

#pragma clang loop unroll(disable)
	for (int i = 0; i < MAX_LABELS && !(word & 0x100); i++) {
		at = header(w, p, 4);
		if (!at)
			return cut(p, MPLS_TRUNCATED);
		word = load32(at);
		if (i == 0)
			first = word >> 12;
		consume(p, 4);
	}
	if (!(word & 0x100))
		return MPLS_DEPTH;
	if (word >> 12 == 0)
		return enter(p, TUNNEL_MPLS, first, STEP_IPV4);
	if (word >> 12 == 2)
		return enter(p, TUNNEL_MPLS, first, STEP_IPV6);
	return enter_ip(w, p, TUNNEL_MPLS, first, TRAIT_GUESSED);
}

/* PPP (RFC 1661, 1662): address and control may be there, the protocol may be one octet. */
PARSE_INLINE enum reason parse_ppp(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 1);
	u16 protocol;

	if (at && at[0] == 0xff) {
		at = header(w, p, 2);
		if (at && at[1] == 0x03) {
			consume(p, 2);
			at = header(w, p, 1);
		}
	}
	if (!at)
		return cut(p, PPP_TRUNCATED);
	if (at[0] & 1) {
		protocol = at[0];
		consume(p, 1);
	} else {
		at = header(w, p, 2);
		if (!at)
			return cut(p, PPP_TRUNCATED);
		protocol = load16(at);
		consume(p, 2);
	}
	p->ethertype = 0;
	p->step = protocol == 0x0021			     ? STEP_IPV4 :
		  protocol == 0x0057			     ? STEP_IPV6 :
		  protocol == 0x0281 || protocol == 0x0283 ? STEP_MPLS :
							       STEP_TYPE;
	return PARSE_MORE;
}

/* PPPoE session (RFC 2516 section 4): version and type 1, code 0, session, length. */
PARSE_INLINE enum reason parse_pppoe(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 6);

	if (!at)
		return cut(p, PPPOE_TRUNCATED);
	if (load16(at) != 0x1100) {
		p->labels.traits |= TRAIT_NOT_TUNNEL;
		return end_unknown(p);
	}
	consume(p, 6);
	if (!claim(p, load16(at + 4)))
		return PPPOE_LENGTH;
	return enter(p, TUNNEL_PPPOE, load16(at + 2), STEP_PPP);
}
