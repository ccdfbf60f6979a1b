/* SPDX-License-Identifier: BSD-3-Clause */
/* One call on one side, and what of its result can be compared. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>

#include "calls.h"

static uint32_t
hash_of(const uint8_t *data, size_t n)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ data[i]) * 16777619u;
	return h;
}

static struct sockaddr_in
address(const struct side *s, int port, bool is_any)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = is_any ? htonl(INADDR_ANY) : s->addr};
}

/* A number that the side chose is as good as any other; ours are below. */
static uint32_t
port_seen(const struct sockaddr_in *in)
{
	const uint16_t port = ntohs(in->sin_port);

	return port == 0 ? 0 : port >= OWN_PORTS_END ? 1 : port;
}

static void
put_address(const struct side *s, const struct sockaddr_in *in, socklen_t len, uint32_t *value)
{
	value[0] = (uint32_t)len;
	value[1] = in->sin_family;
	value[2] = port_seen(in);
	value[3] = in->sin_addr.s_addr == s->addr ? 1 : in->sin_addr.s_addr == 0 ? 0 : 2;
}

static void
place_fd(struct side *s, int slot, int fd, struct result *r)
{
	if (fd >= 0)
		s->fd[slot] = fd;
	r->rc = fd >= 0 ? slot : fd;
}

