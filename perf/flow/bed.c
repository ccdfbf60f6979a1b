/* SPDX-License-Identifier: BSD-3-Clause */
/* EAL, configurations, stacks and bare ports of both ends. */
#include "perf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_mempool.h>

#include "stack_priv.h"
#include "weir_cable.h"
#include "weir_ethdev.h"

#define TIME_WAITS  16384 /* more connections than flows: those in TIME_WAIT */
#define MEMORY_MB   256	  /* of a process */
#define CROWD_BYTES 2400  /* more for each of a crowd: all pools */
#define DEVICE_DESC 512

struct setting {
	const char *section;
	const char *key;
	const char *value;
};

/* @return 0; else err has been said */
static int
set_all(struct weir_conf *conf, const struct setting *s, size_t n)
{
	char err[WEIR_CONF_ERR_MAX];

	for (size_t i = 0; i < n; i++)
		if (weir_conf_set(conf, s[i].section, s[i].key, s[i].value, err, sizeof(err)) !=
			0) {
			fprintf(stderr, "%s\n", err);
			return -EINVAL;
		}
	return 0;
}

static int
set_text(struct weir_conf *conf, const char *text)
{
	char err[WEIR_CONF_ERR_MAX];
	const int rc = weir_conf_set_text(conf, text, err, sizeof(err));

	if (rc != 0)
		fprintf(stderr, "--set %s\n", err);
	return rc;
}

/*
 * Flows use the first pair of memifs, the ceiling the second: a memif that was closed can't be
 * opened again. One process has both ends of a pair, two have one each.
 */
static const char *
device(const struct perf_opts *o, bool is_server, bool is_ceiling)
{
	const bool is_even = is_server || o->is_two_cores;

	if (o->ports == PERF_CABLE)
		return is_server ? "perf:a" : "perf:b";
	if (is_ceiling)
		return is_even ? "net_memif2" : "net_memif3";
	return is_even ? "net_memif0" : "net_memif1";
}

/* Answers to strangers leave by the client, which drops them. */
static int
add_strangers(struct weir_conf *conf)
{
	const struct setting s[] = {
		{"route strangers", "net", "198.18.0.0/15"},
		{"route strangers", "gateway", "10.80.0.2"},
		{"route strangers", "port", "p0"},
	};

	return set_all(conf, s, RTE_DIM(s));
}

/* Strangers' hosts, too, but all known to live behind one that is there. */
static int
add_crowd(struct weir_conf *conf)
{
	const struct setting s[] = {
		{"neighbour crowd", "address", "10.80.0.2"},
		{"neighbour crowd", "mac", "02:00:00:00:00:02"},
		{"neighbour crowd", "port", "p0"},
		{"pools", "active_connections", "65536"},
		{"pools", "half_open", "65536"},
		{"pools", "time_waits", "16"},
	};

	return add_strangers(conf) == 0 ? set_all(conf, s, RTE_DIM(s)) : -EINVAL;
}

static unsigned int
memory_mb(const struct perf_opts *o)
{
	const uint64_t crowd = o->workload->shape == PERF_CROWD ? o->conns : 0;

	return MEMORY_MB + (unsigned int)((crowd + 2 * o->listeners) * CROWD_BYTES >> 20);
}

static int
make_conf(struct weir_conf *conf, const struct perf_opts *o, bool is_server, bool may_sleep)
{
	char conns[24], sockets[24];
	const struct setting s[] = {
		{"stack", "name", is_server ? "server" : "client"},
		{"workers", "idle", may_sleep ? "sleep" : "poll"},
		{"pools", "connections", conns},
		{"pools", "sockets", sockets},
		{"port p0", "driver", o->ports == PERF_CABLE ? "wire" : "ethdev"},
		{"port p0", "device", device(o, is_server, false)},
		{"port p0", "address", is_server ? "10.80.0.1/24" : "10.80.0.2/24"},
		{"port p0", "ipv6", "no"},
		/* The server is what is measured: the client need not remember for long. */
		{"tcp", "time_wait_ms", is_server ? "60000" : "1"},
		{"tcp", "ephemeral_ports", "1024-65535"},
	};
	int rc;

	snprintf(conns, sizeof(conns), "%u", o->conns + TIME_WAITS);
	snprintf(sockets, sizeof(sockets), "%u", o->conns + o->listeners + TIME_WAITS);
	weir_conf_default(conf);
	rc = set_all(conf, s, RTE_DIM(s));
	if (rc == 0 && is_server && o->flood != PERF_NO_FLOOD)
		rc = add_strangers(conf);
	if (rc == 0 && o->workload->shape == PERF_CROWD)
		rc = add_crowd(conf);
	for (unsigned int i = 0; i < o->n_sets && rc == 0; i++)
		rc = set_text(conf, o->sets[i]);
	return rc;
}

