/*
 * Sends UDP datagrams to 192.0.2.9:9 for a while and prints the least nanoseconds a datagram of ten slices.
 *
 * usage: blast MILLISECONDS
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { BATCH = 16, SLICES = 10 };

static double now_ns(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv) {
	double budget = (argc > 1 ? atof(argv[1]) : 100) * 1e6 / SLICES;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	inet_pton(AF_INET, "192.0.2.9", &to.sin_addr);
	int link = socket(AF_INET, SOCK_DGRAM, 0);
	char payload[18] = { 0 };
	struct iovec part = { payload, sizeof payload };
	struct mmsghdr messages[BATCH] = { 0 };
	for (int i = 0; i < BATCH; i++)
		messages[i].msg_hdr = (struct msghdr){ .msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &part, .msg_iovlen = 1 };
	if (link < 0 || sendmmsg(link, messages, BATCH, 0) != BATCH) {
		perror("send");
		return 1;
	}
	double least = 1e18;
	for (int slice = 0; slice < SLICES; slice++) {
		double start = now_ns(), passed;
		long sent = 0;
		do {
			int done = sendmmsg(link, messages, BATCH, 0);
			if (done <= 0) {
				perror("send");
				return 1;
			}
			sent += done;
			passed = now_ns() - start;
		} while (passed < budget);
		if (passed / sent < least) least = passed / sent;
	}
	printf("%.1f\n", least);
	return 0;
}
