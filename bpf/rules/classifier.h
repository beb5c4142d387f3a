/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which of many conjunctions a packet fits, by bit vectors: bit b of word w stands for conjunction 64 w + b. A field's values
 * are cut into intervals; each has a row that says which conjunctions take it. The rows of all fields, and-ed, are those that fit.
 *
 * Conjunctions that use the same fields stand together, so that a word is of such conjunctions only, and the rows of a
 * field need no bits for those that do not use it. A row keeps its words that are not zero, and in its summary which ones
 * these are: and-ing the summaries first leaves few words to be looked at.
 *
 * All of a set is in the lines of one map, so that it is exchanged as one:
 *
 *   header | per field {field, tree of numbers, tree of IPv6 addresses} | fields of each word | upper keys | keys, rows, words
 *
 * What stands in the first page, all of a small set and the beginning of each search in a large one, is found without asking
 * the map again: its elements cannot be looked up in place, because maps of any size take its place.
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "fields.h"

#define RULE_SUMMARY_WORDS 6
#define RULE_WORDS (64 * RULE_SUMMARY_WORDS) /* 24,576 conjunctions */
#define RULE_KEYS 8
#define RULE_LEVELS 7 /* 2,097,152 intervals */
/* Octets of what stands in a line as something else than words. */
#define RULE_LINE 64

struct rule_line {
	u64 words[8];
};

#define RULE_PAGE_LINES 512
struct rule_page {
	struct rule_line lines[RULE_PAGE_LINES];
};

/* The first line. */
struct rule_header {
	u64 fields;	   /* in use; each has three lines behind this one */
	u64 kinds_with_id; /* bits by enum tunnel */
	u64 used_at;	   /* line: for each word the fields, by their place here, that its conjunctions use */
	u64 pad[5];
};
_Static_assert(sizeof(struct rule_header) == RULE_LINE, "struct rule_header");

struct rule_use {
	u32 field;	/* enum rule_field */
	u32 absent_row; /* line */
	u64 pad;
	u64 unused[RULE_SUMMARY_WORDS]; /* summary of the words whose conjunctions do not use it */
};
_Static_assert(sizeof(struct rule_use) == RULE_LINE, "struct rule_use");

/*
 * The lower ends of a field's intervals, rising, the first 0: eight to a line (of addresses to two lines, high halves and
 * low ones), and of those lines the first keys again, up to a single line. The last line is filled up.
 */
struct rule_tree {
	u32 levels;
	u32 rows; /* line of the first interval's row */
	u32 level_at[RULE_LEVELS]; /* line where a level begins, from the single line on */
	u32 last[RULE_LEVELS];	   /* number of a level's last key */
};
_Static_assert(sizeof(struct rule_tree) == RULE_LINE, "struct rule_tree");

struct rule_row {
	u64 summary[RULE_SUMMARY_WORDS];
	u64 words_at; /* number of its first word: eight to a line */
	u64 before;   /* for each word of the summary how many words stand before its own, ten bits each */
};
_Static_assert(sizeof(struct rule_row) == RULE_LINE, "struct rule_row");

struct rule_lines_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP); /* of any size */
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct rule_page);
};

/* The set of either parity of the epoch; none where everything is kept. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, u32);
	__array(values, struct rule_lines_map);
} rules SEC(".maps");

/* A packet being judged. One per CPU there may be, set by user space. */
struct rule_work {
	struct rule_values values;
	u64 left[RULE_SUMMARY_WORDS]; /* summary of the words still to be looked at */
	u32 rows[RULE_PLACES];	      /* lines, by the place of a field in use */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct rule_work);
} rule_works SEC(".maps");

static __always_inline struct rule_work *rule_work_here(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&rule_works, &cpu);
}

/* A set, and its first page. */
struct rule_lines {
	void *map;
	struct rule_page *first;
};

static __always_inline int rule_lines_of(struct rule_lines *lines, u32 parity)
{
	u32 page = 0;

	lines->map = bpf_map_lookup_elem(&rules, &parity);
	lines->first = lines->map ? bpf_map_lookup_elem(lines->map, &page) : 0;
	return !!lines->first;
}

