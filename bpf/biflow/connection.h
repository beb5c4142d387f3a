/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is known of a biflow as a connection, from its first packet to its last. TCP says when one begins and ends; of all
 * others user space decides by the time without packets, of TCP too where nobody said goodbye.
 */
#pragma once

#include "observed.h"

/* Bits of connection.said[way]: what a way said, and whether the other one acknowledged it. */
enum connection_said {
	SAID_SYN = 1,
	SAID_SYN_ACKED = 2,
	SAID_FIN = 4,
	SAID_FIN_ACKED = 8,
	SAID_RST = 16,
};

/* How a connection ended. */
enum connection_close {
	CLOSE_NOT = 0,
	CLOSE_FINISHED = 1, /* both FINs were acknowledged */
	CLOSE_RESET_0 = 2,  /* by way 0 */
	CLOSE_RESET_1 = 3,
	CLOSE_REFUSED_0 = 4, /* way 0 answered a SYN with RST */
	CLOSE_REFUSED_1 = 5,
	CLOSE_REPLACED = 6, /* not at all, but its ports were used anew */
};

/* Bits of connection.traits. */
enum connection_trait {
	CONNECTION_BEGUN = 1,
	CONNECTION_OPENER_SAID = 2, /* by a SYN; else a guess: opened before anybody looked, or not TCP */
	CONNECTION_HANDSHAKE = 4,   /* complete: both SYNs acknowledged. Without: refused, unanswered, or not seen */
};

struct connection {
	u64 first_ns;
	u64 last_ns;
	u64 close_ns;	      /* 0: open */
	u64 packets[WAYS];    /* on the wire, as are octets */
	u64 octets[WAYS];
	u64 payload_octets[WAYS];
	u32 syn[WAYS];	      /* sequence number of the way's SYN, if SAID_SYN */
	u32 fin[WAYS];	      /* ... and behind its FIN, if SAID_FIN */
	u8 said[WAYS];	      /* enum connection_said */
	u8 opener;	      /* way */
	u8 close;	      /* enum connection_close */
	u8 protocol;
	u8 traits;	      /* enum connection_trait */
	u16 pad;
};
_Static_assert(sizeof(struct connection) == 96, "struct connection");

#define PROTOCOL_TCP 6

/* It is not continued: a new connection has its addresses and ports. */
PARSE_INLINE void replace_connection(struct connection *c, u64 time_ns)
{
	if (c->close)
		return;
	c->close = CLOSE_REPLACED;
	c->close_ns = time_ns;
}

/*
 * Whether the packet is the first of a new connection between the same ends: a SYN with another sequence number than the
 * one its way said (RFC 6191), or one where the connection was there before anybody looked. Not so: a SYN that comes twice,
 * the answer to one, the one of an end that opens at the same time (RFC 9293 section 3.5), and one that its answer overtook.
 */
PARSE_INLINE int begins_anew(const struct connection *c, const struct observed *o)
{
	u32 way = o->way & 1;
	u8 said = c->said[way], said_there = c->said[way ^ 1];

	if (!(c->traits & CONNECTION_BEGUN) || c->protocol != PROTOCOL_TCP ||
	    !(o->traits & OBSERVED_HEADER) || !(o->flags & TCP_SYN) || o->flags & TCP_RST)
		return 0;
	if (o->flags & TCP_ACK && said_there & SAID_SYN && o->acknowledgment == c->syn[way ^ 1] + 1)
		return 0;
	if (said & SAID_SYN)
		return o->sequence != c->syn[way] && (!(o->flags & TCP_ACK) || c->close);
	if (c->close)
		return 1;
	if (o->flags & TCP_ACK)
		return 0;
	/* Both open at a time, or the answer came first: then nobody has said more than SYN. */
	return !(said_there & SAID_SYN) || said_there & (SAID_SYN_ACKED | SAID_FIN);
}

PARSE_INLINE void close_connection(struct connection *c, const struct observed *o, enum connection_close how)
{
	if (c->close)
		return;
	c->close = (u8)how;
	c->close_ns = o->time_ns;
}

/* An ACK of one way, to what `there` said: its bits with those that are acknowledged by it. */
PARSE_INLINE u8 acknowledged(const struct connection *c, u32 there, u32 number)
{
	u8 said = c->said[there];

	if (said & SAID_SYN && (int)(number - c->syn[there]) > 0)
		said |= SAID_SYN_ACKED;
	if (said & SAID_FIN && (int)(number - c->fin[there]) >= 0)
		said |= SAID_FIN_ACKED;
	return said;
}

PARSE_INLINE void note_reset(struct connection *c, const struct observed *o)
{
	u32 way = o->way & 1;
	u8 there = c->said[way ^ 1];

	if (there & SAID_SYN && !(c->said[way] & SAID_SYN) && c->payload_octets[way] == 0 &&
	    !(there & SAID_SYN_ACKED))
		close_connection(c, o, way ? CLOSE_REFUSED_1 : CLOSE_REFUSED_0);
	else
		close_connection(c, o, way ? CLOSE_RESET_1 : CLOSE_RESET_0);
}

/* What TCP's flags say. */
PARSE_INLINE void note_flags(struct connection *c, const struct observed *o)
{
	u32 way = o->way & 1;
	u16 flags = o->flags;

	if (flags & TCP_RST) {
		note_reset(c, o);
		c->said[way] |= SAID_RST;
		return;
	}
	if (flags & TCP_SYN) {
		/* Refused, and yet answered: it was another who refused. */
		if (flags & TCP_ACK && (c->close == CLOSE_REFUSED_0 || c->close == CLOSE_REFUSED_1)) {
			c->close = CLOSE_NOT;
			c->close_ns = 0;
		}
		c->said[way] |= SAID_SYN;
		c->syn[way] = o->sequence;
		if (!(c->traits & CONNECTION_OPENER_SAID)) {
			c->opener = (u8)(flags & TCP_ACK ? way ^ 1 : way);
			c->traits |= CONNECTION_OPENER_SAID;
		}
	}
	if (flags & TCP_FIN) {
		c->said[way] |= SAID_FIN;
		c->fin[way] = o->sequence + o->payload + 1;
	}
	if (!(flags & TCP_ACK))
		return;
	c->said[way ^ 1] = acknowledged(c, way ^ 1, o->acknowledgment);
	if (c->said[0] & c->said[1] & SAID_SYN_ACKED)
		c->traits |= CONNECTION_HANDSHAKE;
	if (c->said[0] & c->said[1] & SAID_FIN_ACKED)
		close_connection(c, o, CLOSE_FINISHED);
}

/* Takes note of a packet of this connection, of any protocol; without a header it counts as a packet only. */
PARSE_INLINE void note_connection(struct connection *c, const struct observed *o)
{
	u32 way = o->way & 1;

	if (!(c->traits & CONNECTION_BEGUN)) {
		c->traits |= CONNECTION_BEGUN;
		c->first_ns = o->time_ns;
		c->protocol = o->protocol;
		c->opener = (u8)way;
	}
	c->last_ns = o->time_ns;
	c->packets[way] += o->packets;
	c->octets[way] += o->octets;
	c->payload_octets[way] += o->payload;
	if (c->protocol == PROTOCOL_TCP && o->traits & OBSERVED_HEADER)
		note_flags(c, o);
}
