/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

#include <stdio.h>

#include "tcp_priv.h"
#include "weir_cksum.h"

#define START_US UINT64_C(10000000)

static struct weir_addr
addr(const char *text)
{
	struct weir_addr a;

	CU_ASSERT_EQUAL_FATAL(weir_addr_parse(text, &a), 0);
	return a;
}

static uint8_t
pattern(uint32_t pos)
{
	return (uint8_t)(pos * 7 + (pos >> 8));
}

/* The stack */

static void
set_up_iface(struct rig *r)
{
	const struct weir_iface_conf conf = {
		.port = &r->port.port, .is_ipv6 = true, .no_dad = true};
	const struct weir_addr us4 = addr("192.0.2.1"), us6 = addr("2001:db8::1");
	const struct weir_addr peer4 = addr("192.0.2.2"), peer6 = addr("2001:db8::2");
	const struct weir_mac mac = {{2, 0, 0, 0, 0, 2}};

	CU_ASSERT_EQUAL_FATAL(weir_iface_init(&r->ifc, &r->core, &conf), 0);
	CU_ASSERT_EQUAL(weir_iface_add_addr(&r->ifc, &us4, 120, false), 0);
	CU_ASSERT_EQUAL(weir_iface_add_addr(&r->ifc, &us6, 64, false), 0);
	CU_ASSERT_EQUAL(weir_iface_add_neigh(&r->ifc, &peer4, &mac), 0);
	CU_ASSERT_EQUAL(weir_iface_add_neigh(&r->ifc, &peer6, &mac), 0);
	weir_eth_flush(&r->ifc);
	fake_port_drain(&r->port); /* announcements of the addresses */
}

static void
set_up_tcp(struct rig *r)
{
	struct weir_tcp_conf conf;

	weir_tcp_conf_default(&conf);
	conf.max_conns = 64;
	conf.max_reqs = 64;
	conf.max_waits = 64;
	conf.use_timestamps = r->setup.use_ts;
	conf.use_wscale = r->setup.use_wscale;
	conf.use_sack = r->setup.use_sack;
	conf.opts.cc = (uint8_t)weir_tcp_cc_find("reno"); /* its numbers are the simplest */
	if (r->setup.use_ecn)
		conf.ecn = WEIR_TCP_ECN_YES;
	if (r->setup.tune != NULL)
		r->setup.tune(&conf);
	CU_ASSERT_EQUAL_FATAL(
		weir_tcp_init(&r->tcp, &r->core, &r->ip, &r->ready, &conf, SOCKET_ID_ANY), 0);
}

static void
set_up(struct rig *r, const struct rig_setup *setup)
{
	const struct weir_ip_conf ip_conf = {
		.ifaces = &r->ifc, .n_ifaces = 1, .numa_node = SOCKET_ID_ANY, .name = "rig"};

	memset(r, 0, sizeof(*r));
	r->setup = *setup;
	r->pool = unit_pool("rig", setup->mbufs != 0 ? setup->mbufs : 4095);
	r->input = unit_pool("rig_input", setup->mbufs != 0 ? RTE_MIN(setup->mbufs, 1023u) : 1023);
	r->now_us = START_US;
	r->core.now_us = r->now_us;
	r->core.wheel = &r->wheel;
	r->core.pool = r->pool;
	r->core.n_workers = 1;
	weir_wheel_init(&r->wheel, r->now_us);
	weir_rand_seed(&r->core.rand, 1);
	STAILQ_INIT(&r->ready);
	fake_port_init(&r->port, 1);
	if (setup->use_tso)
		r->port.port.info.caps |= WEIR_PORT_TX_TSO | WEIR_PORT_TX_TCP_CKSUM |
					  WEIR_PORT_TX_IP4_CKSUM | WEIR_PORT_TX_MULTI_SEG;
	set_up_iface(r);
	CU_ASSERT_EQUAL_FATAL(weir_ip_init(&r->ip, &r->core, &ip_conf), 0);
	set_up_tcp(r);
	r->flow = (struct weir_flow){
		.laddr = addr(setup->is_v6 ? "2001:db8::1" : "192.0.2.1"),
		.raddr = addr(setup->is_v6 ? "2001:db8::2" : "192.0.2.2"),
		.lport = weir_be16(RIG_PORT),
		.rport = weir_be16(RIG_PEER),
	};
	r->irs = setup->irs != 0 ? setup->irs : 1000000;
	r->ts_val = 5000;
	r->read_pos = 1;
	r->write_pos = 1;
}

