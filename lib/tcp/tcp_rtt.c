/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_ack -> tcp_rtt. RFC 6298, with Linux's estimator of the variance. */
#include "tcp_loss_priv.h"

/* RFC 6298 2.3, but the variance term, not the whole, is at least the minimum, as in Linux. */
static void
set_rto(const struct weir_tcp *t, struct weir_tcp_conn *c)
{
	c->rto_us =
		RTE_MIN((c->act->srtt8_us >> 3) + c->act->var_us, weir_tcp_rto_max_us(t, &c->opts));
}

/* RFC 4861 7.3.1: forward progress. Once a second is often enough. */
static void
confirm_neighbour(const struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const uint32_t now_ms = (uint32_t)(t->core->now_us / 1000);

	if (now_ms - c->confirm_ms < 1000 || !weir_dst_is_fresh(t->ip, &c->dst))
		return;
	c->confirm_ms = now_ms;
	weir_neigh_confirm(c->dst.ifc, &c->dst.next_hop);
}

static void
first_sample(const struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t rtt_us)
{
	struct weir_tcp_act *act = c->act;

	act->srtt8_us = rtt_us << 3;
	act->mdev4_us = rtt_us << 1; /* so that the time-out is three round trips */
	act->var_us = RTE_MAX(act->mdev4_us, weir_tcp_rto_min_us(t, &c->opts));
	act->mdev_max_us = act->var_us;
	act->rtt_seq = c->snd.max;
}

/* What the deviation of a sample from the mean adds. A path that becomes faster is no reason to
 * wait longer: then only an eighth of the surprise counts. */
static int32_t
deviation(const struct weir_tcp_act *act, int32_t error)
{
	const int32_t surprise = abs(error) - (int32_t)(act->mdev4_us >> 2);

	return error < 0 && surprise > 0 ? surprise >> 3 : surprise;
}

/* The variance rises at once, and falls once a round trip, by a quarter of the way. */
static void
next_sample(const struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t rtt_us)
{
	struct weir_tcp_act *act = c->act;
	const int32_t error = (int32_t)(rtt_us - (act->srtt8_us >> 3));

	act->srtt8_us += (uint32_t)error;
	act->mdev4_us += (uint32_t)deviation(act, error);
	if (act->mdev4_us > act->mdev_max_us) {
		act->mdev_max_us = act->mdev4_us;
		act->var_us = RTE_MAX(act->var_us, act->mdev_max_us);
	}
	if (weir_seq_gt(c->snd.una, act->rtt_seq)) {
		if (act->mdev_max_us < act->var_us)
			act->var_us -= (act->var_us - act->mdev_max_us) >> 2;
		act->rtt_seq = c->snd.max;
		act->mdev_max_us = weir_tcp_rto_min_us(t, &c->opts);
	}
}

void
weir_tcp_rtt_sample(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t rtt_us)
{
	const uint32_t rtt = RTE_MIN(RTE_MAX(rtt_us, 1u), UINT32_C(1) << 27);

	if (c->act->srtt8_us == 0)
		first_sample(t, c, rtt);
	else
		next_sample(t, c, rtt);
	c->act->srtt8_us = RTE_MAX(c->act->srtt8_us, 1u);
	c->srtt_us = RTE_MAX(c->act->srtt8_us >> 3, 1u);
	c->rttvar_us = c->act->mdev4_us >> 2;
	set_rto(t, c);
	confirm_neighbour(t, c);
}

void
weir_tcp_min_rtt(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t rtt_us)
{
	struct weir_tcp_act *act = c->act;
	const uint64_t now_us = t->core->now_us;

	if (rtt_us <= act->min_rtt_us || act->min_rtt_us == 0 ||
		now_us - act->min_rtt_at_us > WEIR_TCP_MIN_RTT_US) {
		act->min_rtt_us = RTE_MAX(rtt_us, 1u);
		act->min_rtt_at_us = now_us;
	}
}

/* The ACK of a lone small segment may have been delayed: it is no new minimum after a while. */
static bool
may_be_delayed(const struct weir_tcp_conn *c, const struct weir_tcp_news *news)
{
	return news->acked_segs == 1 && news->prior_pipe == 1 && news->prior_sacked == 0 &&
	       c->snd.una - news->prior_una < c->mss && (news->flags & NEWS_ACKED);
}

/* Echoes serve where only what was sent again is acknowledged (RFC 7323 4.1, Karn). */
static uint32_t
rtt_of_echo(
	const struct weir_tcp *t, const struct weir_tcp_conn *c, const struct weir_tcp_news *news)
{
	const struct weir_tcp_seg *seg = news->seg;
	const uint32_t rtt_ms = weir_tcp_ts_now(t, c) - seg->ts_ecr;

	if (!(news->flags & NEWS_ACKED) || !c->has_ts || !(seg->opts & WEIR_TCP_OPT_TS) ||
		seg->ts_ecr == 0 || rtt_ms > weir_tcp_rto_max_us(t, &c->opts) / 1000)
		return 0;
	return RTE_MAX(rtt_ms, 1u) * 1000;
}

bool
weir_tcp_rtt_update(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_news *news)
{
	const uint64_t now_us = t->core->now_us;
	uint64_t first_us = 0, last_us = 0;
	uint32_t rtt_us;

	if (!(news->flags & NEWS_REXMIT_ACKED)) {
		first_us = news->first_acked_us;
		last_us = news->last_acked_us;
	}
	if (news->first_sacked_us != 0) {
		first_us = first_us != 0 ? first_us : news->first_sacked_us;
		last_us = news->last_sacked_us;
	}
	if (first_us != 0) {
		rtt_us = RTE_MAX((uint32_t)(now_us - first_us), 1u);
		news->rtt_us = RTE_MAX((uint32_t)(now_us - last_us), 1u);
	} else {
		rtt_us = news->rtt_us = rtt_of_echo(t, c, news);
	}
	if (rtt_us == 0)
		return false;
	if (!may_be_delayed(c, news) || news->rtt_us <= c->act->min_rtt_us)
		weir_tcp_min_rtt(t, c, news->rtt_us);
	weir_tcp_rtt_sample(t, c, rtt_us);
	return true;
}
