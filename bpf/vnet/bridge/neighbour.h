/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ARP and neighbour discovery, answered from what was learned. */
#pragma once

#include "learn.h"

const volatile u32 answers_neighbours = 0;

static __always_inline int neighbour(struct __sk_buff *skb, struct frame *f)
{
	(void)skb;
	(void)f;
	return 0;
}

static __always_inline int answer(struct __sk_buff *skb, struct frame *f)
{
	(void)skb;
	return ended(ANSWERED_NEIGHBOUR, f->wire, TC_ACT_SHOT);
}