/* Our ISN is a clock plus a hash: set the clock so that it is what the test wants. */
static void
choose_iss(struct rig *r)
{
	if (r->setup.iss != 0) {
		const uint32_t gap = r->setup.iss - weir_tcp_isn(&r->tcp, &r->flow);

		r->now_us += (uint64_t)gap * 4;
		r->core.now_us = r->now_us;
	}
	r->iss = weir_tcp_isn(&r->tcp, &r->flow);
}

/* Turns */

static void
publish_conn(struct rig *r, struct weir_tcp_conn *c, unsigned int events)
{
	struct rte_mbuf *m;

	if (c->listener != NULL) {
		if (r->is_deaf)
			return;
		weir_tcp_own(c, &r->end);
		c->listener = NULL;
		r->n_accept++;
	}
	r->events |= events;
	while ((m = weir_pktq_pop(&c->rcv.rx)) != NULL)
		weir_pktq_add(&r->rx, m);
}

static void
publish(struct rig *r)
{
	struct weir_ready_item *item;

	while ((item = weir_ready_pop(&r->ready)) != NULL) {
		const unsigned int events = item->events;

		item->events = 0;
		publish_conn(r, container_of(item, struct weir_tcp_conn, ready), events);
	}
}

static void
end_turn(struct rig *r)
{
	publish(r);
	weir_tcp_flush(&r->tcp);
	if (!r->may_sleep)
		weir_tcp_conn_of(&r->tcp, &r->end);
	weir_eth_flush(&r->ifc);
	weir_ip_errors_done(&r->ip);
	weir_core_flush(&r->core);
}

void
rig_turn(struct rig *r, struct weir_vec *v)
{
	r->given += v->n;
	weir_tcp_input(&r->tcp, v);
	CU_ASSERT_EQUAL(v->n, 0);
	end_turn(r);
}

static void
empty_turn(struct rig *r)
{
	struct weir_vec none = {.n = 0};

	rig_turn(r, &none);
}

static void
run_timer(struct rig *r, struct weir_wheel_entry *due)
{
	if (due->kind == WEIR_TIMER_TCP)
		weir_tcp_timer(&r->tcp, container_of(due, struct weir_tcp_conn, timer));
	else if (due->kind == WEIR_TIMER_TCP_NAP)
		weir_tcp_nap_timer(&r->tcp, container_of(due, struct weir_tcp_nap, timer));
	else if (due->kind == WEIR_TIMER_TCP_REQ)
		weir_tcp_req_timer(&r->tcp, container_of(due, struct weir_tcp_req, timer));
	else if (due->kind == WEIR_TIMER_TCP_WAIT)
		weir_tcp_wait_timer(&r->tcp);
	else if (due->kind == WEIR_TIMER_IFACE)
		weir_iface_timer(container_of(due, struct weir_iface, timer));
}

void
rig_advance(struct rig *r, uint64_t us)
{
	const uint64_t until = r->now_us + us;
	struct weir_wheel_entry *due;
	uint64_t next;

	while ((next = weir_wheel_next_us(&r->wheel)) <= until) {
		r->now_us = RTE_MAX(next, r->now_us);
		r->core.now_us = r->now_us;
		while (weir_wheel_expire(&r->wheel, r->now_us, &due, 1) == 1) {
			run_timer(r, due);
		}
		end_turn(r);
	}
	r->ts_val += (uint32_t)(us / 1000);
	r->now_us = until;
	r->core.now_us = until;
	weir_wheel_expire(&r->wheel, until, &due, 0);
}

