/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ARP and neighbour discovery, answered here from what was learned, so that requests need not be flooded (RFC 826, RFC 4861).
 *
 * Learned is what stations say of themselves: the sender of ARP, the target of a neighbour advertisement. Answered is only for
 * stations that are known to be behind a peer: whoever is on this host answers himself.
 */
#pragma once

#include "learn.h"

const volatile u32 answers_neighbours = 0;

struct neighbour_key {
	u32 vni;
	u8 address[16]; /* IPv4 in the last four, behind zeros */
};

struct neighbour {
	u8 mac[6];
	u8 flags; /* of the advertisement: whether it is a router */
	u8 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, struct neighbour_key);
	__type(value, struct neighbour);
} neighbours SEC(".maps");

#define ARP_FRAME 42  /* octets: Ethernet, and ARP for IPv4 */
#define ND_FRAME 86   /* Ethernet, IPv6, solicitation or advertisement with one address as option */
#define ND_MESSAGE 32 /* of that behind IPv6 */
#define SOLICITATION 135
#define ADVERTISEMENT 136
#define NA_ROUTER 0x80
#define NA_SOLICITED 0x40
#define NA_OVERRIDE 0x20

/* Too much for the stack beside the caller's. */
struct discovery {
	u8 frame[ND_FRAME];
	u8 pad[2];
	/* What an ICMPv6 checksum is over (RFC 8200 section 8.1). */
	u8 source[16];
	u8 destination[16];
	u8 length_and_type[8];
	u8 message[ND_MESSAGE];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct discovery);
} discoveries SEC(".maps");

static __always_inline int is_same_mac(const u8 *a, const u8 *b)
{
	return !__builtin_memcmp(a, b, 6);
}

static __always_inline void learn_neighbour(const struct frame *f, const struct neighbour_key *key, u8 flags)
{
	struct neighbour fresh = {.flags = flags}, *known = bpf_map_lookup_elem(&neighbours, key);

	copy_mac(fresh.mac, f->source);
	if (!known || !is_same_mac(known->mac, fresh.mac) || known->flags != flags)
		bpf_map_update_elem(&neighbours, key, &fresh, BPF_ANY);
}

/* Who is to be answered for: 0 unless it is known, of a peer, and not the one who asks. */
static __always_inline struct neighbour *far_neighbour(const struct frame *f, const struct neighbour_key *key)
{
	struct neighbour *known = bpf_map_lookup_elem(&neighbours, key);
	struct entry_key station = {.vni = f->vni};
	const struct place *place;
	struct entry *entry;

	if (!known || f->is_from_peer || is_same_mac(known->mac, f->source))
		return 0;
	copy_mac(station.mac, known->mac);
	entry = bpf_map_lookup_elem(&entries, &station);
	if (!entry || has_aged(entry, f->now_ns))
		return 0;
	place = place_at(entry->place, f->vni);
	return place && place->kind == PEER ? known : 0;
}

static __always_inline int answer_arp(struct __sk_buff *skb, const struct frame *f, struct discovery *d)
{
	static const u8 ethernet_ipv4[] = {0, 1, 8, 0, 6, 4, 0};
	struct neighbour_key key = {.vni = f->vni};
	struct neighbour *target;
	u8 *arp = d->frame + 14, operation;

	if (bpf_skb_load_bytes(skb, 0, d->frame, ARP_FRAME) || __builtin_memcmp(arp, ethernet_ipv4, 7))
		return 0;
	operation = arp[7];
	/* A probe (sender 0.0.0.0, RFC 5227) says nothing of its sender. */
	if (is_same_mac(arp + 8, f->source) && (arp[14] | arp[15] | arp[16] | arp[17])) {
		__builtin_memcpy(key.address + 12, arp + 14, 4);
		learn_neighbour(f, &key, 0);
	}
	__builtin_memcpy(key.address + 12, arp + 24, 4);
	if (operation != 1 || !is_broadcast(f))
		return 0;
	target = far_neighbour(f, &key);
	if (!target)
		return 0;
	copy_mac(d->frame, f->source);
	copy_mac(d->frame + 6, target->mac);
	arp[7] = 2;
	__builtin_memcpy(arp + 18, arp + 8, 10);
	copy_mac(arp + 8, target->mac);
	__builtin_memcpy(arp + 14, key.address + 12, 4);
	return !bpf_skb_store_bytes(skb, 0, d->frame, ARP_FRAME, 0);
}

static __always_inline u16 checksum_of(struct discovery *d)
{
	long long sum;

	__builtin_memcpy(d->source, d->frame + 22, 32);
	__builtin_memset(d->length_and_type, 0, 8);
	d->length_and_type[3] = ND_MESSAGE;
	d->length_and_type[7] = 58;
	__builtin_memcpy(d->message, d->frame + 54, ND_MESSAGE);
	sum = bpf_csum_diff(0, 0, (__be32 *)d->source, 40 + ND_MESSAGE, 0);
	sum = (sum & 0xffff) + ((sum >> 16) & 0xffff);
	sum = (sum & 0xffff) + (sum >> 16);
	return (u16)~sum;
}

/* Only those with the one option that both have (a probe for duplicates has none): others are flooded. */
static __always_inline int answer_solicitation(struct __sk_buff *skb, const struct frame *f, struct discovery *d)
{
	struct neighbour_key key = {.vni = f->vni};
	u8 *ip = d->frame + 14, *message = d->frame + 54;
	struct neighbour *target;
	u16 checksum;

	if (skb->len != ND_FRAME || bpf_skb_load_bytes(skb, 0, d->frame, ND_FRAME))
		return 0;
	/* Next header ICMPv6, and a hop limit that no router has touched. */
	if (ip[6] != 58 || ip[7] != 255 || message[1] || message[25] != 1 || !is_same_mac(message + 26, f->source))
		return 0;
	__builtin_memcpy(key.address, message + 8, 16);
	if (message[0] == ADVERTISEMENT && message[24] == 2)
		learn_neighbour(f, &key, message[4] & NA_ROUTER);
	if (message[0] != SOLICITATION || message[24] != 1)
		return 0;
	target = far_neighbour(f, &key);
	if (!target)
		return 0;
	copy_mac(d->frame, f->source);
	copy_mac(d->frame + 6, target->mac);
	__builtin_memcpy(ip + 24, ip + 8, 16);
	__builtin_memcpy(ip + 8, key.address, 16);
	message[0] = ADVERTISEMENT;
	message[2] = message[3] = 0;
	message[4] = target->flags | NA_SOLICITED | NA_OVERRIDE;
	message[24] = 2;
	copy_mac(message + 26, target->mac);
	checksum = checksum_of(d);
	__builtin_memcpy(message + 2, &checksum, 2);
	return !bpf_skb_store_bytes(skb, 0, d->frame, ND_FRAME, 0);
}

/* Whether the frame asked for a neighbour, and has become the answer, for the one who asked. */
static __noinline int became_answer(struct __sk_buff *skb, const struct frame *f)
{
	u32 zero = 0;
	struct discovery *d = bpf_map_lookup_elem(&discoveries, &zero);

	if (!d)
		return 0;
	if (f->ethertype == __builtin_bswap16(0x0806))
		return answer_arp(skb, f, d);
	if (f->ethertype == __builtin_bswap16(0x86dd))
		return answer_solicitation(skb, f, d);
	return 0;
}
