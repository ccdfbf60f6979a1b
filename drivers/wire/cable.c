/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_cable.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_ether.h>
#include <rte_malloc.h>
#include <rte_memzone.h>

#include "cable_priv.h"
#include "weir_rand.h"
#include "weir_rss_key.h"

#define DEPTH_DEFAULT 1024
#define DEPTH_MAX     (1 << 20)
#define MTU_DEFAULT   1500
#define MTU_MAX	      65535
#define RETA_SIZE     128
#define SEGS_MAX      64

/* Memzones: the names of cables. */

static void
mz_name(char mz[RTE_MEMZONE_NAMESIZE], const char *name)
{
	snprintf(mz, RTE_MEMZONE_NAMESIZE, CABLE_MZ_PREFIX "%s", name);
}

static int
publish(struct weir_cable *c)
{
	char name[RTE_MEMZONE_NAMESIZE];
	const struct rte_memzone *mz;

	mz_name(name, c->name);
	mz = rte_memzone_reserve(name, sizeof(void *), SOCKET_ID_ANY, 0);
	if (mz == NULL)
		return -rte_errno;
	*(struct weir_cable **)mz->addr = c;
	return 0;
}

static void
unpublish(const struct weir_cable *c)
{
	char name[RTE_MEMZONE_NAMESIZE];

	mz_name(name, c->name);
	rte_memzone_free(rte_memzone_lookup(name));
}

struct weir_cable *
weir_cable_find(const char *name)
{
	char mz[RTE_MEMZONE_NAMESIZE];
	const struct rte_memzone *zone;

	if (strlen(name) >= WEIR_CABLE_NAME_LEN)
		return NULL;
	mz_name(mz, name);
	zone = rte_memzone_lookup(mz);
	return zone == NULL ? NULL : *(struct weir_cable **)zone->addr;
}

/* Ends. */

/* Locally administered, different for every cable and end, the same in every run. */
static struct weir_mac
make_mac(const char *name, unsigned int end)
{
	static const uint64_t key[2] = {0x7765697220636162, 0x6c65206d61632031};
	const uint64_t h = weir_siphash(key, name, strlen(name));
	struct weir_mac mac = {{0x02, 0x57}};

	memcpy(&mac.b[2], &h, 3);
	mac.b[5] = (uint8_t)(end + 1);
	return mac;
}

static void
end_info(struct weir_cable *c, unsigned int end)
{
	struct weir_port_info *info = &c->end[end].port.info;

	snprintf(info->name, sizeof(info->name), "%s:%c", c->name, "ab"[end]);
	snprintf(info->driver, sizeof(info->driver), "%s", weir_cable_driver.name);
	info->mac = make_mac(c->name, end);
	info->numa_node = SOCKET_ID_ANY;
	info->mtu = c->conf.mtu != 0 ? c->conf.mtu : MTU_DEFAULT;
	info->mtu_max = MTU_MAX;
	info->segs_max = SEGS_MAX;
}

static struct rte_ring *
make_ring(uint32_t depth)
{
	const ssize_t size = rte_ring_get_memsize(rte_align32pow2(depth + 1));
	struct rte_ring *r = size < 0 ? NULL : rte_zmalloc("weir_cable", (size_t)size, 64);

	/* Several senders' lcores may share a CPU: one that is preempted must not stop the rest. */
	if (r != NULL &&
		rte_ring_init(r, "weir_cable", depth, WEIR_RING_MPSC | RING_F_EXACT_SZ) != 0) {
		rte_free(r);
		r = NULL;
	}
	return r;
}

static int
add_queue(struct cable_end *e)
{
	const uint32_t depth = e->cable->conf.queue_depth;
	struct cable_rxq *q = &e->rxq[e->rings];

	q->ring = make_ring(depth != 0 ? depth : DEPTH_DEFAULT);
	if (q->ring == NULL)
		return -ENOMEM;
	q->timer_fd = -1;
	e->rings++;
	return 0;
}