uint64_t
rig_next_timer_us(struct rig *r)
{
	const struct weir_tcp_req *req = weir_tcp_find_req(&r->tcp, &r->flow);
	const struct weir_tcp_wait *wait = weir_tcp_find_wait(&r->tcp, &r->flow);

	if (req != NULL)
		return req->timer.deadline_us;
	return wait != NULL ? wait->end_ms * RIG_MS : weir_tcp_next_us(r->conn);
}

enum weir_tcp_state
rig_state(struct rig *r)
{
	const struct weir_tcp_conn *c = weir_tcp_find(&r->tcp, &r->flow);

	if (c != NULL)
		return c->state;
	if (weir_tcp_find_req(&r->tcp, &r->flow) != NULL)
		return WEIR_TCP_SYN_RECEIVED;
	return weir_tcp_find_wait(&r->tcp, &r->flow) != NULL ? WEIR_TCP_TIME_WAIT : WEIR_TCP_CLOSED;
}

/* Segments in */

static uint16_t
ip_hlen(const struct rig *r)
{
	return r->setup.is_v6 ? 40 : 20;
}

/* Do segments of the connection carry timestamps? */
static bool
has_ts(struct rig *r)
{
	const struct weir_tcp_req *req = weir_tcp_find_req(&r->tcp, &r->flow);

	return req != NULL ? req->has_ts : r->conn != NULL && r->conn->has_ts;
}

static struct weir_tcp_hdr_info
hdr_of(struct rig *r, const struct rig_seg *s)
{
	const uint32_t wnd = s->wnd == 0 ? RIG_WND : s->wnd == RIG_WND_0 ? 0 : s->wnd;
	struct weir_tcp_hdr_info h = {
		.sport = weir_be16(s->sport != 0 ? s->sport : RIG_PEER),
		.dport = weir_be16(s->dport != 0 ? s->dport : RIG_PORT),
		.seq = r->irs + s->seq,
		.ack = (s->flags & ACK) ? r->iss + s->ack : 0,
		.wnd = (uint16_t)wnd,
		.flags = s->flags,
		.is_ae = s->is_ae,
		.opts = s->opts,
		.wscale = s->wscale,
		.mss = s->mss,
		.ts_val = s->ts_val != 0 ? s->ts_val : r->ts_val,
	};

	if (has_ts(r) && !s->no_ts)
		h.opts |= WEIR_TCP_OPT_TS;
	h.ts_ecr = s->ts_ecr != 0
			   ? s->ts_ecr
			   : (uint32_t)(r->now_us / 1000) + weir_tcp_ts_offset(&r->tcp, &r->flow);
	return h;
}

static void
add_sack(struct rig *r, const struct rig_seg *s, struct weir_tcp_hdr_info *h,
	struct weir_tcp_sack *blocks)
{
	while (h->n_sack < WEIR_TCP_SACK_BLOCKS && s->sack[h->n_sack].end != 0) {
		blocks[h->n_sack] = (struct weir_tcp_sack){
			r->iss + s->sack[h->n_sack].start, r->iss + s->sack[h->n_sack].end};
		h->n_sack++;
	}
	h->sack = blocks;
	if (h->n_sack > 0)
		h->opts |= WEIR_TCP_OPT_SACK;
}

