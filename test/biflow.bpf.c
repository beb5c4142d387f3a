// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* TCP and connections in the kernel, of packets that BPF_PROG_TEST_RUN brings: struct observed behind an Ethernet header. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "biflow.h"

#define ETHERNET 14

struct locked_row {
	struct bpf_spin_lock lock;
	u32 anew;
	struct connection connection;
	struct tcp_track tcp;
};
_Static_assert(sizeof(struct locked_row) == sizeof(struct biflow_row), "struct locked_row");

struct area {
	struct observed observed;
	u8 header[64];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct locked_row);
} rows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct area);
} areas SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct observed);
} headers SEC(".maps");

SEC("tc")
int note(struct __sk_buff *skb)
{
	u32 zero = 0;
	struct area *area = bpf_map_lookup_elem(&areas, &zero);
	struct locked_row *row = bpf_map_lookup_elem(&rows, &zero);

	if (!area || !row || bpf_skb_load_bytes(skb, ETHERNET, &area->observed, sizeof(area->observed)))
		return 1;
	bpf_spin_lock(&row->lock);
	note_packet((struct biflow_row *)row, &area->observed);
	bpf_spin_unlock(&row->lock);
	return 0;
}

/* Reads the TCP header behind the Ethernet one, of as many octets as it says. */
SEC("tc")
int read_header(struct __sk_buff *skb)
{
	u32 zero = 0;
	struct area *area = bpf_map_lookup_elem(&areas, &zero);
	struct observed *found = bpf_map_lookup_elem(&headers, &zero);

	if (!area || !found || bpf_skb_load_bytes(skb, ETHERNET, area->header, TCP_HEADER_ROOM))
		return 1;
	read_tcp(found, area->header, (area->header[12] >> 4) * 4);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
