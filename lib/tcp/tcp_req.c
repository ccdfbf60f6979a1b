/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path: tcp_listen, tcp_input -> tcp_req -> tcp_reply; tcp_req -> tcp_sync. SYN_RECEIVED of a
 * passive open: a small record answers the SYN; the connection is made when the final ACK comes.
 */
#include "tcp_priv.h"

static uint32_t
ts_now(const struct weir_tcp *t, const struct weir_tcp_req *req)
{
	const uint32_t now_ms = (uint32_t)(t->core->now_us / 1000);

	return (req->is_cookie ? weir_tcp_cookie_ts(req, now_ms) : now_ms) +
	       weir_tcp_ts_offset(t, &req->flow);
}

/* What every segment of req has; its way back in dst. @return false: there is none */
static bool
begin(struct weir_tcp *t, const struct weir_tcp_req *req, struct weir_tcp_hdr_info *h,
	struct weir_dst *dst)
{
	*h = (struct weir_tcp_hdr_info){
		.seq = req->iss,
		.ack = req->irs + 1,
		.flags = WEIR_TCP_ACK,
		.opts = req->has_ts ? WEIR_TCP_OPT_TS : 0,
		.ts_val = req->has_ts ? ts_now(t, req) : 0,
		.ts_ecr = req->ts_recent,
	};
	if (unlikely(req->listener->keys != NULL) && !weir_tcp_auth_fill_req(t, req, h))
		return false;
	return weir_tcp_reply_route(t, &req->flow, req->ifindex, &req->listener->opts, dst);
}

static const struct weir_tcp_cc_ops *
cc_of(const struct weir_tcp_req *req)
{
	return weir_tcp_cc_at(req->listener->opts.cc);
}

void
weir_tcp_req_send_syn_ack(
	struct weir_tcp *t, const struct weir_tcp_req *req, const struct weir_tcp_fo *fo)
{
	struct weir_tcp_opts opts = req->listener->opts;
	struct weir_tcp_hdr_info h;
	struct weir_dst dst;

	if (!begin(t, req, &h, &dst))
		return;
	opts.tos &= (uint8_t)~WEIR_IP_ECN_MASK;
	opts.tos |= weir_tcp_ecn_mark_syn_ack(req, cc_of(req), &h);
	h.flags |= WEIR_TCP_SYN;
	h.opts |= WEIR_TCP_OPT_MSS;
	h.mss = weir_tcp_offered_mss(&req->flow, &dst, &opts);
	h.wscale = req->rcv_wscale;
	h.wnd = (uint16_t)weir_tcp_syn_window(&opts);
	if (req->has_wscale)
		h.opts |= WEIR_TCP_OPT_WSCALE;
	if (req->has_sack)
		h.opts |= WEIR_TCP_OPT_SACK_OK;
	if (fo != NULL && h.auth == NULL) { /* there is no room for both */
		h.opts |= WEIR_TCP_OPT_FASTOPEN;
		h.fo = fo;
	}
	if (unlikely(req->ecn >= WEIR_TCP_REQ_ECN_ACCURATE) && req->rexmits == 0)
		weir_tcp_accecn_fill_syn_ack(t, &h);
	weir_tcp_reply(t, &req->flow, &dst, &opts, &h);
}

/* Answer what is not acceptable by what would be. */
static void
send_ack(struct weir_tcp *t, const struct weir_tcp_req *req)
{
	const struct weir_tcp_opts *opts = &req->listener->opts;
	struct weir_tcp_hdr_info h;
	struct weir_dst dst;

	if (!begin(t, req, &h, &dst))
		return;
	h.seq = req->iss + 1;
	h.wnd = (uint16_t)(weir_tcp_syn_window(opts) >> req->rcv_wscale);
	weir_tcp_reply(t, &req->flow, &dst, opts, &h);
}

static void
resend_syn_ack(struct weir_tcp *t, struct weir_tcp_req *req)
{
	if (req->rexmits < UINT8_MAX)
		req->rexmits++;
	t->stats.rexmit_segs++;
	weir_tcp_req_send_syn_ack(t, req, NULL);
}

