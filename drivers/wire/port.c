/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: eth_output -> cable_tx -> ring, or line and ring -> cable_rx -> eth_input */
#include "cable_priv.h"

#include <string.h>
#include <sys/timerfd.h>

#include <rte_ether.h>
#include <rte_prefetch.h>

#include "weir_assert.h"

#define PULL_BURST 32

#define TX_CAPS                                                                     \
	(WEIR_PORT_TX_IP4_CKSUM | WEIR_PORT_TX_TCP_CKSUM | WEIR_PORT_TX_UDP_CKSUM | \
		WEIR_PORT_TX_TSO | WEIR_PORT_TX_VLAN)
/* What a frame may carry for which nothing is to be done on arrival. */
#define PLAIN_FLAGS (RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_RX_RSS_HASH)
#define NOW_NS	    1 /* for a timer: at once; 0 would stop it */

/* Frames that a port's offloads must not see when it does not have them. */
static uint64_t
honoured(uint64_t flags, uint32_t caps)
{
	const uint64_t l4 = flags & RTE_MBUF_F_TX_L4_MASK;

	if ((caps & TX_CAPS) == TX_CAPS && l4 != RTE_MBUF_F_TX_SCTP_CKSUM)
		return flags;
	if (!(caps & WEIR_PORT_TX_IP4_CKSUM))
		flags &= ~RTE_MBUF_F_TX_IP_CKSUM;
	if ((l4 == RTE_MBUF_F_TX_TCP_CKSUM && !(caps & WEIR_PORT_TX_TCP_CKSUM)) ||
		(l4 == RTE_MBUF_F_TX_UDP_CKSUM && !(caps & WEIR_PORT_TX_UDP_CKSUM)) ||
		l4 == RTE_MBUF_F_TX_SCTP_CKSUM)
		flags &= ~RTE_MBUF_F_TX_L4_MASK;
	if (!(caps & WEIR_PORT_TX_TSO))
		flags &= ~RTE_MBUF_F_TX_TCP_SEG;
	if (!(caps & WEIR_PORT_TX_VLAN))
		flags &= ~RTE_MBUF_F_TX_VLAN;
	return flags;
}

/* Waking a reader that sleeps. */

static void
timer_set(int fd, uint64_t ns)
{
	const struct itimerspec at = {.it_value = {.tv_sec = (time_t)(ns / 1000000000),
					      .tv_nsec = (long)(ns % 1000000000)}};

	timerfd_settime(fd, 0, &at, NULL);
}

/*
 * Frames were put into the ring. An exchange on both sides, here and in cable_rx_intr(): either
 * this one sees the reader armed, or the reader's comes later and sees the frames.
 */
static void
wake_queue(struct cable_end *to, uint16_t queue)
{
	struct cable_rxq *q = &to->rxq[queue];

	if (to->use_intr && __atomic_exchange_n(&q->is_armed, false, __ATOMIC_ACQ_REL))
		timer_set(q->timer_fd, NOW_NS);
}

/* Set the timer of a queue to the line's next frame, whichever queue that is for; to->lock held. */
static void
wake_at_next(struct cable_end *to, const struct cable_rxq *q)
{
	const uint64_t next_us = weir_line_next_us(to->line);
	const uint64_t now_us = weir_clock_now_us(to->cable->clock);

	if (next_us != UINT64_MAX)
		timer_set(q->timer_fd, next_us > now_us ? (next_us - now_us) * 1000 : NOW_NS);
}

/* Frames were put into the line; to->lock held. */
static void
wake_line(struct cable_end *to)
{
	if (!to->use_intr)
		return;
	for (uint16_t i = 0; i < to->port.info.n_queues; i++)
		if (__atomic_load_n(&to->rxq[i].is_armed, __ATOMIC_RELAXED))
			wake_at_next(to, &to->rxq[i]);
}

/* Transmit. */

static uint32_t
frame_max(const struct cable_end *from, const struct cable_end *to)
{
	return RTE_ETHER_HDR_LEN + RTE_MIN(from->port.info.mtu, to->port.info.mtu);
}