static int
add_memif(struct weir_conf *conf, const struct perf_opts *o, bool is_server, bool is_ceiling)
{
	const int owner = o->is_two_cores && is_server ? getppid() : getpid();
	const char *name = device(o, is_server, is_ceiling);
	char key[8], args[WEIR_CONF_TEXT_MAX];

	snprintf(key, sizeof(key), "vdev%c", name[strlen(name) - 1]);
	snprintf(args, sizeof(args), "%s,role=%s,id=0,socket=weir-perf-%d-%s", name,
		is_server ? "server" : "client", owner, is_ceiling ? "ceiling" : "flow");
	return set_all(conf, &(struct setting){"eal", key, args}, 1);
}

static int
add_memifs(struct weir_conf *conf, const struct perf_opts *o, bool is_server)
{
	int rc = 0;

	for (unsigned int i = 0; i < 2 && rc == 0; i++) {
		const bool is_ceiling = i == 1;

		rc = add_memif(conf, o, is_server, is_ceiling);
		if (rc == 0 && !o->is_two_cores)
			rc = add_memif(conf, o, !is_server, is_ceiling);
	}
	return rc;
}

int
perf_eal(const struct perf_opts *o, bool is_server)
{
	char memory[16], lcores[64], prefix[WEIR_CONF_NAME_MAX], err[WEIR_CONF_ERR_MAX];
	const struct setting s[] = {
		{"eal", "lcores", lcores},
		{"eal", "memory", memory},
		{"eal", "hugepages", o->hugepages},
		{"eal", "file_prefix", prefix},
		{"eal", "telemetry", "no"},
		{"eal", "extra", "--log-level=4 --log-level=pmd.net.memif:emergency"},
	};
	struct weir_conf conf;
	int rc;

	snprintf(memory, sizeof(memory), "%u", memory_mb(o));
	snprintf(lcores, sizeof(lcores), "0@%d,1@%d", o->client_cpu, o->server_cpu);
	snprintf(prefix, sizeof(prefix), "weir-perf-%d", getpid());
	weir_conf_default(&conf);
	rc = set_all(&conf, s, RTE_DIM(s));
	if (rc == 0 && o->ports == PERF_MEMIF)
		rc = add_memifs(&conf, o, is_server);
	if (rc != 0)
		return rc;
	rc = weir_eal_init(&conf, "weir-perf", err, sizeof(err));
	if (rc != 0)
		fprintf(stderr, "%s\n", err);
	return rc;
}

struct weir_stack *
perf_stack(const struct perf_opts *o, bool is_server, bool may_sleep)
{
	char err[WEIR_CONF_ERR_MAX];
	struct weir_stack *st = NULL;
	struct weir_conf conf;

	if (make_conf(&conf, o, is_server, may_sleep) != 0)
		return NULL;
	if (weir_stack_new(&conf, NULL, &st, err, sizeof(err)) == 0)
		return st;
	fprintf(stderr, "%s\n", err);
	return NULL;
}

static int
impair_one(struct weir_impair *impair, char *text)
{
	char err[WEIR_CONF_ERR_MAX] = "";
	char *value = strchr(text, '=');
	int rc = -EINVAL;

	if (value != NULL) {
		*value++ = '\0';
		rc = weir_impair_parse(impair, text, value, err, sizeof(err));
	}
	if (rc != 0)
		fprintf(stderr, "--impair %s: allowed: KEY=VALUE,... %s\n", text, err);
	return rc;
}

