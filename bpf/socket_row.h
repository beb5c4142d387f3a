/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One TCP socket as user space is told of it, and how the kernel's becomes that. */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "kernel_sockets.h"

#define AF_INET6 10
/* What minmax holds before the first sample. */
#define NO_SAMPLE 0xffffffff

/* One socket, as it is or as it ended. Ports in host order, addresses in network order, IPv4 in the mapped form. */
struct socket_row {
	__u32 local_address[4];
	__u32 remote_address[4];
	__u64 sent_octets; /* payload, retransmissions included */
	__u64 retransmitted_octets;
	__u64 acked_octets;
	__u64 received_octets;
	__u32 network_namespace;
	__u32 srtt_us;
	__u32 rttvar_us;
	__u32 min_rtt_us; /* 0: no sample yet, of all four times */
	__u32 receiver_rtt_us;
	__u32 cwnd;
	__u32 ssthresh;
	__u32 mss;
	__u32 retransmits; /* segments, since it was made */
	__u32 lost;	   /* the same of segments taken for lost */
	__u32 unacked;	   /* segments under way */
	__u32 unacked_lost;
	__u32 unacked_sacked;
	__u32 segments_in; /* since it was made, as its own side cut them */
	__u32 segments_out;
	__u16 local_port;
	__u16 remote_port;
	__u8 state; /* of net/tcp_states.h; of a closed one that before */
	__u8 is_closed;
	__u8 pad[6];
};
_Static_assert(sizeof(struct socket_row) == 136, "struct socket_row");

static __always_inline void fill_addresses(struct socket_row *row, const struct sock_common *common)
{
	if (common->skc_family == AF_INET6) {
#pragma unroll
		for (int i = 0; i < 4; i++) {
			row->local_address[i] = common->skc_v6_rcv_saddr.in6_u.u6_addr32[i];
			row->remote_address[i] = common->skc_v6_daddr.in6_u.u6_addr32[i];
		}
		return;
	}
	row->local_address[2] = row->remote_address[2] = bpf_htonl(0xffff);
	row->local_address[3] = common->skc_rcv_saddr;
	row->remote_address[3] = common->skc_daddr;
}

static __always_inline void fill_row(struct socket_row *row, const struct tcp_sock *tp)
{
	const struct inet_sock *inet = &tp->inet_conn.icsk_inet;
	const struct sock_common *common = &inet->sk.__sk_common;
	__u32 min_rtt_us = tp->rtt_min.s[0].v;

	__builtin_memset(row, 0, sizeof(*row));
	fill_addresses(row, common);
	/* Not skc_num: a socket that closes has given that back already. */
	row->local_port = bpf_ntohs(inet->inet_sport);
	row->remote_port = bpf_ntohs(common->skc_dport);
	row->network_namespace = common->skc_net.net->ns.inum;
	row->sent_octets = tp->bytes_sent;
	row->retransmitted_octets = tp->bytes_retrans;
	row->acked_octets = tp->bytes_acked;
	row->received_octets = tp->bytes_received;
	row->srtt_us = tp->srtt_us >> 3;
	row->rttvar_us = tp->mdev_us >> 2;
	row->min_rtt_us = min_rtt_us == NO_SAMPLE ? 0 : min_rtt_us;
	row->receiver_rtt_us = tp->rcv_rtt_est.rtt_us >> 3;
	row->cwnd = tp->snd_cwnd;
	row->ssthresh = tp->snd_ssthresh;
	row->mss = tp->mss_cache;
	row->retransmits = tp->total_retrans;
	row->lost = tp->lost;
	row->unacked = tp->packets_out;
	row->unacked_lost = tp->lost_out;
	row->unacked_sacked = tp->sacked_out;
	row->segments_in = tp->segs_in;
	row->segments_out = tp->segs_out;
}
