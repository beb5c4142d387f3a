// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A switch with access ports and one trunk, of the lab, for kernels without 802.1Q devices: what comes in at a port leaves at
 * the trunk with the port's tag; what comes in at the trunk with a tag leaves without it at the port of that VLAN.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

/* What an access port puts on. */
struct tag {
	__u16 tci; /* PCP, DEI, VID */
	__u16 protocol; /* network order */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32); /* interface */
	__type(value, struct tag);
} ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32); /* VID */
	__type(value, __u32); /* interface */
} vlans SEC(".maps");

const volatile __u32 trunk = 0; /* interface */

SEC("tc")
int ts_tag(struct __sk_buff *skb)
{
	__u32 ifindex = skb->ifindex;
	struct tag *tag = bpf_map_lookup_elem(&ports, &ifindex);

	if (!tag || bpf_skb_vlan_push(skb, tag->protocol, tag->tci))
		return TC_ACT_SHOT;
	return bpf_redirect(trunk, 0);
}

SEC("tc")
int ts_untag(struct __sk_buff *skb)
{
	__u32 vid = skb->vlan_tci & 0xfff;
	__u32 *port;

	if (!skb->vlan_present)
		return TC_ACT_SHOT;
	port = bpf_map_lookup_elem(&vlans, &vid);
	if (!port || bpf_skb_vlan_pop(skb))
		return TC_ACT_SHOT;
	return bpf_redirect(*port, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