/* A tag in the frame does not count against the MTU. */
static bool
is_oversize(const struct rte_mbuf *m, uint32_t max)
{
	rte_be16_t buf;
	const rte_be16_t *type;

	if (m->pkt_len <= max)
		return false;
	type = rte_pktmbuf_read(m, 2 * RTE_ETHER_ADDR_LEN, sizeof(buf), &buf);
	return *type != rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN) || m->pkt_len > max + RTE_VLAN_HLEN;
}

static bool
is_tso(const struct cable_end *from, const struct rte_mbuf *m)
{
	return (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) && (from->port.info.caps & WEIR_PORT_TX_TSO);
}

/* The receive queue by RSS; leaves the hash in m for the receiver. */
static uint16_t
route(const struct cable_end *to, struct rte_mbuf *m)
{
	const struct weir_port_info *info = &to->port.info;
	uint32_t hash;

	if (info->reta_size == 0)
		return 0;
	m->ol_flags &= ~RTE_MBUF_F_RX_RSS_HASH;
	if (!cable_rss_hash(&to->cable->rss, m, &hash))
		return 0;
	m->ol_flags |= RTE_MBUF_F_RX_RSS_HASH;
	m->hash.rss = hash;
	return info->reta[hash & (info->reta_size - 1u)];
}

static void
drop(struct cable_txq *t, uint64_t *counter, struct rte_mbuf *m)
{
	t->packets++;
	t->bytes += m->pkt_len;
	(*counter)++;
	rte_pktmbuf_free(m);
}

/* Frames at the front of m[n] that need nothing done and go to one queue. */
static uint16_t
plain_run(const struct cable_end *from, const struct cable_end *to, struct rte_mbuf **m, uint16_t n,
	uint16_t *queue)
{
	const uint32_t max = frame_max(from, to);
	uint16_t i;

	for (i = 0; i < n; i++) {
		if (m[i]->pkt_len > max || is_tso(from, m[i]))
			break;
		if (i == 0)
			*queue = route(to, m[i]);
		else if (route(to, m[i]) != *queue)
			break;
	}
	return i;
}

/* Put frames into a queue. @return how many it took, from the front */
static uint16_t
enqueue(struct cable_end *to, struct cable_txq *t, uint16_t queue, struct rte_mbuf **m, uint16_t n)
{
	uint64_t bytes = 0;
	uint16_t got;

	for (uint16_t i = 0; i < n; i++)
		bytes += m[i]->pkt_len;
	got = (uint16_t)weir_ring_put(to->rxq[queue].ring, (void **)m, n);
	for (uint16_t i = got; i < n; i++) /* those taken may be gone already */
		bytes -= m[i]->pkt_len;
	t->packets += got;
	t->bytes += bytes;
	if (got > 0)
		wake_queue(to, queue);
	return got;
}

/* What is wrong with a TSO packet, as the counter for it; NULL: nothing. */
static uint64_t *
tso_fault(const struct cable_end *from, const struct cable_end *to, struct cable_txq *t,
	const struct rte_mbuf *m)
{
	if (!cable_tso_is_valid(m))
		return &t->bad;
	if ((uint32_t)m->l2_len + m->l3_len + m->l4_len + m->tso_segsz > frame_max(from, to))
		return &t->oversize;
	return NULL;
}

/* @return false: no room now, m stays the caller's */
static bool
tx_tso(struct cable_end *from, struct cable_end *to, struct cable_txq *t, struct rte_mbuf *m)
{
	struct rte_mbuf *frames[CABLE_FRAMES_MAX];
	uint64_t *const fault = tso_fault(from, to, t, m);
	uint16_t queue;
	uint16_t got;
	uint16_t n;

	if (fault != NULL) {
		drop(t, fault, m);
		return true;
	}
	queue = route(to, m);
	if (to->port.info.caps & WEIR_PORT_RX_LRO)
		return enqueue(to, t, queue, &m, 1) == 1;
	n = (uint16_t)cable_tso_frames(m);
	if (weir_ring_room(to->rxq[queue].ring) < n)
		return false;
	if (cable_tso_cut(m, frames) != 0) {
		t->packets++;
		t->no_mbuf++;
		return true;
	}
	got = enqueue(to, t, queue, frames, n);
	while (got < n) /* another sender was faster */
		drop(t, &t->full, frames[got++]);
	return true;
}

