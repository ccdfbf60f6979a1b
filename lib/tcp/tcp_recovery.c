/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path: tcp_ack, tcp_timer -> tcp_recovery -> tcp_output. The states of loss recovery, as Linux has
 * them: RFC 5681 3.2, RFC 6675 5, RFC 6582 3.2.
 */
#include "tcp_loss_priv.h"
#include "tcp_mtu_probe.h"

#define RENEGED_US 10000u

static const char *const names[WEIR_TCP_CA_STATES] = {
	[WEIR_TCP_CA_OPEN] = "Open",
	[WEIR_TCP_CA_DISORDER] = "Disorder",
	[WEIR_TCP_CA_CWR] = "CWR",
	[WEIR_TCP_CA_RECOVERY] = "Recovery",
	[WEIR_TCP_CA_LOSS] = "Loss",
};

const char *
weir_tcp_ca_name(enum weir_tcp_ca ca)
{
	return ca < WEIR_TCP_CA_STATES ? names[ca] : "?";
}

void
weir_tcp_set_ca(struct weir_tcp *t, struct weir_tcp_conn *c, enum weir_tcp_ca ca)
{
	if (ca == WEIR_TCP_CA_OPEN)
		c->act->n_hints = 0;
	if (c->ca == ca)
		return;
	c->ca = (uint8_t)ca;
	weir_tcp_trace(t, c, WEIR_TCP_EVENT_RECOVERY, ca, c->cc.cwnd, c->cc.ssthresh);
}

/* Without SACK, as many were delivered as duplicate ACKs came; one at least was not. */
static void
limit_reno(struct weir_tcp_conn *c)
{
	struct weir_tcp_act *act = c->act;
	const uint32_t holes = RTE_MAX(act->lost_segs, 1u);

	if (act->sacked_segs + holes > act->out_segs)
		act->sacked_segs = act->out_segs > holes ? act->out_segs - holes : 0;
}

void
weir_tcp_reno_duplicate(struct weir_tcp_conn *c)
{
	struct weir_tcp_act *act = c->act;
	const uint32_t before = act->sacked_segs;

	act->sacked_segs++;
	limit_reno(c);
	if (act->sacked_segs > before) {
		act->delivered_segs++;
		act->delivered += c->mss;
	}
}

/* What duplicate ACKs announced before is not delivered again. */
void
weir_tcp_reno_acked(struct weir_tcp_conn *c, const struct weir_tcp_news *news)
{
	struct weir_tcp_act *act = c->act;
	const uint32_t acked = news->acked_segs;
	const uint32_t bytes = act->delivered - news->prior_delivered_bytes;
	const uint32_t known = RTE_MIN(act->sacked_segs, acked - 1);

	act->delivered_segs += acked - known;
	act->delivered -= RTE_MIN(known * c->mss, bytes - 1);
	act->sacked_segs -= known;
	limit_reno(c);
}

bool
weir_tcp_is_rexmit_open(const struct weir_tcp *t, const struct weir_tcp_conn *c)
{
	const struct weir_tcp_sent *head = weir_tcp_sent_at(t, c->act->head);

	return c->act->rexmit_segs > 0 ||
	       (head != NULL && (head->flags & WEIR_TCP_REXMIT_EVER) != 0);
}

void
weir_tcp_try_open(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const struct weir_tcp_act *act = c->act;
	enum weir_tcp_ca ca = WEIR_TCP_CA_OPEN;

	if (act->sacked_segs + act->lost_segs > 0 || weir_tcp_is_rexmit_open(t, c))
		ca = WEIR_TCP_CA_DISORDER;
	if (c->ca == ca)
		return;
	weir_tcp_set_ca(t, c, ca);
	c->act->high_seq = c->snd.max;
}

void
weir_tcp_enter_recovery(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_tcp_act *act = c->act;

	act->prior_ssthresh = 0;
	weir_tcp_undo_mark(c);
	if (!weir_tcp_in_reduction(c)) {
		act->prior_ssthresh = weir_tcp_current_ssthresh(c);
		weir_tcp_reduction_start(t, c);
	}
	weir_tcp_set_ca(t, c, WEIR_TCP_CA_RECOVERY);
	c->is_rexmit_due = true;
	t->stats.fast_rexmit++;
}

void
weir_tcp_enter_cwr(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	c->act->prior_ssthresh = 0;
	if (c->ca >= WEIR_TCP_CA_CWR)
		return;
	c->act->may_undo = false;
	weir_tcp_reduction_start(t, c);
	weir_tcp_set_ca(t, c, WEIR_TCP_CA_CWR);
}

