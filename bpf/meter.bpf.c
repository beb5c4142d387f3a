// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The meter: accounts every packet at an interface, both directions, by outer addresses, tunnel, VNI and inner flow.
 *
 * It observes: TC_ACT_UNSPEC on every path, no packet is altered. Per observation point and epoch
 *     seen = flow records + overflow records + ledger        (packets and octets)
 *
 * Where there are rules, what fits none of them is a line of the ledger.
 *
 * All maps of an epoch are doubled. A packet reads the epoch once and uses the maps of its parity, so that all its
 * counts fall into one epoch. User space raises it, then updates an element of an array of maps, which makes
 * the kernel wait until no program runs that could have read the old value: the retired maps are final.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "biflow_table.h"
#include "flow_counters.h"
#include "flow_table.h"
#include "fragments.h"
#include "parse.h"
#include "rules.h"

#define TC_ACT_UNSPEC (-1)
#define EEXIST 17

/* What UDP destination ports carry (enum port_use), kept up to date by user space in mapped memory. */
u8 tunnel_ports[65536];

/* GRE with a key and an Ethernet frame inside is NVGRE, which looks the same as a keyed gretap. */
const volatile u8 nvgre;

/* Octets pulled into the linear part when headers lie in fragments: the farthest place and a header. */
#define PULL_OCTETS (MAX_OFFSET + 64)

