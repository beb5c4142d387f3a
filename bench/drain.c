// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The floor of bench/drain.ts. Descriptor 3 is an array of {narrow_key, flow_counters} to be mapped, descriptor 4 a hash map
 * narrow_key -> flow_counters with the same flows.
 *
 * Reads commands from stdin, one octet each, and answers each with a line "<CPU microseconds> <groups> <octets>":
 *     r  maps the rows, decodes them into columns, then octets by (outer source, outer destination, VNI) from the columns
 *     g  maps the rows and groups straight from them
 *     h  reads the hash in batches, then as r
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define ROWS_FD 3
#define HASH_FD 4
#define BATCH 4096
#define GROUPS (1u << 16)

/* As bpf/parse.h and bpf/meter.bpf.c have them; bench/drain.ts compares the sums, which tells when they drift. */
struct key {
	uint32_t point, tunnel_id;
	uint16_t vlan[2], inner_vlan[2], source_port, destination_port;
	uint8_t protocol, tunnel, network, traits;
	uint32_t outer_source, outer_destination, source, destination;
};
_Static_assert(sizeof(struct key) == 40, "struct key");

struct counters {
	uint64_t octets, packets, payload_octets, extra_octets, extra_packets;
	uint32_t first, last, longest;
	uint16_t shortest, tcp_flags;
	uint8_t mac[12];
	uint16_t outer_source_port;
	uint8_t dscp, pad;
};
_Static_assert(sizeof(struct counters) == 72, "struct counters");

struct row {
	struct key key;
	struct counters counters;
};

struct group {
	uint32_t outer_source, outer_destination, tunnel_id, used;
	uint64_t octets;
};

/* The columns of a flow batch in src/flow/batch.ts. */
struct columns {
	uint32_t *ifindex, *tunnel_id, *nested_tunnel_id, *longest;
	uint16_t *icmp, *ethertype, *source_port, *destination_port, *vlan[4], *tcp_flags, *outer_source_port,
		*shortest;
	uint8_t *direction, *tunnel, *depth, *outer_network, *network, *protocol, *cast, *fragment, *remark, *dscp;
	uint8_t *outer_source, *outer_destination, *source, *destination, *source_mac, *destination_mac;
	uint64_t *octets, *packets, *wire_octets, *wire_packets, *payload_octets;
	double *first, *last;
};

/* Flows that a command works on: key and counters of each, `stride` octets from one to the next. */
static const uint8_t *keys, *values;
static size_t key_stride, value_stride;
static struct key *hash_keys;
static struct counters *hash_values;
static struct group *groups;
static uint32_t capacity, count, group_count;

