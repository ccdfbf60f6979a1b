/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: udp_input, raw_input -> sock_publish -> sock_dgram_event; and back: udp_output, raw_output
 */
#include "weir_queue.h"

#include <errno.h>

#include <linux/net_tstamp.h>

static void
take_out(struct weir_sock_worker *ws, const struct weir_sock *s, struct weir_pcb *pcb)
{
	if (s->kind == WEIR_SOCK_UDP)
		weir_udp_unbind(ws->udp, pcb);
	else
		weir_raw_unbind(ws->raw, pcb);
}

static void
put_in(struct weir_sock_worker *ws, const struct weir_sock *s, struct weir_pcb *pcb)
{
	if (s->kind == WEIR_SOCK_UDP)
		weir_udp_bind(ws->udp, pcb);
	else
		weir_raw_bind(ws->raw, pcb);
}

int
weir_sock_dgram_enter(struct weir_sock_worker *ws, struct weir_sock *s)
{
	struct weir_pcb *pcb = &s->pcbs[ws->index];
	const bool is_new = pcb->owner == NULL;
	struct weir_flow flow;

	if (weir_sock_flags(s) & WEIR_SOCK_FD_CLOSED)
		return -EBADF; /* it may have left this worker already */
	if (!is_new)
		take_out(ws, s, pcb); /* bound before: the addresses change (connect) */
	weir_sock_flow(s, &flow);
	pcb->laddr = flow.laddr;
	pcb->lport = flow.lport;
	pcb->raddr = flow.raddr;
	pcb->rport = flow.rport;
	pcb->is_v6 = s->domain == AF_INET6;
	pcb->is_reuseport = weir_sock_has(s, WEIR_SW_REUSEPORT);
	pcb->is_v6only = weir_sock_has(s, WEIR_SW_V6ONLY);
	pcb->ready.kind = s->kind == WEIR_SOCK_UDP ? WEIR_READY_UDP : WEIR_READY_RAW;
	pcb->opts = &s->dgram->opts;
	pcb->raw = &s->dgram->raw;
	pcb->ifindex_plus1 = weir_peek(s->opts.ifindex_plus1);
	pcb->owner = s;
	if (is_new)
		weir_sock_ref(s);
	put_in(ws, s, pcb);
	return 0;
}

/* pcb's groups become those of set, whose reference it takes. */
static int
take_groups(struct weir_sock_worker *ws, struct weir_pcb *pcb, struct weir_mc_set *set)
{
	struct weir_mc_set *old = (struct weir_mc_set *)(uintptr_t)pcb->mc;
	const int rc = set == old ? 0 : weir_mcast_change(ws->ip, old, set);

	weir_mc_unref(rc != 0 ? set : old);
	if (rc == 0)
		pcb->mc = set;
	return rc;
}

int
weir_sock_mc_apply(struct weir_sock_worker *ws, struct weir_sock *s)
{
	struct weir_pcb *pcb = &s->pcbs[ws->index];
	struct weir_mc_set *set;

	if (weir_sock_flags(s) & WEIR_SOCK_FD_CLOSED)
		return -EBADF; /* it may have left this worker already */
	pcb->is_mc_strict4 = weir_peek(s->dgram->is_mc_strict[0]);
	pcb->is_mc_strict6 = weir_peek(s->dgram->is_mc_strict[1]);
	weir_lock(&s->dgram->mc_lock);
	set = s->dgram->mc;
	weir_mc_ref(set);
	weir_unlock(&s->dgram->mc_lock);
	return take_groups(ws, pcb, set);
}

void
weir_sock_dgram_leave(struct weir_sock_worker *ws, struct weir_sock *s)
{
	struct weir_pcb *pcb = s->pcbs == NULL ? NULL : &s->pcbs[ws->index];

	if (pcb == NULL)
		return;
	take_groups(ws, pcb, NULL);
	if (pcb->owner == NULL)
		return;
	take_out(ws, s, pcb);
	weir_ready_del(ws->ready, &pcb->ready);
	weir_pktq_free(&pcb->rx);
	weir_pktq_free(&pcb->errs);
	pcb->owner = NULL;
	weir_sock_unref(s);
}

