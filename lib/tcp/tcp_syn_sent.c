/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_input -> tcp_syn_sent -> sock_publish. And what both kinds of open share. */
#include "tcp_mtu_probe.h"
#include "tcp_priv.h"

#include <stddef.h>

uint32_t
weir_tcp_ts_offset(const struct weir_tcp *t, const struct weir_flow *flow)
{
	return (uint32_t)(weir_siphash(t->core->secret, flow, offsetof(struct weir_flow, lport)) >>
			  32);
}

uint8_t
weir_tcp_wscale_for(const struct weir_tcp *t, const struct weir_tcp_opts *opts)
{
	const uint32_t rcvbuf =
		opts->is_rcvbuf_fixed ? opts->rcvbuf : RTE_MAX(opts->rcvbuf, t->rcvbuf_max);
	uint8_t shift = 0;

	while (shift < t->conf.wscale_max && shift < WEIR_TCP_WSCALE_MAX &&
		(rcvbuf / 2) >> shift > UINT16_MAX)
		shift++;
	return shift;
}

int
weir_tcp_start(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t iss)
{
	const int ifindex = weir_tcp_opts_iface(&c->opts);
	const int err = weir_ip_route_again(t->ip, &c->flow.raddr, ifindex, &c->dst);

	if (err < 0)
		return err;
	c->iss = iss;
	c->snd.una = iss;
	c->snd.nxt = iss;
	c->snd.max = iss;
	c->snd.end = iss + 1;
	c->act->sml = iss;
	c->act->high_seq = iss;
	c->act->usage_seq = iss;
	c->snd.peer_mss = weir_tcp_is_v4(c) ? WEIR_TCP_MSS_IP4 : WEIR_TCP_MSS_IP6;
	c->rcv.wscale = t->conf.use_wscale ? weir_tcp_wscale_for(t, &c->opts) : 0;
	c->rcv.quick_acks = WEIR_TCP_QUICK_ACKS;
	c->is_interactive = weir_tcp_is_ack_lazy(&c->opts);
	weir_tcp_update_mss(c);
	return 0;
}

void
weir_tcp_take_syn(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_seg *seg)
{
	const uint8_t opts = seg->opts;

	c->irs = seg->seq;
	c->rcv.nxt = seg->seq + 1;
	c->rcv.adv = c->rcv.nxt + (c->is_active ? weir_tcp_syn_window(&c->opts) : 0);
	c->last_ack_sent = c->rcv.nxt;
	c->heard_us = t->core->now_us;
	c->act->acks_in++;
	c->has_wscale = t->conf.use_wscale && (opts & WEIR_TCP_OPT_WSCALE);
	c->has_ts = t->conf.use_timestamps && (opts & WEIR_TCP_OPT_TS) &&
		    !(c->is_active && weir_tcp_auth_is_md5(c)); /* its SYN did not offer them */
	c->has_sack = t->conf.use_sack && (opts & WEIR_TCP_OPT_SACK_OK);
	c->snd.wscale = c->has_wscale ? seg->wscale : 0;
	if (!c->has_wscale)
		c->rcv.wscale = 0; /* RFC 7323 2.2: both or neither */
	if (c->has_ts)
		c->ts_recent = seg->ts_val;
	if (opts & WEIR_TCP_OPT_MSS)
		c->snd.peer_mss = seg->mss;
	c->snd.peer_mss = weir_tcp_clamp_mss(&c->dst, c->snd.peer_mss);
	if (c->opts.maxseg != 0) /* later it has no effect, as in Linux */
		c->snd.peer_mss = RTE_MIN(c->snd.peer_mss, c->opts.maxseg);
	c->snd.wnd = seg->wnd; /* RFC 7323 2.2: the window of a SYN is not scaled */
	c->wnd_max = c->snd.wnd;
	c->snd.wl1 = seg->seq;
	weir_tcp_update_mss(c);
	c->rcv.mss = RTE_MIN(weir_tcp_local_mss(c), (uint16_t)WEIR_TCP_MSS_IP4);
}