/* Time-outs double; a lost answer to a repeated SYN starts the present one again. */
static void
arm(struct weir_tcp *t, struct weir_tcp_req *req)
{
	const uint64_t wait_us = (uint64_t)t->conf.rto_initial_us << RTE_MIN(req->retries, 16);

	weir_wheel_arm(t->core->wheel, &req->timer,
		t->core->now_us +
			RTE_MIN(wait_us, (uint64_t)weir_tcp_rto_max_us(t, &req->listener->opts)));
}

static void
take_options(const struct weir_tcp *t, struct weir_tcp_req *req, const struct weir_tcp_seg *seg)
{
	req->has_ts = t->conf.use_timestamps && (seg->opts & WEIR_TCP_OPT_TS);
	req->has_wscale = t->conf.use_wscale && (seg->opts & WEIR_TCP_OPT_WSCALE);
	req->has_sack = t->conf.use_sack && (seg->opts & WEIR_TCP_OPT_SACK_OK);
	if (req->has_sack && weir_tcp_md5_find(req->listener->keys, &req->flow.raddr) != NULL)
		req->has_ts = false; /* a signature, timestamps and SACK blocks do not fit */
	req->ts_recent = req->has_ts ? seg->ts_val : 0;
	req->snd_wscale = req->has_wscale ? seg->wscale : 0;
	req->rcv_wscale = req->has_wscale ? weir_tcp_wscale_for(t, &req->listener->opts) : 0;
}

void
weir_tcp_req_fill(const struct weir_tcp *t, struct weir_tcp_req *req, struct weir_tcp_listener *l,
	const struct weir_tcp_rx *rx)
{
	const struct weir_pkt *p = weir_pkt(rx->m);
	const struct weir_tcp_seg *seg = &rx->seg;

	*req = (struct weir_tcp_req){
		.flow = p->flow,
		.irs = seg->seq,
		.mss = seg->mss,
		.wnd = seg->wnd,
		.sent_us = (uint32_t)t->core->now_us,
		.ifindex = p->ifindex,
		.listener = l,
	};
	take_options(t, req, seg);
	if (unlikely(seg->auth_off != 0))
		weir_tcp_ao_ids(rx, &req->ao_key_id, &req->ao_rnext_id);
	req->ecn = weir_tcp_ecn_accepts(t, cc_of(req), rx) & 7;
}

static void
enter(struct weir_tcp *t, struct weir_tcp_req *req)
{
	weir_wheel_entry_init(&req->timer, WEIR_TIMER_TCP_REQ);
	/* The table has room for all that the slabs hold. */
	weir_table_add(&t->table, weir_tcp_hash(t, &req->flow),
		weir_slab_index(&t->reqs, req) | WEIR_TCP_REF_REQ);
	LIST_INSERT_HEAD(&req->listener->reqs, req, link);
	req->listener->n_syn++;
	t->n_state[WEIR_TCP_SYN_RECEIVED]++;
	t->stats.passive_opens++;
}

static void
free_req(struct weir_tcp *t, struct weir_tcp_req *req)
{
	weir_wheel_cancel(t->core->wheel, &req->timer);
	weir_table_del(&t->table, weir_tcp_hash(t, &req->flow),
		weir_slab_index(&t->reqs, req) | WEIR_TCP_REF_REQ);
	LIST_REMOVE(req, link);
	req->listener->n_syn--;
	t->n_state[WEIR_TCP_SYN_RECEIVED]--;
	req->listener = NULL;
	if (unlikely(t->syns != NULL))
		rte_pktmbuf_free(weir_tcp_take_kept_syn(t, req));
	weir_slab_put(&t->reqs, req);
}

void
weir_tcp_req_drop(struct weir_tcp *t, struct weir_tcp_req *req)
{
	t->stats.open_failed++;
	free_req(t, req);
}

