/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How the reading of a header ends: with the last header, with a tunnel's, or with a mark. */
#pragma once

#include "window.h"

/* Transport header read: `octets` long, the rest is payload. */
PARSE_INLINE enum reason end_of_headers(struct packet *p, u32 octets)
{
	consume(p, octets);
	p->payload = p->left;
	p->header_octets = p->offset;
	if (p->level == 0)
		p->outer_header_octets = p->offset;
	return REASON_NONE;
}

/* A header of this tunnel was read; what it carries begins at the new offset with `step`. */
PARSE_INLINE enum reason enter(struct packet *p, enum tunnel kind, u32 id, enum step step)
{
	p->entered = (u8)kind;
	p->entered_id = id;
	p->step = (u8)step;
	return PARSE_TUNNEL;
}

/* As enter(), where what it carries is named by an ethertype; 0: unknown. */
PARSE_INLINE enum reason enter_type(struct packet *p, enum tunnel kind, u32 id, u16 ethertype)
{
	p->ethertype = ethertype;
	return enter(p, kind, id, STEP_TYPE);
}

PARSE_INLINE void set_mark(struct packet *p, enum mark mark, u32 id)
{
	if (p->stack.mark)
		return;
	p->stack.mark = (u8)mark;
	p->stack.mark_id = id;
}

/* No network layer, or none that is known. */
PARSE_INLINE enum reason end_unknown(struct packet *p)
{
	p->labels.destination_port = p->ethertype;
	end_of_headers(p, 0);
	p->payload = 0;
	return REASON_NONE;
}

/* The packet stays what it is without the tunnel. */
PARSE_INLINE enum reason not_tunnel(struct packet *p)
{
	if (p->offset > MAX_OFFSET)
		return HEADER_OFFSET;
	p->labels.traits |= TRAIT_NOT_TUNNEL;
	return REASON_NONE;
}

/* The same where the IP protocol itself named the tunnel. */
PARSE_INLINE enum reason end_not_tunnel(struct packet *p)
{
	p->labels.traits |= TRAIT_NOT_TUNNEL;
	return end_of_headers(p, 0);
}

/* By the first half octet, as there is nothing else to tell: 4 and 6 are IP. */
PARSE_INLINE enum reason enter_ip(const struct window *w, struct packet *p, enum tunnel kind, u32 id,
				  u8 trait)
{
	const u8 *at = header(w, p, 1);
	u8 version = at ? at[0] >> 4 : 0;

	if (version != 4 && version != 6)
		return enter_type(p, kind, id, 0);
	p->labels.traits |= trait;
	return enter(p, kind, id, version == 4 ? STEP_IPV4 : STEP_IPV6);
}

/* Next-protocol numbers of VXLAN-GPE and NSH (RFC 8300 section 2.2). */
PARSE_INLINE enum reason enter_next(struct packet *p, enum tunnel kind, u32 id, u8 next)
{
	switch (next) {
	case 1:
		return enter(p, kind, id, STEP_IPV4);
	case 2:
		return enter(p, kind, id, STEP_IPV6);
	case 3:
		return enter(p, kind, id, STEP_ETHERNET);
	case 4:
		return enter(p, kind, id, STEP_NSH);
	case 5:
		return enter(p, kind, id, STEP_MPLS);
	}
	return enter_type(p, kind, id, 0);
}
