// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Small programs for the tests of this library: one of each thing that it must handle.

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

enum verdict {
	VERDICT_SEEN = 0,
	VERDICT_SHORT = 1,
	VERDICT_LATE = -3,
};

struct endpoint {
	__u8 address[16];
	__u16 port;
	__u16 pad[3];
};

struct sample_key {
	__u32 number;
	__u32 pad;
	struct endpoint source;
};

struct sample_value {
	__u64 packets;
	__u64 octets;
	__u32 words[4];
	enum verdict verdict;
	__u32 pad;
};

struct sample_record {
	__u64 sequence;
	__u32 verdict;
	__u32 length;
};

struct sample_record *unused_sample_record __attribute__((unused));

const volatile __u32 limit = 7;
const volatile __s16 offset = 0;
const volatile _Bool enabled = 1;
const volatile __u64 wide = 0;
const volatile __u16 ports[4] = {};

__u64 runs;
__u64 sequence;
__u64 dropped;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct sample_key);
	__type(value, struct sample_value);
} samples SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} per_cpu SEC(".maps");

struct epoch {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct sample_value);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct epoch);
} epochs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} records SEC(".maps");

/* Counts runs, and returns what the constants make of the packet's length. */
SEC("tc")
int constants(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&runs, 1);
	if (!enabled)
		return -1;
	return skb->len > limit ? ports[3] + offset : (int)wide;
}

/* Attached programs of "ours": let every packet on to the next program. */
SEC("tc")
int observe(struct __sk_buff *skb)
{
	__u32 key = 0;
	__u32 *count;

	count = bpf_map_lookup_elem(&per_cpu, &key);
	if (count)
		*count += 1;
	__sync_fetch_and_add(&runs, 1);
	return -1;
}

/* The same under another name: "theirs". */
SEC("tc")
int stranger(struct __sk_buff *skb)
{
	return -1;
}

/* Puts a VLAN tag beside the packet, where hardware leaves it: the number is the limit. */
SEC("tc")
int tag(struct __sk_buff *skb)
{
	bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), limit);
	return -1;
}

/* Takes it away. */
SEC("tc")
int untag(struct __sk_buff *skb)
{
	bpf_skb_vlan_pop(skb);
	return -1;
}

/* Adds each packet to the current epoch. */
SEC("tc")
int account(struct __sk_buff *skb)
{
	struct sample_value *value, fresh = {};
	__u32 key = 0, flow = skb->mark;
	void *epoch;

	epoch = bpf_map_lookup_elem(&epochs, &key);
	if (!epoch)
		return 1;
	value = bpf_map_lookup_elem(epoch, &flow);
	if (!value) {
		bpf_map_update_elem(epoch, &flow, &fresh, BPF_NOEXIST);
		value = bpf_map_lookup_elem(epoch, &flow);
		if (!value)
			return 2;
	}
	__sync_fetch_and_add(&value->packets, 1);
	__sync_fetch_and_add(&value->octets, skb->len);
	return 0;
}

/* One record per run. */
SEC("tc")
int emit(struct __sk_buff *skb)
{
	struct sample_record *record;

	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record) {
		__sync_fetch_and_add(&dropped, 1);
		return 1;
	}
	/* One run at a time writes here; an atomic that gives back the old value needs Linux 5.12. */
	record->sequence = sequence++;
	record->verdict = VERDICT_SEEN;
	record->length = skb->len;
	bpf_ringbuf_submit(record, 0);
	return 0;
}

/* Refused by the verifier: it dereferences what may be null. Off by default in the tests. */
SEC("tc")
int refused(struct __sk_buff *skb)
{
	__u32 key = skb->len;
	__u32 *count;

	count = bpf_map_lookup_elem(&per_cpu, &key);
	return *count;
}

char _license[] SEC("license") = "Dual BSD/GPL";
