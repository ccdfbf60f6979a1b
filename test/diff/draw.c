/* SPDX-License-Identifier: BSD-3-Clause */
/* Drawing calls: mostly such as programs make, some that make no sense. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <linux/sockios.h>

#include "calls.h"

#define UNREAD_MAX    12000 /* of one socket: what does not depend on how memory is counted */
#define PICK(d, list) (list)[dice(d, sizeof(list) / sizeof((list)[0]))]

uint64_t
dice_next(struct dice *d)
{
	uint64_t z = (d->state += UINT64_C(0x9e3779b97f4a7c15)); /* splitmix64 */

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* An open slot in [from, to), or any in it. */
static int
open_slot(struct world *w, int from, int to)
{
	int slot = from;

	for (unsigned int tries = 0; tries < 8; tries++) {
		slot = from + (int)dice(&w->dice, (uint32_t)(to - from));
		if (w->slot[slot].is_open)
			break;
	}
	return slot;
}

static int
free_slot(const struct world *w, int from, int to)
{
	for (int slot = from; slot < to; slot++)
		if (!w->slot[slot].is_open)
			return slot;
	return -1;
}

static int
any_port(struct world *w)
{
	return w->port + (int)dice(&w->dice, PORTS);
}

static void
draw_socket(struct world *w, struct step *s)
{
	s->arg[0] = w->has_udp && (!w->has_tcp || dice(&w->dice, 2)) ? SOCK_DGRAM : SOCK_STREAM;
	s->arg[1] = s->arg[0] == SOCK_STREAM && dice(&w->dice, 2);
	s->slot = free_slot(w, 0, FIRST_SET);
}

static void
draw_bind(struct world *w, struct step *s)
{
	s->arg[0] = dice(&w->dice, 8) == 0 ? 0 : any_port(w);
	s->arg[1] = dice(&w->dice, 4) == 0;
}

static void
draw_listen(struct world *w, struct step *s)
{
	s->arg[0] = 16 + (int)dice(&w->dice, 4);
	if (w->slot[s->slot].is_shut)
		s->slot = -1; /* its children would be shut on Linux */
}

static void
draw_connect(struct world *w, struct step *s)
{
	s->arg[0] = any_port(w);
	s->arg[1] = w->slot[s->slot].is_shut || dice(&w->dice, 16) == 0;
}

static void
draw_accept(struct world *w, struct step *s)
{
	s->other = free_slot(w, 0, FIRST_SET);
}

static void
draw_send(struct world *w, struct step *s)
{
	static const int flags[] = {0, 0, 0, 0, MSG_DONTWAIT, MSG_EOR, MSG_OOB};
	static const int udp_flags[] = {0, 0, 0, MSG_DONTWAIT, MSG_CONFIRM};
	static const int lens[] = {0, 1, 2, 100, 1000, 1460, 3000};
	const bool is_udp = w->slot[s->slot].is_udp;

	s->arg[0] = PICK(&w->dice, lens);
	s->arg[1] = is_udp ? PICK(&w->dice, udp_flags) : PICK(&w->dice, flags);
	s->arg[2] = dice(&w->dice, is_udp ? 2 : 16) == 0 ? any_port(w) : 0;
	s->fill = (uint8_t)dice(&w->dice, 256);
	if (w->slot[s->slot].unread > UNREAD_MAX)
		s->arg[0] = 0;
}

static void
draw_recv(struct world *w, struct step *s)
{
	static const int flags[] = {
		0, 0, 0, 0, MSG_PEEK, MSG_TRUNC, MSG_PEEK | MSG_TRUNC, MSG_WAITALL, MSG_OOB};
	static const int lens[] = {0, 1, 10, 1000, DATA_MAX, DATA_MAX, DATA_MAX};

	s->arg[0] = PICK(&w->dice, lens);
	s->arg[1] = PICK(&w->dice, flags);
}

static void
draw_shutdown(struct world *w, struct step *s)
{
	static const int how[] = {SHUT_WR, SHUT_WR, SHUT_RD, SHUT_RDWR, 3};

	s->arg[0] = PICK(&w->dice, how);
}

/* Options whose values do not depend on the machine. */
static const int options[][2] = {
	{SOL_SOCKET, SO_ERROR},
	{SOL_SOCKET, SO_ERROR},
	{SOL_SOCKET, SO_ERROR},
	{SOL_SOCKET, SO_TYPE},
	{SOL_SOCKET, SO_ACCEPTCONN},
	{SOL_SOCKET, SO_KEEPALIVE},
	{SOL_SOCKET, SO_OOBINLINE},
	{SOL_SOCKET, SO_LINGER},
	{SOL_SOCKET, SO_RCVLOWAT},
	{SOL_SOCKET, SO_REUSEADDR},
	{SOL_SOCKET, SO_PROTOCOL},
	{SOL_SOCKET, SO_DOMAIN},
	{SOL_SOCKET, SO_PEEK_OFF},
	{IPPROTO_IP, IP_TTL},
	{IPPROTO_IP, IP_TOS},
	{IPPROTO_TCP, TCP_NODELAY},
	{IPPROTO_TCP, TCP_KEEPIDLE},
	{IPPROTO_TCP, TCP_KEEPCNT},
	{IPPROTO_TCP, TCP_USER_TIMEOUT},
	{IPPROTO_TCP, TCP_SYNCNT},
	{IPPROTO_TCP, TCP_LINGER2},
	{IPPROTO_TCP, 12345},
	{4321, 1},
};

static void
draw_getsockopt(struct world *w, struct step *s)
{
	const int *o = PICK(&w->dice, options);

	s->arg[0] = o[0];
	s->arg[1] = o[1];
}

/* Values that matter to others later (SO_LINGER is a reset on close) are among them. */
static void
draw_setsockopt(struct world *w, struct step *s)
{
	static const int changed[][4] = {
		{SOL_SOCKET, SO_KEEPALIVE, 1, 0},
		{SOL_SOCKET, SO_KEEPALIVE, 0, 0},
		{SOL_SOCKET, SO_OOBINLINE, 1, 0},
		{SOL_SOCKET, SO_OOBINLINE, 0, 0},
		{SOL_SOCKET, SO_LINGER, 1, 0},
		{SOL_SOCKET, SO_LINGER, 0, 0},
		{SOL_SOCKET, SO_RCVLOWAT, 1, 0},
		{SOL_SOCKET, SO_RCVLOWAT, 500, 0},
		{SOL_SOCKET, SO_TYPE, 1, 0},
		{IPPROTO_IP, IP_TTL, 17, 0},
		{IPPROTO_IP, IP_TTL, 0, 0},
		{IPPROTO_IP, IP_TTL, 256, 0},
		{IPPROTO_IP, IP_TOS, 16, 0},
		{IPPROTO_TCP, TCP_KEEPIDLE, 100, 0},
		{IPPROTO_TCP, TCP_KEEPIDLE, 0, 0},
		{IPPROTO_TCP, TCP_KEEPIDLE, 40000, 0},
		{IPPROTO_TCP, TCP_KEEPCNT, 128, 0},
		{IPPROTO_TCP, TCP_KEEPCNT, 5, 0},
		{IPPROTO_TCP, TCP_USER_TIMEOUT, 10000000, 0},
		{IPPROTO_TCP, TCP_USER_TIMEOUT, -1, 0},
		{IPPROTO_TCP, 12345, 1, 0},
		{4321, 1, 1, 0},
	};
	const int *o = PICK(&w->dice, changed);

	for (unsigned int i = 0; i < 4; i++)
		s->arg[i] = o[i];
}

static void
draw_name(struct world *w, struct step *s)
{
	s->arg[0] = (int)dice(&w->dice, 2);
}

static void
draw_ioctl(struct world *w, struct step *s)
{
	static const int requests[] = {FIONREAD, FIONREAD, SIOCATMARK, 0x5499};

	s->arg[0] = PICK(&w->dice, requests);
}

static void
draw_poll(struct world *w, struct step *s)
{
	static const uint32_t masks[] = {POLLIN, POLLOUT, POLLIN | POLLOUT | POLLRDHUP, POLLPRI,
		POLLIN | POLLRDNORM | POLLRDBAND | POLLOUT | POLLWRNORM | POLLWRBAND | POLLPRI |
			POLLRDHUP};

	for (int i = 0; i < SLOTS; i++)
		s->events[i] = dice(&w->dice, 3) == 0 ? 0 : PICK(&w->dice, masks);
}

static void
draw_select(struct world *w, struct step *s)
{
	for (int i = 0; i < SLOTS; i++)
		s->events[i] =
			w->slot[i].is_open || dice(&w->dice, 400) == 0 ? dice(&w->dice, 8) : 0;
}

static void
draw_epoll_create(struct world *w, struct step *s)
{
	s->slot = free_slot(w, FIRST_SET, SLOTS);
}

static void
draw_epoll_ctl(struct world *w, struct step *s)
{
	static const int ops[] = {EPOLL_CTL_ADD, EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL};
	static const uint32_t masks[] = {EPOLLIN, EPOLLOUT, EPOLLIN | EPOLLOUT,
		EPOLLIN | EPOLLOUT | EPOLLRDHUP, EPOLLRDHUP, EPOLLPRI | EPOLLIN, 0};
	static const uint32_t modes[] = {
		0, 0, EPOLLET, EPOLLET, EPOLLONESHOT, EPOLLET | EPOLLONESHOT, EPOLLEXCLUSIVE};

	s->slot = open_slot(w, dice(&w->dice, 32) == 0 ? 0 : FIRST_SET, SLOTS);
	s->other = open_slot(w, 0, dice(&w->dice, 8) == 0 ? SLOTS : FIRST_SET);
	s->arg[0] = dice(&w->dice, 64) == 0 ? 9 : PICK(&w->dice, ops);
	s->arg[1] = (int)(PICK(&w->dice, masks) | PICK(&w->dice, modes));
	s->arg[2] = s->other | (int)dice(&w->dice, 256) << 8;
}

static void
draw_epoll_wait(struct world *w, struct step *s)
{
	s->slot = open_slot(w, dice(&w->dice, 32) == 0 ? 0 : FIRST_SET, SLOTS);
	s->arg[0] = dice(&w->dice, 3) == 0 ? (int)dice(&w->dice, 4) : SLOTS;
}

/* Calls of the table's kinds, as often as their weight says. */
static const struct kind {
	const char *name;
	void (*run)(struct side *, const struct step *, struct result *);
	void (*draw)(struct world *, struct step *);
	uint32_t weight;
} kinds[] = {
	{"socket", run_socket, draw_socket, 10},
	{"bind", run_bind, draw_bind, 10},
	{"listen", run_listen, draw_listen, 6},
	{"connect", run_connect, draw_connect, 14},
	{"accept", run_accept, draw_accept, 14},
	{"send", run_send, draw_send, 24},
	{"recv", run_recv, draw_recv, 24},
	{"shutdown", run_shutdown, draw_shutdown, 3},
	{"close", run_close, NULL, 5},
	{"getsockopt", run_getsockopt, draw_getsockopt, 5},
	{"setsockopt", run_setsockopt, draw_setsockopt, 5},
	{"name", run_name, draw_name, 4},
	{"ioctl", run_ioctl, draw_ioctl, 5},
	{"poll", run_poll, draw_poll, 14},
	{"select", run_select, draw_select, 8},
	{"epoll_create", run_epoll_create, draw_epoll_create, 3},
	{"epoll_ctl", run_epoll_ctl, draw_epoll_ctl, 20},
	{"epoll_wait", run_epoll_wait, draw_epoll_wait, 24},
};

static const struct kind *
draw_kind(struct world *w)
{
	uint32_t sum = 0, at;
	const struct kind *k = kinds;

	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		sum += kinds[i].weight;
	for (at = dice(&w->dice, sum); at >= k->weight; k++)
		at -= k->weight;
	return k;
}

void
draw(struct world *w, struct step *s)
{
	do {
		const struct kind *k = draw_kind(w);
		const bool is_any = k->run == run_close || k->run == run_poll;

		*s = (struct step){.name = k->name, .run = k->run};
		s->slot = open_slot(w, 0, is_any ? SLOTS : FIRST_SET);
		if (k->draw != NULL)
			k->draw(w, s);
	} while (s->slot < 0 || s->other < 0); /* no free one, or none to do this with */
}

void
learn(struct world *w, const struct step *s, const struct result *r)
{
	if (s->run == run_close) {
		w->slot[s->slot].is_open = false;
	} else if (s->run == run_socket || s->run == run_epoll_create || s->run == run_accept) {
		if (r->rc < 0)
			return;
		w->slot[r->rc].is_open = true;
		w->slot[r->rc].is_udp = s->run == run_socket && s->arg[0] == SOCK_DGRAM;
		w->slot[r->rc].is_shut = false;
		w->slot[r->rc].unread = 0;
	} else if (s->run == run_shutdown && r->rc != -EINVAL) {
		w->slot[s->slot].is_shut = true;
	} else if (s->run == run_connect && s->arg[1] && r->rc == 0) {
		w->slot[s->slot].is_shut = false;
	} else if (s->run == run_send && r->rc > 0) {
		w->slot[s->slot].unread += (int)r->rc;
	} else if (s->run == run_recv && r->rc > 0 && !(s->arg[1] & MSG_PEEK)) {
		for (int i = 0; i < FIRST_SET; i++) /* whoever it came from */
			w->slot[i].unread -= (int)r->rc / 2;
	}
}
