/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The one packet parser: from an Ethernet frame, through tunnels, to the innermost transport header.
 *
 * Freestanding: no kernel header, no libc, so that the same source serves any target. It reads octets between two
 * pointers and fills a struct packet. Every header is checked once against the end of what can be read (`end`) and
 * once against what the headers outside it say is left (`left`). Whatever does not fit ends in a status of its own.
 */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define PARSE_INLINE static inline __attribute__((always_inline))

/* Bounds of every loop below. */
#define MAX_TUNNELS 4	 /* nested tunnels: one more is TUNNEL_DEPTH */
#define MAX_VLAN_TAGS 4	 /* two are kept; one more than this is VLAN_DEPTH */
#define MAX_EXTENSIONS 8 /* IPv6 extension headers; one more is IPV6_EXTENSION_DEPTH */
#define MAX_OFFSET 2047	 /* how deep into the frame a header may begin */

/* Why a packet is not in a flow record. The ledger has one line for each; the order is that of the layers. */
enum reason {
	REASON_NONE = 0,
	ETHERNET_TRUNCATED,
	VLAN_TRUNCATED,
	VLAN_DEPTH,
	ARP_TRUNCATED,
	IPV4_TRUNCATED,
	IPV4_VERSION,
	IPV4_HEADER_LENGTH,
	IPV4_TOTAL_LENGTH,
	IPV6_TRUNCATED,
	IPV6_VERSION,
	IPV6_PAYLOAD_LENGTH,
	IPV6_EXTENSION_TRUNCATED,
	IPV6_EXTENSION_DEPTH,
	TCP_TRUNCATED,
	TCP_HEADER_LENGTH,
	UDP_TRUNCATED,
	UDP_LENGTH,
	ICMP_TRUNCATED,
	SCTP_TRUNCATED,
	PORTS_TRUNCATED,
	TUNNEL_DEPTH,
	HEADER_OFFSET,
	OVERFLOW_FULL, /* the flow cache and the overflow records were full */
	REASON_COUNT,
	/* Not a reason: a tunnel header was read, the next frame is to be parsed. */
	PARSE_TUNNEL = 255,
};

enum network {
	NETWORK_NONE = 0,
	NETWORK_IPV4 = 1,
	NETWORK_IPV6 = 2,
	NETWORK_ARP = 3,
};

enum tunnel {
	TUNNEL_NONE = 0,
	TUNNEL_VXLAN = 1,
};

/* Bits of struct labels.traits. */
enum trait {
	TRAIT_MULTICAST = 1,	   /* destination MAC of the outermost frame has the group bit */
	TRAIT_BROADCAST = 2,	   /* ... and is ff:ff:ff:ff:ff:ff (then TRAIT_MULTICAST is clear) */
	TRAIT_FIRST_FRAGMENT = 4,
	TRAIT_LATER_FRAGMENT = 8,
	TRAIT_NOT_TUNNEL = 16,	   /* on a tunnel's UDP port, but its payload is not that tunnel */
	TRAIT_OVERFLOW = 32,	   /* no packet's own: set on overflow records by the meter */
	TRAIT_DEPTH_SHIFT = 6,	   /* two bits: number of tunnels - 1, meaningful with a tunnel */
};

#define VLAN_PRESENT 0x8000 /* vlan[i] = VLAN_PRESENT | VID; 0 is "no tag" */

/*
 * All of a flow's identity but its addresses; the tail every flow key shares. Numbers in host order.
 *
 *   0        4          8        12       16            20             24
 *   +--------+----------+--------+--------+------+------+--+--+--+--+--+
 *   | point  |tunnel_id | vlan outer x2   | inner vlan x2 |sp|dp|pr|tu|ne|tr|
 */
struct labels {
	u32 point;	      /* ifindex << 1 | direction (0 ingress, 1 egress) */
	u32 tunnel_id;	      /* VNI of the outermost tunnel */
	u16 vlan[2];	      /* outermost frame */
	u16 inner_vlan[2];    /* innermost frame of a tunnel */
	u16 source_port;      /* or the ICMP echo identifier */
	u16 destination_port; /* or ICMP type << 8 | code; or the ethertype where network is NONE */
	u8 protocol;	      /* IP protocol; of ARP the operation */
	u8 tunnel;	      /* enum tunnel, the outermost */
	u8 network;	      /* enum network: innermost, outermost << 4 */
	u8 traits;	      /* enum trait */
} __attribute__((aligned(8)));
_Static_assert(sizeof(struct labels) == 24, "struct labels");