void
weir_tcp_tell_accept(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_tcp_listener *l = c->listener;

	if (l->ready_turn != t->turn) {
		l->ready_turn = t->turn;
		l->n_ready = 0;
	}
	l->n_ready++;
	t->stats.accepted++;
	weir_ready_add(t->ready, &c->ready, WEIR_READY_ACCEPT);
}

static void
tell_established(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (c->is_fastopen) { /* it was told before */
		c->is_fastopen = false;
		t->n_fastopen--;
	} else if (c->listener != NULL) {
		weir_tcp_tell_accept(t, c);
	} else {
		weir_ready_add(t->ready, &c->ready, WEIR_READY_CONNECT | WEIR_READY_WRITE);
	}
}

/* The SYN's own round trip, by itself or by its echo; 0: neither. */
static uint32_t
syn_rtt_us(const struct weir_tcp *t, const struct weir_tcp_conn *c, const struct weir_tcp_seg *seg)
{
	const uint32_t echo_ms = weir_tcp_ts_now(t, c) - seg->ts_ecr;

	if (c->is_timing)
		return RTE_MAX((uint32_t)(t->core->now_us - c->sent_us), 1u);
	if (c->has_ts && (seg->opts & WEIR_TCP_OPT_TS) && seg->ts_ecr != 0 &&
		echo_ms < weir_tcp_rto_max_us(t, &c->opts) / 1000)
		return RTE_MAX(echo_ms, 1u) * 1000;
	return 0;
}

/* RFC 6298 5.7 where it had to be sent again and nothing timed it. */
static void
time_syn(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_seg *seg)
{
	const uint32_t rtt_us = syn_rtt_us(t, c, seg);

	if (rtt_us != 0) {
		weir_tcp_min_rtt(t, c, rtt_us);
		weir_tcp_rtt_sample(t, c, rtt_us);
	} else if (c->retries > 0) {
		c->rto_us = RTE_MAX(t->conf.rto_initial_us, (uint32_t)WEIR_TCP_RTO_NO_SAMPLE);
	}
	c->is_timing = false;
}

void
weir_tcp_begin_sending(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const bool is_syn_lost = c->retries > 1; /* RFC 6928 2 lets one loss pass */

	if (unlikely(t->conf.mtu_probing == WEIR_TCP_MTU_ALWAYS))
		weir_tcp_mtu_begin(t, c);
	c->act->cwnd_us = t->core->now_us;
	c->cc.cwnd = is_syn_lost ? c->mss : weir_tcp_initial_cwnd(t, c);
	c->cc.ssthresh = UINT32_MAX;
	c->cc.ops->init(t, c);
}

/* The sequence numbers of our SYN, and of text that went with it, are acknowledged by seg. */
static void
take_syn_acked(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_seg *seg)
{
	c->snd.una = seg->ack;
	c->snd.nxt = seg->ack;
	c->snd.max = seg->ack; /* text that went and was not taken is sent as if it were new */
	c->snd.wl1 = seg->seq;
	if (likely(c->fo == 0))
		return;
	c->act->bytes_rexmit = c->act->bytes_sent - (seg->ack - c->iss - 1);
	weir_tcp_sndq_release(t, c, seg->ack);
}

/* Text sent before the final ACK is left to the ACK's own step: for which it must be news. */
static void
take_final_ack(struct weir_tcp_conn *c, const struct weir_tcp_seg *seg)
{
	c->snd.una = c->iss + 1;
	c->snd.nxt = c->snd.max;
	c->snd.wl1 = seg->seq - 1;
}

