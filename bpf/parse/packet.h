/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is known of a packet, in numbers and structs. Freestanding, as all that the parser is made of: no kernel header, no
 * libc, so that the same source serves any target.
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
#define MAX_ROUNDS 9	 /* through the headers of a level; AH, MPLS in UDP and GRE in UDP take one more */
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
	EXCLUDED, /* fits none of the rules */
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
	TUNNEL_LISP = 25,      /* instance, 0 without */
	TUNNEL_AYIYA = 26,     /* 0 */
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
	PORT_GRE = 10,
	PORT_LISP = 11,
	PORT_AYIYA = 12,
};

/* The header that is to be read next, in the order of a level. */
enum step {
	STEP_ETHERNET = 0,
	STEP_FRAME, /* by `ethertype`, which may be a length: behind an Ethernet header */
	STEP_TYPE,  /* by `ethertype` */
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
	u16 destination_port; /* or ICMP type << 8 | code; or the ethertype where network is NONE, 0 without one */
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
	u16 transport_offset; /* of the innermost transport header; 0 where it is not there or not known */
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
	u8 pad[2];
	u8 mac[12]; /* destination, source of the innermost frame */
	struct addresses addresses;
};