/* IPv4 addresses fill the last four octets of a slot; who needs the mapped form sets the rest (mapped_ipv4). */
struct addresses {
	u8 outer_source[16];
	u8 outer_destination[16];
	u8 source[16];
	u8 destination[16];
} __attribute__((aligned(8)));

/* What is known of one packet. Zeroed up to `addresses` by packet_reset(); addresses are valid as `network` says. */
struct packet {
	struct labels labels;
	u32 nested_tunnel_id;	 /* VNI of the innermost tunnel where tunnels nest */
	u32 offset;		 /* of the next header, from the start of the frame */
	u32 left;		 /* octets the enclosing headers leave from offset on */
	u32 payload;		 /* octets behind the innermost transport header */
	u32 header_octets;	 /* all headers through the innermost transport header */
	u32 outer_header_octets; /* all headers through the outermost transport header */
	u16 tcp_flags;
	u16 outer_source_port;
	u8 dscp;
	u8 level;   /* 0: outermost frame */
	u8 tags;    /* VLAN tags seen in this frame */
	u8 partial; /* within a first fragment: lengths may point beyond its end */
	u8 mac[12]; /* destination, source of the innermost frame */
	struct addresses addresses;
};

/* UDP destination ports of a tunnel type; 0 is an empty place. */
#define MAX_TUNNEL_PORTS 8

/*
 * Loads from any address. For BPF as one load of that width: the verifier allows it on packets wherever the machine
 * does, while clang would make single octets of it (VXLAN over IPv6: 31 ns more per packet).
 */
#ifdef __bpf__
#define LOAD(type, at) (*(const type *)(at))
#else
#define LOAD(type, at)                                                                             \
	({                                                                                         \
		type value_;                                                                       \
		__builtin_memcpy(&value_, (at), sizeof(value_));                                   \
		value_;                                                                            \
	})
#endif

/* Network order to ours; every target is little-endian. */
PARSE_INLINE u16 load16(const u8 *at)
{
	return __builtin_bswap16(LOAD(u16, at));
}

PARSE_INLINE u32 load24(const u8 *at)
{
	return __builtin_bswap32(LOAD(u32, at)) >> 8;
}

/* Copies of fixed sizes, from any address to an aligned one. */
PARSE_INLINE void copy_ipv4(u8 *to, const u8 *from)
{
	*(u32 *)to = LOAD(u32, from);
}

PARSE_INLINE void copy_ipv6(u8 *to, const u8 *from)
{
	*(u64 *)to = LOAD(u64, from);
	*(u64 *)(to + 8) = LOAD(u64, from + 8);
}

PARSE_INLINE void copy_macs(u8 *to, const u8 *from)
{
	*(u64 *)to = LOAD(u64, from);
	*(u32 *)(to + 8) = LOAD(u32, from + 8);
}

PARSE_INLINE void packet_reset(struct packet *p, u32 point, u32 length)
{
	__builtin_memset(p, 0, __builtin_offsetof(struct packet, addresses));
	p->labels.point = point;
	p->left = length;
}

/* What can be read of a frame: `end` may come before the frame's true end. */
struct window {
	const u8 *data;
	const u8 *end;
	const volatile u16 *vxlan_ports;
};

/*
 * The next header, if `octets` of it are left and can be read; else 0. The position is taken from memory anew each
 * time, so that the kernel's verifier sees the same state here whichever way the packet came (without that, Linux
 * 6.18 gave up after a million instructions).
 */
PARSE_INLINE const u8 *header(const struct window *w, const struct packet *p, u32 octets)
{
	const u8 *at;
	u32 offset;

	__asm__ volatile("" : : : "memory");
	offset = p->offset;
	if (offset > MAX_OFFSET || p->left < octets)
		return 0;
	at = w->data + offset;
	if (at + octets > w->end)
		return 0;
	return at;
}

