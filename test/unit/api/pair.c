/* SPDX-License-Identifier: BSD-3-Clause */
#include "pair.h"

#include <stdio.h>

#include <rte_malloc.h>

static void
set(struct weir_conf *conf, const char *port, const char *key, const char *value)
{
	char err[WEIR_CONF_ERR_MAX] = "";

	if (weir_conf_set(conf, port, key, value, err, sizeof(err)) != 0)
		fprintf(stderr, "%s\n", err);
	CU_ASSERT_STRING_EQUAL_FATAL(err, "");
}

static void
add_port(struct weir_conf *conf, const char *port, const char *device, const char *addresses)
{
	set(conf, port, "driver", "wire");
	set(conf, port, "device", device);
	set(conf, port, "address", addresses);
	set(conf, port, "ipv6", "yes");
	set(conf, port, "dad", "no");
	set(conf, port, "accept_ra", "no");
}

static struct weir_stack *
make_stack(struct pair *p, const struct pair_conf *pc, char who)
{
	const char name[2] = {who};
	char device[16], addresses[64];
	struct weir_conf conf;
	struct weir_stack *st = NULL;
	char err[WEIR_CONF_ERR_MAX] = "";

	weir_conf_default(&conf);
	snprintf(conf.name, sizeof(conf.name), "%s", name);
	conf.n_workers = pc->workers != 0 ? pc->workers : 1;
	conf.mbufs = pc->mbufs != 0 ? pc->mbufs : 8192;
	if (pc->fastopen != 0)
		conf.tcp.fastopen = pc->fastopen;
	if (pc->use_accecn)
		conf.tcp.ecn = WEIR_ECN_ACCURATE;
	conf.sockets = pc->sockets != 0 ? pc->sockets : 1024;
	conf.connections = 1024;
	if (pc->polls)
		conf.idle = WEIR_IDLE_POLL;
	if (pc->use_tsc)
		conf.tcp.time_wait_ms = 100; /* storms of connections are to find room */
	conf.seed = pc->seed + (uint64_t)(unsigned char)name[0];
	for (unsigned int i = 0; i < (pc->has_second ? 2 : 1); i++) {
		snprintf(device, sizeof(device), "%s:%c", i == 0 ? "pair" : "second", who);
		snprintf(addresses, sizeof(addresses), "10.0.%u.%u/24, fd0%u::%u/64", i,
			who - 'a' + 1u, i, who - 'a' + 1u);
		add_port(&conf, i == 0 ? "port p0" : "port p1", device, addresses);
	}
	if (weir_stack_new(&conf, pc->use_tsc ? NULL : &p->clock, &st, err, sizeof(err)) != 0) {
		fprintf(stderr, "weir_stack_new: %s\n", err);
		CU_FAIL_FATAL("stack");
	}
	return st;
}

void
pair_open(struct pair *p, const struct pair_conf *pc)
{
	const struct weir_cable_conf cable = {
		.seed = pc->seed,
		.queues = (uint16_t)(pc->workers != 0 ? pc->workers : 1),
		.caps_off = pc->caps_off,
		.impair = {pc->impair, pc->impair},
	};

	memset(p, 0, sizeof(*p));
	weir_clock_init_virtual(&p->clock, 1000000);
	CU_ASSERT_EQUAL_FATAL(
		weir_cable_new("pair", &cable, pc->use_tsc ? NULL : &p->clock, &p->cable), 0);
	if (pc->has_second)
		CU_ASSERT_EQUAL_FATAL(weir_cable_new("second", &cable,
					      pc->use_tsc ? NULL : &p->clock, &p->second),
			0);
	p->a = make_stack(p, pc, 'a');
	p->b = make_stack(p, pc, 'b');
}

void
pair_step(struct pair *p)
{
	uint64_t now, next;

	if (weir_stack_step(p->a) + weir_stack_step(p->b) != 0) {
		weir_clock_advance(&p->clock, 1);
		return;
	}
	p->idle_steps++;
	now = weir_clock_now_us(&p->clock);
	next = RTE_MIN(weir_stack_next_us(p->a), weir_stack_next_us(p->b));
	next = RTE_MIN(next, weir_cable_next_us(p->cable));
	if (p->second != NULL)
		next = RTE_MIN(next, weir_cable_next_us(p->second));
	if (next == UINT64_MAX)
		next = now + 1000;
	weir_clock_advance(&p->clock, next > now ? next - now : 1);
}

bool
pair_until(struct pair *p, bool (*done)(void *), void *arg, unsigned int max_steps)
{
	for (unsigned int i = 0; i < max_steps; i++) {
		if (done(arg))
			return true;
		pair_step(p);
	}
	return done(arg);
}

