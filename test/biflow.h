/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the tests of TCP and connections keep for a biflow, and what they do with each packet of it: in the kernel and out of it. */
#pragma once

#include "biflow/connection.h"
#include "biflow/tcp.h"

struct biflow_row {
	u32 lock; /* a struct bpf_spin_lock in the kernel */
	u32 anew; /* packets that a new connection begins with */
	struct connection connection;
	struct tcp_track tcp;
};

PARSE_INLINE void note_packet(struct biflow_row *row, const struct observed *o)
{
	if (begins_anew(&row->connection, o)) {
		row->anew++;
		replace_connection(&row->connection, o->time_ns);
		return;
	}
	note_connection(&row->connection, o);
	note_tcp(&row->tcp, o);
}