/* The same for a header right behind one that was just read: `at` is its place, in a register still. */
PARSE_INLINE const u8 *following(const struct window *w, const struct packet *p, const u8 *at,
				 u32 octets)
{
	return p->left < octets || at + octets > w->end ? 0 : at;
}

/* The status of a header that header() or following() did not give. */
PARSE_INLINE enum reason cut(const struct packet *p, enum reason truncated)
{
	return p->offset > MAX_OFFSET ? HEADER_OFFSET : truncated;
}

/* Advances over a header of `octets` that was checked already. */
PARSE_INLINE void consume(struct packet *p, u32 octets)
{
	p->offset += octets;
	p->left -= octets;
}

PARSE_INLINE void add_vlan(struct packet *p, u16 tci)
{
	u16 vlan = VLAN_PRESENT | (tci & 0x0fff);

	if (p->level == 0) {
		if (p->tags < 2)
			p->labels.vlan[p->tags & 1] = vlan;
	} else if (p->tags < 2) {
		p->labels.inner_vlan[p->tags & 1] = vlan;
	}
	p->tags++;
}

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

/*
 * VXLAN (RFC 7348 section 5):
 *   |R R R R I R R R|           reserved (24)            |
 *   |             VNI (24)              |  reserved (8)  |
 */
PARSE_INLINE enum reason parse_vxlan(const struct window *w, struct packet *p, const u8 *at)
{
	u32 vni;

	at = following(w, p, at, 8);
	if (!at || !(at[0] & 0x08)) {
		p->labels.traits |= TRAIT_NOT_TUNNEL;
		return REASON_NONE;
	}
	vni = load24(at + 4);
	consume(p, 8);
	if (p->level == 0) {
		p->labels.tunnel = TUNNEL_VXLAN;
		p->labels.tunnel_id = vni;
	} else {
		p->nested_tunnel_id = vni;
	}
	return PARSE_TUNNEL;
}

PARSE_INLINE int is_port_of(const volatile u16 *ports, u16 port)
{
	for (int i = 0; i < MAX_TUNNEL_PORTS; i++)
		if (ports[i] && ports[i] == port)
			return 1;
	return 0;
}

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
	end_of_headers(p, 8);
	if (is_port_of(w->vxlan_ports, p->labels.destination_port))
		return parse_vxlan(w, p, at + 8);
	return REASON_NONE;
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
	return end_of_headers(p, octets);
}

PARSE_INLINE enum reason parse_transport(const struct window *w, struct packet *p)
{
	if (p->labels.traits & TRAIT_LATER_FRAGMENT)
		return end_of_headers(p, 0);
	switch (p->labels.protocol) {
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
	}
	return end_of_headers(p, 0);
}

/* Fragment bits as both IP versions have them: offset in units of 8, and "more fragments". */
PARSE_INLINE void add_fragment(struct packet *p, u16 offset, int more)
{
	if (offset) {
		p->labels.traits |= TRAIT_LATER_FRAGMENT;
	} else if (more) {
		p->labels.traits |= TRAIT_FIRST_FRAGMENT;
		p->partial = 1;
	}
}

/* Limits what is left to the length a header claims; a claim beyond the frame is a lie unless within a fragment. */
PARSE_INLINE int claim(struct packet *p, u32 octets)
{
	if (octets <= p->left) {
		p->left = octets;
		return 1;
	}
	return p->partial;
}

PARSE_INLINE enum reason parse_ipv4(const struct window *w, struct packet *p, const u8 *at)
{
	u32 octets, total;
	u16 fragment;

	at = following(w, p, at, 20);
	if (!at)
		return cut(p, IPV4_TRUNCATED);
	if (at[0] >> 4 != 4)
		return IPV4_VERSION;
	octets = (at[0] & 0x0f) * 4;
	if (octets < 20)
		return IPV4_HEADER_LENGTH;
	total = load16(at + 2);
	/* Total length 0: more than 65,535 octets under segmentation offload; the frame's length holds. */
	if (total && (total < octets || !claim(p, total)))
		return IPV4_TOTAL_LENGTH;
	if (p->left < octets)
		return IPV4_TRUNCATED;
	p->labels.network = (p->labels.network & 0xf0) | NETWORK_IPV4;
	p->labels.protocol = at[9];
	p->dscp = at[1] >> 2;
	copy_ipv4(p->addresses.source + 12, at + 12);
	copy_ipv4(p->addresses.destination + 12, at + 16);
	fragment = load16(at + 6);
	add_fragment(p, fragment & 0x1fff, fragment & 0x2000);
	consume(p, octets);
	return parse_transport(w, p);
}

