// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The distributed bridge: Ethernet segments, each a VNI, that reach over many hosts. Where a MAC address is, is learned from
 * what comes; what has no known place is flooded.
 *
 * Split horizon is by construction: what came from a tunnel end goes to ports of this host only.
 *
 *              ports of this host                        the tunnel's device (collects metadata)
 *     Linux bridge --- ts_bridge_port (egress) ---+
 *                                                 +--- entries, flooding --- VNI, far end
 *     tenant --------- ts_port (ingress) ---------+--- ts_tunnel (ingress)
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
#include "../parse/packet.h"

enum outcome {
	FORWARDED_PORT,
	FORWARDED_PEER,
	FLOODED_UNKNOWN, /* the destination is in no entry, or it has aged */
	FLOODED_GROUP,	 /* the destination is a group */
	FLOODED_BROADCAST,
	ANSWERED_NEIGHBOUR, /* an ARP request or neighbour solicitation, answered here */
	/* Dropped, this and all below: */
	NO_RECIPIENT,	  /* to be flooded, and nobody else is there */
	SAME_PLACE,	  /* the destination is where it came from */
	SPLIT_HORIZON,	  /* from one tunnel end to another */
	UNKNOWN_PORT,	  /* the interface is no port */
	UNKNOWN_SEGMENT,  /* no such VNI here */
	UNKNOWN_PEER,	  /* not one of the configured tunnel ends */
	INVALID_SOURCE,	  /* a group or zero as source */
	SPOOFED,	  /* the source is a static entry elsewhere */
	LINK_LOCAL,	  /* 01:80:c2:00:00:0x, which no bridge forwards */
	TOO_LARGE,	  /* longer than the segment's MTU */
	TOO_SHORT,	  /* no Ethernet header */
	NO_METADATA,	  /* the tunnel's device did not say where it is from */
	PORT_GONE,	  /* the interface of the port has gone */
	REDIRECT_FAILED,
	OUTCOME_COUNT,
};

#include "ledger.h"

enum outcome *unused_outcome __attribute__((unused));

#include "bridge/frame.h"
#include "bridge/learn.h"
#include "bridge/neighbour.h"
#include "bridge/peer.h"
#include "bridge/send.h"

/* Where a frame is to go: a place's number, or 0 for all others of the segment; `outcome` says why, also why nowhere. */
static __always_inline u32 whither(const struct frame *f, u32 *outcome)
{
	struct entry_key key = {.vni = f->vni};
	const struct place *to;
	struct entry *entry;
	u32 number;

	if (f->destination[0] & 1) {
		*outcome = is_broadcast(f) ? FLOODED_BROADCAST : FLOODED_GROUP;
		return 0;
	}
	*outcome = FLOODED_UNKNOWN;
	copy_mac(key.mac, f->destination);
	entry = bpf_map_lookup_elem(&entries, &key);
	if (!entry || has_aged(entry, f->now_ns))
		return 0;
	number = *(volatile u32 *)&entry->place;
	to = place_at(number, f->vni);
	if (!to)
		return 0;
	*outcome = to->kind == PORT ? FORWARDED_PORT : FORWARDED_PEER;
	if (number == f->from)
		*outcome = SAME_PLACE;
	else if (to->kind != PORT && f->is_from_peer)
		*outcome = SPLIT_HORIZON;
	else
		add_shared_line(&entry->sent, f->wire);
	return number;
}

/* A frame with its Ethernet header read, at a place of its segment. */
static __always_inline int take_in(struct __sk_buff *skb, struct frame *f)
{
	u32 outcome, number = f->partner;

	count_received(f);
	if (is_too_large(skb, f))
		return ended(TOO_LARGE, f->wire, TC_ACT_SHOT);
	if (!is_station(f->source))
		return ended(INVALID_SOURCE, f->wire, TC_ACT_SHOT);
	if (is_link_local(f))
		return ended(LINK_LOCAL, f->wire, TC_ACT_SHOT);
	outcome = f->is_from_peer ? FORWARDED_PORT : FORWARDED_PEER;
	if (!number) {
		outcome = learn(f);
		if (outcome != OUTCOME_COUNT)
			return ended(outcome, f->wire, TC_ACT_SHOT);
		if (answers_neighbours && became_answer(skb, f)) {
			outcome = ANSWERED_NEIGHBOUR;
			number = f->from;
		} else {
			number = whither(f, &outcome);
		}
	}
	if (outcome >= NO_RECIPIENT)
		return ended(outcome, f->wire, TC_ACT_SHOT);
	if (!number)
		number = flood(skb, (u64)f->wire.packets << 32 | f->wire.octets, f->vni, f->from, f->is_from_peer);
	if (!number)
		return ended(NO_RECIPIENT, f->wire, TC_ACT_SHOT);
	return send(skb, f, number, outcome);
}

/* A port of this host. `hook` is where its program is. */
static __always_inline int from_port(struct __sk_buff *skb, u32 hook)
{
	struct frame f = {.wire = wire_of(skb), .hook = hook};
	u32 ifindex = skb->ifindex, *number = bpf_map_lookup_elem(&port_numbers, &ifindex);
	const struct place *place;

	if (!number)
		return ended(UNKNOWN_PORT, f.wire, TC_ACT_SHOT);
	f.from = *number;
	place = bpf_map_lookup_elem(&places, &f.from);
	if (!place || place->kind != PORT)
		return ended(UNKNOWN_PORT, f.wire, TC_ACT_SHOT);
	f.vni = place->vni;
	f.partner = place->partner;
	f.mtu = place->mtu;
	if (read_header(skb, &f))
		return ended(TOO_SHORT, f.wire, TC_ACT_SHOT);
	return take_in(skb, &f);
}

/* A far tunnel end. */
static __always_inline int from_tunnel(struct __sk_buff *skb)
{
	struct frame f = {.wire = wire_of(skb), .hook = INGRESS, .is_from_peer = 1};
	const struct place *place;
	const struct segment *segment;
	struct peer_key peer = {};
	u32 *number;

	if (whence(skb, &peer))
		return ended(NO_METADATA, f.wire, TC_ACT_SHOT);
	f.vni = peer.vni;
	number = bpf_map_lookup_elem(&peer_numbers, &peer);
	if (number) {
		f.from = *number;
	} else {
		segment = bpf_map_lookup_elem(&segments, &f.vni);
		if (!segment)
			return ended(UNKNOWN_SEGMENT, f.wire, TC_ACT_SHOT);
		f.from = learns_peers ? meet_peer(&peer, segment->mtu) : 0;
	}
	place = bpf_map_lookup_elem(&places, &f.from);
	if (!place || place->kind != PEER)
		return ended(UNKNOWN_PEER, f.wire, TC_ACT_SHOT);
	f.partner = place->partner;
	f.mtu = place->mtu;
	if (read_header(skb, &f))
		return ended(TOO_SHORT, f.wire, TC_ACT_SHOT);
	return take_in(skb, &f);
}

/* What a tenant's interface receives. */
SEC("tc")
int ts_port(struct __sk_buff *skb)
{
	return from_port(skb, INGRESS);
}

/* What a Linux bridge sends to a port of it that is ours. */
SEC("tc")
int ts_bridge_port(struct __sk_buff *skb)
{
	return from_port(skb, EGRESS);
}

/* What came out of a tunnel. */
SEC("tc")
int ts_tunnel(struct __sk_buff *skb)
{
	return from_tunnel(skb);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
