/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tunnels in UDP, one function each: reads the tunnel's own header and says with enter() what comes inside.
 *
 * On a tunnel's port, what does not begin as that tunnel stays the plain flow it is, marked so (not_tunnel). Behind a
 * beginning that fits, a contradiction ends in a reason.
 */
#pragma once

#include "l2tp.h"
#include "marks.h"

/*
 * VXLAN (RFC 7348 section 5):
 *   |R R R R I R R R|           reserved (24)            |
 *   |             VNI (24)              |  reserved (8)  |
 */
PARSE_INLINE enum reason parse_vxlan(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 8);

	if (!at || !(at[0] & 0x08))
		return not_tunnel(p);
	consume(p, 8);
	return enter(p, TUNNEL_VXLAN, load24(at + 4), STEP_ETHERNET);
}

/*
 * VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe section 3.1):
 *   |R R Ver I P B O|        reserved (16)       | next  |
 *   |             VNI (24)              |  reserved (8)  |
 */
PARSE_INLINE enum reason parse_vxlan_gpe(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 8);

	if (!at || (at[0] & 0x38) != 0x08)
		return not_tunnel(p);
	consume(p, 8);
	return enter_next(p, TUNNEL_VXLAN_GPE, load24(at + 4), at[0] & 0x04 ? at[3] : 3);
}

/*
 * Geneve (RFC 8926 section 3.4), options behind it:
 *   |Ver| length (6) |O C reserved |  protocol (16)      |
 *   |             VNI (24)              |  reserved (8)  |
 */
PARSE_INLINE enum reason parse_geneve(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 8);
	u16 protocol;
	u32 octets;

	if (!at || at[0] >> 6)
		return not_tunnel(p);
	octets = 8 + (at[0] & 0x3f) * 4;
	if (octets > p->left)
		return not_tunnel(p);
	protocol = load16(at + 2);
	if (at[1] & 0x40)
		p->labels.traits |= TRAIT_CRITICAL;
	consume(p, octets);
	if (protocol == 0x6558)
		return enter(p, TUNNEL_GENEVE, load24(at + 4), STEP_ETHERNET);
	return enter_type(p, TUNNEL_GENEVE, load24(at + 4), protocol);
}

/*
 * GTP-U (3GPP TS 29.281 section 5.1), user packets only; other messages are plain UDP.
 *   |Ver PT * E S PN|  type  |        length (16)        |
 *   |                     TEID (32)                      |  then, with E, S or PN: sequence, N-PDU, next extension
 */
PARSE_INLINE enum reason parse_gtpu(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 8);
	u32 teid, octets;
	u8 flags, next = 0;

	if (!at || (at[0] & 0xf0) != 0x30)
		return not_tunnel(p);
	flags = at[0];
	if (at[1] != 255)
		return REASON_NONE;
	teid = load32(at + 4);
	consume(p, 8);
	if (flags & 7) {
		at = header(w, p, 4);
		if (!at)
			return cut(p, GTP_EXTENSION);
		next = flags & 4 ? at[3] : 0;
		consume(p, 4);
	}
#pragma clang loop unroll(disable)
	for (int i = 0; i < MAX_EXTENSIONS && next; i++) {
		at = header(w, p, 1);
		octets = at ? at[0] * 4 : 0;
		if (!octets || !skip(p, octets - 1))
			return cut(p, GTP_EXTENSION);
		at = header(w, p, 1);
		if (!at)
			return cut(p, GTP_EXTENSION);
		next = at[0];
		consume(p, 1);
	}
	return next ? GTP_EXTENSION : enter_ip(w, p, TUNNEL_GTPU, teid, 0);
}

/* Teredo (RFC 4380 section 5.1.1): what it found out about addresses may stand before the packet. */
PARSE_INLINE enum reason parse_teredo(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 4);

	if (at && load16(at) == 0x0001) {
		if (!skip(p, 4 + at[2] + at[3] + 9))
			return not_tunnel(p);
		at = header(w, p, 4);
	}
	if (at && load16(at) == 0x0000) {
		if (!skip(p, 8))
			return not_tunnel(p);
		at = header(w, p, 4);
	}
	if (!at || at[0] >> 4 != 6)
		return not_tunnel(p);
	return enter(p, TUNNEL_TEREDO, 0, STEP_IPV6);
}

/* GRE in UDP (RFC 8086): of version 0, without routing, as anywhere. */
PARSE_INLINE enum reason parse_gre_udp(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 4);

	if (!at || load16(at) & 0x4007)
		return not_tunnel(p);
	p->labels.protocol = 47;
	p->step = STEP_PROTOCOL;
	return PARSE_MORE;
}

/*
 * LISP (RFC 9300 section 5.1, RFC 9305): IP of either version, or what P says in place of the third octet.
 *   |N L E V I P K K|    nonce or versions (24)          |
 *   |          instance (24, with I)    | locators (8)   |
 */
PARSE_INLINE enum reason parse_lisp(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 9);
	u32 id;

	if (!at)
		return not_tunnel(p);
	id = at[0] & 0x08 ? load24(at + 4) : 0;
	if (at[0] & 0x04) {
		consume(p, 8);
		return enter_next(p, TUNNEL_LISP, id, at[3]);
	}
	if (at[8] >> 4 != 4 && at[8] >> 4 != 6)
		return not_tunnel(p);
	consume(p, 8);
	return enter(p, TUNNEL_LISP, id, at[8] >> 4 == 4 ? STEP_IPV4 : STEP_IPV6);
}

/*
 * AYIYA (draft-massar-v6ops-ayiya section 3), packets to be forwarded only:
 *   |IDlen IDtype|siglen hash|auth opcode|  next header  |
 *   |                    epoch (32)                      |  then identity (2^IDlen octets), signature (words)
 */
PARSE_INLINE enum reason parse_ayiya(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 8);
	u8 next;

	if (!at)
		return not_tunnel(p);
	next = at[3];
	if ((at[2] & 0x0f) != 1 || (next != 4 && next != 41))
		return REASON_NONE;
	if (!skip(p, 8 + (1u << (at[0] >> 4)) + (at[1] >> 4) * 4))
		return not_tunnel(p);
	return enter(p, TUNNEL_AYIYA, 0, next == 4 ? STEP_IPV4 : STEP_IPV6);
}

PARSE_INLINE enum reason parse_udp_payload(const struct window *w, struct packet *p)
{
	switch (p->port_use) {
	case PORT_VXLAN:
		return parse_vxlan(w, p);
	case PORT_VXLAN_GPE:
		return parse_vxlan_gpe(w, p);
	case PORT_GENEVE:
		return parse_geneve(w, p);
	case PORT_GTPU:
		return parse_gtpu(w, p);
	case PORT_MPLS:
		p->step = STEP_MPLS;
		return p->left < 4 ? not_tunnel(p) : PARSE_MORE;
	case PORT_L2TP:
		return parse_l2tp_udp(w, p);
	case PORT_ESP:
		return parse_esp_udp(w, p);
	case PORT_WIREGUARD:
		return parse_wireguard(w, p);
	case PORT_TEREDO:
		return parse_teredo(w, p);
	case PORT_GRE:
		return parse_gre_udp(w, p);
	case PORT_LISP:
		return parse_lisp(w, p);
	case PORT_AYIYA:
		return parse_ayiya(w, p);
	}
	return REASON_NONE;
}