int
perf_impair(const struct perf_opts *o)
{
	struct weir_impair impair = {0};
	char text[WEIR_CONF_TEXT_MAX], *rest = text, *one;
	int rc = 0;

	if (o->impair == NULL)
		return 0;
	snprintf(text, sizeof(text), "%s", o->impair);
	while (rc == 0 && (one = strsep(&rest, ",")) != NULL)
		rc = impair_one(&impair, one);
	for (unsigned int end = 0; end < 2 && rc == 0; end++)
		weir_cable_set(weir_cable_find("perf"), end, &impair);
	return rc;
}

int
perf_port_open(const struct perf_opts *o, bool is_server, bool is_ceiling, struct rte_mempool *pool,
	struct weir_port **port)
{
	const struct weir_driver *driver =
		o->ports == PERF_CABLE ? &weir_cable_driver : &weir_ethdev_driver;
	const struct weir_port_conf conf = {
		.name = is_server ? "server" : "client",
		.device = device(o, is_server, is_ceiling),
		.n_queues = 1,
		.rx_desc = DEVICE_DESC,
		.tx_desc = DEVICE_DESC,
		.pools = &pool,
	};
	char err[WEIR_CONF_ERR_MAX] = "";
	int rc = driver->open(&conf, port, err, sizeof(err));

	if (rc == 0)
		rc = (*port)->ops->start(*port);
	if (rc != 0)
		fprintf(stderr, "%s\n", err[0] != '\0' ? err : strerror(-rc));
	return rc;
}

int
perf_link_wait(struct weir_port *port)
{
	for (unsigned int i = 0; i < PERF_WAIT_MS; i++) {
		struct weir_port_link link;

		if (port->ops->link(port, &link) == 0 && link.is_up)
			return 0;
		usleep(1000);
	}
	fprintf(stderr, "%s: no link\n", port->info.name);
	return -ETIMEDOUT;
}

void
perf_link_wait_down(const struct perf_opts *o, struct weir_port *port)
{
	struct weir_port_link link = {.is_up = true};

	if (o->ports != PERF_MEMIF)
		return;
	for (unsigned int i = 0; i < 1000 && link.is_up; i++) {
		port->ops->link(port, &link);
		usleep(1000);
	}
	usleep(20000); /* the link goes down first, then memory is freed */
}

static struct rte_mempool *
take_pool(struct weir_stack *st)
{
	struct rte_mempool *pool = st == NULL ? NULL : st->pools[0];

	if (st != NULL)
		st->pools[0] = NULL;
	return pool;
}

/* Each stack's queues, and the cable, may hold packets of the other's pool. */
void
perf_stacks_free(const struct perf_opts *o, struct weir_stack *server, struct weir_stack *client)
{
	struct rte_mempool *const server_pool = take_pool(server);
	struct rte_mempool *const client_pool = take_pool(client);

	weir_stack_free(server);
	if (client != NULL)
		perf_link_wait_down(o, client->ports[0]);
	weir_stack_free(client);
	rte_mempool_free(server_pool);
	rte_mempool_free(client_pool);
}

void
perf_port_counts(struct weir_port *port, struct perf_counts *c)
{
	struct weir_port_stats s = {0};

	port->ops->stats(port, &s);
	c->rx_packets = s.rx_packets;
	c->rx_bytes = s.rx_bytes;
	c->tx_packets = s.tx_packets;
	c->tx_bytes = s.tx_bytes;
}

void
perf_stack_counts(struct weir_stack *st, struct perf_counts *c)
{
	c->tsc = rte_rdtsc();
	c->cycles = __atomic_load_n(&st->workers[0]->stats.busy_tsc, __ATOMIC_RELAXED);
	c->rexmits = __atomic_load_n(&st->workers[0]->tcp.stats.rexmit_segs, __ATOMIC_RELAXED);
	perf_port_counts(st->ports[0], c);
}

bool
perf_is_balanced(struct weir_stack *st)
{
	struct weir_account account;

	return weir_stack_account(st, &account) == 0 && account.is_balanced;
}
