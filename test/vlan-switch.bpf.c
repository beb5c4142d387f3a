// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A switch with access ports and one trunk, for kernels without 802.1Q devices: what comes in at a port leaves at the trunk
 * with the port's tags; what comes in at the trunk leaves, without tags, at all ports of that VLAN.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#define PORTS 16
#define TAGS 3

struct port {
	__u32 ifindex; /* 0: none */
	__u32 count;
	__u16 tci[TAGS + 1]; /* outermost first */
	__u16 protocol[TAGS + 1]; /* network order */
};

/* A hash, for its elements are replaced as a whole: no frame has half of the old tags. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PORTS);
	__type(key, __u32);
	__type(value, struct port);
} ports SEC(".maps");

const volatile __u32 trunk = 0;

SEC("tc")
int at_port(struct __sk_buff *skb)
{
	struct port *port;
	__u32 key;

	for (key = 0; key < PORTS; key++) {
		__u32 index = key;

		port = bpf_map_lookup_elem(&ports, &index);
		if (!port || port->ifindex != skb->ifindex)
			continue;
		if (port->count > 2)
			bpf_skb_vlan_push(skb, port->protocol[2], port->tci[2]);
		if (port->count > 1)
			bpf_skb_vlan_push(skb, port->protocol[1], port->tci[1]);
		if (port->count > 0)
			bpf_skb_vlan_push(skb, port->protocol[0], port->tci[0]);
		return bpf_redirect(trunk, 0);
	}
	return TC_ACT_SHOT;
}

SEC("tc")
int at_trunk(struct __sk_buff *skb)
{
	__u32 count = 0, first = 0, second = 0, key;
	struct port *port;

	if (skb->vlan_present) {
		first = skb->vlan_tci & 0xfff;
		bpf_skb_vlan_pop(skb);
		count = 1;
		if (skb->vlan_present) {
			second = skb->vlan_tci & 0xfff;
			bpf_skb_vlan_pop(skb);
			count = 2;
		}
	}
	for (key = 0; key < PORTS; key++) {
		__u32 index = key;

		port = bpf_map_lookup_elem(&ports, &index);
		if (!port || !port->ifindex || port->count != count)
			continue;
		if (count > 0 && (port->tci[0] & 0xfff) != first)
			continue;
		if (count > 1 && (port->tci[1] & 0xfff) != second)
			continue;
		bpf_clone_redirect(skb, port->ifindex, 0);
	}
	return TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
