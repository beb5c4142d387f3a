// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The gateway between the VLANs of a trunk and workers. A frame from the trunk goes to the worker of the client that sent it,
 * without its tags, which are learned; a worker's frame goes to the client with those. Addresses within the frames do not
 * matter: clients of several workers may have the same.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
#include "../parse/packet.h"

enum outcome {
	/* from the trunk */
	TO_WORKER,
	UNTAGGED, /* a tag with VID 0 has a priority and no VLAN: that is none */
	TOO_MANY_TAGS,
	UNKNOWN_CLIENT, /* nobody's MAC address */
	VLAN_NOT_ALLOWED,
	MOVE_REFUSED, /* of another VLAN than is known, once too often */
	WORKER_ABSENT,
	/* from workers */
	TO_CLIENT,
	FLOODED, /* to each VLAN of the worker's clients once; copies count at the clients */
	NO_VLAN, /* of the client, or of none of the worker's clients, is a VLAN known */
	TAGGED_BY_WORKER,
	UNKNOWN_WORKER, /* the interface is no worker's (any more) */
	TRUNK_ABSENT,
	/* either */
	TAG_FAILED, /* the kernel could not push or pop */
	OUTCOME_COUNT,
};

#include "ledger.h"
#include "gateway/learning.h"

enum outcome *unused_outcome __attribute__((unused));

/* So many clients a worker has at most: as many copies a flooded frame may make. */
#define CLIENTS_OF_WORKER 64

/* Whose frames an interface receives: what is flooded goes to all of these. */
struct worker {
	u32 trunk;
	u32 count;
	u64 macs[CLIENTS_OF_WORKER];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u32); /* interface */
	__type(value, struct worker);
} workers SEC(".maps");

/* The VLANs that a frame is flooded to, and whose they are. */
struct flood {
	u64 tags[CLIENTS_OF_WORKER];
	u32 slots[CLIENTS_OF_WORKER];
	u32 octets; /* of the frame on the wire, without tags */
	u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct flood);
} floods SEC(".maps");

/* The six octets of a MAC address at `offset` of the frame, as a key; 0 where they cannot be read. */
static __always_inline u64 mac_at(const struct __sk_buff *skb, u32 offset)
{
	const u8 *data = (const u8 *)(long)skb->data, *end = (const u8 *)(long)skb->data_end;

	/* An Ethernet header is never in pages. */
	if (data + 14 > end)
		return 0;
	return LOAD(u32, data + offset) | (u64)LOAD(u16, data + offset + 4) << 32;
}

/* An index that was checked: clang checks another register than the one it uses, "unbounded memory access" (6.18). */
static __always_inline u32 place_of(u32 index)
{
	asm volatile("" : "+r"(index));
	return index & (CLIENTS_OF_WORKER - 1);
}

static __always_inline struct wire with_tags(struct wire wire, u32 octets)
{
	wire.octets += wire.packets * octets;
	return wire;
}

/* Takes all tags off. Nonzero: how it ended instead. */
static __always_inline u32 pop_tags(struct __sk_buff *skb, u64 *tags)
{
	if (pop_tag(skb, 0, tags) < 0)
		return TAG_FAILED;
	if (!has_tag(skb))
		return 0;
	if (pop_tag(skb, 1, tags) < 0)
		return TAG_FAILED;
	return has_tag(skb) ? TOO_MANY_TAGS : 0;
}

static __always_inline int phys2virt(struct __sk_buff *skb)
{
	struct wire wire = with_tags(wire_of(skb), outside_octets(skb));
	u64 mac = mac_at(skb, 6), tags = 0, now;
	struct settings *settings = settings_now();
	struct client *client;
	struct place *place;
	u32 failed;

	if (!has_tag(skb) || !(outer_tci(skb) & VID_MASK))
		return ended(UNTAGGED, wire, TC_ACT_SHOT);
	client = bpf_map_lookup_elem(&clients, &mac);
	place = client ? bpf_map_lookup_elem(&places, &client->slot) : 0;
	if (!client || !place || !settings)
		return ended(UNKNOWN_CLIENT, wire, TC_ACT_SHOT);
	failed = pop_tags(skb, &tags);
	if (failed)
		return ended(failed, wire, TC_ACT_SHOT);
	now = bpf_ktime_get_coarse_ns();
	if (!is_allowed(client, tags)) {
		tell_refusal(place, TOLD_NOT_ALLOWED, mac, tags, now);
		return ended(VLAN_NOT_ALLOWED, wire, TC_ACT_SHOT);
	}
	if (client->flags & CLIENT_FIXED)
		place->seen_ns = now;
	else if (learn(place, mac, tags, settings, now))
		return ended(MOVE_REFUSED, wire, TC_ACT_SHOT);
	if (!client->worker)
		return ended(WORKER_ABSENT, wire, TC_ACT_SHOT);
	add_shared_line(&place->received, wire);
	return ended(TO_WORKER, wire, bpf_redirect(client->worker, 0));
}

/* Functions of their own, and not inline: so the verifier walks through them once, and not for each client of a worker. */
#define STEP __attribute__((noinline))

/*
 * Adds the VLAN of a worker's `which`-th client to those that a frame is flooded to, unless it is among the `count` that are
 * there already. Gives how many there are then.
 */