void
weir_tcp_req_fini(struct weir_tcp *t)
{
	for (uint32_t i = 0; i < t->reqs.fresh; i++) {
		struct weir_tcp_req *req = weir_tcp_req_at(t, i);

		if (req->listener == NULL)
			continue;
		weir_wheel_cancel(t->core->wheel, &req->timer);
		t->n_state[WEIR_TCP_SYN_RECEIVED]--;
	}
}

bool
weir_tcp_req_open(struct weir_tcp *t, struct weir_tcp_listener *l, const struct weir_tcp_rx *rx,
	uint32_t iss, const struct weir_tcp_fo *fo)
{
	struct weir_tcp_req *req = weir_slab_get(&t->reqs);

	if (req == NULL)
		return false;
	weir_tcp_req_fill(t, req, l, rx);
	req->iss = iss;
	if (unlikely(l->opts.save_syn != WEIR_TCP_SAVE_SYN_NO))
		weir_tcp_keep_syn(t, req, rx);
	enter(t, req);
	weir_tcp_req_send_syn_ack(t, req, fo);
	arm(t, req);
	return true;
}

/* A final ACK that waits for data: no SYN,ACK until the last time-out before it counts. */
static bool
is_deferred(const struct weir_tcp_req *req)
{
	const uint8_t defer = req->listener->opts.defer_accept;

	return defer != 0 && req->is_acked && req->retries + 1 < defer;
}

static bool
has_waited_enough(const struct weir_tcp *t, const struct weir_tcp_req *req)
{
	return req->retries >= t->conf.synack_retries &&
	       (!req->is_acked || req->retries >= req->listener->opts.defer_accept);
}

void
weir_tcp_req_timer(struct weir_tcp *t, struct weir_tcp_req *req)
{
	if (has_waited_enough(t, req)) {
		t->stats.timeouts++;
		weir_tcp_req_drop(t, req);
		return;
	}
	if (!is_deferred(req)) {
		t->stats.rto_fired++;
		resend_syn_ack(t, req);
	}
	req->retries++;
	arm(t, req);
}

/* The SYN as it was: what the connection learns from it. */
static struct weir_tcp_seg
syn_of(const struct weir_tcp_req *req)
{
	unsigned int opts = 0;

	opts |= req->mss != 0 ? WEIR_TCP_OPT_MSS : 0;
	opts |= req->has_ts ? WEIR_TCP_OPT_TS : 0;
	opts |= req->has_wscale ? WEIR_TCP_OPT_WSCALE : 0;
	opts |= req->has_sack ? WEIR_TCP_OPT_SACK_OK : 0;
	return (struct weir_tcp_seg){
		.seq = req->irs,
		.ts_val = req->ts_recent,
		.wnd = req->wnd,
		.mss = req->mss,
		.flags = WEIR_TCP_SYN,
		.opts = (uint8_t)opts,
		.wscale = req->snd_wscale,
	};
}

/* The keys that peer has with the listener; in use are those that the SYN named. */
static int
adopt_keys(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_req *req)
{
	const int rc = weir_tcp_keys_adopt(t, c, req->listener->keys);

	if (rc == 0 && unlikely(c->act->keys != NULL)) {
		c->act->keys->ao.current = req->ao_rnext_id;
		c->act->keys->ao.rnext = req->ao_key_id;
	}
	return rc;
}

struct weir_tcp_conn *
weir_tcp_req_conn(struct weir_tcp *t, const struct weir_tcp_req *req)
{
	const struct weir_tcp_seg syn = syn_of(req);
	struct weir_tcp_conn *c = weir_tcp_conn_new(t, &req->flow, &req->listener->opts);

	if (c == NULL)
		return NULL;
	if (weir_addr_is_link_local(&c->flow.raddr)) /* which is another host on each link */
		c->opts.ifindex_plus1 = (uint8_t)(req->ifindex + 1);
	if (adopt_keys(t, c, req) < 0 || weir_tcp_start(t, c, req->iss) < 0) {
		weir_tcp_discard(t, c);
		return NULL;
	}
	c->listener = req->listener;
	c->rcv.wscale = req->rcv_wscale;
	c->has_ecn = req->ecn != WEIR_TCP_REQ_ECN_NO;
	weir_tcp_set_state(t, c, WEIR_TCP_SYN_RECEIVED);
	weir_tcp_take_syn(t, c, &syn);
	c->rcv.adv = c->rcv.nxt + weir_tcp_syn_window(&c->opts);
	c->snd.nxt = c->iss + 1;
	c->snd.max = c->snd.nxt;
	c->is_timing = req->rexmits == 0 && !req->is_cookie;
	c->sent_us = t->core->now_us - (uint32_t)(t->core->now_us - req->sent_us);
	c->retries = req->rexmits;
	c->rexmits = req->rexmits;
	c->ready.n_in = 2; /* the SYN, and what leads to c now */
	return c;
}

