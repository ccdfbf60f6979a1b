/* SPDX-License-Identifier: BSD-3-Clause */
/* WEIR_TCP_AO_*: errors as on Linux, and two stacks that share a key or do not. */
#include "pair.h"
#include "weir_tcp_ao.h"

static struct pair p;

static struct weir_tcp_ao_add
key_for(char peer, int domain, const char *alg, const char *key)
{
	struct weir_tcp_ao_add add = {.prefix = domain == AF_INET ? 32 : 128,
		.sndid = 5,
		.rcvid = 5,
		.keylen = (uint8_t)strlen(key)};

	pair_addr(peer, domain, 0, &add.addr);
	strcpy(add.alg_name, alg);
	memcpy(add.key, key, strlen(key));
	return add;
}

static int
add_key(struct weir_stack *st, int fd, const struct weir_tcp_ao_add *add)
{
	return weir_setsockopt(st, fd, IPPROTO_TCP, WEIR_TCP_AO_ADD_KEY, add, sizeof(*add));
}

static int
info_of(struct weir_stack *st, int fd, struct weir_tcp_ao_info *i)
{
	socklen_t len = sizeof(*i);

	return weir_getsockopt(st, fd, IPPROTO_TCP, WEIR_TCP_AO_INFO, i, &len);
}