STEP int choose_vlan(struct __sk_buff *skb, u32 which, u32 count)
{
	u32 ifindex = skb->ifindex, key = 0;
	struct worker *worker = bpf_map_lookup_elem(&workers, &ifindex);
	struct flood *flood = bpf_map_lookup_elem(&floods, &key);
	struct settings *settings = settings_now();
	struct client *client;
	struct place *place;
	u64 tags;

	if (!worker || !flood || !settings || which >= CLIENTS_OF_WORKER || count >= CLIENTS_OF_WORKER)
		return count;
	client = bpf_map_lookup_elem(&clients, &worker->macs[place_of(which)]);
	place = client ? bpf_map_lookup_elem(&places, &client->slot) : 0;
	if (!client || !place || client->worker != ifindex)
		return count;
	tags = tags_towards(client, place, settings, bpf_ktime_get_coarse_ns());
	if (!tags)
		return count;
	for (u32 i = 0; i < CLIENTS_OF_WORKER && i < count; i++)
		if (is_same_vlan(flood->tags[place_of(i)], tags))
			return count;
	flood->tags[place_of(count)] = tags;
	flood->slots[place_of(count)] = client->slot;
	return count + 1;
}

static __always_inline void count_copy(u32 slot, u64 tags, struct wire wire)
{
	struct place *place = bpf_map_lookup_elem(&places, &slot);

	if (place)
		add_shared_line(&place->sent, with_tags(wire, TAG_OCTETS * tag_count(tags)));
}

/* Sends a copy to the `which`-th VLAN that was chosen, and has the frame as it was again. Negative: it could not. */
STEP int flood_copy(struct __sk_buff *skb, u32 which, u32 trunk)
{
	struct wire wire = {.packets = skb->gso_segs > 1 ? skb->gso_segs : 1};
	u32 key = 0, slot;
	struct flood *flood = bpf_map_lookup_elem(&floods, &key);
	u64 tags;

	if (!flood || which >= CLIENTS_OF_WORKER)
		return -1;
	wire.octets = flood->octets;
	tags = flood->tags[place_of(which)];
	slot = flood->slots[place_of(which)];
	if (push_tags(skb, tags) < 0)
		return -1;
	if (bpf_clone_redirect(skb, trunk, 0) == 0)
		count_copy(slot, tags, wire);
	else
		count_lapse(LOST_COPY);
	if (bpf_skb_vlan_pop(skb) < 0 || (tag_count(tags) > 1 && bpf_skb_vlan_pop(skb) < 0))
		return -1;
	return 0;
}

/* A copy to each VLAN but the last, which gets the frame itself. */
static __always_inline int flood_frame(struct __sk_buff *skb, struct wire wire)
{
	u32 ifindex = skb->ifindex, key = 0, count = 0, last, trunk;
	struct worker *worker = bpf_map_lookup_elem(&workers, &ifindex);
	struct flood *flood = bpf_map_lookup_elem(&floods, &key);

	if (!worker || !flood)
		return ended(UNKNOWN_WORKER, wire, TC_ACT_SHOT);
	trunk = worker->trunk;
	if (!trunk)
		return ended(TRUNK_ABSENT, wire, TC_ACT_SHOT);
	flood->octets = wire.octets;
	for (u32 i = 0; i < CLIENTS_OF_WORKER && i < worker->count; i++)
		count = choose_vlan(skb, i, count);
	if (!count)
		return ended(NO_VLAN, wire, TC_ACT_SHOT);
	last = count - 1;
	for (u32 i = 0; i < CLIENTS_OF_WORKER && i < last; i++)
		if (flood_copy(skb, i, trunk) < 0)
			return ended(TAG_FAILED, wire, TC_ACT_SHOT);
	if (last >= CLIENTS_OF_WORKER || push_tags(skb, flood->tags[place_of(last)]) < 0)
		return ended(TAG_FAILED, wire, TC_ACT_SHOT);
	count_copy(flood->slots[place_of(last)], flood->tags[place_of(last)], wire);
	return ended(FLOODED, wire, bpf_redirect(trunk, 0));
}

static __always_inline int virt2phys(struct __sk_buff *skb)
{
	struct wire wire = with_tags(wire_of(skb), outside_octets(skb));
	struct settings *settings = settings_now();
	struct client *client = 0;
	u64 mac = mac_at(skb, 0), tags;
	struct place *place;

	if (has_tag(skb))
		return ended(TAGGED_BY_WORKER, wire, TC_ACT_SHOT);
	if (!settings)
		return ended(UNKNOWN_WORKER, wire, TC_ACT_SHOT);
	/* A group address has the lowest bit of its first octet. */
	if (!(mac & 1))
		client = bpf_map_lookup_elem(&clients, &mac);
	place = client ? bpf_map_lookup_elem(&places, &client->slot) : 0;
	/* Another worker's client is as good as none. */
	if (!client || !place || client->worker != skb->ifindex)
		return flood_frame(skb, wire);
	tags = tags_towards(client, place, settings, bpf_ktime_get_coarse_ns());
	if (!tags)
		return ended(NO_VLAN, wire, TC_ACT_SHOT);
	if (!client->trunk)
		return ended(TRUNK_ABSENT, wire, TC_ACT_SHOT);
	if (push_tags(skb, tags) < 0)
		return ended(TAG_FAILED, wire, TC_ACT_SHOT);
	add_shared_line(&place->sent, with_tags(wire, TAG_OCTETS * tag_count(tags)));
	return ended(TO_CLIENT, wire, bpf_redirect(client->trunk, 0));
}

SEC("tc")
int ts_phys2virt(struct __sk_buff *skb)
{
	return phys2virt(skb);
}

SEC("tc")
int ts_virt2phys(struct __sk_buff *skb)
{
	return virt2phys(skb);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
