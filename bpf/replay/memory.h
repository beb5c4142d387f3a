/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Memory of a WebAssembly module: 4 GiB at most, never given back. */
#pragma once

#include "../parse/packet.h"

#define EXPORT(name) __attribute__((export_name(#name)))

#define PAGE_OCTETS 65536

/* Memory is only ever taken, in pieces that double or are kept: at most half of it is left behind. */
extern u8 __heap_base;
static u64 heap_end;

static void *allocate(u64 octets)
{
	u64 begin, end, have = (u64)__builtin_wasm_memory_size(0) * PAGE_OCTETS;

	if (!heap_end)
		heap_end = (u64)(u32)&__heap_base;
	begin = (heap_end + 63) & ~63ull;
	end = begin + octets;
	if (end > 0xffff0000)
		return 0;
	if (end > have && __builtin_wasm_memory_grow(0, (u32)((end - have + PAGE_OCTETS - 1) / PAGE_OCTETS)) ==
				  (__SIZE_TYPE__)-1)
		return 0;
	heap_end = end;
	return (void *)(u32)begin;
}

/* Zeroed, or 0: memory is full. */
static void *allocate_empty(u64 octets)
{
	void *place = allocate(octets);

	if (place)
		__builtin_memset(place, 0, (u32)octets);
	return place;
}
