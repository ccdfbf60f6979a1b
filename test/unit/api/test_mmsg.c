/* SPDX-License-Identifier: BSD-3-Clause */
/* Many messages by one call. */
#include <errno.h>

#include "pair.h"

#define N 4

struct batch {
	struct mmsghdr vec[N];
	struct iovec iov[N];
	char buf[N][16];
};

static void
batch_init(struct batch *b, size_t len)
{
	memset(b, 0, sizeof(*b));
	for (unsigned int i = 0; i < N; i++) {
		b->iov[i] = (struct iovec){b->buf[i], len};
		b->vec[i].msg_hdr = (struct msghdr){.msg_iov = &b->iov[i], .msg_iovlen = 1};
	}
}

static int
bound(struct weir_stack *st, char who, uint16_t port)
{
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr(who, AF_INET, port, &ss);
	const int fd = weir_socket(st, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	CU_ASSERT_EQUAL(weir_bind(st, fd, (struct sockaddr *)&ss, len), 0);
	return fd;
}

/* A socket of a, connected to b's. */
static int
connected(struct pair *p, uint16_t port)
{
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', AF_INET, port, &ss);
	const int fd = bound(p->a, 'a', 9000);

	CU_ASSERT_EQUAL(weir_connect(p->a, fd, (struct sockaddr *)&ss, len), 0);
	return fd;
}

static void
all_messages_go_and_come_with_their_lengths(void)
{
	struct pair p;
	struct batch b;
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 1, .workers = 2});
	fb = bound(p.b, 'b', 5000);
	fa = connected(&p, 5000);
	batch_init(&b, 3);
	b.iov[1].iov_len = 0;
	b.iov[2].iov_len = 9;
	CU_ASSERT_EQUAL(weir_sendmmsg(p.a, fa, b.vec, N, 0), N);
	CU_ASSERT_EQUAL(b.vec[0].msg_len, 3);
	CU_ASSERT_EQUAL(b.vec[1].msg_len, 0);
	CU_ASSERT_EQUAL(b.vec[2].msg_len, 9);
	pair_pass(&p, 5000);
	batch_init(&b, 16);
	CU_ASSERT_EQUAL(weir_recvmmsg(p.b, fb, b.vec, 2, 0, NULL), 2);
	CU_ASSERT_EQUAL(b.vec[0].msg_len, 3);
	CU_ASSERT_EQUAL(b.vec[1].msg_len, 0);
	CU_ASSERT_EQUAL(weir_recvmmsg(p.b, fb, b.vec, N, MSG_WAITFORONE, NULL), 2);
	CU_ASSERT_EQUAL(b.vec[0].msg_len, 9);
	CU_ASSERT_EQUAL(weir_recvmmsg(p.b, fb, b.vec, N, 0, NULL), -EAGAIN);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_close(&p);
}

static void
what_cannot_go_ends_the_call_and_is_told_if_it_is_the_first(void)
{
	struct pair p;
	struct batch b;
	int fa;

	pair_open(&p, &(struct pair_conf){.seed = 2});
	fa = connected(&p, 5000);
	batch_init(&b, 1);
	b.iov[2].iov_len = 70000;
	CU_ASSERT_EQUAL(weir_sendmmsg(p.a, fa, b.vec, N, 0), 2);
	CU_ASSERT_EQUAL(weir_sendmmsg(p.a, fa, b.vec + 2, 2, 0), -EMSGSIZE);
	CU_ASSERT_EQUAL(weir_sendmmsg(p.a, fa, b.vec, 0, 0), 0);
	CU_ASSERT_EQUAL(weir_sendmmsg(p.a, fa, NULL, 1, 0), -EFAULT);
	CU_ASSERT_EQUAL(weir_sendmmsg(p.a, fa + 1, b.vec, 0, 0), -EBADF);
	pair_pass(&p, 5000); /* nobody listens there */
	batch_init(&b, 16);
	CU_ASSERT_EQUAL(weir_recvmmsg(p.a, fa, b.vec, N, 0, NULL), -ECONNREFUSED);
	CU_ASSERT_EQUAL(weir_recvmmsg(p.a, fa, b.vec, N, 0, NULL), -EAGAIN);
	weir_close(p.a, fa);
	pair_close(&p);
}

static void
a_time_that_is_over_ends_the_call_after_a_message(void)
{
	struct pair p;
	struct batch b;
	struct timespec over = {0, 0}, much = {1000, 999999999}, none = {0, 1000000000};
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 3});
	fb = bound(p.b, 'b', 5000);
	fa = connected(&p, 5000);
	batch_init(&b, 1);
	CU_ASSERT_EQUAL(weir_sendmmsg(p.a, fa, b.vec, N, 0), N);
	pair_pass(&p, 5000);
	CU_ASSERT_EQUAL(weir_recvmmsg(p.b, fb, b.vec, N, 0, &none), -EINVAL);
	CU_ASSERT_EQUAL(weir_recvmmsg(p.b, fb, b.vec, N, 0, &over), 1);
	CU_ASSERT_EQUAL(weir_recvmmsg(p.b, fb, b.vec, N, 0, &much), N - 1);
	CU_ASSERT(much.tv_sec <= 1000 && much.tv_sec > 0);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_close(&p);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(all_messages_go_and_come_with_their_lengths),
		UNIT(what_cannot_go_ends_the_call_and_is_told_if_it_is_the_first),
		UNIT(a_time_that_is_over_ends_the_call_after_a_message),
		{0},
	};

	return unit_main("api_mmsg", tests, true);
}
