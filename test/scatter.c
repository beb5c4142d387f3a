// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sends frames of which only the beginning lies in the linear part of the packet; the rest lies in pages.
 *
 *     scatter <interface>   < frames
 *
 * Each frame on stdin is two numbers of four octets, its length and that of the linear part, and its octets. The kernel
 * makes shorter frames than a page linear all the same. Prints the number of frames sent.
 */
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define MAX_FRAME 9014

int main(int argc, char **argv)
{
	static uint8_t frame[MAX_FRAME];
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_halen = 6 };
	struct virtio_net_hdr header = { 0 };
	struct iovec parts[2] = { { &header, sizeof(header) }, { frame, 0 } };
	struct msghdr message = { .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = parts, .msg_iovlen = 2 };
	uint32_t lengths[2], sent = 0;
	int on = 1, s = socket(AF_PACKET, SOCK_RAW, 0);

	if (argc != 2)
		return 2;
	to.sll_ifindex = (int)if_nametoindex(argv[1]);
	if (s < 0 || !to.sll_ifindex || setsockopt(s, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)))
		return 3;
	while (fread(lengths, sizeof(lengths), 1, stdin) == 1) {
		if (lengths[0] > MAX_FRAME || fread(frame, lengths[0], 1, stdin) != 1)
			return 2;
		parts[1].iov_len = lengths[0];
		header.hdr_len = (uint16_t)lengths[1];
		/* What the frame says it carries, as a socket that sends it would have to say. */
		memcpy(&to.sll_protocol, frame + 12, 2);
		if (sendmsg(s, &message, 0) != (ssize_t)(sizeof(header) + lengths[0]))
			return 4;
		sent++;
	}
	printf("%u\n", sent);
	return 0;
}
