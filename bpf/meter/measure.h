/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The packet in hand as measurements see it. Global functions, as parse_any(): the verifier looks at each once. */
#pragma once

#include "cpu_area.h"

/* Where sequence numbers are read from. */
struct payload {
	struct __sk_buff *skb;
};

PARSE_INLINE int load_payload(const struct payload *from, u32 at, void *to, u32 octets)
{
	u32 less = octets - 1;

	if (__builtin_constant_p(octets))
		return bpf_skb_load_bytes(from->skb, at, to, octets);
	__asm__ volatile("%0 &= %1" : "+r"(less) : "i"(CHUNK_OCTETS - 1));
	return bpf_skb_load_bytes(from->skb, at, to, less + 1);
}

/* What a CPU needs for the packet in hand; a global function has to look for it again. */
static __always_inline struct biflow_scratch *scratch_here(void)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct cpu_area *area = bpf_map_lookup_elem(&cpu_areas, &cpu);

	return area ? &area->biflow : 0;
}

/* A global function, as parse_any(); so is the next. */
__noinline int search_found(u32 octets, u32 pattern)
{
	struct biflow_scratch *scratch = scratch_here();

	return scratch ? search_chunk(scratch->found.chunk, octets, pattern) : -1;
}

PARSE_INLINE int find_pattern(const struct sequence_found *found __attribute__((unused)), u32 octets,
			      u32 pattern)
{
	return search_found(octets, pattern);
}

__noinline int find_number(struct __sk_buff *skb)
{
	struct biflow_scratch *scratch = scratch_here();
	const struct payload from = { .skb = skb };

	if (!scratch || !skb)
		return 0;
	return find_step(&from, skb->len, &scratch->found, &sequence_settings, &scratch->observed);
}

PARSE_INLINE int find_next(const struct payload *from, u32 readable __attribute__((unused)),
			   struct sequence_found *found __attribute__((unused)),
			   const volatile struct sequence_settings *settings __attribute__((unused)),
			   const struct observed *o __attribute__((unused)))
{
	return find_number(from->skb);
}

/* Sequence numbers of the packet in hand. A global function, as parse_any(). */
__noinline int find_numbers(struct __sk_buff *skb)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct cpu_area *area = bpf_map_lookup_elem(&cpu_areas, &cpu);
	const struct payload from = { .skb = skb };
	const struct labels *labels;

	if (!area || !skb || !(measured & MEASURE_SEQUENCE))
		return 0;
	labels = &area->adder.packet.labels;
	find_sequences(&from, skb->len, &area->biflow.found, &sequence_settings, &area->biflow.observed,
		       labels->source_port, labels->destination_port);
	return 0;
}

/* The packet in hand as measurements see it: 1, or 0: they do not. A global function, as parse_any(). */
__noinline int observe_packet(struct __sk_buff *skb, u32 parity)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct cpu_area *area = bpf_map_lookup_elem(&cpu_areas, &cpu);

	if (!measured || !area || !skb || !has_biflow(&area->adder.packet))
		return 0;
	observe(skb, &area->biflow, &area->adder, parity);
	return 1;
}

/* ... and in its biflow. */
__noinline int measure_packet(struct __sk_buff *skb)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct cpu_area *area = bpf_map_lookup_elem(&cpu_areas, &cpu);

	if (!measured || !area || !skb)
		return 0;
	if (measure_in_row(&area->biflow, &area->adder.packet))
		area->biflow.unmeasured[area->biflow.observed.parity & 1]++;
	return 0;
}
