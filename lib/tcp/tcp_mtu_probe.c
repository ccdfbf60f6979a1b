/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path: tcp_output -> tcp_mtu_probe; back from tcp_sent, tcp_recovery, tcp_timer, tcp_icmp. What
 * the path takes is searched for by sending (RFC 4821), where ICMP may not come: in c->pmtu what is
 * known to pass, in act->mtu_high what may.
 */
#include "tcp_mtu_probe.h"

#define NEAR	    8	/* bytes: the search is over (RFC 4821 7.6.2) */
#define AGAIN_TICKS 572 /* of about a second: ten minutes (RFC 4821 7.7) */
#define FLOOR	    48
#define CWND_SEGS   11 /* fewer segments would not show by fast retransmit that a probe was lost */

static uint16_t
headers(const struct weir_tcp_conn *c)
{
	return (weir_tcp_is_v4(c) ? 20 : 40) + WEIR_TCP_HLEN + weir_tcp_opts_len(c);
}

static uint16_t
ticks(const struct weir_tcp *t)
{
	return (uint16_t)(t->core->now_us >> 20);
}

/* From now on segments are of this size. */
static void
use(struct weir_tcp_conn *c, uint32_t mtu)
{
	c->pmtu = (uint16_t)mtu;
	weir_tcp_update_mss(c);
}

void
weir_tcp_mtu_begin(const struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const uint16_t over = headers(c);
	const uint32_t mss = RTE_MIN(t->conf.base_mss, (uint32_t)c->mss);

	c->act->mtu_high = c->mss + over;
	c->act->mtu_size = 0;
	c->act->mtu_since = ticks(t);
	use(c, mss + over);
}

/* The path may have changed: search once more above what passes. */
static void
begin_again(const struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if ((uint16_t)(ticks(t) - c->act->mtu_since) < AGAIN_TICKS)
		return;
	c->act->mtu_high = (uint16_t)RTE_MIN((uint32_t)c->dst.mtu,
		c->snd.peer_mss + (uint32_t)headers(c) - weir_tcp_opts_len(c));
	c->act->mtu_since = ticks(t);
}

/* Probing must not add to trouble, nor be mixed up with it. */
static bool
is_calm(const struct weir_tcp_conn *c)
{
	const struct weir_tcp_act *act = c->act;

	return act->mtu_size == 0 && c->ca == WEIR_TCP_CA_OPEN &&
	       c->cc.cwnd >= CWND_SEGS * (uint32_t)c->mss && weir_tcp_sack_blocks(c) == 0 &&
	       !c->has_eor && !c->is_urgent && !c->is_forced;
}

enum weir_tcp_mtu_step
weir_tcp_mtu_next(const struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t *len)
{
	const struct weir_tcp_act *act = c->act;
	uint32_t needed;

	if (act->mtu_high < c->pmtu + NEAR) {
		begin_again(t, c);
		return MTU_NONE;
	}
	if (!is_calm(c))
		return MTU_NONE;
	*len = (act->mtu_high + c->pmtu) / 2 - headers(c);
	needed = *len + (act->reordering + 1) * c->mss; /* what follows tells of its loss */
	if (weir_tcp_seq_span(c->snd.end, c->snd.nxt) < needed || c->snd.wnd < needed)
		return MTU_NONE;
	if (weir_seq_gt(c->snd.nxt + needed, c->snd.una + c->snd.wnd))
		return MTU_WAITS;
	if ((weir_tcp_pipe(c) + 2) * c->mss > c->cc.cwnd)
		return weir_tcp_pipe(c) == 0 ? MTU_NONE : MTU_WAITS;
	return MTU_GOES;
}

void
weir_tcp_mtu_sent(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t len)
{
	c->act->mtu_size = (uint16_t)(len + headers(c));
	c->cc.cwnd -= c->mss; /* it counts for two */
	t->stats.mtu_probes++;
}

void
weir_tcp_mtu_acked(struct weir_tcp_conn *c, const struct weir_tcp_sent *s)
{
	if (c->act->mtu_size != s->mss + headers(c))
		return;
	c->act->mtu_size = 0;
	use(c, s->mss + headers(c));
}

bool
weir_tcp_mtu_lost(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct weir_tcp_act *act = c->act;
	const struct weir_tcp_sent *head = weir_tcp_sent_at(t, act->head);

	if (act->mtu_size == 0 || c->ca >= WEIR_TCP_CA_CWR || head == NULL ||
		act->mtu_size != head->mss + headers(c))
		return false;
	act->mtu_high = act->mtu_size - 1;
	act->mtu_size = 0;
	c->cc.cwnd += c->mss;
	t->stats.mtu_probes_lost++;
	weir_tcp_repeat_unblamed(t, c);
	return true;
}

void
weir_tcp_mtu_told(struct weir_tcp *t, struct weir_tcp_conn *c, uint16_t mtu)
{
	struct weir_tcp_act *act = c->act;

	if (act == NULL || act->mtu_high <= mtu)
		return;
	act->mtu_high = mtu;
	if (act->mtu_size > mtu)
		weir_tcp_lose_oversized(t, c);
}

void
weir_tcp_mtu_black_hole(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const uint32_t half = RTE_MIN(c->mss / 2u, t->conf.base_mss);

	t->stats.mtu_black_holes++;
	if (c->act->mtu_high == 0)
		weir_tcp_mtu_begin(t, c);
	else
		use(c, RTE_MAX(half, (uint32_t)FLOOR) + headers(c));
}
