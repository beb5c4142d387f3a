// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the host's own TCP sockets know: RTT, congestion window, retransmissions. Nothing of it runs per packet.
 *
 * User space walks the sockets of its network namespace (an iterator, Linux 5.9): the kernel shows each one under its lock,
 * as it does for ss. A socket that closes between two walks leaves its last figures in a ring: a connection that is
 * shorter than an interval is told as well, once.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "socket_row.h"

#define TCP_CLOSE 7
#define TCP_LISTEN 10

/* Whose sockets are told when they close: the inode of a network namespace. */
const volatile __u32 metered_namespace;

struct socket_row *unused_socket_row __attribute__((unused));

/* Sockets that closed; sized by user space, which empties it when it walks. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} closed_sockets SEC(".maps");

/* Sockets that closed and found no room in the ring. */
volatile __u64 untold_closed;

SEC("iter/tcp")
int ts_socket(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;
	struct tcp_sock *tp;
	struct socket_row row;

	/* The end of the walk; and what is not a whole socket yet, or any more (requests, TIME_WAIT). */
	if (!common || common->skc_state == TCP_LISTEN)
		return 0;
	tp = bpf_skc_to_tcp_sock(common);
	if (!tp)
		return 0;
	fill_row(&row, tp);
	row.state = common->skc_state;
	/* Without room in the buffer of this read the kernel shows the socket again in the next. */
	bpf_seq_write(ctx->meta->seq, &row, sizeof(row));
	return 0;
}

/* Every way to close comes by here with the figures still in place; at tcp_destroy_sock an abort has wiped them. */
SEC("tp_btf/inet_sock_set_state")
int ts_socket_state(unsigned long long *ctx)
{
	struct sock *sk = (struct sock *)ctx[0];
	int old_state = (int)ctx[1], new_state = (int)ctx[2];
	struct tcp_sock *tp;
	struct socket_row *row;

	if (new_state != TCP_CLOSE || old_state == TCP_CLOSE || old_state == TCP_LISTEN)
		return 0;
	if (sk->__sk_common.skc_net.net->ns.inum != metered_namespace)
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return 0;
	row = bpf_ringbuf_reserve(&closed_sockets, sizeof(*row), 0);
	if (!row) {
		__sync_fetch_and_add(&untold_closed, 1);
		return 0;
	}
	fill_row(row, tp);
	row->state = old_state;
	row->is_closed = 1;
	bpf_ringbuf_submit(row, BPF_RB_NO_WAKEUP);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
