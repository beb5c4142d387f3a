// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The meter: accounts every packet at an interface, both directions, by outer addresses, tunnel, VNI and inner flow.
 *
 * It observes: TC_ACT_UNSPEC on every path, no packet is altered. Per observation point and epoch
 *     seen = flow records + overflow records + ledger        (packets and octets)
 *
 * All maps of an epoch are doubled. A packet reads the epoch once and uses the maps of its parity, so that all its
 * counts fall into one epoch. User space raises it, then updates an element of an array of maps, which makes
 * the kernel wait until no program runs that could have read the old value: the retired maps are final.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "flow_counters.h"
#include "flow_key.h"
#include "parse.h"

#define TC_ACT_UNSPEC (-1)
#define EEXIST 17

/* UDP destination ports that carry VXLAN (RFC 7348: 4789; Linux' old default: 8472). 0: empty place. */
const volatile u16 vxlan_ports[MAX_TUNNEL_PORTS] = { 4789, 8472 };

/* Octets pulled into the linear part when headers lie in fragments: the farthest place and a header. */
#define PULL_OCTETS (MAX_OFFSET + 64)

struct seen_counters {
	u32 point; /* whose these are; 0: nobody's yet */
	u32 pad;
	u64 packets;
	u64 octets;
	u64 unledgered_packets; /* found no place in the ledger */
	u64 unledgered_octets;
};

struct ledger_key {
	u32 point;
	u16 reason;
	u16 level;
};

struct ledger_counters {
	u64 packets;
	u64 octets;
};

