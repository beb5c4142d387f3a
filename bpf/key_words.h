/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Keys as words: their hash, and whether two are the same. */
#pragma once

#include "flow_key.h"

/* Odd numbers without a pattern. */
static const u64 hash_factors[WIDE_WORDS] = {
	0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb, 0xd6e8feb86659fd93,
	0xa0761d6478bd642f, 0xe7037ed1a0b428db, 0x8ebc6af09c88c6e3, 0x589965cc75374cc3,
	0x1d8e4e27c47d124f, 0xeb44accab455d165, 0x9c6e6877736c46e3, 0xd1342543de82ef95,
	0x2545f4914f6cdd1d, 0xda942042e4dd58b5,
};

/* A sum of products: cheap, and every word of the key counts. The high bits are the good ones. */
PARSE_INLINE u64 sum_words(const u64 *words, const u64 *factors, int count)
{
	u64 sum = 0;

#pragma clang loop unroll(full)
	for (int i = 0; i < count; i++)
		sum += words[i] * factors[i];
	return sum;
}

PARSE_INLINE u64 hash_words(const u64 *words, int count)
{
	return sum_words(words, hash_factors, count);
}

PARSE_INLINE int same_words(const u64 *a, const u64 *b, int count)
{
	u64 difference = 0;

#pragma clang loop unroll(full)
	for (int i = 0; i < count; i++)
		difference |= a[i] ^ b[i];
	return !difference;
}

/*
 * As same_words(), by one jump: the verifier (Linux 6.18) has less to follow where it is in a loop, whose other turns come
 * behind each jump. Slower where words differ early.
 */
PARSE_INLINE int same_words_at_once(const u64 *a, const u64 *b, int count)
{
	u64 difference = 0;

#pragma clang loop unroll(full)
	for (int i = 0; i < count; i++) {
		difference |= a[i] ^ b[i];
		__asm__ volatile("" : "+r"(difference));
	}
	return !difference;
}
