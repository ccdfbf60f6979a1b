/* SPDX-License-Identifier: BSD-3-Clause */
/* Every counter of every layer, from the lists that also make the structs. */
#include <errno.h>
#include <stdlib.h>

#include "telemetry_priv.h"

#define WEIR_STAT WEIR_STAT_DESC
static const struct weir_stat_desc link_desc[] = {
#include "weir_link_stats.h"
};
static const struct weir_stat_desc ip_desc[] = {
#include "weir_ip_stats.h"
};
static const struct weir_stat_desc udp_desc[] = {
#include "weir_udp_stats.h"
};
static const struct weir_stat_desc raw_desc[] = {
#include "weir_raw_stats.h"
};
static const struct weir_stat_desc tcp_desc[] = {
#include "weir_tcp_stats.h"
};
static const struct weir_stat_desc sock_desc[] = {
#include "weir_sock_stats.h"
};
static const struct weir_stat_desc worker_desc[] = {
#include "weir_worker_stats.h"
};
#undef WEIR_STAT

static const struct weir_stat_desc core_desc[] = {
	{"rx_frames", "pkts", "frames taken from ports, other workers and own packets looped back"},
	{"tx_made", "pkts", "packets made to be sent"},
	{"mbuf_fail", "events", "allocations that found the worker's mbuf pool dry"},
};

struct layer {
	const char *name;
	const struct weir_stat_desc *desc;
	size_t n;
	/* Add w's n counters to sum[n]. */
	void (*add)(const struct layer *l, const struct weir_worker *w, uint64_t *sum);
	size_t offset; /* of the counters in struct weir_worker, where they are an array */
};

#define COUNTERS_MAX 128

static void
add_array(const struct layer *l, const void *counters, uint64_t *sum)
{
	const uint64_t *c = counters;

	for (size_t i = 0; i < l->n; i++)
		sum[i] += c[i];
}

static void
add_plain(const struct layer *l, const struct weir_worker *w, uint64_t *sum)
{
	add_array(l, (const char *)w + l->offset, sum);
}

static void
add_link(const struct layer *l, const struct weir_worker *w, uint64_t *sum)
{
	for (unsigned int i = 0; i < w->n_ifaces; i++)
		add_array(l, &w->ifaces[i].stats, sum);
}

static void
add_core(const struct layer *l, const struct weir_worker *w, uint64_t *sum)
{
	const uint64_t counters[RTE_DIM(core_desc)] = {
		w->core.rx_frames, w->core.tx_made, w->core.mbuf_fail};

	add_array(l, counters, sum);
}

#define PLAIN(name, desc, field)                                                         \
	{                                                                                \
		name, desc, sizeof(((struct weir_worker *)0)->field) / sizeof(uint64_t), \
			add_plain, offsetof(struct weir_worker, field)                   \
	}

/* From the wire upwards. */
static const struct layer layers[] = {
	{"core", core_desc, RTE_DIM(core_desc), add_core},
	PLAIN("fate", weir_fate_desc, core.fates),
	PLAIN("tx_fate", weir_tx_fate_desc, core.tx_fates),
	{"link", link_desc, RTE_DIM(link_desc), add_link},
	PLAIN("ip", ip_desc, ip.stats),
	PLAIN("udp", udp_desc, udp.stats),
	PLAIN("raw", raw_desc, raw.stats),
	PLAIN("tcp", tcp_desc, tcp.stats),
	PLAIN("sock", sock_desc, sock.stats),
	PLAIN("worker", worker_desc, stats),
};

static_assert(sizeof(struct weir_link_stats) == RTE_DIM(link_desc) * sizeof(uint64_t),
	"a struct of counters holds nothing else");

static struct rte_tel_data *
read_layer(const struct layer *l, const struct weir_stack *st, unsigned int first, unsigned int end)
{
	struct rte_tel_data *d = tel_dict();
	uint64_t sum[COUNTERS_MAX] = {0};

	static_assert(WEIR_FATE_MAX <= COUNTERS_MAX, "the longest list");
	for (unsigned int i = first; i < end; i++)
		l->add(l, st->workers[i], sum);
	for (size_t i = 0; i < l->n && d != NULL; i++)
		tel_u64(d, l->desc[i].name, sum[i]);
	return d;
}

int
tel_counters(struct tel_req *r)
{
	unsigned int first = 0, end = r->st->n_workers;

	if (r->arg[0] != '\0') {
		if (r->from >= r->st->n_workers) {
			tel_text(r->d, "error", "no such worker");
			return 0;
		}
		first = (unsigned int)r->from;
		end = first + 1;
	}
	for (unsigned int i = 0; i < RTE_DIM(layers); i++)
		tel_put(r->d, layers[i].name, read_layer(&layers[i], r->st, first, end));
	return 0;
}

static int
list_layers(struct rte_tel_data *d)
{
	rte_tel_data_start_array(d, RTE_TEL_STRING_VAL);
	for (unsigned int i = 0; i < RTE_DIM(layers); i++)
		rte_tel_data_add_array_string(d, layers[i].name);
	return 0;
}

int
tel_counter_help(struct rte_tel_data *d, const char *layer)
{
	const struct layer *l = layers;

	if (layer[0] == '\0')
		return list_layers(d);
	rte_tel_data_start_dict(d);
	while (l < layers + RTE_DIM(layers) && strcmp(l->name, layer) != 0)
		l++;
	if (l == layers + RTE_DIM(layers)) {
		tel_text(d, "error", "no such layer");
		return 0;
	}
	for (size_t i = 0; i < l->n; i++) {
		struct rte_tel_data *sub = tel_dict();

		if (sub == NULL)
			return -ENOMEM;
		tel_text(sub, "unit", "%s", l->desc[i].unit);
		tel_text(sub, "help", "%s", l->desc[i].help);
		tel_put(d, l->desc[i].name, sub);
	}
	return 0;
}