#define EPOCH_MAP(name, map_type, key_type, value_type, entries)                                   \
	struct name##_map {                                                                        \
		__uint(type, map_type);                                                            \
		__uint(max_entries, entries);                                                      \
		__type(key, key_type);                                                             \
		__type(value, value_type);                                                         \
	} name##_0 SEC(".maps"), name##_1 SEC(".maps");                                            \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);                                          \
		__uint(max_entries, 2);                                                            \
		__type(key, u32);                                                                  \
		__array(values, struct name##_map);                                                \
	} name SEC(".maps") = { .values = { &name##_0, &name##_1 } }

/*
 * Per-CPU flow cache in front of the hash: a record's place follows from its key. Nobody else writes there, so it needs
 * no atomics, and a hot flow no walk of the hash. The record that is in the way of another moves to the hash; what is
 * still here when the epoch is retired, user space adds to what the hash holds.
 */
struct narrow_slot {
	struct narrow_key key;
	struct flow_counters counters;
};

struct wide_slot {
	struct wide_key key;
	struct flow_counters counters;
};

/*
 * Places of either cache per CPU, and how many of them are used, minus one (a power of two minus one; 0: no cache). The
 * number of places is fixed here because programs check an index against the inner map they were verified with.
 */
#define CACHE_PLACES 2048
const volatile u32 cache_mask = CACHE_PLACES - 1;

EPOCH_MAP(narrow_cache, BPF_MAP_TYPE_PERCPU_ARRAY, u32, struct narrow_slot, CACHE_PLACES);
EPOCH_MAP(wide_cache, BPF_MAP_TYPE_PERCPU_ARRAY, u32, struct wide_slot, CACHE_PLACES);

/* Entries are set by user space before load; these are the defaults. Preallocated: a new flow costs no allocation. */
EPOCH_MAP(narrow, BPF_MAP_TYPE_HASH, struct narrow_key, struct flow_counters, 131072);
EPOCH_MAP(wide, BPF_MAP_TYPE_HASH, struct wide_key, struct flow_counters, 65536);
EPOCH_MAP(deep, BPF_MAP_TYPE_HASH, struct deep_key, struct flow_counters, 4096);
EPOCH_MAP(overflow, BPF_MAP_TYPE_HASH, struct wide_key, struct flow_counters, 4096);
EPOCH_MAP(ledger, BPF_MAP_TYPE_HASH, struct ledger_key, struct ledger_counters, 4096);
/* A point's place is its low bits; who finds another point there goes to the hash (30 ns slower). */
#define SEEN_PLACES 256
EPOCH_MAP(seen, BPF_MAP_TYPE_PERCPU_ARRAY, u32, struct seen_counters, SEEN_PLACES);
EPOCH_MAP(seen_crowded, BPF_MAP_TYPE_PERCPU_HASH, u32, struct seen_counters, 2048);

/* Per CPU: the packet being parsed. In a map, not on the stack: the verifier need not follow its contents. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct packet);
} scratch SEC(".maps");

/* Shared with user space, which maps this memory. */
struct control {
	u64 epoch;	  /* raised by user space; its parity names the maps in use */
	u64 jiffies;	  /* ts_clock: one reading of both clocks */
	u64 monotonic_ns;
};
volatile struct control control;

/* Counts a packet in `map`. 0, or the error that says there is no room. */
static __always_inline long account(void *map, const void *key, const struct packet *p,
				    const struct measure *m)
{
	struct flow_counters *found, fresh;
	long error;

	found = bpf_map_lookup_elem(map, key);
	if (!found) {
		first_counts(&fresh, p, m);
		error = bpf_map_update_elem(map, key, &fresh, BPF_NOEXIST);
		if (!error)
			return 0;
		if (error != -EEXIST)
			return error;
		/* Another CPU was first. */
		found = bpf_map_lookup_elem(map, key);
		if (!found)
			return error;
	}
	add_counts(found, p, m);
	return 0;
}

/* A sum of products: cheap, and every word of the key counts. Colliding flows cost time, never a packet. */
static __always_inline u32 place_of(const u64 *words, int count)
{
	const u64 factors[] = {
		0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb, 0xd6e8feb86659fd93,
		0xa0761d6478bd642f, 0xe7037ed1a0b428db, 0x8ebc6af09c88c6e3, 0x589965cc75374cc3,
		0x1d8e4e27c47d124f, 0xeb44accab455d165, 0x9c6e6877736c46e3,
	};
	u64 sum = 0;

#pragma clang loop unroll(full)
	for (int i = 0; i < count; i++)
		sum += words[i] * factors[i];
	return (u32)(sum >> 40) & cache_mask;
}

static __always_inline int same_words(const u64 *a, const u64 *b, int count)
{
	u64 difference = 0;

#pragma clang loop unroll(full)
	for (int i = 0; i < count; i++)
		difference |= a[i] ^ b[i];
	return !difference;
}

/* Adds a cached record to the hash. 0, or the error that says there is no room. */
static __always_inline long move_to_hash(void *map, const void *key, const struct flow_counters *from)
{
	struct flow_counters *to = bpf_map_lookup_elem(map, key);
	long error;

	if (!to) {
		error = bpf_map_update_elem(map, key, from, BPF_NOEXIST);
		if (error != -EEXIST)
			return error;
		to = bpf_map_lookup_elem(map, key);
		if (!to)
			return error;
	}
	__sync_fetch_and_add(&to->octets, from->octets);
	__sync_fetch_and_add(&to->packets, from->packets);
	__sync_fetch_and_add(&to->payload_octets, from->payload_octets);
	__sync_fetch_and_add(&to->extra_octets, from->extra_octets);
	__sync_fetch_and_add(&to->extra_packets, from->extra_packets);
	if ((int)(from->first - to->first) < 0) {
		to->first = from->first;
		to->outer_source_port = from->outer_source_port;
		to->dscp = from->dscp;
		copy_macs(to->mac, from->mac);
	}
	if ((int)(from->last - to->last) > 0)
		to->last = from->last;
	if (from->longest > to->longest)
		to->longest = from->longest;
	if (from->shortest < to->shortest)
		to->shortest = from->shortest;
	if (from->tcp_flags & ~to->tcp_flags)
		to->tcp_flags |= from->tcp_flags;
	return 0;
}

/*
 * account_SHAPE(): counts a packet in the cache of its shape, or in the hash where the cache is off or the record in the
 * way finds no room in the hash. 0, or the error that says there is no room.
 */
#define ACCOUNT_CACHED(shape)                                                                      \
	static __always_inline long account_##shape(u32 parity, const u64 *words,                 \
						    const struct packet *p, const struct measure *m) \
	{                                                                                          \
		const int count = sizeof(struct shape##_key) / 8;                                  \
		void *map = bpf_map_lookup_elem(&shape, &parity);                                  \
		void *cache = bpf_map_lookup_elem(&shape##_cache, &parity);                        \
		struct shape##_slot *slot;                                                         \
		u32 place;                                                                         \
                                                                                                   \
		if (!map || !cache)                                                                \
			return -1;                                                                 \
		if (!cache_mask)                                                                   \
			return account(map, words, p, m);                                          \
		place = place_of(words, count);                                                    \
		slot = bpf_map_lookup_elem(cache, &place);                                         \
		if (!slot)                                                                         \
			return account(map, words, p, m);                                          \
		if (same_words((const u64 *)&slot->key, words, count)) {                           \
			add_counts_here(&slot->counters, p, m);                                    \
			return 0;                                                                  \
		}                                                                                  \
		if (slot->counters.packets && move_to_hash(map, &slot->key, &slot->counters))      \
			return account(map, words, p, m);                                          \
		__builtin_memcpy(&slot->key, words, sizeof(slot->key));                            \
		first_counts(&slot->counters, p, m);                                               \
		return 0;                                                                          \
	}

ACCOUNT_CACHED(narrow)
ACCOUNT_CACHED(wide)

static __always_inline void write_ledger(u32 parity, const struct packet *p, enum reason reason,
					 u64 octets, struct seen_counters *seen_here)
{
	struct ledger_key key = {
		.point = p->labels.point,
		.reason = (u16)reason,
		.level = p->level,
	};
	struct ledger_counters fresh = { .packets = 1, .octets = octets };
	struct ledger_counters *line;
	void *map = bpf_map_lookup_elem(&ledger, &parity);

	if (!map)
		return;
	line = bpf_map_lookup_elem(map, &key);
	if (!line) {
		if (!bpf_map_update_elem(map, &key, &fresh, BPF_NOEXIST))
			return;
		line = bpf_map_lookup_elem(map, &key);
	}
	if (line) {
		__sync_fetch_and_add(&line->packets, 1);
		__sync_fetch_and_add(&line->octets, octets);
	} else if (seen_here) {
		seen_here->unledgered_packets++;
		seen_here->unledgered_octets += octets;
	}
}

/* Where another point has the place: a per-CPU hash. */
static __always_inline struct seen_counters *crowded_place(u32 parity, u32 point)
{
	struct seen_counters fresh = { .point = point };
	struct seen_counters *here;
	void *map = bpf_map_lookup_elem(&seen_crowded, &parity);

	if (!map)
		return 0;
	here = bpf_map_lookup_elem(map, &point);
	if (here)
		return here;
	/* If another CPU is first, this CPU's part of its entry is zero as well. */
	bpf_map_update_elem(map, &point, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(map, &point);
}

/* Before anything else: the packet was here. Per CPU and with interrupts of our kind off, so no atomics. */
static __always_inline struct seen_counters *count_seen(u32 parity, u32 point, u64 octets)
{
	u32 place = point & (SEEN_PLACES - 1);
	struct seen_counters *here;
	void *map = bpf_map_lookup_elem(&seen, &parity);

	if (!map)
		return 0;
	here = bpf_map_lookup_elem(map, &place);
	if (!here)
		return 0;
	if (here->point != point) {
		if (here->point) {
			here = crowded_place(parity, point);
			if (!here)
				return 0;
		}
		here->point = point;
	}
	here->packets++;
	here->octets += octets;
	return here;
}

static __always_inline enum reason parse_skb(struct __sk_buff *skb, struct packet *p, u32 point)
{
	enum reason reason = REASON_NONE;

#pragma clang loop unroll(disable)
	for (int attempt = 0; attempt < 2; attempt++) {
		const struct window w = {
			.data = (const u8 *)(long)skb->data,
			.end = (const u8 *)(long)skb->data_end,
			.vxlan_ports = vxlan_ports,
		};

		packet_reset(p, point, skb->len);
		if (skb->vlan_present)
			add_vlan(p, (u16)skb->vlan_tci);
		reason = parse_packet(&w, p);
		if (reason == REASON_NONE && !(p->labels.traits & TRAIT_NOT_TUNNEL))
			break;
		/* Was it the packet, or only the linear part that ended? */
		if (attempt || (u64)(w.end - w.data) >= skb->len)
			break;
		if (bpf_skb_pull_data(skb, skb->len < PULL_OCTETS ? skb->len : PULL_OCTETS))
			break;
	}
	return reason;
}

static __always_inline int meter(struct __sk_buff *skb, u32 direction)
{
	u32 parity = (u32)control.epoch & 1, zero = 0;
	u32 point = skb->ifindex << 1 | direction;
	struct seen_counters *seen_here;
	struct measure m = { .octets = skb->len };
	u64 words[DEEP_WORDS];
	struct packet *p;
	enum reason reason;
	void *map;
	long error;

	seen_here = count_seen(parity, point, m.octets);
	p = bpf_map_lookup_elem(&scratch, &zero);
	if (!p)
		return TC_ACT_UNSPEC;
	reason = parse_skb(skb, p, point);
	if (reason != REASON_NONE) {
		write_ledger(parity, p, reason, m.octets, seen_here);
		return TC_ACT_UNSPEC;
	}
	measure_wire(skb, p, &m);
	if (p->level < 2 && is_narrow(p->labels.network)) {
		narrow_words(words, p);
		error = account_narrow(parity, words, p, &m);
		if (!error)
			return TC_ACT_UNSPEC;
		deep_words(words, p);
	} else {
		deep_words(words, p);
		if (p->level < 2) {
			error = account_wide(parity, words, p, &m);
		} else {
			map = bpf_map_lookup_elem(&deep, &parity);
			error = map ? account(map, words, p, &m) : -1;
		}
		if (!error)
			return TC_ACT_UNSPEC;
	}
	overflow_key((struct wide_key *)words);
	map = bpf_map_lookup_elem(&overflow, &parity);
	if (!map || account(map, words, p, &m))
		write_ledger(parity, p, OVERFLOW_FULL, m.octets, seen_here);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int ts_ingress(struct __sk_buff *skb)
{
	return meter(skb, 0);
}

SEC("tc")
int ts_egress(struct __sk_buff *skb)
{
	return meter(skb, 1);
}

/* Reads both clocks, so that user space can turn jiffies into time. Run by BPF_PROG_TEST_RUN, never attached. */
SEC("tc")
int ts_clock(struct __sk_buff *skb __attribute__((unused)))
{
	control.jiffies = bpf_jiffies64();
	control.monotonic_ns = bpf_ktime_get_ns();
	return 0;
}

/* Types user space needs that no map names. */
struct labels *unused_labels __attribute__((unused));
struct addresses *unused_addresses __attribute__((unused));
struct control *unused_control __attribute__((unused));
enum reason *unused_reason __attribute__((unused));
enum network *unused_network __attribute__((unused));
enum tunnel *unused_tunnel __attribute__((unused));
enum trait *unused_trait __attribute__((unused));

char LICENSE[] SEC("license") = "Dual BSD/GPL";
