/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_output, tcp_ack, tcp_timer -> tcp_tlp. RFC 8985 7: a probe before the time-out. */
#include "tcp_loss_priv.h"

/* RFC 8985 7.2: two round trips, and what a lone segment's ACK may be delayed. */
static uint64_t
probe_after_us(const struct weir_tcp *t, const struct weir_tcp_conn *c)
{
	if (c->srtt_us == 0)
		return t->conf.rto_initial_us;
	return 2 * (uint64_t)c->srtt_us +
	       (c->act->out_segs == 1 ? weir_tcp_rto_min_us(t, &c->opts) : WEIR_TCP_PROBE_MIN_US);
}

bool
weir_tcp_tlp_start(struct weir_tcp *t, struct weir_tcp_conn *c, bool is_rto_moved)
{
	uint64_t wait_us, rto_us;

	if (!t->conf.use_tlp || !c->has_sack || c->act->out_segs == 0 ||
		(c->ca != WEIR_TCP_CA_OPEN && c->ca != WEIR_TCP_CA_CWR))
		return false;
	wait_us = probe_after_us(t, c);
	rto_us = is_rto_moved ? c->rto_us : weir_tcp_rto_left_us(t, c);
	weir_tcp_alarm(t, c, WEIR_TCP_ALARM_PROBE, rto_us > 0 ? RTE_MIN(wait_us, rto_us) : wait_us);
	return true;
}

void
weir_tcp_tlp_expired(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (c->act->is_tlp) { /* one at a time */
		weir_tcp_rearm_rto(t, c);
		return;
	}
	c->act->is_tlp_due = true;
	weir_tcp_want_output(t, c);
}

/* The last segment sent, cut off its record. NULL: no record for it */
static struct weir_tcp_sent *
last_segment(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_tcp_sent *s = weir_tcp_sent_at(t, c->act->tail);

	if (s == NULL || s->segs == 1)
		return s;
	if (!weir_tcp_sent_split(t, c, s, (s->segs - 1u) * s->mss))
		return NULL;
	return weir_tcp_sent_at(t, s->next);
}

/* RFC 8985 7.3: new data, even beyond cwnd; otherwise the last segment again. */
bool
weir_tcp_tlp_send(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_tcp_act *act = c->act;
	const uint32_t max = c->snd.max;
	struct weir_tcp_sent *last;

	if (!act->is_tlp_due)
		return true;
	if (!weir_tcp_send_probe_text(t, c))
		return false;
	act->is_tlp_due = false;
	if (c->snd.max == max) {
		last = last_segment(t, c);
		if (last == NULL || weir_tcp_send_again(t, c, last, 1, true) != AGAIN_SENT) {
			weir_tcp_rearm_rto(t, c);
			return true;
		}
	}
	t->stats.loss_probes++;
	weir_tcp_trace(t, c, WEIR_TCP_EVENT_LOSS_PROBE, c->snd.max == max,
		weir_tcp_sent_pos(c, c->snd.una), weir_tcp_sent_pos(c, c->snd.max));
	act->is_tlp = true;
	act->is_tlp_rexmit = c->snd.max == max;
	act->tlp_seq = c->snd.max;
	weir_tcp_alarm(t, c, WEIR_TCP_ALARM_RTO, c->rto_us);
	return true;
}

/* RFC 8985 7.4: was it lost, what the probe replaced? */
void
weir_tcp_tlp_acked(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_news *news)
{
	struct weir_tcp_act *act = c->act;
	const uint32_t no_duplicate = NEWS_ADVANCED | NEWS_DATA | NEWS_WINDOW | NEWS_SACKED;

	if (weir_seq_lt(news->seg->ack, act->tlp_seq))
		return;
	if (!act->is_tlp_rexmit || (news->flags & NEWS_DSACK_TLP)) {
		act->is_tlp = false;
	} else if (weir_seq_gt(news->seg->ack, act->tlp_seq)) {
		weir_tcp_reduction_start(t, c);
		weir_tcp_set_ca(t, c, WEIR_TCP_CA_CWR);
		weir_tcp_reduction_end(t, c);
		weir_tcp_try_open(t, c);
	} else if (!(news->flags & no_duplicate)) {
		act->is_tlp = false; /* both arrived */
	}
}
