/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Flow keys: their two shapes, and how a packet becomes one. */
#pragma once

#include "parse.h"

/* Flow key where every address is IPv4 and tunnels do not nest: the common case, 40 octets. */
struct narrow_key {
	struct labels labels;
	u32 outer_source;
	u32 outer_destination;
	u32 source;
	u32 destination;
};
_Static_assert(sizeof(struct narrow_key) == 40, "struct narrow_key");

/* Flow key with any addresses, IPv4 in the mapped form, and nested tunnels; also the key of overflow records. */
struct wide_key {
	struct labels labels;
	struct addresses addresses;
	struct stack stack;
};
_Static_assert(sizeof(struct wide_key) == 112, "struct wide_key");

/*
 * A key under construction, as words: the packet's fields are loaded one by one as wide as they were stored, and put
 * together in registers. Copying the struct would load words that smaller stores have just written, and a CPU cannot
 * forward those: it waits until they are in the cache. Volatile keeps the compiler from joining the loads again.
 */
#define FIELD(type, field) ((u64) * (const volatile type *)&(field))
#define WIDE_WORDS (sizeof(struct wide_key) / 8)

/* No address is IPv6, at most one tunnel, no mark. */
PARSE_INLINE int is_narrow(const struct packet *p)
{
	u8 network = p->labels.network;

	return p->level < 2 && !p->stack.mark && (network & 0x0f) != NETWORK_IPV6 &&
	       network >> 4 != NETWORK_IPV6;
}

PARSE_INLINE void label_words(u64 *words, const struct packet *p)
{
	const struct labels *l = &p->labels;

	words[0] = FIELD(u32, l->point) | FIELD(u32, l->tunnel_id) << 32;
	words[1] = FIELD(u16, l->vlan[0]) | FIELD(u16, l->vlan[1]) << 16 |
		   FIELD(u16, l->inner_vlan[0]) << 32 | FIELD(u16, l->inner_vlan[1]) << 48;
	words[2] = FIELD(u16, l->source_port) | FIELD(u16, l->destination_port) << 16 |
		   FIELD(u8, l->protocol) << 32 | FIELD(u8, l->tunnel) << 40 |
		   FIELD(u8, l->network) << 48 | FIELD(u8, l->traits) << 56;
}

PARSE_INLINE void narrow_words(u64 *words, const struct packet *p)
{
	const struct addresses *a = &p->addresses;

	label_words(words, p);
	words[3] = words[4] = 0;
	if (p->labels.network >> 4)
		words[3] = FIELD(u32, a->outer_source[12]) | FIELD(u32, a->outer_destination[12]) << 32;
	if (p->labels.network & 0x0f)
		words[4] = FIELD(u32, a->source[12]) | FIELD(u32, a->destination[12]) << 32;
}

PARSE_INLINE void address_words(u64 *words, u8 network, const u8 *address)
{
	words[0] = words[1] = 0;
	if (network == NETWORK_IPV6) {
		words[0] = FIELD(u64, address[0]);
		words[1] = FIELD(u64, address[8]);
	} else if (network) {
		words[1] = 0xffff0000 | FIELD(u32, address[12]) << 32;
	}
}

PARSE_INLINE void wide_words(u64 *words, const struct packet *p)
{
	const struct addresses *a = &p->addresses;
	u8 outer = p->labels.network >> 4, inner = p->labels.network & 0x0f;

	label_words(words, p);
	address_words(words + 3, outer, a->outer_source);
	address_words(words + 5, outer, a->outer_destination);
	address_words(words + 7, inner, a->source);
	address_words(words + 9, inner, a->destination);
	words[11] = words[12] = words[13] = 0;
	if (p->level < 2 && !p->stack.mark)
		return;
	words[11] = FIELD(u32, p->stack.id[0]) | FIELD(u32, p->stack.id[1]) << 32;
	words[12] = FIELD(u32, p->stack.id[2]) | FIELD(u32, p->stack.mark_id) << 32;
	words[13] = FIELD(u8, p->stack.kind[0]) | FIELD(u8, p->stack.kind[1]) << 8 |
		    FIELD(u8, p->stack.kind[2]) << 16 | FIELD(u8, p->stack.mark) << 24;
}

/* Makes it the key of its tunnel's overflow record (without one, of all plain traffic): octets stay, detail goes. */
PARSE_INLINE void overflow_key(struct wide_key *key)
{
	key->labels.vlan[0] = key->labels.vlan[1] = 0;
	key->labels.inner_vlan[0] = key->labels.inner_vlan[1] = 0;
	key->labels.source_port = key->labels.destination_port = 0;
	key->labels.protocol = 0;
	key->labels.network &= 0xf0;
	key->labels.traits = TRAIT_OVERFLOW;
	__builtin_memset(key->addresses.source, 0, 32);
	__builtin_memset(&key->stack, 0, sizeof(key->stack));
}
