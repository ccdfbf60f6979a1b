/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP_MD5SIG and TCP_MD5SIG_EXT: errors as on Linux, and two stacks that share a key or do not. */
#include <netinet/tcp.h>

#include "pair.h"

static struct pair p;

static int
set_key(struct weir_stack *st, int fd, char peer, int domain, const char *key)
{
	struct tcp_md5sig sig = {.tcpm_keylen = (uint16_t)strlen(key)};

	pair_addr(peer, domain, 0, &sig.tcpm_addr);
	memcpy(sig.tcpm_key, key, strlen(key));
	return weir_setsockopt(st, fd, IPPROTO_TCP, TCP_MD5SIG, &sig, sizeof(sig));
}

static int
set_prefix(int fd, int domain, uint8_t prefix, uint16_t len)
{
	struct tcp_md5sig sig = {
		.tcpm_flags = TCP_MD5SIG_FLAG_PREFIX, .tcpm_prefixlen = prefix, .tcpm_keylen = len};

	pair_addr('b', domain, 0, &sig.tcpm_addr);
	return weir_setsockopt(p.a, fd, IPPROTO_TCP, TCP_MD5SIG_EXT, &sig, sizeof(sig));
}

static void
errors_are_those_of_linux(void)
{
	struct tcp_md5sig sig;
	socklen_t len = sizeof(sig);
	int fd;

	pair_open(&p, &(struct pair_conf){.seed = 1});
	fd = weir_socket(p.a, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(set_key(p.a, fd, 'b', AF_INET, ""), -ENOENT);
	CU_ASSERT_EQUAL(set_key(p.a, fd, 'b', AF_INET6, "x"), -EINVAL);
	CU_ASSERT_EQUAL(set_key(p.a, fd, 'b', AF_INET, "x"), 0);
	CU_ASSERT_EQUAL(set_key(p.a, fd, 'b', AF_INET, ""), 0);
	CU_ASSERT_EQUAL(set_prefix(fd, AF_INET, 33, 1), -EINVAL);
	CU_ASSERT_EQUAL(set_prefix(fd, AF_INET, 24, 81), -EINVAL);
	CU_ASSERT_EQUAL(set_prefix(fd, AF_INET, 24, 80), 0);
	CU_ASSERT_EQUAL(set_prefix(fd, AF_INET, 23, 0), -ENOENT);
	CU_ASSERT_EQUAL(set_prefix(fd, AF_INET, 24, 0), 0);
	CU_ASSERT_EQUAL(
		weir_setsockopt(p.a, fd, IPPROTO_TCP, TCP_MD5SIG, &sig, sizeof(sig) - 1), -EINVAL);
	CU_ASSERT_EQUAL(
		weir_getsockopt(p.a, fd, IPPROTO_TCP, TCP_MD5SIG, &sig, &len), -ENOPROTOOPT);
	CU_ASSERT_EQUAL(set_key(p.a, fd, 'b', AF_INET, "left behind"), 0);
	weir_close(p.a, fd);
	pair_close(&p);
}

/* @return whether a reaches b */
static bool
can_talk(int domain, const char *key_a, const char *key_b)
{
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', domain, 80, &ss);
	const int l = weir_socket(p.b, domain, SOCK_STREAM, 0);
	const int fd = weir_socket(p.a, domain, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct pollfd pfd = {.fd = fd, .events = POLLOUT};
	char text[8] = "";
	int child;

	CU_ASSERT_EQUAL(weir_bind(p.b, l, (struct sockaddr *)&ss, len), 0);
	CU_ASSERT_EQUAL(weir_listen(p.b, l, 8), 0);
	if (key_b[0] != '\0') /* keys may come after listen */
		CU_ASSERT_EQUAL(set_key(p.b, l, 'a', domain, key_b), 0);
	if (key_a[0] != '\0')
		CU_ASSERT_EQUAL(set_key(p.a, fd, 'b', domain, key_a), 0);
	CU_ASSERT_EQUAL(weir_connect(p.a, fd, (struct sockaddr *)&ss, len), -EINPROGRESS);
	pair_pass(&p, 500000);
	weir_poll(p.a, &pfd, 1, 0);
	if (pfd.revents == POLLOUT) {
		child = weir_accept(p.b, l, NULL, NULL, SOCK_NONBLOCK);
		CU_ASSERT(child >= 0);
		CU_ASSERT_EQUAL(weir_send(p.a, fd, "hello", 5, 0), 5);
		pair_pass(&p, 10000);
		CU_ASSERT_EQUAL(weir_recv(p.b, child, text, sizeof(text), 0), 5);
		CU_ASSERT_STRING_EQUAL(text, "hello");
		weir_close(p.b, child);
	}
	weir_close(p.a, fd);
	weir_close(p.b, l);
	pair_pass(&p, 500000);
	return pfd.revents == POLLOUT;
}

static void
only_who_has_the_same_key_is_heard(void)
{
	pair_open(&p, &(struct pair_conf){.seed = 1});
	CU_ASSERT(can_talk(AF_INET, "one", "one"));
	CU_ASSERT(can_talk(AF_INET6, "one", "one"));
	CU_ASSERT(!can_talk(AF_INET, "one", "two"));
	CU_ASSERT(!can_talk(AF_INET, "one", ""));
	CU_ASSERT(!can_talk(AF_INET, "", "one"));
	CU_ASSERT(can_talk(AF_INET, "", ""));
	pair_close(&p);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(errors_are_those_of_linux),
		UNIT(only_who_has_the_same_key_is_heard),
		{NULL, NULL},
	};

	return unit_main("md5", tests, true);
}
