/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tunnels, one function each: reads the tunnel's own header and says with enter() what comes inside. Part of parse.h.
 *
 * On a tunnel's port, what does not begin as that tunnel stays the plain flow it is, marked so (not_tunnel). Behind a
 * beginning that fits, a contradiction ends in a reason.
 */
#pragma once

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
 * ERSPAN II and III behind GRE (draft-foschiano-erspan), Ethernet inside:
 *   |Ver (4)|   VLAN (12)    |COS En T| session (10)     |
 */
PARSE_INLINE enum reason parse_erspan(const struct window *w, struct packet *p, u8 version, u32 octets)
{
	enum tunnel kind = version == 1 ? TUNNEL_ERSPAN_2 : TUNNEL_ERSPAN_3;
	const u8 *at = header(w, p, 12);
	u32 session;

	if (version == 1)
		at = header(w, p, 8);
	if (!at)
		return cut(p, ERSPAN_TRUNCATED);
	session = load16(at + 2) & 0x03ff;
	if (at[0] >> 4 != version)
		return enter_type(p, kind, session, 0);
	/* Type III may say that a platform's own header follows. */
	if (version == 2 && at[octets - 1] & 1)
		octets += 8;
	if (!skip(p, octets))
		return ERSPAN_TRUNCATED;
	return enter(p, kind, session, STEP_ETHERNET);
}

/* MikroTik's EoIP: GRE version 1 without its rules; length of the frame, and a number that is little-endian. */
PARSE_INLINE enum reason parse_eoip(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 8);
	u32 id;

	if (!at)
		return cut(p, GRE_TRUNCATED);
	id = at[6] | at[7] << 8;
	consume(p, 8);
	return load16(at + 4) ? enter(p, TUNNEL_EOIP, id, STEP_ETHERNET) :
				enter_type(p, TUNNEL_EOIP, id, 0);
}

/* Enhanced GRE of PPTP (RFC 2637 section 4.1): length and call in place of the key. */
PARSE_INLINE enum reason parse_pptp(const struct window *w, struct packet *p, u16 flags)
{
	const u8 *at = header(w, p, 8);
	u16 length;
	u32 call;

	if (!at)
		return cut(p, GRE_TRUNCATED);
	length = load16(at + 4);
	call = load16(at + 6);
	if (!skip(p, 8 + (flags & 0x1000 ? 4 : 0) + (flags & 0x0080 ? 4 : 0)))
		return GRE_TRUNCATED;
	return length ? enter(p, TUNNEL_PPTP, call, STEP_PPP) : enter_type(p, TUNNEL_PPTP, call, 0);
}

/*
 * GRE (RFC 2784, 2890), and what else wears its header:
 *   |C R K S ... Ver|          protocol (16)             |  then checksum, key, sequence: four octets each
 */
PARSE_INLINE enum reason parse_gre(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 4);
	u16 flags, protocol;
	u32 key = 0;

	if (!at)
		return cut(p, GRE_TRUNCATED);
	flags = load16(at);
	protocol = load16(at + 2);
	if (flags == 0x2001 && protocol == 0x6400)
		return parse_eoip(w, p);
	if ((flags & 7) == 1 && protocol == 0x880b && flags & 0x2000)
		return parse_pptp(w, p, flags);
	if (flags & 0x4007)
		return end_not_tunnel(p);
	if (!skip(p, flags & 0x8000 ? 8 : 4))
		return GRE_TRUNCATED;
	if (flags & 0x2000) {
		at = header(w, p, 4);
		if (!at)
			return cut(p, GRE_TRUNCATED);
		key = load32(at);
		consume(p, 4);
	}
	if (flags & 0x1000 && !skip(p, 4))
		return GRE_TRUNCATED;
	switch (protocol) {
	case 0x6558:
		if (w->nvgre && (flags & 0xb000) == 0x2000)
			return enter(p, TUNNEL_NVGRE, key >> 8, STEP_ETHERNET);
		return enter(p, TUNNEL_GRETAP, key, STEP_ETHERNET);
	case 0x88be:
		if (flags & 0x1000)
			return parse_erspan(w, p, 1, 8);
		return enter(p, TUNNEL_ERSPAN_1, 0, STEP_ETHERNET);
	case 0x22eb:
		return parse_erspan(w, p, 2, 12);
	case 0x880b:
		return enter(p, TUNNEL_GRE, key, STEP_PPP);
	}
	return enter_type(p, TUNNEL_GRE, key, protocol);
}

/* IP in IP (RFC 2003, 4213, 2473), or behind a segment routing header (RFC 8754), which may carry Ethernet too. */
PARSE_INLINE enum reason parse_ip_in_ip(struct packet *p)
{
	int is_ipv6 = (p->labels.network & 0x0f) == NETWORK_IPV6;
	u8 protocol = p->labels.protocol;

	if (p->has_segments)
		return enter(p, TUNNEL_SRV6, p->segments_left,
			     protocol == 4 ? STEP_IPV4 : protocol == 41 ? STEP_IPV6 : STEP_ETHERNET);
	if (protocol == 4)
		return enter(p, is_ipv6 ? TUNNEL_IP4IP6 : TUNNEL_IPIP, 0, STEP_IPV4);
	if (protocol == 41)
		return enter(p, is_ipv6 ? TUNNEL_IP6IP6 : TUNNEL_SIT, 0, STEP_IPV6);
	return end_of_headers(p, 0);
}

/* EtherIP (RFC 3378): version 3 and nothing else, then a frame. */
PARSE_INLINE enum reason parse_etherip(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 2);

	if (!at)
		return cut(p, ETHERIP_TRUNCATED);
	if (at[0] != 0x30 || at[1])
		return end_not_tunnel(p);
	consume(p, 2);
	return enter(p, TUNNEL_ETHERIP, 0, STEP_ETHERNET);
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

/* How long L2TPv3's cookie is, both ends know and the packet does not say: look for an Ethernet header behind it. */
PARSE_INLINE int is_ethernet_at(const struct window *w, struct packet *p, u32 offset)
{
	const u8 *at = header(w, p, offset + 14);
	u16 ethertype = at ? load16(at + offset + 12) : 0;

	return ethertype == 0x0800 || ethertype == 0x86dd || ethertype == 0x0806 || ethertype == 0x8100 ||
	       ethertype == 0x88a8;
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
