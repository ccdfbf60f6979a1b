/* SPDX-License-Identifier: BSD-3-Clause */
/* Stacks: ports, pools and workers from a configuration; their life. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/random.h>

#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_malloc.h>

#include "conf_priv.h"
#include "stack_priv.h"
#include "weir_mem.h"
#include "weir_pmtu.h"
#include "weir_cable.h"
#include "weir_ethdev.h"
#include "weir_log.h"
#include "weir_mem.h"
#include "weir_numa.h"
#include "weir_queue.h"
#include "weir_rss_key.h"

#define POOL_CACHE 256

static const struct weir_driver *const drivers[] = {&weir_ethdev_driver, &weir_cable_driver};

static int fail(char *err, size_t err_len, int rc, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static int
fail(char *err, size_t err_len, int rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (err != NULL && err_len > 0)
		vsnprintf(err, err_len, fmt, ap);
	va_end(ap);
	return rc;
}

static int
node_of_worker(const struct weir_stack *st, unsigned int i)
{
	return st->conf.cpus[i] < 0 ? SOCKET_ID_ANY : weir_numa_of_cpu(NULL, st->conf.cpus[i]);
}

static int
make_pool(struct weir_stack *st, unsigned int i, char *err, size_t err_len)
{
	char name[RTE_MEMPOOL_NAMESIZE];

	snprintf(name, sizeof(name), "%s_m%u", st->prefix, i);
	st->pools[i] = rte_pktmbuf_pool_create_by_ops(name, weir_pool_size(st->conf.mbufs),
		POOL_CACHE, WEIR_PKT_PRIV, (uint16_t)st->conf.mbuf_data_room, node_of_worker(st, i),
		weir_pool_ops());
	if (st->pools[i] != NULL)
		return 0;
	return fail(err, err_len, -rte_errno,
		"%s: no memory for %u mbufs of %u bytes (worker %u): raise [eal] memory, or lower "
		"[pools] mbufs",
		st->conf.name, st->conf.mbufs, st->conf.mbuf_data_room, i);
}

static const struct weir_driver *
find_driver(const char *name)
{
	for (unsigned int i = 0; i < RTE_DIM(drivers); i++)
		if (strcmp(drivers[i]->name, name) == 0)
			return drivers[i];
	return NULL;
}

static int
open_port(struct weir_stack *st, const struct weir_conf_port *pc, char *err, size_t err_len)
{
	const struct weir_driver *driver = find_driver(pc->driver);
	const struct weir_port_conf conf = {
		.name = pc->name,
		.device = pc->device,
		.n_queues = (uint16_t)st->n_workers,
		.rx_desc = pc->rx_desc,
		.tx_desc = pc->tx_desc,
		.mtu = pc->mtu,
		.promisc = pc->promisc,
		.rx_intr = st->conf.idle == WEIR_IDLE_SLEEP,
		.vlan = pc->vlan,
		.caps_off = pc->caps_off,
		.pools = st->pools,
	};
	int rc;

	if (driver == NULL)
		return fail(
			err, err_len, -EINVAL, "port %s: unknown driver %s", pc->name, pc->driver);
	rc = driver->open(&conf, &st->ports[st->n_ports], err, err_len);
	st->n_ports += rc == 0;
	return rc;
}

/* A port on another node than a worker costs every packet a trip between them: say so once. */
static void
report_numa(const struct weir_stack *st)
{
	for (unsigned int p = 0; p < st->n_ports; p++) {
		const int node = st->ports[p]->info.numa_node;

		for (unsigned int w = 0; w < st->n_workers; w++) {
			const int own = node_of_worker(st, w);

			if (node >= 0 && own >= 0 && node != own)
				WEIR_LOG(WARNING,
					"port %s is on NUMA node %d, worker %u on node %d: slower",
					st->ports[p]->info.name, node, w, own);
		}
	}
}

static bool
spreads_alike(const struct weir_port_info *a, const struct weir_port_info *b)
{
	return a->rss_key_len == b->rss_key_len && a->reta_size == b->reta_size &&
	       memcmp(a->rss_key, b->rss_key, a->rss_key_len) == 0 &&
	       memcmp(a->reta, b->reta, a->reta_size * sizeof(a->reta[0])) == 0;
}

