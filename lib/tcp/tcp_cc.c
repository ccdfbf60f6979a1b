/* SPDX-License-Identifier: BSD-3-Clause */
/* The algorithms by number and name, and which of them a connection goes by. */
#include "tcp_priv.h"

static const struct weir_tcp_cc_ops *const algorithms[] = {
	&weir_tcp_cc_cubic,
	&weir_tcp_cc_newreno,
	&weir_tcp_cc_dctcp,
	&weir_tcp_cc_bbr,
};

const struct weir_tcp_cc_ops *
weir_tcp_cc_at(unsigned int i)
{
	return i < RTE_DIM(algorithms) ? algorithms[i] : NULL;
}

int
weir_tcp_cc_find(const char *name)
{
	for (unsigned int i = 0; i < RTE_DIM(algorithms); i++) {
		if (strcmp(algorithms[i]->name, name) == 0)
			return (int)i;
	}
	return -1;
}

void
weir_tcp_cc_choose(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	const struct weir_tcp_cc_ops *ops = weir_tcp_cc_at(c->opts.cc);

	if (ops == c->cc.ops) {
		weir_tcp_pace_choose(t, c);
		return;
	}
	c->cc.ops = ops;
	weir_tcp_pace_choose(t, c);
	c->cc.pacing_bps = 0;
	c->cc.bytes_acked = 0;
	memset(c->act->cc_priv, 0, sizeof(c->act->cc_priv));
	if (c->state >= WEIR_TCP_ESTABLISHED)
		ops->init(t, c);
}