/* A frame that is not plain. Return as above. */
static bool
tx_special(struct cable_end *from, struct cable_end *to, struct cable_txq *t, struct rte_mbuf *m)
{
	if (is_tso(from, m))
		return tx_tso(from, to, t, m);
	if (!is_oversize(m, frame_max(from, to)))
		return enqueue(to, t, route(to, m), &m, 1) == 1;
	drop(t, &t->oversize, m);
	return true;
}

static uint16_t
tx_direct(struct cable_end *from, struct cable_end *to, struct cable_txq *t, struct rte_mbuf **m,
	uint16_t n)
{
	uint16_t done = 0;
	uint16_t queue = 0;

	while (done < n) {
		const uint16_t run = plain_run(from, to, m + done, n - done, &queue);
		uint16_t got;

		if (run == 0) {
			if (!tx_special(from, to, t, m[done]))
				break;
			done++;
			continue;
		}
		got = enqueue(to, t, queue, m + done, run);
		done += got;
		if (got < run)
			break;
	}
	return done;
}

static void
line_push(struct cable_end *from, struct cable_end *to, struct cable_txq *t, struct rte_mbuf *m)
{
	t->packets++;
	t->bytes += m->pkt_len;
	m->ol_flags = honoured(m->ol_flags, from->port.info.caps);
	weir_line_push(to->line, m, weir_clock_now_us(to->cable->clock));
}

static void
line_push_tso(struct cable_end *from, struct cable_end *to, struct cable_txq *t, struct rte_mbuf *m)
{
	struct rte_mbuf *frames[CABLE_FRAMES_MAX];
	uint64_t *const fault = tso_fault(from, to, t, m);
	uint32_t n;

	if (fault != NULL) {
		drop(t, fault, m);
		return;
	}
	if (to->port.info.caps & WEIR_PORT_RX_LRO) {
		line_push(from, to, t, m);
		return;
	}
	n = cable_tso_frames(m);
	if (cable_tso_cut(m, frames) != 0) {
		t->packets++;
		t->no_mbuf++;
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		line_push(from, to, t, frames[i]);
}

/* Through the line, which takes everything. */
static uint16_t
tx_line(struct cable_end *from, struct cable_end *to, struct cable_txq *t, struct rte_mbuf **m,
	uint16_t n)
{
	weir_lock(&to->lock);
	for (uint16_t i = 0; i < n; i++) {
		if (is_tso(from, m[i]))
			line_push_tso(from, to, t, m[i]);
		else if (is_oversize(m[i], frame_max(from, to)))
			drop(t, &t->oversize, m[i]);
		else
			line_push(from, to, t, m[i]);
	}
	wake_line(to);
	weir_unlock(&to->lock);
	return n;
}

static uint16_t
cable_tx(struct weir_port *p, uint16_t queue, struct rte_mbuf **m, uint16_t n)
{
	struct cable_end *from = cable_end_of(p);
	struct cable_end *to = cable_other(from);
	struct cable_txq *t = &from->txq[queue];

	WEIR_ASSERT(queue < WEIR_PORT_QUEUES_MAX);
	if (unlikely(!cable_is_up(from->cable))) {
		for (uint16_t i = 0; i < n; i++)
			drop(t, &t->down, m[i]);
		return n;
	}
	return cable_is_impaired(to) ? tx_line(from, to, t, m, n) : tx_direct(from, to, t, m, n);
}

/* Receive. */

/* What was owed to the frame, done or reported. @return what to report in ol_flags */
static struct rte_mbuf *
settle_checksums(const struct cable_end *e, struct rte_mbuf *m, uint64_t *rx)
{
	const uint32_t caps = e->port.info.caps;
	const bool owes_ip = m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM;
	const bool owes_l4 = m->ol_flags & (RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG);

	if (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG)
		*rx |= RTE_MBUF_F_RX_LRO;
	if ((owes_ip && !(caps & WEIR_PORT_RX_IP4_CKSUM)) ||
		(owes_l4 && !(caps & WEIR_PORT_RX_L4_CKSUM)))
		return cable_finish(m);
	if (owes_ip)
		*rx |= RTE_MBUF_F_RX_IP_CKSUM_GOOD;
	if (owes_l4)
		*rx |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	return m;
}

/* May a tag stand in the frame? Headers in pieces are looked at by cable_tag_out(). */
static inline bool
may_have_tag(const struct rte_mbuf *m)
{
	return m->data_len < RTE_ETHER_HDR_LEN ||
	       rte_pktmbuf_mtod(m, const struct rte_ether_hdr *)->ether_type ==
		       rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN);
}

