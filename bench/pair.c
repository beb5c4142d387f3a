// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Runs the BPF program behind descriptor 3 on CPUs 0 and 1 at the same time, on the frame that stdin gives.
 *
 *     pair <rounds> <runs per round>
 *
 * Prints a line per round: ns per run (mean of both), and a share: how much of the longer one's time both ran
 * together, or how much of its time either was really running (the kernel leaves time off the CPU out of ns per run),
 * whichever is less.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM_FD 3

static unsigned char frame[4096];
static ssize_t frame_octets;
static int rounds, repeat;
static pthread_barrier_t start;

struct runner {
	pthread_t thread;
	int cpu;
	double ns;
	double began, ended;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Share of its time that it was on the CPU. */
static double busy(const struct runner *r)
{
	return r->ns * repeat / (r->ended - r->began);
}

static void *run(void *argument)
{
	struct runner *r = argument;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(r->cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		exit(3);
	for (int i = 0; i < rounds; i++) {
		LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame,
			    .data_size_in = (unsigned int)frame_octets, .repeat = repeat);

		pthread_barrier_wait(&start);
		r->began = now();
		if (bpf_prog_test_run_opts(PROGRAM_FD, &options))
			exit(4);
		r->ended = now();
		r->ns = options.duration;
		pthread_barrier_wait(&start); /* main prints between this one and the next */
		pthread_barrier_wait(&start);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct runner runners[2] = { { .cpu = 0 }, { .cpu = 1 } }, *a = runners, *b = runners + 1;

	if (argc != 3)
		return 2;
	rounds = atoi(argv[1]);
	repeat = atoi(argv[2]);
	frame_octets = read(0, frame, sizeof(frame));
	if (frame_octets < 14)
		return 2;
	pthread_barrier_init(&start, NULL, 3);
	for (int i = 0; i < 2; i++)
		pthread_create(&runners[i].thread, NULL, run, &runners[i]);
	for (int i = 0; i < rounds; i++) {
		double together, longer, share;

		pthread_barrier_wait(&start);
		pthread_barrier_wait(&start);
		together = (a->ended < b->ended ? a->ended : b->ended) -
			   (a->began > b->began ? a->began : b->began);
		longer = a->ended - a->began;
		if (b->ended - b->began > longer)
			longer = b->ended - b->began;
		share = together / longer;
		if (busy(a) < share)
			share = busy(a);
		if (busy(b) < share)
			share = busy(b);
		printf("%.1f %.3f\n", (a->ns + b->ns) / 2, share);
		pthread_barrier_wait(&start);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(runners[i].thread, NULL);
	return 0;
}
