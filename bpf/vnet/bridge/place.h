/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a MAC address can be: a port of this host, or a far tunnel end. Places have numbers, so that an entry says with one
 * word where its address is, and readers never see half of an old place. 0 is no place.
 *
 * User space writes places, and the kernel those of tunnel ends that it meets, before anybody can know their numbers. What both
 * would write, traffic, is kept apart.
 */
#pragma once

#include "../ledger.h"

#define PLACES 16384 /* numbers there are, in all segments; 0 is none */

enum place_kind {
	NOWHERE,
	PORT,
	PEER,
	GROUP, /* the tunnel ends that listen to a multicast address */
};

enum place_kind *unused_place_kind __attribute__((unused));

/* How frames get to a port, beside by sending at its interface. */
enum delivery {
	BY_SENDING,
	AS_RECEIVED, /* the interface receives it: a port of a Linux bridge */
	TO_FAR_END,  /* the other end of a veth, in another network namespace, receives it; from ingress only */
};

enum delivery *unused_delivery __attribute__((unused));

/* Who said that there is such a peer. */
enum origin {
	CONFIGURED,
	REQUESTED, /* while it ran: it stays when the process is another one */
	MET,	   /* it sent something */
};

enum origin *unused_origin __attribute__((unused));

struct place {
	u32 kind;
	u32 vni;
	u32 ifindex;	/* PORT: 0 when its interface has gone */
	u32 delivery;	/* PORT */
	u32 mtu;	/* of the segment: octets behind the Ethernet header */
	u32 partner;	/* where each peer has a port of its own: the number of the other one, else 0 */
	u32 origin;	/* PEER */
	u32 address[4]; /* PEER, GROUP: as struct bpf_tunnel_key has it, IPv4 in host order in the first word */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PLACES);
	__type(key, u32);
	__type(value, struct place);
} places SEC(".maps");

struct traffic {
	struct line received; /* from there */
	struct line sent;     /* to there */
	u64 seen_ns;	      /* since boot, of the last frame from there, within SEEN_STEP_NS */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PLACES);
	__type(key, u32);
	__type(value, struct traffic);
} traffic SEC(".maps");

/* Numbers that nobody has. User space fills it and gives back what is no longer used. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, PLACES);
	__uint(key_size, 0);
	__uint(value_size, sizeof(u32));
} free_numbers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u32); /* interface */
	__type(value, u32);
} port_numbers SEC(".maps");

struct peer_key {
	u32 vni;
	u32 address[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PLACES);
	__type(key, struct peer_key);
	__type(value, u32);
} peer_numbers SEC(".maps");

/* The place of a number, while it is one of this segment. */
static __always_inline const struct place *place_at(u32 number, u32 vni)
{
	const struct place *place = bpf_map_lookup_elem(&places, &number);

	return place && place->kind != NOWHERE && place->vni == vni ? place : 0;
}
