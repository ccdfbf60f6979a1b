/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses that are unique on one link alone (RFC 4007), and the interface that goes with them. */
#include <errno.h>

#include "stack_priv.h"

/* Groups have an interface of their own options. */
static int
group_iface(const struct weir_sock *s, const struct weir_addr *group)
{
	const struct weir_mc_sending *mc = &s->dgram->mc_send[!weir_addr_is_v4(group)];

	return (int)weir_peek(mc->ifindex_plus1) - 1;
}

int
weir_name_in(
	const struct weir_sock *s, const struct sockaddr *sa, socklen_t len, struct weir_name *n)
{
	const int rc = weir_sock_addr_in(s->domain, sa, len, &n->addr, &n->port);

	if (rc == 0)
		n->ifindex = weir_sock_scope_in(s->domain, sa, len, &n->addr);
	return rc;
}

static int
take_scope(struct weir_stack *st, struct weir_sock *s, int ifindex)
{
	if (ifindex < 0)
		return -EINVAL;
	if ((unsigned int)ifindex >= st->n_ports)
		return -ENODEV;
	weir_set_iface(s, ifindex);
	return 0;
}

int
weir_scope_bind(struct weir_stack *st, struct weir_sock *s, const struct weir_name *n)
{
	if (!weir_addr_has_scope(&n->addr))
		return 0;
	return take_scope(st, s, n->ifindex >= 0 ? n->ifindex : weir_sock_iface(s));
}

int
weir_scope_connect(struct weir_stack *st, struct weir_sock *s, const struct weir_name *n)
{
	const int bound = weir_sock_iface(s);

	if (!weir_addr_has_scope(&n->addr))
		return 0;
	if (n->ifindex >= 0 && bound >= 0 && n->ifindex != bound)
		return -EINVAL;
	if (n->ifindex < 0 && bound < 0 && weir_addr_is_multicast(&n->addr))
		return take_scope(st, s, group_iface(s, &n->addr));
	return take_scope(st, s, n->ifindex >= 0 ? n->ifindex : bound);
}

int
weir_sending_iface(const struct weir_sock *s, const struct weir_addr *addr)
{
	int ifindex = weir_sock_iface(s);

	if (!weir_sock_is_dgram(s) || ifindex >= 0)
		return ifindex;
	if (weir_addr_is_multicast(addr))
		ifindex = group_iface(s, addr);
	return ifindex >= 0 ? ifindex : (int)weir_peek(s->dgram->send_ifindex_plus1) - 1;
}
