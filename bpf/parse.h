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
#define MAX_LABELS 8	 /* MPLS labels of one stack; one more is MPLS_DEPTH */
#define MAX_ROUNDS 7	 /* through the headers of a level; AH takes one more */
#define MAX_OFFSET 2047	 /* how deep into the frame a header may begin */

/* Why a packet is not in a flow record. The ledger has one line for each; the order is that of the layers. */
enum reason {
	REASON_NONE = 0,
	LINK_UNKNOWN, /* of a capture: frames of a kind that is not read */
	LINK_TRUNCATED,
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
	AH_TRUNCATED,
	GRE_TRUNCATED,
	ERSPAN_TRUNCATED,
	NSH_TRUNCATED,
	NSH_LENGTH,
	GTP_EXTENSION,
	MPLS_TRUNCATED,
	MPLS_DEPTH,
	L2TP_TRUNCATED,
	ETHERIP_TRUNCATED,
	PPP_TRUNCATED,
	PPPOE_TRUNCATED,
	PPPOE_LENGTH,
	TUNNEL_DEPTH,
	HEADER_OFFSET,
	OVERFLOW_FULL, /* the flow cache and the overflow records were full */
	REASON_COUNT,
	/* Not reasons: there is another header, inside a tunnel or not. */
	PARSE_MORE = 254,
	PARSE_TUNNEL = 255,
};

enum network {
	NETWORK_NONE = 0,
	NETWORK_IPV4 = 1,
	NETWORK_IPV6 = 2,
	NETWORK_ARP = 3,
};

/* What a level of a tunnel is, and what its identifier means. */
enum tunnel {
	TUNNEL_NONE = 0,
	TUNNEL_VXLAN = 1,      /* VNI */
	TUNNEL_VXLAN_GPE = 2,  /* VNI */
	TUNNEL_NSH = 3,	       /* service path */
	TUNNEL_GENEVE = 4,     /* VNI */
	TUNNEL_GRE = 5,	       /* key, 0 without */
	TUNNEL_GRETAP = 6,     /* key, 0 without */
	TUNNEL_NVGRE = 7,      /* VSID */
	TUNNEL_ERSPAN_1 = 8,   /* 0 */
	TUNNEL_ERSPAN_2 = 9,   /* session */
	TUNNEL_ERSPAN_3 = 10,  /* session */
	TUNNEL_IPIP = 11,      /* 0; as the next three */
	TUNNEL_SIT = 12,
	TUNNEL_IP4IP6 = 13,
	TUNNEL_IP6IP6 = 14,
	TUNNEL_SRV6 = 15,      /* segments left */
	TUNNEL_GTPU = 16,      /* TEID */
	TUNNEL_MPLS = 17,      /* first label */
	TUNNEL_L2TP = 18,      /* tunnel << 16 | session */
	TUNNEL_L2TPV3 = 19,    /* session */
	TUNNEL_ETHERIP = 20,   /* 0 */
	TUNNEL_EOIP = 21,      /* tunnel */
	TUNNEL_PPTP = 22,      /* call */
	TUNNEL_TEREDO = 23,    /* 0 */
	TUNNEL_PPPOE = 24,     /* session */
};

/* What a flow is known by beside its addresses and ports: no level of its own, nothing inside can be read. */
enum mark {
	MARK_NONE = 0,
	MARK_ESP = 1,		       /* SPI */
	MARK_AH = 2,		       /* SPI */
	MARK_ESP_UDP = 3,	       /* SPI */
	MARK_WIREGUARD_INITIATION = 4, /* sender's index */
	MARK_WIREGUARD_RESPONSE = 5,   /* receiver's index; as the next two */
	MARK_WIREGUARD_COOKIE = 6,
	MARK_WIREGUARD_DATA = 7,
	MARK_SEGMENT_ROUTING = 8,      /* segments left */
};

/* What a UDP destination port carries; set by user space in window.ports. */
enum port_use {
	PORT_PLAIN = 0,
	PORT_VXLAN = 1,
	PORT_VXLAN_GPE = 2,
	PORT_GENEVE = 3,
	PORT_GTPU = 4,
	PORT_MPLS = 5,
	PORT_L2TP = 6,
	PORT_ESP = 7,
	PORT_WIREGUARD = 8,
	PORT_TEREDO = 9,
};

/* The header that is to be read next, in the order of a level. */
enum step {
	STEP_ETHERNET = 0,
	STEP_TYPE, /* by `ethertype` */
	STEP_PPP,
	STEP_MPLS,
	STEP_NSH,
	STEP_IPV4,
	STEP_IPV6,
	STEP_PROTOCOL,	  /* by labels.protocol */
	STEP_UDP_PAYLOAD, /* by `port_use` */
};