struct seen_counters {
	u32 point; /* whose these are; 0: nobody's yet */
	u32 pad;
	u64 packets;
	u64 octets;
	u64 unledgered_packets; /* found no place in the ledger */
	u64 unledgered_octets;
	u64 excluded_packets; /* by the rules; as a record would have them */
	u64 excluded_octets;
	u64 excluded_extra_packets;
	u64 excluded_extra_octets;
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
 * Per-CPU flow cache in front of the table: a record's place follows from its key. Nobody else writes there, so it needs
 * no atomics. The record that is in the way of another moves to the table; what is still here when the epoch is retired,
 * user space adds to what the table holds.
 */
struct narrow_slot {
	u64 hash;
	u64 rivals; /* packets of others that found it here */
	struct narrow_key key;
	struct flow_counters counters;
};

struct wide_slot {
	u64 hash;
	u64 rivals; /* packets of others that found it here */
	struct wide_key key;
	struct flow_counters counters;
};

/* Places of either cache. How many are used, minus one (a power of two minus one; 0: no cache), says cache_mask. */
#define CACHE_PLACES 2048
const volatile u32 cache_mask = CACHE_PLACES - 1;

/* A point's place is its low bits; who finds another point there goes to a hash (30 ns slower). */
#define SEEN_PLACES 256

/* All that a CPU has for itself, in one map value: a packet costs one lookup. What is doubled goes by parity. */
struct cpu_area {
	struct adder adder;
	struct biflow_scratch biflow;
	struct seen_counters seen[2][SEEN_PLACES];
	struct narrow_slot narrow[2][CACHE_PLACES];
	struct wide_slot wide[2][CACHE_PLACES];
} __attribute__((aligned(4096)));

/* One per CPU there may be, set by user space. */
MAPPED_ARRAY(cpu_areas, struct cpu_area, 1);

/* Entries are set by user space before load; these are the defaults. */
EPOCH_MAP(overflow, BPF_MAP_TYPE_HASH, struct wide_key, struct flow_counters, 4096);
EPOCH_MAP(ledger, BPF_MAP_TYPE_HASH, struct ledger_key, struct ledger_counters, 4096);
EPOCH_MAP(seen_crowded, BPF_MAP_TYPE_PERCPU_HASH, u32, struct seen_counters, 2048);

/* Shared with user space, which maps this memory. */
struct control {
	u64 epoch;	  /* raised by user space; its parity names the maps in use */
	u64 jiffies;	  /* ts_clock: one reading of both clocks */
	u64 monotonic_ns;
	u64 rules[2]; /* generation of the rules of each parity of the epoch; 0: everything is kept */
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

/* Whether the flow of this key and hash has a row that can be found. Global functions, as parse_any() below. */
#define HAS_ROW(shape)                                                                             \
	__noinline int has_row_##shape(struct __sk_buff *skb, u64 epoch, u64 hash)                 \
	{                                                                                          \
		u32 cpu = bpf_get_smp_processor_id();                                              \
		struct cpu_area *area = bpf_map_lookup_elem(&cpu_areas, &cpu);                     \
                                                                                                   \
		return skb && area && has_##shape(epoch, hash, area->adder.words);                 \
	}

HAS_ROW(narrow)
HAS_ROW(wide)

/*
 * Whether the rules of the epoch exclude the packet whose key and hash these are.
 * What the epoch already has a row for was kept.
 */
__noinline int is_excluded(struct __sk_buff *skb, u64 epoch, u64 hash, u32 shape)
{
	u32 cpu = bpf_get_smp_processor_id(), bits = verdict_bits & 31, is_wide = shape == SHAPE_WIDE;
	u64 stamp = control.rules[epoch & 1] << 2 | is_wide << 1;
	u32 at = (cpu << bits | (u32)(hash >> 32) >> (32 - bits)) & ~is_wide;
	struct cpu_area *area = bpf_map_lookup_elem(&cpu_areas, &cpu);
	struct verdict *known = verdict_place(at), *rest = known;
	const u64 *words;
	int is_kept;

	if (is_wide)
		rest = verdict_place(at | 1);
	if (!skb || !area || !known || !rest)
		return 0;
	words = area->adder.words;
	if ((known->stamp & ~1ull) == stamp && rest->stamp == known->stamp &&
	    same_words(known->words, words, sizeof(struct narrow_key) / 8) &&
	    (!is_wide || (same_words(known->words, words, VERDICT_WORDS) &&
			  same_words(rest->words, words + VERDICT_WORDS, VERDICT_WORDS))))
		return !(known->stamp & 1);
	is_kept = is_wide ? has_row_wide(skb, epoch, hash) : has_row_narrow(skb, epoch, hash);
	if (!is_kept)
		is_kept = fits_any_rule(skb, (u32)epoch & 1, &area->adder.packet);
	/* The rest of a narrow key's words is of another packet, and is not compared. */
	__builtin_memcpy(known->words, words, sizeof(known->words));
	if (is_wide)
		__builtin_memcpy(rest->words, words + VERDICT_WORDS, sizeof(rest->words));
	rest->stamp = known->stamp = stamp | !!is_kept;
	return !is_kept;
}

#define NO_ROOM (-1)
#define NOT_KEPT 1

/*
 * account_SHAPE(): counts a packet in the cache of its shape, or in the table where the cache is off or the record in the
 * way finds no row. A packet whose flow is in the cache was judged before; for any other the rules are asked, if there are
 * any. 0, or NO_ROOM, or NOT_KEPT.
 */
#define ACCOUNT_CACHED(shape, SHAPE)                                                                    \
	static __always_inline int account_##shape(struct __sk_buff *skb, struct cpu_area *area, u64 epoch) \
	{                                                                                          \
		const int count = sizeof(struct shape##_key) / 8;                                  \
		const u64 *words = area->adder.words;                                              \
		const struct measure *m = &area->adder.measure;                                    \
		u64 hash = hash_words(words, count);                                               \
		struct shape##_slot *slot =                                                        \
			&area->shape[epoch & 1][hash >> 40 & cache_mask & (CACHE_PLACES - 1)];     \
                                                                                                   \
		if (cache_mask && same_words((const u64 *)&slot->key, words, count)) {             \
			add_counts_here(&slot->counters, &area->adder.packet, m);                  \
			return 0;                                                                  \
		}                                                                                  \
		if (control.rules[epoch & 1] && is_excluded(skb, epoch, hash, SHAPE))              \
			return NOT_KEPT;                                                           \
		if (cache_mask) {                                                                  \
			if (!slot->counters.packets ||                                             \
			    (++slot->rivals > slot->counters.packets &&                            \
			     !add_##shape(&area->adder, epoch, slot->hash, (const u64 *)&slot->key, \
					 &slot->counters))) {                                      \
				slot->hash = hash;                                                 \
				slot->rivals = 0;                                                  \
				__builtin_memcpy(&slot->key, words, sizeof(slot->key));            \
				first_counts(&slot->counters, &area->adder.packet, m);             \
				return 0;                                                          \
			}                                                                          \
		}                                                                                  \
		return add_##shape(&area->adder, epoch, hash, words, 0);                           \
	}

ACCOUNT_CACHED(narrow, SHAPE_NARROW)
ACCOUNT_CACHED(wide, SHAPE_WIDE)

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

/* Counts a packet that the rules do not want. */
static __always_inline void write_excluded(u32 parity, const struct packet *p, const struct measure *m,
					   struct seen_counters *seen_here)
{
	if (!seen_here) {
		write_ledger(parity, p, EXCLUDED, m->octets, 0);
		return;
	}
	seen_here->excluded_packets++;
	seen_here->excluded_octets += m->octets;
	seen_here->excluded_extra_packets += m->extra_packets;
	seen_here->excluded_extra_octets += m->extra_octets;
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
static __always_inline struct seen_counters *count_seen(struct cpu_area *area, u64 epoch,
							u32 point, u64 octets)
{
	struct seen_counters *here = &area->seen[epoch & 1][point & (SEEN_PLACES - 1)];

	if (here->point != point && here->point)
		here = crowded_place((u32)epoch & 1, point);
	if (!here)
		return 0;
	here->point = point;
	here->packets++;
	here->octets += octets;
	return here;
}

static __always_inline struct window window_of(const struct __sk_buff *skb)
{
	return (struct window){
		.data = (const u8 *)(long)skb->data,
		.end = (const u8 *)(long)skb->data_end,
		.ports = tunnel_ports,
		.nvgre = nvgre,
	};
}

/*
 * Any packet, into its CPU's area; an enum reason. One without an Ethernet header has its ethertype in words[0], and in
 * words[1] where it begins. A global function: the verifier looks at it once, and what follows a call does not multiply
 * with the ways through it.
 */
__noinline int parse_any(struct __sk_buff *skb, u32 point, u32 is_bare)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct cpu_area *area = bpf_map_lookup_elem(&cpu_areas, &cpu);
	enum reason reason = REASON_NONE;
	struct packet *p;

