/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Datagrams between the stacks, up to many fragments long. They may get lost and come twice, but
 * who comes is whole and as it was sent.
 */
#include "sim.h"

#include <netinet/in.h>

#include "weir.h"

#define PORT	2000
#define LEN_MAX 20000

static void
fill(uint8_t *buf, size_t len, uint8_t key)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = (uint8_t)(key + i * 37 + (i >> 8) * 11 + len);
}

static void
open_socket(struct sim *s, struct sim_stack *k)
{
	const struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};

	k->udp = weir_socket(k->st, AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (k->udp < 0 || weir_bind(k->st, k->udp, (const struct sockaddr *)&any, sizeof(any)) != 0)
		sim_break(s, "no socket for datagrams");
}

void
sim_dgrams_open(struct sim *s)
{
	s->dgram_next_us = sim_chance(s, 30) ? sim_now(s) : UINT64_MAX;
	for (unsigned int i = 0; i < s->n_stacks; i++) {
		s->stack[i].udp = -1;
		if (s->dgram_next_us != UINT64_MAX)
			open_socket(s, &s->stack[i]);
	}
}

static void
close_all(struct sim *s)
{
	s->dgram_next_us = UINT64_MAX;
	for (unsigned int i = 0; i < s->n_stacks; i++)
		weir_close(s->stack[i].st, s->stack[i].udp);
}

/* To an IPv4 address in its mapped form. */
static void
map(struct sockaddr_storage *ss)
{
	const struct in_addr v4 = ((struct sockaddr_in *)ss)->sin_addr;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	if (ss->ss_family != AF_INET)
		return;
	*in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
	in6->sin6_addr.s6_addr[10] = in6->sin6_addr.s6_addr[11] = 0xff;
	memcpy(&in6->sin6_addr.s6_addr[12], &v4, sizeof(v4));
}

/* What comes of it is not known: there may be no room, no route, nobody there. */
static void
send_one(struct sim *s)
{
	static uint8_t buf[LEN_MAX];
	const unsigned int cable = weir_rand_below(&s->rand, s->n_cables);
	const unsigned int end = sim_chance(s, 50);
	const struct sim_stack *k = &s->stack[s->cable[cable].stack[end]];
	const size_t len = sim_skewed(s, 1, LEN_MAX);
	struct sockaddr_storage ss;

	sim_addr(s, cable, s->cable[cable].stack[!end], sim_chance(s, 50) ? AF_INET : AF_INET6,
		PORT, &ss);
	map(&ss);
	buf[0] = (uint8_t)weir_rand_u64(&s->rand);
	fill(buf + 1, len - 1, buf[0]);
	weir_sendto(
		k->st, k->udp, buf, len, 0, (struct sockaddr *)&ss, sizeof(struct sockaddr_in6));
}

static void
recv_all(struct sim *s, const struct sim_stack *k)
{
	static uint8_t buf[65536], whole[LEN_MAX];
	ssize_t n;

	while ((n = weir_recv(k->st, k->udp, buf, sizeof(buf), 0)) > 0) {
		if (s->has_corrupted)
			continue;
		if (n <= LEN_MAX)
			fill(whole, (size_t)n - 1, buf[0]);
		if (n > LEN_MAX || memcmp(whole, buf + 1, (size_t)n - 1) != 0)
			sim_break(s, "a datagram of %zd bytes is not as it was sent", n);
	}
}

void
sim_dgrams_act(struct sim *s)
{
	if (sim_now(s) < s->dgram_next_us)
		return;
	for (unsigned int i = 0; i < s->n_stacks; i++)
		recv_all(s, &s->stack[i]);
	if (sim_now(s) > s->calm_us + SIM_S) {
		close_all(s);
		return;
	}
	send_one(s);
	s->dgram_next_us = sim_now(s) + 1 + sim_skewed(s, 1, 50000);
}