PARSE_INLINE int is_ipv6_extension(u8 protocol)
{
	return protocol == 0 || protocol == 43 || protocol == 44 || protocol == 51 ||
	       protocol == 60 || protocol == 135 || protocol == 139 || protocol == 140;
}

PARSE_INLINE enum reason parse_ipv6(const struct window *w, struct packet *p, const u8 *at)
{
	u32 length, octets;
	u8 protocol;

	at = following(w, p, at, 40);
	if (!at)
		return cut(p, IPV6_TRUNCATED);
	if (at[0] >> 4 != 6)
		return IPV6_VERSION;
	length = load16(at + 4);
	/* Payload length 0: a jumbogram (RFC 2675) or segmentation offload; the frame's length holds. */
	if (length && !claim(p, length + 40))
		return IPV6_PAYLOAD_LENGTH;
	p->labels.network = (p->labels.network & 0xf0) | NETWORK_IPV6;
	p->dscp = load16(at) >> 6 & 0x3f;
	copy_ipv6(p->addresses.source, at + 8);
	copy_ipv6(p->addresses.destination, at + 24);
	protocol = at[6];
	consume(p, 40);
#pragma clang loop unroll(disable)
	for (int i = 0; i < MAX_EXTENSIONS && is_ipv6_extension(protocol); i++) {
		at = header(w, p, 8);
		if (!at)
			return cut(p, IPV6_EXTENSION_TRUNCATED);
		octets = protocol == 44 ? 8 : protocol == 51 ? (at[1] + 2) * 4 : (at[1] + 1) * 8;
		if (octets > p->left)
			return IPV6_EXTENSION_TRUNCATED;
		if (protocol == 44)
			add_fragment(p, load16(at + 2) >> 3, at[3] & 1);
		protocol = at[0];
		consume(p, octets);
		if (p->labels.traits & TRAIT_LATER_FRAGMENT)
			break;
	}
	p->labels.protocol = protocol;
	if (is_ipv6_extension(protocol) && !(p->labels.traits & TRAIT_LATER_FRAGMENT))
		return IPV6_EXTENSION_DEPTH;
	return parse_transport(w, p);
}

/* ARP over Ethernet for IPv4 (RFC 826); other kinds keep their ethertype only. */
PARSE_INLINE enum reason parse_arp(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 8);

	if (!at)
		return cut(p, ARP_TRUNCATED);
	p->labels.destination_port = 0x0806;
	if (load16(at) != 1 || load16(at + 2) != 0x0800 || at[4] != 6 || at[5] != 4) {
		end_of_headers(p, 0);
		p->payload = 0;
		return REASON_NONE;
	}
	at = header(w, p, 28);
	if (!at)
		return cut(p, ARP_TRUNCATED);
	p->labels.network = (p->labels.network & 0xf0) | NETWORK_ARP;
	p->labels.protocol = at[6] ? 0 : at[7];
	copy_ipv4(p->addresses.source + 12, at + 14);
	copy_ipv4(p->addresses.destination + 12, at + 24);
	end_of_headers(p, 28);
	p->payload = 0;
	return REASON_NONE;
}

PARSE_INLINE void add_cast(struct packet *p, const u8 *mac)
{
	if (!(mac[0] & 1))
		return;
	if ((mac[0] & mac[1] & mac[2] & mac[3] & mac[4] & mac[5]) == 0xff)
		p->labels.traits |= TRAIT_BROADCAST;
	else
		p->labels.traits |= TRAIT_MULTICAST;
}

