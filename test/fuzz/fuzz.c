/* SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_eal.h>

#define BURST 32
#define S     UINT64_C(1000000)

const uint8_t fuzz_peer_mac[6] = {2, 0, 0, 0, 0, 2};

int LLVMFuzzerInitialize(int *argc, char ***argv);

static void
fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char *eal[] = {(*argv)[0], "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry", "-m",
		"256", "--log-level=4", "--lcores=0@(0-1)", NULL};

	(void)argc;
	if (rte_eal_init((int)RTE_DIM(eal) - 1, eal) < 0)
		fail("rte_eal_init");
	return 0;
}

/* Input */

uint8_t
fuzz_u8(struct fuzz_in *in)
{
	uint8_t v = 0;

	fuzz_bytes(in, &v, 1);
	return v;
}

uint16_t
fuzz_u16(struct fuzz_in *in)
{
	uint16_t v = 0;

	fuzz_bytes(in, &v, 2);
	return v;
}

size_t
fuzz_bytes(struct fuzz_in *in, void *to, size_t n)
{
	n = RTE_MIN(n, in->left);
	memcpy(to, in->at, n);
	in->at += n;
	in->left -= n;
	return n;
}

/* The world */

static void
echo(struct weir_stack *st, int fd, const void *buf, size_t len, const struct weir_from *from,
	void *arg)
{
	(void)arg;
	if (from == NULL)
		weir_send(st, fd, buf, len, 0);
	else
		weir_sendto(st, fd, buf, len, 0, &from->addr.sa, from->addr_len);
}

static void
echo_mbuf(
	struct weir_stack *st, int fd, struct rte_mbuf *m, const struct weir_from *from, void *arg)
{
	(void)arg;
	if (weir_send_mbuf(st, fd, m, from == NULL ? NULL : &from->addr.sa,
		    from == NULL ? 0 : from->addr_len) < 0)
		weir_mbuf_free(m);
}

static void
serve(struct weir_stack *st, int type, uint16_t port, const struct weir_callbacks *cb)
{
	const struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	const int fd = weir_socket(st, AF_INET6, type, 0);

	if (fd < 0 || weir_set_callbacks(st, fd, cb) != 0 ||
		weir_bind(st, fd, (const struct sockaddr *)&any, sizeof(any)) != 0 ||
		(type == SOCK_STREAM && weir_listen(st, fd, 4) != 0))
		fail("serve");
}

static void
set(struct weir_conf *conf, const char *section, const char *key, const char *value)
{
	char err[WEIR_CONF_ERR_MAX] = "";

	if (weir_conf_set(conf, section, key, value, err, sizeof(err)) != 0)
		fail(err);
}

static void
make_stack(struct fuzz *f)
{
	char err[WEIR_CONF_ERR_MAX] = "";
	struct weir_conf conf;

	weir_conf_default(&conf);
	snprintf(conf.name, sizeof(conf.name), "fuzz");
	conf.mbufs = 2048;
	conf.sockets = 64;
	conf.connections = 64;
	conf.seed = 1;
	conf.tcp.time_wait_ms = 1000;
	set(&conf, "port p0", "driver", "wire");
	set(&conf, "port p0", "device", "fuzz:a");
	set(&conf, "port p0", "address", "10.0.0.1/24, fd00::1/64");
	set(&conf, "port p0", "dad", "no");
	set(&conf, "neighbour n4", "address", "10.0.0.2");
	set(&conf, "neighbour n4", "mac", "02:00:00:00:00:02");
	set(&conf, "neighbour n4", "port", "p0");
	set(&conf, "neighbour n6", "address", "fd00::2");
	set(&conf, "neighbour n6", "mac", "02:00:00:00:00:02");
	set(&conf, "neighbour n6", "port", "p0");
	if (weir_stack_new(&conf, &f->clock, &f->st, err, sizeof(err)) != 0)
		fail(err);
}

