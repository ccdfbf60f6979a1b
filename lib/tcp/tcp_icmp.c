/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: icmp4, icmp6 -> (ip->errors) tcp_icmp -> sock_publish. RFC 5927, RFC 1191, RFC 8201. */
#include "tcp_mtu_probe.h"
#include "tcp_priv.h"

#define PMTU_MIN_IP4 256 /* below, an attacker is likelier than a path: RFC 5927 7.1 */
#define PMTU_MIN_IP6 1280

/* RFC 1191 7.1: what to try where the router did not tell. */
static uint16_t
next_plateau(uint16_t mtu)
{
	static const uint16_t plateaus[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296};

	for (unsigned int i = 0; i < RTE_DIM(plateaus); i++) {
		if (plateaus[i] < mtu)
			return plateaus[i];
	}
	return PMTU_MIN_IP4;
}

static uint16_t
new_pmtu(const struct weir_tcp_conn *c, uint16_t told)
{
	if (!weir_tcp_is_v4(c))
		return RTE_MAX(told, (uint16_t)PMTU_MIN_IP6);
	if (told == 0)
		return next_plateau(c->pmtu != 0 ? c->pmtu : c->dst.mtu);
	return RTE_MAX(told, (uint16_t)PMTU_MIN_IP4);
}

/* Segments were too big for the path: smaller ones at once. No sign of congestion. */
static void
lower_pmtu(struct weir_tcp *t, struct weir_tcp_conn *c, uint16_t told)
{
	const uint16_t mtu = new_pmtu(c, told);
	const uint16_t old_mss = c->mss;

	weir_tcp_mtu_told(t, c, mtu);
	if (mtu >= (c->pmtu != 0 ? c->pmtu : c->dst.mtu))
		return;
	c->pmtu = mtu;
	weir_tcp_update_mss(c);
	if (c->mss >= old_mss || c->state < WEIR_TCP_ESTABLISHED)
		return;
	weir_tcp_trace(t, c, WEIR_TCP_EVENT_MSS, 0, c->mss, c->pmtu);
	weir_tcp_lose_oversized(t, c);
}

/* RFC 5927 4: does the quoted segment belong to what is under way? */
static bool
is_credible(const struct weir_tcp_conn *c, const struct weir_icmp_error *e)
{
	return weir_seq_geq(e->tcp_seq, c->snd.una) && weir_seq_lt(e->tcp_seq, c->snd.max);
}

/* RFC 5925 7.8: unreachables, codes 2 to 4 (IPv6: 1 and 4), when the connection is open. */
static bool
is_unheard(struct weir_tcp_conn *c, const struct weir_icmp_error *e)
{
	struct weir_tcp_keys *set = c->act->keys;
	const bool is_such = e->is_hard || (e->error == EMSGSIZE && weir_tcp_is_v4(c));

	if (!is_such || c->state < WEIR_TCP_ESTABLISHED || set->ao.takes_icmp ||
		weir_tcp_auth_is_md5(c))
		return false;
	set->ao.icmps++;
	return true;
}

/* RFC 9293 3.9.2.2: the application may ask for it (SO_ERROR); it is why a time-out ends it all. */
static void
note_soft_error(struct weir_tcp *t, struct weir_tcp_conn *c, int error)
{
	c->soft_error = (int16_t)error;
	if (c->end != NULL)
		weir_ready_add(t->ready, &c->ready, WEIR_READY_ERROR);
}

/*
 * RFC 5927 5.2: a hard error ends only an attempt to open; RFC 5461 4: an active one is ended by a
 * soft error, too, as Linux does; RFC 1122 4.2.3.9: note the others.
 */
static void
take_error(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_icmp_error *e)
{
	const bool is_opening = c->state == WEIR_TCP_SYN_SENT || c->state == WEIR_TCP_SYN_RECEIVED;

	if (unlikely(c->has_auth) && is_unheard(c, e))
		return;
	weir_tcp_trace(t, c, WEIR_TCP_EVENT_ICMP, (uint32_t)e->error,
		weir_tcp_sent_pos(c, e->tcp_seq), e->mtu);
	if (e->error == EMSGSIZE)
		lower_pmtu(t, c, e->mtu);
	else if (e->error != 0 && (c->state == WEIR_TCP_SYN_SENT || (e->is_hard && is_opening)))
		weir_tcp_finish(t, c, e->error);
	else if (e->error != 0)
		note_soft_error(t, c, e->error);
}

void
weir_tcp_icmp_errors(struct weir_tcp *t)
{
	for (unsigned int i = 0; i < t->ip->n_errors; i++) {
		const struct weir_icmp_error *e = &t->ip->errors[i];
		struct weir_tcp_conn *c;
		struct weir_tcp_req *req;

		if (e->proto != IPPROTO_TCP)
			continue;
		c = weir_tcp_find(t, &e->flow); /* one that sleeps has nothing under way */
		if (c != NULL && is_credible(c, e))
			take_error(t, c, e);
		else if (c == NULL && (req = weir_tcp_find_req(t, &e->flow)) != NULL)
			weir_tcp_req_error(t, req, e);
	}
}