void
rig_queue_seg(struct rig *r, struct weir_vec *v, const struct rig_seg *s)
{
	struct weir_tcp_sack blocks[WEIR_TCP_SACK_BLOCKS];
	struct weir_tcp_hdr_info h = hdr_of(r, s);
	struct rte_mbuf *m = rte_pktmbuf_alloc(r->input);
	struct weir_tcp_hdr *hdr;
	uint16_t hlen, l4_len;
	uint8_t *p;

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	add_sack(r, s, &h, blocks);
	hlen = (uint16_t)(s->raw != NULL ? WEIR_TCP_HLEN + (unsigned int)s->raw_len
					 : weir_tcp_build_len(&h));
	l4_len = (uint16_t)(hlen + s->len);
	p = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(ip_hlen(r) + l4_len));
	memset(p, 0, ip_hlen(r));
	p += ip_hlen(r);
	hdr = (struct weir_tcp_hdr *)p;
	weir_tcp_build(p, &h);
	if (s->raw != NULL) {
		memcpy(p + WEIR_TCP_HLEN, s->raw, s->raw_len);
		hdr->off = (uint8_t)(hlen / 4 << 4 | s->is_ae);
	}
	for (uint32_t i = 0; i < s->len; i++)
		p[hlen + i] = pattern(s->seq + i);
	hdr->cksum =
		weir_cksum_l4(m, ip_hlen(r), l4_len, &r->flow.raddr, &r->flow.laddr, IPPROTO_TCP);
	hdr->cksum ^= s->is_bad_cksum;
	*weir_pkt(m) = (struct weir_pkt){.l4_off = ip_hlen(r),
		.l4_len = l4_len,
		.proto = IPPROTO_TCP,
		.ttl = 64,
		.tos = s->tos,
		.flags = s->pkt_flags,
		.flow = {.laddr = r->flow.laddr, .raddr = r->flow.raddr}};
	weir_vec_add(v, s->split != 0 ? unit_split(r->input, m, s->split) : m);
}

void
rig_recv_seg(struct rig *r, const struct rig_seg *s)
{
	struct weir_vec v = {.n = 0};

	rig_queue_seg(r, &v, s);
	rig_turn(r, &v);
}

void
rig_icmp(struct rig *r, uint32_t seq, int error, bool is_hard, uint16_t mtu)
{
	r->ip.errors[r->ip.n_errors++] = (struct weir_icmp_error){
		.flow = r->flow,
		.proto = IPPROTO_TCP,
		.mtu = mtu,
		.error = error,
		.is_hard = is_hard,
		.tcp_seq = r->iss + seq,
	};
	weir_tcp_icmp_errors(&r->tcp);
	r->ip.n_errors = 0; /* there is no packet behind it */
	end_turn(r);
}

/* Segments out */

unsigned int
rig_pending(struct rig *r)
{
	return fake_port_sent(&r->port, 0);
}

unsigned int
rig_forget(struct rig *r)
{
	return fake_port_drain(&r->port);
}

struct rte_mbuf *
rig_take(struct rig *r)
{
	struct rte_mbuf *m = fake_port_take(&r->port, 0);

	if (m != NULL)
		rte_pktmbuf_adj(m, WEIR_ETH_HLEN);
	return m;
}

static bool
is_payload_ours(struct rte_mbuf *m, uint32_t off, uint32_t seq, uint32_t len)
{
	uint8_t byte;

	for (uint32_t i = 0; i < len; i++) {
		if (*(const uint8_t *)rte_pktmbuf_read(m, off + i, 1, &byte) != pattern(seq + i))
			return false;
	}
	return true;
}

