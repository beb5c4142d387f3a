/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Ethernet and its tags. */
#pragma once

#include "window.h"

#define LEAST_ETHERTYPE 0x600

PARSE_INLINE void add_vlan(struct packet *p, u16 tci)
{
	u16 vlan = VLAN_PRESENT | (tci & 0x0fff);

	if (p->level == 0) {
		if (p->tags < 2)
			p->labels.vlan[p->tags & 1] = vlan;
	} else if (p->tags < 2) {
		p->labels.inner_vlan[p->tags & 1] = vlan;
	}
	p->tags++;
}

PARSE_INLINE void add_cast(struct packet *p, const u8 *mac)
{
	if (!(mac[0] & 1))
		return;
	if ((mac[0] & mac[1] & mac[2] & mac[3] & mac[4] & mac[5]) == 0xff)
		p->labels.traits |= TRAIT_BROADCAST;
	else
		p->labels.traits |= TRAIT_MULTICAST;
}

PARSE_INLINE enum reason parse_ethernet(const struct window *w, struct packet *p)
{
	const u8 *at = header(w, p, 14);

	if (!at)
		return cut(p, ETHERNET_TRUNCATED);
	copy_macs(p->mac, at);
	if (p->level == 0)
		add_cast(p, at);
	p->ethertype = load16(at + 12);
	consume(p, 14);
	p->step = STEP_FRAME;
	return PARSE_MORE;
}

PARSE_INLINE int is_vlan(u16 ethertype)
{
	return ethertype == 0x8100 || ethertype == 0x88a8 || ethertype == 0x9100;
}

/*
 * 802.3: the length stands where the ethertype would (IEEE 802.3 clause 3.2.6). With LLC and SNAP (IEEE 802 clause 9) an
 * ethertype comes behind; anything else has none.
 */
PARSE_INLINE u16 parse_llc(const struct window *w, struct packet *p, u16 length)
{
	const u8 *at = header(w, p, 8);
	u16 ethertype;

	if (!at || length < 8 || length > p->left || load32(at) != 0xaaaa0300 || at[4] || at[5])
		return 0;
	p->left = length;
	consume(p, 8);
	ethertype = load16(at + 6);
	return is_vlan(ethertype) ? 0 : ethertype;
}