	if (!area) /* never: the caller has it */
		return HEADER_OFFSET;
	p = &area->adder.packet;
#pragma clang loop unroll(disable)
	for (int attempt = 0; attempt < 2; attempt++) {
		const struct window w = window_of(skb);

		begin_packet(p, point, skb->len, skb->vlan_present, (u16)skb->vlan_tci);
		if (is_bare) {
			begin_bare(p, (u16)area->adder.words[0]);
			consume(p, (u32)area->adder.words[1]);
		}
		reason = parse_general(&w, p);
		/* Did the packet end, or only its linear part? */
		if (!p->is_cut || attempt || (u64)(w.end - w.data) >= skb->len)
			break;
		if (bpf_skb_pull_data(skb, skb->len < PULL_OCTETS ? skb->len : PULL_OCTETS))
			break;
	}
	return reason;
}

/* bpf_skb_load_bytes_relative() reads no octet behind this one. */
#define MAX_RELATIVE 0xffff
/* Octets in front of the network header are looked for among fewer than 1 << FRONT_BITS. */
#define FRONT_BITS 8

/* 0: the linear part holds the octet that lies so far behind the network header (or that header, where < 0); else 1. */
static __always_inline u32 lacks_octet(struct __sk_buff *skb, int offset)
{
	u8 octet;

	offset &= ~(offset >> 31);
	return (u32)bpf_skb_load_bytes_relative(skb, (u32)offset, &octet, 1, BPF_HDR_START_NET) >> 31;
}

/*
 * Octets in front of the network header. At a device without Ethernet headers they are what is left of the headers by
 * which the packet came: before Linux 5.14 from the outermost on, since then with GRE to any peer. No field says how
 * many; but the linear part has one end, and from the network header on so many octets fewer can be read. The search
 * has no branches: to the verifier it is one way.
 */
static __always_inline u32 front_octets(struct __sk_buff *skb)
{
	const struct window w = window_of(skb);
	u64 linear = (u64)(w.end - w.data), last;
	u32 octets = 0;

	/* Else clang subtracts with other operations: "bitwise operator ^= on pointer prohibited". */
	__asm__ volatile("" : "+r"(linear));
	last = linear - 1;
	if (last > MAX_RELATIVE || !lacks_octet(skb, (int)last))
		return 0;
#pragma clang loop unroll(full)
	for (int bit = FRONT_BITS - 1; bit >= 0; bit--)
		octets += lacks_octet(skb, (int)last - (int)octets - (1 << bit) + 1) << bit;
	return octets < (1u << FRONT_BITS) - 1 ? octets : 0;
}

static __always_inline enum reason parse_skb(struct __sk_buff *skb, struct cpu_area *area, u32 point,
					     int is_bare, u32 front)
{
	struct packet *p = &area->adder.packet;
	const struct window w = window_of(skb);

	if (is_bare) {
		area->adder.words[0] = __builtin_bswap16((u16)skb->protocol);
		area->adder.words[1] = front;
		return parse_any(skb, point, 1);
	}
	begin_packet(p, point, skb->len, skb->vlan_present, (u16)skb->vlan_tci);
	return parse_common(&w, p) ? REASON_NONE : parse_any(skb, point, 0);
}

/* First pieces, which come to one CPU and the others maybe to another. */
struct guarded_set {
	struct bpf_spin_lock lock;
	u32 pad;
	struct fragment_set set;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FRAGMENT_SETS);
	__type(key, u32);
	__type(value, struct guarded_set);
} fragments SEC(".maps");

/* A packet in pieces, which stands in its CPU's area. A global function, as parse_any(). */
__noinline int join_fragment(struct __sk_buff *skb)
{
	u32 cpu = bpf_get_smp_processor_id(), second = (u32)(bpf_ktime_get_ns() / 1000000000), place;
	struct cpu_area *area = bpf_map_lookup_elem(&cpu_areas, &cpu);
	struct guarded_set *guarded;
	struct packet *p;
	u64 *words;

	if (!area || !skb)
		return 0;
	p = &area->adder.packet;
	words = area->adder.words;
	datagram_words(words, p);
	place = fragment_place(words);
	guarded = bpf_map_lookup_elem(&fragments, &place);
	if (!guarded)
		return 0;
	bpf_spin_lock(&guarded->lock);
	join_fragments(&guarded->set, p, words, second);
	bpf_spin_unlock(&guarded->lock);
	return 0;
}

/* Where sequence numbers are read from. */
struct payload {
	struct __sk_buff *skb;
};

PARSE_INLINE int load_payload(const struct payload *from, u32 at, void *to, u32 octets)
{
	u32 less = octets - 1;

	if (__builtin_constant_p(octets))
		return bpf_skb_load_bytes(from->skb, at, to, octets);
	__asm__ volatile("%0 &= %1" : "+r"(less) : "i"(CHUNK_OCTETS - 1));
	return bpf_skb_load_bytes(from->skb, at, to, less + 1);
}

/* What a CPU needs for the packet in hand; a global function has to look for it again. */
static __always_inline struct biflow_scratch *scratch_here(void)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct cpu_area *area = bpf_map_lookup_elem(&cpu_areas, &cpu);