static bool
is_copy(const struct weir_sock *s, struct rte_mbuf *m)
{
	return s->kind == WEIR_SOCK_RAW ||
	       (weir_pkt(m)->flags & (WEIR_PKT_MULTICAST | WEIR_PKT_BROADCAST));
}

/*
 * udp_input counted the datagram as taken; what does not fit is a drop after all. Where several
 * sockets have a copy each, the packet stays taken.
 */
static void
drop_full(struct weir_sock_worker *ws, const struct weir_sock *s, struct rte_mbuf *m)
{
	if (is_copy(s, m)) {
		ws->stats.copy_full++;
		rte_pktmbuf_free(m);
		return;
	}
	ws->core->fates[WEIR_FATE_udp_taken]--;
	weir_end(ws->core, m, WEIR_FATE_drop_udp_full);
}

/* The application holds too many packets, or enough of this socket's. */
static void
drop_unlent(struct weir_sock_worker *ws, const struct weir_sock *s, struct rte_mbuf *m)
{
	if (is_copy(s, m)) {
		ws->stats.copy_full++;
		rte_pktmbuf_free(m);
		return;
	}
	ws->core->fates[WEIR_FATE_udp_taken]--;
	weir_end(ws->core, m, WEIR_FATE_drop_lent);
}

static void
hand_datagram(struct weir_sock_worker *ws, struct weir_sock *s, struct rte_mbuf *m)
{
	if (weir_sock_flags(s) & (WEIR_SOCK_RX_SHUT | WEIR_SOCK_FD_CLOSED))
		drop_full(ws, s, m); /* by the callback of the one before */
	else if (s->cb.recv_mbuf != NULL && weir_lend_is_over(s, weir_mbuf_truesize(m)))
		drop_unlent(ws, s, m);
	else
		weir_sock_hand(ws, s, m);
}

/* shutdown(SHUT_RD) ends only the wait: what comes all the same can be read, as on Linux. */
static void
queue_datagram(struct weir_sock_worker *ws, struct weir_sock *s, struct rte_mbuf *m)
{
	const uint32_t size = weir_mbuf_truesize(m);
	const uint64_t taken = __atomic_load_n(&s->rx_taken, __ATOMIC_ACQUIRE);
	const int64_t held = (int64_t)(__atomic_load_n(&s->rx_given, __ATOMIC_RELAXED) - taken);

	if (held + size + (int64_t)weir_peek(s->lent_bytes) > (int64_t)weir_peek(s->opts.rcvbuf) ||
		(weir_sock_flags(s) & WEIR_SOCK_FD_CLOSED)) {
		drop_full(ws, s, m);
		return;
	}
	weir_mpsc_push(&s->rxq, &weir_pkt(m)->qn);
	__atomic_fetch_add(&s->rx_given, size, __ATOMIC_RELEASE);
}

static void
take_datagrams(struct weir_sock_worker *ws, struct weir_sock *s, struct weir_pcb *pcb)
{
	struct rte_mbuf *m;

	if (weir_sock_flags(s) & WEIR_SOCK_CALLBACKS) {
		while (pcb->owner == s && (m = weir_pktq_pop(&pcb->rx)) != NULL)
			hand_datagram(ws, s, m);
		return;
	}
	while ((m = weir_pktq_pop(&pcb->rx)) != NULL)
		queue_datagram(ws, s, m);
	weir_sock_notify_of(s, WEIR_NEWS_IN);
	weir_sock_post(s, WEIR_ASYN_READ, 0);
}

