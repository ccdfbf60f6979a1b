/* SPDX-License-Identifier: BSD-3-Clause */
/* /weir/sockets: descriptors, and the connections of every worker. */
#include <errno.h>
#include <stdio.h>

#include "telemetry_priv.h"

static uint64_t
part_start(uint64_t part)
{
	return part << TEL_PART_SHIFT;
}

/* Counts that two threads move: the difference may be negative for a moment. */
static uint64_t
difference(const uint64_t *more, const uint64_t *less)
{
	const int64_t n = (int64_t)(__atomic_load_n(more, __ATOMIC_RELAXED) -
				    __atomic_load_n(less, __ATOMIC_RELAXED));

	return n > 0 ? (uint64_t)n : 0;
}

/* ---- descriptors ---- */

/* Is s shown by its connection? */
static bool
has_conn(const struct weir_sock *s)
{
	const uint32_t flags = weir_sock_flags(s);

	return s->kind == WEIR_SOCK_TCP && (flags & (WEIR_SOCK_CONNECTING | WEIR_SOCK_CONNECTED)) &&
	       !(flags & WEIR_SOCK_OVER);
}

static uint64_t
lent(const struct weir_sock *s)
{
	return (uint64_t)RTE_MAX(weir_peek(s->n_lent), 0);
}

static void
read_sock(const struct weir_sock *s, struct tel_sock *t)
{
	const uint32_t flags = weir_sock_flags(s);

	*t = (struct tel_sock){.fd = s->fd, .worker = -1, .kind = s->kind, .flow = s->flow};
	if (weir_sock_is_dgram(s)) {
		t->state = flags & WEIR_SOCK_CONNECTED ? WEIR_TCP_ESTABLISHED : WEIR_TCP_CLOSED;
		t->send_q = difference(&s->tx_queued, &s->tx_freed);
	}
	t->recv_q = difference(&s->rx_given, &s->rx_taken);
	t->lent = lent(s);
	if (flags & WEIR_SOCK_LISTENING) {
		t->state = WEIR_TCP_LISTEN;
		t->recv_q = __atomic_load_n(&s->n_accept, __ATOMIC_RELAXED);
		t->send_q = weir_peek(s->backlog);
	}
}

/* A reference keeps a socket that is closed meanwhile. */
static void
read_fds(struct weir_stack *st, struct tel_socks *page)
{
	const uint32_t n_fds = st->socks.capacity;
	uint32_t fd = (uint32_t)page->at;

	for (; fd < n_fds && page->n < TEL_SOCKS_MAX; fd++) {
		struct weir_sock *s = weir_fd_get(&st->socks, (int)fd);

		if (s == NULL)
			continue;
		if (!has_conn(s))
			read_sock(s, &page->sock[page->n++]);
		weir_sock_unref(s);
	}
	page->at = fd < n_fds ? fd : part_start(1);
}

/* ---- connections ---- */

/* Data that the peer has not acknowledged: SYN and FIN are no data. */
static uint64_t
unacked(const struct weir_tcp_conn *c)
{
	const bool is_syn_open = c->snd.una == c->iss;
	const uint32_t start = c->snd.una + is_syn_open;

	return weir_seq_lt(start, c->snd.end) ? c->snd.end - start : 0;
}

static void
read_conn(
	const struct weir_worker *w, const struct weir_tcp_conn *c, uint32_t at, struct tel_sock *t)
{
	const struct weir_sock *s = weir_sock_of(c);

	*t = (struct tel_sock){
		.fd = s == NULL ? -1 : s->fd,
		.worker = w->index,
		.kind = WEIR_SOCK_TCP,
		.state = c->state,
		.flow = c->flow,
		.recv_q = s == NULL ? 0 : difference(&s->rx_given, &s->rx_taken),
		.lent = s == NULL ? 0 : lent(s),
		.send_q = unacked(c),
		.has_conn = true,
		.id = part_start(w->index + 1u) + at,
		.retries = c->retries,
		.mss = c->mss,
		.cwnd = c->cc.cwnd,
		.ssthresh = c->cc.ssthresh,
		.srtt_us = c->srtt_us,
		.rttvar_us = c->rttvar_us,
		.rto_us = c->rto_us,
		.rexmits = c->rexmits,
		.snd_wnd = c->snd.wnd,
		.cc = c->cc.ops == NULL ? "" : c->cc.ops->name,
	};
}