/* RFC 6582 3.2: the first unacknowledged segment, at the third duplicate and at partial ACKs. */
static void
mark_reno(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_news *news)
{
	struct weir_tcp_act *act = c->act;
	struct weir_tcp_sent *head = weir_tcp_sent_at(t, act->head);

	if (!(c->ca < WEIR_TCP_CA_RECOVERY && act->sacked_segs >= act->reordering) &&
		!(c->ca == WEIR_TCP_CA_RECOVERY && (news->flags & NEWS_ADVANCED)))
		return;
	if (head->flags & WEIR_TCP_LOST)
		return;
	if (head->segs > 1)
		weir_tcp_sent_split(t, c, head, head->mss);
	weir_tcp_sent_lost(t, c, head);
	limit_reno(c);
}

void
weir_tcp_mark_losses(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_news *news)
{
	const uint32_t rexmits = c->act->rexmit_segs;

	if (c->act->head == 0)
		return;
	if (!c->has_sack) {
		mark_reno(t, c, news);
		return;
	}
	if (weir_tcp_rack_mark(t, c))
		news->flags &= ~(uint32_t)NEWS_SET_TIMER;
	if (c->act->rexmit_segs < rexmits)
		news->flags |= NEWS_REXMIT_LOST;
}

/* All that was under way when the state was entered is acknowledged. @return whether to go on */
static bool
leave(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_news *news)
{
	struct weir_tcp_act *act = c->act;

	if (c->ca == WEIR_TCP_CA_OPEN) {
		act->has_rexmit_ts = false;
		return true;
	}
	if (weir_seq_lt(c->snd.una, act->high_seq))
		return true;
	if (c->ca == WEIR_TCP_CA_CWR && c->snd.una != act->high_seq) {
		weir_tcp_reduction_end(t, c);
		weir_tcp_set_ca(t, c, WEIR_TCP_CA_OPEN);
	} else if (c->ca == WEIR_TCP_CA_RECOVERY) {
		if (!c->has_sack)
			act->sacked_segs = 0;
		if (weir_tcp_undo_recovery(t, c, news))
			return false;
		weir_tcp_reduction_end(t, c);
	}
	return true;
}

static void
in_recovery(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_news *news)
{
	if (!(news->flags & NEWS_ADVANCED)) {
		if (!c->has_sack && (news->flags & NEWS_DUP))
			weir_tcp_reno_duplicate(c);
	} else if (weir_tcp_undo_partial(t, c, news)) {
		return;
	}
	if (weir_tcp_undo_dsack(t, c))
		weir_tcp_try_open(t, c);
	weir_tcp_mark_losses(t, c, news);
	if (c->ca != WEIR_TCP_CA_RECOVERY && c->act->lost_segs > 0)
		weir_tcp_enter_recovery(t, c);
	c->is_rexmit_due = c->act->lost_segs > 0;
}

static void
keep_open(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (!weir_tcp_is_rexmit_open(t, c))
		c->act->has_rexmit_ts = false;
	if (c->ca != WEIR_TCP_CA_CWR)
		weir_tcp_try_open(t, c);
}

/* Open, Disorder, CWR; Loss when it is over, or when repetitions are lost. */
static void
in_others(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_news *news)
{
	if (!c->has_sack) {
		if (news->flags & NEWS_ADVANCED)
			c->act->sacked_segs = 0;
		if (news->flags & NEWS_DUP)
			weir_tcp_reno_duplicate(c);
	}
	if (c->ca <= WEIR_TCP_CA_DISORDER)
		weir_tcp_undo_dsack(t, c);
	weir_tcp_mark_losses(t, c, news);
	if (c->act->lost_segs == 0)
		keep_open(t, c);
	else if (likely(c->pmtu == 0) || !weir_tcp_mtu_lost(t, c))
		weir_tcp_enter_recovery(t, c);
}

static void
in_loss(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_news *news)
{
	weir_tcp_loss_acked(t, c, news);
	weir_tcp_mark_losses(t, c, news);
	c->is_rexmit_due = !c->act->is_new_first;
	if (c->ca == WEIR_TCP_CA_OPEN || (news->flags & NEWS_REXMIT_LOST))
		in_others(t, c, news);
}

/* The ACK moved up to something SACKed, not beyond: the peer will soon acknowledge it, too, or it
 * has thrown it away, which the time-out then finds (RFC 2018 8). */
static bool
is_reneging(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_news *news)
{
	const struct weir_tcp_sent *head = weir_tcp_sent_at(t, c->act->head);

	if (head == NULL || !(head->flags & WEIR_TCP_SACKED) || !(news->flags & NEWS_ADVANCED))
		return false;
	weir_tcp_alarm(t, c, WEIR_TCP_ALARM_RTO, RTE_MAX(c->srtt_us / 2, RENEGED_US));
	news->flags &= ~(uint32_t)NEWS_SET_TIMER;
	return true;
}

void
weir_tcp_recover(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_news *news)
{
	if (is_reneging(t, c, news) || !leave(t, c, news))
		return;
	switch (c->ca) {
	case WEIR_TCP_CA_RECOVERY:
		in_recovery(t, c, news);
		return;
	case WEIR_TCP_CA_LOSS:
		in_loss(t, c, news);
		return;
	default:
		in_others(t, c, news);
	}
}
