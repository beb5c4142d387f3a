/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Rules: which flows are kept. A decision follows from the flow's key and the rules alone, so it is made once for a flow and
 * remembered: flows that are kept are found in the cache or the table of this epoch, and both kinds among the verdicts here.
 */
#pragma once

#include "key_words.h"
#include "rules/classifier.h"

/* Flows judged lately: each CPU has two to the power of this many places, of which a flow's follows from its hash. */
const volatile u32 verdict_bits = 12;

#define VERDICT_WORDS 7

/* A place. A wide key takes an even one and the next one, which is stamped alike. */
struct verdict {
	u64 stamp; /* generation of the rules << 2 | shape << 1 | whether it is kept */
	u64 words[VERDICT_WORDS];
};
_Static_assert(sizeof(struct verdict) == 64, "struct verdict");
_Static_assert(2 * VERDICT_WORDS == WIDE_WORDS, "struct verdict");

struct verdicts_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP); /* as many as there may be CPUs */
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct verdict);
};

/* There when there are rules. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, u32);
	__array(values, struct verdicts_map);
} verdicts SEC(".maps");

/* A place by its number, or 0. */
static __always_inline struct verdict *verdict_place(u32 number)
{
	u32 only = 0;
	void *places = bpf_map_lookup_elem(&verdicts, &only);

	return places ? bpf_map_lookup_elem(places, &number) : 0;
}

/* Whether the packet fits a rule of its epoch. */
static __always_inline int fits_any_rule(struct __sk_buff *skb, u32 parity, const struct packet *p)
{
	struct rule_work *work = rule_work_here();
	const struct rule_header *header;
	struct rule_lines lines;

	if (!work || !rule_lines_of(&lines, parity))
		return 1;
	header = rule_line_at(&lines, 0);
	if (!header)
		return 1;
	rule_values_of(&work->values, p, header->kinds_with_id);
	return fits_rules(skb, parity, work, (u32)header->fields);
}
