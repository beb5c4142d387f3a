// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The account of sequence numbers in the kernel: one way, in one map value behind a lock. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "parse.h"
#include "biflow/sequence_notes.h"

#define TC_ACT_SHOT 2

struct payload {
	struct __sk_buff *skb;
};

/* What find_pattern() looks at; of the CPU, as the search runs before any lock. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct sequence_found);
} founds SEC(".maps");

struct observed_packet {
	struct observed observed;
	u16 source_port;
	u16 destination_port;
	u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct observed_packet);
} observed_packets SEC(".maps");

struct account {
	struct bpf_spin_lock lock;
	u32 pad;
	u64 time_ns; /* 0: the clock */
	struct numbered_state state;
	struct numbered_counts counts[HALVES];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct account);
} accounts SEC(".maps");

const volatile struct sequence_settings settings = { .threshold = 2 };
/* Each packet of so many is dropped before it is looked at; 0: none. */
const volatile u32 drop_every;
u32 met;
volatile u32 parity;
volatile u64 scattered; /* packets of which not all can be read at once */
volatile u64 super;	/* with segments */

PARSE_INLINE int load_payload(const struct payload *from, u32 at, void *to, u32 octets)
{
	u32 less = octets - 1;

	if (__builtin_constant_p(octets))
		return bpf_skb_load_bytes(from->skb, at, to, octets);
	__asm__ volatile("%0 &= %1" : "+r"(less) : "i"(CHUNK_OCTETS - 1));
	return bpf_skb_load_bytes(from->skb, at, to, less + 1);
}

__noinline int search_found(u32 octets, u32 pattern)
{
	u32 zero = 0;
	struct sequence_found *found = bpf_map_lookup_elem(&founds, &zero);

	return found ? search_chunk(found->chunk, octets, pattern) : -1;
}

PARSE_INLINE int find_pattern(const struct sequence_found *found, u32 octets, u32 pattern)
{
	(void)found;
	return search_found(octets, pattern);
}

__noinline int find_number(struct __sk_buff *skb)
{
	u32 zero = 0;
	struct sequence_found *found = bpf_map_lookup_elem(&founds, &zero);
	struct observed_packet *packet = bpf_map_lookup_elem(&observed_packets, &zero);
	const struct payload from = { .skb = skb };

	if (!found || !packet)
		return 0;
	return find_step(&from, skb->len, found, &settings, &packet->observed);
}

PARSE_INLINE int find_next(const struct payload *from, u32 readable, struct sequence_found *found,
			   const volatile struct sequence_settings *to, const struct observed *o)
{
	(void)readable, (void)found, (void)to, (void)o;
	return find_number(from->skb);
}

__noinline int find_numbers(struct __sk_buff *skb)
{
	u32 zero = 0;
	struct sequence_found *found = bpf_map_lookup_elem(&founds, &zero);
	struct observed_packet *packet = bpf_map_lookup_elem(&observed_packets, &zero);
	const struct payload from = { .skb = skb };

	if (!found || !packet)
		return 0;
	find_sequences(&from, skb->len, found, &settings, &packet->observed, packet->source_port,
		       packet->destination_port);
	return 0;
}

/* Headers of frames without tunnels; what is more is the parser's. */
static __always_inline int observe(struct __sk_buff *skb, struct observed_packet *to)
{
	struct observed *o = &to->observed;
	u8 head[64];
	u32 at = 34, size = skb->gso_size;

	if (bpf_skb_load_bytes(skb, 0, head, 42))
		return 0;
	o->protocol = head[23];
	if (load16(head + 12) == 0x86dd) {
		at = 54;
		o->protocol = head[20];
		if (bpf_skb_load_bytes(skb, at, head + 34, 8))
			return 0;
	}
	to->source_port = load16(head + 34);
	to->destination_port = load16(head + (o->protocol == 17 ? 36 : 34));
	o->traits = OBSERVED_HEADER;
	o->payload_offset = at + 8;
	o->payload = skb->len - at - 8;
	o->segment = o->payload;
	o->stride = 0;
	o->packets = 1;
	if (size && o->payload > size) {
		o->segment = o->stride = size;
		o->packets = (o->payload + size - 1) / size;
		super++;
	}
	return o->protocol == 17 || o->protocol == 1 || o->protocol == 58;
}

SEC("tc")
int look(struct __sk_buff *skb)
{
	u32 zero = 0;
	struct observed_packet *packet = bpf_map_lookup_elem(&observed_packets, &zero);
	struct sequence_found *found = bpf_map_lookup_elem(&founds, &zero);
	struct account *account = bpf_map_lookup_elem(&accounts, &zero);

	if (!account || !found || !packet || !observe(skb, packet))
		return -1;
	if (drop_every && ++met % drop_every == 0)
		return TC_ACT_SHOT;
	if ((u64)(skb->data_end - skb->data) < skb->len)
		scattered++;
	packet->observed.time_ns = account->time_ns;
	if (!account->time_ns)
		packet->observed.time_ns = bpf_ktime_get_ns();
	find_numbers(skb);
	if (!found->form)
		return -1;
	bpf_spin_lock(&account->lock);
	note_found(&account->state, &account->counts[parity & 1], found, &settings,
		   packet->observed.time_ns);
	bpf_spin_unlock(&account->lock);
	return -1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
