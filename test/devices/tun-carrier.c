// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Carries the packets of a tun device to another host and back, one in each datagram.
 *
 *     tun-carrier <device> <own IPv4 address> <address of the other> <port of both>
 *
 * Prints "ready", and ends with its standard input.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_PACKET 65535

static int open_device(const char *name)
{
	struct ifreq wanted = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR);

	snprintf(wanted.ifr_name, sizeof(wanted.ifr_name), "%s", name);
	return fd >= 0 && ioctl(fd, TUNSETIFF, &wanted) == 0 ? fd : -1;
}

static int open_socket(const char *own, const char *other, uint16_t port)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(port) }, there = here;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || inet_pton(AF_INET, own, &here.sin_addr) != 1 ||
	    inet_pton(AF_INET, other, &there.sin_addr) != 1)
		return -1;
	if (bind(fd, (struct sockaddr *)&here, sizeof(here)) ||
	    connect(fd, (struct sockaddr *)&there, sizeof(there)))
		return -1;
	return fd;
}

int main(int argc, char **argv)
{
	static uint8_t packet[MAX_PACKET];
	struct pollfd ends[3] = { { .fd = STDIN_FILENO, .events = POLLIN } };
	ssize_t octets;

	if (argc != 5)
		return 2;
	ends[1] = (struct pollfd){ .fd = open_device(argv[1]), .events = POLLIN };
	ends[2] = (struct pollfd){
		.fd = open_socket(argv[2], argv[3], (uint16_t)atoi(argv[4])), .events = POLLIN
	};
	if (ends[1].fd < 0 || ends[2].fd < 0) {
		perror("tun-carrier");
		return 3;
	}
	puts("ready");
	fflush(stdout);
	while (poll(ends, 3, -1) > 0 && !ends[0].revents) {
		for (int from = 1; from <= 2; from++) {
			if (!ends[from].revents)
				continue;
			octets = read(ends[from].fd, packet, sizeof(packet));
			/* The other may not be there yet: what it is sent then is lost, as on any way. */
			if (octets > 0 && write(ends[3 - from].fd, packet, (size_t)octets) < 0)
				perror("tun-carrier: write");
		}
		if (ends[1].revents & (POLLERR | POLLHUP))
			break;
	}
	return 0;
}
