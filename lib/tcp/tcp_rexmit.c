/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_output -> tcp_rexmit -> tcp_sndq, ip_output. What is sent again: holes. */
#include "tcp_output_priv.h"

/* Text of s that may go: max_segs segments, within the peer's window. A window that was closed over
 * data sent before lets its first segment through, as a probe (RFC 9293 3.8.6). */
static uint32_t
len_again(const struct weir_tcp_conn *c, const struct weir_tcp_sent *s, uint32_t text, uint32_t mss,
	uint32_t max_segs)
{
	const uint32_t wnd = weir_tcp_seq_span(c->snd.una + c->snd.wnd, s->seq);
	const uint32_t edge = wnd == 0 && s->seq == c->snd.una ? mss : wnd;
	const uint32_t len = RTE_MIN(text, max_segs * mss);

	if (len <= edge)
		return len;
	return edge >= mss ? edge - edge % mss : edge;
}

static void
count_again(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_sent *s, bool is_probe)
{
	struct weir_tcp_act *act = c->act;

	weir_tcp_sent_again(t, c, s);
	act->mtu_size = 0; /* what comes back now says nothing of the path's MTU */
	t->stats.rexmit_segs++;
	weir_tcp_trace(t, c, WEIR_TCP_EVENT_REXMIT, s->segs, weir_tcp_sent_pos(c, s->seq),
		s->end - s->seq);
	c->rexmits += s->segs;
	act->bytes_rexmit += weir_seq_min(s->end, c->snd.end) - s->seq;
	if (is_probe)
		return;
	if (!(s->flags & WEIR_TCP_REXMIT)) {
		s->flags |= WEIR_TCP_REXMIT;
		act->rexmit_segs += s->segs;
	}
	if (!act->has_rexmit_ts) {
		act->has_rexmit_ts = true;
		act->rexmit_ts = weir_tcp_ts_now(t, c);
	}
	act->undo_rexmits = RTE_MAX(act->undo_rexmits, 0) + s->segs;
	if (weir_tcp_in_reduction(c))
		act->prr_out += s->segs;
}

enum weir_tcp_again
weir_tcp_send_again(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_sent *s,
	uint32_t max_segs, bool is_probe)
{
	const uint32_t text = weir_seq_min(s->end, c->snd.end) - s->seq;
	const uint32_t mss = weir_tcp_effective_mss(c);
	const uint32_t len = len_again(c, s, text, mss, max_segs);
	const bool has_fin = weir_seq_gt(s->end, c->snd.end) && len == text;
	const bool is_pushed = len > mss || ((s->flags & WEIR_TCP_PUSHED) && len == text);
	uint32_t sent;

	if (len == 0 && text > 0)
		return AGAIN_NO_WINDOW;
	if (!weir_tcp_has_room(t, c))
		return AGAIN_NO_ROOM;
	sent = weir_tcp_send_text(t, c, s->seq, len, mss,
		(has_fin ? WEIR_TCP_FIN : 0) | (is_pushed ? WEIR_TCP_PSH : 0));
	if (sent == 0)
		return AGAIN_NO_ROOM;
	if (sent < s->end - s->seq && !weir_tcp_sent_split(t, c, s, sent))
		s->flags |= WEIR_TCP_BLURRED; /* counts as if all of it went */
	count_again(t, c, s, is_probe);
	return AGAIN_SENT;
}

bool
weir_tcp_send_lost(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const uint32_t segs_max = weir_tcp_burst_segs(c, weir_tcp_effective_mss(c));
	struct weir_tcp_sent *s;
	enum weir_tcp_again done;

	for (unsigned int n = 0; n < WEIR_TCP_PASS_SEGS; n++) {
		const uint32_t quota = weir_tcp_quota(c);

		s = quota > 0 ? weir_tcp_sent_next_lost(t, c) : NULL;
		if (s == NULL) {
			c->is_rexmit_due = false;
			return true;
		}
		if (c->is_paced && weir_tcp_pace_waits(t, c))
			return true; /* it goes on then */
		done = weir_tcp_send_again(t, c, s, RTE_MIN(quota, segs_max), false);
		if (done == AGAIN_NO_WINDOW)
			c->is_rexmit_due = false;
		if (done != AGAIN_SENT)
			return done == AGAIN_NO_WINDOW;
		if (s->seq == c->snd.una && c->alarm != WEIR_TCP_ALARM_REORDER)
			weir_tcp_alarm(t, c, WEIR_TCP_ALARM_RTO, c->rto_us);
	}
	return false;
}