void
weir_sock_dgram_event(struct weir_sock_worker *ws, struct weir_pcb *pcb, uint16_t events)
{
	struct weir_sock *s = pcb->owner;
	struct rte_mbuf *m;

	if (s == NULL)
		return;
	/* A callback may close it, but this worker's reference lasts until the end of the turn. */
	if (events & WEIR_READY_READ)
		take_datagrams(ws, s, pcb);
	if (pcb->owner == s && (events & WEIR_READY_ERROR)) {
		while ((m = weir_pktq_pop(&pcb->errs)) != NULL)
			weir_sock_add_note(s, m);
		__atomic_store_n(&s->error, pcb->error, __ATOMIC_RELAXED);
		weir_sock_notify_of(s, WEIR_NEWS_ERR);
		weir_sock_post(s, WEIR_ASYN_READ, 0);
		weir_sock_tell(ws, s, WEIR_EV_ERROR, pcb->error);
	}
}

/* The call's word first, then the socket's; mc: it goes to a group, and these are its options. */
static int
choose_iface(const struct weir_sock *s, const struct weir_pcb *pcb, const struct weir_send_how *how,
	const struct weir_mc_sending *mc)
{
	if (how->ifindex >= 0)
		return how->ifindex;
	if (pcb->ifindex_plus1 != 0)
		return pcb->ifindex_plus1 - 1;
	if (mc != NULL && weir_peek(mc->ifindex_plus1) != 0)
		return weir_peek(mc->ifindex_plus1) - 1;
	return weir_peek(s->dgram->send_ifindex_plus1) - 1;
}

/* What IP_MTU_DISCOVER and its kin say about fragments (ip(7), ipv6(7)). */
static void
choose_path(const struct weir_dgram_opts *o, const struct weir_send_how *send, struct weir_dgram *d)
{
	const bool is_v4 = weir_addr_is_v4(&d->raddr);
	const uint8_t how = weir_peek(o->pmtudisc[!is_v4]);

	d->is_whole =
		how == IP_PMTUDISC_DO || how == IP_PMTUDISC_PROBE || how == IP_PMTUDISC_INTERFACE;
	d->is_df = how == IP_PMTUDISC_WANT || how == IP_PMTUDISC_DO || how == IP_PMTUDISC_PROBE;
	d->is_path_ignored = how >= IP_PMTUDISC_PROBE;
	d->no_cksum = weir_peek(*(is_v4 ? &o->no_cksum4 : &o->no_cksum6_tx));
	if (is_v4)
		return;
	d->is_dontfrag = send->dontfrag >= 0 ? send->dontfrag != 0 : weir_peek(o->is_dontfrag6);
	d->is_whole |= d->is_dontfrag;
	d->mtu = weir_peek(o->mtu6);
}

static int
send_one(struct weir_sock_worker *ws, struct weir_sock *s, struct rte_mbuf *m,
	const struct weir_dgram *d)
{
	int rc;

	if (s->kind == WEIR_SOCK_UDP)
		rc = weir_udp_output(ws->udp, m, d);
	else
		rc = weir_raw_output(ws->raw, m, d, &s->dgram->raw);
	if (unlikely(rc == -EMSGSIZE))
		weir_sock_note_width(ws, s, d);
	return rc;
}

/* UDP_SEGMENT: m's data as datagrams of `size` bytes, the last one of what is left. Takes m. */
static int
send_cut(struct weir_sock_worker *ws, struct weir_sock *s, struct rte_mbuf *m,
	const struct weir_dgram *d, uint16_t size)
{
	struct weir_dgram whole = *d;
	int rc = 0;

	whole.is_whole = true; /* Linux: a segment is not to become fragments */
	for (uint32_t off = 0; rc == 0 && off < m->pkt_len; off += size) {
		const uint32_t len = RTE_MIN((uint32_t)size, m->pkt_len - off);
		struct rte_mbuf *part = rte_pktmbuf_copy(m, ws->core->pool, off, len);

		if (part == NULL) {
			ws->core->mbuf_fail++;
			rc = -ENOBUFS;
		} else {
			rc = weir_udp_output(ws->udp, part, &whole);
		}
	}
	rte_pktmbuf_free(m);
	return rc == -EMSGSIZE ? -EINVAL : rc;
}

