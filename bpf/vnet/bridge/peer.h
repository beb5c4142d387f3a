/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Far tunnel ends: where a frame came from, by the metadata of the tunnel's device, and that a copy goes to one. */
#pragma once

#include "notice.h"

const volatile u32 tunnel_ifindex = 0;
const volatile u32 is_ipv6 = 0;	     /* the underlay */
const volatile u32 learns_peers = 0; /* whoever sends is a peer; else only those that are configured */
const volatile u32 ttl = 64;
const volatile u32 has_checksum = 0; /* UDP over IPv6 must have one; GRE gets none, which is one less thing to go wrong */
const volatile u32 names_source = 0; /* the kernel takes the address that packets are to be from (Linux 6.0) */
const volatile u32 own_address[4] = {}; /* as in struct place */

/* Without the members that older kernels do not have. */
#define KEY_WITHOUT_SOURCE __builtin_offsetof(struct bpf_tunnel_key, local_ipv6)

static __always_inline int whence(struct __sk_buff *skb, struct peer_key *peer)
{
	struct bpf_tunnel_key key = {};

	if (bpf_skb_get_tunnel_key(skb, &key, KEY_WITHOUT_SOURCE, is_ipv6 ? BPF_F_TUNINFO_IPV6 : 0))
		return -1;
	peer->vni = key.tunnel_id;
	if (is_ipv6)
		__builtin_memcpy(peer->address, key.remote_ipv6, sizeof(peer->address));
	else
		peer->address[0] = key.remote_ipv4;
	return 0;
}

/* Has the frame leave, when it is sent at the tunnel's device, for a peer or group. */
static __always_inline int aim(struct __sk_buff *skb, const struct place *to)
{
	struct bpf_tunnel_key key = {.tunnel_id = to->vni, .tunnel_ttl = (u8)ttl};
	u64 flags = (is_ipv6 ? BPF_F_TUNINFO_IPV6 : 0) | (has_checksum ? 0 : BPF_F_ZERO_CSUM_TX);

	if (is_ipv6)
		__builtin_memcpy(key.remote_ipv6, to->address, sizeof(key.remote_ipv6));
	else
		key.remote_ipv4 = to->address[0];
	if (!names_source)
		return bpf_skb_set_tunnel_key(skb, &key, KEY_WITHOUT_SOURCE, flags);
	if (is_ipv6) {
		key.local_ipv6[0] = own_address[0];
		key.local_ipv6[1] = own_address[1];
		key.local_ipv6[2] = own_address[2];
		key.local_ipv6[3] = own_address[3];
	} else {
		key.local_ipv4 = own_address[0];
	}
	return bpf_skb_set_tunnel_key(skb, &key, sizeof(key), flags);
}

/* A tunnel end that was not known gets a number. 0: there is none left. */
static __noinline u32 meet_peer(const struct peer_key *peer, u32 mtu)
{
	struct place fresh = {.kind = PEER, .vni = peer->vni, .origin = MET, .mtu = mtu};
	u32 number = 0, *other;

	if (bpf_map_pop_elem(&free_numbers, &number)) {
		count_notice(PEERS_FULL);
		return 0;
	}
	__builtin_memcpy(fresh.address, peer->address, sizeof(fresh.address));
	bpf_map_update_elem(&places, &number, &fresh, BPF_ANY);
	if (bpf_map_update_elem(&peer_numbers, peer, &number, BPF_NOEXIST)) {
		/* Another CPU was first, or there is no room. */
		fresh.kind = NOWHERE;
		bpf_map_update_elem(&places, &number, &fresh, BPF_ANY);
		bpf_map_push_elem(&free_numbers, &number, 0);
		other = bpf_map_lookup_elem(&peer_numbers, peer);
		return other ? *other : 0;
	}
	count_notice(PEER_MET);
	return number;
}
