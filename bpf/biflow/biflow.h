/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is kept of a biflow from its first packet to its last: who it is, what went each way, when. The same in the kernel
 * and for captures; what is measured beside that has arrays of its own, with the same row numbers.
 */
#pragma once

#include "arrivals.h"
#include "connection.h"
#include "key.h"
#include "observed.h"
#include "sequence_notes.h"
#include "tcp.h"

/* What is measured of biflows; 0: nothing, not even they are kept. */
enum measurement {
	MEASURE_BIFLOWS = 1,
	MEASURE_ARRIVALS = 2,
	MEASURE_SEQUENCE = 4,
	MEASURE_TCP = 8,
};

/* What went one way in an epoch. */
struct way_counts {
	u64 packets; /* on the wire */
	u64 octets;  /* on the wire */
	u64 payload_octets;
};

struct biflow {
	struct wide_key key;
	struct connection connection; /* not begun: the row is nobody's */
	u16 destination_ports[WAYS]; /* what each way's first packet had: of ICMP the type and code */
	u8 traits[WAYS];	     /* the same */
	u8 is_unlinked;		     /* a later biflow has its key: nothing more comes */
	u8 directions;		     /* in which each way is seen at the interface: bit 0 of way 0, bit 1 of way 1 */
	struct way_counts counts[WAYS][HALVES];
};

/* Fixed by user space: how long after its last packet a biflow is over, and inter-arrival times begin anew. */
struct biflow_settings {
	u64 tcp_idle_ns;
	u64 udp_idle_ns;
	u64 other_idle_ns;
	u64 reset_ns;
};

/* Whether the packet comes so late that it is of a new biflow between the same ends. */
PARSE_INLINE int is_late(const struct connection *c, const struct observed *o,
			 const volatile struct biflow_settings *settings)
{
	u64 idle = o->protocol == 6  ? settings->tcp_idle_ns :
		   o->protocol == 17 ? settings->udp_idle_ns :
				       settings->other_idle_ns;

	return c->traits & CONNECTION_BEGUN && o->time_ns > c->last_ns && o->time_ns - c->last_ns >= idle;
}

/* Whether the row is over, because this packet is of another biflow with its key. */
PARSE_INLINE int is_over(const struct biflow *b, const struct observed *o,
			 const volatile struct biflow_settings *settings)
{
	return is_late(&b->connection, o, settings) || begins_anew(&b->connection, o);
}

/* It is over because of this packet. */
PARSE_INLINE void unlink_biflow(struct biflow *b, const struct observed *o,
				const volatile struct biflow_settings *settings)
{
	if (!is_late(&b->connection, o, settings))
		replace_connection(&b->connection, o->time_ns);
	b->is_unlinked = 1;
}

PARSE_INLINE void note_biflow(struct biflow *b, const struct packet *p, const struct observed *o)
{
	u32 way = o->way & 1;
	struct way_counts *c = &b->counts[way][o->parity & 1];

	note_connection(&b->connection, o);
	if (!b->destination_ports[way] && !b->traits[way]) {
		b->destination_ports[way] = p->labels.destination_port;
		b->traits[way] = p->labels.traits;
		b->directions |= (u8)((p->labels.point & 1) << way);
	}
	c->packets += o->packets;
	c->octets += o->octets;
	c->payload_octets += o->payload;
}

/* Fills what every packet has; TCP's part stays empty. */
PARSE_INLINE void begin_observed(struct observed *o, const struct packet *p, u32 way, u32 parity)
{
	__builtin_memset(o, 0, sizeof(*o));
	o->way = (u8)way;
	o->parity = (u8)parity;
	o->protocol = p->labels.protocol;
	o->payload = o->segment = p->payload;
	o->payload_offset = p->header_octets;
	if (p->transport_offset)
		o->traits = OBSERVED_HEADER;
}

/* Whether packets of this kind are of biflows: IP, and not what only counts octets. */
PARSE_INLINE int has_biflow(const struct packet *p)
{
	u8 network = p->labels.network & 0x0f;

	return network == NETWORK_IPV4 || network == NETWORK_IPV6;
}