static bool
is_cksum_right(struct rig *r, const struct rte_mbuf *m, uint32_t l4_len)
{
	return (m->ol_flags & RTE_MBUF_F_TX_L4_MASK) != 0 ||
	       (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0 ||
	       weir_cksum_l4_ok(m, ip_hlen(r), l4_len, &r->flow.laddr, &r->flow.raddr, IPPROTO_TCP);
}

static uint8_t
tos_of(const struct rte_mbuf *m)
{
	const uint8_t *ip = rte_pktmbuf_mtod(m, const uint8_t *);

	return ip[0] >> 4 == 4 ? ip[1] : (uint8_t)(ip[0] << 4 | ip[1] >> 4);
}

static bool
is_sack_as(struct rig *r, const uint8_t *hdr, const struct weir_tcp_seg *seg,
	const struct rig_seg *want)
{
	unsigned int n = 0;

	for (; n < WEIR_TCP_SACK_BLOCKS && want->sack[n].end != 0; n++) {
		const struct weir_tcp_sack b =
			n < seg->n_sack ? weir_tcp_sack_at(hdr, seg, n) : (struct weir_tcp_sack){0};

		if (b.start != r->irs + want->sack[n].start || b.end != r->irs + want->sack[n].end)
			return false;
	}
	return n == seg->n_sack || (n == 0 && want->opts == 0);
}

/* PSH at the end of a burst is no matter, unless it was asked for. */
static uint8_t
flags_of(const struct weir_tcp_seg *seg, const struct rig_seg *want)
{
	return seg->len > 0 && !want->is_unpushed && !(want->flags & PSH)
		       ? seg->flags & (uint8_t)~PSH
		       : seg->flags;
}

/* @return what differs, NULL: nothing */
static const char *
compare(struct rig *r, struct rte_mbuf *m, const struct rig_seg *want, char *got, size_t got_len)
{
	const uint32_t l4_len = m->pkt_len - ip_hlen(r);
	const uint32_t wnd = want->wnd == RIG_WND_0 ? 0 : want->wnd;
	uint8_t copy[WEIR_TCP_HLEN_MAX];
	struct weir_tcp_seg seg;
	const uint8_t *hdr = rte_pktmbuf_read(m, ip_hlen(r), RTE_MIN(l4_len, sizeof(copy)), copy);
	struct weir_tcp_sack first = {r->irs, r->irs};
	unsigned int hlen;

	hlen = weir_tcp_parse(hdr, (uint16_t)l4_len, &seg);
	if (seg.n_sack > 0)
		first = weir_tcp_sack_at(hdr, &seg, 0);
	snprintf(got, got_len, "flags %02x seq %d ack %d len %u wnd %u opts %x sack %u: %d-%d",
		seg.flags, (int)(seg.seq - r->iss), (int)(seg.ack - r->irs), seg.len, seg.wnd,
		seg.opts, seg.n_sack, (int)(first.start - r->irs), (int)(first.end - r->irs));
	if (hlen == 0)
		return "header";
	if (flags_of(&seg, want) != want->flags)
		return "flags";
	if (((const struct weir_tcp_hdr *)hdr)->off % 2 != want->is_ae)
		return "AE";
	if (seg.seq != r->iss + want->seq)
		return "seq";
	if (seg.ack != ((want->flags & ACK) ? r->irs + want->ack : 0))
		return "ack";
	if (seg.len != want->len)
		return "len";
	if ((want->tos != 0 && tos_of(m) != want->tos) || (want->is_not_ect && (tos_of(m) & 3)))
		return "tos";
	if (want->wnd != 0 && seg.wnd != wnd)
		return "wnd";
	if (want->opts != 0 && seg.opts != want->opts)
		return "opts";
	if (!is_sack_as(r, hdr, &seg, want))
		return "sack";
	if (want->mss != 0 && seg.mss != want->mss)
		return "mss";
	if (want->wscale != 0 && seg.wscale != want->wscale)
		return "wscale";
	if (want->ts_ecr != 0 && seg.ts_ecr != want->ts_ecr)
		return "ts_ecr";
	if (!is_payload_ours(m, ip_hlen(r) + hlen, want->seq, seg.len))
		return "payload";
	return is_cksum_right(r, m, l4_len) ? NULL : "checksum";
}

void
rig_sent_seg(struct rig *r, const struct rig_seg *want, const char *file, unsigned int line)
{
	struct rte_mbuf *m = rig_take(r);
	char got[128] = "nothing";
	char text[320];
	const char *differs = m == NULL ? "all" : compare(r, m, want, got, sizeof(got));

	snprintf(text, sizeof(text), "%s: want flags %02x seq %d ack %d len %u wnd %d, got %s",
		differs == NULL ? "" : differs, want->flags, (int)want->seq, (int)want->ack,
		want->len, (int)want->wnd, got);
	CU_assertImplementation(differs == NULL, line, text, file, "", CU_FALSE);
	rte_pktmbuf_free(m);
}

uint32_t
rig_sent_text(struct rig *r, uint32_t seq)
{
	struct rte_mbuf *m = rig_take(r);
	struct weir_tcp_seg got;
	struct rig_seg want;
	char text[128];

	if (m == NULL)
		return 0;
	weir_tcp_parse(rte_pktmbuf_mtod_offset(m, const uint8_t *, ip_hlen(r)),
		(uint16_t)(m->pkt_len - ip_hlen(r)), &got);
	want = (struct rig_seg){
		.flags = got.flags, .seq = seq, .ack = got.ack - r->irs, .len = got.len};
	CU_ASSERT_PTR_NULL(compare(r, m, &want, text, sizeof(text)));
	rte_pktmbuf_free(m);
	return got.len;
}

/* The application */

static struct rte_mbuf *
make_data(struct rig *r, uint32_t n)
{
	struct rte_mbuf *head = NULL;

	while (n > 0) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(r->input);
		const uint16_t piece = (uint16_t)RTE_MIN(n, 2000u);
		uint8_t *p;

		CU_ASSERT_PTR_NOT_NULL_FATAL(m);
		p = (uint8_t *)rte_pktmbuf_append(m, piece);
		for (uint16_t i = 0; i < piece; i++)
			p[i] = pattern(r->write_pos++);
		n -= piece;
		if (head == NULL)
			head = m;
		else
			CU_ASSERT_EQUAL_FATAL(rte_pktmbuf_chain(head, m), 0);
	}
	return head;
}