/* The final ACK: a connection from here on. NULL and rx->fate when it can't be had now. */
static struct weir_tcp_conn *
try_conn(struct weir_tcp *t, const struct weir_tcp_req *req, struct weir_tcp_rx *rx)
{
	struct weir_tcp_conn *c;

	if (!weir_tcp_may_accept(t, req->listener)) {
		t->stats.listen_overflow++;
		rx->fate = WEIR_FATE_drop_tcp_backlog;
		return NULL;
	}
	c = weir_tcp_req_conn(t, req);
	rx->fate = c != NULL ? WEIR_FATE_tcp_taken : WEIR_FATE_drop_no_memory;
	return c;
}

static void
hand_syn(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_req *req)
{
	struct rte_mbuf *m = likely(t->syns == NULL) ? NULL : weir_tcp_take_kept_syn(t, req);

	if (m != NULL)
		weir_tcp_note_add(t, c, m);
}

static void
establish(struct weir_tcp *t, struct weir_tcp_req *req, struct weir_tcp_rx *rx)
{
	struct weir_tcp_conn *c = try_conn(t, req, rx);

	if (c == NULL) { /* the SYN,ACK will be sent again, and answered again */
		req->is_acked = true;
		return;
	}
	weir_tcp_ecn_accepted(t, c, req, rx);
	hand_syn(t, c, req);
	free_req(t, req);
	weir_tcp_sync_input(t, c, rx);
}

void
weir_tcp_req_revive(struct weir_tcp *t, struct weir_tcp_req *req, struct weir_tcp_rx *rx)
{
	struct weir_tcp_conn *c = try_conn(t, req, rx);

	if (c == NULL)
		return;
	t->stats.passive_opens++;
	weir_tcp_ecn_accepted(t, c, req, rx);
	weir_tcp_sync_input(t, c, rx);
}

static bool
is_in_window(const struct weir_tcp_req *req, const struct weir_tcp_seg *seg)
{
	const uint32_t left = req->irs + 1;
	const uint32_t right = left + weir_tcp_syn_window(&req->listener->opts);
	const uint32_t end = seg->seq + weir_tcp_seg_space(seg);

	if (seg->seq == left)
		return true;
	return weir_seq_gt(end, left) && weir_seq_lt(seg->seq, right);
}

static bool
is_old_by_timestamp(const struct weir_tcp_req *req, const struct weir_tcp_seg *seg)
{
	return req->has_ts && (seg->opts & WEIR_TCP_OPT_TS) && !(seg->flags & WEIR_TCP_RST) &&
	       weir_seq_lt(seg->ts_val, req->ts_recent);
}

/* The SYN again: its answer was lost, unless this comes too soon. */
static enum weir_tcp_verdict
check_repeated_syn(struct weir_tcp *t, struct weir_tcp_req *req, struct weir_tcp_rx *rx)
{
	const uint8_t flags = rx->seg.flags & (WEIR_TCP_SYN | WEIR_TCP_ACK | WEIR_TCP_RST);

	if (flags != WEIR_TCP_SYN || rx->seg.seq != req->irs || is_old_by_timestamp(req, &rx->seg))
		return SEG_GOES_ON;
	if (weir_tcp_may_answer(t, &req->answered_ms)) {
		resend_syn_ack(t, req);
		arm(t, req);
	}
	return weir_tcp_done(rx, WEIR_FATE_drop_tcp_duplicate);
}

