/* SPDX-License-Identifier: BSD-3-Clause */
#include "raw.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ASK_US	100000
#define LOOK_US 50000 /* for signals, while waiting */

uint64_t
raw_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* It stays pending. */
bool
raw_must_end(void)
{
	sigset_t set;

	sigpending(&set);
	return sigismember(&set, SIGINT) || sigismember(&set, SIGTERM);
}

int
raw_host_parse(struct raw_host *h, const char *text)
{
	memset(h, 0, sizeof(*h));
	if (inet_pton(AF_INET, text, &h->addr.v4.sin_addr) == 1) {
		h->domain = AF_INET;
		h->len = sizeof(h->addr.v4);
	} else if (inet_pton(AF_INET6, text, &h->addr.v6.sin6_addr) == 1) {
		h->domain = AF_INET6;
		h->len = sizeof(h->addr.v6);
	} else {
		fprintf(stderr, "%s: not an IP address\n", text);
		return -EINVAL;
	}
	h->addr.sa.sa_family = (sa_family_t)h->domain;
	snprintf(h->text, sizeof(h->text), "%s", text);
	return 0;
}

bool
raw_host_eq(const struct raw_host *a, const struct raw_host *b)
{
	if (a->domain != b->domain)
		return false;
	if (a->domain == AF_INET)
		return a->addr.v4.sin_addr.s_addr == b->addr.v4.sin_addr.s_addr;
	return memcmp(&a->addr.v6.sin6_addr, &b->addr.v6.sin6_addr, 16) == 0;
}

int
raw_set(struct weir_stack *st, int fd, int domain, int name4, int name6, int value)
{
	const int rc =
		domain == AF_INET
			? weir_setsockopt(st, fd, IPPROTO_IP, name4, &value, sizeof(value))
			: weir_setsockopt(st, fd, IPPROTO_IPV6, name6, &value, sizeof(value));

	if (rc != 0)
		fprintf(stderr, "socket option: %s\n", strerror(-rc));
	return rc;
}

bool
raw_wait(struct weir_stack *st, int fd, uint64_t end_us)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	for (;;) {
		const uint64_t now = raw_now_us();
		const uint64_t left = end_us > now ? end_us - now : 0;
		const uint64_t step = left < LOOK_US ? left : LOOK_US;
		const struct timespec t = {.tv_nsec = (long)step * 1000};

		if (weir_ppoll(st, &p, 1, &t, NULL) > 0)
			return true;
		if (left == 0 || raw_must_end())
			return false;
	}
}

enum raw_kind
raw_icmp_wait(struct weir_stack *st, int fd, int domain, uint64_t end_us, uint8_t *buf,
	struct raw_icmp *m)
{
	enum raw_kind kind = RAW_OTHER;

	while (kind == RAW_OTHER && raw_wait(st, fd, end_us))
		kind = raw_icmp_take(st, fd, domain, buf, m);
	return kind;
}

bool
raw_wait_up(struct weir_stack *st, int fd, const struct raw_host *to, unsigned int seconds)
{
	const uint64_t end_us = raw_now_us() + seconds * 1000000ull;
	static uint8_t buf[RAW_LEN_MAX];
	struct raw_icmp m;

	/* id 0, which no program here has for itself */
	while (raw_now_us() < end_us && !raw_must_end()) {
		raw_echo_send(st, fd, to, buf, RAW_ICMP_HLEN, 0, 1);
		if (raw_icmp_wait(st, fd, to->domain, raw_now_us() + ASK_US, buf, &m) ==
				RAW_ECHO_REPLY &&
			raw_host_eq(&m.from, to))
			break;
	}
	/* Answers to the others must not be taken for those that are counted. */
	while (raw_icmp_wait(st, fd, to->domain, raw_now_us() + ASK_US, buf, &m) != RAW_OTHER) {
	}
	return raw_now_us() < end_us;
}
