// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Programs for the tests of this library that need the kernel's own types: not of packets, so apart from probe.bpf.c.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct seq_file;

struct bpf_map {
	__u32 id;
};

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__bpf_map {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
};

#pragma clang attribute pop

/* The process that executed a program last. */
__u64 last_process;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} listed SEC(".maps");

/* Writes the number of every map of the machine. */
SEC("iter/bpf_map")
int list_maps(struct bpf_iter__bpf_map *ctx)
{
	struct bpf_map *map = ctx->map;
	__u32 id;

	/* After the last one. */
	if (!map)
		return 0;
	id = map->id;
	bpf_seq_write(ctx->meta->seq, &id, sizeof(id));
	return 0;
}

SEC("tp_btf/sched_process_exec")
int note_exec(void *ctx)
{
	last_process = bpf_get_current_pid_tgid() >> 32;
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
