/* SPDX-License-Identifier: BSD-3-Clause */
/* Urgent data, records, and data that waits for more. */
#include <time.h>

#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include "pair.h"

static short
mask(struct weir_stack *st, int fd)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN | POLLPRI};

	weir_poll(st, &pfd, 1, 0);
	return pfd.revents;
}

static int
at_mark(struct weir_stack *st, int fd)
{
	int v = -1;

	CU_ASSERT_EQUAL(weir_ioctl(st, fd, SIOCATMARK, &v), 0);
	return v;
}

static int
readable(struct weir_stack *st, int fd)
{
	int v = -1;

	CU_ASSERT_EQUAL(weir_ioctl(st, fd, FIONREAD, &v), 0);
	return v;
}

static void
the_urgent_byte_stands_apart(void)
{
	struct pair p;
	char buf[16];
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 1});
	pair_connect(&p, AF_INET, 80, &fa, &fb);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "abX", 3, MSG_OOB), 3);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "cd", 2, 0), 2);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(mask(p.b, fb), POLLIN | POLLPRI);
	CU_ASSERT_EQUAL(readable(p.b, fb), 2);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, 1, MSG_OOB | MSG_PEEK), 1);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, 1, MSG_OOB), 1);
	CU_ASSERT_EQUAL(buf[0], 'X');
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, 1, MSG_OOB), -EINVAL);
	CU_ASSERT_EQUAL(mask(p.b, fb), POLLIN);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, 16, MSG_PEEK), 2);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, 16, 0), 2); /* up to the mark */
	CU_ASSERT(memcmp(buf, "ab", 2) == 0);
	CU_ASSERT_EQUAL(at_mark(p.b, fb), 1);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, 16, 0), 2);
	CU_ASSERT(memcmp(buf, "cd", 2) == 0);
	CU_ASSERT_EQUAL(at_mark(p.b, fb), 0);
	CU_ASSERT_EQUAL(readable(p.b, fb), 0);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_close(&p);
}

static void
an_urgent_byte_alone_is_nothing_to_read(void)
{
	struct pair p;
	char buf[16];
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 2});
	pair_connect(&p, AF_INET, 80, &fa, &fb);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "X", 1, MSG_OOB), 1);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(mask(p.b, fb), POLLPRI);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, 16, MSG_PEEK), -EAGAIN);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, 1, MSG_OOB), 1);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "after", 5, 0), 5);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, 16, 0), 5);
	CU_ASSERT(memcmp(buf, "after", 5) == 0);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_close(&p);
}

static void
in_line_it_is_read_with_the_rest(void)
{
	struct pair p;
	const int on = 1;
	char buf[16];
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 3});
	pair_connect(&p, AF_INET, 80, &fa, &fb);
	CU_ASSERT_EQUAL(weir_setsockopt(p.b, fb, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)), 0);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "abX", 3, MSG_OOB), 3);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "cd", 2, 0), 2);
	pair_pass(&p, 10000);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, 1, MSG_OOB), -EINVAL);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, 16, 0), 2);
	CU_ASSERT_EQUAL(at_mark(p.b, fb), 1);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, buf, 16, 0), 3);
	CU_ASSERT(memcmp(buf, "Xcd", 3) == 0);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_close(&p);
}

/* Bytes that have arrived at b. */
static int
arrived(struct pair *p, int fb, unsigned int us)
{
	pair_pass(p, us);
	return readable(p->b, fb);
}

static void
more_holds_small_segments_back(void)
{
	struct pair p;
	static char big[4000];
	const int on = 1, off = 0;
	int fa, fb, mss;
	socklen_t len = sizeof(mss);

	pair_open(&p, &(struct pair_conf){.seed = 4});
	pair_connect(&p, AF_INET, 80, &fa, &fb);
	CU_ASSERT_EQUAL(weir_getsockopt(p.a, fa, IPPROTO_TCP, TCP_MAXSEG, &mss, &len), 0);
	CU_ASSERT_EQUAL(weir_setsockopt(p.a, fa, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, big, 100, MSG_MORE), 100);
	CU_ASSERT_EQUAL(arrived(&p, fb, 100000), 0);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, big, 50, 0), 50);
	CU_ASSERT_EQUAL(arrived(&p, fb, 1000), 150);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, big, 40, MSG_MORE), 40);
	CU_ASSERT_EQUAL(arrived(&p, fb, 190000), 150);
	CU_ASSERT_EQUAL(arrived(&p, fb, 20000), 190); /* long enough */
	CU_ASSERT_EQUAL(weir_setsockopt(p.a, fa, IPPROTO_TCP, TCP_CORK, &on, sizeof(on)), 0);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, big, 10, 0), 10);
	CU_ASSERT_EQUAL(arrived(&p, fb, 1000), 190);
	CU_ASSERT_EQUAL(weir_setsockopt(p.a, fa, IPPROTO_TCP, TCP_CORK, &off, sizeof(off)), 0);
	CU_ASSERT_EQUAL(arrived(&p, fb, 1000), 200);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_close(&p);
}