/* On the worker; or elsewhere, see tel_ask(): the slabs' arrays and the sockets' never move. */
static int
read_conns(struct weir_worker *w, void *arg)
{
	struct tel_socks *page = arg;
	uint32_t id = weir_tcp_id_from(&w->tcp, (uint32_t)page->at);
	unsigned int n_seen = 0;

	while (id != WEIR_TCP_ID_END && n_seen++ < TEL_SCAN_MAX && page->n < TEL_SOCKS_MAX) {
		struct weir_tcp_conn room;
		const struct weir_tcp_conn *c = weir_tcp_by_id(&w->tcp, id, &room);

		if (c != NULL)
			read_conn(w, c, id, &page->sock[page->n++]);
		id = weir_tcp_id_from(&w->tcp, id + 1);
	}
	page->at = part_start(w->index + 1u) + id;
	if (id == WEIR_TCP_ID_END)
		page->at = part_start(w->index + 2u);
	return 0;
}

int
tel_socks_page(struct weir_stack *st, struct tel_socks *page, uint64_t limit_us)
{
	const uint64_t part = page->at >> TEL_PART_SHIFT;
	int rc = 0;

	page->n = 0;
	if (part == 0)
		read_fds(st, page);
	else if (part <= st->n_workers)
		rc = tel_ask(st, (unsigned int)part - 1, read_conns, page, sizeof(*page), limit_us);
	if (rc != 0)
		page->at = part_start(part + 1);
	if (part > st->n_workers || page->at >= part_start(st->n_workers + 1u))
		page->at = TEL_END;
	return rc;
}

/* ---- the answer ---- */

void
tel_put_end(struct rte_tel_data *d, const char *name, const struct weir_addr *addr,
	struct weir_be16 port)
{
	char text[WEIR_ADDR_STRLEN], number[8] = "*";

	weir_addr_format(addr, text);
	if (port.raw != 0)
		snprintf(number, sizeof(number), "%u", weir_host16(port));
	tel_text(d, name, weir_addr_is_v4(addr) ? "%s:%s" : "[%s]:%s", text, number);
}

static const char *
state_name(const struct tel_sock *t)
{
	if (t->kind != WEIR_SOCK_TCP)
		return t->state == WEIR_TCP_ESTABLISHED ? "ESTABLISHED" : "UNCONNECTED";
	return weir_tcp_state_name(t->state);
}

static void
put_conn(struct rte_tel_data *d, const struct tel_sock *t)
{
	tel_u64(d, "id", t->id);
	tel_text(d, "cc", "%s", t->cc);
	tel_u64(d, "cwnd", t->cwnd);
	tel_u64(d, "ssthresh", t->ssthresh);
	tel_u64(d, "snd_wnd", t->snd_wnd);
	tel_u64(d, "srtt_us", t->srtt_us);
	tel_u64(d, "rttvar_us", t->rttvar_us);
	tel_u64(d, "rto_us", t->rto_us);
	tel_u64(d, "mss", t->mss);
	tel_u64(d, "retries", t->retries);
	tel_u64(d, "retransmits", t->rexmits);
}

static struct rte_tel_data *
sock_data(const struct tel_sock *t)
{
	static const char *const proto_name[] = {
		[WEIR_SOCK_TCP] = "tcp", [WEIR_SOCK_UDP] = "udp", [WEIR_SOCK_RAW] = "raw"};
	struct rte_tel_data *d = tel_dict();

	if (d == NULL)
		return NULL;
	tel_text(d, "proto", "%s", proto_name[t->kind]);
	tel_text(d, "state", "%s", state_name(t));
	tel_u64(d, "recv_q", t->recv_q);
	tel_u64(d, "send_q", t->send_q);
	tel_u64(d, "lent", t->lent);
	tel_put_end(d, "local", &t->flow.laddr, t->flow.lport);
	tel_put_end(d, "peer", &t->flow.raddr, t->flow.rport);
	tel_int(d, "worker", t->worker);
	tel_int(d, "fd", t->fd);
	if (t->has_conn)
		put_conn(d, t);
	return d;
}

int
tel_sockets(struct tel_req *r)
{
	struct tel_socks page = {.at = r->from};
	struct rte_tel_data *rows = tel_dict();
	int rc;

	if (rows == NULL)
		return -ENOMEM;
	rc = tel_socks_page(r->st, &page, TEL_ASK_US);
	if (rc != 0)
		tel_text(r->d, "error", "worker %u does not answer: %s",
			(unsigned int)(r->from >> TEL_PART_SHIFT) - 1, strerror(-rc));
	for (unsigned int i = 0; i < page.n; i++)
		tel_put_row(rows, i, sock_data(&page.sock[i]));
	tel_put(r->d, "sockets", rows);
	if (page.at != TEL_END)
		tel_u64(r->d, "next", page.at);
	return 0;
}
