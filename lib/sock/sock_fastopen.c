/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: api/connect -> sock_fastopen -> tcp_fo_client. Opening with data (RFC 7413). */
#include "weir_sock.h"

#include <errno.h>

#include "weir_mbuf.h"

/* Queue what of o's data may go with the SYN. */
static void
take_data(struct weir_sock_worker *ws, struct weir_sock_open *o, uint32_t room)
{
	struct weir_sock *s = o->s;
	const uint32_t len = RTE_MIN(o->m->pkt_len, room);

	if (len == 0 || !weir_sock_may_give(s))
		return;
	weir_mbuf_trim(o->m, len);
	weir_pkt(o->m)->send = len == o->all ? o->how : 0;
	weir_sock_tcp_give(ws, s, o->m);
	o->m = NULL;
	o->taken = len;
}

/* TCP_FASTOPEN_CONNECT has made the connection already. */
static int
go_on(struct weir_sock_worker *ws, struct weir_sock *s)
{
	weir_sock_clear(s, WEIR_SOCK_DEFERRED);
	if (s->tcp.conn == NULL)
		return -EPIPE;
	weir_tcp_fastopen_go(ws->tcp, s->tcp.conn);
	return 0;
}

int
weir_sock_tcp_open(struct weir_sock_worker *ws, struct weir_sock_open *o)
{
	const bool is_deferred = weir_sock_flags(o->s) & WEIR_SOCK_DEFERRED;
	const int rc = is_deferred ? go_on(ws, o->s) : weir_sock_tcp_connect(ws, o->s);

	if (rc != 0)
		return rc;
	take_data(ws, o, weir_tcp_fastopen_begin(ws->tcp, o->s->tcp.conn));
	if (o->taken < o->wanted)
		weir_tcp_fastopen_expect(o->s->tcp.conn);
	return 0;
}
