/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_priv.h"

#define TO(state) (1u << WEIR_TCP_##state)

/* For an assertion. RFC 9293 3.3.2, figure 5. A child of a listener starts in SYN_RECEIVED. */
static const uint16_t legal[WEIR_TCP_STATES] __rte_unused = {
	[WEIR_TCP_CLOSED] = TO(SYN_SENT) | TO(SYN_RECEIVED),
	[WEIR_TCP_SYN_SENT] = TO(SYN_RECEIVED) | TO(ESTABLISHED) | TO(CLOSED),
	[WEIR_TCP_SYN_RECEIVED] = TO(ESTABLISHED) | TO(CLOSED),
	[WEIR_TCP_ESTABLISHED] = TO(FIN_WAIT_1) | TO(CLOSE_WAIT) | TO(CLOSED),
	[WEIR_TCP_FIN_WAIT_1] = TO(FIN_WAIT_2) | TO(CLOSING) | TO(TIME_WAIT) | TO(CLOSED),
	[WEIR_TCP_FIN_WAIT_2] = TO(TIME_WAIT) | TO(CLOSED),
	[WEIR_TCP_CLOSE_WAIT] = TO(LAST_ACK) | TO(CLOSED),
	[WEIR_TCP_CLOSING] = TO(TIME_WAIT) | TO(CLOSED),
	[WEIR_TCP_LAST_ACK] = TO(CLOSED),
	[WEIR_TCP_TIME_WAIT] = TO(CLOSED),
};

static const char *const names[WEIR_TCP_STATES] = {
	[WEIR_TCP_CLOSED] = "CLOSED",
	[WEIR_TCP_LISTEN] = "LISTEN",
	[WEIR_TCP_SYN_SENT] = "SYN_SENT",
	[WEIR_TCP_SYN_RECEIVED] = "SYN_RECEIVED",
	[WEIR_TCP_ESTABLISHED] = "ESTABLISHED",
	[WEIR_TCP_FIN_WAIT_1] = "FIN_WAIT_1",
	[WEIR_TCP_FIN_WAIT_2] = "FIN_WAIT_2",
	[WEIR_TCP_CLOSE_WAIT] = "CLOSE_WAIT",
	[WEIR_TCP_CLOSING] = "CLOSING",
	[WEIR_TCP_LAST_ACK] = "LAST_ACK",
	[WEIR_TCP_TIME_WAIT] = "TIME_WAIT",
};

const char *
weir_tcp_state_name(enum weir_tcp_state state)
{
	return state < WEIR_TCP_STATES ? names[state] : "?";
}

void
weir_tcp_set_state(struct weir_tcp *t, struct weir_tcp_conn *c, enum weir_tcp_state next)
{
	WEIR_ASSERT(legal[c->state] & (1u << next));
	t->n_state[c->state]--;
	t->n_state[next]++;
	c->state = (uint8_t)next;
	weir_tcp_trace(t, c, WEIR_TCP_EVENT_STATE, next, weir_tcp_sent_pos(c, c->snd.una),
		weir_tcp_rcvd_pos(c, c->rcv.nxt));
}