static __always_inline void *rule_line_at(const struct rule_lines *lines, u32 at)
{
	struct rule_page *page = lines->first;
	u32 number = at / RULE_PAGE_LINES, line = at;

	if (number) {
		page = bpf_map_lookup_elem(lines->map, &number);
		if (!page)
			return 0;
	}
	/* The compiler knows that it is less where the page is the first; the verifier would not. */
	__asm__ volatile("%0 &= 511" : "+r"(line));
	return &page->lines[line];
}

/* Done before the next is begun: else the compiler takes all of a line at once, and the stack of all calls is too small. */
#define ONE_BY_ONE(value) __asm__ volatile("" : "+r"(value) : : "memory")

/* Whether one number is less than another, both below 2^63: without a jump that a CPU could not foresee. */
static __always_inline u32 is_less(u64 a, u64 b)
{
	return (u32)((a - b) >> 63);
}

/* What a subtraction of `from` borrows; `difference` is what it gave. */
static __always_inline u64 borrowed(u64 from, u64 less, u64 difference)
{
	return ((~from & less) | ((~from | less) & difference)) >> 63;
}

/* The line of the row of a number, or 0. */
static __always_inline u32 number_row(const struct rule_lines *lines, const struct rule_tree *tree, u64 number)
{
	const struct rule_line *keys;
	u32 at = 0, less;

#pragma clang loop unroll(disable)
	for (u32 level = 0; level < RULE_LEVELS; level++) {
		if (level >= tree->levels)
			break;
		keys = rule_line_at(lines, tree->level_at[level] + at);
		if (!keys)
			return 0;
		less = 0;
#pragma clang loop unroll(full)
		for (int i = 1; i < RULE_KEYS; i++) {
			less += is_less(number, keys->words[i]);
			ONE_BY_ONE(less);
		}
		at = RULE_KEYS * at + RULE_KEYS - 1 - less;
	}
	return tree->rows + at;
}

/* The same of an IPv6 address. */
static __always_inline u32 address_row(const struct rule_lines *lines, const struct rule_tree *tree,
					u64 high, u64 low)
{
	const struct rule_line *highs, *lows;
	u32 at = 0, less;
	u64 borrow;

#pragma clang loop unroll(disable)
	for (u32 level = 0; level < RULE_LEVELS; level++) {
		if (level >= tree->levels)
			break;
		at = tree->level_at[level] + 2 * at;
		highs = rule_line_at(lines, at);
		lows = rule_line_at(lines, at + 1);
		if (!highs || !lows)
			return 0;
		less = 0;
#pragma clang loop unroll(full)
		for (int i = 1; i < RULE_KEYS; i++) {
			borrow = borrowed(low, lows->words[i], low - lows->words[i]);
			less += (u32)borrowed(high, highs->words[i], high - highs->words[i] - borrow);
			ONE_BY_ONE(less);
		}
		at = RULE_KEYS * ((at - tree->level_at[level]) / 2) + RULE_KEYS - 1 - less;
		/* The highest address is not less than what fills up the last line. */
		if (at > tree->last[level])
			at = tree->last[level];
	}
	return tree->rows + at;
}

