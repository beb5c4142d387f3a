/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What rules ask of a packet, as numbers. All of it follows from the flow's key. */
#pragma once

#include "../parse.h"

/* In user space each is a DecisionField of src/query/filter/decision.ts. */
enum rule_field {
	RULE_SOURCE, /* the four addresses first */
	RULE_DESTINATION,
	RULE_OUTER_SOURCE,
	RULE_OUTER_DESTINATION,
	RULE_SOURCE_PORT, /* of protocols with ports, where they are known */
	RULE_DESTINATION_PORT,
	RULE_ICMP,     /* type << 8 | code */
	RULE_PROTOCOL, /* enum network << 8 | IP protocol */
	RULE_OUTER_NETWORK,
	RULE_ETHERTYPE,
	RULE_TUNNEL_0, /* enum tunnel, from outside in; none is TUNNEL_NONE outermost, absent further in */
	RULE_TUNNEL_1,
	RULE_TUNNEL_2,
	RULE_TUNNEL_3,
	RULE_TUNNEL_ID_0, /* of kinds that have one */
	RULE_TUNNEL_ID_1,
	RULE_TUNNEL_ID_2,
	RULE_TUNNEL_ID_3,
	RULE_DEPTH,
	RULE_VLAN, /* as struct labels has them */
	RULE_SECOND_VLAN,
	RULE_INNER_VLAN,
	RULE_INNER_SECOND_VLAN,
	RULE_MARK,
	RULE_MARK_ID,
	RULE_FRAGMENT, /* 0 whole, 1 with ports, 2 without */
	RULE_CAST,     /* 0 unicast, 1 multicast, 2 broadcast */
	RULE_REMARK,   /* bits: 2 not the tunnel, 4 guessed, 8 critical */
	RULE_INTERFACE,
	RULE_DIRECTION,
	RULE_FIELD_COUNT,
};
#define RULE_ADDRESSES 4
/* Fields there is room for: a power of two, so that a masked number is one of them. */
#define RULE_PLACES 32
_Static_assert(RULE_FIELD_COUNT <= RULE_PLACES, "enum rule_field");

/* No number: the flow has no such field. */
#define RULE_ABSENT (1ull << 62)
/* No number: an IPv6 address, which stands apart. One that maps an IPv4 address is that address. */
#define RULE_WIDE (1ull << 61)

struct rule_values {
	u64 numbers[RULE_PLACES]; /* by enum rule_field */
	u64 high[RULE_ADDRESSES];
	u64 low[RULE_ADDRESSES];
};

PARSE_INLINE void rule_address(struct rule_values *v, u32 field, u8 network, const u8 *address)
{
	u64 high, low;

	if (!network) {
		v->numbers[field] = RULE_ABSENT;
		return;
	}
	if (network != NETWORK_IPV6) {
		v->numbers[field] = __builtin_bswap32(*(const u32 *)(address + 12));
		return;
	}
	high = __builtin_bswap64(*(const u64 *)address);
	low = __builtin_bswap64(*(const u64 *)(address + 8));
	v->high[field] = high;
	v->low[field] = low;
	v->numbers[field] = !high && low >> 32 == 0xffff ? (u32)low : RULE_WIDE;
}

/* The tunnel at a level of a packet that entered so many, and its identifier. */
PARSE_INLINE void rule_tunnel(struct rule_values *v, u32 level, u32 entered, u8 kind, u32 id,
			      u64 kinds_with_id)
{
	v->numbers[RULE_TUNNEL_0 + level] = level < entered || !level ? kind : RULE_ABSENT;
	v->numbers[RULE_TUNNEL_ID_0 + level] =
		level < entered && kinds_with_id >> (kind & 63) & 1 ? id : RULE_ABSENT;
}

PARSE_INLINE void rule_transport(struct rule_values *v, const struct labels *l)
{
	u8 network = l->network & 0x0f, protocol = l->protocol;

	v->numbers[RULE_SOURCE_PORT] = v->numbers[RULE_DESTINATION_PORT] = v->numbers[RULE_ICMP] =
		RULE_ABSENT;
	v->numbers[RULE_PROTOCOL] = (u32)network << 8 | protocol;
	if (network != NETWORK_IPV4 && network != NETWORK_IPV6) {
		v->numbers[RULE_ETHERTYPE] = l->destination_port;
		return;
	}
	v->numbers[RULE_ETHERTYPE] = network == NETWORK_IPV4 ? 0x0800 : 0x86dd;
	if (l->traits & TRAIT_LATER_FRAGMENT)
		return;
	switch (protocol) {
	case 1:
	case 58:
		v->numbers[RULE_ICMP] = l->destination_port;
		return;
	case 6:
	case 17:
	case 33:
	case 132:
	case 136:
		v->numbers[RULE_SOURCE_PORT] = l->source_port;
		v->numbers[RULE_DESTINATION_PORT] = l->destination_port;
	}
}

PARSE_INLINE void rule_values_of(struct rule_values *v, const struct packet *p, u64 kinds_with_id)
{
	const struct labels *l = &p->labels;
	const struct addresses *a = &p->addresses;
	const struct stack *stack = &p->stack;
	u8 outer = l->network >> 4, inner = l->network & 0x0f;

	rule_address(v, RULE_SOURCE, inner, a->source);
	rule_address(v, RULE_DESTINATION, inner, a->destination);
	rule_address(v, RULE_OUTER_SOURCE, outer, a->outer_source);
	rule_address(v, RULE_OUTER_DESTINATION, outer, a->outer_destination);
	rule_transport(v, l);
	v->numbers[RULE_OUTER_NETWORK] = outer;
	rule_tunnel(v, 0, p->level, l->tunnel, l->tunnel_id, kinds_with_id);
	rule_tunnel(v, 1, p->level, stack->kind[0], stack->id[0], kinds_with_id);
	rule_tunnel(v, 2, p->level, stack->kind[1], stack->id[1], kinds_with_id);
	rule_tunnel(v, 3, p->level, stack->kind[2], stack->id[2], kinds_with_id);
	v->numbers[RULE_DEPTH] = p->level;
	v->numbers[RULE_VLAN] = l->vlan[0];
	v->numbers[RULE_SECOND_VLAN] = l->vlan[1];
	v->numbers[RULE_INNER_VLAN] = l->inner_vlan[0];
	v->numbers[RULE_INNER_SECOND_VLAN] = l->inner_vlan[1];
	v->numbers[RULE_MARK] = stack->mark;
	v->numbers[RULE_MARK_ID] = stack->mark ? stack->mark_id : RULE_ABSENT;
	v->numbers[RULE_FRAGMENT] = l->traits & TRAIT_FRAGMENT ? 1 : l->traits & TRAIT_LATER_FRAGMENT ? 2 : 0;
	v->numbers[RULE_CAST] = l->traits & TRAIT_BROADCAST ? 2 : l->traits & TRAIT_MULTICAST ? 1 : 0;
	v->numbers[RULE_REMARK] = (l->traits & TRAIT_NOT_TUNNEL ? 2 : 0) |
				  (l->traits & TRAIT_GUESSED ? 4 : 0) |
				  (l->traits & TRAIT_CRITICAL ? 8 : 0);
	v->numbers[RULE_INTERFACE] = l->point >> 1;
	v->numbers[RULE_DIRECTION] = l->point & 1;
}