static struct rte_mbuf *
settle_tag(const struct cable_end *e, struct rte_mbuf *m, uint64_t *rx)
{
	const uint64_t stripped = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	const bool strips = e->port.info.caps & WEIR_PORT_RX_VLAN;

	if (!(m->ol_flags & RTE_MBUF_F_TX_VLAN)) {
		m->vlan_tci = 0;
		m->ol_flags &= ~stripped; /* of an earlier life */
		if (strips && may_have_tag(m))
			m = cable_tag_out(m);
		if (m != NULL)
			*rx |= m->ol_flags & stripped;
	} else if (strips) {
		*rx |= stripped;
	} else {
		m = cable_tag_in(m);
	}
	return m;
}

/* Do or report what was left to the ports. Returns m or a chain in its place, NULL as below. */
static struct rte_mbuf *
settle(const struct cable_end *e, uint32_t sender_caps, struct rte_mbuf *m, uint64_t *rx)
{
	m->ol_flags = honoured(m->ol_flags, sender_caps);
	m = settle_checksums(e, m, rx);
	if (m != NULL)
		m = settle_tag(e, m, rx);
	if (m != NULL && !(*rx & RTE_MBUF_F_RX_LRO))
		m->tx_offload = 0; /* else tso_segsz tells the size of the merged segments */
	return m;
}

/* Turn a frame as it was sent into one as received. @return NULL (m freed) for want of mbufs */
static inline struct rte_mbuf *
arrive(const struct cable_end *e, uint32_t sender_caps, struct rte_mbuf *m)
{
	uint64_t rx = 0;

	if ((m->ol_flags & ~PLAIN_FLAGS) || may_have_tag(m)) {
		m = settle(e, sender_caps, m, &rx);
		if (unlikely(m == NULL))
			return NULL;
	}
	if (e->port.info.caps & WEIR_PORT_RX_RSS_HASH)
		rx |= m->ol_flags & RTE_MBUF_F_RX_RSS_HASH;
	m->ol_flags = (m->ol_flags & (RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL)) | rx;
	m->packet_type = 0;
	m->port = RTE_MBUF_PORT_INVALID;
	return m;
}

/* Move what is due from the line to the queues; without impairments an empty line is left. */
static void
pull_line(struct cable_end *e)
{
	struct rte_mbuf *m[PULL_BURST];
	const uint64_t now_us = weir_clock_now_us(e->cable->clock);
	unsigned int n;

	weir_lock(&e->lock);
	while ((n = weir_line_pull(e->line, now_us, m, PULL_BURST)) > 0) {
		for (unsigned int i = 0; i < n; i++) {
			const uint16_t queue = route(e, m[i]);

			if (weir_ring_put(e->rxq[queue].ring, (void **)&m[i], 1) == 1) {
				wake_queue(e, queue);
				continue;
			}
			e->line_full++;
			rte_pktmbuf_free(m[i]);
		}
	}
	if (weir_impair_is_clean(&e->impair) && weir_line_next_us(e->line) == UINT64_MAX)
		__atomic_store_n(&e->is_impaired, false, __ATOMIC_RELEASE);
	weir_unlock(&e->lock);
}

static uint16_t
cable_rx(struct weir_port *p, uint16_t queue, struct rte_mbuf **m, uint16_t n)
{
	struct cable_end *e = cable_end_of(p);
	const uint32_t sender_caps = cable_other(e)->port.info.caps;
	struct cable_rxq *q = &e->rxq[queue];
	uint16_t got;
	uint16_t kept = 0;

	if (unlikely(queue >= p->info.n_queues))
		return 0;
	if (cable_is_impaired(e))
		pull_line(e);
	got = (uint16_t)weir_ring_take(q->ring, (void **)m, n);
	for (uint16_t i = 0; i < got; i++)
		rte_prefetch0(m[i]);
	for (uint16_t i = 0; i < got; i++) {
		m[kept] = arrive(e, sender_caps, m[i]);
		if (unlikely(m[kept] == NULL)) {
			q->no_mbuf++;
			continue;
		}
		q->bytes += m[kept]->pkt_len;
		kept++;
	}
	q->packets += kept;
	return kept;
}