/* Does the port itself bring each flow to one worker, as worker 0's port does? */
static bool
is_spreading(const struct weir_stack *st, const struct weir_port_info *info)
{
	return (info->caps & WEIR_PORT_RSS) && info->n_queues >= st->n_workers &&
	       info->reta_size != 0 && spreads_alike(info, &st->ports[0]->info);
}

/* The ports' own key and table if all agree; else ours, applied in software. */
static void
init_steer(struct weir_stack *st)
{
	const struct weir_port_info *info = st->n_ports > 0 ? &st->ports[0]->info : NULL;
	struct weir_steer *s = &st->steer;

	s->n_workers = (uint16_t)st->n_workers;
	st->is_steering = false;
	for (unsigned int i = 0; i < st->n_ports; i++)
		st->is_steering |= !is_spreading(st, &st->ports[i]->info);
	st->is_steering &= st->n_workers > 1;
	if (info != NULL && is_spreading(st, info)) {
		s->key_len = info->rss_key_len;
		memcpy(s->key, info->rss_key, info->rss_key_len);
		s->reta_size = info->reta_size;
		memcpy(s->reta, info->reta, info->reta_size * sizeof(s->reta[0]));
		return;
	}
	s->key_len = sizeof(weir_rss_key);
	memcpy(s->key, weir_rss_key, sizeof(weir_rss_key));
	s->reta_size = 128;
	for (unsigned int i = 0; i < s->reta_size; i++)
		s->reta[i] = (uint16_t)(i % st->n_workers);
}

static int
init_secrets(struct weir_stack *st)
{
	struct weir_rand r;

	if (st->conf.seed == 0)
		return getrandom(st->secret, sizeof(st->secret), 0) == sizeof(st->secret) ? 0
											  : -EIO;
	weir_rand_seed(&r, st->conf.seed);
	st->secret[0] = weir_rand_u64(&r);
	st->secret[1] = weir_rand_u64(&r);
	return 0;
}

static struct weir_tcp_conf
tcp_conf(const struct weir_conf *conf)
{
	const struct weir_conf_tcp *t = &conf->tcp;
	struct weir_tcp_conf c;

	weir_tcp_conf_default(&c);
	c.opts.sndbuf = t->sndbuf;
	c.opts.rcvbuf = t->rcvbuf;
	c.sndbuf_max = t->sndbuf_max;
	c.rcvbuf_max = t->rcvbuf_max;
	c.opts.keep_idle_s = t->keep_idle_s;
	c.opts.keep_intvl_s = (uint16_t)t->keep_interval_s;
	c.opts.keep_cnt = (uint8_t)t->keep_count;
	c.ecn = (enum weir_tcp_ecn)t->ecn;
	c.ecn_option = (enum weir_tcp_ecn_option)t->ecn_option;
	c.ecn_beacon = t->ecn_beacon;
	c.use_pacing = t->pacing;
	c.opts.cc = (uint8_t)RTE_MAX(weir_tcp_cc_find(t->congestion), 0);
	c.max_conns = conf->connections;
	c.max_active = conf->active_connections;
	c.max_reqs = conf->half_open;
	c.max_waits = conf->time_waits;
	c.max_traces = conf->traces;
	c.invalid_ratelimit_us = t->invalid_ratelimit_ms * 1000;
	c.use_rfc1337 = t->rfc1337;
	c.syn_cookies = (uint8_t)t->syn_cookies;
	c.fastopen = t->fastopen;
	c.fastopen_pause_us = t->fastopen_pause_s * UINT64_C(1000000);
	c.has_fastopen_key = conf_fastopen_key(t->fastopen_key, c.fastopen_key) > 0;
	c.max_orphans = t->max_orphans;
	c.orphan_retries = (uint8_t)t->orphan_retries;
	c.resets_per_s = t->resets_per_s;
	c.challenges_per_s = t->challenges_per_s;
	c.use_tw_reuse = t->time_wait_reuse;
	c.rto_min_us = t->rto_min_ms * 1000;
	c.rto_initial_us = t->rto_initial_ms * 1000;
	c.rto_max_us = t->rto_max_ms * 1000;
	c.delack_us = t->delayed_ack_ms * 1000;
	c.time_wait_us = t->time_wait_ms * 1000;
	c.fin_wait_2_us = t->fin_wait_2_ms * 1000;
	c.initial_window = t->initial_window;
	c.hystart = (uint32_t)t->hystart;
	c.mtu_probing = (uint32_t)t->mtu_probing;
	c.base_mss = t->base_mss;
	c.syn_retries = (uint8_t)t->syn_retries;
	c.synack_retries = (uint8_t)t->synack_retries;
	c.data_retries = (uint8_t)t->data_retries;
	c.use_wscale = t->window_scale;
	c.wscale_max = (uint8_t)t->window_scale_max;
	c.use_sack = t->sack;
	c.use_timestamps = t->timestamps;
	c.use_idle_restart = t->idle_restart;
	c.use_tlp = t->tail_loss_probe;
	c.use_frto = t->frto;
	c.use_dsack = t->dsack;
	c.reordering = (uint16_t)t->reordering;
	c.port_min = (uint16_t)t->port_min;
	c.port_max = (uint16_t)t->port_max;
	return c;
}