/* Takes out the words that the nth field in use rules out. Whether any are left. */
__noinline int rule_narrow(struct __sk_buff *skb, u32 parity, u32 nth)
{
	struct rule_work *work = rule_work_here();
	struct rule_lines lines;
	const struct rule_use *use;
	const struct rule_tree *tree;
	const struct rule_row *row;
	u32 field, at;
	u64 any = 0;

	if (!skb || !work || !rule_lines_of(&lines, parity) || nth >= RULE_FIELD_COUNT)
		return 0;
	use = rule_line_at(&lines, 1 + 3 * nth);
	if (!use)
		return 0;
	/* Where no word that is left uses the field, its row does not matter. */
#pragma clang loop unroll(full)
	for (int i = 0; i < RULE_SUMMARY_WORDS; i++) {
		any |= work->left[i] & ~use->unused[i];
		ONE_BY_ONE(any);
	}
	if (!any)
		return 1;
	any = 0;
	field = use->field;
	__asm__ volatile("%0 &= 31" : "+r"(field));
	if (work->values.numbers[field] == RULE_WIDE) {
		tree = rule_line_at(&lines, 3 + 3 * nth);
		field &= RULE_ADDRESSES - 1;
		at = tree ? address_row(&lines, tree, work->values.high[field], work->values.low[field]) : 0;
	} else if (work->values.numbers[field] == RULE_ABSENT) {
		at = use->absent_row;
	} else {
		tree = rule_line_at(&lines, 2 + 3 * nth);
		at = tree ? number_row(&lines, tree, work->values.numbers[field]) : 0;
	}
	row = rule_line_at(&lines, at);
	if (!row)
		return 0;
	/* Known to be one of RULE_PLACES, but not by the register that it comes back in (Linux 6.18). */
	__asm__ volatile("%0 &= 31" : "+r"(nth));
	work->rows[nth] = at;
#pragma clang loop unroll(full)
	for (int i = 0; i < RULE_SUMMARY_WORDS; i++) {
		work->left[i] &= row->summary[i] | use->unused[i];
		any |= work->left[i];
	}
	return !!any;
}

static __always_inline u32 count_bits(u64 bits)
{
	bits -= bits >> 1 & 0x5555555555555555;
	bits = (bits & 0x3333333333333333) + (bits >> 2 & 0x3333333333333333);
	bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return (u32)((bits * 0x0101010101010101) >> 56);
}

enum rule_look {
	RULE_NONE_LEFT,
	RULE_FITS,
	RULE_LOOK_ON,
};

/* Looks at the next word that is left: enum rule_look. */
__noinline int rule_look(struct __sk_buff *skb, u32 parity)
{
	struct rule_work *work = rule_work_here();
	struct rule_lines lines;
	const struct rule_header *header;
	const struct rule_line *line;
	const struct rule_row *row;
	u64 used, lowest, below, all = ~0ull;
	u32 part = 0, at;

	if (!skb || !work || !rule_lines_of(&lines, parity))
		return RULE_NONE_LEFT;
#pragma clang loop unroll(disable)
	for (; part < RULE_SUMMARY_WORDS && !work->left[part]; part++)
		;
	if (part >= RULE_SUMMARY_WORDS)
		return RULE_NONE_LEFT;
	lowest = work->left[part] & -work->left[part];
	work->left[part] ^= lowest;
	below = lowest - 1;
	header = rule_line_at(&lines, 0);
	if (!header)
		return RULE_NONE_LEFT;
	at = 64 * part + count_bits(below);
	line = rule_line_at(&lines, (u32)header->used_at + at / 8);
	if (!line)
		return RULE_NONE_LEFT;
	used = line->words[at & 7];
#pragma clang loop unroll(disable)
	for (u32 nth = 0; nth < RULE_FIELD_COUNT; nth++) {
		if (!(used >> nth & 1))
			continue;
		row = rule_line_at(&lines, work->rows[nth]);
		if (!row)
			return RULE_NONE_LEFT;
		at = (u32)row->words_at + (u32)(row->before >> 10 * part & 0x3ff) +
		     count_bits(row->summary[part] & below);
		line = rule_line_at(&lines, at / 8);
		if (!line)
			return RULE_NONE_LEFT;
		all &= line->words[at & 7];
	}
	return all ? RULE_FITS : RULE_LOOK_ON;
}

/* Whether the packet whose values are in `work` fits a rule of the set. */
static __always_inline int fits_rules(struct __sk_buff *skb, u32 parity, struct rule_work *work,
				      u32 fields)
{
	int look;

	/* Without a field there is no conjunction. */
	if (!fields)
		return 0;
#pragma clang loop unroll(full)
	for (int i = 0; i < RULE_SUMMARY_WORDS; i++)
		work->left[i] = ~0ull;
#pragma clang loop unroll(disable)
	for (u32 nth = 0; nth < RULE_FIELD_COUNT && nth < fields; nth++) {
		if (!rule_narrow(skb, parity, nth))
			return 0;
	}
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < RULE_WORDS; i++) {
		look = rule_look(skb, parity);
		if (look != RULE_LOOK_ON)
			return look == RULE_FITS;
	}
	return 0;
}