/* Control. */

static int
cable_start(struct weir_port *p)
{
	struct cable_end *e = cable_end_of(p);

	e->is_started = true;
	cable_update_link(e->cable);
	return 0;
}

static int
cable_stop(struct weir_port *p)
{
	struct cable_end *e = cable_end_of(p);

	e->is_started = false;
	cable_update_link(e->cable);
	return 0;
}

void
cable_end_drain(struct cable_end *e)
{
	void *m;

	for (uint16_t i = 0; i < e->rings; i++)
		while (weir_ring_take(e->rxq[i].ring, &m, 1) == 1)
			rte_pktmbuf_free(m);
}

static void
cable_close(struct weir_port *p)
{
	struct cable_end *e = cable_end_of(p);
	struct weir_cable *c = e->cable;

	cable_stop(p);
	e->is_open = false;
	if (c->is_named && !cable_other(e)->is_open)
		weir_cable_free(c);
}

static int
cable_link(struct weir_port *p, struct weir_port_link *link)
{
	*link = (struct weir_port_link){.is_up = cable_is_up(cable_end_of(p)->cable)};
	return 0;
}

static void
add_rx_stats(const struct cable_end *e, struct weir_port_stats *stats)
{
	for (uint16_t i = 0; i < e->rings; i++) {
		stats->rx_packets += e->rxq[i].packets;
		stats->rx_bytes += e->rxq[i].bytes;
		stats->rx_no_mbuf += e->rxq[i].no_mbuf;
	}
	stats->rx_missed = e->line_full;
}

static int
cable_stats(struct weir_port *p, struct weir_port_stats *stats)
{
	const struct cable_end *e = cable_end_of(p);

	*stats = (struct weir_port_stats){0};
	add_rx_stats(e, stats);
	for (unsigned int i = 0; i < WEIR_PORT_QUEUES_MAX; i++) {
		const struct cable_txq *t = &e->txq[i];
		const uint64_t errors = t->oversize + t->down + t->bad + t->no_mbuf + t->full;

		stats->tx_packets += t->packets - errors;
		stats->tx_bytes += t->bytes;
		stats->tx_errors += errors;
	}
	return 0;
}

/* An end receives everything anyway. */
static int
cable_set_mcast(struct weir_port *p, const struct weir_mac *macs, unsigned int n)
{
	return 0;
}

static int
cable_set_promisc(struct weir_port *p, bool on)
{
	return 0;
}

static int
cable_set_mtu(struct weir_port *p, uint16_t mtu)
{
	if (mtu < RTE_ETHER_MIN_MTU || mtu > p->info.mtu_max)
		return -EINVAL;
	p->info.mtu = mtu;
	return 0;
}

static int
cable_rx_fd(struct weir_port *p, uint16_t queue)
{
	const struct cable_end *e = cable_end_of(p);

	if (!e->use_intr || queue >= p->info.n_queues)
		return -ENOTSUP;
	return e->rxq[queue].timer_fd;
}

static int
cable_rx_intr(struct weir_port *p, uint16_t queue, bool on)
{
	struct cable_end *e = cable_end_of(p);
	struct cable_rxq *q = &e->rxq[queue];

	if (!e->use_intr || queue >= p->info.n_queues)
		return -ENOTSUP;
	(void)__atomic_exchange_n(&q->is_armed, on, __ATOMIC_ACQ_REL); /* pairs with wake_queue() */
	if (!on) {
		timer_set(q->timer_fd, 0); /* also makes it unreadable */
		return 0;
	}
	if (!weir_ring_is_empty(q->ring))
		timer_set(q->timer_fd, NOW_NS);
	weir_lock(&e->lock);
	wake_at_next(e, q);
	weir_unlock(&e->lock);
	return 0;
}

const struct weir_port_ops cable_port_ops = {
	.rx = cable_rx,
	.tx = cable_tx,
	.start = cable_start,
	.stop = cable_stop,
	.close = cable_close,
	.link = cable_link,
	.stats = cable_stats,
	.set_mcast = cable_set_mcast,
	.set_promisc = cable_set_promisc,
	.set_mtu = cable_set_mtu,
	.rx_fd = cable_rx_fd,
	.rx_intr = cable_rx_intr,
};