static struct weir_tcp_conf
tcp_conf_of(const struct weir_stack *st)
{
	struct weir_tcp_conf c = tcp_conf(&st->conf);

	c.fo_cache = st->fo_cache;
	return c;
}

static uint32_t
lent_max(const struct weir_conf *conf)
{
	const uint64_t half = (uint64_t)conf->mbufs * conf->n_workers / 2;

	return (uint32_t)RTE_MIN(
		conf->lent_mbufs != 0 ? conf->lent_mbufs : half, (uint64_t)INT32_MAX);
}

static int
init_socks(struct weir_stack *st, char *err, size_t err_len)
{
	const struct weir_tcp_conf tcp = tcp_conf(&st->conf);
	const struct weir_socks_conf conf = {
		.stack = st,
		.name = st->prefix,
		.sockets = st->conf.sockets,
		.n_workers = (uint16_t)st->n_workers,
		.numa_node = node_of_worker(st, 0),
		.tcp_opts = tcp.opts,
		.udp_rcvbuf = st->conf.udp_rcvbuf,
		.udp_sndbuf = st->conf.udp_sndbuf,
		.port_min = tcp.port_min,
		.port_max = tcp.port_max,
		.lent_max = lent_max(&st->conf),
	};
	const int rc = weir_socks_init(&st->socks, &conf);

	if (rc == -EEXIST)
		return fail(err, err_len, rc, "%s: a stack of this name exists", st->conf.name);
	if (rc != 0)
		return fail(err, err_len, rc,
			"%s: no memory for %u sockets: raise [eal] memory, lower [pools] sockets",
			st->conf.name, st->conf.sockets);
	return 0;
}