void
pair_pass(struct pair *p, uint64_t us)
{
	const uint64_t end = weir_clock_now_us(&p->clock) + us;

	while (weir_clock_now_us(&p->clock) < end)
		pair_step(p);
}

static void
check_books(struct weir_stack *st)
{
	struct weir_account a;

	CU_ASSERT_EQUAL_FATAL(weir_stack_account(st, &a), 0);
	CU_ASSERT(a.is_balanced);
}

void
pair_close(struct pair *p)
{
	struct rte_mempool *pools[2][WEIR_WORKERS_MAX];
	const unsigned int n = p->a->n_workers;

	pair_step(p); /* nothing is left waiting for the end of a turn */
	check_books(p->a);
	check_books(p->b);
	/* Each stack may hold mbufs of the other: empty both before looking at the pools. */
	for (unsigned int i = 0; i < n; i++) {
		pools[0][i] = p->a->pools[i];
		pools[1][i] = p->b->pools[i];
		p->a->pools[i] = NULL;
		p->b->pools[i] = NULL;
	}
	weir_stack_free(p->a);
	weir_stack_free(p->b);
	weir_cable_free(p->cable);
	if (p->second != NULL)
		weir_cable_free(p->second);
	for (unsigned int i = 0; i < n; i++) {
		unit_pool_done(pools[0][i]);
		unit_pool_done(pools[1][i]);
	}
}

socklen_t
pair_addr(char who, int domain, uint16_t port, struct sockaddr_storage *ss)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	if (domain == AF_INET) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		in->sin_addr.s_addr = htonl(0x0a000001 + (uint32_t)(who - 'a'));
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	in6->sin6_addr.s6_addr[0] = 0xfd;
	in6->sin6_addr.s6_addr[15] = (uint8_t)(1 + who - 'a');
	return sizeof(*in6);
}

socklen_t
pair_link_addr(
	const struct pair *p, char who, unsigned int cable, uint16_t port, struct sockaddr_in6 *in6)
{
	const struct weir_iface *ifc = &(who == 'a' ? p->a : p->b)->workers[0]->ifaces[cable];

	*in6 = (struct sockaddr_in6){
		.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_scope_id = cable + 1};
	for (unsigned int i = 0; i < ifc->n_addrs; i++)
		if (weir_addr_is_link_local(&ifc->addrs[i].addr))
			memcpy(&in6->sin6_addr, ifc->addrs[i].addr.b, 16);
	return sizeof(*in6);
}

ssize_t
pair_send_with(struct weir_stack *st, int fd, void *data, size_t len, const struct pair_cmsg *cmsg)
{
	union {
		char room[64];
		struct cmsghdr align;
	} u = {.room = ""};
	struct iovec iov = {data, len};
	const struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &u,
		.msg_controllen = CMSG_SPACE(cmsg->size)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = cmsg->level;
	c->cmsg_type = cmsg->type;
	c->cmsg_len = CMSG_LEN(cmsg->size);
	memcpy(CMSG_DATA(c), cmsg->value, cmsg->size);
	return weir_sendmsg(st, fd, &msg, 0);
}

struct accepting {
	struct weir_stack *st;
	int listener;
	int fd;
};

static bool
accepted(void *arg)
{
	struct accepting *a = arg;

	a->fd = weir_accept(a->st, a->listener, NULL, NULL, SOCK_NONBLOCK);
	return a->fd >= 0;
}

static bool
connected(void *arg)
{
	struct accepting *a = arg;
	struct pollfd pfd = {.fd = a->fd, .events = POLLOUT};

	return weir_poll(a->st, &pfd, 1, 0) == 1;
}

void
pair_connect(struct pair *p, int domain, uint16_t port, int *fd_a, int *fd_b)
{
	struct sockaddr_storage ss;
	const socklen_t len = pair_addr('b', domain, port, &ss);
	struct accepting acc = {.st = p->b}, con = {.st = p->a};

	acc.listener = weir_socket(p->b, domain, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_FATAL(acc.listener >= 0);
	CU_ASSERT_EQUAL_FATAL(weir_bind(p->b, acc.listener, (struct sockaddr *)&ss, len), 0);
	CU_ASSERT_EQUAL_FATAL(weir_listen(p->b, acc.listener, 8), 0);
	con.fd = weir_socket(p->a, domain, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL_FATAL(
		weir_connect(p->a, con.fd, (struct sockaddr *)&ss, len), -EINPROGRESS);
	CU_ASSERT_FATAL(pair_until(p, accepted, &acc, 10000));
	CU_ASSERT_FATAL(pair_until(p, connected, &con, 10000));
	CU_ASSERT_EQUAL(weir_close(p->b, acc.listener), 0);
	*fd_a = con.fd;
	*fd_b = acc.fd;
}
