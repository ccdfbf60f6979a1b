/* SPDX-License-Identifier: BSD-3-Clause */
/* Congestion control and pacing as an application sees them. */
#include <netinet/tcp.h>

#include "pair.h"

static struct pair p;

static const char *
name_of(struct weir_stack *st, int fd, char name[WEIR_TCP_CC_NAME_LEN])
{
	socklen_t len = WEIR_TCP_CC_NAME_LEN;

	CU_ASSERT_EQUAL(weir_getsockopt(st, fd, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
	CU_ASSERT_EQUAL(len, WEIR_TCP_CC_NAME_LEN);
	return name;
}

static int
choose(struct weir_stack *st, int fd, const char *name, socklen_t len)
{
	return weir_setsockopt(st, fd, IPPROTO_TCP, TCP_CONGESTION, name, len);
}

static void
algorithm_is_chosen_by_name(void)
{
	char name[WEIR_TCP_CC_NAME_LEN];
	socklen_t len = 3;
	int fd, udp;

	pair_open(&p, &(struct pair_conf){.seed = 1});
	fd = weir_socket(p.a, AF_INET, SOCK_STREAM, 0);
	udp = weir_socket(p.a, AF_INET, SOCK_DGRAM, 0);
	CU_ASSERT_STRING_EQUAL(name_of(p.a, fd, name), "cubic");
	CU_ASSERT_EQUAL(choose(p.a, fd, "reno", 4), 0); /* without a final zero */
	CU_ASSERT_STRING_EQUAL(name_of(p.a, fd, name), "reno");
	CU_ASSERT_EQUAL(choose(p.a, fd, "dctcp\0x", 7), 0);
	CU_ASSERT_STRING_EQUAL(name_of(p.a, fd, name), "dctcp");
	CU_ASSERT_EQUAL(choose(p.a, fd, "vegas", 5), -ENOENT);
	CU_ASSERT_EQUAL(choose(p.a, fd, "a-name-that-is-much-too-long", 28), -ENOENT);
	CU_ASSERT_EQUAL(choose(p.a, fd, "bbr", 0), -EINVAL);
	CU_ASSERT_EQUAL(choose(p.a, udp, "bbr", 3), -ENOPROTOOPT);
	CU_ASSERT_EQUAL(weir_getsockopt(p.a, fd, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
	CU_ASSERT_EQUAL(len, 3);
	CU_ASSERT_EQUAL(memcmp(name, "dct", 3), 0);
	weir_close(p.a, fd);
	weir_close(p.a, udp);
	pair_close(&p);
}

static void
living_connection_changes_its_algorithm(void)
{
	static const char *const names[] = {"reno", "bbr", "dctcp", "cubic"};
	char name[WEIR_TCP_CC_NAME_LEN], byte = 1;
	int a, b;

	pair_open(&p, &(struct pair_conf){.seed = 1});
	pair_connect(&p, AF_INET, 80, &a, &b);
	for (unsigned int i = 0; i < RTE_DIM(names); i++) {
		CU_ASSERT_EQUAL(choose(p.a, a, names[i], (socklen_t)strlen(names[i])), 0);
		CU_ASSERT_STRING_EQUAL(name_of(p.a, a, name), names[i]);
		CU_ASSERT_EQUAL(weir_send(p.a, a, &byte, 1, 0), 1);
		pair_pass(&p, 100000);
		CU_ASSERT_EQUAL(weir_recv(p.b, b, &byte, 1, 0), 1);
	}
	weir_close(p.a, a);
	weir_close(p.b, b);
	pair_close(&p);
}

static void
pacing_limit_reads_as_it_was_set(void)
{
	uint64_t v = 5000000000, got = 0;
	uint32_t v32 = 1000000, got32 = 0;
	socklen_t len = sizeof(got), len32 = sizeof(got32);
	int fd;

	pair_open(&p, &(struct pair_conf){.seed = 1});
	fd = weir_socket(p.a, AF_INET, SOCK_STREAM, 0);
	weir_getsockopt(p.a, fd, SOL_SOCKET, SO_MAX_PACING_RATE, &got, &len);
	CU_ASSERT_EQUAL(got, UINT64_MAX);
	CU_ASSERT_EQUAL(weir_setsockopt(p.a, fd, SOL_SOCKET, SO_MAX_PACING_RATE, &v, 8), 0);
	weir_getsockopt(p.a, fd, SOL_SOCKET, SO_MAX_PACING_RATE, &got, &len);
	CU_ASSERT_EQUAL(got, v);
	weir_getsockopt(p.a, fd, SOL_SOCKET, SO_MAX_PACING_RATE, &got32, &len32);
	CU_ASSERT_EQUAL(got32, UINT32_MAX);
	CU_ASSERT_EQUAL(weir_setsockopt(p.a, fd, SOL_SOCKET, SO_MAX_PACING_RATE, &v32, 4), 0);
	weir_getsockopt(p.a, fd, SOL_SOCKET, SO_MAX_PACING_RATE, &got, &len);
	CU_ASSERT_EQUAL(got, 1000000);
	v32 = UINT32_MAX;
	CU_ASSERT_EQUAL(weir_setsockopt(p.a, fd, SOL_SOCKET, SO_MAX_PACING_RATE, &v32, 4), 0);
	weir_getsockopt(p.a, fd, SOL_SOCKET, SO_MAX_PACING_RATE, &got, &len);
	CU_ASSERT_EQUAL(got, UINT64_MAX);
	CU_ASSERT_EQUAL(weir_setsockopt(p.a, fd, SOL_SOCKET, SO_MAX_PACING_RATE, &v32, 3), -EINVAL);
	weir_close(p.a, fd);
	pair_close(&p);
}

/* 1 Mbyte at 1 Mbyte/s takes a second, on a cable that would need none. */
static void
limited_sender_keeps_its_rate(void)
{
	static char buf[1 << 16];
	const uint32_t rate = 1000000;
	uint64_t start_us, us;
	uint32_t sent = 0, got = 0;
	int a, b;

	pair_open(&p, &(struct pair_conf){.seed = 1});
	pair_connect(&p, AF_INET6, 80, &a, &b);
	CU_ASSERT_EQUAL(
		weir_setsockopt(p.a, a, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate)), 0);
	start_us = weir_clock_now_us(&p.clock);
	for (unsigned int i = 0; i < 1000000 && got < 1000000; i++) {
		ssize_t n = weir_send(p.a, a, buf, RTE_MIN(sizeof(buf), 1000000u - sent), 0);

		sent += n > 0 ? (uint32_t)n : 0;
		n = weir_recv(p.b, b, buf, sizeof(buf), 0);
		got += n > 0 ? (uint32_t)n : 0;
		pair_step(&p);
	}
	us = weir_clock_now_us(&p.clock) - start_us;
	CU_ASSERT_EQUAL(got, 1000000);
	CU_ASSERT(us > 950000 && us < 1050000);
	weir_close(p.a, a);
	weir_close(p.b, b);
	pair_close(&p);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(algorithm_is_chosen_by_name),
		UNIT(living_connection_changes_its_algorithm),
		UNIT(pacing_limit_reads_as_it_was_set),
		UNIT(limited_sender_keeps_its_rate),
		{NULL, NULL},
	};

	return unit_main("cc", tests, true);
}