static void
calls_refuse_what_linux_refuses(void)
{
	struct weir_tcp_ao_add add = key_for('b', AF_INET, "hmac(sha1)", "key"), bad = add;
	struct weir_tcp_ao_del del = {.addr = add.addr, .prefix = 32, .sndid = 5, .rcvid = 5};
	struct weir_tcp_ao_info i = {.set_current = 1, .current_key = 9};
	int fd;

	pair_open(&p, &(struct pair_conf){.seed = 1});
	fd = weir_socket(p.a, AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(info_of(p.a, fd, &i), -ENOENT);
	strcpy(bad.alg_name, "rot13");
	CU_ASSERT_EQUAL(add_key(p.a, fd, &bad), -ENOENT);
	bad = add;
	bad.maclen = 17;
	CU_ASSERT_EQUAL(add_key(p.a, fd, &bad), -EMSGSIZE);
	bad = add;
	bad.prefix = 33;
	CU_ASSERT_EQUAL(add_key(p.a, fd, &bad), -EINVAL);
	bad = add;
	bad.keyflags = WEIR_TCP_AO_KEYF_IFINDEX;
	CU_ASSERT_EQUAL(add_key(p.a, fd, &bad), -EINVAL);
	CU_ASSERT_EQUAL(
		weir_setsockopt(p.a, fd, IPPROTO_TCP, WEIR_TCP_AO_ADD_KEY, &add, 8), -EINVAL);
	CU_ASSERT_EQUAL(add_key(p.a, fd, &add), 0);
	CU_ASSERT_EQUAL(add_key(p.a, fd, &add), -EEXIST);
	i = (struct weir_tcp_ao_info){.set_current = 1, .current_key = 9};
	CU_ASSERT_EQUAL(
		weir_setsockopt(p.a, fd, IPPROTO_TCP, WEIR_TCP_AO_INFO, &i, sizeof(i)), -ENOENT);
	CU_ASSERT_EQUAL(
		weir_setsockopt(p.a, fd, IPPROTO_TCP, WEIR_TCP_AO_DEL_KEY, &del, sizeof(del)), 0);
	CU_ASSERT_EQUAL(
		weir_setsockopt(p.a, fd, IPPROTO_TCP, WEIR_TCP_AO_DEL_KEY, &del, sizeof(del)),
		-ENOENT);
	CU_ASSERT_EQUAL(add_key(p.a, fd, &add), 0);
	weir_close(p.a, fd);
	pair_close(&p);
}

/* Talk, and look at what was counted. */
static void
exchange(int fd, int child, int domain)
{
	struct weir_tcp_ao_add add = key_for('b', domain, "hmac(sha1)", "second");
	struct weir_tcp_ao_info i;
	char text[8] = "";

	CU_ASSERT_EQUAL(weir_send(p.a, fd, "hello", 5, 0), 5);
	pair_pass(&p, 100000);
	CU_ASSERT_EQUAL(weir_recv(p.b, child, text, sizeof(text), 0), 5);
	CU_ASSERT_STRING_EQUAL(text, "hello");
	CU_ASSERT_EQUAL(info_of(p.b, child, &i), 0);
	CU_ASSERT(i.pkt_good >= 1 && i.pkt_bad == 0);
	CU_ASSERT(i.set_current && i.current_key == 5 && i.set_rnext && i.rnext == 5);
	add.sndid = 6;
	add.rcvid = 6;
	add.set_rnext = 1; /* asks for a key that b has not: nothing changes */
	CU_ASSERT_EQUAL(add_key(p.a, fd, &add), 0);
	CU_ASSERT_EQUAL(weir_send(p.a, fd, "again", 5, 0), 5);
	pair_pass(&p, 100000);
	CU_ASSERT_EQUAL(weir_recv(p.b, child, text, sizeof(text), 0), 5);
}

/* @return whether a reaches b; a key that is NULL is not set */
static bool
can_talk(int domain, const char *alg, const char *key_a, const char *key_b, bool is_required)
{
	const struct weir_tcp_ao_info required = {.ao_required = is_required};
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', domain, 80, &ss);
	const int l = weir_socket(p.b, domain, SOCK_STREAM, 0);
	const int fd = weir_socket(p.a, domain, SOCK_STREAM | SOCK_NONBLOCK, 0);
	const struct weir_tcp_ao_add a = key_for('b', domain, alg, key_a != NULL ? key_a : "");
	const struct weir_tcp_ao_add b = key_for('a', domain, alg, key_b != NULL ? key_b : "");
	struct pollfd pfd = {.fd = fd, .events = POLLOUT};

	CU_ASSERT_EQUAL(weir_bind(p.b, l, (struct sockaddr *)&ss, len), 0);
	CU_ASSERT_EQUAL(weir_listen(p.b, l, 8), 0);
	if (key_b != NULL)
		CU_ASSERT_EQUAL(add_key(p.b, l, &b), 0);
	if (is_required)
		CU_ASSERT_EQUAL(weir_setsockopt(p.b, l, IPPROTO_TCP, WEIR_TCP_AO_INFO, &required,
					sizeof(required)),
			0);
	if (key_a != NULL)
		CU_ASSERT_EQUAL(add_key(p.a, fd, &a), 0);
	CU_ASSERT_EQUAL(weir_connect(p.a, fd, (struct sockaddr *)&ss, len), -EINPROGRESS);
	pair_pass(&p, 500000);
	weir_poll(p.a, &pfd, 1, 0);
	if (pfd.revents == POLLOUT) {
		const int child = weir_accept(p.b, l, NULL, NULL, SOCK_NONBLOCK);

		CU_ASSERT(child >= 0);
		if (key_a != NULL)
			exchange(fd, child, domain);
		weir_close(p.b, child);
	}
	weir_close(p.a, fd);
	weir_close(p.b, l);
	pair_pass(&p, 500000);
	return pfd.revents == POLLOUT;
}

static void
who_shares_a_key_is_heard(void)
{
	pair_open(&p, &(struct pair_conf){.seed = 1});
	CU_ASSERT(can_talk(AF_INET, "hmac(sha1)", "one", "one", false));
	CU_ASSERT(can_talk(AF_INET6, "hmac(sha1)", "one", "one", true));
	CU_ASSERT(can_talk(AF_INET, "cmac(aes128)", "sixteen bytes...", "sixteen bytes...", false));
	CU_ASSERT(can_talk(AF_INET, "cmac(aes128)", "one", "one", false));
	CU_ASSERT(!can_talk(AF_INET, "hmac(sha1)", "one", "two", false));
	CU_ASSERT(!can_talk(AF_INET, "hmac(sha1)", "one", NULL, false));
	CU_ASSERT(!can_talk(AF_INET, "hmac(sha1)", NULL, "one", false));
	CU_ASSERT(!can_talk(AF_INET, "hmac(sha1)", NULL, NULL, true));
	CU_ASSERT(can_talk(AF_INET, "hmac(sha1)", NULL, NULL, false));
	pair_close(&p);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(calls_refuse_what_linux_refuses),
		UNIT(who_shares_a_key_is_heard),
		{NULL, NULL},
	};

	return unit_main("ao", tests, true);
}
