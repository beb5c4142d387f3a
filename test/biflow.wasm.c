// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* As biflow.bpf.c, for user space: what is given and what is kept lies in memory that both share. */
#include "biflow.h"

#define EXPORT(name) __attribute__((export_name(#name))) name

struct biflow_row row;
struct observed observed;
u8 header_octets[TCP_HEADER_ROOM];

void EXPORT(note)(void)
{
	note_packet(&row, &observed);
}

void EXPORT(read_header)(void)
{
	read_tcp(&observed, header_octets, (header_octets[12] >> 4) * 4);
}