static void
make(struct fuzz *f)
{
	static const struct weir_callbacks buffer = {.recv = echo}, mbuf = {.recv_mbuf = echo_mbuf};

	weir_clock_init_virtual(&f->clock, S);
	f->pool = rte_pktmbuf_pool_create(
		"peer", 511, 0, WEIR_PKT_PRIV, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (f->pool == NULL || weir_cable_new("fuzz", NULL, &f->clock, &f->cable) != 0)
		fail("memory");
	make_stack(f);
	serve(f->st, SOCK_STREAM, 80, &buffer);
	serve(f->st, SOCK_STREAM, 81, &mbuf);
	serve(f->st, SOCK_DGRAM, 80, &buffer);
	serve(f->st, SOCK_DGRAM, 81, &mbuf);
	for (unsigned int i = 0; i < FUZZ_APPS_MAX; i++)
		f->app[i] = -1;
}

struct fuzz *
fuzz_begin(void)
{
	static struct fuzz f; /* libFuzzer has no place for it */

	if (f.st == NULL)
		make(&f);
	return &f;
}

/* What the stack sends, nobody reads. */
static unsigned int
drain(struct fuzz *f)
{
	struct rte_mbuf *m[BURST];
	const unsigned int n = weir_port_rx(weir_cable_port(f->cable, 1), 0, m, BURST);

	for (unsigned int i = 0; i < n; i++)
		rte_pktmbuf_free(m[i]);
	return n;
}

void
fuzz_pass(struct fuzz *f, uint64_t us)
{
	const uint64_t end = weir_clock_now_us(&f->clock) + us;
	unsigned int n;

	do {
		const uint64_t now = weir_clock_now_us(&f->clock);
		uint64_t next = now + 1;

		n = weir_stack_step(f->st) + drain(f);
		if (n == 0)
			next = RTE_MIN(weir_stack_next_us(f->st), end);
		weir_clock_advance(&f->clock, next > now ? RTE_MIN(next - now, S) : 1);
	} while (n > 0 || weir_clock_now_us(&f->clock) < end);
}

void
fuzz_send(struct fuzz *f, const void *frame, size_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(f->pool);

	if (m == NULL)
		fail("the peer's mbufs are not given back");
	memcpy(rte_pktmbuf_append(m, (uint16_t)len), frame, len);
	if (weir_port_tx(weir_cable_port(f->cable, 1), 0, &m, 1) == 0)
		rte_pktmbuf_free(m);
	fuzz_pass(f, 1);
}

struct weir_tcp_conn *
fuzz_conn(struct fuzz *f, unsigned int i)
{
	struct weir_slab *conns = &f->st->workers[0]->tcp.conns;

	for (uint32_t k = 0; k < conns->fresh; k++) {
		struct weir_tcp_conn *c = weir_slab_at(conns, (i + k) % conns->fresh);

		if (c->is_live && c->dst.ifc != NULL)
			return c;
	}
	return NULL;
}

static bool
is_empty(struct fuzz *f)
{
	struct weir_account a;

	weir_stack_account(f->st, &a);
	if (!a.is_balanced)
		fail("packets do not add up");
	return a.connections == 0 && a.sockets == 4 && a.pools[0].in_use == 0 && a.rx.held == 0 &&
	       rte_mempool_in_use_count(f->pool) == 0;
}

static void
fail_with_account(struct fuzz *f)
{
	struct weir_account a;

	weir_stack_account(f->st, &a);
	fprintf(stderr, "%lu connections, %u sockets, %u and %u mbufs, %lu packets held\n",
		a.connections, a.sockets, a.pools[0].in_use, rte_mempool_in_use_count(f->pool),
		a.rx.held);
	fail("something is left");
}

void
fuzz_end(struct fuzz *f)
{
	const struct linger now = {.l_onoff = 1};

	for (unsigned int i = 0; i < FUZZ_APPS_MAX; i++) {
		if (f->app[i] < 0)
			continue;
		weir_setsockopt(f->st, f->app[i], SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		weir_close(f->st, f->app[i]);
		f->app[i] = -1;
	}
	for (unsigned int i = 0; i < 64 && fuzz_conn(f, 0) != NULL; i++)
		weir_tcp_abort(&f->st->workers[0]->tcp, fuzz_conn(f, 0));
	for (unsigned int i = 0; i < 100 && !is_empty(f); i++)
		fuzz_pass(f, 2 * S);
	if (!is_empty(f))
		fail_with_account(f);
}