static int
make_worker(struct weir_stack *st, unsigned int i, char *err, size_t err_len)
{
	struct weir_iface_conf ifaces[WEIR_CONF_PORTS_MAX];
	char name[RTE_RING_NAMESIZE];
	const struct weir_worker_conf conf = {
		.name = name,
		.index = (uint16_t)i,
		.n_workers = (uint16_t)st->n_workers,
		.peers = st->workers,
		.numa_node = node_of_worker(st, i),
		.clock = st->clock,
		.pool = st->pools[i],
		.seed = st->secret[0] + i,
		.pmtu = st->pmtu,
		.secret = st->secret,
		.ifaces = ifaces,
		.n_ifaces = st->n_ports,
		.steer = st->n_workers > 1 ? &st->steer : NULL,
		.is_steering = st->is_steering,
		.tcp = tcp_conf_of(st),
		.socks = &st->socks,
		.idle = st->conf.idle == WEIR_IDLE_SLEEP ? WEIR_WORKER_SLEEP : WEIR_WORKER_POLL,
		.idle_poll_us = st->conf.idle_poll_us,
	};
	int rc = -ENOMEM;

	snprintf(name, sizeof(name), "%s_%u", st->prefix, i);
	for (unsigned int p = 0; p < st->n_ports; p++)
		ifaces[p] = (struct weir_iface_conf){
			.port = st->ports[p],
			.queue = (uint16_t)i,
			.vlan = st->conf.ports[p].vlan,
			.mtu = st->conf.ports[p].mtu,
			.mss = st->conf.ports[p].mss,
			.index = (uint8_t)p,
			.accept_ra = st->conf.ports[p].accept_ra,
			.is_ipv6 = st->conf.ports[p].use_ipv6,
			.no_dad = !st->conf.ports[p].use_dad,
		};
	st->workers[i] = rte_zmalloc_socket(
		"weir_worker", sizeof(*st->workers[i]), RTE_CACHE_LINE_SIZE, conf.numa_node);
	if (st->workers[i] != NULL)
		rc = weir_worker_init(st->workers[i], &conf);
	if (rc == 0)
		return 0;
	rte_free(st->workers[i]);
	st->workers[i] = NULL;
	return fail(err, err_len, rc, "%s: worker %u: %s (raise [eal] memory?)", st->conf.name, i,
		strerror(-rc));
}

static unsigned int
port_index(const struct weir_stack *st, const char *name)
{
	unsigned int i = 0;

	while (i < st->n_ports && strcmp(st->conf.ports[i].name, name) != 0)
		i++;
	return i; /* weir_conf_check() has seen that it is there */
}

/* One worker's copy of addresses, routes, neighbours. */
static int
configure(struct weir_stack *st, struct weir_worker *w)
{
	const struct weir_conf *conf = &st->conf;
	int rc = 0;

	for (unsigned int p = 0; p < conf->n_ports; p++)
		for (unsigned int a = 0; a < conf->ports[p].n_addrs && rc == 0; a++) {
			const struct weir_conf_prefix *pre = &conf->ports[p].addrs[a];
			const struct weir_addr addr = weir_addr_v6(pre->addr);

			rc = weir_iface_add_addr(
				&w->ifaces[p], &addr, pre->len, conf->ports[p].use_dad);
		}
	for (unsigned int i = 0; i < conf->n_routes && rc == 0; i++) {
		const struct weir_conf_route *r = &conf->routes[i];
		const struct weir_addr net = weir_addr_v6(r->net.addr);
		const struct weir_addr gateway = weir_addr_v6(r->gateway);

		rc = weir_ip_set_route(&w->ip, &net, r->net.len, &gateway, port_index(st, r->port));
	}
	for (unsigned int i = 0; i < conf->n_neighs && rc == 0; i++) {
		const struct weir_conf_neigh *n = &conf->neighs[i];
		const struct weir_addr addr = weir_addr_v6(n->addr);
		struct weir_mac mac;

		memcpy(mac.b, n->mac, sizeof(mac.b));
		rc = weir_iface_add_neigh(&w->ifaces[port_index(st, n->port)], &addr, &mac);
	}
	return rc;
}

static int
build(struct weir_stack *st, char *err, size_t err_len)
{
	int rc = init_secrets(st);

	for (unsigned int i = 0; i < st->n_workers && rc == 0; i++)
		rc = make_pool(st, i, err, err_len);
	for (unsigned int i = 0; i < st->conf.n_ports && rc == 0; i++)
		rc = open_port(st, &st->conf.ports[i], err, err_len);
	if (rc != 0)
		return rc;
	init_steer(st);
	st->fo_cache = weir_tcp_fo_cache_new(node_of_worker(st, 0));
	if (st->fo_cache == NULL)
		return fail(err, err_len, -ENOMEM, "%s: no memory", st->conf.name);
	st->pmtu = weir_mem_alloc("weir_pmtu", sizeof(*st->pmtu), node_of_worker(st, 0));
	if (st->pmtu == NULL)
		return fail(err, err_len, -ENOMEM, "%s: no memory", st->conf.name);
	rc = init_socks(st, err, err_len);
	for (unsigned int i = 0; i < st->n_workers && rc == 0; i++)
		rc = make_worker(st, i, err, err_len);
	for (unsigned int i = 0; i < st->n_workers && rc == 0; i++) {
		rc = configure(st, st->workers[i]);
		if (rc != 0)
			fail(err, err_len, rc, "%s: addresses and routes: %s", st->conf.name,
				strerror(-rc));
	}
	for (unsigned int i = 0; i < st->n_ports && rc == 0; i++) {
		rc = st->ports[i]->ops->start(st->ports[i]);
		if (rc != 0)
			fail(err, err_len, rc, "port %s does not start: %s",
				st->ports[i]->info.name, strerror(-rc));
	}
	for (unsigned int i = 0; i < st->n_workers && rc == 0; i++)
		for (unsigned int p = 0; p < st->n_ports; p++)
			weir_iface_start(&st->workers[i]->ifaces[p]);
	return rc;
}

