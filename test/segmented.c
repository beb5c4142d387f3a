// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sends what stdin gives as UDP datagrams that leave the stack as one packet (UDP_SEGMENT), as QUIC senders do.
 *
 *     segmented <address> <port> <octets of a datagram>   < payloads
 */
#include <arpa/inet.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
	static uint8_t payloads[65507];
	struct sockaddr_in to = { .sin_family = AF_INET };
	int s = socket(AF_INET, SOCK_DGRAM, 0), size;
	size_t octets;

	if (argc != 4 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
		return 2;
	to.sin_port = htons((uint16_t)atoi(argv[2]));
	size = atoi(argv[3]);
	if (s < 0 || setsockopt(s, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)))
		return 3;
	octets = fread(payloads, 1, sizeof(payloads), stdin);
	if (sendto(s, payloads, octets, 0, (struct sockaddr *)&to, sizeof(to)) != (ssize_t)octets)
		return 4;
	return 0;
}
