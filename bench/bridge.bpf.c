// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The bridge's programs on a test packet, and twins that do what cannot be left out: redirect, and read or write the metadata of
 * the tunnel. A test packet has none: who reads it writes it before, with the far end as source. Never attached.
 */
#include "vnet/bridge.bpf.c"

const volatile u32 target = 1;
const volatile u32 vni = 10;
const volatile u32 far_end = 0xc0000202; /* 192.0.2.2 */

static __always_inline void came_by_tunnel(struct __sk_buff *skb)
{
	struct bpf_tunnel_key key = {.tunnel_id = vni, .remote_ipv4 = 0xc0000201, .tunnel_ttl = 64};

	key.local_ipv4 = far_end;
	bpf_skb_set_tunnel_key(skb, &key, sizeof(key), BPF_F_ZERO_CSUM_TX);
}

SEC("tc")
int redirect_only(struct __sk_buff *skb __attribute__((unused)))
{
	return bpf_redirect(target, 0);
}

SEC("tc")
int aim_only(struct __sk_buff *skb)
{
	struct place to = {.vni = vni, .address = {far_end}};

	aim(skb, &to);
	return bpf_redirect(target, 0);
}

SEC("tc")
int whence_only(struct __sk_buff *skb)
{
	struct peer_key peer = {};

	came_by_tunnel(skb);
	whence(skb, &peer);
	return bpf_redirect(target, 0);
}

SEC("tc")
int bridge_port(struct __sk_buff *skb)
{
	return from_port(skb, INGRESS);
}

SEC("tc")
int bridge_tunnel(struct __sk_buff *skb)
{
	came_by_tunnel(skb);
	return from_tunnel(skb);
}
