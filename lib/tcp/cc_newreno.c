/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_ack, tcp_timer -> cc_newreno. RFC 5681. */
#include "tcp_priv.h"

static void
newreno_init(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	(void)t;
	c->cc.bytes_acked = 0;
}

/*
 * Slow start grows by what was acknowledged (RFC 3465 without its limit, as Linux: receivers that
 * merge segments acknowledge many at once); congestion avoidance by a segment each window.
 */
static void
newreno_acked(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_sample *s)
{
	struct weir_tcp_cc *cc = &c->cc;
	uint32_t acked = s->acked;

	(void)t;
	if (cc->cwnd < cc->ssthresh) {
		const uint32_t room = cc->ssthresh - cc->cwnd;
		const uint32_t n = RTE_MIN(acked, room);

		cc->cwnd += n;
		acked -= n;
	}
	cc->bytes_acked += acked;
	if (cc->bytes_acked >= cc->cwnd) {
		cc->bytes_acked -= cc->cwnd;
		cc->cwnd += c->mss;
	}
}

/* RFC 5681 equation (4), of cwnd as Linux does: it is validated, so about as much is in flight. */
static uint32_t
newreno_ssthresh(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	(void)t;
	c->cc.bytes_acked = 0;
	return RTE_MAX(c->cc.cwnd / 2, 2u * c->mss);
}

const struct weir_tcp_cc_ops weir_tcp_cc_newreno = {
	.name = "reno",
	.init = newreno_init,
	.acked = newreno_acked,
	.ssthresh = newreno_ssthresh,
};
