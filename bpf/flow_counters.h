/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is counted for a flow, and what one packet adds to it: on the stack and on the wire. */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "counters.h"
#include "parse.h"

/*
 * What was found out is read from memory again, of which the verifier knows nothing: one state for all that follows, not
 * one per way here. Before Linux 6.2 it tells states apart by every number it knows.
 */
#define FORGET() __asm__ volatile("" : : : "memory")

/* What one packet adds to its record. */
struct measure {
	u64 octets;
	u64 extra_octets;
	u64 extra_packets;
	u32 longest;
	u32 shortest;
	u32 segment; /* of a super-packet: payload octets of each segment but the last */
	u32 stride;  /* ... and octets from one segment to the next */
};

/*
 * Wire truth of a super-packet: each of its segments carries all headers up to the transport header that is
 * segmented. That is the innermost one, unless whole tunnel packets were aggregated by their outer UDP header: then
 * the innermost headers claim the first of them only, and the payload is that of all. `front`: octets that
 * are no part of the packet.
 */
static __always_inline void measure_wire(struct __sk_buff *skb, u32 front, struct packet *p,
					 struct measure *m)
{
	u32 size = skb->gso_size, headers = p->header_octets - front, segments, payload, last;
	u32 outer = p->outer_header_octets - front, octets = skb->len - front;
	int aggregated = headers > outer && headers + p->payload < octets;

	*m = (struct measure){ .octets = octets };
	if (aggregated)
		headers = outer;
	m->longest = m->shortest = (u32)m->octets;
	if (size && m->octets > headers) {
		payload = (u32)m->octets - headers;
		segments = skb->gso_segs;
		/* Senders that are not trusted (a guest, a raw socket) leave the count to be computed. */
		if (!segments)
			segments = (payload + size - 1) / size;
		if (aggregated && segments > 1 && p->payload < size) {
			u32 inner = segments * (size - p->payload);

			p->payload = payload > inner ? payload - inner : 0;
		}
		if (segments > 1) {
			m->extra_packets = segments - 1;
			m->extra_octets = (u64)(segments - 1) * headers;
			m->stride = m->segment = size;
			if (aggregated)
				m->segment -= p->header_octets - front - headers;
			m->longest = headers + size;
			last = payload - (segments - 1) * size;
			m->shortest = headers + (last <= size ? last : size);
		}
	}
	if (skb->vlan_present) {
		m->extra_octets += 4 * (m->extra_packets + 1);
		m->longest += 4;
		m->shortest += 4;
	}
	if (m->shortest > 65535)
		m->shortest = 65535;
}

static __always_inline void add_counts(struct flow_counters *f, const struct packet *p,
				       const struct measure *m)
{
	u32 now = (u32)bpf_jiffies64();

	__sync_fetch_and_add(&f->octets, m->octets);
	__sync_fetch_and_add(&f->packets, 1);
	if (p->payload)
		__sync_fetch_and_add(&f->payload_octets, p->payload);
	if (m->extra_octets)
		__sync_fetch_and_add(&f->extra_octets, m->extra_octets);
	if (m->extra_packets)
		__sync_fetch_and_add(&f->extra_packets, m->extra_packets);
	if (f->last != now)
		f->last = now;
	if (m->longest > f->longest)
		f->longest = m->longest;
	if (m->shortest < f->shortest)
		f->shortest = (u16)m->shortest;
	if (p->tcp_flags & ~f->tcp_flags)
		f->tcp_flags |= p->tcp_flags;
}

static __always_inline void first_counts(struct flow_counters *f, const struct packet *p,
					 const struct measure *m)
{
	f->octets = m->octets;
	f->packets = 1;
	f->payload_octets = p->payload;
	f->extra_octets = m->extra_octets;
	f->extra_packets = m->extra_packets;
	f->first = f->last = (u32)bpf_jiffies64();
	f->longest = m->longest;
	f->shortest = (u16)m->shortest;
	f->tcp_flags = p->tcp_flags;
	f->outer_source_port = p->labels.tunnel ? p->outer_source_port : 0;
	f->dscp = p->dscp;
	f->pad = 0;
	copy_macs(f->mac, p->mac);
}

/* As add_counts, where nobody else writes. */
static __always_inline void add_counts_here(struct flow_counters *f, const struct packet *p,
					    const struct measure *m)
{
	f->octets += m->octets;
	f->packets++;
	f->payload_octets += p->payload;
	f->extra_octets += m->extra_octets;
	f->extra_packets += m->extra_packets;
	f->last = (u32)bpf_jiffies64();
	if (m->longest > f->longest)
		f->longest = m->longest;
	if (m->shortest < f->shortest)
		f->shortest = (u16)m->shortest;
	f->tcp_flags |= p->tcp_flags;
}
