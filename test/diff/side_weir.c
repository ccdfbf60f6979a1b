/* SPDX-License-Identifier: BSD-3-Clause */
/* Weir: a stack stepped by hand on a virtual clock, which talks with its own address. */
#include <stdio.h>
#include <stdlib.h>

#include <rte_eal.h>

#include "diff.h"
#include "stack_priv.h"

#define SETTLE_STEPS 100000
#define STEP_US	     50 /* of the clock with each call: about what the kernel takes */

struct own {
	struct weir_clock clock;
	struct weir_stack *st;
};

static struct weir_stack *
stack_of(struct side *s)
{
	return ((struct own *)s->ctx)->st;
}

static int
own_socket(struct side *s, int type)
{
	return weir_socket(stack_of(s), AF_INET, type, 0);
}

static int
own_bind(struct side *s, int fd, const struct sockaddr *a, socklen_t len)
{
	return weir_bind(stack_of(s), fd, a, len);
}

static int
own_listen(struct side *s, int fd, int backlog)
{
	return weir_listen(stack_of(s), fd, backlog);
}

static int
own_connect(struct side *s, int fd, const struct sockaddr *a, socklen_t len)
{
	return weir_connect(stack_of(s), fd, a, len);
}

static int
own_accept(struct side *s, int fd, struct sockaddr *a, socklen_t *len, int flags)
{
	return weir_accept(stack_of(s), fd, a, len, flags);
}

static ssize_t
own_sendmsg(struct side *s, int fd, const struct msghdr *m, int flags)
{
	return weir_sendmsg(stack_of(s), fd, m, flags);
}

static ssize_t
own_recvmsg(struct side *s, int fd, struct msghdr *m, int flags)
{
	return weir_recvmsg(stack_of(s), fd, m, flags);
}

static int
own_shutdown(struct side *s, int fd, int how)
{
	return weir_shutdown(stack_of(s), fd, how);
}

static int
own_close(struct side *s, int fd)
{
	return weir_close(stack_of(s), fd);
}

static int
own_getsockopt(struct side *s, int fd, int level, int name, void *v, socklen_t *len)
{
	return weir_getsockopt(stack_of(s), fd, level, name, v, len);
}

static int
own_setsockopt(struct side *s, int fd, int level, int name, const void *v, socklen_t len)
{
	return weir_setsockopt(stack_of(s), fd, level, name, v, len);
}

static int
own_name(struct side *s, int fd, bool is_peer, struct sockaddr *a, socklen_t *len)
{
	return is_peer ? weir_getpeername(stack_of(s), fd, a, len)
		       : weir_getsockname(stack_of(s), fd, a, len);
}

static int
own_ioctl(struct side *s, int fd, unsigned long request, int *value)
{
	return weir_ioctl(stack_of(s), fd, request, value);
}

static int
own_poll(struct side *s, struct pollfd *p, nfds_t n)
{
	return weir_poll(stack_of(s), p, n, 0);
}

static int
own_select(struct side *s, int n, uint64_t *maps[3])
{
	struct timeval none = {0};

	return weir_select(stack_of(s), n, maps[0], maps[1], maps[2], &none);
}

static int
own_epoll_create(struct side *s)
{
	return weir_epoll_create(stack_of(s), EPOLL_CLOEXEC);
}

static int
own_epoll_ctl(struct side *s, int epfd, int op, int fd, struct epoll_event *e)
{
	return weir_epoll_ctl(stack_of(s), epfd, op, fd, e);
}

static int
own_epoll_wait(struct side *s, int epfd, struct epoll_event *e, int max)
{
	return weir_epoll_wait(stack_of(s), epfd, e, max, 0);
}

static void
own_settle(struct side *s)
{
	struct own *o = s->ctx;
	unsigned int idle = 0;

	for (unsigned int i = 0; i < SETTLE_STEPS && idle < 2; i++)
		idle = weir_stack_step(o->st) == 0 ? idle + 1 : 0;
	weir_clock_advance(&o->clock, STEP_US);
	weir_stack_step(o->st);
}

static void
own_end(struct side *s)
{
	struct own *o = s->ctx;

	weir_stack_free(o->st);
	rte_eal_cleanup();
	free(o);
}

static int
make_stack(struct own *o)
{
	static const char *const keys[][2] = {
		{"driver", "wire"},
		{"device", "diff:a"},
		{"address", "10.0.0.1/24"},
	};
	char err[WEIR_CONF_ERR_MAX] = "";
	struct weir_conf conf;

	weir_conf_default(&conf);
	snprintf(conf.name, sizeof(conf.name), "diff");
	conf.n_workers = 1;
	conf.mbufs = 16384;
	conf.sockets = 4096;
	conf.connections = 4096;
	for (unsigned int i = 0; i < RTE_DIM(keys); i++)
		if (weir_conf_set(&conf, "port p0", keys[i][0], keys[i][1], err, sizeof(err)) != 0)
			break;
	if (err[0] == '\0')
		weir_stack_new(&conf, &o->clock, &o->st, err, sizeof(err));
	if (o->st == NULL)
		fprintf(stderr, "%s\n", err);
	return o->st == NULL ? 1 : 0;
}

int
side_weir(struct side *s)
{
	char *argv[] = {"diff", "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry", "-m512",
		"--log-level=4", NULL};
	struct own *o = calloc(1, sizeof(*o));

	if (o == NULL || rte_eal_init(7, argv) < 0)
		return 1;
	weir_clock_init_virtual(&o->clock, 1000000);
	if (make_stack(o) != 0)
		return 1;
	*s = (struct side){.name = "weir",
		.ctx = o,
		.addr = htonl(0x0a000001),
		.socket = own_socket,
		.bind = own_bind,
		.listen = own_listen,
		.connect = own_connect,
		.accept = own_accept,
		.sendmsg = own_sendmsg,
		.recvmsg = own_recvmsg,
		.shutdown = own_shutdown,
		.close = own_close,
		.getsockopt = own_getsockopt,
		.setsockopt = own_setsockopt,
		.getname = own_name,
		.ioctl = own_ioctl,
		.poll = own_poll,
		.select = own_select,
		.epoll_create = own_epoll_create,
		.epoll_ctl = own_epoll_ctl,
		.epoll_wait = own_epoll_wait,
		.settle = own_settle,
		.end = own_end};
	return 0;
}