void
rig_write_parts(struct rig *r, uint32_t n, uint32_t max)
{
	while (n > 0) {
		const uint32_t part = RTE_MIN(n, max);

		CU_ASSERT_EQUAL(weir_tcp_send(&r->tcp, r->conn, make_data(r, part)), 0);
		n -= part;
	}
}

void
rig_write(struct rig *r, uint32_t n)
{
	rig_write_parts(r, n, n);
	empty_turn(r);
}

uint32_t
rig_read(struct rig *r)
{
	struct rte_mbuf *m;
	uint32_t n = 0;
	uint8_t byte;

	while ((m = weir_pktq_pop(&r->rx)) != NULL) {
		for (uint32_t i = 0; i < m->pkt_len; i++) {
			const uint8_t *p = rte_pktmbuf_read(m, i, 1, &byte);

			CU_ASSERT_EQUAL(*p, pattern(r->read_pos));
			r->read_pos++;
		}
		n += m->pkt_len;
		weir_tcp_credit(&r->tcp, r->conn, weir_mbuf_truesize(m));
		rte_pktmbuf_free(m);
	}
	empty_turn(r);
	return n;
}

/* To a state */

static void
recv_syn(struct rig *r, uint8_t flags)
{
	const struct rig_setup *s = &r->setup;

	if (s->use_ecn)
		flags |= (flags & ACK) ? ECE : ECE | CWR;
	rig_recv(r, .flags = flags, .seq = 0, .ack = 1, .wnd = s->wnd,
		.mss = s->mss != 0 ? s->mss : RIG_MSS, .wscale = 7,
		.opts = (uint8_t)(WEIR_TCP_OPT_MSS | (s->use_ts ? WEIR_TCP_OPT_TS : 0) |
				  (s->use_wscale ? WEIR_TCP_OPT_WSCALE : 0) |
				  (s->use_sack ? WEIR_TCP_OPT_SACK_OK : 0)));
}

static void
open_active(struct rig *r, bool is_answered)
{
	CU_ASSERT_EQUAL_FATAL(
		weir_tcp_connect(&r->tcp, &r->flow, &r->tcp.conf.opts, &r->end, &r->conn), 0);
	empty_turn(r);
	if (is_answered)
		recv_syn(r, SYN | ACK);
}

