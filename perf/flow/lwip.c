/* SPDX-License-Identifier: BSD-3-Clause */
/* lwIP's network interface on a port of the bed. */
#define LWIP_DONT_PROVIDE_BYTEORDER_FUNCTIONS
#include "lwip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/timeouts.h>

#include <rte_mbuf.h>

#define BURST	 32
#define OUT_MAX	 512
#define MBUFS	 8192
#define MTU	 1500
#define TIMER_US 1000

struct perf_lwip {
	struct weir_port *port;
	struct rte_mempool *pool;
	struct netif netif;
	struct perf_lwip_app app;
	struct perf_counts counts; /* of the application: units, errors */
	uint64_t timers;	   /* TSC: when they are looked at again */
	unsigned int n_out;
	struct rte_mbuf *out[OUT_MAX];
};

/* A received packet as a pbuf; lies in the mbuf's headroom. */
struct in_pbuf {
	struct pbuf_custom custom; /* first */
	struct rte_mbuf *m;
};

static_assert(sizeof(struct in_pbuf) <= RTE_PKTMBUF_HEADROOM, "room for a pbuf in the headroom");

static void
free_in(struct pbuf *p)
{
	rte_pktmbuf_free(((struct in_pbuf *)p)->m);
}

static void
flush(struct perf_lwip *s)
{
	const unsigned int sent =
		s->n_out == 0 ? 0 : weir_port_tx(s->port, 0, s->out, (uint16_t)s->n_out);

	if (sent < s->n_out)
		rte_pktmbuf_free_bulk(s->out + sent, s->n_out - sent);
	s->n_out = 0;
}

static err_t
put_out(struct netif *netif, struct pbuf *p)
{
	struct perf_lwip *s = netif->state;
	struct rte_mbuf *m = rte_pktmbuf_alloc(s->pool);
	char *to = m == NULL ? NULL : rte_pktmbuf_append(m, p->tot_len);

	if (to == NULL) {
		rte_pktmbuf_free(m);
		return ERR_MEM;
	}
	pbuf_copy_partial(p, to, p->tot_len, 0);
	s->out[s->n_out++] = m;
	if (s->n_out == OUT_MAX)
		flush(s);
	return ERR_OK;
}

static err_t
init_netif(struct netif *netif)
{
	struct perf_lwip *s = netif->state;

	netif->name[0] = 'w';
	netif->name[1] = 'p';
	netif->output = etharp_output;
	netif->linkoutput = put_out;
	netif->mtu = MTU;
	netif->hwaddr_len = sizeof(s->port->info.mac);
	memcpy(netif->hwaddr, &s->port->info.mac, sizeof(s->port->info.mac));
	netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
	return ERR_OK;
}

static void
start_netif(struct perf_lwip *s)
{
	ip4_addr_t addr, mask, none;

	IP4_ADDR(&addr, 10, 80, 0, 1);
	IP4_ADDR(&mask, 255, 255, 255, 0);
	ip4_addr_set_zero(&none);
	lwip_init();
	netif_add(&s->netif, &addr, &mask, &none, s, init_netif, netif_input);
	netif_set_default(&s->netif);
	netif_set_link_up(&s->netif);
	netif_set_up(&s->netif);
}

static int
open_port(struct perf_lwip *s, const struct perf_opts *o)
{
	s->pool = rte_pktmbuf_pool_create(
		"lwip", MBUFS, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	s->app = (struct perf_lwip_app){o, &s->counts, calloc(1, PERF_BULK_LEN)};
	if (s->pool == NULL || s->app.bytes == NULL)
		return -1;
	return perf_port_open(o, true, false, s->pool, &s->port);
}

struct perf_lwip *
perf_lwip_open(const struct perf_opts *o)
{
	struct perf_lwip *s = calloc(1, sizeof(*s));

	if (s != NULL && open_port(s, o) == 0) {
		start_netif(s);
		if (perf_lwip_serve(&s->app) == 0)
			return s;
	}
	fprintf(stderr, "lwIP does not start\n");
	perf_lwip_close(s);
	return NULL;
}

void
perf_lwip_close(struct perf_lwip *s)
{
	if (s == NULL)
		return;
	if (s->port != NULL) {
		s->port->ops->stop(s->port);
		s->port->ops->close(s->port);
	}
	/* lwIP's lists still point into the pool, which goes with the process. */
	free(s->app.bytes);
	free(s);
}

static void
take_in(struct perf_lwip *s, struct rte_mbuf *m)
{
	struct in_pbuf *in = m->buf_addr;
	struct pbuf *p;

	in->custom.custom_free_function = free_in;
	in->m = m;
	p = pbuf_alloced_custom(PBUF_RAW, m->data_len, PBUF_REF, &in->custom,
		rte_pktmbuf_mtod(m, void *), m->data_len);
	if (s->netif.input(p, &s->netif) != ERR_OK)
		pbuf_free(p);
}

void
perf_lwip_turn(struct perf_lwip *s)
{
	struct rte_mbuf *in[BURST];
	const unsigned int n = weir_port_rx(s->port, 0, in, BURST);

	for (unsigned int i = 0; i < n; i++)
		take_in(s, in[i]);
	if (rte_rdtsc() >= s->timers) {
		sys_check_timeouts();
		s->timers = rte_rdtsc() + rte_get_tsc_hz() / 1000000 * TIMER_US;
	}
	flush(s);
}

void
perf_lwip_counts(struct perf_lwip *s, struct perf_counts *counts)
{
	perf_counts_read(&s->counts, counts);
	perf_port_counts(s->port, counts);
}
