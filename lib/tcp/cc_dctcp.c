/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path: tcp_ack -> cc_dctcp. RFC 8257: the window shrinks by the share of bytes that were marked.
 * Grows as NewReno, and answers losses as it does.
 */
#include "tcp_priv.h"

#define ALPHA_ONE	 (1u << 20) /* alpha is a fraction of this */
#define ALPHA_INFO_SHIFT 10	    /* Linux counts in 1024th */
#define GAIN_SHIFT	 4	    /* g = 1/16 (RFC 8257 4.2) */

struct dctcp {
	uint32_t alpha;
	uint32_t round_end; /* snd.max when this observation window began */
	uint64_t delivered; /* bytes since then */
	uint64_t marked;    /* of these */
};

static void
dctcp_init(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	struct dctcp *d = weir_tcp_cc_priv(c);

	weir_tcp_cc_newreno.init(t, c);
	/* RFC 8257 4.2: at first as careful as with any mark */
	*d = (struct dctcp){.alpha = ALPHA_ONE, .round_end = c->snd.max};
}

/* RFC 8257 3.3 (8), (9) */
static void
update_alpha(struct dctcp *d)
{
	const uint64_t share = d->marked * ALPHA_ONE / d->delivered;

	d->alpha = d->alpha - (d->alpha >> GAIN_SHIFT) + (uint32_t)(share >> GAIN_SHIFT);
	if (share == 0 && d->alpha < 1u << GAIN_SHIFT)
		d->alpha = 0; /* what the shift does not take away any more */
	d->alpha = RTE_MIN(d->alpha, ALPHA_ONE);
}

static void
dctcp_sampled(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_sample *s)
{
	struct dctcp *d = weir_tcp_cc_priv(c);

	(void)t;
	d->delivered += s->newly_delivered;
	d->marked += s->ce;
	if (weir_seq_lt(c->snd.una, d->round_end))
		return;
	if (d->delivered > 0)
		update_alpha(d);
	d->delivered = 0;
	d->marked = 0;
	d->round_end = c->snd.max;
}

/* RFC 8257 3.3 (9): cwnd (1 - alpha / 2); 3.5: a loss halves it, as in any TCP. */
static uint32_t
dctcp_ssthresh(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const struct dctcp *d = weir_tcp_cc_priv(c);
	const uint32_t cwnd = c->cc.cwnd;

	(void)t;
	c->cc.bytes_acked = 0;
	if (!c->is_ecn_reducing)
		return RTE_MAX(cwnd / 2, 2u * c->mss);
	return RTE_MAX(cwnd - (uint32_t)((uint64_t)cwnd * d->alpha / ALPHA_ONE / 2), 2u * c->mss);
}

static void
dctcp_acked(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_sample *s)
{
	weir_tcp_cc_newreno.acked(t, c, s);
}

/* struct tcp_dctcp_info of linux/inet_diag.h, alpha in its unit. */
static uint32_t
dctcp_info(const struct weir_tcp_conn *c, void *out)
{
	const struct dctcp *d = (const struct dctcp *)c->act->cc_priv;
	const struct {
		uint16_t is_enabled, is_ce;
		uint32_t alpha, marked, delivered;
	} info = {c->has_ecn, c->is_ecn_echo, d->alpha >> ALPHA_INFO_SHIFT, (uint32_t)d->marked,
		(uint32_t)d->delivered};

	memcpy(out, &info, sizeof(info));
	return sizeof(info);
}

const struct weir_tcp_cc_ops weir_tcp_cc_dctcp = {
	.name = "dctcp",
	.flags = WEIR_TCP_CC_ECN,
	.init = dctcp_init,
	.acked = dctcp_acked,
	.ssthresh = dctcp_ssthresh,
	.sampled = dctcp_sampled,
	.info = dctcp_info,
};