void
run_socket(struct side *s, const struct step *c, struct result *r)
{
	const int on = 1;

	place_fd(s, c->slot, s->socket(s, c->arg[0] | SOCK_NONBLOCK), r);
	if (r->rc < 0)
		return;
	if (c->arg[0] == SOCK_STREAM) /* or the peer's delayed ACKs decide what is there when */
		s->setsockopt(s, s->fd[c->slot], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (c->arg[1])
		s->setsockopt(s, s->fd[c->slot], SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
}

void
run_bind(struct side *s, const struct step *c, struct result *r)
{
	const struct sockaddr_in in = address(s, c->arg[0], c->arg[1]);

	r->rc = s->bind(s, s->fd[c->slot], (const struct sockaddr *)&in, sizeof(in));
}

void
run_listen(struct side *s, const struct step *c, struct result *r)
{
	r->rc = s->listen(s, s->fd[c->slot], c->arg[0]);
}

void
run_connect(struct side *s, const struct step *c, struct result *r)
{
	struct sockaddr_in in = address(s, c->arg[0], false);

	if (c->arg[1])
		in.sin_family = AF_UNSPEC;
	r->rc = s->connect(s, s->fd[c->slot], (const struct sockaddr *)&in, sizeof(in));
}

void
run_accept(struct side *s, const struct step *c, struct result *r)
{
	struct sockaddr_in in = {0};
	socklen_t len = sizeof(in);

	place_fd(s, c->other,
		s->accept(s, s->fd[c->slot], (struct sockaddr *)&in, &len, SOCK_NONBLOCK), r);
	if (r->rc >= 0)
		put_address(s, &in, len, r->value);
}

void
run_send(struct side *s, const struct step *c, struct result *r)
{
	struct sockaddr_in in = address(s, c->arg[2], false);
	uint8_t data[DATA_MAX];
	struct iovec iov = {data, (size_t)c->arg[0]};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	for (int i = 0; i < c->arg[0]; i++)
		data[i] = (uint8_t)(c->fill + i * 7);
	if (c->arg[2] != 0) {
		m.msg_name = &in;
		m.msg_namelen = sizeof(in);
	}
	r->rc = s->sendmsg(s, s->fd[c->slot], &m, c->arg[1]);
}

void
run_recv(struct side *s, const struct step *c, struct result *r)
{
	uint8_t data[DATA_MAX] = {0};
	struct sockaddr_in in = {0};
	struct iovec iov = {data, (size_t)c->arg[0]};
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_name = &in, .msg_namelen = sizeof(in)};

	r->rc = s->recvmsg(s, s->fd[c->slot], &m, c->arg[1]);
	if (r->rc < 0)
		return;
	r->hash = hash_of(data, (size_t)c->arg[0]);
	r->value[0] = (uint32_t)m.msg_flags;
	put_address(s, &in, m.msg_namelen, r->value + 1);
}

void
run_shutdown(struct side *s, const struct step *c, struct result *r)
{
	r->rc = s->shutdown(s, s->fd[c->slot], c->arg[0]);
}

void
run_close(struct side *s, const struct step *c, struct result *r)
{
	r->rc = s->close(s, s->fd[c->slot]);
	s->fd[c->slot] = -1;
}

void
run_getsockopt(struct side *s, const struct step *c, struct result *r)
{
	int v[2] = {0};
	socklen_t len = sizeof(v);

	r->rc = s->getsockopt(s, s->fd[c->slot], c->arg[0], c->arg[1], v, &len);
	if (r->rc == 0) {
		r->value[0] = (uint32_t)len;
		r->value[1] = (uint32_t)v[0];
		r->value[2] = (uint32_t)v[1];
	}
}

void
run_setsockopt(struct side *s, const struct step *c, struct result *r)
{
	const int v[2] = {c->arg[2], c->arg[3]};

	r->rc = s->setsockopt(s, s->fd[c->slot], c->arg[0], c->arg[1], v,
		c->arg[1] == SO_LINGER && c->arg[0] == SOL_SOCKET ? sizeof(v) : sizeof(v[0]));
}

void
run_name(struct side *s, const struct step *c, struct result *r)
{
	struct sockaddr_in in = {0};
	socklen_t len = sizeof(in);

	r->rc = s->getname(s, s->fd[c->slot], c->arg[0], (struct sockaddr *)&in, &len);
	if (r->rc == 0)
		put_address(s, &in, len, r->value);
}

void
run_ioctl(struct side *s, const struct step *c, struct result *r)
{
	int value = 0;

	r->rc = s->ioctl(s, s->fd[c->slot], (unsigned long)c->arg[0], &value);
	r->value[0] = (uint32_t)value;
}

void
run_poll(struct side *s, const struct step *c, struct result *r)
{
	struct pollfd p[SLOTS];

	for (int i = 0; i < SLOTS; i++)
		p[i] = (struct pollfd){
			.fd = c->events[i] ? s->fd[i] : -1, .events = (short)c->events[i]};
	r->rc = s->poll(s, p, SLOTS);
	for (int i = 0; i < SLOTS; i++)
		r->value[i] = (uint16_t)p[i].revents;
}

/* A closed slot is a bit that no descriptor has: EBADF. */
void
run_select(struct side *s, const struct step *c, struct result *r)
{
	uint64_t map[3][SELECT_BITS / 64] = {0};
	uint64_t *maps[3] = {map[0], map[1], map[2]};

	for (int i = 0; i < SLOTS; i++)
		for (int k = 0; k < 3; k++)
			if (c->events[i] >> k & 1) {
				const int fd = s->fd[i] >= 0 ? s->fd[i] : SELECT_BITS / 2 + i;

				map[k][fd / 64] |= UINT64_C(1) << fd % 64;
			}
	r->rc = s->select(s, SELECT_BITS, maps);
	for (int i = 0; i < SLOTS; i++)
		for (int k = 0; k < 3 && s->fd[i] >= 0; k++)
			if (map[k][s->fd[i] / 64] >> s->fd[i] % 64 & 1)
				r->value[i] |= 1u << k;
}

void
run_epoll_create(struct side *s, const struct step *c, struct result *r)
{
	place_fd(s, c->slot, s->epoll_create(s), r);
}

void
run_epoll_ctl(struct side *s, const struct step *c, struct result *r)
{
	struct epoll_event e = {.events = (uint32_t)c->arg[1], .data.u32 = (uint32_t)c->arg[2]};

	r->rc = s->epoll_ctl(s, s->fd[c->slot], c->arg[0], s->fd[c->other], &e);
}

void
run_epoll_wait(struct side *s, const struct step *c, struct result *r)
{
	struct epoll_event e[SLOTS] = {0};

	r->rc = s->epoll_wait(s, s->fd[c->slot], e, c->arg[0]);
	for (int i = 0; i < r->rc; i++) {
		r->value[2 * i] = e[i].data.u32;
		r->value[2 * i + 1] = e[i].events;
	}
}