	return area ? &area->biflow : 0;
}

/* A global function, as parse_any(); so is the next. */
__noinline int search_found(u32 octets, u32 pattern)
{
	struct biflow_scratch *scratch = scratch_here();

	return scratch ? search_chunk(scratch->found.chunk, octets, pattern) : -1;
}

PARSE_INLINE int find_pattern(const struct sequence_found *found __attribute__((unused)), u32 octets,
			      u32 pattern)
{
	return search_found(octets, pattern);
}

__noinline int find_number(struct __sk_buff *skb)
{
	struct biflow_scratch *scratch = scratch_here();
	const struct payload from = { .skb = skb };

	if (!scratch || !skb)
		return 0;
	return find_step(&from, skb->len, &scratch->found, &sequence_settings, &scratch->observed);
}

PARSE_INLINE int find_next(const struct payload *from, u32 readable __attribute__((unused)),
			   struct sequence_found *found __attribute__((unused)),
			   const volatile struct sequence_settings *settings __attribute__((unused)),
			   const struct observed *o __attribute__((unused)))
{
	return find_number(from->skb);
}

/* Sequence numbers of the packet in hand. A global function, as parse_any(). */
__noinline int find_numbers(struct __sk_buff *skb)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct cpu_area *area = bpf_map_lookup_elem(&cpu_areas, &cpu);
	const struct payload from = { .skb = skb };
	const struct labels *labels;

	if (!area || !skb || !(measured & MEASURE_SEQUENCE))
		return 0;
	labels = &area->adder.packet.labels;
	find_sequences(&from, skb->len, &area->biflow.found, &sequence_settings, &area->biflow.observed,
		       labels->source_port, labels->destination_port);
	return 0;
}