static int
add_timers(struct cable_end *e, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		struct cable_rxq *q = &e->rxq[i];

		if (q->timer_fd < 0)
			q->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
		if (q->timer_fd < 0)
			return -errno;
	}
	return 0;
}

static void
spread(struct cable_end *e, uint16_t n_queues)
{
	struct weir_port_info *info = &e->port.info;

	info->n_queues = n_queues;
	info->reta_size = 0;
	if (!(info->caps & WEIR_PORT_RSS) || n_queues == 1) {
		info->caps &= ~(uint32_t)(WEIR_PORT_RSS | WEIR_PORT_RX_RSS_HASH);
		return;
	}
	for (uint16_t i = 0; i < RETA_SIZE; i++)
		info->reta[i] = i % n_queues;
	info->rss_key_len = WEIR_RSS_KEY_LEN;
	memcpy(info->rss_key, weir_rss_key, WEIR_RSS_KEY_LEN);
	info->reta_size = RETA_SIZE;
}

int
cable_end_setup(struct cable_end *e, uint16_t n_queues, bool use_intr)
{
	const struct weir_cable_conf *conf = &e->cable->conf;
	int r;

	while (e->rings < n_queues)
		if ((r = add_queue(e)) != 0)
			return r;
	if (use_intr && (r = add_timers(e, n_queues)) != 0)
		return r;
	e->use_intr = use_intr;
	e->port.info.caps = (WEIR_CABLE_CAPS & ~conf->caps_off) |
			    (conf->lro ? WEIR_PORT_RX_LRO : 0) | (use_intr ? WEIR_PORT_RX_INTR : 0);
	spread(e, n_queues);
	return 0;
}

static int
end_new(struct weir_cable *c, unsigned int end)
{
	struct cable_end *e = &c->end[end];
	const uint64_t seed = c->conf.seed * 2 + end;

	e->cable = c;
	e->port.ops = &cable_port_ops;
	e->port.priv = e;
	e->is_started = true;
	end_info(c, end);
	return weir_line_new(&e->impair, seed, c->conf.line_pkts, SOCKET_ID_ANY, &e->line);
}

static void
end_free(struct cable_end *e)
{
	cable_end_drain(e);
	weir_line_free(e->line);
	for (uint16_t i = 0; i < e->rings; i++) {
		rte_free(e->rxq[i].ring);
		if (e->rxq[i].timer_fd >= 0)
			close(e->rxq[i].timer_fd);
	}
}

/* The cable. */

void
cable_update_link(struct weir_cable *c)
{
	const bool is_up = c->is_plugged && c->end[0].is_started && c->end[1].is_started;

	__atomic_store_n(&c->is_up, is_up, __ATOMIC_RELEASE);
}

static bool
is_valid(const char *name, const struct weir_cable_conf *conf)
{
	const size_t len = strlen(name);

	return len > 0 && len < WEIR_CABLE_NAME_LEN && strpbrk(name, ":,") == NULL &&
	       conf->queues <= WEIR_PORT_QUEUES_MAX &&
	       (conf->mtu == 0 || conf->mtu >= RTE_ETHER_MIN_MTU) && conf->queue_depth <= DEPTH_MAX;
}

static int
cable_init(struct weir_cable *c)
{
	const uint16_t queues = c->conf.queues != 0 ? c->conf.queues : 1;
	int r;

	cable_rss_init(&c->rss);
	for (unsigned int end = 0; end < 2; end++)
		if ((r = end_new(c, end)) != 0 ||
			(r = cable_end_setup(&c->end[end], queues, false)) != 0)
			return r;
	for (unsigned int end = 0; end < 2; end++)
		weir_cable_set(c, end, &c->conf.impair[end]);
	weir_cable_link(c, true);
	return publish(c);
}