/* RFC 9293 3.10.7.4, fifth, brought forward: what acknowledges another SYN is not ours. */
static enum weir_tcp_verdict
check_ack(struct weir_tcp *t, const struct weir_tcp_req *req, struct weir_tcp_rx *rx)
{
	if (!(rx->seg.flags & WEIR_TCP_ACK) || rx->seg.ack == req->iss + 1)
		return SEG_GOES_ON;
	if (!(rx->seg.flags & WEIR_TCP_RST))
		weir_tcp_answer_rst(t, rx);
	return weir_tcp_done(rx, WEIR_FATE_drop_tcp_ack);
}

static enum weir_tcp_verdict
check_sequence(struct weir_tcp *t, struct weir_tcp_req *req, struct weir_tcp_rx *rx)
{
	const bool is_old = is_old_by_timestamp(req, &rx->seg);

	if (!is_old && is_in_window(req, &rx->seg))
		return SEG_GOES_ON;
	if (!(rx->seg.flags & WEIR_TCP_RST) && weir_tcp_may_answer(t, &req->answered_ms))
		send_ack(t, req);
	return weir_tcp_done(rx, is_old ? WEIR_FATE_drop_tcp_paws : WEIR_FATE_drop_tcp_seq);
}

/* RFC 9293 3.10.7.4, second and fourth: RST (RFC 5961 3.2) and SYN lead back to LISTEN. */
static enum weir_tcp_verdict
check_rst_and_syn(struct weir_tcp *t, struct weir_tcp_req *req, struct weir_tcp_rx *rx)
{
	const struct weir_tcp_seg *seg = &rx->seg;

	if (seg->flags & WEIR_TCP_RST) {
		if (seg->seq != req->irs + 1) {
			if (weir_tcp_may_answer(t, &req->answered_ms)) {
				t->stats.challenge_acks++;
				send_ack(t, req);
			}
			return weir_tcp_done(rx, WEIR_FATE_drop_tcp_seq);
		}
		t->stats.rst_received++;
		weir_tcp_req_drop(t, req);
		return SEG_DONE;
	}
	if ((seg->flags & WEIR_TCP_SYN) && seg->seq != req->irs) {
		weir_tcp_answer_rst(t, rx);
		weir_tcp_req_drop(t, req);
		return weir_tcp_done(rx, WEIR_FATE_drop_tcp_flags);
	}
	return SEG_GOES_ON;
}

void
weir_tcp_req_input(struct weir_tcp *t, struct weir_tcp_req *req, struct weir_tcp_rx *rx)
{
	struct weir_tcp_seg *seg = &rx->seg;

	if (check_repeated_syn(t, req, rx) == SEG_DONE || check_ack(t, req, rx) == SEG_DONE ||
		check_sequence(t, req, rx) == SEG_DONE || check_rst_and_syn(t, req, rx) == SEG_DONE)
		return;
	if (!(seg->flags & WEIR_TCP_ACK)) {
		rx->fate = WEIR_FATE_drop_tcp_no_ack;
		return;
	}
	if (req->has_ts && (seg->opts & WEIR_TCP_OPT_TS) && weir_seq_leq(seg->seq, req->irs + 1))
		req->ts_recent = seg->ts_val;
	if (seg->flags & WEIR_TCP_SYN) { /* left of the window; what follows it counts */
		seg->flags &= (uint8_t)~WEIR_TCP_SYN;
		seg->seq++;
	}
	if (weir_tcp_seg_space(seg) == 0 && req->retries < req->listener->opts.defer_accept) {
		req->is_acked = true; /* only data makes the connection known to the application */
		return;
	}
	establish(t, req, rx);
}

/* RFC 5927 4: the quoted SYN,ACK must be ours. */
void
weir_tcp_req_error(struct weir_tcp *t, struct weir_tcp_req *req, const struct weir_icmp_error *e)
{
	if (e->tcp_seq == req->iss && e->is_hard)
		weir_tcp_req_drop(t, req);
}