/* Bits of struct labels.traits. */
enum trait {
	TRAIT_MULTICAST = 1,	   /* destination MAC of the outermost frame has the group bit */
	TRAIT_BROADCAST = 2,	   /* ... and is ff:ff:ff:ff:ff:ff (then TRAIT_MULTICAST is clear) */
	TRAIT_FRAGMENT = 4,	   /* of a packet in pieces, ports known: a first one, or the meter knew the first one */
	TRAIT_LATER_FRAGMENT = 8,  /* ... ports unknown */
	TRAIT_NOT_TUNNEL = 16,	   /* where a tunnel was to be expected, but it is not that tunnel */
	TRAIT_OVERFLOW = 32,	   /* no packet's own: set on overflow records by the meter */
	TRAIT_GUESSED = 64,	   /* what a tunnel carries was guessed */
	TRAIT_CRITICAL = 128,	   /* Geneve options that must be understood */
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
	u32 tunnel_id;	      /* of the outermost tunnel, see enum tunnel */
	u16 vlan[2];	      /* outermost frame */
	u16 inner_vlan[2];    /* innermost frame of a tunnel */
	u16 source_port;      /* or the ICMP echo identifier */
	u16 destination_port; /* or ICMP type << 8 | code; or the ethertype where network is NONE */
	u8 protocol;	      /* IP protocol; of ARP the operation */
	u8 tunnel;	      /* enum tunnel, the outermost */
	u8 network;	      /* enum network: innermost, that which carries the outermost tunnel << 4 */
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

/* The tunnels inside the outermost one, in order, and the mark. */
struct stack {
	u32 id[MAX_TUNNELS - 1];
	u32 mark_id;
	u8 kind[MAX_TUNNELS - 1]; /* enum tunnel */
	u8 mark;		  /* enum mark */
	u32 pad;
} __attribute__((aligned(8)));
_Static_assert(sizeof(struct stack) == 24, "struct stack");

/* What is known of one packet. Zeroed up to `addresses` by packet_reset(); addresses are valid as `network` says. */
struct packet {
	struct labels labels;
	struct stack stack;
	u32 offset;		 /* of the next header, from the start of the frame */
	u32 left;		 /* octets the enclosing headers leave from offset on */
	u32 payload;		 /* octets behind the innermost transport header */
	u32 header_octets;	 /* all headers through the innermost transport header */
	u32 outer_header_octets; /* all headers through the outermost transport header */
	u32 entered_id;		 /* of the tunnel whose header was just read */
	u32 fragment_id;	 /* identification of the innermost packet in pieces */
	u16 ethertype;
	u16 tcp_flags;
	u16 outer_source_port;
	u8 dscp;
	u8 level;   /* tunnels entered */
	u8 tags;    /* VLAN tags seen in this frame */
	u8 partial; /* within a first fragment: lengths may point beyond its end */
	u8 step;    /* enum step */
	u8 port_use;
	u8 entered; /* enum tunnel: the header that was just read */
	u8 has_segments;
	u8 segments_left;
	u8 is_cut; /* a header that should be there lies beyond the window */
	u8 mac[12]; /* destination, source of the innermost frame */
	struct addresses addresses;
};

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

PARSE_INLINE u32 load32(const u8 *at)
{
	return __builtin_bswap32(LOAD(u32, at));
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
	const volatile u8 *ports; /* enum port_use of each UDP destination port: 65,536 */
	u8 nvgre;		  /* GRE with a key and an Ethernet frame is NVGRE */
};

/* What a UDP destination port carries (enum port_use). */
PARSE_INLINE u8 use_of(const struct window *w, u16 port)
{
	u32 at = port;

#ifdef __bpf__
	/* Linux 5.10 does not know that a number with swapped octets is still a short one. */
	__asm__ volatile("%0 &= 0xffff" : "+r"(at));
#endif
	return w->ports[at];
}

/*
 * The next header, if `octets` of it are left and can be read; else 0. The position is taken from memory anew each
 * time, so that the kernel's verifier sees the same state here whichever way the packet came (without that, Linux
 * 6.18 gave up after a million instructions).
 */
PARSE_INLINE const u8 *header(const struct window *w, struct packet *p, u32 octets)
{
	const u8 *at;
	u32 offset;

	__asm__ volatile("" : : : "memory");
	offset = p->offset;
	if (offset > MAX_OFFSET || p->left < octets)
		return 0;
	at = w->data + offset;
	if (at + octets > w->end) {
		p->is_cut = 1;
		return 0;
	}
	return at;
}

/* The status of a header that header() did not give. */
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

/* Passes over `octets` that nobody looks at. 0: they are not there. */
PARSE_INLINE int skip(struct packet *p, u32 octets)
{
	if (p->left < octets)
		return 0;
	consume(p, octets);
	return 1;
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

/* Fragment bits as both IP versions have them: offset in units of 8, and "more fragments". */
PARSE_INLINE void add_fragment(struct packet *p, u16 offset, int more, u32 id)
{
	if (offset) {
		/* Also of a piece of a piece: the ports are in the first. */
		p->labels.traits &= (u8)~TRAIT_FRAGMENT;
		p->labels.traits |= TRAIT_LATER_FRAGMENT;
	} else if (more) {
		p->labels.traits |= TRAIT_FRAGMENT;
		p->partial = 1;
	}
	p->fragment_id = id;
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

PARSE_INLINE enum reason parse_ipv4(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 20);
	u32 octets, total;
	u16 fragment;

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
	add_fragment(p, fragment & 0x1fff, fragment & 0x2000, load16(at + 4));
	consume(p, octets);
	p->has_segments = 0;
	p->step = STEP_PROTOCOL;
	return PARSE_MORE;
}

PARSE_INLINE int is_ipv6_extension(u8 protocol)
{
	return protocol == 0 || protocol == 43 || protocol == 44 || protocol == 51 ||
	       protocol == 60 || protocol == 135 || protocol == 139 || protocol == 140;
}

/* What may come whole in an IP packet: IPv4, IPv6, Ethernet. */
PARSE_INLINE int is_encapsulation(u8 protocol)
{
	return protocol == 4 || protocol == 41 || protocol == 143;
}

PARSE_INLINE enum reason parse_ipv6(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 40);
	u32 length, octets;
	u8 protocol;

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
	p->has_segments = 0;
	consume(p, 40);
#pragma clang loop unroll(disable)
	for (int i = 0; i < MAX_EXTENSIONS && is_ipv6_extension(protocol); i++) {
		at = header(w, p, 8);
		if (!at)
			return cut(p, IPV6_EXTENSION_TRUNCATED);
		octets = protocol == 44 ? 8 : protocol == 51 ? (at[1] + 2) * 4 : (at[1] + 1) * 8;
		if (octets > p->left)
			return IPV6_EXTENSION_TRUNCATED;
		if (protocol == 44) {
			add_fragment(p, load16(at + 2) >> 3, at[3] & 1, load32(at + 4));
		} else if (protocol == 51) {
			set_mark(p, MARK_AH, load32(at + 4));
		} else if (protocol == 43 && at[2] == 4) {
			p->has_segments = 1;
			p->segments_left = at[3];
		}
		protocol = at[0];
		consume(p, octets);
		if (p->labels.traits & TRAIT_LATER_FRAGMENT)
			break;
	}
	p->labels.protocol = protocol;
	if (is_ipv6_extension(protocol) && !(p->labels.traits & TRAIT_LATER_FRAGMENT))
		return IPV6_EXTENSION_DEPTH;
	if (p->has_segments && !is_encapsulation(protocol))
		set_mark(p, MARK_SEGMENT_ROUTING, p->segments_left);
	p->step = STEP_PROTOCOL;
	return PARSE_MORE;
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

/* No network layer, or none that is known. */
PARSE_INLINE enum reason end_unknown(struct packet *p)
{
	p->labels.destination_port = p->ethertype;
	end_of_headers(p, 0);
	p->payload = 0;
	return REASON_NONE;
}

#include "tunnels.h"

PARSE_INLINE void add_cast(struct packet *p, const u8 *mac)
{
	if (!(mac[0] & 1))
		return;
	if ((mac[0] & mac[1] & mac[2] & mac[3] & mac[4] & mac[5]) == 0xff)
		p->labels.traits |= TRAIT_BROADCAST;
	else
		p->labels.traits |= TRAIT_MULTICAST;
}

PARSE_INLINE enum reason parse_ethernet(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 14);

	if (!at)
		return cut(p, ETHERNET_TRUNCATED);
	copy_macs(p->mac, at);
	if (p->level == 0)
		add_cast(p, at);
	p->ethertype = load16(at + 12);
	consume(p, 14);
	p->step = STEP_TYPE;
	return PARSE_MORE;
}

PARSE_INLINE int is_vlan(u16 ethertype)
{
	return ethertype == 0x8100 || ethertype == 0x88a8 || ethertype == 0x9100;
}

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
	}
	return REASON_NONE;
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
	if (reason == PARSE_MORE && NEXT_IS(STEP_TYPE))
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
		    use_of(w, p->labels.destination_port))
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
	    use_of(w, load16(at + ip + 2)) == PORT_VXLAN)
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

/* It has no Ethernet header: what comes first, the device says. */
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
