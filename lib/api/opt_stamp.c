/* SPDX-License-Identifier: BSD-3-Clause */
/* SO_TIMESTAMPING; TCP_SAVE_SYN and TCP_SAVED_SYN. */
#include <linux/net_tstamp.h>
#include <netinet/tcp.h>

#include "opt_priv.h"
#include "send_priv.h"

#define OPT_ID_TCP (1 << 16) /* SOF_TIMESTAMPING_OPT_ID_TCP: headers may be older */

/* Without effect are the flags of hardware, as with a NIC that has no clock. */
#define KNOWN (2u * OPT_ID_TCP - 1)
#define REFUSED                                                                                  \
	(SOF_TIMESTAMPING_OPT_CMSG | SOF_TIMESTAMPING_OPT_STATS | SOF_TIMESTAMPING_OPT_PKTINFO | \
		SOF_TIMESTAMPING_BIND_PHC)

static int
check_stamps(uint32_t stamps)
{
	if ((stamps & ~KNOWN) != 0 ||
		((stamps & OPT_ID_TCP) && !(stamps & SOF_TIMESTAMPING_OPT_ID)))
		return -EINVAL;
	return stamps & REFUSED ? -EOPNOTSUPP : 0;
}

struct counting {
	struct weir_sock *s;
	bool is_from_end; /* OPT_ID_TCP */
};

/* Where bytes count from: behind all that was sent, or that is acknowledged. */
static int
count_on(struct weir_worker *w, void *arg)
{
	const struct counting *counting = arg;
	struct weir_sock *s = counting->s;

	if (!weir_sock_rouse(&w->sock, s))
		return -ENOBUFS;
	weir_sock_serve(&w->sock, s, WEIR_DOOR_SEND);
	if (s->tcp.conn == NULL)
		return -EINVAL;
	weir_poke(s->extra->stamps_from,
		counting->is_from_end ? s->tcp.conn->snd.end : s->tcp.conn->snd.una);
	return 0;
}

static int
start_counting(struct weir_stack *st, struct weir_sock *s, bool is_from_end)
{
	struct counting counting = {s, is_from_end};

	if (weir_sock_is_dgram(s)) {
		weir_poke(s->extra->stamps_from, 0);
		return 0;
	}
	if (weir_sock_flags(s) & WEIR_SOCK_LISTENING)
		return -EINVAL;
	return weir_on_worker(st, weir_sock_home(s), count_on, &counting);
}

static int
set_stamps(struct weir_stack *st, struct weir_sock *s, uint32_t stamps)
{
	int rc = check_stamps(stamps);

	if (rc != 0)
		return rc;
	if (weir_sock_want_extra(s, weir_send_pool(st, s)) == NULL)
		return -ENOBUFS;
	if (stamps & ~weir_sock_stamps(s) & SOF_TIMESTAMPING_OPT_ID)
		rc = start_counting(st, s, (stamps & OPT_ID_TCP) != 0);
	if (rc == 0)
		weir_poke(s->extra->stamps, stamps);
	return rc;
}

WEIR_OPT_GET(stamps)
{
	const struct so_timestamping v = {.flags = (int)weir_sock_stamps(s)};

	memcpy(value, &v, o->size);
	return 0;
}

WEIR_OPT_SET(stamps_of)
{
	return set_stamps(st, s, (uint32_t)weir_opt_int(value));
}

const struct weir_opt weir_opts_stamps[] = {
	{SO_TIMESTAMPING, WEIR_OPT_ANY, sizeof(struct so_timestamping), get_stamps, set_stamps_of,
		.has_shorter = true},
	{SO_TIMESTAMPING, WEIR_OPT_ANY, sizeof(int), get_stamps, set_stamps_of},
	{0},
};

/* SYNs */

WEIR_OPT_GET(save_syn)
{
	return weir_opt_put(value, weir_peek(s->opts.save_syn));
}

WEIR_OPT_SET(save_syn)
{
	if (!weir_opt_is_in(weir_opt_int(value), WEIR_TCP_SAVE_SYN_NO, WEIR_TCP_SAVE_SYN_MAC))
		return -EINVAL;
	weir_poke(s->opts.save_syn, (uint8_t)weir_opt_int(value));
	return weir_opt_changed(st, s);
}

/* Too little room is told, with what it takes; the first that has enough gets it. */
static int
get_saved_syn(struct weir_sock *s, void *value, socklen_t *len)
{
	struct weir_sock_extra *x = weir_sock_extra(s);
	const socklen_t room = *len;
	struct rte_mbuf *m;

	*len = 0;
	if (x == NULL)
		return 0;
	m = __atomic_exchange_n(&x->syn, NULL, __ATOMIC_ACQ_REL);
	if (m == NULL)
		return 0;
	*len = m->pkt_len;
	if (room < m->pkt_len) {
		__atomic_store_n(&x->syn, m, __ATOMIC_RELEASE);
		return -EINVAL;
	}
	memcpy(value, rte_pktmbuf_mtod(m, void *), m->pkt_len);
	rte_pktmbuf_free(m);
	return 0;
}

const struct weir_opt weir_opts_syn[] = {
	WEIR_OPT_ROW(TCP_SAVE_SYN, WEIR_OPT_TCP, get_save_syn, set_save_syn),
	{TCP_SAVED_SYN, WEIR_OPT_TCP, 1, .get_own = get_saved_syn},
	{0},
};