static void
open_passive(struct rig *r, bool is_answered)
{
	r->listener = (struct weir_tcp_listener){.laddr = r->flow.laddr,
		.lport = r->flow.lport,
		.is_v6 = r->setup.is_v6,
		.opts = r->tcp.conf.opts,
		.backlog = 8,
		.n_accept = &r->n_accept,
		.owner = r};
	weir_tcp_listen(&r->tcp, &r->listener);
	recv_syn(r, SYN);
	CU_ASSERT_PTR_NOT_NULL_FATAL(weir_tcp_find_req(&r->tcp, &r->flow));
	if (is_answered)
		rig_recv(r, .flags = ACK, .seq = 1, .ack = 1, .wnd = r->setup.wnd);
}

static void
leave_established(struct rig *r, enum weir_tcp_state state)
{
	const bool is_first = state == WEIR_TCP_FIN_WAIT_1 || state == WEIR_TCP_FIN_WAIT_2 ||
			      state == WEIR_TCP_CLOSING || state == WEIR_TCP_TIME_WAIT;

	if (is_first) {
		weir_tcp_shutdown(&r->tcp, r->conn);
		empty_turn(r);
		if (state == WEIR_TCP_FIN_WAIT_2 || state == WEIR_TCP_TIME_WAIT)
			rig_recv(r, .flags = ACK, .seq = 1, .ack = 2);
		if (state == WEIR_TCP_CLOSING)
			rig_recv(r, .flags = FIN | ACK, .seq = 1, .ack = 1);
		if (state == WEIR_TCP_TIME_WAIT)
			rig_recv(r, .flags = FIN | ACK, .seq = 1, .ack = 2);
		return;
	}
	rig_recv(r, .flags = FIN | ACK, .seq = 1, .ack = 1);
	if (state == WEIR_TCP_LAST_ACK) {
		weir_tcp_shutdown(&r->tcp, r->conn);
		empty_turn(r);
	}
}

void
rig_open_as(struct rig *r, enum weir_tcp_state state, const struct rig_setup *setup)
{
	const bool is_answered = state != WEIR_TCP_SYN_SENT && state != WEIR_TCP_SYN_RECEIVED;

	set_up(r, setup);
	choose_iss(r);
	if (setup->is_passive || state == WEIR_TCP_SYN_RECEIVED)
		open_passive(r, is_answered);
	else
		open_active(r, is_answered);
	if (state > WEIR_TCP_ESTABLISHED)
		leave_established(r, state);
	CU_ASSERT_EQUAL_FATAL(rig_state(r), state);
	rig_forget(r);
	r->events = 0;
}

void
rig_open(struct rig *r, enum weir_tcp_state state)
{
	rig_open_as(r, state, &(struct rig_setup){0});
}

void
rig_open_rtt(struct rig *r, uint64_t rtt_us, const struct rig_setup *setup)
{
	rig_open_as(r, WEIR_TCP_SYN_SENT, setup);
	rig_advance(r, rtt_us);
	recv_syn(r, SYN | ACK);
	CU_ASSERT_EQUAL_FATAL(rig_state(r), WEIR_TCP_ESTABLISHED);
	rig_forget(r);
	r->events = 0;
}

void
rig_close(struct rig *r)
{
	rig_sent_nothing(r);
	weir_pktq_free(&r->rx);
	weir_tcp_fini(&r->tcp);
	for (unsigned int i = 0; i < WEIR_TCP_STATES; i++)
		CU_ASSERT_EQUAL(r->tcp.n_state[i], 0);
	weir_ip_fini(&r->ip);
	weir_iface_fini(&r->ifc);
	fake_port_fini(&r->port);
	weir_core_flush(&r->core);
	unit_books_balance(&r->core, r->given);
	unit_pool_done(r->pool);
	unit_pool_done(r->input);
}