static int
send_way(struct weir_sock_worker *ws, struct weir_sock *s, struct rte_mbuf *m,
	const struct weir_dgram *d, uint16_t segment)
{
	if (unlikely(segment != 0 && m->pkt_len > segment))
		return send_cut(ws, s, m, d, segment);
	return send_one(ws, s, m, d);
}

static int
send_stamped(struct weir_sock_worker *ws, struct weir_sock *s, struct rte_mbuf *m,
	const struct weir_dgram *d, const struct weir_send_how *how)
{
	struct weir_sock_stamps stamps;
	int rc;

	weir_sock_make_stamps(ws, m, how, &stamps);
	rc = send_way(ws, s, m, d, how->segment);
	weir_sock_tell_stamps(s, &stamps, rc == 0);
	return rc;
}

int
weir_sock_dgram_send(struct weir_sock_worker *ws, struct weir_sock *s, struct rte_mbuf *m)
{
	const struct weir_pcb *pcb = &s->pcbs[ws->index]; /* its addresses outlast the binding */
	const struct weir_flow *f = &weir_pkt(m)->flow;
	const struct weir_send_how how = weir_pkt(m)->how;
	const struct weir_mc_sending *mc =
		likely(!weir_addr_is_multicast(&f->raddr))
			? NULL
			: &s->dgram->mc_send[!weir_addr_is_v4(&f->raddr)];
	const uint8_t ttl = mc != NULL ? weir_peek(mc->ttl) : weir_peek(s->opts.ttl);
	struct weir_dgram d = {
		.laddr = how.has_src ? f->laddr : pcb->laddr,
		.lport = pcb->lport,
		.raddr = f->raddr,
		.rport = f->rport,
		.ifindex = choose_iface(s, pcb, &how, mc),
		.tos = how.tos >= 0 ? (uint8_t)how.tos : weir_peek(s->opts.tos),
		.ttl = how.ttl >= 0 ? (uint8_t)how.ttl : ttl,
		.is_looped = mc != NULL && !weir_peek(mc->no_loop),
		.is_host_only = mc != NULL && how.ttl <= 0 && ttl == 0,
	};

	choose_path(&s->dgram->opts, &how, &d);
	if (unlikely(how.stamps & (SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_SOFTWARE)))
		return send_stamped(ws, s, m, &d, &how);
	return send_way(ws, s, m, &d, how.segment);
}

static void
take_txq(struct weir_sock_worker *ws, struct weir_sock *s)
{
	struct weir_qnode *n;

	while ((n = weir_mpsc_pop(&s->txq)) != NULL) {
		struct rte_mbuf *m = weir_qnode_mbuf(n);
		const uint32_t size = weir_mbuf_truesize(m);
		const int rc = weir_sock_dgram_send(ws, s, m);

		if (rc != 0)
			__atomic_store_n(&s->error, -rc, __ATOMIC_RELAXED);
		__atomic_fetch_add(&s->tx_freed, size, __ATOMIC_RELEASE);
	}
	weir_sock_notify_of(s, WEIR_NEWS_OUT);
	if (unlikely(weir_peek(s->error) != 0))
		weir_sock_post(s, WEIR_ASYN_READ, 0); /* a receive call tells it */
	weir_sock_post(s, WEIR_ASYN_WRITE, 0);
	if (weir_peek(s->is_write_wanted) &&
		__atomic_exchange_n(&s->is_write_wanted, false, __ATOMIC_ACQ_REL))
		weir_sock_tell(ws, s, WEIR_EV_WRITE, 0);
}

void
weir_sock_dgram_serve(struct weir_sock_worker *ws, struct weir_sock *s, uint32_t bits)
{
	if (bits & (WEIR_DOOR_SEND | WEIR_DOOR_CLOSE | WEIR_DOOR_WRITE))
		take_txq(ws, s);
}
