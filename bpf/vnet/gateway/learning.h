/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Clients, and by which tags each is reached. Who is a client, and whose, user space says; the kernel learns the tags. Each
 * client has a place of its own for them, so there is always room for what is learned.
 */
#pragma once

#include "tags.h"
#include "../ledger.h"

#define VIDS 4096

enum client_flag {
	CLIENT_FIXED = 1, /* the configured tags hold; nothing is learned */
	CLIENT_EXACT = 2, /* frames have the configured tags (priority apart); else `allowed` says which VLANs they may be of */
	CLIENT_ANY = 4,	  /* `allowed` has all VLANs because nobody chose */
	CLIENT_ADDED = 8, /* while it ran, not from the file */
};

/* As user space says; replaced as a whole. */
struct client {
	u32 worker; /* interface; 0: it is not there */
	u32 trunk;  /* likewise */
	u32 slot; /* in `places` */
	u32 flags;
	u64 tags; /* configured: for good, or until some are learned; 0: none */
	u64 allowed[VIDS / 64]; /* a bit per outer VID */
	char worker_name[16];
};

/* What the kernel knows of a client, and what went from it and to it: frames on the trunk, with their tags. */
struct place {
	u64 tags; /* learned; 0: none. One store, one load */
	u64 seen_ns; /* when a frame of its VLAN came last; CLOCK_MONOTONIC_COARSE */
	u64 window; /* moves of late: | 63 … 16: when the period began, ms | 15 … 0: how many | */
	u64 told_ns; /* when a refusal was told last */
	u64 moves;
	struct line received; /* from the client */
	u64 pad;
	struct line sent; /* to the client; on a cache line of its own */
};

struct settings {
	u64 ageing_ns;
	u64 period_ms;
	u32 move_limit;
	u32 pad;
};

enum telling {
	TOLD_LEARNED,
	TOLD_MOVED,
	TOLD_MOVE_REFUSED,
	TOLD_NOT_ALLOWED,
};

/* Something to be told once. */
struct told {
	u64 ns;
	u64 mac;
	u64 former; /* tags */
	u64 tags;
	u32 kind;
	u32 pad;
};

enum client_flag *unused_client_flag __attribute__((unused));
enum telling *unused_telling __attribute__((unused));
struct told *unused_told __attribute__((unused));

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u64); /* MAC address in its octets' order, two octets of 0 */
	__type(value, struct client);
} clients SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, struct place);
} places SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct settings);
} settings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} tellings SEC(".maps");

/* What is in no other count. */
enum lapse {
	UNTOLD, /* the ring was full */
	LOST_COPY, /* of a flooded frame: no memory, or the trunk is down */
	LAPSE_COUNT,
};

enum lapse *unused_lapse __attribute__((unused));

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LAPSE_COUNT);
	__type(key, u32);
	__type(value, u64);
} lapses SEC(".maps");

#define REFUSALS_APART_NS 1000000000ULL
/* Several CPUs that move one client at a time; more than these are refused. */
#define MOVE_ATTEMPTS 4

static __always_inline void count_lapse(u32 lapse)
{
	u64 *count = bpf_map_lookup_elem(&lapses, &lapse);

	if (count)
		__sync_fetch_and_add(count, 1);
}

static __always_inline void tell(u32 kind, u64 mac, u64 former, u64 tags, u64 now)
{
	struct told told = {.ns = now, .mac = mac, .former = former, .tags = tags, .kind = kind};

	if (bpf_ringbuf_output(&tellings, &told, sizeof(told), 0) < 0)
		count_lapse(UNTOLD);
}

/* Who is refused can be so a million times a second: it is told once in a second. */
static __always_inline void tell_refusal(struct place *place, u32 kind, u64 mac, u64 tags, u64 now)
{
	if (place->told_ns && now - place->told_ns < REFUSALS_APART_NS)
		return;
	place->told_ns = now;
	tell(kind, mac, place->tags, tags, now);
}

static __always_inline struct settings *settings_now(void)
{
	u32 key = 0;

	return bpf_map_lookup_elem(&settings, &key);
}

static __always_inline int is_fresh(const struct place *place, const struct settings *settings, u64 now)
{
	/* Another CPU's clock may be a tick ahead. */
	return place->seen_ns > now || now - place->seen_ns < settings->ageing_ns;
}

/* By which tags a client is reached now; 0: nobody knows. */
static __always_inline u64 tags_towards(const struct client *client, const struct place *place,
					const struct settings *settings, u64 now)
{
	u64 learned;

	if (client->flags & CLIENT_FIXED)
		return client->tags;
	learned = *(volatile u64 *)&place->tags;
	return learned && is_fresh(place, settings, now) ? learned : client->tags;
}

/* Whether frames of these tags may come from the client. */
static __always_inline int is_allowed(const struct client *client, u64 tags)
{
	u32 vid = tags & VID_MASK;

	if (client->flags & CLIENT_EXACT)
		return is_same_vlan(client->tags, tags);
	return client->allowed[vid / 64] >> vid % 64 & 1;
}

/* One more move in this period: exactly so many are granted, on however many CPUs. */
static __always_inline int is_move_granted(struct place *place, const struct settings *settings, u64 now)
{
	u64 now_ms = now / 1000000, old, next;

	if (!settings->move_limit)
		return 0;
#pragma clang loop unroll(full)
	for (int i = 0; i < MOVE_ATTEMPTS; i++) {
		old = *(volatile u64 *)&place->window;
		if (now_ms - (old >> 16) >= settings->period_ms)
			next = now_ms << 16 | 1;
		else if ((old & 0xffff) >= settings->move_limit)
			return 0;
		else
			next = old + 1;
		if (__sync_val_compare_and_swap(&place->window, old, next) == old)
			return 1;
	}
	return 0;
}

/* Takes in by which tags a client has sent. Nonzero: it moves too often, and these are not believed. */
static __always_inline int learn(struct place *place, u64 mac, u64 tags, const struct settings *settings, u64 now)
{
	u64 known = *(volatile u64 *)&place->tags;
	int is_known = known && is_fresh(place, settings, now);

	if (!is_known) {
		tell(TOLD_LEARNED, mac, known, tags, now);
	} else if (!is_same_vlan(known, tags)) {
		if (!is_move_granted(place, settings, now)) {
			tell_refusal(place, TOLD_MOVE_REFUSED, mac, tags, now);
			return 1;
		}
		__sync_fetch_and_add(&place->moves, 1);
		tell(TOLD_MOVED, mac, known, tags, now);
	}
	if (known != tags)
		*(volatile u64 *)&place->tags = tags;
	if (place->seen_ns != now)
		place->seen_ns = now;
	return 0;
}
