/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: tcp_ack, tcp_timer -> tcp_recovery -> tcp_output */
#include "tcp_priv.h"

void
weir_tcp_enter_cwr(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (c->is_recovery || weir_seq_leq(c->snd.una, c->recover))
		return;
	c->cc.ssthresh = c->cc.ops->ssthresh(t, c);
	c->cc.cwnd = c->cc.ssthresh;
	c->recover = c->snd.max;
	weir_tcp_ecn_reduced(c);
	if (c->cc.ops->event != NULL)
		c->cc.ops->event(t, c, WEIR_TCP_CC_RECOVERY);
}
