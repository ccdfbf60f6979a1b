/* SPDX-License-Identifier: BSD-3-Clause */
#include "speaker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <stdio.h>
#include <string.h>

#define ADDRS_MAX	64
#define RX_MAX		1500 /* what is longer is no Hello that we could keep */
#define PROTO_OSPF	89
#define ALL_SPF_ROUTERS 0xe0000005 /* 224.0.0.5 */
#define CONTROL_TOS	0xc0	   /* RFC 2328 A.1: precedence Internetwork Control */

struct speaker {
	struct weir_stack *st;
	const struct ospf_opts *o;
	struct weir_net_addr addr; /* ours: the port, and the network */
	struct in_addr addr4;
	struct ospf_neighbors ns;
	int fd;
	uint64_t next_us;
	uint32_t n_told; /* neighbours that had heard us, and were in our last Hello */
	uint8_t rx[RX_MAX];
};

static bool
is_v4(const uint8_t addr[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, 0xff};

	return memcmp(addr, mapped, sizeof(mapped)) == 0;
}

static int
find_addr(struct speaker *s)
{
	struct weir_net_addr all[ADDRS_MAX];
	const int n = weir_addr_list(s->st, all, ADDRS_MAX);

	for (int i = 0; i < n && i < ADDRS_MAX; i++)
		if (is_v4(all[i].prefix.addr) &&
			(s->o->port == NULL || strcmp(all[i].port, s->o->port) == 0)) {
			s->addr = all[i];
			memcpy(&s->addr4, all[i].prefix.addr + 12, sizeof(s->addr4));
			return 0;
		}
	return -ENODEV;
}

static int
set(const struct speaker *s, int level, int name, const void *value, size_t len)
{
	return weir_setsockopt(s->st, s->fd, level, name, value, (socklen_t)len);
}

/* Only by that port, and only what is for the group or for us. Our own Hellos are not looped. */
static int
set_options(const struct speaker *s)
{
	const struct ip_mreqn group = {
		.imr_multiaddr.s_addr = htonl(ALL_SPF_ROUTERS), .imr_address = s->addr4};
	const int tos = CONTROL_TOS, off = 0;
	int rc = set(s, SOL_SOCKET, SO_BINDTODEVICE, s->addr.port, strlen(s->addr.port));

	if (rc == 0)
		rc = set(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group));
	if (rc == 0)
		rc = set(s, IPPROTO_IP, IP_MULTICAST_IF, &group, sizeof(group));
	if (rc == 0)
		rc = set(s, IPPROTO_IP, IP_MULTICAST_LOOP, &off, sizeof(off));
	return rc != 0 ? rc : set(s, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
}

static void
say_state(const struct ospf_neighbor *n)
{
	char id[INET_ADDRSTRLEN], addr[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &n->router_id, id, sizeof(id));
	inet_ntop(AF_INET, &n->addr, addr, sizeof(addr));
	printf("neighbour %s at %s: %s\n", id, addr, ospf_state_name(n->state));
	fflush(stdout);
}

static void
send_hello(struct speaker *s)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(ALL_SPF_ROUTERS)};
	uint8_t buf[OSPF_HELLO_MAX];
	ssize_t n;

	ospf_neighbors_list(&s->ns);
	n = weir_sendto(s->st, s->fd, buf, ospf_hello_build(&s->ns.us, buf), 0,
		(const struct sockaddr *)&to, sizeof(to));
	if (n < 0)
		fprintf(stderr, "send: %s\n", strerror((int)-n));
	else
		s->n_told = ospf_neighbors_two_way(&s->ns);
	s->next_us = raw_now_us() + (uint64_t)s->o->hello_s * 1000000;
}

static enum ospf_state
state_of(const struct ospf_neighbors *ns, uint32_t router_id)
{
	for (uint32_t i = 0; i < ns->n; i++)
		if (ns->of[i].router_id == router_id)
			return ns->of[i].state;
	return OSPF_DOWN;
}

static void
hear(struct speaker *s, const struct ospf_hello *h, uint32_t from)
{
	const enum ospf_state before = state_of(&s->ns, h->router_id);
	const char *why;
	const struct ospf_neighbor *n = ospf_neighbors_hear(&s->ns, h, from, raw_now_us(), &why);

	if (n != NULL && n->state != before)
		say_state(n);
	else if (why != NULL)
		printf("a Hello passed over: %s\n", why);
}

/* The packet begins with its IP header. */
static void
take(struct speaker *s)
{
	const ssize_t len = weir_recv(s->st, s->fd, s->rx, sizeof(s->rx), MSG_DONTWAIT);
	struct ospf_hello h;
	struct ip ip;
	size_t hlen;

	if (len < (ssize_t)sizeof(ip))
		return;
	memcpy(&ip, s->rx, sizeof(ip));
	hlen = ip.ip_hl * 4u;
	if (hlen <= (size_t)len && ospf_hello_parse(&h, s->rx + hlen, (size_t)len - hlen) == 0)
		hear(s, &h, ip.ip_src.s_addr);
}

static void
turn(struct speaker *s)
{
	struct ospf_neighbor gone;

	if (raw_wait(s->st, s->fd, s->next_us))
		take(s);
	while (ospf_neighbors_expire(&s->ns, raw_now_us(), &gone))
		say_state(&gone);
	if (raw_now_us() >= s->next_us)
		send_hello(s);
}

static void
introduce(struct speaker *s)
{
	const unsigned int len = s->addr.prefix.len - 96u; /* IPv4 is in the last 32 bits */

	s->ns.us = (struct ospf_hello){
		.router_id = s->o->router_id != 0 ? s->o->router_id : s->addr4.s_addr,
		.area = s->o->area,
		.mask = len == 0 ? 0 : htonl(UINT32_MAX << (32 - len)),
		.dead_s = s->o->dead_s,
		.hello_s = s->o->hello_s,
		.options = OSPF_OPTION_E,
		.priority = s->o->priority,
	};
}

static int
speak(struct speaker *s)
{
	const int rc = set_options(s);

	if (rc != 0)
		return rc;
	introduce(s);
	while (!raw_must_end() && (s->o->n_wanted == 0 || s->n_told < s->o->n_wanted))
		turn(s);
	return (int)ospf_neighbors_two_way(&s->ns);
}

int
ospf_speak(struct weir_stack *st, const struct ospf_opts *o)
{
	struct speaker s = {.st = st, .o = o, .fd = -1};
	int rc = find_addr(&s);

	if (rc == 0)
		rc = s.fd = weir_socket(st, AF_INET, SOCK_RAW, PROTO_OSPF);
	if (rc >= 0)
		rc = speak(&s);
	if (s.fd >= 0)
		weir_close(st, s.fd);
	if (rc < 0)
		fprintf(stderr, "weir-ospf-hello: %s\n", strerror(-rc));
	return rc;
}