int
weir_cable_new(const char *name, const struct weir_cable_conf *conf, const struct weir_clock *clock,
	struct weir_cable **cable)
{
	static const struct weir_cable_conf zero;
	struct weir_cable *c;
	int r;

	if (conf == NULL)
		conf = &zero;
	if (!is_valid(name, conf))
		return -EINVAL;
	c = rte_zmalloc("weir_cable", sizeof(*c), RTE_CACHE_LINE_SIZE);
	if (c == NULL)
		return -ENOMEM;
	snprintf(c->name, sizeof(c->name), "%s", name);
	c->conf = *conf;
	c->clock = clock;
	if (clock == NULL) {
		weir_clock_init_tsc(&c->tsc);
		c->clock = &c->tsc;
	}
	r = cable_init(c);
	if (r != 0) {
		end_free(&c->end[0]);
		end_free(&c->end[1]);
		rte_free(c);
		return r;
	}
	*cable = c;
	return 0;
}

void
weir_cable_free(struct weir_cable *c)
{
	if (c == NULL)
		return;
	unpublish(c);
	end_free(&c->end[0]);
	end_free(&c->end[1]);
	rte_free(c);
}

struct weir_port *
weir_cable_port(struct weir_cable *c, unsigned int end)
{
	return end < 2 ? &c->end[end].port : NULL;
}

void
weir_cable_set(struct weir_cable *c, unsigned int end, const struct weir_impair *impair)
{
	struct cable_end *to = &c->end[end == 0];

	weir_lock(&to->lock);
	to->impair = *impair;
	weir_line_set(to->line, impair);
	/* Clean again: the receiver leaves the line when it is empty, so that nothing overtakes. */
	if (!weir_impair_is_clean(impair))
		__atomic_store_n(&to->is_impaired, true, __ATOMIC_RELEASE);
	weir_unlock(&to->lock);
}

void
weir_cable_link(struct weir_cable *c, bool is_up)
{
	c->is_plugged = is_up;
	cable_update_link(c);
}

static void
add_txq(struct weir_cable_stats *s, const struct cable_txq *t)
{
	s->sent += t->packets;
	s->dropped_oversize += t->oversize;
	s->dropped_down += t->down;
	s->dropped_bad += t->bad;
	s->dropped_no_mbuf += t->no_mbuf;
	s->dropped_full += t->full;
}

static void
add_rxq(struct weir_cable_stats *s, const struct cable_rxq *q)
{
	s->delivered += q->packets;
	s->dropped_no_mbuf += q->no_mbuf;
	s->held += weir_ring_count(q->ring);
}

static void
add_line(struct weir_cable_stats *s, const struct cable_end *to)
{
	struct weir_line_stats line;

	weir_line_stats(to->line, &line);
	s->lost += line.lost;
	s->duplicated += line.duplicated;
	s->corrupted += line.corrupted;
	s->reordered += line.reordered;
	s->dropped_full += line.dropped_full + to->line_full;
	s->held += line.held;
}

void
weir_cable_stats(const struct weir_cable *c, unsigned int end, struct weir_cable_stats *stats)
{
	const struct cable_end *from = &c->end[end];
	const struct cable_end *to = &c->end[end == 0];

	*stats = (struct weir_cable_stats){0};
	for (unsigned int i = 0; i < WEIR_PORT_QUEUES_MAX; i++)
		add_txq(stats, &from->txq[i]);
	for (uint16_t i = 0; i < to->rings; i++)
		add_rxq(stats, &to->rxq[i]);
	add_line(stats, to);
}

uint64_t
weir_cable_next_us(const struct weir_cable *c)
{
	uint64_t next = UINT64_MAX;

	for (unsigned int end = 0; end < 2; end++) {
		const struct cable_end *e = &c->end[end];

		for (uint16_t i = 0; i < e->rings; i++) {
			if (weir_ring_count(e->rxq[i].ring) > 0)
				return 0;
		}
		next = RTE_MIN(next, weir_line_next_us(e->line));
	}
	return next;
}
