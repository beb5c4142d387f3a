/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Epochs: which one it is, and maps that are doubled by its parity. */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "../parse/packet.h"

/* Shared with user space, which maps this memory. */
struct control {
	u64 epoch;	  /* raised by user space; its parity names the maps in use */
	u64 jiffies;	  /* ts_clock: one reading of both clocks */
	u64 monotonic_ns;
	u64 rules[2]; /* generation of the rules of each parity of the epoch; 0: everything is kept */
};
volatile struct control control;

#define EPOCH_MAP(name, map_type, key_type, value_type, entries)                                   \
	struct name##_map {                                                                        \
		__uint(type, map_type);                                                            \
		__uint(max_entries, entries);                                                      \
		__type(key, key_type);                                                             \
		__type(value, value_type);                                                         \
	} name##_0 SEC(".maps"), name##_1 SEC(".maps");                                            \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);                                          \
		__uint(max_entries, 2);                                                            \
		__type(key, u32);                                                                  \
		__array(values, struct name##_map);                                                \
	} name SEC(".maps") = { .values = { &name##_0, &name##_1 } }
