/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The one packet parser: from an Ethernet frame, through tunnels, to the innermost transport header. It reads octets
 * between two pointers and fills a struct packet. Whatever does not fit ends in a status of its own.
 */
#pragma once

#include "parse/common_packets.h"
#include "parse/ethernet.h"
#include "parse/network.h"
#include "parse/transport.h"
#include "parse/tunnels_ip.h"
#include "parse/tunnels_link.h"
#include "parse/tunnels_udp.h"

/* What an ethertype names, behind any tags. */
PARSE_INLINE enum reason parse_type(const struct window *w, struct packet *p)
{
	u16 ethertype = p->ethertype;
	const u8 *at;

#pragma clang loop unroll(disable)
	for (int i = 0; i < MAX_VLAN_TAGS && is_vlan(ethertype); i++) {
		at = header(w, p, 4);
		if (!at)
			return cut(p, VLAN_TRUNCATED);
		add_vlan(p, load16(at));
		ethertype = load16(at + 2);
		consume(p, 4);
	}
	if (p->step == STEP_FRAME && ethertype < LEAST_ETHERTYPE)
		ethertype = parse_llc(w, p, ethertype);
	p->ethertype = ethertype;
	switch (ethertype) {
	case 0x0800:
		p->step = STEP_IPV4;
		return PARSE_MORE;
	case 0x86dd:
		p->step = STEP_IPV6;
		return PARSE_MORE;
	case 0x8847:
	case 0x8848:
		p->step = STEP_MPLS;
		return PARSE_MORE;
	case 0x894f:
		p->step = STEP_NSH;
		return PARSE_MORE;
	case 0x0806:
		return parse_arp(w, p);
	case 0x8864:
		return parse_pppoe(w, p);
	}
	if (is_vlan(ethertype))
		return VLAN_DEPTH;
	return end_unknown(p);
}

/* What an IP header carries. */
PARSE_INLINE enum reason parse_protocol(const struct window *w, struct packet *p)
{
	u8 protocol = p->labels.protocol;

	if (p->labels.traits & TRAIT_LATER_FRAGMENT)
		return end_of_headers(p, 0);
	switch (protocol) {
	case 6:
		return parse_tcp(w, p);
	case 17:
		return parse_udp(w, p);
	case 1:
		return parse_icmp(w, p, 8, 0);
	case 58:
		return parse_icmp(w, p, 128, 129);
	case 132:
		return parse_ports(w, p, 12, SCTP_TRUNCATED);
	case 33:
		return parse_ports(w, p, 12, PORTS_TRUNCATED);
	case 136:
		return parse_ports(w, p, 8, PORTS_TRUNCATED);
	case 4:
	case 41:
	case 143:
		return parse_ip_in_ip(p);
	case 47:
		return parse_gre(w, p);
	case 50:
		return parse_esp(w, p);
	case 51:
		return parse_ah(w, p);
	case 97:
		return parse_etherip(w, p);
	case 115:
		return parse_l2tp_ip(w, p);
	case 137:
		p->step = STEP_MPLS;
		return PARSE_MORE;
	}
	return end_of_headers(p, 0);
}

/*
 * The headers of one level, in their order. Which one is next is always read from memory: so the kernel's verifier sees
 * one state between two headers, whatever came before.
 */
PARSE_INLINE enum reason parse_level(const struct window *w, struct packet *p)
{
	enum reason reason = PARSE_MORE;

#define NEXT_IS(what) (*(volatile u8 *)&p->step == (what))
	if (NEXT_IS(STEP_ETHERNET))
		reason = parse_ethernet(w, p);
	if (reason == PARSE_MORE && (NEXT_IS(STEP_FRAME) || NEXT_IS(STEP_TYPE)))
		reason = parse_type(w, p);
	if (reason == PARSE_MORE && NEXT_IS(STEP_PPP))
		reason = parse_ppp(w, p);
	if (reason == PARSE_MORE && NEXT_IS(STEP_MPLS))
		return parse_mpls(w, p);
	if (reason == PARSE_MORE && NEXT_IS(STEP_NSH))
		return parse_nsh(w, p);
	if (reason == PARSE_MORE && NEXT_IS(STEP_IPV4))
		reason = parse_ipv4(w, p);
	else if (reason == PARSE_MORE && NEXT_IS(STEP_IPV6))
		reason = parse_ipv6(w, p);
	if (reason == PARSE_MORE && NEXT_IS(STEP_PROTOCOL))
		reason = parse_protocol(w, p);
	if (reason == PARSE_MORE && NEXT_IS(STEP_UDP_PAYLOAD))
		reason = parse_udp_payload(w, p);
#undef NEXT_IS
	return reason;
}

