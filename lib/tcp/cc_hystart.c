/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_ack -> cc_cubic -> cc_hystart. RFC 9406. */
#include "cc_hystart.h"

#include "tcp_priv.h"

/* RFC 9406 4.3 */
#define RTT_THRESH_MIN_US 4000u
#define RTT_THRESH_MAX_US 16000u
#define RTT_DIVISOR	  8
#define SAMPLES		  8
#define CSS_DIVISOR	  4
#define CSS_ROUNDS	  5

void
weir_hystart_reset(struct weir_hystart *h)
{
	*h = (struct weir_hystart){.last_rtt_us = UINT32_MAX, .rtt_us = UINT32_MAX};
}

static void
begin_round(const struct weir_tcp_conn *c, struct weir_hystart *h)
{
	h->is_begun = true;
	h->round_end = c->snd.max;
	h->last_rtt_us = h->rtt_us;
	h->rtt_us = UINT32_MAX;
	h->samples = 0;
}

/* An ACK of a super-segment counts as the ACKs that its segments would have had. */
static void
take_sample(const struct weir_tcp_conn *c, struct weir_hystart *h, const struct weir_tcp_sample *s)
{
	const uint32_t n = RTE_MAX(s->acked / (2u * c->mss), 1u);

	h->rtt_us = RTE_MIN(h->rtt_us, s->rtt_us);
	h->samples = (uint8_t)RTE_MIN(h->samples + n, (uint32_t)SAMPLES);
}

/* Has the path become slower by this round? */
static bool
is_longer(const struct weir_hystart *h)
{
	uint32_t thresh;

	if (h->samples < SAMPLES || h->last_rtt_us == UINT32_MAX)
		return false;
	thresh = RTE_MIN(
		RTE_MAX(h->last_rtt_us / RTT_DIVISOR, RTT_THRESH_MIN_US), RTT_THRESH_MAX_US);
	return h->rtt_us >= h->last_rtt_us + thresh;
}

static void
judge(struct weir_hystart *h)
{
	if (!h->is_conservative) {
		if (!is_longer(h))
			return;
		h->is_conservative = true;
		h->base_rtt_us = h->rtt_us;
		h->rounds = 0;
	} else if (h->samples >= SAMPLES && h->rtt_us < h->base_rtt_us) {
		h->is_conservative = false; /* it was noise */
		h->base_rtt_us = UINT32_MAX;
	}
}

uint32_t
weir_hystart_acked(struct weir_tcp_conn *c, struct weir_hystart *h, const struct weir_tcp_sample *s)
{
	if (!h->is_begun)
		begin_round(c, h);
	if (s->rtt_us != 0) {
		take_sample(c, h, s);
		judge(h);
	}
	if (weir_seq_geq(c->snd.una, h->round_end)) {
		if (h->is_conservative && ++h->rounds >= CSS_ROUNDS)
			c->cc.ssthresh = c->cc.cwnd;
		begin_round(c, h);
	}
	return h->is_conservative ? s->acked / CSS_DIVISOR : s->acked;
}