static void
close_waiter(void *waiter)
{
	weir_waiter_close(waiter);
}

int
weir_stack_new(const struct weir_conf *conf, const struct weir_clock *clock,
	struct weir_stack **out, char *err, size_t err_len)
{
	struct weir_stack *st;
	int rc;

	if (conf == NULL || out == NULL)
		return fail(err, err_len, -EFAULT, "no configuration");
	rc = weir_conf_check(conf, err, err_len);
	if (rc != 0)
		return rc;
	st = rte_zmalloc("weir_stack", sizeof(*st), RTE_CACHE_LINE_SIZE);
	if (st == NULL)
		return fail(err, err_len, -ENOMEM, "%s: no memory", conf->name);
	st->conf = *conf;
	st->n_workers = conf->n_workers;
	snprintf(st->prefix, sizeof(st->prefix), "%.*s", (int)sizeof(st->prefix) - 1, conf->name);
	weir_clock_init_tsc(&st->tsc);
	st->clock = clock != NULL ? clock : &st->tsc;
	weir_find_noise(&st->noise);
	pthread_mutex_init(&st->net_lock, NULL);
	st->has_waiter_key = pthread_key_create(&st->waiter_key, close_waiter) == 0;
	rc = st->has_waiter_key ? build(st, err, err_len)
				: fail(err, err_len, -EAGAIN, "%s: no thread key", conf->name);
	if (rc != 0) {
		weir_stack_free(st);
		return rc;
	}
	report_numa(st);
	weir_telemetry_add(st);
	*out = st;
	return 0;
}

/* Running */

static int
lcore_main(void *arg)
{
	struct weir_worker *w = arg;

	weir_worker_loop(w);
	return 0;
}

static bool
is_free_lcore(unsigned int lcore)
{
	return rte_eal_get_lcore_state(lcore) == WAIT && rte_lcore_has_role(lcore, ROLE_RTE);
}

/* A worker has ended. After the last one nobody would wake the threads that wait. */
static void
count_end(struct weir_stack *st)
{
	if (__atomic_sub_fetch(&st->n_running, 1, __ATOMIC_ACQ_REL) == 0)
		weir_waiters_wake(&st->socks.waiters);
}

static int
start_worker(struct weir_stack *st, struct weir_worker *w)
{
	unsigned int lcore;
	int rc;

	RTE_LCORE_FOREACH_WORKER(lcore)
	if (is_free_lcore(lcore))
		break;
	if (lcore >= RTE_MAX_LCORE)
		return -EBUSY;
	w->lcore = lcore;
	weir_poke(w->must_stop, 0);
	rc = weir_idle_init(w);
	if (rc != 0)
		return rc;
	__atomic_fetch_add(&st->n_running, 1, __ATOMIC_RELEASE);
	rc = rte_eal_remote_launch(lcore_main, w, lcore);
	if (rc != 0)
		count_end(st);
	return rc;
}

int
weir_stack_start(struct weir_stack *st)
{
	int rc = 0;

	if (weir_stack_is_running(st))
		return -EALREADY;
	for (unsigned int i = 0; i < st->n_workers && rc == 0; i++)
		rc = start_worker(st, st->workers[i]);
	if (rc != 0)
		weir_stack_stop(st);
	return rc;
}