/* A tunnel's header was read: keep what of the headers outside belongs to the record, make room for those inside. */
PARSE_INLINE enum reason enter_tunnel(struct packet *p)
{
	switch (p->level) {
	case 0:
		p->labels.tunnel = p->entered;
		p->labels.tunnel_id = p->entered_id;
		break;
	case 1:
		p->stack.kind[0] = p->entered;
		p->stack.id[0] = p->entered_id;
		break;
	case 2:
		p->stack.kind[1] = p->entered;
		p->stack.id[1] = p->entered_id;
		break;
	case 3:
		p->stack.kind[2] = p->entered;
		p->stack.id[2] = p->entered_id;
		break;
	default:
		p->level++;
		return TUNNEL_DEPTH;
	}
	/* The endpoints are those of the first level that IP carries. */
	if (p->labels.network == NETWORK_IPV4) {
		copy_ipv4(p->addresses.outer_source + 12, p->addresses.source + 12);
		copy_ipv4(p->addresses.outer_destination + 12, p->addresses.destination + 12);
	} else if (p->labels.network == NETWORK_IPV6) {
		copy_ipv6(p->addresses.outer_source, p->addresses.source);
		copy_ipv6(p->addresses.outer_destination, p->addresses.destination);
	}
	if (p->labels.network & 0xf0)
		p->labels.network &= 0xf0;
	else
		p->labels.network = (u8)(p->labels.network << 4);
	if (!p->outer_header_octets)
		p->outer_header_octets = p->offset;
	p->labels.traits &= TRAIT_MULTICAST | TRAIT_BROADCAST | TRAIT_GUESSED | TRAIT_CRITICAL;
	p->labels.inner_vlan[0] = p->labels.inner_vlan[1] = 0;
	p->labels.source_port = p->labels.destination_port = 0;
	p->labels.protocol = 0;
	p->transport_offset = 0;
	p->dscp = 0;
	p->tags = 0;
	p->level++;
	return PARSE_MORE;
}

/* The general parser. Otherwise as parse_packet(). */
PARSE_INLINE enum reason parse_general(const struct window *w, struct packet *p)
{
	enum reason reason;

#pragma clang loop unroll(disable)
	for (int i = 0; i < MAX_ROUNDS; i++) {
		reason = parse_level(w, p);
		if (reason == PARSE_TUNNEL)
			reason = enter_tunnel(p);
		if (reason != PARSE_MORE)
			return reason;
	}
	return HEADER_OFFSET;
}

PARSE_INLINE void packet_reset(struct packet *p, u32 point, u32 length)
{
	__builtin_memset(p, 0, __builtin_offsetof(struct packet, addresses));
	p->labels.point = point;
	p->left = length;
}

/* Sets all of `p` but its addresses: a frame of `length` octets at `point`, its tag kept apart or none. */
PARSE_INLINE void begin_packet(struct packet *p, u32 point, u32 length, int has_tag, u16 tci)
{
	packet_reset(p, point, length);
	if (has_tag)
		add_vlan(p, tci);
}

/* It has no Ethernet header: `ethertype` comes first. */
PARSE_INLINE void begin_bare(struct packet *p, u16 ethertype)
{
	p->ethertype = ethertype;
	p->step = STEP_TYPE;
}

/*
 * The whole packet: a frame of `length` octets, of which the window may hold less (then a truncation status can also mean
 * "not readable here"). REASON_NONE, or why there is no record.
 */
PARSE_INLINE enum reason parse_packet(const struct window *w, struct packet *p, u32 point, u32 length)
{
	begin_packet(p, point, length, 0, 0);
	if (parse_common(w, p))
		return REASON_NONE;
	begin_packet(p, point, length, 0, 0);
	return parse_general(w, p);
}