/* The packet in hand as measurements see it: 1, or 0: they do not. A global function, as parse_any(). */
__noinline int observe_packet(struct __sk_buff *skb, u32 parity)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct cpu_area *area = bpf_map_lookup_elem(&cpu_areas, &cpu);

	if (!measured || !area || !skb || !has_biflow(&area->adder.packet))
		return 0;
	observe(skb, &area->biflow, &area->adder, parity);
	return 1;
}

/* ... and in its biflow. */
__noinline int measure_packet(struct __sk_buff *skb)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct cpu_area *area = bpf_map_lookup_elem(&cpu_areas, &cpu);

	if (!measured || !area || !skb)
		return 0;
	if (measure_in_row(&area->biflow, &area->adder.packet))
		area->biflow.unmeasured[area->biflow.observed.parity & 1]++;
	return 0;
}

/*
 * Counts the packet in hand in its flow, or in its tunnel's overflow record. 0, or NO_ROOM: neither has any, or NOT_KEPT: the
 * rules exclude it.
 */
static __always_inline int account_packet(struct __sk_buff *skb, struct cpu_area *area, u64 epoch)
{
	struct packet *p = &area->adder.packet;
	u64 *words = area->adder.words;
	u32 parity = (u32)epoch & 1;
	void *map;
	int error;

	if (is_narrow(p)) {
		narrow_words(words, p);
		FORGET();
		error = account_narrow(skb, area, epoch);
		if (error != NO_ROOM)
			return error;
		wide_words(words, p);
	} else {
		wide_words(words, p);
		FORGET();
		error = account_wide(skb, area, epoch);
		if (error != NO_ROOM)
			return error;
	}
	overflow_key((struct wide_key *)words);
	map = bpf_map_lookup_elem(&overflow, &parity);
	return map && !account(map, words, p, &area->adder.measure) ? 0 : NO_ROOM;
}

