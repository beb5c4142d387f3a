/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Tunnels that IP carries as protocols of their own, one function each: GRE and what wears its header, IP in IP, EtherIP. */
#pragma once

#include "ends.h"

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
