/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reading a frame: octets between two pointers, header by header. Every header is checked once against the end of what can
 * be read (`end`) and once against what the headers outside it say is left (`left`).
 */
#pragma once

#include "packet.h"

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

/* Passes over `octets` that nobody looks at. 0: they are not there. */
PARSE_INLINE int skip(struct packet *p, u32 octets)
{
	if (p->left < octets)
		return 0;
	consume(p, octets);
	return 1;
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
