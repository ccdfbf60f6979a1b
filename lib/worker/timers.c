/* SPDX-License-Identifier: BSD-3-Clause */
/* Due timers to their owners. */
#include "weir_worker.h"

#define DUE_MAX 64

static void
dispatch(struct weir_worker *w, struct weir_wheel_entry *e)
{
	switch ((enum weir_timer_kind)e->kind) {
	case WEIR_TIMER_NEIGH:
		weir_neigh_timer(RTE_PTR_SUB(e, offsetof(struct weir_neigh, timer)));
		break;
	case WEIR_TIMER_IFACE:
		weir_iface_timer(RTE_PTR_SUB(e, offsetof(struct weir_iface, timer)));
		weir_mcast_addrs(&w->ip, RTE_PTR_SUB(e, offsetof(struct weir_iface, timer)));
		break;
	case WEIR_TIMER_MCAST:
		weir_mcast_timer(&w->ip);
		break;
	case WEIR_TIMER_IP:
		weir_ip_timer(&w->ip);
		break;
	case WEIR_TIMER_TCP:
		weir_tcp_timer(&w->tcp, RTE_PTR_SUB(e, offsetof(struct weir_tcp_conn, timer)));
		break;
	case WEIR_TIMER_TCP_NAP:
		weir_tcp_nap_timer(&w->tcp, RTE_PTR_SUB(e, offsetof(struct weir_tcp_nap, timer)));
		break;
	case WEIR_TIMER_TCP_REQ:
		weir_tcp_req_timer(&w->tcp, RTE_PTR_SUB(e, offsetof(struct weir_tcp_req, timer)));
		break;
	case WEIR_TIMER_TCP_WAIT:
		weir_tcp_wait_timer(&w->tcp);
		break;
	case WEIR_TIMER_KINDS:
		break;
	}
}

/*
 * One at a time: what a timer does may cancel another one, or free its object, and the wheel can
 * only know of entries that it still holds.
 */
unsigned int
weir_timers_run(struct weir_worker *w)
{
	struct weir_wheel_entry *due;
	unsigned int n = 0;

	while (n < DUE_MAX && weir_wheel_expire(&w->wheel, w->core.now_us, &due, 1) == 1) {
		dispatch(w, due);
		n++;
	}
	return n;
}
