// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sends VXLAN frames of many flows through an interface, at a steady rate, round and round.
 *
 *     flood <interface> <flows> <packets per second> <seconds>   < frame
 *
 * The frame is IPv4 in VXLAN in IPv4 without options. A flow is one of 4096 inner sources and a source port; it
 * belongs to one of 16 outer sources and one of 8 segments. Prints the number of frames sent.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BURST 64
#define MAX_FRAME 512
#define OUTER_SOURCE_AT 26
#define VNI_AT 46
#define SOURCE_AT 76
#define SOURCE_PORT_AT 84

static unsigned char frames[BURST][MAX_FRAME];

static void write32(unsigned char *at, unsigned int value)
{
	value = htonl(value);
	memcpy(at, &value, 4);
}

static void write_flow(unsigned char *frame, unsigned int flow)
{
	unsigned short port = htons((unsigned short)(1024 + flow / 4096));

	write32(frame + OUTER_SOURCE_AT, 0xc0000200 + 1 + flow % 16);
	write32(frame + VNI_AT, (100 + flow % 8) << 8);
	write32(frame + SOURCE_AT, 0x0a000000 + flow % 4096);
	memcpy(frame + SOURCE_PORT_AT, &port, 2);
}

int main(int argc, char **argv)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_halen = 6 };
	struct mmsghdr messages[BURST];
	struct iovec parts[BURST];
	struct timespec due;
	unsigned long long sent = 0, all;
	unsigned int flows, rate, flow = 0;
	unsigned char frame[MAX_FRAME];
	ssize_t octets;
	int s;

	if (argc != 5)
		return 2;
	flows = (unsigned int)atoi(argv[2]);
	rate = (unsigned int)atoi(argv[3]);
	all = (unsigned long long)rate * (unsigned int)atoi(argv[4]);
	octets = read(0, frame, sizeof(frame));
	to.sll_ifindex = (int)if_nametoindex(argv[1]);
	s = socket(AF_PACKET, SOCK_RAW, 0);
	if (octets < 86 || !to.sll_ifindex || s < 0)
		return 3;
	memset(messages, 0, sizeof(messages));
	for (int i = 0; i < BURST; i++) {
		memcpy(frames[i], frame, (size_t)octets);
		parts[i] = (struct iovec){ frames[i], (size_t)octets };
		messages[i].msg_hdr = (struct msghdr){ .msg_name = &to, .msg_namelen = sizeof(to),
						       .msg_iov = &parts[i], .msg_iovlen = 1 };
	}
	clock_gettime(CLOCK_MONOTONIC, &due);
	while (sent < all) {
		int done = 0;

		for (int i = 0; i < BURST; i++) {
			write_flow(frames[i], flow);
			flow = flow + 1 < flows ? flow + 1 : 0;
		}
		while (done < BURST) {
			int n = sendmmsg(s, messages + done, (unsigned int)(BURST - done), 0);

			if (n < 0 && errno != ENOBUFS && errno != EINTR)
				return 4;
			if (n > 0)
				done += n;
		}
		sent += BURST;
		due.tv_nsec += (long)(1000000000ull * BURST / rate);
		if (due.tv_nsec >= 1000000000) {
			due.tv_nsec -= 1000000000;
			due.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
	}
	printf("%llu\n", sent);
	return 0;
}