void
weir_tcp_establish(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_seg *seg)
{
	time_syn(t, c, seg);
	if (unlikely(c->is_fastopen))
		take_final_ack(c, seg);
	else
		take_syn_acked(t, c, seg);
	c->snd.wnd = (seg->flags & WEIR_TCP_SYN) ? seg->wnd : (uint32_t)seg->wnd << c->snd.wscale;
	c->wnd_max = RTE_MAX(c->wnd_max, c->snd.wnd);
	if (likely(!c->is_fastopen))
		weir_tcp_begin_sending(t, c);
	c->retries = 0;
	c->retrans_since_us = 0;
	c->rexmit_at = 0;
	c->sent_us = t->core->now_us; /* no idle time yet */
	weir_tcp_buf_start(t, c);
	weir_tcp_set_state(t, c, WEIR_TCP_ESTABLISHED);
	if (unlikely(c->act->out_segs > 0))
		weir_tcp_rearm_rto(t, c);
	weir_tcp_timer_keep(t, c);
	tell_established(t, c);
	if (c->is_fin_queued)
		weir_tcp_set_state(t, c, WEIR_TCP_FIN_WAIT_1);
	weir_tcp_want_output(t, c);
}

/* First: the ACK. SEG_GOES_ON with an ACK that acknowledges our SYN, or with none. */
static enum weir_tcp_verdict
check_ack(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_rx *rx)
{
	const struct weir_tcp_seg *seg = &rx->seg;

	if (!(seg->flags & WEIR_TCP_ACK))
		return SEG_GOES_ON;
	if (weir_seq_gt(seg->ack, c->iss) && weir_seq_leq(seg->ack, c->snd.max))
		return SEG_GOES_ON;
	if (!(seg->flags & WEIR_TCP_RST))
		weir_tcp_send_rst_at(t, c, seg->ack);
	return weir_tcp_done(rx, WEIR_FATE_drop_tcp_ack);
}

/* Second: RST, which must have acknowledged our SYN (third, security, is not used). */
static enum weir_tcp_verdict
check_rst(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_rx *rx)
{
	if (!(rx->seg.flags & WEIR_TCP_RST))
		return SEG_GOES_ON;
	if (!(rx->seg.flags & WEIR_TCP_ACK))
		return weir_tcp_done(rx, WEIR_FATE_drop_tcp_no_ack);
	weir_tcp_reset_by_peer(t, c);
	return SEG_DONE;
}

/* A writer waits for the connection, or TCP_QUICKACK is off: what is sent at once acknowledges as
 * well, as on Linux. */
static void
acknowledge_syn(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const bool is_waited = (c->fo & WEIR_TCP_TFO_MORE) || c->is_interactive;

	if (likely(!is_waited) || weir_tcp_delack_us(t, &c->opts) == 0) {
		weir_tcp_ack_now(t, c);
		return;
	}
	c->ack_delayed = true;
	weir_tcp_timer_set(t, c, &c->delack_at, t->core->now_us + weir_tcp_delack_us(t, &c->opts));
}

void
weir_tcp_syn_sent_input(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_rx *rx)
{
	struct weir_tcp_seg *seg = &rx->seg;

	if (check_ack(t, c, rx) == SEG_DONE || check_rst(t, c, rx) == SEG_DONE)
		return;
	if (!(seg->flags & WEIR_TCP_SYN)) {
		rx->fate = (seg->flags & WEIR_TCP_ACK) ? WEIR_FATE_drop_tcp_flags
						       : WEIR_FATE_drop_tcp_no_ack;
		return;
	}
	weir_tcp_take_syn(t, c, seg);
	weir_tcp_ecn_take_answer(t, c, rx);
	if (unlikely(c->fo != 0))
		weir_tcp_fastopen_answer(t, c, rx);
	if (!(seg->flags & WEIR_TCP_ACK)) { /* simultaneous open: answer with SYN, ACK */
		weir_tcp_set_state(t, c, WEIR_TCP_SYN_RECEIVED);
		c->snd.nxt = c->iss;
		c->is_timing = false;
		weir_tcp_want_output(t, c);
		return;
	}
	weir_tcp_establish(t, c, seg);
	acknowledge_syn(t, c);
	seg->seq++;
	seg->flags &= (uint8_t)~WEIR_TCP_SYN;
	weir_tcp_sync_text(t, c, rx);
}
