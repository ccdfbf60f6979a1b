/* SPDX-License-Identifier: BSD-3-Clause */
#include "signed.h"

#include "tcp_priv.h"

void
signed_open(struct rig *r, const struct rig_setup *setup)
{
	rig_open_as(r, WEIR_TCP_ESTABLISHED, setup);
	signed_abort(r);
	rig_forget(r);
	r->conn = NULL;
	r->n_accept = 0;
	r->events = 0;
	r->read_pos = 1;
	r->write_pos = 1;
	r->iss = weir_tcp_isn(&r->tcp, &r->flow);
}

static void
turn(struct rig *r)
{
	rig_turn(r, &(struct weir_vec){.n = 0});
}

void
signed_connect(struct rig *r, struct weir_tcp_keys *set)
{
	CU_ASSERT_EQUAL_FATAL(
		weir_tcp_connect(&r->tcp, &r->flow, &r->tcp.conf.opts, &r->end, &r->conn), 0);
	CU_ASSERT_EQUAL(weir_tcp_keys_adopt(&r->tcp, r->conn, set), 0);
	weir_tcp_keys_free(set);
	turn(r);
}

void
signed_listen(struct rig *r, struct weir_tcp_keys *set)
{
	CU_ASSERT_EQUAL(weir_tcp_keys_listen(&r->tcp, &r->listener, set), 0);
	weir_tcp_keys_free(set);
}

void
signed_shutdown(struct rig *r)
{
	weir_tcp_shutdown(&r->tcp, r->conn);
	turn(r);
}

void
signed_abort(struct rig *r)
{
	weir_tcp_abort(&r->tcp, r->conn);
	weir_eth_flush(&r->ifc);
}

void
signed_wait_is_over(struct rig *r)
{
	rig_advance(r, 61 * RIG_S);
	CU_ASSERT_EQUAL(r->tcp.n_auth, 0);
}