static uint64_t cpu_us(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (uint64_t)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000 +
	       (uint64_t)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

static void read_hash(void)
{
	uint32_t cursor, n, *from = NULL;
	int error;

	count = 0;
	do {
		n = capacity - count < BATCH ? capacity - count : BATCH;
		error = bpf_map_lookup_batch(HASH_FD, from, &cursor, hash_keys + count,
					     hash_values + count, &n, NULL);
		if (error && error != -ENOENT)
			exit(3);
		count += n;
		from = &cursor;
	} while (!error && count < capacity);
	keys = (const uint8_t *)hash_keys;
	values = (const uint8_t *)hash_values;
	key_stride = sizeof(*hash_keys);
	value_stride = sizeof(*hash_values);
}

static void map_rows(void)
{
	const uint8_t *rows =
		mmap(NULL, capacity * sizeof(struct row), PROT_READ, MAP_SHARED, ROWS_FD, 0);

	if (rows == MAP_FAILED)
		exit(3);
	keys = rows;
	values = rows + sizeof(struct key);
	key_stride = value_stride = sizeof(struct row);
	count = capacity;
}

static const struct key *key_of(uint32_t i)
{
	return (const struct key *)(keys + i * key_stride);
}

static const struct counters *counters_of(uint32_t i)
{
	return (const struct counters *)(values + i * value_stride);
}

static void add(uint32_t source, uint32_t destination, uint32_t tunnel_id, uint64_t octets)
{
	uint32_t at = (source * 0x9e3779b1u ^ destination * 0x85ebca6bu ^ tunnel_id * 0xc2b2ae35u);

	for (at ^= at >> 15;; at++) {
		struct group *g = groups + (at & (GROUPS - 1));

		if (!g->used) {
			*g = (struct group){ source, destination, tunnel_id, 1, octets };
			group_count++;
			return;
		}
		if (g->outer_source == source && g->outer_destination == destination &&
		    g->tunnel_id == tunnel_id) {
			g->octets += octets;
			return;
		}
	}
}

static void group_elements(void)
{
	for (uint32_t i = 0; i < count; i++)
		add(key_of(i)->outer_source, key_of(i)->outer_destination, key_of(i)->tunnel_id,
		    counters_of(i)->octets + counters_of(i)->extra_octets);
}

static void *column(uint32_t octets)
{
	void *c = calloc(count, octets);

	if (!c)
		exit(3);
	return c;
}

static void mapped(uint8_t *to, uint32_t address)
{
	to[10] = to[11] = 0xff;
	memcpy(to + 12, &address, 4);
}

static void decode(struct columns *c)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct key *k = key_of(i);
		const struct counters *v = counters_of(i);

		c->ifindex[i] = k->point >> 1;
		c->direction[i] = k->point & 1;
		c->tunnel[i] = k->tunnel;
		c->tunnel_id[i] = k->tunnel_id;
		c->depth[i] = k->tunnel ? (uint8_t)(1 + (k->traits >> 6)) : 0;
		c->outer_network[i] = k->network >> 4;
		c->network[i] = k->network & 15;
		c->protocol[i] = k->protocol;
		c->vlan[0][i] = k->vlan[0];
		c->vlan[1][i] = k->vlan[1];
		c->vlan[2][i] = k->inner_vlan[0];
		c->vlan[3][i] = k->inner_vlan[1];
		c->cast[i] = k->traits & 2 ? 2 : k->traits & 1;
		c->fragment[i] = k->traits & 4 ? 1 : k->traits & 8 ? 2 : 0;
		c->remark[i] = (uint8_t)((k->traits & 32 ? 1 : 0) | (k->traits & 16 ? 2 : 0));
		c->ethertype[i] = 0x0800;
		if (k->protocol == 1) {
			c->icmp[i] = k->destination_port;
		} else {
			c->source_port[i] = k->source_port;
			c->destination_port[i] = k->destination_port;
		}
		mapped(c->outer_source + 16 * i, k->outer_source);
		mapped(c->outer_destination + 16 * i, k->outer_destination);
		mapped(c->source + 16 * i, k->source);
		mapped(c->destination + 16 * i, k->destination);
		c->octets[i] = v->octets;
		c->packets[i] = v->packets;
		c->wire_octets[i] = v->octets + v->extra_octets;
		c->wire_packets[i] = v->packets + v->extra_packets;
		c->payload_octets[i] = v->payload_octets;
		c->first[i] = 1e12 - (uint32_t)(1000000 - v->first) * 4.0;
		c->last[i] = 1e12 - (uint32_t)(1000000 - v->last) * 4.0;
		c->longest[i] = v->longest;
		c->shortest[i] = v->shortest;
		c->tcp_flags[i] = v->tcp_flags;
		c->outer_source_port[i] = v->outer_source_port;
		c->dscp[i] = v->dscp;
		memcpy(c->destination_mac + 6 * i, v->mac, 6);
		memcpy(c->source_mac + 6 * i, v->mac + 6, 6);
	}
}

/* Every member of struct columns in turn, with the octets of an element. */
static void each_column(struct columns *c, void (*visit)(void **, uint32_t))
{
	static const uint8_t octets[] = { 4, 4, 4, 4, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1,  1,	1,  1, 1, 1, 1,
					  1, 1, 1, 16, 16, 16, 16, 6, 6, 8, 8, 8, 8, 8, 8, 8 };
	_Static_assert(sizeof(octets) * sizeof(void *) == sizeof(struct columns), "struct columns");
	void **member = (void **)c;

	for (uint32_t i = 0; i < sizeof(octets); i++)
		visit(member + i, octets[i]);
}

static void make(void **member, uint32_t octets)
{
	*member = column(octets);
}

static void drop(void **member, uint32_t octets)
{
	(void)octets;
	free(*member);
}

static void group_columns(const struct columns *c)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t source, destination;

		memcpy(&source, c->outer_source + 16 * i + 12, 4);
		memcpy(&destination, c->outer_destination + 16 * i + 12, 4);
		add(source, destination, c->tunnel_id[i], c->wire_octets[i]);
	}
}

int main(int argc, char **argv)
{
	char command;

	if (argc != 2)
		return 2;
	capacity = (uint32_t)atoi(argv[1]);
	hash_keys = malloc(sizeof(*hash_keys) * capacity);
	hash_values = malloc(sizeof(*hash_values) * capacity);
	groups = malloc(sizeof(*groups) * GROUPS);
	if (!hash_keys || !hash_values || !groups)
		return 3;
	while (read(0, &command, 1) == 1) {
		uint64_t before = cpu_us(), octets = 0;
		struct columns c;

		memset(groups, 0, sizeof(*groups) * GROUPS);
		group_count = 0;
		if (command == 'h')
			read_hash();
		else
			map_rows();
		if (command == 'g') {
			group_elements();
		} else {
			each_column(&c, make);
			decode(&c);
			group_columns(&c);
			each_column(&c, drop);
		}
		if (command != 'h')
			munmap((void *)keys, capacity * sizeof(struct row));
		for (uint32_t i = 0; i < GROUPS; i++)
			octets += groups[i].octets;
		printf("%llu %u %llu\n", (unsigned long long)(cpu_us() - before), group_count,
		       (unsigned long long)octets);
		fflush(stdout);
	}
	return 0;
}