int
weir_stack_run(struct weir_stack *st, unsigned int worker)
{
	struct weir_worker *w;
	int rc;

	if (st == NULL || worker >= st->n_workers)
		return -EINVAL;
	w = st->workers[worker];
	rc = weir_idle_init(w);
	if (rc != 0)
		return rc;
	__atomic_fetch_add(&st->n_running, 1, __ATOMIC_RELEASE);
	weir_worker_loop(w);
	weir_idle_fini(w);
	count_end(st);
	return 0;
}

unsigned int
weir_stack_step(struct weir_stack *st)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < st->n_workers; i++)
		n += weir_worker_turn(st->workers[i]);
	return n;
}

void
weir_stack_stop(struct weir_stack *st)
{
	if (st == NULL)
		return;
	for (unsigned int i = 0; i < st->n_workers; i++)
		if (st->workers[i] != NULL)
			weir_worker_stop(st->workers[i]);
	for (unsigned int i = 0; i < st->n_workers; i++) {
		struct weir_worker *w = st->workers[i];

		if (w == NULL || w->lcore == LCORE_ID_ANY)
			continue;
		rte_eal_wait_lcore(w->lcore);
		w->lcore = LCORE_ID_ANY;
		weir_idle_fini(w);
		count_end(st);
	}
}

/* Reset what is open, in the calling thread: the workers have stopped. */
static void
close_all(struct weir_stack *st)
{
	if (st->socks.fds == NULL)
		return;
	for (uint32_t fd = 0; fd < st->socks.capacity; fd++) {
		struct weir_sock *s = weir_fd_any(&st->socks, (int)fd);

		if (s == NULL)
			continue;
		if (s->kind != WEIR_SOCK_OTHER && st->workers[s->home] != NULL)
			weir_sock_serve(
				&st->workers[s->home]->sock, s, WEIR_DOOR_CLOSE | WEIR_DOOR_ABORT);
		if (weir_fd_close(&st->socks, (int)fd, s))
			weir_ctl_close(st, s);
		weir_sock_unref(s);
	}
	for (unsigned int turn = 0; turn < 2; turn++) /* doors, and what they lead to */
		for (unsigned int i = 0; i < st->n_workers; i++) {
			struct weir_worker *w = st->workers[i];

			if (w == NULL)
				continue;
			weir_sock_doors(&w->sock);
			weir_sock_publish(&w->sock);
			weir_tx_path(w);
		}
}

void
weir_stack_free(struct weir_stack *st)
{
	if (st == NULL)
		return;
	weir_telemetry_del(st);
	weir_stack_stop(st);
	close_all(st);
	weir_queues_end(&st->socks);
	for (unsigned int i = 0; i < st->n_workers; i++)
		if (st->workers[i] != NULL)
			weir_worker_fini(st->workers[i]);
	for (unsigned int i = 0; i < st->n_ports; i++) {
		st->ports[i]->ops->stop(st->ports[i]);
		st->ports[i]->ops->close(st->ports[i]);
	}
	for (unsigned int i = 0; i < st->n_workers; i++)
		rte_free(st->workers[i]);
	if (st->socks.used != 0)
		WEIR_LOG(ERR, "%s: %u sockets left at the end", st->conf.name, st->socks.used);
	weir_socks_fini(&st->socks);
	for (unsigned int i = 0; i < st->n_workers; i++)
		rte_mempool_free(st->pools[i]);
	weir_tcp_fo_cache_free(st->fo_cache);
	weir_mem_free(st->pmtu);
	if (st->has_waiter_key)
		pthread_key_delete(st->waiter_key);
	pthread_mutex_destroy(&st->net_lock);
	rte_free(st);
}

uint64_t
weir_stack_next_us(const struct weir_stack *st)
{
	uint64_t next = UINT64_MAX;

	for (unsigned int i = 0; i < st->n_workers; i++)
		next = RTE_MIN(next, weir_wheel_next_us(&st->workers[i]->wheel));
	return next;
}

uint64_t
weir_stack_now_us(const struct weir_stack *st)
{
	return weir_clock_now_us(st->clock);
}