static __always_inline int meter(struct __sk_buff *skb, u32 direction, int is_bare)
{
	u64 epoch = control.epoch;
	u32 parity = (u32)epoch & 1, cpu = bpf_get_smp_processor_id();
	u32 point = skb->ifindex << 1 | direction, octets = skb->len, front = 0;
	struct seen_counters *seen_here;
	struct cpu_area *area = bpf_map_lookup_elem(&cpu_areas, &cpu);
	struct packet *p;
	enum reason reason;
	int error;

	if (!area)
		return TC_ACT_UNSPEC;
	if (is_bare) {
		front = front_octets(skb);
		octets -= front;
	}
	seen_here = count_seen(area, epoch, point, octets);
	p = &area->adder.packet;
	reason = parse_skb(skb, area, point, is_bare, front);
	if (reason != REASON_NONE) {
		write_ledger(parity, p, reason, octets, seen_here);
		return TC_ACT_UNSPEC;
	}
	FORGET();
	if (p->labels.traits & (TRAIT_FRAGMENT | TRAIT_LATER_FRAGMENT))
		join_fragment(skb);
	measure_wire(skb, front, p, &area->adder.measure);
	FORGET();
	error = account_packet(skb, area, epoch);
	if (error == NOT_KEPT) {
		write_excluded(parity, p, &area->adder.measure, seen_here);
		return TC_ACT_UNSPEC;
	}
	if (error)
		write_ledger(parity, p, OVERFLOW_FULL, octets, seen_here);
	if (measured && observe_packet(skb, parity)) {
		if (measured & MEASURE_SEQUENCE)
			find_numbers(skb);
		measure_packet(skb);
	}
	return TC_ACT_UNSPEC;
}

SEC("tc")
int ts_ingress(struct __sk_buff *skb)
{
	return meter(skb, 0, 0);
}

SEC("tc")
int ts_egress(struct __sk_buff *skb)
{
	return meter(skb, 1, 0);
}

/* The same at devices whose packets begin with IP (tun, wireguard, ipip, ...). */
SEC("tc")
int ts_ingress_bare(struct __sk_buff *skb)
{
	return meter(skb, 0, 1);
}

SEC("tc")
int ts_egress_bare(struct __sk_buff *skb)
{
	return meter(skb, 1, 1);
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
struct narrow_key *unused_narrow_key __attribute__((unused));
struct way_counts *unused_way_counts __attribute__((unused));
struct arrivals_state *unused_arrivals_state __attribute__((unused));
struct arrivals_counts *unused_arrivals_counts __attribute__((unused));
struct biflow_settings *unused_biflow_settings __attribute__((unused));
struct sequence_settings *unused_sequence_settings __attribute__((unused));
struct sequence_rule *unused_sequence_rule __attribute__((unused));
struct tcp_state *unused_tcp_state __attribute__((unused));
struct tcp_counts *unused_tcp_counts __attribute__((unused));
struct numbered_counts *unused_numbered_counts __attribute__((unused));
struct numbered_state *unused_numbered_state __attribute__((unused));
enum sequence_form *unused_sequence_form __attribute__((unused));
enum connection_close *unused_connection_close __attribute__((unused));
enum connection_trait *unused_connection_trait __attribute__((unused));
enum measurement *unused_measurement __attribute__((unused));
struct rule_line *unused_rule_line __attribute__((unused));
struct rule_page *unused_rule_page __attribute__((unused));
struct verdict *unused_verdict __attribute__((unused));
struct rule_header *unused_rule_header __attribute__((unused));
struct rule_use *unused_rule_use __attribute__((unused));
struct rule_tree *unused_rule_tree __attribute__((unused));
struct rule_row *unused_rule_row __attribute__((unused));
enum rule_field *unused_rule_field __attribute__((unused));
struct stack *unused_stack __attribute__((unused));
struct narrow_slot *unused_narrow_slot __attribute__((unused));
struct wide_slot *unused_wide_slot __attribute__((unused));
enum reason *unused_reason __attribute__((unused));
enum network *unused_network __attribute__((unused));
enum tunnel *unused_tunnel __attribute__((unused));
enum mark *unused_mark __attribute__((unused));
enum port_use *unused_port_use __attribute__((unused));
enum trait *unused_trait __attribute__((unused));
enum shape *unused_shape __attribute__((unused));

char LICENSE[] SEC("license") = "Dual BSD/GPL";
