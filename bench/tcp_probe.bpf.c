// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What bench/sockets.ts compares with: the same row of a socket, kept in a hash by a program that runs for every segment
 * received. Nothing outside bench/ loads this object.
 */
#include "socket_row.h"

struct probe_key {
	__u32 local_address[4];
	__u32 remote_address[4];
	__u32 network_namespace;
	__u16 local_port;
	__u16 remote_port;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, struct probe_key);
	__type(value, struct socket_row);
} probed SEC(".maps");

SEC("tp_btf/tcp_probe")
int on_segment(unsigned long long *ctx)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock((struct sock *)ctx[0]);
	struct socket_row row, *known;
	struct probe_key key = {};

	if (!tp)
		return 0;
	fill_row(&row, tp);
	__builtin_memcpy(key.local_address, row.local_address, sizeof(key.local_address));
	__builtin_memcpy(key.remote_address, row.remote_address, sizeof(key.remote_address));
	key.network_namespace = row.network_namespace;
	key.local_port = row.local_port;
	key.remote_port = row.remote_port;
	known = bpf_map_lookup_elem(&probed, &key);
	if (known)
		*known = row;
	else
		bpf_map_update_elem(&probed, &key, &row, BPF_NOEXIST);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
