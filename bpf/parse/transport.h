/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Transport headers: TCP, UDP, ICMP, and what begins with two ports. */
#pragma once

#include "ends.h"

PARSE_INLINE enum reason parse_tcp(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 20);
	u32 octets;

	if (!at)
		return cut(p, TCP_TRUNCATED);
	octets = (at[12] >> 4) * 4;
	if (octets < 20 || (octets > p->left && !p->partial))
		return TCP_HEADER_LENGTH;
	p->labels.source_port = load16(at);
	p->labels.destination_port = load16(at + 2);
	p->tcp_flags = load16(at + 12) & 0x01ff;
	p->transport_offset = (u16)p->offset;
	return end_of_headers(p, octets < p->left ? octets : p->left);
}

PARSE_INLINE enum reason parse_udp(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 8);
	u16 length;

	if (!at)
		return cut(p, UDP_TRUNCATED);
	length = load16(at + 4);
	/* 0 stands for more than 65,535 (RFC 2675 section 4, and segmentation offload). */
	if ((length && length < 8) || (length > p->left && !p->partial))
		return UDP_LENGTH;
	p->labels.source_port = load16(at);
	p->labels.destination_port = load16(at + 2);
	if (p->level == 0)
		p->outer_source_port = p->labels.source_port;
	p->transport_offset = (u16)p->offset;
	end_of_headers(p, 8);
	p->port_use = use_of(w, p->labels.destination_port);
	if (!p->port_use)
		return REASON_NONE;
	p->step = STEP_UDP_PAYLOAD;
	return PARSE_MORE;
}

PARSE_INLINE enum reason parse_icmp(const struct window *w, struct packet *p, u8 request,
				    u8 reply)
{
	const u8 *at = header(w, p, 8);

	if (!at)
		return cut(p, ICMP_TRUNCATED);
	p->labels.destination_port = load16(at);
	if (at[0] == request || at[0] == reply)
		p->labels.source_port = load16(at + 4);
	p->transport_offset = (u16)p->offset;
	return end_of_headers(p, 8);
}

/* Protocols that begin with two ports: SCTP (12 octets), DCCP (12), UDP-Lite (8). */
PARSE_INLINE enum reason parse_ports(const struct window *w, struct packet *p, u32 octets,
				     enum reason truncated)
{
	const u8 *at = header(w, p, octets);

	if (!at)
		return cut(p, truncated);
	p->labels.source_port = load16(at);
	p->labels.destination_port = load16(at + 2);
	p->transport_offset = (u16)p->offset;
	return end_of_headers(p, octets);
}