/* One Ethernet frame, from p->offset. PARSE_TUNNEL: the next frame begins at the new p->offset. */
PARSE_INLINE enum reason parse_frame(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 14);
	u16 ethertype;

	if (!at)
		return cut(p, ETHERNET_TRUNCATED);
	copy_macs(p->mac, at);
	if (p->level == 0)
		add_cast(p, at);
	ethertype = load16(at + 12);
	consume(p, 14);
	at += 14;
#pragma clang loop unroll(disable)
	for (int i = 0; i < MAX_VLAN_TAGS && (ethertype == 0x8100 || ethertype == 0x88a8); i++) {
		at = header(w, p, 4);
		if (!at)
			return cut(p, VLAN_TRUNCATED);
		add_vlan(p, load16(at));
		ethertype = load16(at + 2);
		consume(p, 4);
		at += 4;
	}
	switch (ethertype) {
	case 0x0800:
		return parse_ipv4(w, p, at);
	case 0x86dd:
		return parse_ipv6(w, p, at);
	case 0x0806:
		return parse_arp(w, p);
	case 0x8100:
	case 0x88a8:
		return VLAN_DEPTH;
	}
	p->labels.destination_port = ethertype;
	end_of_headers(p, 0);
	p->payload = 0;
	return REASON_NONE;
}

/* The frame just read was a tunnel's outer one: keep what of it belongs to the record, make room for the inner. */
PARSE_INLINE void enter_tunnel(struct packet *p)
{
	u8 depth = p->level < 3 ? p->level : 3;

	if (p->level == 0) {
		p->labels.network = (u8)(p->labels.network << 4);
		/* Loaded as they were stored: a wider load would wait for the stores. */
		if (p->labels.network == NETWORK_IPV4 << 4) {
			copy_ipv4(p->addresses.outer_source + 12, p->addresses.source + 12);
			copy_ipv4(p->addresses.outer_destination + 12, p->addresses.destination + 12);
		} else {
			copy_ipv6(p->addresses.outer_source, p->addresses.source);
			copy_ipv6(p->addresses.outer_destination, p->addresses.destination);
		}
	} else {
		p->labels.network &= 0xf0;
	}
	p->labels.traits &= TRAIT_MULTICAST | TRAIT_BROADCAST;
	p->labels.traits |= depth << TRAIT_DEPTH_SHIFT;
	p->labels.inner_vlan[0] = p->labels.inner_vlan[1] = 0;
	p->labels.source_port = p->labels.destination_port = 0;
	p->labels.protocol = 0;
	p->dscp = 0;
	p->tags = 0;
	p->level++;
}

/* The general parser. Otherwise as parse_packet(). */
PARSE_INLINE enum reason parse_general(const struct window *w, struct packet *p)
{
	enum reason reason;

#pragma clang loop unroll(disable)
	for (int i = 0; i <= MAX_TUNNELS; i++) {
		reason = parse_frame(w, p);
		if (reason != PARSE_TUNNEL)
			return reason;
		enter_tunnel(p);
	}
	return TUNNEL_DEPTH;
}

/*
 * The common packet: no tags, no IP options or extension headers, no fragments; TCP or UDP, plain or in one VXLAN tunnel.
 * Its headers have fixed places, so that nothing waits for the length of the header before (13 ns less of 25). What is
 * unusual in any way, a length that lies too, is left to the general parser; both agree on all that is common.
 *
 * Each returns 1, or 0: not that common. `offset` is a constant at every call, `left` what enclosing headers leave there.
 */
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
		    is_port_of(w->vxlan_ports, p->labels.destination_port))
			return 0;
		if (level == 0)
			p->outer_source_port = p->labels.source_port;
	}
	p->labels.protocol = protocol;
	p->payload = left - octets;
	p->header_octets = offset + octets;
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
	    is_port_of(w->vxlan_ports, load16(at + ip + 2)))
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

/* Sets all of `p` but its addresses: a frame of `length` octets at `point`, its tag kept apart or none. */
PARSE_INLINE void begin_packet(struct packet *p, u32 point, u32 length, int has_tag, u16 tci)
{
	packet_reset(p, point, length);
	if (has_tag)
		add_vlan(p, tci);
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