/* MSG_EOR: a segment of its own, whatever follows. */
static void
records_do_not_share_segments(void)
{
	struct pair p;
	uint64_t before;
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 5});
	pair_connect(&p, AF_INET, 80, &fa, &fb);
	pair_pass(&p, 10000);
	before = p.a->workers[0]->tcp.stats.tx_segs;
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "one", 3, MSG_EOR), 3);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "two", 3, MSG_EOR), 3);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, "three", 5, 0), 5);
	CU_ASSERT_EQUAL(arrived(&p, fb, 1000000), 11);
	CU_ASSERT_EQUAL(p.a->workers[0]->tcp.stats.tx_segs - before, 3);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_close(&p);
}

static ssize_t
notice(struct weir_stack *st, int fd, struct sock_extended_err *e)
{
	char control[128];
	struct msghdr msg = {.msg_control = control, .msg_controllen = sizeof(control)};
	const ssize_t rc = weir_recvmsg(st, fd, &msg, MSG_ERRQUEUE);
	const struct cmsghdr *c = (const struct cmsghdr *)control;

	if (rc != 0)
		return rc;
	CU_ASSERT_EQUAL(msg.msg_flags, MSG_ERRQUEUE);
	CU_ASSERT(c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR);
	memcpy(e, CMSG_DATA(c), sizeof(*e));
	return 0;
}

static short
errors(struct weir_stack *st, int fd)
{
	struct pollfd pfd = {.fd = fd};

	weir_poll(st, &pfd, 1, 0);
	return pfd.revents;
}

static void
zerocopy_sends_are_answered_by_notices(void)
{
	struct pair p;
	static char big[20000];
	struct sock_extended_err e = {0};
	const int on = 1;
	int fa, fb;

	pair_open(&p, &(struct pair_conf){.seed = 6});
	pair_connect(&p, AF_INET, 80, &fa, &fb);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, big, 4000, MSG_ZEROCOPY), 4000); /* not asked for */
	CU_ASSERT_EQUAL(arrived(&p, fb, 100000), 4000);
	CU_ASSERT_EQUAL(notice(p.a, fa, &e), -EAGAIN);
	CU_ASSERT_EQUAL(weir_setsockopt(p.a, fa, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)), 0);
	CU_ASSERT_EQUAL(weir_send(p.a, fa, big, 100, MSG_ZEROCOPY), 100);
	CU_ASSERT_EQUAL(notice(p.a, fa, &e), -EAGAIN); /* the peer has not got it */
	CU_ASSERT_EQUAL(arrived(&p, fb, 100000), 4100);
	CU_ASSERT_EQUAL(errors(p.a, fa), POLLERR);
	CU_ASSERT_EQUAL(notice(p.a, fa, &e), 0);
	CU_ASSERT_EQUAL(e.ee_origin, SO_EE_ORIGIN_ZEROCOPY);
	CU_ASSERT_EQUAL(e.ee_code, SO_EE_CODE_ZEROCOPY_COPIED);
	CU_ASSERT(e.ee_info == 0 && e.ee_data == 0);
	CU_ASSERT_EQUAL(errors(p.a, fa), 0);
	for (unsigned int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(weir_send(p.a, fa, big, 20000, MSG_ZEROCOPY), 20000);
	CU_ASSERT_EQUAL(arrived(&p, fb, 1000000), 64100);
	CU_ASSERT_EQUAL(notice(p.a, fa, &e), 0);
	CU_ASSERT(e.ee_info == 1 && e.ee_data == 3); /* one for all */
	CU_ASSERT_EQUAL(weir_send(p.a, fa, big, 100, MSG_ZEROCOPY), 100);
	weir_close(p.b, fb); /* unread data: a reset ends it */
	pair_pass(&p, 100000);
	CU_ASSERT_EQUAL(notice(p.a, fa, &e), 0);
	CU_ASSERT(e.ee_info == 4 && e.ee_data == 4);
	weir_close(p.a, fa);
	pair_close(&p);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(the_urgent_byte_stands_apart),
		UNIT(an_urgent_byte_alone_is_nothing_to_read),
		UNIT(in_line_it_is_read_with_the_rest),
		UNIT(more_holds_small_segments_back),
		UNIT(records_do_not_share_segments),
		UNIT(zerocopy_sends_are_answered_by_notices),
		{0},
	};

	return unit_main("api_urgent", tests, true);
}
